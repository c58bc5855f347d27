"""Where a fan without scripts holds several things at once, and pays them together: plain forms for
the commands that the page of the drop sends by itself. For him alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals, wire
from dropengine.doors.page_formats import phase
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.rate_limit import whence_of
from dropengine.doors.small_forms import UNREADABLE, fields_of
from dropengine.errors import Unavailable
from dropengine.live import paying
from dropengine.live.answers import done_in
from dropengine.live.hub import Hub
from dropengine.live.paid_by import CASH, TRANSFER
from dropengine.live.room import Room
from dropengine.model import FanId, PaymentState
from dropengine.outcomes import Basketed
from dropengine.people.tickets import Ticket
from dropengine.truth.command_rows import command_row

PLAIN = "/drops/{drop}/plain"
FORM_BYTES_MAX = 65_536
MORE_FIELDS = 32
"""Of a form, beside two for each kind."""
BEGINS = frozenset({"live", "all_held", "sold_out"})
"""Phases in which something can be held."""
QTY, SECOND, HOLD = "qty.", "second.", "hold."
"""What names of fields begin with; the kind or the hold follows."""
KINDS: tuple[type[wire.Command], ...] = (
    wire.Basket,
    wire.Pay,
    wire.Unpay,
    wire.Swap,
    wire.Release,
)
"""What the buttons ask for, each by its verb."""


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def renewing(self) -> Renewing: ...
    @property
    def hub(self) -> Hub: ...


class Mine(NamedTuple):
    """Who is there, and what he sees."""

    room: Room
    ticket: Ticket
    fan: FanId
    drop: wire.DropView
    you: wire.You


class Told(NamedTuple):
    """Of the page, beside how things stand: why something was refused, and where its payment is;
    what a basket had and what it had not."""

    refused: str = ""
    page: str = ""
    basket: wire.BasketView | None = None
    wants: tuple[str, ...] = ()
    status: int = 200


NOTHING = Told()


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The page, and its forms."""
    till = PlainTill(deps, writer)
    return [
        Route(PLAIN, till.look, methods=["GET"]),
        Route(PLAIN, till.take, methods=["POST"], max_body_size=FORM_BYTES_MAX),
    ]


