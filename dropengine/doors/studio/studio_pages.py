"""Creators' pages before they are signed in: sign in, open a one-time link. True and usable without
any script, by a password; a script adds passkeys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine.catalogue import ENGLISH
from dropengine.doors.http_answers import STATUS
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.small_forms import FORM_BYTES_MAX, UNREADABLE, fields_of
from dropengine.doors.studio.coming_in import LINK_OVER, ComingIn, Signed, Turned, form
from dropengine.doors.studio.panel_door import HOME, SIGN_IN, back
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.people import accounts, links, makers, sessions
from dropengine.people.links import Kind, Link
from dropengine.people.one_after_another import change
from dropengine.people.passwords import CHARS_MAX, CHARS_MIN
from dropengine.sql.database import Database

AWAY = "Accounts cannot be read for a moment. Sales go on meanwhile."
_MISTAKES = {
    "$.name": "The name may have 2 to 60 letters, digits and . _ @ + - and begins with one of the "
    "first two.",
    "$.password": f"A password has {CHARS_MIN} to {CHARS_MAX} characters.",
    "$.maker": "The maker's name may have 1 to 80 characters.",
    "$.short": "The short name may have 2 to 16 small letters and digits and begins with a letter.",
}

Shown = Callable[[Request], Awaitable[Response]]


class StudioPages:
    """One method a page."""

    def __init__(
        self, database: Database, coming_in: ComingIn, cookies: StudioCookies, writer: PageWriter
    ) -> None:
        self._database = database
        self._coming_in = coming_in
        self._cookies = cookies
        self._writer = writer

    def routes(self) -> list[Route]:
        """Forms are read whole: they are small."""
        link = "/studio/links/{token}"
        reads = ((SIGN_IN, self.sign_in), (link, self.link))
        forms = (
            (SIGN_IN, self.signing_in),
            ("/studio/sign-out", self.sign_out),
            (link, self.spend),
        )
        return [
            *(Route(path, self._told(page), methods=["GET"]) for path, page in reads),
            *(
                Route(path, self._told(page), methods=["POST"], max_body_size=FORM_BYTES_MAX)
                for path, page in forms
            ),
        ]

    def _told(self, page: Shown) -> Shown:
        """Where what it needs is away, a page says so."""

        async def shown(request: Request) -> Response:
            try:
                return await page(request)
            except (DatabaseAway, Unavailable):
                return self._page(request, "studio-note.html", 503, title=AWAY, text="")

        return shown

    async def sign_in(self, request: Request) -> Response:
        """GET /studio/sign-in."""
        return await self._sign_in(request, to=back(request.query_params.get("to", "")))

    async def signing_in(self, request: Request) -> Response:
        """POST /studio/sign-in: a form with name and password."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._sign_in(request, 400, ENGLISH(fields))
        at = self._coming_in.arrival(request)
        name = fields.get("name", "")[:60]
        to = back(fields.get("to", ""))
        found = await self._coming_in.by_password(at, name, fields.get("password", "")[:CHARS_MAX])
        if isinstance(found, Turned):
            return await self._sign_in(request, _status(found), found.title, name, to)
        return self._home(found, to)

    async def _sign_in(
        self, request: Request, status: int = 200, wrong: str = "", name: str = "", to: str = HOME
    ) -> Response:
        nobody = await self._database.read(accounts.count) == 0
        return self._page(
            request, "studio-sign-in.html", status, wrong=wrong, name=name, nobody=nobody, to=to
        )

    async def sign_out(self, request: Request) -> Response:
        """POST /studio/sign-out: the session is over."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._sign_in(request, 400, ENGLISH(fields))
        at = self._coming_in.arrival(request)
        await change(self._database, lambda sql: sessions.end_by_secret(sql, at.session))
        response = RedirectResponse(SIGN_IN, 303)
        self._cookies.signed_out(response)
        return response

    async def link(self, request: Request) -> Response:
        """GET /studio/links/{token}: what the link is for, and a form. It spends nothing."""
        return await self._link(request, 200, "", {})

    async def spend(self, request: Request) -> Response:
        """POST /studio/links/{token}: use it up, and be signed in."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._link(request, 400, ENGLISH(fields), {})
        token = request.path_params["token"]
        try:
            wanted = form(fields, token)
        except msgspec.ValidationError as fault:
            where = str(fault).rpartition("`")[0].rpartition("`")[2]
            return await self._link(request, 400, _MISTAKES.get(where, ENGLISH(UNREADABLE)), fields)
        found = await self._coming_in.spend(self._coming_in.arrival(request), wanted)
        if isinstance(found, Turned):
            return await self._link(request, _status(found), found.title, fields)
        return self._home(found)

    async def _link(
        self, request: Request, status: int, wrong: str, fields: dict[str, str]
    ) -> Response:
        token = request.path_params["token"]
        now_ms = self._coming_in.arrival(request).now_ms

        def asked(sql: Connection) -> tuple[Link | None, str, str]:
            link = links.find(sql, token, now_ms)
            if link is None:
                return None, "", ""
            account = accounts.by_id(sql, link.account)
            maker = makers.by_id(sql, link.maker) if link.maker else makers.first(sql)
            return link, maker.name if maker else "", account.name if account else ""

        link, maker, account = await self._database.read(asked)
        if link is None:
            return self._page(
                request,
                "studio-note.html",
                404,
                title="This link is over",
                text=LINK_OVER,
            )
        return self._page(
            request,
            "studio-link.html",
            status,
            wrong=wrong,
            maker=maker,
            account=account,
            role=link.role or "owner",
            back=link.kind is Kind.BACK,
            by=link.by,
            fields={name: fields.get(name, "") for name in ("name", "maker")},
            least=CHARS_MIN,
        )

    def _home(self, signed: Signed, to: str = HOME) -> Response:
        return self._coming_in.keep(RedirectResponse(to, 303), signed)

    def _page(self, request: Request, template: str, status: int, **words: object) -> Response:
        return self._writer.page_in(ENGLISH, request, template, status, **words)


def _status(turned: Turned) -> int:
    return STATUS.get(type(turned.refusal), 409)
