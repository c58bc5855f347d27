"""How a fan becomes known: by the code or the link of a letter, or by a passkey of his.

Asking looks nobody up: whether an address is known or not, the same is done, and takes as long. A
sign-in begins a new session; the one that the browser brought along is over.
"""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection
from starlette.requests import Request

from dropengine import refusals
from dropengine.catalogue import COOKIE, Catalogue, known, wished
from dropengine.config import Settings, public_url
from dropengine.doors import readers_zone
from dropengine.doors.identity import Identity
from dropengine.doors.persons import sign_in_letter
from dropengine.doors.persons.person_cookies import PersonCookies
from dropengine.doors.persons.person_limit import PersonLimit
from dropengine.mail import outbox
from dropengine.people import addresses, devices, passkeys, persons, sign_ins, tokens
from dropengine.people.addresses import AddressNames
from dropengine.people.device_cookies import Device as Browser
from dropengine.people.device_cookies import DeviceCookies
from dropengine.people.devices import Device
from dropengine.people.one_after_another import change
from dropengine.people.passkeys import Challenge, Passkey, Passkeys
from dropengine.people.persons import Person, Was
from dropengine.people.sign_ins import TRIES_MAX, SignIn
from dropengine.people.tickets import SKEW_S, Ticket, Tickets, name_of_session
from dropengine.sql.database import Database
from dropengine.truth.store import Store

SIGN_IN: Final = "person"
"""What a challenge is for."""
BUSY_MS: Final = 2_000
CODE_CHARS_MAX: Final = 20


class Turned(NamedTuple):
    """Not let in. why: the name of the sentence for people."""

    refusal: refusals.Refusal
    why: str


class Meant(NamedTuple):
    """Nothing was sent yet: was it this address?"""

    typed: str
    meant: str


class Sent(NamedTuple):
    """A letter is on its way. browser: the secret by which the browser knows its code."""

    browser: str


class Signed(NamedTuple):
    """Let in. ticket, browser, language: what his browser keeps; it may have a language already.
    back: where he came from."""

    person: Person
    device: Device
    ticket: str
    browser: str
    language: str
    back: str


class Arrival(NamedTuple):
    """Where somebody comes from, and what his browser brings along. guest, person: its tickets.
    chosen, wished: a language of ours that he chose in it, or that it asks for; zone: whose clocks
    it shows; '' for none."""

    client: tuple[str, int] | None
    browser: str
    asked: str
    device: Browser | None
    challenge: str
    guest: Ticket | None
    person: Ticket | None
    chosen: str
    wished: str
    zone: str
    now_ms: int


