"""Somebody else receives a unit: its fan makes a link, sends it, and may take it back; who opens it
sees what he may know, and says by a button that it is he. It works once.

Programs that look into mail open links too: reading one spends nothing.
"""

from __future__ import annotations

import time
from typing import Final, NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import asked, countries, refusals, wire
from dropengine.asked import Asks, Where
from dropengine.doors import asked_form
from dropengine.doors.asked_form import NOTHING, Said
from dropengine.doors.asking import FORM_BYTES_MAX, fields_of
from dropengine.doors.http_answers import problem
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.persons.renewing import Renewing
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live.hub import Hub
from dropengine.model import GIVEN_BACK, DropId, OrderRecord
from dropengine.people import answers, order_notes, receivers
from dropengine.people.one_after_another import change
from dropengine.people.receivers import GIFT, KINDS, LABEL_CHARS_MAX, Meant, Receiver, Tokens
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database, Work
from dropengine.truth.record_pages import record
from dropengine.truth.store import Store

LINK: Final = "/receive/{token}"
MADE: Final = "/drops/{drop}/orders/{order}/receivers"
TAKEN_BACK: Final = f"{MADE}/{{receiver}}/revoke"


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def renewing(self) -> Renewing: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def store(self) -> Store: ...
    @property
    def database(self) -> Database: ...
    @property
    def receivers(self) -> Tokens: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The fan's forms, and the page of a link."""
    doors = Receiving(deps, writer)
    return [
        Route(LINK, doors.look, methods=["GET"]),
        Route(LINK, doors.take, methods=["POST"], max_body_size=FORM_BYTES_MAX),
        Route(MADE, doors.make, methods=["POST"], max_body_size=FORM_BYTES_MAX),
        Route(TAKEN_BACK, doors.revoke, methods=["POST"], max_body_size=FORM_BYTES_MAX),
    ]


class Given(NamedTuple):
    """What a link is about, as far as who opens it may know."""

    receiver: Receiver
    drop: wire.DropView
    pool: str
    asks: Asks


