"""The pages: a fan's, the wall, the list of drops. Each is true and readable without any script.

What people typed is only ever text: templates escape everything, the first state travels in a data
block that no browser executes, and the content policy allows nothing inline but what the build
made.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Protocol

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import wire
from dropengine.catalogue import Catalogue
from dropengine.config import Settings
from dropengine.doors import (
    asking,
    calendar,
    order_sheet,
    orders,
    plain_till,
    reasons,
    receiving,
    shared_pictures,
)
from dropengine.doors.cover_art import HEIGHT, WIDTH, cover
from dropengine.doors.early_doors import EarlyDoor
from dropengine.doors.game_doors import GameDoors
from dropengine.doors.identity import Identity
from dropengine.doors.newcomers import Newcomers
from dropengine.doors.page_formats import choice, made_of, phase, prices, total
from dropengine.doors.page_templates import Templates
from dropengine.doors.page_writer import AWAY_RETRY_S, PageWriter, names_drop
from dropengine.doors.persons.renewing import Come, Renewing
from dropengine.doors.qr import qr
from dropengine.doors.share_picture import SHARED_HEIGHT, SHARED_WIDTH
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.static_files import Static, read
from dropengine.errors import Unavailable
from dropengine.jobs.counting import Counting
from dropengine.live.hub import Hub
from dropengine.model import GIVEN_BACK, DropId, ShopId
from dropengine.people.receivers import Tokens
from dropengine.people.showcases import Picture, Showcase
from dropengine.people.tickets import Ticket, pseudonym
from dropengine.sql.database import Database
from dropengine.truth.listing import listing
from dropengine.truth.store import Store

LISTED_MAX = 50
ENDED = frozenset({"closing", "settled", "cancelled"})
"""Phases in which nothing begins any more: what is free is not for sale."""
EARLY = frozenset({"scheduled", "lobby", "live", "all_held", "sold_out", "paused"})
"""Phases in which early access still means something."""

BY_FRIEND = "friend"
"""The channel of who came by a fan's link."""
REF_CHARS_MAX = 64

NOBODYS = "no-cache"
"""Pages that show nobody's own state: the browser may keep them for its back button."""
_IN_A_SCRIPT = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def renewing(self) -> Renewing: ...
    @property
    def newcomers(self) -> Newcomers: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def shop(self) -> ShopId: ...
    @property
    def counting(self) -> Counting: ...
    @property
    def database(self) -> Database: ...
    @property
    def early(self) -> EarlyDoor: ...
    @property
    def game(self) -> GameDoors: ...
    @property
    def receivers(self) -> Tokens: ...
    @property
    def templates(self) -> Templates: ...


class Line(msgspec.Struct, frozen=True):
    """One line of the list of drops."""

    drop: wire.DropView
    phase: str
    prices: str
    total: dict[str, int]
    stock: str
    still: bool
    picture: tuple[Picture, str] | None


def writing(deps: Deps) -> tuple[PageWriter, Static]:
    """Who writes every page of a web process, and the files that pages load."""
    static = Static(read(Path(str(files("dropengine") / "web" / "dist"))))
    secure = deps.identity.secure
    return PageWriter(deps.templates, static, deps.settings, secure=secure), static


def routes(deps: Deps, writer: PageWriter, static: Static) -> list[Route]:
    """The pages and the files they load."""
    pages = Pages(deps, writer)
    return [
        Route("/drops/{drop}", pages.fan, methods=["GET"]),
        Route("/static/{name}", static.show, methods=["GET"]),
        Route("/drops/{drop}/wall", pages.wall, methods=["GET"]),
        *asking.routes(deps, writer),
        *plain_till.routes(deps, writer),
        *receiving.routes(deps, writer),
        *orders.routes(deps, writer),
        *reasons.routes(deps, writer),
        *calendar.routes(deps, writer),
        *order_sheet.routes(deps, writer),
        *shared_pictures.routes(deps, writer),
        Route("/", pages.index, methods=["GET"]),
    ]


