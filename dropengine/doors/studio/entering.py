"""Who stands at a creator's door, and may he enter: sessions, API keys, and their rows of the
table."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from dropengine import refusals
from dropengine.doors.access import Row, Who
from dropengine.doors.page_writer import names_drop
from dropengine.people import accounts, api_keys, drafts, makers, sessions
from dropengine.people.accounts import Account
from dropengine.people.api_keys import ApiKey
from dropengine.people.makers import Maker
from dropengine.people.roles import May
from dropengine.people.sessions import Session

ID_DIGITS = 6
"""So much of a key's id stands behind its label: two keys may be called alike."""

NEEDED = {Who.READ: May.READ, Who.RUN: May.RUN, Who.MANAGE: May.MANAGE, Who.OWNER: May.MANAGE}


class Caller(msgspec.Struct, frozen=True):
    """A person with a session, or a program with a key. `makers`: where he may do how much, the
    oldest maker first."""

    account: Account | None
    session: Session | None
    api_key: ApiKey | None
    makers: dict[str, tuple[Maker, May]]

    @property
    def id(self) -> str:
        """Under which his changes are known."""
        if self.account is not None:
            return self.account.id
        assert self.api_key is not None, "nobody is no caller"
        return self.api_key.id

    @property
    def by(self) -> str:
        """What he signs with."""
        if self.account is not None:
            return self.account.name
        assert self.api_key is not None, "nobody is no caller"
        return f"key {self.api_key.label} {self.api_key.id[:ID_DIGITS]}"


class Entered(msgspec.Struct, frozen=True):
    """`maker`: of the address, None where it names none."""

    caller: Caller
    maker: Maker | None


def identify(
    sql: Connection, bearer: str | None, session_secret: str, now_ms: int
) -> Caller | None:
    """Who shows this. bearer: of a program, None where it shows none; else a session counts."""
    if bearer is not None:
        key = api_keys.find(sql, bearer)
        maker = None if key is None else makers.by_id(sql, key.maker)
        if key is None or maker is None:
            return None
        return Caller(None, None, key, {maker.id: (maker, key.scope.may)})
    session = sessions.find(sql, session_secret, now_ms) if session_secret else None
    account = None if session is None else accounts.by_id(sql, session.account)
    if account is None:
        return None
    belongs = {one.id: (one, role.may) for one, role in makers.of_account(sql, account.id)}
    return Caller(account, session, None, belongs)


def enter(
    sql: Connection, row: Row, named: Mapping[str, str], caller: Caller | None
) -> Entered | refusals.Refusal:
    """May he enter? named: the parts of the address. What is none and what is another's are one."""
    if caller is None:
        return refusals.SignIn()
    if row.who is Who.PERSON:
        return Entered(caller, None) if caller.account is not None else refusals.NotEligible()
    if row.who is Who.CREATOR:
        return Entered(caller, None)
    wanted = _maker(sql, named)
    maker, may = caller.makers.get(wanted or "", (None, None))
    if maker is None or may is None:
        return refusals.NotFound()
    if may < NEEDED[row.who] or (row.who is Who.OWNER and caller.account is None):
        return refusals.NotEligible()
    return Entered(caller, maker)


def stale(row: Row, caller: Caller, now_ms: int, proof_s_max: int) -> bool:
    """Must he first prove again that it is he? Whoever does gets a new session, so its beginning is
    his last proof. A key proves itself each time."""
    session = caller.session
    return row.fresh and session is not None and now_ms - session.since_ms > proof_s_max * 1000


def _maker(sql: Connection, named: Mapping[str, str]) -> str | None:
    """Whose the thing of an address is."""
    if "drop" in named:
        return makers.whose(sql, named["drop"]) if names_drop(named["drop"]) else None
    return drafts.maker_of(sql, named["draft"]) if "draft" in named else named["maker"]
