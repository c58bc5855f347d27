"""Accounts: somebody who signs in, by a name and what proves him."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from dropengine.people import names
from dropengine.sql.schema.people import ACCOUNTS, NETWORKS, SESSIONS

NETWORKS_MAX = 50
"""So many networks of one account are remembered, the newest."""


class Account(msgspec.Struct, frozen=True):
    """`password`: its hash, or ''."""

    id: str
    name: str
    password: str
    created_ms: int


def _account(row: object) -> Account | None:
    return None if row is None else msgspec.convert(row, Account, from_attributes=True)


def by_name(sql: Connection, name: str) -> Account | None:
    """Whoever is called so."""
    where = ACCOUNTS.c.name == names.folded(name)
    return _account(sql.execute(select(ACCOUNTS).where(where)).first())


def by_id(sql: Connection, account: str) -> Account | None:
    """Whoever has this id."""
    return _account(sql.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account)).first())


def count(sql: Connection) -> int:
    """How many there are."""
    return sql.execute(select(func.count()).select_from(ACCOUNTS)).scalar_one()


def make(sql: Connection, account: str, name: str, password: str, now_ms: int) -> bool:
    """A new account; False when the name is taken. password: its hash, or ''."""
    folded = names.folded(name)
    if names.taken_by_shop(folded) or by_name(sql, folded) is not None:
        return False
    row = {"id": account, "name": folded, "password": password, "created_ms": now_ms}
    sql.execute(insert(ACCOUNTS).values(row))
    return True


def set_password(sql: Connection, account: str, password: str) -> None:
    """password: its hash, or '' for none."""
    sql.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(password=password))


def end_sessions(sql: Connection, account: str, but: str = "") -> int:
    """Sign an account out everywhere, but for one session; how many ended."""
    ended = sql.execute(delete(SESSIONS).where(SESSIONS.c.account == account, SESSIONS.c.id != but))
    return ended.rowcount


def knows_network(sql: Connection, account: str, network: str) -> bool:
    """Has the account signed in from there?"""
    found = select(NETWORKS.c.seen_ms).where(
        NETWORKS.c.account == account, NETWORKS.c.network == network
    )
    return sql.execute(found).first() is not None


def learn_network(sql: Connection, account: str, network: str, now_ms: int) -> None:
    """The account has signed in from there."""
    here = (NETWORKS.c.account == account, NETWORKS.c.network == network)
    known = sql.execute(update(NETWORKS).where(*here).values(seen_ms=now_ms))
    if known.rowcount:
        return
    row = {"account": account, "network": network, "seen_ms": now_ms}
    sql.execute(insert(NETWORKS).values(row))
    newest = (
        select(NETWORKS.c.network)
        .where(NETWORKS.c.account == account)
        .order_by(NETWORKS.c.seen_ms.desc())
        .limit(NETWORKS_MAX)
    )
    kept = [*sql.execute(newest).scalars()]
    sql.execute(
        delete(NETWORKS).where(NETWORKS.c.account == account, NETWORKS.c.network.not_in(kept))
    )
