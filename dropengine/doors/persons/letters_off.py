"""Ends letters by one click, as RFC 8058 has it: a POST without a session, to an address that
proves itself. Looking at the address only shows a form, for programs that look after mail follow
links.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.page_writer import PageWriter
from dropengine.doors.small_forms import FORM_BYTES_MAX, fields_of
from dropengine.errors import DatabaseAway
from dropengine.mail import unsubscribing
from dropengine.mail.unsubscribing import Ending
from dropengine.people.one_after_another import change
from dropengine.people.wishes import Wish
from dropengine.sql.database import Database

PATH: Final = f"{unsubscribing.PAGE}{{token}}"
Shown = Callable[[Request], Awaitable[Response]]


class LettersOff:
    """secret: the shop's key."""

    def __init__(self, database: Database, writer: PageWriter, secret: bytes) -> None:
        self._database = database
        self._writer = writer
        self._secret = secret

    def routes(self) -> list[Route]:
        """Both."""
        return [
            Route(PATH, self._told(self.show), methods=["GET"]),
            Route(PATH, self._told(self.end), methods=["POST"], max_body_size=FORM_BYTES_MAX),
        ]

    def _told(self, page: Shown) -> Shown:
        async def shown(request: Request) -> Response:
            try:
                return await page(request)
            except DatabaseAway:
                return self._note(request, 503, "signing.away")

        return shown

    async def show(self, request: Request) -> Response:
        """GET: a form, whoever looks."""
        ends = self._ending(request)
        if ends is None:
            return self._note(request, 404, "signing.link_over")
        on = await self._database.read(lambda sql: unsubscribing.comes(sql, ends))
        title, text = ("off_title", "off_why") if on else ("off_done", "off_done_why")
        return self._page(request, ends, f"calls.{title}", f"calls.{text}", on=on)

    async def end(self, request: Request) -> Response:
        """POST: what a mail program sends by itself, or the form. `again`: they come again."""
        ends = self._ending(request)
        if ends is None:
            return self._note(request, 404, "signing.link_over")
        fields = await fields_of(request)
        # A mail program may send its one field in another form: the address is what counts.
        again = isinstance(fields, dict) and fields.get("again") == "yes"
        await change(self._database, lambda sql: unsubscribing.wish(sql, ends, letters=again))
        state = "on" if again else "off"
        return self._page(request, ends, f"calls.{state}_done", f"calls.{state}_done_why", on=again)

    def _ending(self, request: Request) -> Ending | None:
        return unsubscribing.ending(self._secret, request.path_params["token"])

    def _page(self, request: Request, ends: Ending, title: str, text: str, *, on: bool) -> Response:
        say = self._writer.say(request)
        kinds = [wish for wish in Wish if ends.wish in (None, wish)]
        words: dict[str, object] = {
            "title": say(title),
            "text": say(text),
            "kinds": [say(f"called_for.{kind}") for kind in kinds],
            "on": on,
        }
        return self._writer.page_in(say, request, "you-letters.html", 200, **words)

    def _note(self, request: Request, status: int, title: str) -> Response:
        say = self._writer.say(request)
        words: dict[str, object] = {"title": say(title), "text": ""}
        return self._writer.page_in(say, request, "you-note.html", status, **words)
