"""Signing in by a letter: a link for whichever browser opens it, and a code for the one that asked.

Both are good once and for minutes. Looking at a link spends nothing, for mail programs look too. A
code counts only with the secret of the browser that asked, and only few tries: whoever asked
elsewhere for the same address can neither use it nor use it up.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select, update

from dropengine.people import tokens
from dropengine.people.addresses import Address
from dropengine.sql.schema.persons import SIGN_INS

MINUTES: Final = 15
LIFE_MS: Final = MINUTES * 60_000
CODE_DIGITS: Final = 6
TRIES_MAX: Final = 5
"""Wrong codes of one letter."""
PER_BROWSER_MAX: Final = 3
"""Letters whose codes one browser may wait for: a late one may be overtaken by the next."""
BACK_CHARS_MAX: Final = 200


class SignIn(msgspec.Struct, frozen=True):
    """Of whoever asked. `normal`: the name of his mailbox. `back`: where he came from. `tries`:
    wrong codes."""

    id: str
    normal: str
    address: str
    back: str
    ends_ms: int
    tries: int = 0

    @property
    def used_up(self) -> bool:
        """Its code was guessed at too often."""
        return self.tries >= TRIES_MAX


class Asked(NamedTuple):
    """What the letter says, and the secret that the browser keeps."""

    sign_in: SignIn
    token: str
    code: str


def ask(
    sql: Connection, browser: str, normal: str, address: Address, back: str, now_ms: int
) -> Asked:
    """Somebody wants to sign in. browser: its secret."""
    token, code = tokens.new(), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    made = SignIn(tokens.new_id(), normal, address.mail, back[:BACK_CHARS_MAX], now_ms + LIFE_MS)
    here = tokens.hashed(browser)
    sql.execute(delete(SIGN_INS).where(SIGN_INS.c.ends_ms <= now_ms))
    kept = select(SIGN_INS.c.id).where(SIGN_INS.c.browser == here)
    older = sql.execute(kept.order_by(SIGN_INS.c.ends_ms.desc(), SIGN_INS.c.id)).scalars().all()
    sql.execute(delete(SIGN_INS).where(SIGN_INS.c.id.in_(older[PER_BROWSER_MAX - 1 :])))
    row = msgspec.structs.asdict(made) | {
        "browser": here,
        "token": tokens.hashed(token),
        "code": _hidden(browser, code),
        "tries": 0,
    }
    sql.execute(SIGN_INS.insert().values(row))
    return Asked(made, token, code)


def waits(sql: Connection, browser: str, now_ms: int) -> SignIn | None:
    """The newest letter whose code a browser may still type."""
    return _newest(sql, now_ms, SIGN_INS.c.browser == tokens.hashed(browser), _tries_left())


def asked_last(sql: Connection, browser: str, now_ms: int) -> SignIn | None:
    """The newest letter that a browser asked for, used up or not."""
    return _newest(sql, now_ms, SIGN_INS.c.browser == tokens.hashed(browser))


def by_token(sql: Connection, token: str, now_ms: int) -> SignIn | None:
    """Whose link this is, while it may be used."""
    return _newest(sql, now_ms, SIGN_INS.c.token == tokens.hashed(token))


def by_code(
    sql: Connection, browser: str, code: str, now_ms: int, *, tries: int = TRIES_MAX
) -> SignIn | None:
    """Whose code this is; None counts as a try at each letter that the browser waits for. tries:
    of a letter whose code still counts."""
    here = (SIGN_INS.c.browser == tokens.hashed(browser), SIGN_INS.c.ends_ms > now_ms)
    rows = sql.execute(select(SIGN_INS).where(*here, SIGN_INS.c.tries < tries)).all()
    wanted = _hidden(browser, code)
    for row in rows:
        if hmac.compare_digest(row.code, wanted):
            return msgspec.convert(row, SignIn, from_attributes=True)
    sql.execute(update(SIGN_INS).where(*here).values(tries=SIGN_INS.c.tries + 1))
    return None


def spend(sql: Connection, sign_in: SignIn) -> bool:
    """Use it up, and whatever else its browser waits for; False when somebody else was first."""
    here = SIGN_INS.c.id == sign_in.id
    browser = sql.execute(select(SIGN_INS.c.browser).where(here)).scalar()
    if sql.execute(delete(SIGN_INS).where(here)).rowcount == 0:
        return False
    sql.execute(
        delete(SIGN_INS).where(SIGN_INS.c.browser == browser, SIGN_INS.c.normal == sign_in.normal)
    )
    return True


def _tries_left() -> ColumnElement[bool]:
    return SIGN_INS.c.tries < TRIES_MAX


def _newest(sql: Connection, now_ms: int, *which: ColumnElement[bool]) -> SignIn | None:
    asked = select(SIGN_INS).where(*which, SIGN_INS.c.ends_ms > now_ms)
    row = sql.execute(asked.order_by(SIGN_INS.c.ends_ms.desc(), SIGN_INS.c.id)).first()
    return None if row is None else msgspec.convert(row, SignIn, from_attributes=True)


def _hidden(browser: str, code: str) -> str:
    # A code alone is guessed from its hash in no time: the browser's secret hides it.
    return hmac.digest(browser.encode(), code.encode(), "sha256").hex()
