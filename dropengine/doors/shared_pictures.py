"""The doors of a drop's pictures: its face as SVG, and the PNG that links to it are shared with.

A PNG is drawn once for each content, in a thread, one at a time: a crowd of strangers that asks
for pictures keeps no press waiting.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dropengine import wire
from dropengine.catalogue import DEFAULT, ENGLISH, Catalogue
from dropengine.doors.badge_marks import SIGNS, mark
from dropengine.doors.cover_art import HEIGHT, WIDTH, cover
from dropengine.doors.page_formats import prices
from dropengine.doors.page_templates import Templates
from dropengine.doors.page_writer import PageWriter, names_drop
from dropengine.doors.share_picture import Card, Poster, card, png
from dropengine.doors.shown_things import PLACE, ShownThings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.live.hub import Hub
from dropengine.manifest.moments import moment
from dropengine.model import DropId, FanId
from dropengine.people import game_fans
from dropengine.sql.database import Database
from dropengine.truth.replies import YouReply
from dropengine.truth.store import Store

KEPT_MAX = 64
"""Pictures that are kept: some 30 kB each."""
WAITING_MAX = 16
"""Pictures that wait to be drawn; who asks for another one may come back."""
BACK_S = 5
MINUTE_MS = 60_000
CARD_S = 60
"""A place may be another one a minute later."""
KEEP_S = 3600
"""A face never changes, but a practice drop of the same name may follow this one."""


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def hub(self) -> Hub: ...
    @property
    def things(self) -> ShownThings: ...
    @property
    def store(self) -> Store: ...
    @property
    def database(self) -> Database: ...
    @property
    def templates(self) -> Templates: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The pictures of a drop."""
    doors = SharedPictures(deps, writer)
    return [
        Route("/drops/{drop}/face.svg", doors.face, methods=["GET"]),
        Route("/drops/{drop}/share.png", doors.share, methods=["GET"]),
        Route("/drops/{drop}/card/{code}.png", doors.card, methods=["GET"]),
        Route("/drops/{drop}/badges/{kind}.svg", badge, methods=["GET"]),
    ]


def poster(drop: wire.DropView, photo: bytes = b"", say: Catalogue = ENGLISH) -> Poster:
    """What the shared picture of a drop shows: nothing that changes while it is sold."""
    edition = say("edition", cap=sum(item.cap for item in drop.items))
    face = cover(drop.id, [item.title for item in drop.items])
    return Poster(face, drop.title, f"{drop.maker} · {prices(drop, say)} · {edition}", photo)


def fans_card(drop: wire.DropView, place: int, link: str, photo: bytes, say: Catalogue) -> Card:
    """What a fan shares. place: in line, 0: in none."""
    simple = poster(drop, photo, say)
    return Card(
        simple.cover,
        simple.title,
        simple.about,
        say("game.card_place", place=place) if place else say("game.card_join"),
        moment(drop.now - drop.now % MINUTE_MS, drop.zone, say=say),
        say("game.card_invites"),
        link,
        photo,
    )