class PlainTill:
    """One method a door."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def look(self, request: Request) -> Response:
        """GET .../plain: what there is, what he holds, and what waits to be paid."""
        try:
            mine = await self._mine(request)
        except Unavailable as error:
            return self._writer.away(request, error)
        return mine if isinstance(mine, Response) else self._page(request, mine)

    async def take(self, request: Request) -> Response:
        """POST .../plain: one command. A payment leads on to where it is paid; what was refused,
        or not had, is said on the page."""
        try:
            mine = await self._mine(request)
            if isinstance(mine, Response):
                return mine
            fields = await fields_of(request, 2 * len(mine.drop.pools) + MORE_FIELDS)
            if isinstance(fields, str):
                say = self._writer.say(request, mine.drop.language)
                return self._page(request, mine, Told(say(fields), status=400))
            return await self._carried_out(request, mine, fields)
        except Unavailable as error:
            return self._writer.away(request, error)

    async def _carried_out(
        self, request: Request, mine: Mine, fields: Mapping[str, str]
    ) -> Response:
        say = self._writer.say(request, mine.drop.language)
        try:
            command = command_of(fields)
        except ValueError:
            return self._page(request, mine, Told(say(UNREADABLE), status=400))
        if command is None:
            empty = say.till["none"] if fields.get("do") == wire.Pay.verb else say.plain["none"]
            return self._page(request, mine, Told(empty, status=400))
        room, fan = mine.room, mine.fan
        if isinstance(command, wire.Pay):
            paid = await paying.begin(room, fan, 0, command)
            if isinstance(paid, refusals.Refusal):
                return await self._refused(request, room, paid)
            return RedirectResponse(paid.pay[command.holds[0]], 303)
        whence = whence_of(request.scope.get("client"), mine.ticket)
        answer = await room.batcher.ask(command_row(fan, command), whence)
        if isinstance(answer, refusals.Refusal):
            return await self._refused(request, room, answer)
        room.fan_states.note(fan, answer)
        if isinstance(answer, Basketed):
            assert isinstance(command, wire.Basket), command
            basket = done_in(room, 0, answer).basket
            wants = tuple(want.pools[0] for want in command.wants)
            return await self._again(request, Told(basket=basket, wants=wants))
        return RedirectResponse(f"/drops/{mine.drop.id}/plain", 303)

    async def _refused(self, request: Request, room: Room, why: refusals.Refusal) -> Response:
        room.refused[why.code] += 1
        say = self._writer.say(request, room.manifest.language)
        page = room.pages.page(why.payment) if isinstance(why, refusals.Paying) else ""
        return await self._again(request, Told(say.refused[why.code], page, status=409))

    async def _again(self, request: Request, told: Told) -> Response:
        """The page as things stand after the command. Raises Unavailable."""
        mine = await self._mine(request)
        return mine if isinstance(mine, Response) else self._page(request, mine, told)

    async def _mine(self, request: Request) -> Mine | Response:
        """Who is there, or where he is led that is nobody in this drop yet. Raises Unavailable."""
        drop = request.path_params["drop"]
        ticket = await self._deps.renewing.holder(request.cookies)
        found = await self._deps.hub.snapshot(drop, ticket) if names_drop(drop) else None
        if found is None:
            return self._writer.no_drop(request)
        room = await self._deps.hub.room(drop)
        if room is None or ticket is None or found.you is None:
            return RedirectResponse(f"/drops/{drop}", 303)
        return Mine(room, ticket, FanId(found.you.fan), found.drop, found.you)

    def _page(self, request: Request, mine: Mine, told: Told = NOTHING) -> Response:
        drop, you = mine.drop, mine.you
        payments = you.payments if isinstance(you.payments, list) else []
        unpaid = [one for one in payments if one.state == PaymentState.OPEN]
        within = {hold for one in unpaid for hold in one.holds}
        payable = [
            hold
            for hold in you.holds
            if hold.id not in within and not hold.checking and hold.deadline_ms > drop.now
        ]
        return self._writer.page_in(
            self._writer.say(request, drop.language),
            request,
            "plain-till.html",
            told.status,
            drop=drop,
            item_of={pool: item for item in drop.items for pool in item.pools},
            begins=phase(drop) in BEGINS,
            payable=payable,
            unpaid=unpaid,
            swaps={hold.id: swaps(drop, hold) for hold in payable if hold.claimed},
            ways=[way for way in drop.ways if _takes_one(way, payable)],
            means=means(drop),
            told=told,
            key=secrets.token_urlsafe(12),
        )


def means(drop: wire.DropView) -> list[tuple[str, str]]:
    """How it may be paid, the usual first: the word, and the name of its sentence."""
    words = [(one, TRANSFER if one == TRANSFER else "card") for one in drop.pays]
    cash = drop.hand_ms > 0 and any(way.cash for way in drop.ways)
    return [*words, *([(CASH, CASH)] if cash else [])]


def swaps(drop: wire.DropView, hold: wire.HoldView) -> list[str]:
    """The kinds that a hold can be swapped for: of its price, and there."""
    return [
        pool
        for item in drop.items
        if item.price == hold.price
        for pool in item.pools
        if pool != hold.pool and drop.pools[pool].free >= hold.qty
    ]


def command_of(fields: Mapping[str, str]) -> wire.FanCommand | None:
    """What a form asks for, None where nothing is chosen. Raises ValueError."""
    verb = fields.get("do", "")
    given: dict[str, Any] = {"t": verb, "id": 0, "key": fields.get("key", "")}
    match verb:
        case wire.Basket.verb:
            given |= {"wants": _wants(fields), "all": "all" in fields}
            if not given["wants"]:
                return None
        case wire.Pay.verb:
            holds = [name.removeprefix(HOLD) for name in fields if name.startswith(HOLD)]
            if not holds:
                return None
            given |= {"holds": holds, "way": fields.get("way", ""), "all": "all" in fields}
            given |= {"provider": fields.get("provider", "")}
        case wire.Unpay.verb:
            given |= {"payment": fields.get("payment", "")}
        case wire.Swap.verb:
            given |= {"hold": fields.get("hold", ""), "pool": fields.get("pool", "")}
        case wire.Release.verb:
            given |= {"hold": fields.get("hold", "")}
    kind = next((kind for kind in KINDS if kind.verb == verb), None)
    if kind is None:
        raise ValueError("no button of ours")
    command = msgspec.convert(given, kind)
    if fault := command.fault():
        raise ValueError(fault)
    return cast("wire.FanCommand", command)


def _wants(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a basket asks for, in the order of the page. Raises ValueError."""
    wants = []
    for name, said in fields.items():
        if not name.startswith(QTY) or not (qty := int(said or "0")):
            continue
        pool = name.removeprefix(QTY)
        second = fields.get(f"{SECOND}{pool}", "")
        wants.append({"pools": [pool, *([second] if second else [])], "qty": qty})
    return wants


def _takes_one(way: wire.WayView, holds: list[wire.HoldView]) -> bool:
    """A way that names places takes only what lies there."""
    nodes = [hold.pool.partition("@")[2] for hold in holds]
    return not way.nodes or any(not node or node in way.nodes for node in nodes)