class Receiving:
    """One method a door."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    # Of the fan who bought.

    async def _owned(self, request: Request) -> tuple[wire.OrderView, Ticket] | None:
        """The order of the address, if it is the fan's and was not given back."""
        ticket = await self._deps.renewing.holder(request.cookies)
        drop, wanted = request.path_params["drop"], request.path_params["order"]
        if ticket is None or not names_drop(drop):
            return None
        found = await self._deps.hub.snapshot(drop, ticket)
        mine = found.you.orders if found is not None and found.you is not None else []
        order = next((one for one in mine if one.id == wanted), None)
        return None if order is None or order.state in GIVEN_BACK else (order, ticket)

    async def make(self, request: Request) -> Response:
        """POST .../receivers: a link for who receives a unit."""
        try:
            owned = await self._owned(request)
        except Unavailable as error:
            return self._writer.away(request, error)
        if owned is None:
            return self._writer.missing(request, "no_order")
        order, ticket = owned
        fields = await fields_of(request)
        if fields is None:
            return problem(None, refusals.BadMessage("send a form"))
        meant = _meant(fields, order)
        if meant is None:
            return problem(None, refusals.BadMessage("unit and kind, as the form has them"))
        drop, now_ms = request.path_params["drop"], _now_ms()

        def made(sql: Connection) -> bool:
            if not may_change(sql, drop, order.id):
                return False
            whose = answers.whose_key(ticket.key)
            return receivers.make(sql, drop, order.id, meant, whose, now_ms) is not None

        return await self._changed(request, made)

    async def revoke(self, request: Request) -> Response:
        """POST .../receivers/{receiver}/revoke: nobody receives it by that link."""
        try:
            owned = await self._owned(request)
        except Unavailable as error:
            return self._writer.away(request, error)
        if owned is None:
            return self._writer.missing(request, "no_order")
        order, drop, now_ms = owned[0], request.path_params["drop"], _now_ms()

        def revoked(sql: Connection) -> bool:
            one = receivers.find(sql, request.path_params["receiver"])
            if one is None or (one.drop_id, one.hold) != (drop, order.id):
                return False
            if not may_change(sql, drop, order.id):
                return False
            receivers.revoke(sql, one.id, now_ms)
            return True

        return await self._changed(request, revoked)

    async def _changed(self, request: Request, work: Work[bool]) -> Response:
        drop, order = request.path_params["drop"], request.path_params["order"]
        try:
            done = await change(self._deps.database, work)
        except DatabaseAway:
            return self._writer.missing(request, "ask_away", 503)
        if not done:
            return self._writer.missing(request, "ask_closed", 409)
        return RedirectResponse(f"/drops/{drop}/orders/{order}#receivers", 303)

    # Of who receives.

    async def look(self, request: Request) -> Response:
        """GET /receive/{token}: what it is, and a button. It spends nothing."""
        try:
            given = await self._given(request)
        except (Unavailable, DatabaseAway):
            return self._writer.missing(request, "ask_away", 503)
        if given is None:
            return self._writer.missing(request, "receive_over")
        return self._page(request, given)

    async def take(self, request: Request) -> Response:
        """POST /receive/{token}: it is he. It works once."""
        fields = await fields_of(request)
        if fields is None:
            return problem(None, refusals.BadMessage("send a form"))
        try:
            given = await self._given(request)
        except (Unavailable, DatabaseAway):
            return self._writer.missing(request, "ask_away", 503)
        if given is None:
            return self._writer.missing(request, "receive_over")
        said = asked_form.read(given.asks, 0, fields)
        wrong = said.wrong | {
            where: "needed"
            for where in given.asks.missing(0, said.answers)
            if where not in said.wrong
        }
        if wrong:
            return self._page(request, given, said._replace(wrong=wrong), 400)
        one, now_ms = given.receiver, _now_ms()
        told = {field: text for (_, field), text in said.answers.items()}

        def taken(sql: Connection) -> bool:
            good = may_change(sql, one.drop_id, one.hold)
            return good and receivers.take(sql, one.id, told, now_ms)

        try:
            done = await change(self._deps.database, taken)
        except DatabaseAway:
            return self._writer.missing(request, "ask_away", 503)
        if not done:
            return self._writer.missing(request, "receive_over")
        return self._page(request, given, said, done=True)

    async def _given(self, request: Request) -> Given | None:
        """What the link is about, while it may be used. Raises Unavailable and DatabaseAway."""
        wanted = self._deps.receivers.read(request.path_params["token"])
        if not wanted:
            return None

        def asked_of(sql: Connection) -> Receiver | None:
            one = receivers.find(sql, wanted)
            good = one is not None and one.open and may_change(sql, one.drop_id, one.hold)
            return one if good else None

        one = await self._deps.database.read(asked_of)
        if one is None:
            return None
        found = await self._deps.hub.snapshot(one.drop_id, None)
        order = await record(self._deps.store, DropId(one.drop_id), OrderRecord, one.hold)
        if found is None or order is None or order.state in GIVEN_BACK:
            return None
        asks = asked.of_receiver(found.drop.asks, sent=one.kind == GIFT)
        return Given(one, found.drop, order.pool, asks)

    def _page(
        self,
        request: Request,
        given: Given,
        said: Said = NOTHING,
        status: int = 200,
        *,
        done: bool = False,
    ) -> Response:
        say = self._writer.say(request, given.drop.language)
        no_answers: dict[Where, str] = {}
        fields = asked_form.fields_of(
            given.asks, 0, no_answers, say, typed=said.typed, wrong=said.wrong
        )
        return self._writer.page_in(
            say,
            request,
            "receive.html",
            status,
            drop=given.drop,
            item=next(item for item in given.drop.items if given.pool in item.pools),
            pool=given.pool,
            one=given.receiver,
            gift=given.receiver.kind == GIFT,
            fields=fields,
            wrong=[field for field in fields if field.wrong],
            countries=countries.listed(say.language),
            done=done,
        )


def may_change(sql: Connection, drop: str, hold: str) -> bool:
    """Neither closed by the maker nor handed over."""
    care = order_notes.of_orders(sql, drop, [hold]).get(hold)
    return not answers.locked(sql, drop, hold) and (care is None or not care.handed_ms)


def _meant(fields: dict[str, str], order: wire.OrderView) -> Meant | None:
    """What the form says; None for what no form of ours does."""
    unit, kind = fields.get("unit", ""), fields.get("kind", "")
    if not (unit.isascii() and unit.isdecimal() and 0 < int(unit[:4]) <= len(order.serials)):
        return None
    if kind not in KINDS:
        return None
    label, giver = (
        asked.cleaned(fields.get(name, ""))[:LABEL_CHARS_MAX] for name in ("label", "giver")
    )
    return Meant(int(unit), order.serials[int(unit) - 1], kind, label, giver)


def _now_ms() -> int:
    return int(time.time() * 1000)
