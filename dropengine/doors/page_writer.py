"""How a page is written: its template, its headers, packed; and the pages that say why there is
none."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dropengine.catalogue import CATALOGUES, COOKIE, DEFAULT, Catalogue, spoken
from dropengine.config import Settings
from dropengine.doors.page_formats import american
from dropengine.doors.page_templates import Templates
from dropengine.doors.static_files import Static
from dropengine.errors import Unavailable
from dropengine.model import ID_CHARS_MAX
from dropengine.payments import providers

AWAY_RETRY_S = 5
"""The page of a shop that is away asks again after this long, by itself."""
PACK_LEVEL = 4
"""Of gzip: a page is packed while its reader waits; higher levels save a few bytes more."""
POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; "
    "img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'{forms}; "
    "frame-ancestors 'none'; "
    # lit makes its templates once from constant text, by a policy of this name, and the worker that
    # calls fans has one address; nobody else may.
    "require-trusted-types-for 'script'; trusted-types lit-html calls"
)
VARY = "Accept-Encoding, Accept-Language, Cookie"
INSIDE = "dial.js"
"""The one script that stands in pages: it dials before any other has come."""
_DROP = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{ID_CHARS_MAX - 1}}}")


def names_drop(part: str) -> bool:
    """Could this part of an address be a drop's id?"""
    return _DROP.fullmatch(part) is not None


class PageWriter:
    """Writes every page of the shop. secure: people reach it by https."""

    def __init__(
        self, templates: Templates, static: Static, settings: Settings, *, secure: bool
    ) -> None:
        self._templates = templates
        self._static = static
        self._language = settings.language
        self._public = (settings.public_url or "").rstrip("/")
        styles = [name for name in static.files if name.endswith(".css")]
        self._headers = page_headers(
            secure=secure,
            styles=[static.inline(name).digest for name in styles],
            scripts=[static.inline(INSIDE).digest],
            forms=providers.pages(settings),
        )

    @property
    def filters(self) -> dict[str, Any]:
        """Of the panel's templates."""
        return self._templates[DEFAULT].filters

    def origin(self, request: Request) -> str:
        """Where people reach the shop: its public address, or the one they came by."""
        return self._public or str(request.base_url).rstrip("/")

    def say(self, request: Request, drops: str = "") -> Catalogue:
        """The sentences of who asks. drops: the language of the drop that he asks for."""
        accepts = request.headers.get("accept-language", "")
        chosen = request.cookies.get(COOKIE, "")
        return CATALOGUES[spoken(chosen, accepts, drops or self._language)]

    def own(self, drops: str) -> Catalogue:
        """The sentences of what is the same for everybody, whoever asks."""
        return CATALOGUES[drops or self._language]

    def page(self, request: Request, template: str, status: int, **words: object) -> Response:
        """The template with these words, as everybody's page or, unless said otherwise, only for
        who asked, and in his language."""
        return self.page_in(self.say(request), request, template, status, **words)

    def page_in(
        self, say: Catalogue, request: Request, template: str, status: int, **words: object
    ) -> Response:
        """The same in a language that is given."""
        html = (
            self._templates[say.language]
            .get_template(template)
            .render(
                static=lambda name: self._static.address(name, say.script(name)),
                style=lambda name: self._static.inline(name).block,
                dial=self._static.inline(INSIDE).block,
                us=american(request.headers.get("accept-language", ""), say.language),
                **words,
            )
            .encode()
        )
        headers = {**self._headers, "Vary": VARY, "Content-Language": say.language}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            html = gzip.compress(html, PACK_LEVEL, mtime=0)
        return HTMLResponse(html, status, headers=headers)

    def within_ours(self, response: Response) -> Response:
        """A page that pages of ours may show in a frame, and nobody else's."""
        policy = response.headers["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = policy.replace(
            "frame-ancestors 'none'", "frame-ancestors 'self'"
        )
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        return response

    def with_frame(self, response: Response) -> Response:
        """A page that shows another one of ours in a frame."""
        policy = response.headers["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = f"{policy}; frame-src 'self'"
        return response

    def missing(self, request: Request, what: str, status: int = 404) -> Response:
        """404 or another status, in two sentences that stand under this name."""
        say = self.say(request)
        words = {"title": say(f"{what}.title"), "text": say(f"{what}.why"), "retry_s": 0}
        return self.page_in(say, request, "error.html", status, **words)

    def no_drop(self, request: Request) -> Response:
        """404 for the address of a drop that is none."""
        return self.missing(request, "no_drop")

    def away(self, request: Request, error: Unavailable) -> Response:
        """503: the page asks again by itself."""
        say = self.say(request)
        why = say(error.told) if error.told else ""
        response = self.page_in(
            say,
            request,
            "error.html",
            503,
            title=say("shop_away"),
            text=f"{why} {say('shop_away_why')}".lstrip(),
            retry_s=AWAY_RETRY_S,
        )
        response.headers["Retry-After"] = str(AWAY_RETRY_S)
        return response


def page_headers(
    *,
    secure: bool,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    forms: Sequence[str] = (),
) -> dict[str, str]:
    """What every page is sent with, beside what every answer is.

    secure: people reach it by https. styles, scripts: SHA-256 of those that stand in the page
    itself. forms: origins, beside our own, that a form may lead to.
    """
    headers = {
        "Content-Security-Policy": POLICY.format(
            styles=_known(styles),
            scripts=_known(scripts),
            forms="".join(f" {origin}" for origin in forms),
        ),
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


def _known(digests: Sequence[str]) -> str:
    return "".join(f" 'sha256-{digest}'" for digest in digests)
