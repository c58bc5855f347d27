"""The page of an order: what somebody bought, its number, what happens next, what the maker has to
know of it and who receives it. For its owner alone.

To anybody else an order that exists looks like one that does not.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import wire
from dropengine.asked import Asks
from dropengine.catalogue import Catalogue
from dropengine.doors import asked_form
from dropengine.doors.asked_form import Field
from dropengine.doors.cover_art import HEIGHT, WIDTH
from dropengine.doors.identity import Identity
from dropengine.doors.page_formats import money
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.receiving import may_change
from dropengine.doors.shown_things import ShownThings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live.hub import Hub
from dropengine.model import GIVEN_BACK
from dropengine.people import answers
from dropengine.people.answers import Told
from dropengine.people.receivers import Receiver, Tokens
from dropengine.people.showcases import Showcase
from dropengine.sql.database import Database


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def renewing(self) -> Renewing: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...
    @property
    def database(self) -> Database: ...
    @property
    def receivers(self) -> Tokens: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The page of an order."""
    return [Route("/drops/{drop}/orders/{order}", Orders(deps, writer).order, methods=["GET"])]


class Link(NamedTuple):
    """Of who receives a unit, and where it leads."""

    receiver: Receiver
    address: str


class Unit(NamedTuple):
    """One of an order's, counted from 1."""

    number: int
    serial: int
    link: Link | None


class Cared(NamedTuple):
    """What an order has to know. `asked`: does the drop ask anything? `open`: may the fan still
    change it? `missing`: how much must be said and is not."""

    asked: bool
    open: bool
    said: list[Field]
    missing: int
    units: list[Unit]


class Orders:
    """One page an order."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def order(self, request: Request) -> Response:
        """GET /drops/{drop}/orders/{order}: as it stands now. It gives nobody a ticket: who comes
        without one cannot own an order."""
        drop, wanted = request.path_params["drop"], request.path_params["order"]
        try:
            ticket = await self._deps.renewing.holder(request.cookies)
            known = ticket is not None and names_drop(drop)
            found = await self._deps.hub.snapshot(drop, ticket) if known else None
        except Unavailable as error:
            return self._writer.away(request, error)
        orders = found.you.orders if found is not None and found.you is not None else []
        order = next((one for one in orders if one.id == wanted), None)
        if ticket is None or found is None or order is None:
            return self._writer.missing(request, "no_order")
        say = self._writer.say(request, found.drop.language)
        words = _words(found.drop, order, await self._deps.things.of(drop), say)
        cared = await self._cared(request, found.drop, order, say)
        words |= {"cared": cared, "person": ticket.person}
        words["together"] = _together(found.drop, order, orders)
        return self._writer.page_in(say, request, "order.html", 200, **words)

    async def _cared(
        self, request: Request, drop: wire.DropView, order: wire.OrderView, say: Catalogue
    ) -> Cared | None:
        """None while SQL is away: the rest of the page stands without it."""

        def asked(sql: Connection) -> tuple[Told, bool]:
            return answers.of_order(sql, drop.id, order.id), may_change(sql, drop.id, order.id)

        try:
            told, open_ = await self._deps.database.read(asked)
        except DatabaseAway:
            return None
        asks = drop.asks or Asks()
        address = self._writer.origin(request)
        return Cared(
            asked=drop.asks is not None,
            open=open_ and order.state not in GIVEN_BACK,
            said=asked_form.shown(asks, order.qty, told.answers, say),
            missing=len(asks.missing(order.qty, told.answers)),
            units=[
                Unit(unit, serial, _last(told, unit, address, self._deps.receivers))
                for unit, serial in enumerate(order.serials, 1)
            ],
        )


def _last(told: Told, unit: int, address: str, tokens: Tokens) -> Link | None:
    """The link that counts of a unit: the last one, unless it was taken back."""
    made = [one for one in told.receivers if one.unit == unit and not one.revoked_ms]
    if not made:
        return None
    return Link(made[-1], f"{address}/receive/{tokens.of(made[-1].id)}")


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


def _together(
    drop: wire.DropView, order: wire.OrderView, orders: list[wire.OrderView]
) -> list[tuple[wire.OrderView, wire.ItemView]]:
    """What the same payment bought besides, each with what it is of."""
    if not order.payment:
        return []
    items = {pool: item for item in drop.items for pool in item.pools}
    return [
        (one, items[one.pool])
        for one in orders
        if one.payment == order.payment and one.id != order.id
    ]
