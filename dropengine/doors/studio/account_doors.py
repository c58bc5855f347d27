"""The doors of somebody's own account: what proves it, where it is signed in, what it joins."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import mail_address, refusals
from dropengine.doors.studio.changes import Changes, Result
from dropengine.doors.studio.coming_in import (
    BUSY,
    BUSY_MS,
    LINK_OVER,
    TOO_OFTEN,
    WRONG,
    WRONG_PASSKEY,
    ComingIn,
    Turned,
)
from dropengine.doors.studio.maker_doors import maker_view
from dropengine.doors.studio.studio_answers import refused, taken, told
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.doors.studio.studio_door import Call, Doors
from dropengine.doors.studio.studio_messages import (
    AcceptInvitation,
    AccountView,
    Challenge,
    ChangePassword,
    Gone,
    HearAlarms,
    MailView,
    NewMail,
    NewPasskey,
    PasskeyView,
    SessionView,
)
from dropengine.mail import makers_letters, outbox
from dropengine.mail.letter import Kind as LetterKind
from dropengine.people import account_mails, accounts, links, makers, passkeys, sessions
from dropengine.people.account_mails import Confirmed
from dropengine.people.accounts import Account
from dropengine.people.device_cookies import Device
from dropengine.people.links import Kind
from dropengine.people.one_after_another import change
from dropengine.people.passkeys import Passkey
from dropengine.people.passwords import Passwords
from dropengine.people.roles import Role
from dropengine.people.sessions import Session
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS

NEW_PASSKEY = "new-passkey"
NO_ADDRESS = "That is no address that letters reach. It looks like somebody@example.org."
TOO_MANY_LETTERS = "Several letters were sent in the last hour. Look for them, or try again later."
CONFIRMS_AN_HOUR_MAX = 5
HOUR_MS = 3_600_000
LAST_PROOF = "It is the last that proves you. Set a password first, or add another passkey."


class AccountDoors:
    """One method a door. origin: the address people type, of links."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        coming_in: ComingIn,
        cookies: StudioCookies,
        passwords: Passwords,
        origin: str,
    ) -> None:
        self._origin = passkeys.by_name(origin)
        self._database = database
        self._changes = changes
        self._coming_in = coming_in
        self._cookies = cookies
        self._passwords = passwords

    def routes(self, doors: Doors) -> list[Route]:
        return [
            doors.route("GET", "/account", self.account),
            doors.route("POST", "/account/password", self.password),
            doors.route("POST", "/account/passkeys/challenge", self.passkey_challenge),
            doors.route("POST", "/account/passkeys", self.new_passkey),
            doors.route("DELETE", "/account/passkeys/{passkey}", self.remove_passkey),
            doors.route("POST", "/account/mail", self.new_mail),
            doors.route("DELETE", "/account/mail", self.remove_mail),
            doors.route("POST", "/account/mail/alarms", self.hear_alarms),
            doors.route("GET", "/account/sessions", self.sessions),
            doors.route("DELETE", "/account/sessions/{session}", self.end_session),
            doors.route("POST", "/account/sessions/end-others", self.end_others),
            doors.route("POST", "/invitations/accept", self.accept),
        ]

    async def account(self, call: Call) -> Response:
        """Who I am, by what I prove it, where I belong."""
        mine, _ = _person(call)

        def asked(sql: Connection) -> tuple[list[Passkey], MailView]:
            return passkeys.of_account(sql, mine.id), mail_view(sql, mine.id)

        known, mail = await self._database.read(asked)
        return told(
            AccountView(
                mine.id,
                mine.name,
                mine.created_ms,
                bool(mine.password),
                [_passkey_view(one) for one in known],
                [maker_view(maker, may) for maker, may in call.caller.makers.values()],
                mail,
            )
        )

    async def password(self, call: Call) -> Response:
        """Set a password; the old one is asked for. Every other session ends."""
        asked = call.read(ChangePassword)
        mine, session = _person(call)
        if mine.password:
            # Who sits at a browser that was left open may not guess for ever.
            wait_ms = await self._coming_in.limit.of_device(Device(mine.id, session.id))
            if wait_ms:
                return refused(refusals.TooManyRequests(wait_ms), title=TOO_OFTEN)
        if self._passwords.full():
            return refused(refusals.TooManyRequests(BUSY_MS), title=BUSY)
        if mine.password and not await self._passwords.fits(asked.old, mine.password):
            return refused(refusals.NotEligible(), title=WRONG)
        if self._passwords.full():
            return refused(refusals.TooManyRequests(BUSY_MS), title=BUSY)
        hashed = await self._passwords.hash(asked.password)

        def changed(sql: Connection) -> Result:
            now = accounts.by_id(sql, mine.id)
            if now is None or now.password != mine.password:
                return refused(refusals.NotEligible(), title=WRONG)
            accounts.set_password(sql, mine.id, hashed)
            accounts.end_sessions(sql, mine.id, but=session.id)
            return Gone(mine.id)

        return await self._changes.once(call, "set_password", changed, of=mine.id)

    async def passkey_challenge(self, call: Call) -> Response:
        """What a new passkey must sign."""
        mine, _ = _person(call)
        known = await self._database.read(lambda sql: passkeys.of_account(sql, mine.id))
        options, challenge = self._coming_in.passkeys.to_make(
            mine.name, mine.id, [one.id for one in known]
        )
        found = await self._coming_in.expect(options, challenge, NEW_PASSKEY, mine.id, call.now_ms)
        if isinstance(found, Turned):
            return refused(found.refusal, title=found.title)
        response = told(Challenge(found[0]))
        self._cookies.asked(response, found[1])
        return response

    async def new_passkey(self, call: Call) -> Response:
        """Keep a passkey that a browser made."""
        asked = call.read(NewPasskey)
        mine, _ = _person(call)
        secret = self._coming_in.arrival(call.request).challenge
        challenge = await change(
            self._database, lambda sql: passkeys.take(sql, secret, NEW_PASSKEY, call.now_ms)
        )
        made = None
        if challenge is not None and challenge.account == mine.id:
            made = self._coming_in.passkeys.made(
                asked.credential, challenge, asked.label, call.now_ms
            )

        def kept(sql: Connection) -> Result:
            if made is None:
                return refused(refusals.BadMessage(WRONG_PASSKEY))
            if len(passkeys.of_account(sql, mine.id)) >= passkeys.PER_ACCOUNT_MAX:
                return taken(f"An account has at most {passkeys.PER_ACCOUNT_MAX} passkeys.")
            if not passkeys.keep(sql, made):
                return taken("This passkey is known already.")
            return _passkey_view(made)

        return await self._changes.once(call, "add_passkey", kept, of=mine.id)

    async def remove_passkey(self, call: Call) -> Response:
        """One that is lost signs nobody in any more."""
        mine, _ = _person(call)
        wanted = call.named("passkey")

        def removed(sql: Connection) -> Result:
            known = [one.id for one in passkeys.of_account(sql, mine.id)]
            if wanted not in known:
                return refused(refusals.NotFound())
            if known == [wanted] and not mine.password:
                return taken(LAST_PROOF)
            passkeys.remove(sql, mine.id, wanted)
            return Gone(wanted)

        return await self._changes.once(call, "remove_passkey", removed, of=mine.id)

    async def new_mail(self, call: Call) -> Response:
        """Say where I am reached: a link that confirms it is sent there."""
        asked = call.read(NewMail)
        mine, _ = _person(call)
        address = asked.address.strip()
        try:
            mail_address.check(address)
        except ValueError:
            return refused(refusals.BadMessage(NO_ADDRESS))

        def wanted(sql: Connection) -> Result:
            since_ms = call.now_ms - HOUR_MS
            whose = makers_letters.whose(mine.id)
            written = outbox.written_since(sql, whose, LetterKind.CONFIRM, since_ms)
            if written >= CONFIRMS_AN_HOUR_MAX:
                return refused(refusals.TooManyRequests(HOUR_MS), title=TOO_MANY_LETTERS)
            secret = account_mails.want(sql, mine.id, address, call.now_ms)
            letter = makers_letters.confirm(
                mine.id, mine.name, address, secret, self._origin, call.now_ms
            )
            outbox.put(sql, letter)
            return mail_view(sql, mine.id)

        return await self._changes.once(call, "set_mail", wanted, of=mine.id)

    async def remove_mail(self, call: Call) -> Response:
        """No letter reaches me any more."""
        mine, _ = _person(call)

        def removed(sql: Connection) -> Result:
            had = account_mails.remove(sql, mine.id)
            outbox.end(sql, call.now_ms, MAILS.c.whose == makers_letters.whose(mine.id))
            if had:
                of = Confirmed(mine.id, mine.name, "", had)
                outbox.put(sql, makers_letters.changed(of, self._origin, call.now_ms))
            return mail_view(sql, mine.id)

        return await self._changes.once(call, "remove_mail", removed, of=mine.id)

    async def hear_alarms(self, call: Call) -> Response:
        """Whether I am told of alarms by mail."""
        asked = call.read(HearAlarms)
        mine, _ = _person(call)

        def heard(sql: Connection) -> Result:
            account_mails.hear(sql, mine.id, alarms=asked.alarms)
            return mail_view(sql, mine.id)

        return await self._changes.once(call, "hear_alarms", heard, of=mine.id)

    async def sessions(self, call: Call) -> Response:
        """Where I am signed in."""
        mine, session = _person(call)
        found = await self._database.read(
            lambda sql: sessions.of_account(sql, mine.id, call.now_ms)
        )
        return told([_session_view(one, session.id) for one in found])

    async def end_session(self, call: Call) -> Response:
        """Sign out another browser of mine, or this one."""
        mine, _ = _person(call)
        wanted = call.named("session")

        def ended(sql: Connection) -> Result:
            if not sessions.end(sql, mine.id, wanted):
                return refused(refusals.NotFound())
            return Gone(wanted)

        return await self._changes.once(call, "end_session", ended, of=wanted)

    async def end_others(self, call: Call) -> Response:
        """Sign out everywhere but here."""
        mine, session = _person(call)

        def ended(sql: Connection) -> Result:
            accounts.end_sessions(sql, mine.id, but=session.id)
            return Gone(session.id)

        return await self._changes.once(call, "end_sessions", ended, of=mine.id)

    async def accept(self, call: Call) -> Response:
        """Take up an invitation with an account that is there."""
        asked = call.read(AcceptInvitation)
        mine, _ = _person(call)

        def accepted(sql: Connection) -> Result:
            link = links.find(sql, asked.token, call.now_ms)
            if link is None or link.kind is not Kind.INVITE:
                return refused(refusals.NotFound(), title=LINK_OVER)
            maker = makers.by_id(sql, link.maker)
            if maker is None or not links.spend(sql, link.id, call.now_ms):
                return refused(refusals.NotFound(), title=LINK_OVER)
            # Whoever is more at the maker stays what he is.
            before = makers.role(sql, maker.id, mine.id)
            role = max(before or Role(link.role), Role(link.role), key=lambda one: one.may)
            makers.join(sql, maker.id, mine.id, role, call.now_ms)
            return maker_view(maker, role.may)

        return await self._changes.once(call, "accept_invitation", accepted, of=mine.id)


def _person(call: Call) -> tuple[Account, Session]:
    account, session = call.caller.account, call.caller.session
    assert account is not None, "the row of this door lets only persons in"
    assert session is not None, "a person has a session"
    return account, session


def mail_view(sql: Connection, account: str) -> MailView:
    """How an account is reached, and what became of the last letter to it."""
    known = account_mails.of(sql, account)
    last = outbox.newest(sql, makers_letters.whose(account))
    fate = ("", "") if last is None else (last.state.value, last.said)
    return MailView(known.address, known.wanted, known.alarms, *fate)


def _passkey_view(one: Passkey) -> PasskeyView:
    return PasskeyView(one.id, one.label, one.created_ms, one.used_ms)


def _session_view(one: Session, mine: str) -> SessionView:
    seen = (one.network, one.browser, one.how, one.since_ms, one.seen_ms)
    return SessionView(one.id, *seen, one.id == mine)
