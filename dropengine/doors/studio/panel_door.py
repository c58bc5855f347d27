"""A door of the panel: made of its row in the table, and nobody passes it otherwise.

The panel is pages and forms that work without any script. A form is read only when a page of ours
sent it and who sent it may; what it leads to is another page, which says how it ended.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.catalogue import ENGLISH
from dropengine.doors.access import TABLE, Row
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.process_table import siblings_of
from dropengine.doors.studio.desks import Desks
from dropengine.doors.studio.entering import Entered, enter, identify, stale
from dropengine.doors.studio.panel_forms import (
    FORM_BYTES_MAX,
    HEARD_BYTES_MAX,
    Form,
    TooHeavy,
    Unreadable,
    read_form,
)
from dropengine.doors.studio.said import Said
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_door import Call, Unfit
from dropengine.errors import DatabaseAway, NewerSchema, Unavailable
from dropengine.people import makers, sessions, tokens
from dropengine.people.roles import May
from dropengine.sql.database import Database
from dropengine.studio_wire import AlarmView

HOME = "/studio"
SIGN_IN = "/studio/sign-in"
SIGNED_OUT = (
    "You were signed out meanwhile, and nothing was changed. Sign in in another tab, then go back "
    "here and send it again."
)
STILL_YOU = (
    "You signed in a while ago, and nothing was changed. Sign in once more in another tab, then go "
    "back here and send it again."
)
UNFIT = "A field says what it may not. Go back and look at it:"
NOT_ALLOWED = "Your role does not reach that far. Ask an owner."
NOTHING_HERE = "There is no such page here for you."
NO_SERVER = (
    "Its own server cannot be read for a moment. Nothing is lost, and nothing is called sold out: "
    "presses are asked again by themselves. Load this page again."
)
AWAY = "The studio cannot be read for a moment. Sales go on meanwhile; try again."
_WHOLE = re.compile(r"[0-9]{1,15}")
_BACK = re.compile(r"/studio(/[A-Za-z0-9_@:-][A-Za-z0-9_.@:-]*)*")


NEW = "/studio/new"
"""For who may write drops."""


class Place(NamedTuple):
    """A page that the way around the panel leads to."""

    address: str
    name: str


PLACES = (
    Place(HOME, "Drops"),
    Place(NEW, "New drop"),
    Place("/studio/people", "People"),
    Place("/studio/letters", "Mail"),
    Place("/studio/shop", "Shop"),
    Place("/studio/account", "Account"),
)


def back(wanted: str) -> str:
    """Where to go after signing in: a page of the studio, and nothing else."""
    return wanted if _BACK.fullmatch(wanted) and not wanted.startswith(SIGN_IN) else HOME


class PanelCall(Call):
    """One request of somebody who is signed in and may. `fields`, `files`: of a form; of fields of
    one name the last counts, `many` has all."""

    def __init__(self, request: Request, row: Row, entered: Entered, now_ms: int) -> None:
        super().__init__(request, row, b"", entered, now_ms)
        self.fields: dict[str, str] = {}
        self.many: dict[str, list[str]] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.entered = entered
        self.alarms: list[AlarmView] = []

    def take(self, form: Form) -> None:
        """What came with it."""
        self.key, self.fields, self.many, self.files = form

    @property
    def session(self) -> str:
        """The id of the caller's session."""
        assert self.caller.session is not None, "the panel lets in nobody without one"
        return self.caller.session.id

    @property
    def may(self) -> May:
        """What the caller may do at the maker of the address."""
        return self.caller.makers[self.maker.id][1]

    def number(self, name: str) -> int:
        """A whole number that a page of ours wrote into its form; -1 for none."""
        text = self.fields.get(name, "")
        return int(text) if _WHOLE.fullmatch(text) else -1

    def asking(self, **body: Any) -> Call:
        """The same call with a body as a door of the API reads it, under the form's own key."""
        call = Call(self.request, self.row, msgspec.json.encode(body), self.entered, self.now_ms)
        call.key = self.key
        return call


Behind = Callable[[PanelCall], Awaitable[Response]]