class Deps(Protocol):
    """What signing in needs of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def tickets(self) -> Tickets: ...


class SigningIn:
    """key: the shop's secret."""

    def __init__(self, deps: Deps, cookies: PersonCookies, key: bytes) -> None:
        self._database = deps.database
        self._house = deps.store.house
        self._identity = deps.identity
        self._tickets = deps.tickets
        self._cookies = cookies
        self._origin = public_url(deps.settings).rstrip("/")
        self._names = AddressNames(key)
        self._devices = DeviceCookies(key + b":persons")
        self._keep_ms = (deps.settings.ticket_days * 86_400 + SKEW_S) * 1000
        self.limit = PersonLimit(deps.store, deps.settings, key)
        self.passkeys = Passkeys(public_url(deps.settings))

    def arrival(self, request: Request) -> Arrival:
        """What a request says of who comes."""
        brought, kept = request.cookies, self._cookies
        person = brought.get(self._identity.person_cookie)
        return Arrival(
            request.scope.get("client"),
            request.headers.get("user-agent", ""),
            kept.read(brought, kept.asked),
            self._devices.read(kept.read(brought, kept.device)),
            kept.read(brought, kept.challenge),
            self._identity.guest(brought),
            self._identity.whose(person) if person else None,
            known(brought.get(COOKIE, "")),
            wished(request.headers.get("accept-language", "")),
            readers_zone.told(request),
            int(time.time() * 1000),
        )

    async def ask(
        self, at: Arrival, typed: str, back: str, say: Catalogue, *, sure: bool
    ) -> Sent | Meant | Turned:
        """A letter to whoever reads this address, in his language. sure: it is meant as it was
        typed."""
        address = addresses.read(typed)
        if address is None:
            return Turned(refusals.BadMessage("no address"), "signing.no_address")
        meant = addresses.meant(address)
        if meant is not None and not sure:
            return Meant(address.mail, meant)
        normal = self._names.of(address)
        wait_ms = await self.limit.of_network(at.client, "letter")
        mine = await self._mine(at, normal)
        wait_ms = wait_ms or await self.limit.of_address(at.client, normal, mine)
        if wait_ms:
            return Turned(refusals.TooManyRequests(wait_ms), "signing.many_letters")
        browser = at.asked or tokens.new()

        def send(sql: Connection) -> None:
            asked = sign_ins.ask(sql, browser, normal, address, back, at.now_ms)
            outbox.put(sql, sign_in_letter.letter(asked, self._origin, say, at.now_ms))

        await self._database.write(send)
        return Sent(browser)

    async def _mine(self, at: Arrival, normal: str) -> Browser | None:
        """The browser, where it signed in before as whoever reads these letters. Nobody is looked
        up by his address."""
        device = at.device
        if device is None:
            return None
        person = await self._database.read(lambda sql: persons.by_id(sql, device.account))
        return device if person is not None and person.normal == normal else None

    async def waiting(self, at: Arrival) -> SignIn | None:
        """The letter whose code this browser may type."""
        if not at.asked:
            return None
        return await self._database.read(lambda sql: sign_ins.waits(sql, at.asked, at.now_ms))

    async def by_code(self, at: Arrival, typed: str) -> Signed | Turned:
        """Sign in by the code of a letter that this browser asked for."""
        waiting = await self._database.read(
            lambda sql: sign_ins.asked_last(sql, at.asked, at.now_ms)
        )
        if waiting is None or waiting.used_up:
            why = "signing.nobody_asked" if waiting is None else "signing.many_codes"
            return Turned(refusals.SignIn(), why)
        known = await self._database.read(lambda sql: persons.by_mailbox(sql, waiting.normal))
        mine = at.device if known and at.device and at.device.account == known.id else None
        wait_ms = await self.limit.of_code(at.client, waiting.normal, mine)
        # However often others guess, the first code that a letter's own browser says is looked at.
        tries = 1 if wait_ms else TRIES_MAX
        code = "".join(typed[:CODE_CHARS_MAX].split()).replace("-", "")

        def asked(sql: Connection) -> SignIn | None:
            return sign_ins.by_code(sql, at.asked, code, at.now_ms, tries=tries)

        found = await change(self._database, asked)
        if found is None and wait_ms:
            return Turned(refusals.TooManyRequests(wait_ms), "signing.many_codes")
        if found is None:
            return Turned(refusals.SignIn(), "signing.wrong_code")
        return await self._in(at, found, "code")

    async def link(self, token: str) -> SignIn | None:
        """Whose link this is. Looking spends nothing."""
        now_ms = int(time.time() * 1000)
        return await self._database.read(lambda sql: sign_ins.by_token(sql, token, now_ms))

    async def by_link(self, at: Arrival, token: str) -> Signed | Turned:
        """Sign in by the link of a letter, in whichever browser."""
        found = await self.link(token)
        if found is None:
            return Turned(refusals.NotFound(), "signing.link_over")
        return await self._in(at, found, "link")

    async def challenge(self, at: Arrival) -> tuple[dict[str, Any], str] | Turned:
        """What a passkey signs to sign in, and the secret for the browser's cookie."""
        wait_ms = await self.limit.of_network(at.client, "challenge")
        if wait_ms:
            return Turned(refusals.TooManyRequests(wait_ms), "signing.busy")
        options, challenge = self.passkeys.to_sign_in()
        return await self.expect(options, challenge, SIGN_IN, "", at.now_ms)

    async def expect(
        self, options: dict[str, Any], challenge: bytes, purpose: str, person: str, now_ms: int
    ) -> tuple[dict[str, Any], str] | Turned:
        """Keep a challenge for the browser that asks."""
        secret = await change(
            self._database,
            lambda sql: passkeys.expect(sql, challenge, purpose, person, now_ms),
        )
        if secret is None:
            return Turned(refusals.TooManyRequests(BUSY_MS), "signing.busy")
        return options, secret

    async def by_passkey(
        self, at: Arrival, credential: dict[str, Any], back: str
    ) -> Signed | Turned:
        """Sign in by what a passkey signed."""
        wrong = Turned(refusals.SignIn(), "signing.wrong_passkey")
        named = credential.get("id")

        def taken(sql: Connection) -> tuple[Challenge | None, Passkey | None]:
            challenge = passkeys.take(sql, at.challenge, SIGN_IN, at.now_ms)
            found = None
            if isinstance(named, str):
                found = passkeys.by_id(sql, named, passkeys.PERSONS)
            return challenge, found

        challenge, passkey = await change(self._database, taken)
        if challenge is None or passkey is None:
            return wrong
        count = self.passkeys.signed(credential, challenge, passkey)
        if count is None:
            return wrong

        def found(sql: Connection) -> Person | None:
            if passkeys.by_id(sql, passkey.id, passkeys.PERSONS) is None:
                return None
            passkeys.used(sql, passkey.id, count, at.now_ms, passkeys.PERSONS)
            return persons.by_id(sql, passkey.account)

        person = await change(self._database, found)
        return wrong if person is None else await self._begin(at, person, "passkey", back)

    async def _in(self, at: Arrival, sign_in: SignIn, how: str) -> Signed | Turned:
        def spent(sql: Connection) -> Person | None:
            if not sign_ins.spend(sql, sign_in):
                return None
            return persons.make(sql, sign_in.normal, sign_in.address, at.now_ms)

        person = await change(self._database, spent)
        if person is None:
            return Turned(refusals.NotFound(), "signing.link_over")
        return await self._begin(at, person, how, sign_in.back)

    async def _begin(self, at: Arrival, person: Person, how: str, back: str) -> Signed | Turned:
        # What he chose here is his everywhere; else he is spoken to as he was before.
        language = at.chosen or person.language or at.wished

        def begun(sql: Connection) -> tuple[Device, list[str], Was]:
            if language != person.language:
                persons.speaks(sql, person.id, language)
            if at.zone and at.zone != person.zone:
                persons.lives(sql, person.id, at.zone)
            made = devices.begin(sql, person.id, at.browser, how, at.now_ms)
            over = devices.crowd_out(sql, person.id, at.now_ms)
            return made, over, persons.was(sql, person)

        device, over, was = await change(self._database, begun)
        if at.person is not None:
            over.append(at.person.session)
        await self.end(over)
        now_s = at.now_ms // 1000
        ticket = self._tickets.issue_to(person.key, device.id, now_s, was, address=person.address)
        mine = at.device if at.device and at.device.account == person.id else None
        kept = self._devices.again(mine) if mine else self._devices.issue(person.id)
        told = "" if at.chosen else language
        return Signed(person, device, ticket, kept, told, back)

    async def end(self, sessions: list[str]) -> None:
        """These sessions are over, and their tickets with them. Raises Unavailable, DatabaseAway:
        then it is not known whether they are, and it is asked again."""
        if not sessions:
            return
        await self._house.revoke([name_of_session(one) for one in sessions], self._keep_ms)
        await self._database.write(lambda sql: devices.end_these(sql, sessions))

    async def take_back(self, guest: Ticket) -> None:
        """A guest's ticket is not good any more. Raises Unavailable."""
        await self._house.revoke([guest.name], self._keep_ms)
