"""The forms by which a fan signs in and out, and his pages' next tickets."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.catalogue import COOKIE
from dropengine.doors.http_answers import problem
from dropengine.doors.languages import KEPT_S
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.persons.bringing_together import BringingTogether
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.person_pages import NO_SUCH, YOU, Deps, PersonPages, back, status_of
from dropengine.doors.persons.signing_in import (
    Arrival,
    Meant,
    Sent,
    Signed,
    SigningIn,
    Turned,
)
from dropengine.doors.small_forms import fields_of
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.people import devices, persons
from dropengine.people.sign_ins import SignIn
from dropengine.people.tickets import Ticket

log: Final = logging.getLogger(__name__)


class SigningDoors:
    """One method a door."""

    def __init__(
        self,
        deps: Deps,
        writer: PageWriter,
        pages: PersonPages,
        cookies: PersonCookies,
        signing_in: SigningIn,
        together: BringingTogether,
    ) -> None:
        self._identity = deps.identity
        self._database = deps.database
        self._renewing = deps.renewing
        self._writer = writer
        self._pages = pages
        self._cookies = cookies
        self._signing_in = signing_in
        self._together = together

    def routes(self) -> list[Route]:
        """A link's page, and the forms."""
        return [
            self._pages.read(f"{YOU}/links/{{token}}", self.link),
            self._pages.form(f"{YOU}/sign-in", self.ask),
            self._pages.form(f"{YOU}/code", self.code),
            self._pages.form(f"{YOU}/links/{{token}}", self.spend),
            self._pages.form(f"{YOU}/together", self.together),
            self._pages.form(f"{YOU}/sign-out", self.sign_out),
            self._pages.form(f"{YOU}/sign-out-everywhere", self.sign_out_everywhere),
            self._pages.form(f"{YOU}/devices/{{device}}/end", self.end_device),
            self._pages.form(f"{YOU}/renew", self.renew),
        ]

    async def ask(self, request: Request) -> Response:
        """POST /you/sign-in: a letter, please."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._pages.stranger(request, 400, wrong=fields, at="address")
        at = self._signing_in.arrival(request)
        to, typed = back(fields.get("to", "")), fields.get("address", "")
        say, sure = self._writer.say(request), fields.get("sure") == "yes"
        found = await self._signing_in.ask(at, typed, to, say, sure=sure)
        if isinstance(found, Sent):
            response = RedirectResponse(YOU, 303)
            self._cookies.keep_asked(response, found.browser)
            return response
        if isinstance(found, Meant):
            return await self._pages.stranger(request, to=to, typed=found.typed, meant=found.meant)
        return await self._pages.stranger(
            request, status_of(found), to=to, typed=typed[:200], wrong=found.why, at="address"
        )

    async def code(self, request: Request) -> Response:
        """POST /you/code: that of the letter, in the browser that asked for it."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self._pages.stranger(request, 400, wrong=fields, at="code")
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_code(at, fields.get("code", ""))
        if isinstance(found, Turned):
            return await self._pages.stranger(request, status_of(found), wrong=found.why, at="code")
        return await self._in(at, found)

    async def link(self, request: Request) -> Response:
        """GET /you/links/{token}: whose it is, and a button. It spends nothing: mail programs
        open links too."""
        found = await self._signing_in.link(request.path_params["token"])
        return self._link(request, found)

    def _link(self, request: Request, found: SignIn | None) -> Response:
        if found is None:
            return self._pages.note(request, 404, "signing.link_over", "signing.link_over_why")
        return self._writer.page(request, "you-link.html", 200, address=found.address)

    async def spend(self, request: Request) -> Response:
        """POST /you/links/{token}: use it up, and be signed in."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._pages.note(request, 400, "signing.not_done", fields)
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_link(at, request.path_params["token"])
        return self._link(request, None) if isinstance(found, Turned) else await self._in(at, found)

    async def _in(self, at: Arrival, signed: Signed) -> Response:
        whole = await self.brought(at.guest, signed.ticket)
        # What stays apart is shown where he can do something about it.
        response = RedirectResponse(back(signed.back) if whole else YOU, 303)
        return self.begun(response, signed, whole=whole)

    async def brought(self, guest: Ticket | None, ticket: str) -> bool:
        """Is whatever this browser's guest had the person's now?"""
        person = self._identity.whose(ticket)
        if guest is None or person is None:
            return True
        try:
            return not await self._together.bring(guest, person)
        except (DatabaseAway, Unavailable) as fault:
            # He is signed in all the same, and his page offers it again.
            log.info("a guest stays apart for now: %s", fault)
            return False

    def begun(self, response: Response, signed: Signed, *, whole: bool) -> Response:
        """His browser is his from this answer on. whole: nothing of its guest stays apart."""
        self._identity.hand_out_person(signed.ticket, response)
        self._cookies.signed_in(response, signed.browser)
        if signed.language:
            self._identity.keep(response, COOKIE, signed.language, KEPT_S)
        if whole:
            self._identity.take_guest(response)
        return response

    async def together(self, request: Request) -> Response:
        """POST /you/together: what this browser's guest has, once more."""
        if (turned := await self._pages.unfit(request)) is not None:
            return turned
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        guest = self._identity.guest(request.cookies)
        apart = await self._together.bring(guest, me.ticket) if guest is not None else []
        if apart:
            return await self._pages.page(request, 409, apart=apart)
        response = RedirectResponse(YOU, 303)
        self._identity.take_guest(response)
        return response

    async def sign_out(self, request: Request) -> Response:
        """POST /you/sign-out: here."""
        if (turned := await self._pages.unfit(request)) is not None:
            return turned
        me = await self._pages.me(request)
        if me is not None:
            await self._signing_in.end([me.device.id])
        response = RedirectResponse(YOU, 303)
        self._identity.take_person(response)
        return response

    async def sign_out_everywhere(self, request: Request) -> Response:
        """POST /you/sign-out-everywhere: here too."""
        if (turned := await self._pages.unfit(request)) is not None:
            return turned
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        mine = await self._database.read(lambda sql: devices.of_person(sql, me.person.id))
        await self._signing_in.end([one.id for one in mine])
        response = RedirectResponse(YOU, 303)
        self._identity.take_person(response)
        return response

    async def end_device(self, request: Request) -> Response:
        """POST /you/devices/{device}/end: there."""
        if (turned := await self._pages.unfit(request)) is not None:
            return turned
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        wanted = request.path_params["device"]
        mine = await self._database.read(lambda sql: devices.of_person(sql, me.person.id))
        if wanted not in [one.id for one in mine]:
            return self._pages.note(request, 404, *NO_SUCH)
        await self._signing_in.end([wanted])
        response = RedirectResponse(YOU, 303)
        if wanted == me.device.id:
            self._identity.take_person(response)
        return response

    async def renew(self, request: Request) -> Response:
        """POST /you/renew: a page that stays open asks for its next ticket."""
        come = await self._renewing.renew(request.cookies)
        if come.ticket is None:
            return problem(None, refusals.Away() if come.away else refusals.SignIn())
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        if come.text:
            self._identity.hand_out_person(come.text, response)
        await self._moved(request, come.ticket)
        return response

    async def _moved(self, request: Request, ticket: Ticket) -> None:
        """Where SQL is away, his zone is learned another time."""
        now_ms = int(time.time() * 1000)
        with contextlib.suppress(DatabaseAway):
            found = await self._database.read(
                lambda sql: persons.of_session(sql, ticket.session, now_ms)
            )
            if found is not None:
                await self._pages.lives(request, found[0])
