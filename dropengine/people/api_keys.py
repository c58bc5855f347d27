"""API keys: how a program of a maker proves itself. Shown once, kept as a hash.

A key reads `dropkey_<scope>_<secret>`, so that people and scanners know one when they see it.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from dropengine.people import tokens
from dropengine.people.roles import Scope
from dropengine.sql.schema.people import API_KEYS

PREFIX = "dropkey_"
USED_EACH_MS = 300_000
PER_MAKER_MAX = 50


class ApiKey(msgspec.Struct, frozen=True):
    """`by`: the name of the account that made it."""

    id: str
    maker: str
    label: str
    scope: Scope
    by: str
    created_ms: int
    used_ms: int


def make(
    sql: Connection, maker: str, label: str, scope: Scope, by: str, now_ms: int
) -> tuple[ApiKey, str]:
    """A new key, and its text, which nobody sees again."""
    secret = f"{PREFIX}{scope}_{tokens.new()}"
    key = ApiKey(tokens.new_id(), maker, label, scope, by, now_ms, 0)
    row = msgspec.structs.asdict(key) | {"token": tokens.hashed(secret)}
    sql.execute(insert(API_KEYS).values(row))
    return key, secret


def find(sql: Connection, secret: str) -> ApiKey | None:
    """The key of a text."""
    if not secret.startswith(PREFIX):
        return None
    row = sql.execute(select(API_KEYS).where(API_KEYS.c.token == tokens.hashed(secret))).first()
    return None if row is None else msgspec.convert(row, ApiKey, from_attributes=True)


def used(sql: Connection, key: str, now_ms: int) -> None:
    """It was used."""
    sql.execute(update(API_KEYS).where(API_KEYS.c.id == key).values(used_ms=now_ms))


def of_maker(sql: Connection, maker: str) -> list[ApiKey]:
    """Every key of a maker, the newest first."""
    rows = sql.execute(
        select(API_KEYS)
        .where(API_KEYS.c.maker == maker)
        .order_by(API_KEYS.c.created_ms.desc(), API_KEYS.c.id)
    )
    return [msgspec.convert(row, ApiKey, from_attributes=True) for row in rows]


def revoke(sql: Connection, maker: str, key: str) -> bool:
    """It proves nothing any more; False when the maker has none of this id."""
    gone = sql.execute(delete(API_KEYS).where(API_KEYS.c.maker == maker, API_KEYS.c.id == key))
    return gone.rowcount > 0