class Drawn:
    """Pictures by their content, the longest unused one forgotten first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, asyncio.Task[bytes]] = OrderedDict()
        self._one = asyncio.Semaphore()

    async def get(self, wanted: Poster | Card) -> bytes | None:
        """The picture; None when too many are waited for."""
        key = hashlib.sha256(msgspec.msgpack.encode(wanted)).digest()
        task = self._kept.get(key)
        if task is None:
            if sum(not one.done() for one in self._kept.values()) >= WAITING_MAX:
                return None
            task = asyncio.get_running_loop().create_task(self._draw(wanted))
            self._kept[key] = task
            task.add_done_callback(lambda done: self._drawn(key, done))
        self._kept.move_to_end(key)
        # Who goes away does not end it for the others.
        return await asyncio.shield(task)

    async def _draw(self, wanted: Poster | Card) -> bytes:
        async with self._one:
            if isinstance(wanted, Card):
                return await asyncio.to_thread(card, wanted)
            return await asyncio.to_thread(png, wanted)

    def _drawn(self, key: bytes, task: asyncio.Task[bytes]) -> None:
        # A failure is told to who asked, and tried again by the next.
        if task.cancelled() or task.exception() is not None:
            self._kept.pop(key, None)
        idle = [one for one, kept in self._kept.items() if kept.done()]
        for one in idle[: max(0, len(self._kept) - KEPT_MAX)]:
            del self._kept[one]


class SharedPictures:
    """The pictures of a drop. Nobody needs a ticket for them: they are fetched by strangers."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer
        self._drawn = Drawn()
        self._cards = Drawn()

    async def face(self, request: Request) -> Response:
        """GET /drops/{drop}/face.svg: the maker's photo where there is one, else drawn. For pages
        that know no more of a drop than its name, like a provider's."""
        drop = await self._drop(request)
        if isinstance(drop, Response):
            return drop
        if first := (await self._deps.things.of(drop.id)).first:
            headers = {"Cache-Control": "no-cache"}
            return RedirectResponse(f"{PLACE}{first[0].large}", 307, headers)
        face = cover(drop.id, [item.title for item in drop.items])
        text = (
            self._deps.templates[DEFAULT]
            .get_template("face.svg")
            .render(cover=face, width=WIDTH, height=HEIGHT)
        )
        return _kept(request, text.encode(), "image/svg+xml")

    async def share(self, request: Request) -> Response:
        """GET /drops/{drop}/share.png"""
        drop = await self._drop(request)
        if isinstance(drop, Response):
            return drop
        # Whoever shares a link shares one picture.
        say = self._writer.own(drop.language)
        picture = await self._drawn.get(poster(drop, await self._photo(drop.id), say))
        return _busy() if picture is None else _kept(request, picture, "image/png")

    async def card(self, request: Request) -> Response:
        """GET /drops/{drop}/card/{code}.png: what the fan with this link shares. It shows his place
        and his link, and nothing by which anybody could act for him."""
        drop = await self._drop(request)
        if isinstance(drop, Response):
            return drop
        code = request.path_params["code"].upper()
        try:
            fan = await self._deps.database.read(
                lambda sql: game_fans.fan_of_code(sql, DropId(drop.id), code)
            )
            place = 0 if fan is None else await self._place(DropId(drop.id), fan)
        except DatabaseAway:
            return _busy()
        except Unavailable as error:
            return self._writer.away(request, error)
        if drop.game is None or fan is None:
            return self._writer.no_drop(request)
        link = f"{self._writer.origin(request)}/drops/{drop.id}?ref={code}"
        say = self._writer.own(drop.language)
        wanted = fans_card(drop, place, link, await self._photo(drop.id), say)
        picture = await self._cards.get(wanted)
        return _busy() if picture is None else _kept(request, picture, "image/png", CARD_S)

    async def _place(self, drop: DropId, fan: FanId) -> int:
        """The best of his places in line; 0: none."""
        found = await self._deps.store.you(drop, [fan])
        rows = found.rows if isinstance(found, YouReply) else []
        places = (line.place for row in rows for _, _, lines in row.entries for line in lines)
        return min(places, default=0)

    async def _photo(self, drop: str) -> bytes:
        """Of the thing, if there is one and it can be read now."""
        first = (await self._deps.things.of(drop)).first
        try:
            found = await self._deps.things.pictures.find(first[0].large) if first else None
        except DatabaseAway:
            found = None
        return found or b""

    async def _drop(self, request: Request) -> wire.DropView | Response:
        drop = request.path_params["drop"]
        try:
            found = await self._deps.hub.snapshot(drop, None) if names_drop(drop) else None
        except Unavailable as error:
            return self._writer.away(request, error)
        return self._writer.no_drop(request) if found is None else found.drop


async def badge(request: Request) -> Response:
    """GET /drops/{drop}/badges/{kind}.svg: the same for as long as anybody keeps it, so nothing is
    asked of the drop, which may have left the shop long ago."""
    drop, kind = request.path_params["drop"], request.path_params["kind"]
    if not names_drop(drop) or kind not in SIGNS:
        return PlainTextResponse("There is no such badge.\n", 404)
    return _kept(request, mark(drop, kind).encode(), "image/svg+xml")


def _busy() -> Response:
    headers = {"Retry-After": str(BACK_S)}
    return PlainTextResponse("The picture cannot be drawn now.\n", 503, headers)


def _kept(request: Request, picture: bytes, kind: str, keep_s: int = KEEP_S) -> Response:
    tag = f'"{hashlib.sha256(picture).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={keep_s}"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    # Opened by itself, an SVG is a document: it may load nothing and run nothing.
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return Response(picture, headers=headers, media_type=kind)
