"""The letters that a shop of a test owes, as its readers would have them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select

from dropengine.mail import outbox
from dropengine.mail.letter import Letter
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS

FAR_MS = 10**15


async def owed(database: Database, to: str = "") -> list[Letter]:
    """Those that wait, the oldest first: to somebody, or all."""
    found = await database.read(lambda sql: outbox.due(sql, FAR_MS))
    mine = [one for one in found if to in ("", one.to)]
    return sorted(mine, key=lambda one: (one.written_ms, one.id))


def link_in(letter: Letter) -> str:
    """The path of the first address of the shop in it."""
    found = re.search(r"^https?://[^/\s]+(/\S+)$", letter.words, re.MULTILINE)
    assert found is not None, letter.words
    return found[1]


async def states(database: Database) -> Sequence[tuple[str, str]]:
    """Reader and state of each letter."""
    asked = select(MAILS.c.reader, MAILS.c.state).order_by(MAILS.c.written_ms, MAILS.c.id)
    return await database.read(lambda sql: [(r.reader, r.state) for r in sql.execute(asked)])
