"""The doors of those who have no session yet, and the one out."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.studio.coming_in import ComingIn, Signed, Turned
from dropengine.doors.studio.studio_answers import refused, told
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_door import Call, Doors
from dropengine.doors.studio.studio_messages import (
    Challenge,
    Gone,
    LinkChallenge,
    PasskeySigned,
    SignedIn,
    SignIn,
    SpendLink,
)
from dropengine.people import sessions
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database


class SignInDoors:
    """One method a door."""

    def __init__(self, coming_in: ComingIn, cookies: StudioCookies, database: Database) -> None:
        self._coming_in = coming_in
        self._cookies = cookies
        self._database = database

    def routes(self, doors: Doors) -> list[Route]:
        return [
            doors.route("POST", "/sign-in", self.sign_in),
            doors.route("POST", "/sign-in/challenge", self.challenge),
            doors.route("POST", "/sign-in/passkey", self.passkey),
            doors.route("POST", "/links/challenge", self.link_challenge),
            doors.route("POST", "/links/spend", self.spend),
            doors.route("POST", "/sign-out", self.sign_out),
        ]

    async def sign_in(self, call: Call) -> Response:
        """By name and password."""
        asked = call.read(SignIn)
        at = self._coming_in.arrival(call.request)
        return self._in(await self._coming_in.by_password(at, asked.name, asked.password))

    async def challenge(self, call: Call) -> Response:
        """What a passkey must sign."""
        at = self._coming_in.arrival(call.request)
        return self._asked(await self._coming_in.challenge(at))

    async def passkey(self, call: Call) -> Response:
        """By what a passkey signed."""
        asked = call.read(PasskeySigned)
        at = self._coming_in.arrival(call.request)
        return self._in(await self._coming_in.by_passkey(at, asked.credential))

    async def link_challenge(self, call: Call) -> Response:
        """What a new passkey must sign that a one-time link is spent with."""
        asked = call.read(LinkChallenge)
        at = self._coming_in.arrival(call.request)
        found = await self._coming_in.link_challenge(at, asked.token, asked.name or "")
        return self._asked(found)

    async def spend(self, call: Call) -> Response:
        """Use a one-time link up."""
        asked = call.read(SpendLink)
        return self._in(await self._coming_in.spend(self._coming_in.arrival(call.request), asked))

    async def sign_out(self, call: Call) -> Response:
        """The session is over."""
        session = call.caller.session
        assert session is not None, "only a person signs out"
        await change(self._database, lambda sql: sessions.end(sql, session.account, session.id))
        response = told(Gone(session.id))
        self._cookies.signed_out(response)
        return response

    def _in(self, found: Signed | Turned) -> Response:
        if isinstance(found, Turned):
            return refused(found.refusal, title=found.title)
        response = told(SignedIn(found.account.id, found.account.name))
        return self._coming_in.keep(response, found)

    def _asked(self, found: tuple[dict[str, Any], str] | Turned) -> Response:
        if isinstance(found, Turned):
            return refused(found.refusal, title=found.title)
        options, secret = found
        response = told(Challenge(options))
        self._cookies.asked(response, secret)
        return response
