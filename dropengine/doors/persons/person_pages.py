"""The page "You": who a fan is to this shop, where he is signed in, what is his. True and usable
without any script; a script adds passkeys, and renews the ticket of a page that stays open.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.config import Settings, is_loopback, public_url
from dropengine.doors import readers_zone
from dropengine.doors.http_answers import STATUS, Written, problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.page_writer import PageWriter
from dropengine.doors.persons import sign_in_letter
from dropengine.doors.persons.bringing_together import Apart
from dropengine.doors.persons.called import Called
from dropengine.doors.persons.called_browsers import called
from dropengine.doors.persons.erasing import letters_of
from dropengine.doors.persons.my_drops import Mine, MyDrops
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.persons.signing_in import (
    SigningIn,
    Turned,
)
from dropengine.doors.small_forms import FORM_BYTES_MAX, fields_of
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.mail import outbox, reach
from dropengine.mail.outbox import MailState
from dropengine.mail.reach import Unreached
from dropengine.people import badges, devices, passkeys, persons
from dropengine.people.badges import Badge
from dropengine.people.devices import Device
from dropengine.people.names import LABEL_CHARS_MAX
from dropengine.people.passkeys import Passkey
from dropengine.people.persons import Person
from dropengine.people.sign_ins import MINUTES, SignIn
from dropengine.people.tickets import Ticket
from dropengine.push import of_person
from dropengine.push.of_person import Browser
from dropengine.sql.database import Database

log = logging.getLogger(__name__)

YOU: Final = "/you"
JSON: Final = "application/json"
BADGES_MOST: Final = 60
"""Of somebody's, the newest."""
NO_SUCH: Final = ("person.no_device", "person.no_device_why")

_BACK = re.compile(
    r"/drops/[a-z0-9][a-z0-9-]{0,63}(/remind|\?(via|ref)=[A-Za-z0-9_.-]{1,32})?"
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
    badges: list[Badge]


class PersonPages:
    """One method a door."""

    def __init__(
        self,
        deps: Deps,
        writer: PageWriter,
        signing_in: SigningIn,
        drops: MyDrops,
        called: Called,
    ) -> None:
        self._identity = deps.identity
        self._database = deps.database
        self._renewing = deps.renewing
        self._proof_ms = deps.settings.proof_s_max * 1000
        self._letters = _letters_here(deps.settings)
        self._writer = writer
        self._signing_in = signing_in
        self._drops = drops
        self._called = called

    def routes(self) -> list[Route]:
        """The page, and what a drop's page asks of it."""
        return [
            self.read(YOU, self.you),
            self.read(f"{YOU}/reached", self.reached),
            self.form(f"{YOU}/reached", self.mended),
        ]

    def read(self, path: str, page: Shown) -> Route:
        """A page of a fan. Where what it needs is away, it says so."""
        return Route(path, self._told(page), methods=["GET"])

    def form(self, path: str, page: Shown) -> Route:
        """The same for a form, which is read whole: it is small."""
        return Route(path, self._told(page), methods=["POST"], max_body_size=FORM_BYTES_MAX)

    def _told(self, page: Shown) -> Shown:
        async def shown(request: Request) -> Response:
            try:
                return await page(request)
            except (DatabaseAway, Unavailable):
                return self.note(request, 503, "signing.away")

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
        await self.lives(request, person)
        return Me(person, device, ticket)

    async def lives(self, request: Request, person: Person) -> None:
        """His browser tells whose clocks he reads: letters tell times by them."""
        zone = readers_zone.told(request)
        if zone and zone != person.zone:
            await self._database.write(lambda sql: persons.lives(sql, person.id, zone))

    async def you(self, request: Request) -> Response:
        """GET /you: who I am, and what is mine."""
        to = back(request.query_params.get("to", ""))
        response = await self.page(request, to=to)
        await self._keep_known(request, response)
        return response

    async def _keep_known(self, request: Request, response: Response) -> None:
        come = await self._renewing.come(request.cookies)
        if come.over:
            self._identity.take_person(response)
        elif come.text:
            self._identity.hand_out_person(come.text, response)

    async def page(
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
                badges.of_somebody(sql, me.ticket.any_fan)[:BADGES_MOST],
            )

        kept = await self._database.read(asked)
        named = {one.of.drop for one in kept.browsers} | {one.drop for one in kept.badges}
        titles = await self._drops.titles(named)
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
            "badges": [(one, titles[one.drop]) for one in kept.badges if one.drop in titles],
            "mine": mine,
            "missed": await self._drops.missed(me.ticket),
            "guests": guests,
            "zone": readers_zone.told(request) or me.person.zone,
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
            "letters": self._letters,
            "mine": mine,
            "zone": readers_zone.told(request),
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
        if (turned := await self.unfit(request)) is not None:
            return turned
        me = await self.me(request)
        if me is None:
            return await self.stranger(request, 401)
        now_ms = int(time.time() * 1000)
        await self._database.write(lambda sql: persons.mended(sql, me.person.id, now_ms))
        return RedirectResponse(YOU, 303)

    def stale(self, me: Me) -> bool:
        """Is it too long ago that he proved who he is?"""
        return int(time.time() * 1000) - me.device.since_ms > self._proof_ms

    async def unfit(self, request: Request) -> Response | None:
        """What says that a form without fields is none of ours, or None."""
        fields = await fields_of(request)
        if isinstance(fields, str):
            return self.note(request, 400, "signing.not_done", fields)
        return None

    def note(self, request: Request, status: int, title: str, text: str = "") -> Response:
        """A page that says one thing. title, text: names of sentences."""
        say = self._writer.say(request)
        words = {"title": say(title), "text": say(text) if text else ""}
        return self._writer.page_in(say, request, "you-note.html", status, **words)

    def sentence(self, request: Request, turned: Turned) -> Response:
        """For the page's script, which shows it."""
        title = self._writer.say(request)(turned.why)
        body = msgspec.json.encode({"title": title, "code": turned.refusal.code})
        return Written(body, status_of(turned), b"application/problem+json")


def _letters_here(settings: Settings) -> str:
    """The folder of letters, where nobody sends them and whoever signs in is on the shop's machine;
    '' else: others need not know."""
    here = is_loopback(urlsplit(public_url(settings)).hostname or "")
    return str(settings.data_dir / "mail") if here and settings.smtp_url is None else ""


def status_of(turned: Turned) -> int:
    """Of HTTP."""
    return STATUS.get(type(turned.refusal), 409)
