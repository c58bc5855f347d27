"""Why somebody got none: a page and a JSON door that answer from the books, so that the truth is
asked nothing, while the drop goes on and long after. To each fan about himself alone.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals, wire
from dropengine.catalogue import Catalogue
from dropengine.doors.http_answers import Written, problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.page_formats import american, money, span
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.persons.renewing import Renewing
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.log.why import GOT_NONE, Code, Reason, Step, why
from dropengine.manifest.moments import moment
from dropengine.model import FanId
from dropengine.sql import reasons
from dropengine.sql.database import Database

SHORT_MS = 60_000
"""Below it tenths of a second count."""
DROPS = frozenset({"opened", "sealed", "gone", "closed", "settled", "cancelled"})
"""Events of the drop as a whole, as a chain calls them; an `offered` of it tells how far the line
came, and what else stands there of others took the last unit."""


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def renewing(self) -> Renewing: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def database(self) -> Database: ...


class Answer(Reason, frozen=True):
    """A reason in the reader's language too: `said` in sentences, the answer first; `says`: each of
    `helps`."""

    said: list[str]
    says: list[str]


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The page and the JSON door."""
    doors = Reasons(deps, writer)
    return [
        Route("/drops/{drop}/why", doors.page, methods=["GET"]),
        Route("/api/drops/{drop}/why", doors.json, methods=["GET"]),
    ]


class Reasons:
    """One method a door."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer

    async def page(self, request: Request) -> Response:
        """GET /drops/{drop}/why: it gives nobody a ticket; who comes without one was never
        here."""
        drop = request.path_params["drop"]
        try:
            ticket = await self._deps.renewing.holder(request.cookies)
            room = await self._deps.hub.room(drop) if names_drop(drop) else None
            fan = None if room is None else room.fan(ticket)
            if room is None:
                return self._writer.no_drop(request)
            view, zone = room.drop_view(), room.manifest.zone
            say = self._writer.say(request, view.language)
            told = None if fan is None else await self._told(request, room, fan, say)
        except (Unavailable, DatabaseAway) as error:
            away = error if isinstance(error, Unavailable) else Unavailable(str(error))
            return self._writer.away(request, away)
        us = american(request.headers.get("accept-language", ""), say.language)
        chain = (
            []
            if told is None
            else [(step, line) for step in told.chain if (line := _step(step, view, say))]
        )
        words: dict[str, Any] = {
            "drop": view,
            "told": told,
            "known": fan is not None,
            "missed": told is None or told.code in GOT_NONE,
            "chain": [(moment(step.at, zone, us, say), one, step) for step, one in chain],
            "read": moment(view.now, zone, us, say),
            "person": ticket is not None and ticket.person,
        }
        return self._writer.page_in(say, request, "why.html", 200, **words)

    async def json(self, request: Request) -> Response:
        """GET /api/drops/{drop}/why: the same for programs and for the drop's page."""
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        if ticket is None:
            return problem(None, refusals.SignIn())
        try:
            room = await self._deps.hub.room(request.path_params["drop"])
            if room is None:
                return problem(None, refusals.NotFound())
            fan = room.fan(ticket)
            if fan is None:
                return problem(None, refusals.SignIn())
            say = self._writer.say(request, room.manifest.language)
            told = await self._told(request, room, fan, say)
        except Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        except DatabaseAway:
            told = None
        if told is None:
            return problem(None, refusals.Away())
        return Written(msgspec.json.encode(told))

    async def _told(
        self, request: Request, room: Room, fan: FanId, say: Catalogue
    ) -> Answer | None:
        """None while the books do not know the drop. Raises DatabaseAway."""
        found = await self._deps.database.read(lambda sql: reasons.read(sql, room.drop, fan))
        if found is None:
            return None
        reason = why(*found)
        view = room.drop_view()
        us = american(request.headers.get("accept-language", ""), say.language)
        helps = [say(f"why_help.{one}", maker=view.maker) for one in reason.helps]
        fields = msgspec.structs.asdict(reason)
        return Answer(**fields, said=said(reason, view, say, us), says=helps)


def said(reason: Reason, drop: wire.DropView, say: Catalogue, us: bool = False) -> list[str]:
    """What a reason says: first the sentence that answers, then what belongs to it."""
    code, figures = reason.code, reason.figures
    values: dict[str, Any] = {name: figures.get(name, 0) for name in ("n", "of", "reached", "free")}
    for name in ("began", "ended", "paying", "paid", "first", "until", "opened", "came"):
        values[name] = moment(figures.get(f"{name}_ms", 0), drop.zone, us, say)
    values["at"] = moment(reason.at, drop.zone, us, say)
    values["sum"] = money(figures.get("amount", 0), drop, say)
    values["units"] = figures.get("units", 0)
    found = [say(f"why.{_name(code, figures)}", **values)]
    if code in _REACHING and "after_ms" in figures:
        found.append(say("why.too_late", after=_short(figures["after_ms"], say)))
    if code is Code.NOT_CALLED:
        found.append(say("why.stopped_quiet" if figures.get("quiet") else "why.stopped_paused"))
    if code is Code.NOTHING_YET and drop.early is not None and drop.early.lasts:
        found.append(say("early_access.not_yet"))
        if drop.early.public_ms:
            when = moment(drop.early.public_ms, drop.zone, us, say)
            found.append(say("early_access.until", when=when))
    if code in (Code.NEVER_BEGAN, Code.NOTHING_YET):
        if "span_ms" in figures:
            after = _short(figures["span_ms"], say)
            found.append(say("why.went", after=after, **values))
        if "came_ms" in figures:
            found.append(say("why.came", **values))
        found.append(say("why.refused_only"))
    return found


def _name(code: Code, figures: dict[str, int]) -> str:
    """Which sentence answers."""
    if code is Code.WAITING and not figures.get("n"):
        # In a list that chance has not put in order nobody has a place.
        return "waiting_order" if figures.get("of") else "waiting_list"
    return f"{code}_none" if code in _REACHING and not figures.get("reached") else str(code)


_REACHING = frozenset({Code.NOT_DRAWN, Code.NOT_REACHED, Code.WAITING})
"""Codes that tell how far the line came, if anywhere."""


def _short(ms: int, say: Catalogue) -> str:
    """`1.2 s`, and as everywhere from a minute on."""
    if ms >= SHORT_MS:
        return span(ms // 1000 * 1000, say)
    seconds = f"{ms / 1000:.1f}".replace(".", say.number["decimal"])
    return say("only_seconds", seconds=seconds)


def _step(step: Step, drop: wire.DropView, say: Catalogue) -> str:
    """One line of a chain."""
    if step.mine:
        return say(f"why_step.{step.event}", **_named(step, drop, say))
    if step.event == "offered" and step.n:
        return say("why_step.reached", n=step.n)
    name = step.event if step.event in DROPS else "gone"
    return say(f"why_step.{name}", **_named(step, drop, say))


def _named(step: Step, drop: wire.DropView, say: Catalogue) -> dict[str, Any]:
    item = next((one for one in drop.items if step.pool in one.pools), None)
    title = item.title if item is not None else drop.title
    return {"what": f"{title} \u00d7 {say.whole(step.qty)}" if step.qty > 1 else title}
