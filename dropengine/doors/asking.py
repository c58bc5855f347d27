"""Where a fan is asked what his order has to know: between hold and payment, beside the clock, and
afterwards until the maker closes it. For him alone.

Paying never waits for it. While SQL is away the page says that it is asked later, and leads on.
"""

from __future__ import annotations

import secrets
import time
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

import msgspec
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import countries, refusals, wire
from dropengine.asked import Answers, Asks
from dropengine.catalogue import Catalogue
from dropengine.doors import asked_form
from dropengine.doors.asked_form import FIELDS_MAX, NOTHING, Said
from dropengine.doors.http_answers import Problem, Written, problem
from dropengine.doors.page_formats import money
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.persons.renewing import Renewing
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live import paying
from dropengine.live.hub import Hub
from dropengine.model import GIVEN_BACK, FanId
from dropengine.people import answers
from dropengine.people.answers import Told
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database

FORM_BYTES_MAX = 131_072
"""A hundred notes in the longest letters, as a form spells them."""
LATER = "later"
"""What the button says that pays first."""
ASKED = "/drops/{drop}/holds/{hold}/asked"


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def renewing(self) -> Renewing: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def database(self) -> Database: ...


class Mine(NamedTuple):
    """What is asked about: a hold, or the order that it became. whose: as answers are kept."""

    drop: wire.DropView
    asks: Asks
    fan: FanId
    whose: str
    thing: wire.HoldView | wire.OrderView

    @property
    def id(self) -> str:
        return self.thing.id

    @property
    def qty(self) -> int:
        return self.thing.qty

    @property
    def hold(self) -> wire.HoldView | None:
        """Not paid yet."""
        return self.thing if isinstance(self.thing, wire.HoldView) else None

    @property
    def sum(self) -> int:
        one = self.thing
        return one.amount if isinstance(one, wire.OrderView) else one.price * one.qty

    @property
    def serials(self) -> list[int]:
        return self.thing.serials if isinstance(self.thing, wire.OrderView) else []

    @property
    def over(self) -> bool:
        """Was the order given back?"""
        return isinstance(self.thing, wire.OrderView) and self.thing.state in GIVEN_BACK


