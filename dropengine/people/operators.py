"""Who commands, as logs call him: a word that is made with the shop's secret, so that a published
log tells that the same person did two things, and not who he is. Names stand here alone.
"""

from __future__ import annotations

import hmac

from sqlalchemy import Connection, delete, insert, select

from dropengine.sql.log_rows import Reads
from dropengine.sql.schema.people import OPERATORS

WORD_BYTES = 8


def word(secret: bytes, who: str) -> str:
    """who: the id of an account or a key, or whoever works on the shop's machine."""
    return f"o{hmac.digest(secret, f'operator {who}'.encode(), 'sha256')[:WORD_BYTES].hex()}"


def on_machine(name: str) -> str:
    """Somebody of the shop's machine, as no account is called."""
    return f"machine {name}"


def remember(sql: Connection, word: str, name: str, account: str = "") -> None:
    """He is called so from now on. account: '' without one."""
    known = sql.execute(select(OPERATORS).where(OPERATORS.c.word == word)).first()
    if known is not None and (known.name, known.account) == (name, account):
        return
    sql.execute(delete(OPERATORS).where(OPERATORS.c.word == word))
    sql.execute(insert(OPERATORS).values(word=word, name=name, account=account))


def names(sql: Connection) -> dict[str, str]:
    """Word -> name, of everybody who ever commanded."""
    rows = sql.execute(select(OPERATORS.c.word, OPERATORS.c.name))
    return {row.word: row.name for row in rows}


class Names:
    """`all` is what `OperatorNames.in_sql` asks."""

    def __init__(self, database: Reads) -> None:
        self._database = database

    async def all(self) -> dict[str, str]:
        """See `names`. Raises DatabaseAway."""
        found: dict[str, str] = await self._database.read(names)
        return found
