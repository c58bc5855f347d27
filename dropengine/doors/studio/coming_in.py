"""How somebody comes in who has no session yet: by password, by passkey, by a one-time link.

Pages and API ask here alike. Every way in ends with a new session under a new secret, and the one
that the browser brought along is over: nobody can have laid it ready.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from dropengine import refusals
from dropengine.config import Settings, public_url
from dropengine.doors.rate_limit import network_of
from dropengine.doors.studio.sign_in_limit import SignInLimit
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_messages import SpendLink
from dropengine.people import (
    accounts,
    audit_trail,
    links,
    makers,
    names,
    passkeys,
    sessions,
    tokens,
)
from dropengine.people.accounts import Account
from dropengine.people.audit_trail import AuditRow
from dropengine.people.device_cookies import DeviceCookies
from dropengine.people.links import Kind, Link
from dropengine.people.one_after_another import change
from dropengine.people.passkeys import Challenge, Passkey, Passkeys
from dropengine.people.passwords import Passwords
from dropengine.people.roles import Role
from dropengine.sql.database import Database
from dropengine.truth.store import Store

WRONG = "The name or the password is wrong."
WRONG_PASSKEY = "This passkey is not known here, or did not sign in time. Try again."
LINK_OVER = "This link was used already, or its time is over. Ask for a new one."
BUSY = "Many people sign in at this moment. Try again in a moment."
TOO_OFTEN = "Too many tries. Wait before the next one; where you signed in before you still can."
BUSY_MS = 2_000
FIRST_PASSKEY = "the first one"


class Turned(NamedTuple):
    """Not let in. title: the sentence for people."""

    refusal: refusals.Refusal
    title: str


class Signed(NamedTuple):
    """Let in: who, and what his browser keeps."""

    account: Account
    session: str
    device: str


class Arrival(NamedTuple):
    """Where somebody comes from, and what his browser brings along."""

    client: tuple[str, int] | None
    browser: str
    session: str
    device: str
    challenge: str
    now_ms: int


class Deps(Protocol):
    """What coming in needs of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def passwords(self) -> Passwords: ...


class Proof(NamedTuple):
    """By what an account is proven: the hash of a password, or a passkey."""

    account: str
    password: str
    passkey: Passkey | None


