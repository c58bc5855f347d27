"""Addresses of accounts: one each, and only what its owner confirmed there counts."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from dropengine import mail_address
from dropengine.people import tokens
from dropengine.people.roles import May, Role
from dropengine.sql.schema.people import ACCOUNT_MAILS, ACCOUNTS, MEMBERS

LIFE_MS = 24 * 3_600_000
"""So long an address can be confirmed."""
PAGE = "/studio/mail/"
ACCOUNTS_MAX = 5
"""So many accounts of one address are written to by one wish."""


class AccountMail(msgspec.Struct, frozen=True):
    """`address`: confirmed, or ''. `wanted`: not confirmed yet, or ''. `alarms`: does it want to be
    told of them? `zone`: by whose clocks it is told times, '' where that is not known."""

    account: str
    address: str = ""
    wanted: str = ""
    alarms: bool = True
    zone: str = ""


class Named(msgspec.Struct, frozen=True):
    """An account with where it is reached, and by whose clocks it is told times."""

    account: str
    name: str
    address: str
    zone: str = ""


class Confirmed(msgspec.Struct, frozen=True):
    """`before`: the address that it had, or ''."""

    account: str
    name: str
    address: str
    before: str


def of(sql: Connection, account: str) -> AccountMail:
    """How this account is reached."""
    row = sql.execute(select(ACCOUNT_MAILS).where(ACCOUNT_MAILS.c.account == account)).first()
    if row is None:
        return AccountMail(account)
    return AccountMail(account, row.address, row.wanted, bool(row.alarms), row.zone)


def want(sql: Connection, account: str, address: str, now_ms: int) -> str:
    """The account says that this is its address. Returns the secret that confirms it.

    Raises ValueError for what is none. One that waited before is forgotten.
    """
    mail_address.check(address)
    secret = tokens.new()
    change = {"wanted": address, "token": tokens.hashed(secret), "ends_ms": now_ms + LIFE_MS}
    _keep(sql, account, change)
    return secret


def waiting(sql: Connection, secret: str, now_ms: int) -> Confirmed | None:
    """What this secret would confirm. Looking changes nothing: programs follow links too."""
    asked = (
        select(ACCOUNT_MAILS, ACCOUNTS.c.name)
        .join(ACCOUNTS, ACCOUNTS.c.id == ACCOUNT_MAILS.c.account)
        .where(
            ACCOUNT_MAILS.c.token == tokens.hashed(secret),
            ACCOUNT_MAILS.c.wanted != "",
            ACCOUNT_MAILS.c.ends_ms > now_ms,
        )
    )
    row = sql.execute(asked).first()
    return None if row is None else Confirmed(row.account, row.name, row.wanted, row.address)


def confirm(sql: Connection, secret: str, now_ms: int) -> Confirmed | None:
    """The address counts from now on."""
    found = waiting(sql, secret, now_ms)
    if found is not None:
        change = {"address": found.address, "wanted": "", "token": "", "ends_ms": 0}
        _keep(sql, found.account, change)
    return found


def remove(sql: Connection, account: str) -> str:
    """The account is reached nowhere any more. Returns the address it had, or ''."""
    had = of(sql, account).address
    sql.execute(delete(ACCOUNT_MAILS).where(ACCOUNT_MAILS.c.account == account))
    return had


def hear(sql: Connection, account: str, *, alarms: bool) -> None:
    """Whether it wants to be told of alarms."""
    _keep(sql, account, {"alarms": int(alarms)})


def lives(sql: Connection, account: str, zone: str) -> None:
    """By whose clocks it is told times from now on, where it is reached at all."""
    here = ACCOUNT_MAILS.c.account == account
    sql.execute(update(ACCOUNT_MAILS).where(here).values(zone=zone))


def at(sql: Connection, address: str) -> list[Named]:
    """The accounts that confirmed this address, large and small letters alike."""
    here = (
        ACCOUNT_MAILS.c.address != "",
        func.lower(ACCOUNT_MAILS.c.address) == address.strip().lower(),
    )
    return _named(sql, *here)[:ACCOUNTS_MAX]


def who_hears(sql: Connection, maker: str) -> list[Named]:
    """Who is told of an alarm: who may run drops, of this maker or, with '', of any."""
    runs = [role for role in Role if role.may >= May.RUN]
    members = select(MEMBERS.c.account).where(MEMBERS.c.role.in_(runs))
    if maker:
        members = members.where(MEMBERS.c.maker == maker)
    here = (ACCOUNT_MAILS.c.address != "", ACCOUNT_MAILS.c.alarms == 1)
    return _named(sql, *here, ACCOUNT_MAILS.c.account.in_(members))


def _named(sql: Connection, *which: object) -> list[Named]:
    asked = (
        select(ACCOUNT_MAILS, ACCOUNTS.c.name)
        .join(ACCOUNTS, ACCOUNTS.c.id == ACCOUNT_MAILS.c.account)
        .where(*which)  # type: ignore[arg-type]
        .order_by(ACCOUNT_MAILS.c.account)
    )
    return [Named(row.account, row.name, row.address, row.zone) for row in sql.execute(asked)]


def _keep(sql: Connection, account: str, change: dict[str, object]) -> None:
    here = ACCOUNT_MAILS.c.account == account
    if sql.execute(update(ACCOUNT_MAILS).where(here).values(change)).rowcount:
        return
    row = {"account": account, "address": "", "wanted": "", "token": "", "ends_ms": 0, "alarms": 1}
    sql.execute(insert(ACCOUNT_MAILS).values(row | change))