class Pages:
    """One page a method."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self.deps = deps
        self.writer = writer

    async def fan(self, request: Request) -> Response:
        """GET /drops/{drop}: the fan's page; gives a guest his ticket on the first visit. When too
        many come from one network at once, he watches, and the page asks again by itself."""
        known = await self.deps.renewing.come(request.cookies)
        if known.ticket is not None or known.away:
            return await self._persons(request, known)
        response = await self._guests(request)
        if known.over:
            self.deps.identity.take_person(response)
        return response

    async def _persons(self, request: Request, known: Come) -> Response:
        """Where nobody can tell who he is, he watches meanwhile."""
        response = await self._drop(request, "fan.html", known.ticket)
        if known.ticket is None:
            response.headers["Retry-After"] = str(AWAY_RETRY_S)
            return response
        if known.text:
            self.deps.identity.hand_out_person(known.text, response)
        self._arrived(request, known.ticket, response)
        room = self.deps.hub.rooms.get(DropId(request.path_params["drop"]))
        self.deps.early.look_up(room, known.ticket)
        return response

    async def _guests(self, request: Request) -> Response:
        brought = self.deps.identity.guest(request.cookies)
        if brought is not None:
            response = await self._drop(request, "fan.html", brought)
            self.deps.identity.hand_on(request.cookies, response)
            self._arrived(request, brought, response)
            return response
        try:
            wait_ms = await self.deps.newcomers.wait_ms(request.scope.get("client"))
        except Unavailable as error:
            return self.writer.away(request, error)
        if wait_ms:
            response = await self._drop(request, "fan.html", None)
            response.headers["Retry-After"] = str(-(-wait_ms // 1000))
            return response
        made, text = self.deps.identity.newcomer()
        response = await self._drop(request, "fan.html", made)
        if response.status_code == 200:
            self.deps.identity.hand_out(text, response)
        self._arrived(request, made, response)
        return response

    def _arrived(self, request: Request, ticket: Ticket, response: Response) -> None:
        room = self.deps.hub.rooms.get(DropId(request.path_params["drop"]))
        fan = room.fan(ticket) if room is not None else None
        if response.status_code == 200 and room is not None:
            via = request.query_params.get("via", "")
            if not via and "ref" in request.query_params:
                via = BY_FRIEND
            # Who only looks at a drop for those who are known is counted as who he would be.
            self.deps.counting.arrived(room.drop, fan or pseudonym(ticket.key, room.drop), via)
            ref = request.query_params.get("ref", "")[:REF_CHARS_MAX]
            self.deps.game.arrived(room, ticket, ref, request, response)

    async def wall(self, request: Request) -> Response:
        """GET /drops/{drop}/wall: for a shop window; knows nobody, needs no ticket."""
        page = await self._drop(request, "wall.html", None)
        if page.status_code == 200:
            page.headers["Cache-Control"] = NOBODYS
        return page

    async def index(self, request: Request) -> Response:
        """GET /: the newest drops of the shop."""
        try:
            listed = await listing(self.deps.store, LISTED_MAX)
            ids = [shown.manifest.id for shown in listed.shown]
            found = [await self.deps.hub.snapshot(drop, None) for drop in ids]
        except Unavailable as error:
            return self.writer.away(request, error)
        say = self.writer.say(request)
        drops = [
            line(one.drop, await self.deps.things.of(one.drop.id), say)
            for one in found
            if one is not None
        ]
        page = self.writer.page_in(
            say,
            request,
            "index.html",
            200,
            drops=drops,
            left_out=len(listed.left_out),
            width=WIDTH,
            height=HEIGHT,
        )
        page.headers["Cache-Control"] = NOBODYS
        return page

    async def _drop(self, request: Request, template: str, ticket: Ticket | None) -> Response:
        drop = request.path_params["drop"]
        try:
            snapshot = await self.deps.hub.snapshot(drop, ticket) if names_drop(drop) else None
        except Unavailable as error:
            return self.writer.away(request, error)
        if snapshot is None:
            return self.writer.no_drop(request)
        address = f"{self.writer.origin(request)}/drops/{drop}"
        code = qr(address) if template == "wall.html" else ""
        say = self.writer.say(request, snapshot.drop.language)
        words = drop_words(snapshot, address, await self.deps.things.of(drop), say)
        words["person"] = ticket is not None and ticket.person
        words["lost"] = _lost(snapshot, over=bool(words["over"]))
        words["remind"] = words["phase"] == "scheduled" and not snapshot.drop.practice
        return self.writer.page_in(say, request, template, 200, qr=code, **words)


def drop_words(
    snapshot: wire.Snapshot, address: str, things: Showcase, say: Catalogue
) -> dict[str, object]:
    """What the page of a drop is made of."""
    view = snapshot.drop
    now = phase(view)
    return {
        "drop": view,
        "person": False,
        "remind": False,
        "lost": False,
        "things": things,
        "phase": now,
        "over": now in ENDED,
        "till": bool(view.ways or view.hand_ms or len(view.pays) > 1 or view.limit > 1),
        "launched": view.chance is not None or bool(view.cohorts or view.carried_share),
        "early": view.early is not None and view.early.lasts and now in EARLY,
        "still": _still(now),
        "chosen": choice(view, snapshot.you),
        "total": total(view.pools),
        "cover": cover(view.id, [item.title for item in view.items]),
        "prices": prices(view, say),
        "address": address,
        "shared": (SHARED_WIDTH, SHARED_HEIGHT),
        "width": WIDTH,
        "height": HEIGHT,
        "state": data_block(wire.encode(snapshot)),
    }


def _lost(snapshot: wire.Snapshot, *, over: bool) -> bool:
    """Has whoever reads it nothing of a drop that is over? Then he may ask why."""
    you = snapshot.you
    if you is None or not over:
        return False
    return not you.holds and all(order.state in GIVEN_BACK for order in you.orders)


def _still(now: str) -> bool:
    return now in ENDED or now == "frozen"


def line(drop: wire.DropView, things: Showcase, say: Catalogue) -> Line:
    """How a drop stands in a list."""
    now, pools = phase(drop), total(drop.pools)
    made = made_of(pools, now in ENDED, say)
    return Line(drop, now, prices(drop, say), pools, made, _still(now), things.first)


def data_block(message: bytes) -> Markup:
    """JSON for a `<script type="application/json">`: no text in it can end the block."""
    # The one place that marks text as safe: the translation leaves no character that HTML knows.
    return Markup(message.decode().translate(_IN_A_SCRIPT))  # noqa: S704