class Shown(NamedTuple):
    """Of the page, beside what is asked about. `away`: SQL cannot be reached; `refused`: why it
    could not be paid for."""

    told: Answers
    locked: bool = False
    said: Said = NOTHING
    away: bool = False
    refused: str = ""
    status: int = 200


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The page, and its form."""
    asking = Asking(deps, writer)
    return [
        Route(ASKED, asking.look, methods=["GET"]),
        Route(ASKED, asking.take, methods=["POST"], max_body_size=FORM_BYTES_MAX),
    ]


async def fields_of(request: Request) -> dict[str, str] | None:
    """A form of ours, or None."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return None
    try:
        text = (await request.body()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except (ClientDisconnect, ValueError):
        return None


class Asking:
    """One method a door."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def look(self, request: Request) -> Response:
        """GET .../asked: the form, filled in as far as its fan said it before."""
        try:
            mine = await self._mine(request)
        except Unavailable as error:
            return self._writer.away(request, error)
        if isinstance(mine, Response):
            return mine
        return await self._shown(request, mine)

    async def take(self, request: Request) -> Response:
        """POST .../asked: keep what is said. A whole form leads on, to the payment or to the page
        of the order; a program that sends some fields is told whether they are kept."""
        try:
            mine = await self._mine(request)
        except Unavailable as error:
            return self._writer.away(request, error)
        if isinstance(mine, Response):
            return mine
        fields = await fields_of(request)
        if fields is None:
            return problem(None, refusals.BadMessage("send a form"))
        said = asked_form.read(mine.asks, mine.qty, fields)
        alone = "application/json" in request.headers.get("accept", "")
        do = fields.get("do", "")
        try:
            saved = await self._save(mine, said)
        except DatabaseAway:
            if alone:
                return problem(None, refusals.Away())
            if mine.hold is not None and do == LATER:
                return await self._pay(request, mine, said)
            return self._page(request, mine, Shown({}, said=said, away=True, status=503))
        if alone:
            return self._told(request, mine, said, saved=saved)
        later = mine.hold is not None and do == LATER
        if said.wrong and not later:
            return await self._shown(request, mine, said, status=400)
        if mine.hold is None:
            if not saved:
                return await self._shown(request, mine, said, status=409)
            return RedirectResponse(f"/drops/{mine.drop.id}/orders/{mine.id}", 303)
        if not later and (needed := asked_form.unsaid(mine.asks, mine.qty, said)):
            return await self._shown(request, mine, said._replace(wrong=needed), status=400)
        return await self._pay(request, mine, said)

    async def _save(self, mine: Mine, said: Said) -> bool:
        if not said.answers:
            return True
        now_ms = int(time.time() * 1000)
        # The maker may lock it at the same moment.
        return await change(
            self._deps.database,
            lambda sql: answers.save(sql, mine.drop.id, mine.id, said.answers, mine.whose, now_ms),
        )

    def _told(self, request: Request, mine: Mine, said: Said, *, saved: bool) -> Response:
        """To the page's script, that keeps each field as it is left."""
        say = self._writer.say(request, mine.drop.language)
        if not saved:
            return _unkept(409, refusals.Closed(), say.ask["locked"])
        for (_, field), why in said.wrong.items():
            sentence = asked_form.sentence(why, field, mine.asks, say)
            return _unkept(400, refusals.BadMessage(), sentence)
        return Response(status_code=204, headers={"Cache-Control": "no-store"})

    async def _pay(self, request: Request, mine: Mine, said: Said) -> Response:
        """On to the payment of a hold, as its press on the drop's page leads there."""
        command = wire.Pay(0, secrets.token_urlsafe(12), [mine.id])
        try:
            room = await self._deps.hub.room(mine.drop.id)
            if room is None:
                raise Unavailable(mine.drop.id)
            answer = await paying.begin(room, mine.fan, 0, command)
        except Unavailable as error:
            return self._writer.away(request, error)
        if isinstance(answer, wire.Done):
            return RedirectResponse(answer.pay[mine.id], 303)
        return await self._shown(request, mine, said, refused=answer.code, status=409)

    async def _mine(self, request: Request) -> Mine | Response:
        """What the address names, if it is the fan's and something is asked. Raises Unavailable."""
        ticket = await self._deps.renewing.holder(request.cookies)
        drop, wanted = request.path_params["drop"], request.path_params["hold"]
        known = ticket is not None and names_drop(drop)
        found = await self._deps.hub.snapshot(drop, ticket) if known else None
        if ticket is None or found is None or found.you is None:
            return self._writer.missing(request, "no_order")
        whose = answers.whose_key(ticket.key)
        asks = found.drop.asks
        order = next((one for one in found.you.orders if one.id == wanted), None)
        hold = next((one for one in found.you.holds if one.id == wanted), None)
        if order is None and hold is None:
            if found.you.ended is not None and found.you.ended.id == wanted:
                # The page of the drop says how it ended.
                return RedirectResponse(f"/drops/{drop}", 303)
            return self._writer.missing(request, "no_order")
        thing: wire.HoldView | wire.OrderView | None = order or hold
        assert thing is not None
        if asks is None:
            return RedirectResponse(f"/drops/{drop}" + (f"/orders/{wanted}" if order else ""), 303)
        return Mine(found.drop, asks, FanId(found.you.fan), whose, thing)

    async def _shown(
        self,
        request: Request,
        mine: Mine,
        said: Said = NOTHING,
        *,
        refused: str = "",
        status: int = 200,
    ) -> Response:
        def asked(sql: Connection) -> tuple[Told, dict[str, str]]:
            told = answers.of_order(sql, mine.drop.id, mine.id)
            return told, answers.remembered(sql, mine.whose)

        try:
            told, remembered = await self._deps.database.read(asked)
        except DatabaseAway:
            return self._page(request, mine, Shown({}, said=said, away=True, refused=refused))
        full = asked_form.prefilled(mine.asks, mine.qty, told.answers, remembered)
        return self._page(
            request, mine, Shown(full, told.locked_ms > 0, said, False, refused, status)
        )

    def _page(self, request: Request, mine: Mine, shown: Shown) -> Response:
        drop = mine.drop
        say: Catalogue = self._writer.say(request, drop.language)
        item = next(item for item in drop.items if mine.thing.pool in item.pools)
        fields = asked_form.fields_of(
            mine.asks,
            mine.qty,
            shown.told,
            say,
            typed=shown.said.typed,
            wrong=shown.said.wrong,
        )
        left_ms = mine.hold.deadline_ms - drop.now if mine.hold is not None else 0
        response = self._writer.page_in(
            say,
            request,
            "asked.html",
            shown.status,
            drop=drop,
            item=item,
            mine=mine,
            fields=fields,
            wrong=[one for one in fields if one.wrong],
            countries=countries.listed(say.language),
            away=shown.away,
            locked=shown.locked,
            over=mine.over,
            refused=say.refused[shown.refused] if shown.refused else "",
            left_ms=max(0, left_ms),
            sum=money(mine.sum, drop, say),
        )
        if shown.away:
            response.headers["Retry-After"] = "5"
        return response


def _unkept(status: int, refusal: refusals.Refusal, sentence: str) -> Response:
    """Why a field was not kept, in the reader's language."""
    code = refusal.code
    body = Problem(type=f"/problems/{code}", title=sentence, status=status, code=code)
    return Written(msgspec.json.encode(body), status, b"application/problem+json")
