"""Who stands in the line of a drop, out of the books, which are a moment behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Select, select

from dropengine.model import DropId, FanId
from dropengine.sql.schema.ledger import ENTRIES

AT_ONCE: Final = 500
"""Numbers in one question: engines bound how much one may say."""


def everybody(sql: Connection, drop: DropId) -> list[FanId]:
    """Whose entry is open, each once, in the order of joining."""
    asked = _open(drop).order_by(ENTRIES.c.joined_ms, ENTRIES.c.entry)
    return [*dict.fromkeys(FanId(row.fan) for row in sql.execute(asked))]


def numbered(sql: Connection, drop: DropId, numbers: Sequence[int]) -> dict[int, FanId]:
    """Whose open entry has one of these arrival numbers, at most `AT_ONCE`."""
    # In a list that chance has not ordered yet nobody has one: all are 0.
    asked = _open(drop).where(ENTRIES.c.n.in_(numbers[:AT_ONCE]), ENTRIES.c.n > 0)
    return {row.n: FanId(row.fan) for row in sql.execute(asked)}


def numbers_of(sql: Connection, drop: DropId, fans: Sequence[FanId]) -> dict[FanId, int]:
    """The arrival number of the newest entry of each, at most `AT_ONCE`; 0 while it has none."""
    asked = select(ENTRIES.c.fan, ENTRIES.c.n).where(
        ENTRIES.c.drop_id == drop, ENTRIES.c.fan.in_([*fans][:AT_ONCE])
    )
    rows = sql.execute(asked.order_by(ENTRIES.c.joined_ms, ENTRIES.c.n))
    return {FanId(row.fan): row.n for row in rows}


def _open(drop: DropId) -> Select[tuple[str, int]]:
    return select(ENTRIES.c.fan, ENTRIES.c.n).where(
        ENTRIES.c.drop_id == drop, ENTRIES.c.ended_ms == 0
    )
