"""Sessions: a browser that somebody signed in with. Each sign-in makes a new one under a new
secret, so that nobody can have laid one ready for it.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.people import SESSIONS

DAYS = 30
"""One that is not used for so long is over."""
LIFE_MS = DAYS * 86_400_000
SEEN_EACH_MS = 300_000
"""Use is noted at most this often: reading must not become writing."""
PER_ACCOUNT_MAX = 100
BROWSER_CHARS_MAX = 160


class Session(msgspec.Struct, frozen=True):
    """`network`, `browser`: where it was begun. `how`: password, passkey or link."""

    id: str
    account: str
    network: str
    browser: str
    how: str
    since_ms: int
    seen_ms: int


class Place(msgspec.Struct, frozen=True):
    """Where somebody signs in: his network as people write it, and what his browser calls
    itself."""

    network: str
    browser: str


def begin(sql: Connection, account: str, where: Place, how: str, now_ms: int) -> tuple[str, str]:
    """A new session: its id, and the secret for the browser's cookie."""
    secret, session = tokens.new(), tokens.new_id()
    row = {
        "id": session,
        "token": tokens.hashed(secret),
        "account": account,
        "network": where.network,
        "browser": where.browser[:BROWSER_CHARS_MAX],
        "how": how,
        "since_ms": now_ms,
        "seen_ms": now_ms,
    }
    sql.execute(delete(SESSIONS).where(SESSIONS.c.seen_ms < now_ms - LIFE_MS))
    sql.execute(insert(SESSIONS).values(row))
    for old in of_account(sql, account, now_ms)[PER_ACCOUNT_MAX:]:
        end(sql, account, old.id)
    return session, secret


def find(sql: Connection, secret: str, now_ms: int) -> Session | None:
    """The session that a cookie proves; None when it is over."""
    row = sql.execute(select(SESSIONS).where(SESSIONS.c.token == tokens.hashed(secret))).first()
    if row is None or row.seen_ms < now_ms - LIFE_MS:
        return None
    return msgspec.convert(row, Session, from_attributes=True)


def seen(sql: Connection, session: str, now_ms: int) -> None:
    """It was used."""
    sql.execute(update(SESSIONS).where(SESSIONS.c.id == session).values(seen_ms=now_ms))


def of_account(sql: Connection, account: str, now_ms: int) -> list[Session]:
    """Where somebody is signed in, what was used last first."""
    alive = (SESSIONS.c.account == account, SESSIONS.c.seen_ms >= now_ms - LIFE_MS)
    rows = sql.execute(
        select(SESSIONS).where(*alive).order_by(SESSIONS.c.seen_ms.desc(), SESSIONS.c.id)
    )
    return [msgspec.convert(row, Session, from_attributes=True) for row in rows]


def end(sql: Connection, account: str, session: str) -> bool:
    """Sign out one session of an account; False when it has none of this id."""
    ended = sql.execute(
        delete(SESSIONS).where(SESSIONS.c.account == account, SESSIONS.c.id == session)
    )
    return ended.rowcount > 0


def end_by_secret(sql: Connection, secret: str) -> None:
    """What a browser brings along is over."""
    sql.execute(delete(SESSIONS).where(SESSIONS.c.token == tokens.hashed(secret)))