class ComingIn:
    """key: the shop's secret."""

    def __init__(self, deps: Deps, cookies: StudioCookies, key: bytes) -> None:
        self._database = deps.database
        self._passwords = deps.passwords
        self._cookies = cookies
        self.passkeys = Passkeys(public_url(deps.settings))
        self.limit = SignInLimit(deps.store, deps.settings, key)
        self._devices = DeviceCookies(key)

    def arrival(self, request: Request) -> Arrival:
        """What a request says of who comes."""
        brought, names_ = request.cookies, self._cookies
        return Arrival(
            request.scope.get("client"),
            request.headers.get("user-agent", ""),
            names_.read(brought, names_.session),
            names_.read(brought, names_.device),
            names_.read(brought, names_.challenge),
            int(time.time() * 1000),
        )

    def keep(self, response: Response, signed: Signed) -> Response:
        """The browser keeps what proves it."""
        self._cookies.signed_in(response, signed.session, signed.device)
        return response

    async def by_password(self, at: Arrival, name: str, password: str) -> Signed | Turned:
        """Sign in. An account that is none is turned away alike, and as late."""
        known_as = names.folded(name)
        here = self.limit.network(at.client)

        def asked(sql: Connection) -> tuple[Account | None, bool]:
            found = accounts.by_name(sql, known_as)
            return found, found is not None and accounts.knows_network(sql, found.id, here)

        account, was_here = await self._database.read(asked)
        wait_ms = await self._wait_ms(at, known_as, account, was_here=was_here)
        if wait_ms:
            return Turned(refusals.TooManyRequests(wait_ms), TOO_OFTEN)
        if self._passwords.full():
            return Turned(refusals.TooManyRequests(BUSY_MS), BUSY)
        if not await self._passwords.fits(password, account.password if account else ""):
            return Turned(refusals.SignIn(), WRONG)
        assert account is not None, "nobody's password never fits"
        kept = account.password

        def begun(sql: Connection) -> Signed | Turned:
            now = accounts.by_id(sql, account.id)
            if now is None or now.password != kept:
                return Turned(refusals.SignIn(), WRONG)
            return self._begin(sql, at, now, "password")

        return await change(self._database, begun)

    async def _wait_ms(
        self, at: Arrival, name: str, account: Account | None, *, was_here: bool
    ) -> int:
        device = self._devices.read(at.device)
        if account is not None and device is not None and device.account == account.id:
            return await self.limit.of_device(device)
        wait_ms = await self.limit.of_network(at.client)
        if wait_ms:
            return wait_ms
        counted = self.limit.of_neighbour if was_here else self.limit.of_stranger
        return await counted(at.client, name)

    async def challenge(self, at: Arrival) -> tuple[dict[str, Any], str] | Turned:
        """What a passkey signs to sign in, and the secret for the browser's cookie."""
        wait_ms = await self.limit.of_network(at.client, "challenge")
        if wait_ms:
            return Turned(refusals.TooManyRequests(wait_ms), TOO_OFTEN)
        options, challenge = self.passkeys.to_sign_in()
        return await self.expect(options, challenge, passkeys.SIGN_IN, "", at.now_ms)

    async def expect(
        self, options: dict[str, Any], challenge: bytes, purpose: str, account: str, now_ms: int
    ) -> tuple[dict[str, Any], str] | Turned:
        """Keep a challenge for the browser that asks."""
        secret = await change(
            self._database,
            lambda sql: passkeys.expect(sql, challenge, purpose, account, now_ms),
        )
        if secret is None:
            return Turned(refusals.TooManyRequests(BUSY_MS), BUSY)
        return options, secret

    async def by_passkey(self, at: Arrival, credential: dict[str, Any]) -> Signed | Turned:
        """Sign in by what a passkey signed."""
        wrong = Turned(refusals.SignIn(), WRONG_PASSKEY)
        named = credential.get("id")

        def taken(sql: Connection) -> tuple[Challenge | None, Passkey | None]:
            challenge = passkeys.take(sql, at.challenge, passkeys.SIGN_IN, at.now_ms)
            found = passkeys.by_id(sql, named) if isinstance(named, str) else None
            return challenge, found

        challenge, passkey = await change(self._database, taken)
        if challenge is None or passkey is None:
            return wrong
        count = self.passkeys.signed(credential, challenge, passkey)
        if count is None:
            return wrong

        def begun(sql: Connection) -> Signed | Turned:
            account = accounts.by_id(sql, passkey.account)
            if account is None or passkeys.by_id(sql, passkey.id) is None:
                return wrong
            passkeys.used(sql, passkey.id, count, at.now_ms)
            return self._begin(sql, at, account, "passkey")

        return await change(self._database, begun)

    async def link(self, token: str) -> Link | None:
        """A link that can be spent still. Looking spends nothing."""
        now_ms = int(time.time() * 1000)
        return await self._database.read(lambda sql: links.find(sql, token, now_ms))

    async def link_challenge(
        self, at: Arrival, token: str, name: str
    ) -> tuple[dict[str, Any], str] | Turned:
        """What a new passkey signs that a link's account shall have."""

        def asked(sql: Connection) -> tuple[Link | None, Account | None, list[str]]:
            link = links.find(sql, token, at.now_ms)
            account = accounts.by_id(sql, link.account) if link is not None else None
            return link, account, [one.id for one in _passkeys_of(sql, account)]

        link, account, known = await self._database.read(asked)
        if link is None:
            return Turned(refusals.NotFound(), LINK_OVER)
        if account is None and not name:
            return Turned(refusals.BadMessage("name is missing"), "Choose a name first.")
        account_id = account.id if account is not None else tokens.new_id()
        called = account.name if account is not None else names.folded(name)
        options, challenge = self.passkeys.to_make(called, account_id, known)
        return await self.expect(options, challenge, _purpose(link), account_id, at.now_ms)

    async def spend(self, at: Arrival, wanted: SpendLink) -> Signed | Turned:
        """Use a link up: a new account, or new proof for one that is."""
        link = await self.link(wanted.token)
        if link is None:
            return Turned(refusals.NotFound(), LINK_OVER)
        if link.kind is not Kind.BACK and wanted.name is None:
            return Turned(refusals.BadMessage("name is missing"), "Choose a name first.")
        proof = await self._proof(at, link, wanted)
        if isinstance(proof, Turned):
            return proof
        account_id = link.account or proof.account

        def spent(sql: Connection) -> Signed | Turned:
            found = links.find(sql, wanted.token, at.now_ms)
            if found is None:
                return Turned(refusals.NotFound(), LINK_OVER)
            turned = self._take_up(sql, at, found, account_id, wanted)
            if turned is not None:
                return turned
            links.spend(sql, found.id, at.now_ms)
            if proof.passkey is not None:
                passkeys.keep(sql, proof.passkey)
            if proof.password:
                accounts.set_password(sql, account_id, proof.password)
            account = accounts.by_id(sql, account_id)
            assert account is not None, "it was made in this very transaction"
            return self._begin(sql, at, account, "link", of=found.kind)

        return await change(self._database, spent)

    async def _proof(self, at: Arrival, link: Link, wanted: SpendLink) -> Proof | Turned:
        if wanted.credential is None:
            if wanted.password is None:
                return Turned(refusals.BadMessage("password is missing"), "Choose a password.")
            if self._passwords.full():
                return Turned(refusals.TooManyRequests(BUSY_MS), BUSY)
            hashed = await self._passwords.hash(wanted.password)
            return Proof(tokens.new_id(), hashed, None)
        challenge = await change(
            self._database,
            lambda sql: passkeys.take(sql, at.challenge, _purpose(link), at.now_ms),
        )
        made = None
        if challenge is not None:
            made = self.passkeys.made(wanted.credential, challenge, FIRST_PASSKEY, at.now_ms)
        if challenge is None or made is None:
            return Turned(refusals.SignIn(), WRONG_PASSKEY)
        return Proof(challenge.account, "", made)

    def _take_up(
        self, sql: Connection, at: Arrival, link: Link, account: str, wanted: SpendLink
    ) -> Turned | None:
        """What a link gives, before it is used up; why not."""
        if link.kind is Kind.BACK:
            accounts.end_sessions(sql, account)
            return None
        assert wanted.name is not None
        maker = makers.by_id(sql, link.maker) if link.maker else makers.first(sql)
        if link.maker and maker is None:
            return Turned(refusals.NotFound(), LINK_OVER)
        if not accounts.make(sql, account, wanted.name, "", at.now_ms):
            return Turned(refusals.Exists(), "This name is taken. Choose another.")
        if maker is None:
            called = wanted.maker or wanted.name
            short = wanted.short or names.short_of(called)
            maker = makers.new(short, called, names.COLOUR, at.now_ms)
            makers.make(sql, maker)
        makers.join(sql, maker.id, account, Role(link.role or Role.OWNER), at.now_ms)
        return None

    def _begin(
        self, sql: Connection, at: Arrival, account: Account, how: str, of: str = ""
    ) -> Signed:
        where = sessions.Place(network_of(at.client), at.browser)
        if at.session:
            sessions.end_by_secret(sql, at.session)
        _, secret = sessions.begin(sql, account.id, where, how, at.now_ms)
        accounts.learn_network(sql, account.id, self.limit.network(at.client), at.now_ms)
        row = AuditRow(
            id=audit_trail.new_id(at.now_ms),
            at_ms=at.now_ms,
            maker="",
            account=account.id,
            api_key="",
            by=account.name,
            network=where.network,
            what="sign_in",
            of=of or how,
            why="",
            outcome=audit_trail.DONE,
        )
        audit_trail.write(sql, row)
        device = self._devices.read(at.device)
        known = device is not None and device.account == account.id
        return Signed(account, secret, at.device if known else self._devices.issue(account.id))


def _purpose(link: Link) -> str:
    return f"link:{link.id}"


def _passkeys_of(sql: Connection, account: Account | None) -> list[Passkey]:
    return passkeys.of_account(sql, account.id) if account is not None else []


def form(fields: dict[str, str], token: str) -> SpendLink:
    """What a form says; empty fields are none. Raises msgspec.ValidationError."""
    given = {name: value.strip() for name, value in fields.items() if name != "password"}
    given = {name: value for name, value in given.items() if value}
    if fields.get("password"):
        given["password"] = fields["password"]
    return msgspec.convert({**given, "token": token}, SpendLink)
