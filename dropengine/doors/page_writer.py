"""How a page is written: its template, its headers, packed; and the pages that say why there is
none."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dropengine.config import Settings
from dropengine.doors.page_formats import american
from dropengine.doors.static_files import Static
from dropengine.errors import Unavailable
from dropengine.model import ID_CHARS_MAX

AWAY_RETRY_S = 5
"""The page of a shop that is away asks again after this long, by itself."""
PACK_LEVEL = 4
"""Of gzip: a page is packed while its reader waits; higher levels save a few bytes more."""
POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'{styles}; "
    "img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    # lit makes its templates once from constant text, by a policy of this name; nobody else may.
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
INSIDE = "dial.js"
"""The one script that stands in pages: it dials before any other has come."""
_DROP = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{ID_CHARS_MAX - 1}}}")


def names_drop(part: str) -> bool:
    """Could this part of an address be a drop's id?"""
    return _DROP.fullmatch(part) is not None


class PageWriter:
    """Writes every page of the shop. secure: people reach it by https."""

    def __init__(
        self, templates: jinja2.Environment, static: Static, settings: Settings, *, secure: bool
    ) -> None:
        self._templates = templates
        self._static = static
        self._public = (settings.public_url or "").rstrip("/")
        styles = [name for name in static.files if name.endswith(".css")]
        self._headers = page_headers(
            secure=secure,
            styles=[static.inline(name).digest for name in styles],
            scripts=[static.inline(INSIDE).digest],
        )

    @property
    def filters(self) -> dict[str, Any]:
        """Of the templates."""
        return self._templates.filters

    def origin(self, request: Request) -> str:
        """Where people reach the shop: its public address, or the one they came by."""
        return self._public or str(request.base_url).rstrip("/")

    def page(self, request: Request, template: str, status: int, **words: object) -> Response:
        """The template with these words, as everybody's page or, unless said otherwise, only for
        who asked."""
        html = (
            self._templates.get_template(template)
            .render(
                static=self._static.address,
                style=lambda name: self._static.inline(name).block,
                dial=self._static.inline(INSIDE).block,
                us=american(request.headers.get("accept-language", "")),
                **words,
            )
            .encode()
        )
        headers = {**self._headers, "Vary": "Accept-Encoding"}
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

    def words(self, name: str) -> Any:
        """What the file of sentences has under this name."""
        return getattr(self._templates.get_template("words.html").module, name)

    def missing(self, request: Request, title: str, text: str) -> Response:
        """404, in two sentences."""
        return self.page(request, "error.html", 404, title=title, text=text, retry_s=0)

    def no_drop(self, request: Request) -> Response:
        """404 for the address of a drop that is none."""
        return self.missing(
            request,
            "There is no such drop",
            "Perhaps a letter of the address was lost on the way here.",
        )

    def away(self, request: Request, error: Unavailable) -> Response:
        """503: the page asks again by itself."""
        known = "Nothing is sold out and nothing is lost. This page asks again by itself."
        response = self.page(
            request,
            "error.html",
            503,
            title="The shop cannot be reached for a moment",
            text=f"{error.why} {known}".lstrip(),
            retry_s=AWAY_RETRY_S,
        )
        response.headers["Retry-After"] = str(AWAY_RETRY_S)
        return response


def page_headers(
    *, secure: bool, styles: Sequence[str] = (), scripts: Sequence[str] = ()
) -> dict[str, str]:
    """What every page is sent with, beside what every answer is.

    secure: people reach it by https. styles, scripts: SHA-256 of those that stand in the page
    itself.
    """
    headers = {
        "Content-Security-Policy": POLICY.format(styles=_known(styles), scripts=_known(scripts)),
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
