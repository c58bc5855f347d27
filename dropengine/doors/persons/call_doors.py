"""Where a fan says what he wants to be told of: "remind me before it opens", "tell me of new
drops", and on his page which calls come by which way. Usable without any script; who is not signed
in is led to where he can, and from there back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine.doors import readers_zone
from dropengine.doors.cover_art import HEIGHT, WIDTH
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.pages import LISTED_MAX, Line, line
from dropengine.doors.persons import called
from dropengine.doors.persons.person_pages import YOU, PersonPages
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.small_forms import FORM_BYTES_MAX, fields_of
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live.hub import Hub
from dropengine.model import DropId, DropState
from dropengine.people import interests, makers, wishes
from dropengine.people.interests import What
from dropengine.people.makers import Maker
from dropengine.people.one_after_another import change
from dropengine.people.wishes import Way, Wish
from dropengine.sql.database import Database
from dropengine.truth.listing import listing
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

REMIND: Final = "/drops/{drop}/remind"
MAKER: Final = "/makers/{maker}"
SHORT_CHARS_MAX: Final = 64
CALLS: Final = f"{YOU}#calls"

Page = Callable[[Request], Awaitable[Response]]


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def database(self) -> Database: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...


class _List(NamedTuple):
    """One list that somebody can be on, and its page."""

    what: What
    thing: str
    page: str


class CallDoors:
    """One method a door."""

    def __init__(self, deps: Deps, writer: PageWriter, persons: PersonPages) -> None:
        self._deps = deps
        self._database = deps.database
        self._writer = writer
        self._persons = persons

    def routes(self) -> list[Route]:
        """Pages and forms."""
        reads = (
            (REMIND, self.reminding),
            ("/drops/{drop}/maker", self.of_drop),
            (MAKER, self.maker),
        )
        forms = (
            (REMIND, self.remind),
            (f"{MAKER}/follow", self.follow),
            (f"{YOU}/calls", self.choose),
            (f"{YOU}/calls/end", self.end),
        )
        return [
            *(Route(path, self._told(page), methods=["GET"]) for path, page in reads),
            *(
                Route(path, self._told(page), methods=["POST"], max_body_size=FORM_BYTES_MAX)
                for path, page in forms
            ),
        ]

    def _told(self, page: Page) -> Page:
        async def shown(request: Request) -> Response:
            try:
                return await page(request)
            except DatabaseAway:
                return self._note(request, 503, "signing.away")
            except Unavailable as error:
                return self._writer.away(request, error)

        return shown

    # A drop before it opens.

    async def reminding(self, request: Request) -> Response:
        """GET /drops/{drop}/remind: whether I am reminded, and a button."""
        shown = await self._shown(request)
        if shown is None:
            return self._writer.no_drop(request)
        m = shown.manifest
        me = await self._persons.me(request)
        on = me is not None and await self._on(me.person.id, What.DROP, m.id)
        soon = shown.state == DropState.SCHEDULED
        say = self._writer.say(request, m.language)
        words: dict[str, object] = {"drop": m, "opens_ms": shown.opens_ms, "soon": soon, "on": on}
        words |= {"me": me, "to": f"/drops/{m.id}/remind"}
        words["zone"] = readers_zone.told(request) or (me.person.zone if me is not None else "")
        return self._writer.page_in(say, request, "you-remind.html", 200, **words)

    async def remind(self, request: Request) -> Response:
        """POST /drops/{drop}/remind: with `on`=`yes` I am, with `no` not any more."""
        shown = await self._shown(request)
        if shown is None:
            return self._writer.no_drop(request)
        drop = shown.manifest.id
        page = f"/drops/{drop}/remind"
        may_begin = shown.state == DropState.SCHEDULED and not shown.manifest.practice
        return await self._switch(request, _List(What.DROP, drop, page), may_begin=may_begin)

    async def _shown(self, request: Request) -> Shown | None:
        drop = request.path_params["drop"]
        return await self._deps.store.show(DropId(drop)) if names_drop(drop) else None

    # A maker between drops.

    async def of_drop(self, request: Request) -> Response:
        """GET /drops/{drop}/maker: on to the page of its maker, or to all drops."""
        if (shown := await self._shown(request)) is None:
            return self._writer.no_drop(request)
        drop = shown.manifest.id

        def asked(sql: Connection) -> Maker | None:
            whose = makers.whose(sql, drop)
            return None if whose is None else makers.by_id(sql, whose)

        maker = await self._database.read(asked)
        # A shop that nobody has signed in to run has no maker yet.
        return RedirectResponse("/" if maker is None else f"/makers/{maker.short}", 303)

    async def maker(self, request: Request) -> Response:
        """GET /makers/{maker}: his drops, and whether I am told of new ones."""
        maker = await self._maker(request)
        if maker is None:
            return self._writer.missing(request, "no_maker")
        say = self._writer.say(request)
        me = await self._persons.me(request)
        on = me is not None and await self._on(me.person.id, What.MAKER, maker.id)
        drops: list[Line] = []
        listed = await listing(self._deps.store, LISTED_MAX)
        ids = [one.manifest.id for one in listed.shown]
        owners = await self._database.read(lambda sql: makers.owners_of(sql, ids))
        for drop in (one for one in ids if owners.get(one) == maker.id):
            found = await self._deps.hub.snapshot(drop, None)
            if found is not None:
                drops.append(line(found.drop, await self._deps.things.of(drop), say))
        words: dict[str, object] = {"maker": maker, "drops": drops, "on": on, "me": me}
        words |= {"width": WIDTH, "height": HEIGHT}
        return self._writer.page_in(say, request, "maker.html", 200, **words)

    async def follow(self, request: Request) -> Response:
        """POST /makers/{maker}/follow: with `on`=`yes` I am told, with `no` not any more."""
        maker = await self._maker(request)
        if maker is None:
            return self._writer.missing(request, "no_maker")
        page = f"/makers/{maker.short}"
        return await self._switch(request, _List(What.MAKER, maker.id, page), may_begin=True)

    async def _maker(self, request: Request) -> Maker | None:
        short = request.path_params["maker"][:SHORT_CHARS_MAX]
        return await self._database.read(lambda sql: makers.by_short(sql, short))

    # On his page.

    async def choose(self, request: Request) -> Response:
        """POST /you/calls: of each kind and way, named as `offer.mail`, what is ticked comes."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._note(request, 400, "signing.not_done", fields)
        me = await self._persons.me(request)
        if me is None:
            return await self._persons.stranger(request, 401)
        off = [(wish, way) for wish in Wish for way in Way if f"{wish}.{way}" not in fields]
        await change(self._database, lambda sql: wishes.choose(sql, me.person.id, off))
        return RedirectResponse(CALLS, 303)

    async def end(self, request: Request) -> Response:
        """POST /you/calls/end: I am told of `thing`, a `drop` or `maker`, no more."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._note(request, 400, "signing.not_done", fields)
        me = await self._persons.me(request)
        if me is None:
            return await self._persons.stranger(request, 401)
        if fields.get("what") not in [*What]:
            return self._note(request, 400, "signing.not_done", "signing.not_whole")
        what, thing = What(fields["what"]), fields.get("thing", "")
        await change(self._database, lambda sql: called.end(sql, me.person.id, what, thing))
        return RedirectResponse(CALLS, 303)

    # Both lists.

    async def _on(self, person: str, what: What, thing: str) -> bool:
        return await self._database.read(lambda sql: interests.is_on(sql, person, what, thing))

    async def _switch(self, request: Request, of: _List, *, may_begin: bool) -> Response:
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._note(request, 400, "signing.not_done", fields)
        me = await self._persons.me(request)
        if me is None:
            return RedirectResponse(f"{YOU}?to={of.page}", 303)
        now_ms = time.time_ns() // 1_000_000

        def switched(sql: Connection) -> None:
            if fields.get("on") == "no":
                called.end(sql, me.person.id, of.what, of.thing)
            elif may_begin:
                interests.begin(sql, me.person.id, of.what, of.thing, now_ms)

        await change(self._database, switched)
        return RedirectResponse(of.page, 303)

    def _note(self, request: Request, status: int, title: str, text: str = "") -> Response:
        say = self._writer.say(request)
        words: dict[str, object] = {"title": say(title), "text": say(text) if text else ""}
        return self._writer.page_in(say, request, "you-note.html", status, **words)
