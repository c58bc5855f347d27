"""How a fan makes a passkey and signs in with it: a script of the page speaks to these doors."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.doors.http_answers import Written, problem
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.person_pages import JSON, NO_SUCH, YOU, Deps, Me, PersonPages, back
from dropengine.doors.persons.signing_doors import SigningDoors
from dropengine.doors.persons.signing_in import SigningIn, Turned
from dropengine.doors.small_forms import fields_of
from dropengine.people import passkeys
from dropengine.people.names import LABEL_CHARS_MAX
from dropengine.people.one_after_another import change

PROVE_AGAIN: Final = "person.prove"
NEW_PASSKEY: Final = "person-passkey"


class PasskeyDoors:
    """One method a door."""

    def __init__(
        self,
        deps: Deps,
        pages: PersonPages,
        doors: SigningDoors,
        cookies: PersonCookies,
        signing_in: SigningIn,
    ) -> None:
        self._database = deps.database
        self._pages = pages
        self._doors = doors
        self._cookies = cookies
        self._signing_in = signing_in

    def routes(self) -> list[Route]:
        """All of them change something."""
        return [
            self._pages.form(f"{YOU}/sign-in/challenge", self.challenge),
            self._pages.form(f"{YOU}/sign-in/passkey", self.by_passkey),
            self._pages.form(f"{YOU}/passkeys/challenge", self.passkey_challenge),
            self._pages.form(f"{YOU}/passkeys", self.add_passkey),
            self._pages.form(f"{YOU}/passkeys/{{passkey}}/remove", self.remove_passkey),
        ]

    async def challenge(self, request: Request) -> Response:
        """POST /you/sign-in/challenge: what a passkey signs to sign in."""
        if await _json_of(request) is None:
            return problem(None, refusals.BadMessage("send it as application/json"))
        found = await self._signing_in.challenge(self._signing_in.arrival(request))
        return self._challenged(found)

    def _challenged(self, found: tuple[dict[str, Any], str] | Turned) -> Response:
        if isinstance(found, Turned):
            return problem(None, found.refusal)
        response = Written(msgspec.json.encode({"options": found[0]}))
        kept = Response()
        self._cookies.keep_challenge(kept, found[1])
        response.raw_headers += [
            header for header in kept.raw_headers if header[0] == b"set-cookie"
        ]
        return response

    async def by_passkey(self, request: Request) -> Response:
        """POST /you/sign-in/passkey: what it signed."""
        body = await _json_of(request)
        credential = None if body is None else body.get("credential")
        if body is None or not isinstance(credential, dict):
            return problem(None, refusals.BadMessage("send a credential as application/json"))
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_passkey(at, credential, back(str(body.get("to", ""))))
        if isinstance(found, Turned):
            return self._pages.sentence(request, found)
        whole = await self._doors.brought(at.guest, found.ticket)
        response = Response(
            msgspec.json.encode({"to": found.back if whole else YOU}),
            headers={"Cache-Control": "no-store"},
            media_type=JSON,
        )
        return self._doors.begun(response, found, whole=whole)

    async def passkey_challenge(self, request: Request) -> Response:
        """POST /you/passkeys/challenge: what a new one signs."""
        if await _json_of(request) is None:
            return problem(None, refusals.BadMessage("send it as application/json"))
        me = await self._pages.me(request)
        if me is None:
            return problem(None, refusals.SignIn())
        if self._pages.stale(me):
            return self._pages.sentence(request, Turned(refusals.NotEligible(), PROVE_AGAIN))
        known = await self._database.read(
            lambda sql: passkeys.of_account(sql, me.person.id, passkeys.PERSONS)
        )
        options, challenge = self._signing_in.passkeys.to_make(
            me.person.address, me.person.id, [one.id for one in known]
        )
        now_ms = int(time.time() * 1000)
        return self._challenged(
            await self._signing_in.expect(options, challenge, NEW_PASSKEY, me.person.id, now_ms)
        )

    async def add_passkey(self, request: Request) -> Response:
        """POST /you/passkeys: keep one that the page's script had the device make."""
        fields = await fields_of(request)
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        if isinstance(fields, str):
            return await self._pages.page(request, 400, wrong=fields, at="passkey")
        if self._pages.stale(me):
            return await self._pages.page(request, 403, wrong=PROVE_AGAIN, at="passkey")
        label = fields.get("label", "").strip()
        if not 1 <= len(label) <= LABEL_CHARS_MAX:
            return await self._pages.page(request, 400, wrong="person.no_label", at="passkey")
        why = await self._add(request, me, label, fields.get("credential", ""))
        if why:
            return await self._pages.page(request, 400, wrong=why, at="passkey")
        return RedirectResponse(YOU, 303)

    async def _add(self, request: Request, me: Me, label: str, text: str) -> str:
        """Why it is not kept, or ''."""
        secret = self._cookies.read(request.cookies, self._cookies.challenge)
        now_ms = int(time.time() * 1000)
        challenge = await change(
            self._database, lambda sql: passkeys.take(sql, secret, NEW_PASSKEY, now_ms)
        )
        credential = _decoded(text.encode())
        if challenge is None or challenge.account != me.person.id or credential is None:
            return "signing.wrong_passkey"
        made = self._signing_in.passkeys.made(credential, challenge, label, now_ms)
        if made is None:
            return "signing.wrong_passkey"

        def kept(sql: Connection) -> str:
            known = passkeys.of_account(sql, me.person.id, passkeys.PERSONS)
            if len(known) >= passkeys.PER_ACCOUNT_MAX:
                return "person.many"
            return "" if passkeys.keep(sql, made, passkeys.PERSONS) else "signing.wrong_passkey"

        return await change(self._database, kept)

    async def remove_passkey(self, request: Request) -> Response:
        """POST /you/passkeys/{passkey}/remove: a letter still signs him in."""
        if (turned := await self._pages.unfit(request)) is not None:
            return turned
        me = await self._pages.me(request)
        if me is None:
            return await self._pages.stranger(request, 401)
        if self._pages.stale(me):
            return await self._pages.page(request, 403, wrong=PROVE_AGAIN, at="passkeys")
        wanted = request.path_params["passkey"]
        if not await change(
            self._database,
            lambda sql: passkeys.remove(sql, me.person.id, wanted, passkeys.PERSONS),
        ):
            return self._pages.note(request, 404, *NO_SUCH)
        return RedirectResponse(YOU, 303)


async def _json_of(request: Request) -> dict[str, Any] | None:
    """JSON of a page of ours: pages of others can send no such thing without asking before."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        return None
    return _decoded(await request.body())


def _decoded(text: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
