"""The page of an order: what somebody bought, its number, what happens next. For its owner alone.

To anybody else an order that exists looks like one that does not.
"""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import wire
from dropengine.catalogue import Catalogue
from dropengine.doors.cover_art import HEIGHT, WIDTH
from dropengine.doors.identity import Identity
from dropengine.doors.page_formats import money
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.shown_things import ShownThings
from dropengine.errors import Unavailable
from dropengine.live.hub import Hub
from dropengine.model import GIVEN_BACK
from dropengine.people.showcases import Showcase


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The page of an order."""
    return [Route("/drops/{drop}/orders/{order}", Orders(deps, writer).order, methods=["GET"])]


class Orders:
    """One page an order."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def order(self, request: Request) -> Response:
        """GET /drops/{drop}/orders/{order}: as it stands now. It gives nobody a ticket: who comes
        without one cannot own an order."""
        fan = self._deps.identity.guest(request.cookies)
        drop, wanted = request.path_params["drop"], request.path_params["order"]
        try:
            known = fan is not None and names_drop(drop)
            found = await self._deps.hub.snapshot(drop, fan) if known else None
        except Unavailable as error:
            return self._writer.away(request, error)
        orders = found.you.orders if found is not None and found.you is not None else []
        order = next((one for one in orders if one.id == wanted), None)
        if found is None or order is None:
            return self._writer.missing(request, "no_order")
        say = self._writer.say(request, found.drop.language)
        words = _words(found.drop, order, await self._deps.things.of(drop), say)
        return self._writer.page_in(say, request, "order.html", 200, **words)


def _words(
    drop: wire.DropView, order: wire.OrderView, things: Showcase, say: Catalogue
) -> dict[str, object]:
    item = next(item for item in drop.items if order.pool in item.pools)
    mine = things.of(drop.items.index(item))
    node = order.pool.partition("@")[2] if len(item.pools) > 1 else ""
    return {
        "drop": drop,
        "width": WIDTH,
        "height": HEIGHT,
        "order": order,
        "item": item,
        "picture": (mine.pictures[0], mine.alt) if mine.pictures else things.first,
        "facts": things.facts,
        "node": node,
        "back": order.state in GIVEN_BACK,
        "sum": money(order.amount, drop, say),
        "news": [one for one in reversed(drop.news) if one.at >= order.at],
    }
