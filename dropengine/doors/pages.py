"""The pages: a fan's, the wall, the list of drops. Each is true and readable without any script.

What people typed is only ever text: templates escape everything, the first state travels in a data
block that no browser executes, and the content policy allows nothing inline.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import jinja2
import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dropengine import wire
from dropengine.doors.cover_art import HEIGHT, WIDTH, cover
from dropengine.doors.identity import Identity
from dropengine.doors.newcomers import Newcomers
from dropengine.doors.page_formats import (
    american,
    choice,
    in_words,
    machine,
    moment,
    money,
    paragraphs,
    phase,
    prices,
    span,
    total,
)
from dropengine.doors.static_files import Static, read
from dropengine.errors import Unavailable
from dropengine.live.hub import Hub
from dropengine.model import ID_CHARS_MAX, FanId
from dropengine.truth.listing import listing
from dropengine.truth.store import Store

AWAY_RETRY_S = 5
"""The page of a shop that is away asks again after this long, by itself."""
LISTED_MAX = 50
PACK_LEVEL = 4
"""Of gzip: a page is packed while its reader waits; higher levels save a few bytes more."""
ENDED = frozenset({"closing", "settled", "cancelled"})
"""Phases in which nothing begins any more: what is free is not for sale."""

NOBODYS = "no-cache"
"""Pages that show nobody's own state: the browser may keep them for its back button."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    # lit makes its templates once from constant text, by a policy of this name; nobody else may.
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Ccircle cx='16' cy='16' r='13' fill='%23e4572e'/%3E"
    "%3Ccircle cx='19' cy='14' r='10' fill='%2317181c'/%3E%3C/svg%3E"
)
_IN_A_SCRIPT = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_DROP = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{ID_CHARS_MAX - 1}}}")


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def newcomers(self) -> Newcomers: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def store(self) -> Store: ...
    @property
    def templates(self) -> jinja2.Environment: ...


class Line(msgspec.Struct, frozen=True):
    """One line of the list of drops."""

    drop: wire.DropView
    phase: str
    prices: str
    total: dict[str, int]
    stock: str
    still: bool


def environment() -> jinja2.Environment:
    """Templates that escape everything and fail on a name that nobody gave them."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("dropengine", "web/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["money"] = money
    env.filters["moment"] = moment
    env.filters["machine"] = machine
    env.filters["span"] = span
    env.filters["paragraphs"] = paragraphs
    env.filters["in_words"] = in_words
    env.globals["icon"] = _ICON
    return env


def routes(deps: Deps) -> list[Route]:
    """The pages and the files they load."""
    static = Static(read(Path(str(files("dropengine") / "web" / "dist"))))
    pages = Pages(deps, static)
    return [
        Route("/drops/{drop}", pages.fan, methods=["GET"]),
        Route("/static/{name}", static.show, methods=["GET"]),
        Route("/drops/{drop}/wall", pages.wall, methods=["GET"]),
        Route("/", pages.index, methods=["GET"]),
    ]


class Pages:
    """One page a method."""

    def __init__(self, deps: Deps, static: Static) -> None:
        self.deps = deps
        self.static = static
        styles = [name for name in static.files if name.endswith(".css")]
        self.headers = page_headers(
            secure=deps.identity.secure, styles=[static.inline(name).digest for name in styles]
        )

    async def fan(self, request: Request) -> Response:
        """GET /drops/{drop}: the fan's page; gives a guest his ticket on the first visit. When too
        many come from one network at once, he watches, and the page asks again by itself."""
        fan = self.deps.identity.guest(request.cookies)
        if fan is not None:
            response = await self._drop(request, "fan.html", fan)
            self.deps.identity.hand_on(request.cookies, response)
            return response
        try:
            wait_ms = await self.deps.newcomers.wait_ms(request.scope.get("client"))
        except Unavailable as error:
            return self._away(request, error)
        if wait_ms:
            response = await self._drop(request, "fan.html", None)
            response.headers["Retry-After"] = str(-(-wait_ms // 1000))
            return response
        fan, ticket = self.deps.identity.newcomer()
        response = await self._drop(request, "fan.html", fan)
        if response.status_code == 200:
            self.deps.identity.hand_out(ticket, response)
        return response

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
            return self._away(request, error)
        drops = [_line(snapshot.drop) for snapshot in found if snapshot is not None]
        page = self._page(request, "index.html", 200, drops=drops, left_out=len(listed.left_out))
        page.headers["Cache-Control"] = NOBODYS
        return page

    async def _drop(self, request: Request, template: str, fan: FanId | None) -> Response:
        drop = request.path_params["drop"]
        try:
            snapshot = await self.deps.hub.snapshot(drop, fan) if _DROP.fullmatch(drop) else None
        except Unavailable as error:
            return self._away(request, error)
        if snapshot is None:
            return self._page(
                request,
                "error.html",
                404,
                title="There is no such drop",
                text="Perhaps a letter of the address was lost on the way here.",
                retry_s=0,
            )
        view = snapshot.drop
        now = phase(view)
        return self._page(
            request,
            template,
            200,
            drop=view,
            phase=now,
            over=now in ENDED,
            still=_still(now),
            chosen=choice(view, snapshot.you),
            total=total(view.pools),
            cover=cover(view.hash),
            width=WIDTH,
            height=HEIGHT,
            state=data_block(wire.encode(snapshot)),
        )

    def _away(self, request: Request, error: Unavailable) -> Response:
        known = "Nothing is sold out and nothing is lost. This page asks again by itself."
        response = self._page(
            request,
            "error.html",
            503,
            title="The shop cannot be reached for a moment",
            text=f"{error.why} {known}".lstrip(),
            retry_s=AWAY_RETRY_S,
        )
        response.headers["Retry-After"] = str(AWAY_RETRY_S)
        return response

    def _page(self, request: Request, template: str, status: int, **words: object) -> Response:
        html = (
            self.deps.templates.get_template(template)
            .render(
                static=self.static.address,
                style=lambda name: self.static.inline(name).block,
                us=american(request.headers.get("accept-language", "")),
                **words,
            )
            .encode()
        )
        headers = {**self.headers, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            html = gzip.compress(html, PACK_LEVEL, mtime=0)
        return HTMLResponse(html, status, headers=headers)


def _still(now: str) -> bool:
    return now in ENDED or now == "frozen"


def _line(drop: wire.DropView) -> Line:
    now, pools = phase(drop), total(drop.pools)
    stock = in_words(pools, now in ENDED)
    made = f"{pools['cap']:,} made"
    return Line(drop, now, prices(drop), pools, f"{stock} · {made}", _still(now))


def page_headers(*, secure: bool, styles: Sequence[str] = ()) -> dict[str, str]:
    """What every page is sent with, beside what every answer is.

    secure: people reach it by https. styles: SHA-256 of those that stand in the page itself.
    """
    allowed = "".join(f" 'sha256-{digest}'" for digest in styles)
    headers = {
        "Content-Security-Policy": POLICY.format(styles=allowed),
        # A page carries its fan's own state: no cache may keep it for the next person.
        "Cache-Control": "private, no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def data_block(message: bytes) -> Markup:
    """JSON for a `<script type="application/json">`: no text in it can end the block."""
    # The one place that marks text as safe: the translation leaves no character that HTML knows.
    return Markup(message.decode().translate(_IN_A_SCRIPT))  # noqa: S704
