"""The page "You": who a fan is to this shop, where he is signed in, what is his. True and usable
without any script; a script adds passkeys, and renews the ticket of a page that stays open.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.catalogue import COOKIE
from dropengine.config import Settings
from dropengine.doors import readers_zone
from dropengine.doors.http_answers import STATUS, Written, problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.languages import KEPT_S
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.persons import sign_in_letter
from dropengine.doors.persons.bringing_together import Apart, BringingTogether
from dropengine.doors.persons.called import Called
from dropengine.doors.persons.called_browsers import called
from dropengine.doors.persons.erasing import Erasing, letters_of
from dropengine.doors.persons.my_drops import Mine, MyDrops
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.persons.signing_in import (
    Arrival,
    Meant,
    Sent,
    Signed,
    SigningIn,
    Turned,
)
from dropengine.doors.small_forms import FORM_BYTES_MAX, fields_of
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.mail import outbox, reach
from dropengine.mail.outbox import MailState
from dropengine.mail.reach import Unreached
from dropengine.people import answers, devices, interests, passkeys, persons, wishes
from dropengine.people.devices import Device
from dropengine.people.names import LABEL_CHARS_MAX
from dropengine.people.one_after_another import change
from dropengine.people.passkeys import Passkey
from dropengine.people.persons import Person
from dropengine.people.sign_ins import MINUTES, SignIn
from dropengine.people.tickets import Ticket
from dropengine.push import followers, of_person
from dropengine.push.of_person import Browser
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS

log = logging.getLogger(__name__)

YOU: Final = "/you"
JSON: Final = "application/json"
NO_SUCH: Final = ("person.no_device", "person.no_device_why")
PROVE_AGAIN: Final = "person.prove"
NEW_PASSKEY: Final = "person-passkey"

_BACK = re.compile(
    r"/drops/[a-z0-9][a-z0-9-]{0,63}(/remind|\?via=[A-Za-z0-9_.-]{1,32})?"
    r"|/makers/[a-z0-9][a-z0-9-]{0,63}"
)

Shown = Callable[[Request], Awaitable[Response]]


def back(wanted: str) -> str:
    """Where to go after signing in: the page of a drop or of a maker, else this one; nowhere
    else."""
    return wanted if _BACK.fullmatch(wanted) else YOU


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def identity(self) -> Identity: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def renewing(self) -> Renewing: ...


class Me(NamedTuple):
    """Who is signed in, and by which ticket and session."""

    person: Person
    device: Device
    ticket: Ticket


class _Kept(NamedTuple):
    devices: list[Device]
    passkeys: list[Passkey]
    unreached: Unreached | None
    browsers: list[Browser]


class PersonPages:
    """One method a door."""

    def __init__(
        self,
        deps: Deps,
        writer: PageWriter,
        cookies: PersonCookies,
        signing_in: SigningIn,
        drops: MyDrops,
        erasing: Erasing,
        together: BringingTogether,
        called: Called,
    ) -> None:
        self._identity = deps.identity
        self._database = deps.database
        self._renewing = deps.renewing
        self._proof_ms = deps.settings.proof_s_max * 1000
        self._writer = writer
        self._cookies = cookies
        self._signing_in = signing_in
        self._drops = drops
        self._erasing = erasing
        self._together = together
        self._called = called

    def routes(self) -> list[Route]:
        """Forms are read whole: they are small."""
        reads = (
            (YOU, self.you),
            (f"{YOU}/links/{{token}}", self.link),
            (f"{YOU}/data.json", self.data),
            (f"{YOU}/reached", self.reached),
        )
        forms = (
            (f"{YOU}/sign-in", self.ask),
            (f"{YOU}/code", self.code),
            (f"{YOU}/links/{{token}}", self.spend),
            (f"{YOU}/sign-out", self.sign_out),
            (f"{YOU}/sign-out-everywhere", self.sign_out_everywhere),
            (f"{YOU}/devices/{{device}}/end", self.end_device),
            (f"{YOU}/renew", self.renew),
            (f"{YOU}/together", self.together),
            (f"{YOU}/reached", self.mended),
            (f"{YOU}/sign-in/challenge", self.challenge),
            (f"{YOU}/sign-in/passkey", self.by_passkey),
            (f"{YOU}/passkeys/challenge", self.passkey_challenge),
            (f"{YOU}/passkeys", self.add_passkey),
            (f"{YOU}/passkeys/{{passkey}}/remove", self.remove_passkey),
            (f"{YOU}/erase", self.erase),
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
                return self._note(request, 503, "signing.away")

        return shown

    # Who is there.

    async def me(self, request: Request) -> Me | None:
        """Whoever is signed in."""
        ticket = self._identity.who(by_name(request.scope["headers"]))
        if ticket is None or not ticket.person:
            come = await self._renewing.come(request.cookies)
            ticket = come.ticket
        if ticket is None or not ticket.person:
            return None
        now_ms = int(time.time() * 1000)

        def asked(sql: Connection) -> tuple[Device | None, Person | None]:
            device = devices.find(sql, ticket.session, now_ms)
            return device, persons.by_id(sql, device.person) if device is not None else None

        device, person = await self._database.read(asked)
        if device is None or person is None:
            return None
        self._renewing.used(device.id)
        await self._lives(request, person)
        return Me(person, device, ticket)

    async def _lives(self, request: Request, person: Person) -> None:
        """His browser tells whose clocks he reads: letters tell times by them."""
        zone = readers_zone.told(request)
        if zone and zone != person.zone:
            await self._database.write(lambda sql: persons.lives(sql, person.id, zone))

    async def you(self, request: Request) -> Response:
        """GET /you: who I am, and what is mine."""
        to = back(request.query_params.get("to", ""))
        response = await self._you(request, to=to)
        await self._keep_known(request, response)
        return response

    async def _keep_known(self, request: Request, response: Response) -> None:
        come = await self._renewing.come(request.cookies)
        if come.over:
            self._identity.take_person(response)
        elif come.text:
            self._identity.hand_out_person(come.text, response)

    async def _you(
        self,
        request: Request,
        status: int = 200,
        *,
        to: str = YOU,
        wrong: str = "",
        at: str = "",
        apart: Sequence[Apart] = (),
    ) -> Response:
        """wrong: the name of a sentence about the form at which it stands. apart: what could not be
        brought together just now."""
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, status, to=to, wrong=wrong, at=at)

        def asked(sql: Connection) -> _Kept:
            return _Kept(
                devices.of_person(sql, me.person.id),
                passkeys.of_account(sql, me.person.id, passkeys.PERSONS),
                reach.unreached(sql, letters_of(me.person), me.person.mended_ms),
                of_person.browsers_of(sql, me.ticket.any_fan),
            )

        kept = await self._database.read(asked)
        titles = await self._drops.titles({one.of.drop for one in kept.browsers})
        calls = await self._called.of(me.person)
        guest = self._identity.guest(request.cookies)
        mine = await self._drops.of(me.ticket)
        guests = await self._drops.of(guest) if guest is not None else []
        counts = {"person.many": passkeys.PER_ACCOUNT_MAX, "person.no_label": LABEL_CHARS_MAX}
        say = self._writer.say(request)
        words: dict[str, object] = {
            "me": me.person,
            "here": me.device.id,
            "devices": kept.devices,
            "passkeys": kept.passkeys,
            "unreached": kept.unreached,
            "called": called(kept.browsers, titles),
            "calls": calls,
            "mine": mine,
            "guests": guests,
            "missing": await self._drops.missing(mine),
            "apart": [(one.mine, say(one.why)) for one in apart],
            "to": to,
            "label_most": LABEL_CHARS_MAX,
            "wrong": say(wrong, count=counts.get(wrong, 0)) if wrong else "",
            "at": at,
        }
        return self._writer.page_in(say, request, "you.html", status, **words)

    async def stranger(
        self,
        request: Request,
        status: int = 200,
        *,
        to: str = YOU,
        wrong: str = "",
        at: str = "",
        typed: str = "",
        meant: str = "",
    ) -> Response:
        """Where he can sign in. typed, meant: an address that is asked back."""
        arrival = self._signing_in.arrival(request)
        waiting = await self._signing_in.waiting(arrival)
        missed = waiting is not None and await self._missed(waiting)
        mine: list[Mine] = []
        if arrival.guest is not None:
            mine = await self._drops.of(arrival.guest)
        say = self._writer.say(request)
        words: dict[str, object] = {
            "waiting": waiting,
            "missed": missed,
            "mine": mine,
            "missing": await self._drops.missing(mine),
            "to": waiting.back if waiting is not None and to == YOU else to,
            "typed": typed,
            "meant": meant,
            "minutes": MINUTES,
            "wrong": say(wrong) if wrong else "",
            "at": at,
        }
        return self._writer.page_in(say, request, "you-sign-in.html", status, **words)

    async def _missed(self, waiting: SignIn) -> bool:
        """Did his mail server refuse the letter?"""
        letter = sign_in_letter.letter_of(waiting)
        row = await self._database.read(lambda sql: outbox.by_id(sql, letter))
        return row is not None and row.state in (MailState.BOUNCED, MailState.FAILED)

    # Signing in and out.

    async def ask(self, request: Request) -> Response:
        """POST /you/sign-in: a letter, please."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self.stranger(request, 400, wrong=fields, at="address")
        at = self._signing_in.arrival(request)
        to, typed = back(fields.get("to", "")), fields.get("address", "")
        say, sure = self._writer.say(request), fields.get("sure") == "yes"
        found = await self._signing_in.ask(at, typed, to, say, sure=sure)
        if isinstance(found, Sent):
            response = RedirectResponse(YOU, 303)
            self._cookies.keep_asked(response, found.browser)
            return response
        if isinstance(found, Meant):
            return await self.stranger(request, to=to, typed=found.typed, meant=found.meant)
        return await self.stranger(
            request, _status(found), to=to, typed=typed[:200], wrong=found.why, at="address"
        )

    async def code(self, request: Request) -> Response:
        """POST /you/code: that of the letter, in the browser that asked for it."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return await self.stranger(request, 400, wrong=fields, at="code")
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_code(at, fields.get("code", ""))
        if isinstance(found, Turned):
            return await self.stranger(request, _status(found), wrong=found.why, at="code")
        return await self._in(at, found)

    async def link(self, request: Request) -> Response:
        """GET /you/links/{token}: whose it is, and a button. It spends nothing: mail programs
        open links too."""
        found = await self._signing_in.link(request.path_params["token"])
        return self._link(request, found)

    def _link(self, request: Request, found: SignIn | None) -> Response:
        if found is None:
            return self._note(request, 404, "signing.link_over", "signing.link_over_why")
        return self._writer.page(request, "you-link.html", 200, address=found.address)

    async def spend(self, request: Request) -> Response:
        """POST /you/links/{token}: use it up, and be signed in."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._note(request, 400, "signing.not_done", fields)
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_link(at, request.path_params["token"])
        return self._link(request, None) if isinstance(found, Turned) else await self._in(at, found)

    async def _in(self, at: Arrival, signed: Signed) -> Response:
        whole = await self._brought(at.guest, signed.ticket)
        # What stays apart is shown where he can do something about it.
        response = RedirectResponse(back(signed.back) if whole else YOU, 303)
        return self._kept(response, signed, whole=whole)

    async def _brought(self, guest: Ticket | None, ticket: str) -> bool:
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

    def _kept(self, response: Response, signed: Signed, *, whole: bool) -> Response:
        self._identity.hand_out_person(signed.ticket, response)
        self._cookies.signed_in(response, signed.browser)
        if signed.language:
            self._identity.keep(response, COOKIE, signed.language, KEPT_S)
        if whole:
            self._identity.take_guest(response)
        return response

    async def together(self, request: Request) -> Response:
        """POST /you/together: what this browser's guest has, once more."""
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        guest = self._identity.guest(request.cookies)
        apart = await self._together.bring(guest, me.ticket) if guest is not None else []
        if apart:
            return await self._you(request, 409, apart=apart)
        response = RedirectResponse(YOU, 303)
        self._identity.take_guest(response)
        return response

    async def sign_out(self, request: Request) -> Response:
        """POST /you/sign-out: here."""
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is not None:
            await self._signing_in.end([me.device.id])
        response = RedirectResponse(YOU, 303)
        self._identity.take_person(response)
        return response

    async def sign_out_everywhere(self, request: Request) -> Response:
        """POST /you/sign-out-everywhere: here too."""
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        mine = await self._database.read(lambda sql: devices.of_person(sql, me.person.id))
        await self._signing_in.end([one.id for one in mine])
        response = RedirectResponse(YOU, 303)
        self._identity.take_person(response)
        return response

    async def end_device(self, request: Request) -> Response:
        """POST /you/devices/{device}/end: there."""
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        wanted = request.path_params["device"]
        mine = await self._database.read(lambda sql: devices.of_person(sql, me.person.id))
        if wanted not in [one.id for one in mine]:
            return self._note(request, 404, *NO_SUCH)
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
                await self._lives(request, found[0])

    # Being reached.

    async def reached(self, request: Request) -> Response:
        """GET /you/reached: for the page of a drop, where letters do not reach him; `address` is
        '' where they do."""
        me = await self.me(request)
        if me is None:
            return problem(None, refusals.SignIn())
        found = await self._database.read(
            lambda sql: reach.unreached(sql, letters_of(me.person), me.person.mended_ms)
        )
        return Written(msgspec.json.encode({"address": found.address if found else ""}))

    async def mended(self, request: Request) -> Response:
        """POST /you/reached: his mailbox works again, he says."""
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        now_ms = int(time.time() * 1000)
        await self._database.write(lambda sql: persons.mended(sql, me.person.id, now_ms))
        return RedirectResponse(YOU, 303)

    # Passkeys.

    async def challenge(self, request: Request) -> Response:
        """POST /you/sign-in/challenge: what a passkey signs to sign in."""
        if await _body(request) is None:
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
        body = await _body(request)
        credential = None if body is None else body.get("credential")
        if body is None or not isinstance(credential, dict):
            return problem(None, refusals.BadMessage("send a credential as application/json"))
        at = self._signing_in.arrival(request)
        found = await self._signing_in.by_passkey(at, credential, back(str(body.get("to", ""))))
        if isinstance(found, Turned):
            return self._sentence(request, found)
        whole = await self._brought(at.guest, found.ticket)
        response = Response(
            msgspec.json.encode({"to": found.back if whole else YOU}),
            headers={"Cache-Control": "no-store"},
            media_type=JSON,
        )
        return self._kept(response, found, whole=whole)

    async def passkey_challenge(self, request: Request) -> Response:
        """POST /you/passkeys/challenge: what a new one signs."""
        if await _body(request) is None:
            return problem(None, refusals.BadMessage("send it as application/json"))
        me = await self.me(request)
        if me is None:
            return problem(None, refusals.SignIn())
        if self._stale(me):
            return self._sentence(request, Turned(refusals.NotEligible(), PROVE_AGAIN))
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
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        if isinstance(fields, str):
            return await self._you(request, 400, wrong=fields, at="passkey")
        if self._stale(me):
            return await self._you(request, 403, wrong=PROVE_AGAIN, at="passkey")
        label = fields.get("label", "").strip()
        if not 1 <= len(label) <= LABEL_CHARS_MAX:
            return await self._you(request, 400, wrong="person.no_label", at="passkey")
        why = await self._add(request, me, label, fields.get("credential", ""))
        if why:
            return await self._you(request, 400, wrong=why, at="passkey")
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
        if (turned := await self._unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        if self._stale(me):
            return await self._you(request, 403, wrong=PROVE_AGAIN, at="passkeys")
        wanted = request.path_params["passkey"]
        if not await change(
            self._database,
            lambda sql: passkeys.remove(sql, me.person.id, wanted, passkeys.PERSONS),
        ):
            return self._note(request, 404, *NO_SUCH)
        return RedirectResponse(YOU, 303)

    # What is kept of him.

    async def data(self, request: Request) -> Response:
        """GET /you/data.json: all that the shop knows of me."""
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)

        drops = await self._drops.of(me.ticket)
        said = [thing for one in drops for thing in one.things]

        def asked(sql: Connection) -> dict[str, object]:
            keys = passkeys.of_account(sql, me.person.id, passkeys.PERSONS)
            letters = outbox.page(sql, MAILS.c.whose.in_(letters_of(me.person)))
            return {
                "address": me.person.address,
                "since_ms": me.person.created_ms,
                "language": me.person.language,
                "zone": me.person.zone,
                "devices": [
                    {"browser": one.browser, "how": one.how, "since_ms": one.since_ms}
                    | {"seen_ms": one.seen_ms, "here": one.id == me.device.id}
                    for one in devices.of_person(sql, me.person.id)
                ],
                "called_on": [
                    {"drop": one.drop, "since_ms": one.since_ms, "language": one.language}
                    | {"quiet": one.quiet}
                    for one in of_person.subscriptions_of(sql, me.ticket.any_fan)
                ],
                **_told_of(sql, me.person.id),
                "passkeys": [
                    {"label": one.label, "created_ms": one.created_ms, "used_ms": one.used_ms}
                    for one in keys
                ],
                "letters": [
                    {"about": one.kind, "to": one.reader, "at_ms": one.written_ms}
                    | {"state": one.state}
                    for one in letters
                ],
                "answers": answers.export(sql, answers.whose_key(me.person.key), said),
            }

        known = await self._database.read(asked)
        told = known | {"drops": drops}
        text = msgspec.json.format(msgspec.json.encode(told), indent=2)
        named = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(text, headers={**named, "Cache-Control": "no-store"}, media_type=JSON)

    async def erase(self, request: Request) -> Response:
        """POST /you/erase: nothing is left of me but counts, serials and proofs."""
        fields = await fields_of(request)
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        if isinstance(fields, str):
            return await self._you(request, 400, wrong=fields, at="erase")
        if self._stale(me):
            return await self._you(request, 403, wrong=PROVE_AGAIN, at="erase")
        if fields.get("sure") != "yes":
            return await self._you(request, 400, wrong="person.not_sure", at="erase")
        await self._erasing.erase(me.person, me.ticket)
        response = self._writer.page(request, "you-erased.html", 200)
        self._identity.take_person(response)
        self._identity.take_guest(response)
        self._cookies.forget(response)
        return response

    def _stale(self, me: Me) -> bool:
        """Is it too long ago that he proved who he is?"""
        return int(time.time() * 1000) - me.device.since_ms > self._proof_ms

    async def _unfit(self, request: Request) -> Response | None:
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self._note(request, 400, "signing.not_done", fields)
        return None

    def _note(self, request: Request, status: int, title: str, text: str = "") -> Response:
        """title, text: names of sentences."""
        say = self._writer.say(request)
        words = {"title": say(title), "text": say(text) if text else ""}
        return self._writer.page_in(say, request, "you-note.html", status, **words)

    def _sentence(self, request: Request, turned: Turned) -> Response:
        """For the page's script, which shows it."""
        title = self._writer.say(request)(turned.why)
        body = msgspec.json.encode({"title": title, "code": turned.refusal.code})
        return Written(body, _status(turned), b"application/problem+json")


def _told_of(sql: Connection, person: str) -> dict[str, object]:
    return {
        "told_of": [
            {one.what: one.thing, "since_ms": one.since_ms}
            for one in interests.of_person(sql, person)
        ],
        "told_on": [
            {"maker": one.maker, "since_ms": one.since_ms, "language": one.language}
            for one in followers.of_person(sql, person)
        ],
        "not_called_for": [
            {"kind": wish, "by": way} for wish, way in sorted(wishes.unwished(sql, person))
        ],
    }


def _status(turned: Turned) -> int:
    return STATUS.get(type(turned.refusal), 409)


async def _body(request: Request) -> dict[str, Any] | None:
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
