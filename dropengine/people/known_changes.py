"""What was answered to a change under its key: a change that arrives twice happens once.

The answer stands in the transaction of the change. Secrets do not stand in it: they are shown once.
"""

from __future__ import annotations

import hmac

import msgspec
from sqlalchemy import Connection, delete, insert, select

from dropengine.sql.schema.people import CHANGES

KEPT_MS = 24 * 3_600_000


class Answered(msgspec.Struct, frozen=True):
    """`asked`: the hash of what was asked."""

    asked: str
    status: int
    answer: bytes


def asked(secret: bytes, what: str, body: bytes) -> str:
    """What tells one change from another: of its verb, where it goes, its body. With the shop's
    secret, for a body may hold a password, which no hash without one hides."""
    return hmac.digest(secret, what.encode() + b"\n" + body, "sha256").hex()


def find(sql: Connection, who: str, key: str, now_ms: int) -> Answered | None:
    """What was answered under this key."""
    here = (CHANGES.c.who == who, CHANGES.c.key == key, CHANGES.c.at_ms > now_ms - KEPT_MS)
    row = sql.execute(select(CHANGES).where(*here)).first()
    return None if row is None else msgspec.convert(row, Answered, from_attributes=True)


def keep(sql: Connection, who: str, key: str, answered: Answered, now_ms: int) -> None:
    """Answer the same when the key comes again."""
    sql.execute(delete(CHANGES).where(CHANGES.c.at_ms <= now_ms - KEPT_MS))
    row = msgspec.structs.asdict(answered) | {"who": who, "key": key, "at_ms": now_ms}
    sql.execute(insert(CHANGES).values(row))
