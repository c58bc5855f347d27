"""Pages that letters to makers' accounts lead to, or come from, before anybody is signed in: an
address is confirmed, somebody who is locked out asks for a way back.

A link is confirmed by a form: programs that look after mail follow links. Whether an address is
known is told to nobody.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import mail_address
from dropengine.catalogue import ENGLISH
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.small_forms import FORM_BYTES_MAX, fields_of
from dropengine.doors.studio.coming_in import TOO_OFTEN, ComingIn
from dropengine.doors.studio.studio_pages import AWAY, Shown
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.mail import makers_letters, outbox
from dropengine.mail.letter import Kind as LetterKind
from dropengine.people import account_mails, links, passkeys
from dropengine.people.account_mails import Confirmed
from dropengine.people.links import Kind
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database

CONFIRM = "/studio/mail/{token}"
WAY_BACK = "/studio/way-back"
LINK_OVER = (
    "This link was used already, or its day is over. Ask for another on the page of your account."
)
YOURS = "Letters reach you there from now on."
ON_ITS_WAY = (
    "If an account has this address, a letter with the way back is on its way there. Its link "
    "works once, within an hour. Nothing came? Then no account has confirmed this address: "
    "whoever runs the shop's machine lets you back in with dropengine account link."
)
NO_ADDRESS = "That is no address that letters reach. It looks like somebody@example.org."
BACKS_AN_HOUR_MAX = 3
HOUR_MS = 3_600_000


class MailPages:
    """One method a page. origin: the address people type, of links."""

    def __init__(
        self, database: Database, coming_in: ComingIn, writer: PageWriter, origin: str
    ) -> None:
        self._database = database
        self._coming_in = coming_in
        self._writer = writer
        self._origin = passkeys.by_name(origin)

    def routes(self) -> list[Route]:
        """Forms are read whole: they are small."""
        reads = ((CONFIRM, self.waiting), (WAY_BACK, self.locked_out))
        forms = ((CONFIRM, self.confirm), (WAY_BACK, self.way_back))
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
                return self._note(request, 503, AWAY, "")

        return shown

    async def waiting(self, request: Request) -> Response:
        """GET /studio/mail/{token}: what it would confirm. It changes nothing."""
        return await self._waiting(request, 200, "")

    async def _waiting(self, request: Request, status: int, wrong: str) -> Response:
        token, now_ms = request.path_params["token"], _now_ms()
        found = await self._database.read(lambda sql: account_mails.waiting(sql, token, now_ms))
        if found is None:
            return self._note(request, 404, "This link is over", LINK_OVER)
        return self._writer.page(
            request,
            "studio-mail-confirm.html",
            status,
            address=found.address,
            account=found.name,
            wrong=wrong,
        )

    async def confirm(self, request: Request) -> Response:
        """POST /studio/mail/{token}: the address counts from now on."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._waiting(request, 400, ENGLISH(fields))
        token, now_ms = request.path_params["token"], _now_ms()

        def confirmed(sql: Connection) -> Confirmed | None:
            found = account_mails.confirm(sql, token, now_ms)
            if found is not None and found.before not in ("", found.address):
                outbox.put(sql, makers_letters.changed(found, self._origin, now_ms))
            return found

        found = await change(self._database, confirmed)
        if found is None:
            return self._note(request, 404, "This link is over", LINK_OVER)
        return self._note(request, 200, f"{found.address} is confirmed", YOURS)

    async def locked_out(self, request: Request) -> Response:
        """GET /studio/way-back: a form that asks for the address."""
        return self._way_back(request)

    def _way_back(self, request: Request, status: int = 200, wrong: str = "") -> Response:
        return self._writer.page(
            request, "studio-way-back.html", status, wrong=wrong, most=mail_address.CHARS_MAX
        )

    async def way_back(self, request: Request) -> Response:
        """POST /studio/way-back: whoever asks hears the same, whatever is known here."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._way_back(request, 400, ENGLISH(fields))
        address = fields.get("address", "").strip()
        try:
            mail_address.check(address)
        except ValueError:
            return self._way_back(request, 400, NO_ADDRESS)
        limit = self._coming_in.limit
        client = self._coming_in.arrival(request).client
        wait_ms = await limit.of_network(client, "way-back")
        wait_ms = wait_ms or await limit.of_stranger(client, f"mail {address.lower()}")
        if wait_ms:
            return self._way_back(request, 429, TOO_OFTEN)
        now_ms = _now_ms()

        def written(sql: Connection) -> None:
            for one in account_mails.at(sql, address):
                whose, since_ms = makers_letters.whose(one.account), now_ms - HOUR_MS
                sent = outbox.written_since(sql, whose, LetterKind.BACK, since_ms)
                if sent < BACKS_AN_HOUR_MAX:
                    link, secret = links.make(
                        sql, Kind.BACK, now_ms, by="mail", account=one.account
                    )
                    outbox.put(sql, makers_letters.way_back(link, secret, one, self._origin))

        await change(self._database, written)
        return self._note(request, 200, "Look into your mail", ON_ITS_WAY)

    def _note(self, request: Request, status: int, title: str, text: str) -> Response:
        return self._writer.page(request, "studio-note.html", status, title=title, text=text)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