class Panel:
    """Makes the routes of the panel, and writes its pages."""

    def __init__(
        self,
        database: Database,
        cookies: StudioCookies,
        said: Said,
        writer: PageWriter,
        proof_s_max: int,
        desks: Desks,
    ) -> None:
        self._desks = desks
        self._database = database
        self._cookies = cookies
        self._said = said
        self._writer = writer
        self._proof_s_max = proof_s_max

    def route(self, method: str, path: str, behind: Behind, bytes_max: int = 0) -> Route:
        """The route of one row. bytes_max: of a form with files."""
        row = TABLE[method, path]
        form_bytes_max = FORM_BYTES_MAX + bytes_max

        async def door(request: Request) -> Response:
            try:
                return await self._pass(request, row, behind, form_bytes_max)
            except Unfit as fault:
                return self._note(request, 400, "That did not work", f"{UNFIT} {fault}")
            except Unavailable:
                alarms = self._desks.alarms.now(siblings_of(request.scope))
                shops = [one for one in alarms if not one.drop]
                return self._note(request, 503, "The shop does not answer", NO_SERVER, shops)
            except (DatabaseAway, NewerSchema):
                return self._note(request, 503, "One moment", AWAY)

        return Route(path, door, methods=[method], max_body_size=HEARD_BYTES_MAX)

    def page(self, call: PanelCall, template: str, status: int = 200, **words: Any) -> Response:
        """A page of the panel, in its frame. Every form of it carries `key`."""
        said = self._said.heard(call.session, call.request.cookies)
        account = call.caller.account
        assert account is not None, "the panel lets in nobody without one"
        writes = any(may >= May.RUN for _, may in call.caller.makers.values())
        response = self._writer.page_in(
            ENGLISH,
            call.request,
            template,
            status,
            **{
                "me": account.name,
                "writes": writes,
                "places": [one for one in PLACES if writes or one.address != NEW],
                "here": call.request.url.path,
                "said": said,
                "alarms": call.alarms,
                "key": tokens.new_id(),
                "now_ms": call.now_ms,
                **words,
            },
        )
        if said:
            self._said.forget(response, call.request.url.path)
        return response

    def with_frame(self, call: PanelCall, template: str, **words: Any) -> Response:
        """A page of the panel that shows another page of ours in a frame."""
        return self._writer.with_frame(self.page(call, template, **words))

    def preview(self, call: PanelCall, words: Mapping[str, Any]) -> Response:
        """A fan's page to be shown in a frame of the panel: it hears nothing and can do nothing."""
        response = self._writer.page_in(ENGLISH, call.request, "studio-preview.html", 200, **words)
        return self._writer.within_ours(response)

    def then(self, call: PanelCall, to: str, sentence: str, *, amiss: bool = False) -> Response:
        """A form was taken: go on to this page of the panel, which says the sentence. amiss: not
        all of it could be taken."""
        return self._said.then(call.session, to, sentence, amiss=amiss)

    def missing(self, call: PanelCall) -> Response:
        """404: what is none, and what is another's, look alike."""
        return self._note(call.request, 404, "Nothing here", NOTHING_HERE)

    def wrong(self, call: PanelCall, sentence: str, status: int = 400) -> Response:
        """A form that cannot be taken; what was typed is one step back."""
        return self._note(call.request, status, "That did not work", sentence)

    async def _pass(
        self, request: Request, row: Row, behind: Behind, form_bytes_max: int
    ) -> Response:
        now_ms = int(time.time() * 1000)
        found = await self._enter(request, row, now_ms)
        if isinstance(found, refusals.Refusal):
            return self._turned(request, row, found)
        if stale(row, found.caller, now_ms, self._proof_s_max):
            return self._note(request, 401, "Is it still you?", STILL_YOU)
        call = PanelCall(request, row, found, now_ms)
        if row.method == "POST":
            try:
                call.take(await read_form(request, form_bytes_max))
            except Unreadable as fault:
                return self.wrong(call, str(fault))
            except TooHeavy as fault:
                return self._note(request, 413, "That is too large", str(fault))
        call.alarms = await self._alarms(call)
        return await behind(call)

    async def _alarms(self, call: PanelCall) -> list[AlarmView]:
        """Those of the shop, and of the caller's own drops."""
        found = self._desks.alarms.now(siblings_of(call.request.scope))
        drops = [one.drop for one in found if one.drop]
        if not drops:
            return found
        whose = await self._database.read(lambda sql: makers.owners_of(sql, drops))
        mine = {drop for drop, maker in whose.items() if maker in call.caller.makers}
        return [one for one in found if not one.drop or one.drop in mine]

    async def _enter(self, request: Request, row: Row, now_ms: int) -> Entered | refusals.Refusal:
        brought = self._cookies.read(request.cookies, self._cookies.session)
        named: dict[str, str] = request.path_params

        def asked(sql: Connection) -> Entered | refusals.Refusal:
            return enter(sql, row, named, identify(sql, None, brought, now_ms))

        found = await self._database.read(asked)
        session = found.caller.session if isinstance(found, Entered) else None
        if session is not None and now_ms - session.seen_ms >= sessions.SEEN_EACH_MS:
            await self._database.write(lambda sql: sessions.seen(sql, session.id, now_ms))
        return found

    def _turned(self, request: Request, row: Row, why: refusals.Refusal) -> Response:
        if isinstance(why, refusals.SignIn):
            if row.method == "POST":
                return self._note(request, 401, "Signed out", SIGNED_OUT)
            return RedirectResponse(f"{SIGN_IN}?to={quote(request.url.path)}", 303)
        if isinstance(why, refusals.NotFound):
            return self._note(request, 404, "Nothing here", NOTHING_HERE)
        return self._note(request, 403, "Not for you", NOT_ALLOWED)

    def _note(
        self,
        request: Request,
        status: int,
        title: str,
        text: str,
        alarms: Sequence[AlarmView] = (),
    ) -> Response:
        words = {"title": title, "text": text, "alarms": alarms}
        return self._writer.page_in(ENGLISH, request, "studio-note.html", status, **words)
