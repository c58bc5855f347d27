"""What people note of orders: handed over or not, and a note."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select

from dropengine.sql.schema.orders import HANDOVERS, ORDER_NOTES

NOTE_CHARS_MAX = 1_000


class Care(msgspec.Struct, frozen=True):
    """Of one order. `handed_ms` 0: its fan does not have it yet."""

    handed_ms: int = 0
    handed_by: str = ""
    note: str = ""
    noted_ms: int = 0
    noted_by: str = ""


def hand_over(sql: Connection, drop: str, hold: str, by: str, now_ms: int) -> None:
    """Its fan has it. Whoever handed it over first stays."""
    here = (HANDOVERS.c.drop_id == drop, HANDOVERS.c.hold == hold)
    if sql.execute(select(HANDOVERS.c.by).where(*here)).first() is None:
        row = {"drop_id": drop, "hold": hold, "at_ms": now_ms, "by": by}
        sql.execute(insert(HANDOVERS).values(row))


def take_back(sql: Connection, drop: str, hold: str) -> None:
    """It was not handed over after all."""
    sql.execute(delete(HANDOVERS).where(HANDOVERS.c.drop_id == drop, HANDOVERS.c.hold == hold))


def note(sql: Connection, drop: str, hold: str, text: str, by: str, now_ms: int) -> None:
    """The note of an order from now on; '' for none."""
    here = (ORDER_NOTES.c.drop_id == drop, ORDER_NOTES.c.hold == hold)
    sql.execute(delete(ORDER_NOTES).where(*here))
    if text:
        row = {"drop_id": drop, "hold": hold, "text": text, "at_ms": now_ms, "by": by}
        sql.execute(insert(ORDER_NOTES).values(row))


def of_orders(sql: Connection, drop: str, holds: Sequence[str] | None = None) -> dict[str, Care]:
    """Order -> what is noted of it, where anything is. holds: of these, None for all of a drop."""
    found: dict[str, Care] = {}
    for table in (HANDOVERS, ORDER_NOTES):
        asked = select(table).where(table.c.drop_id == drop)
        if holds is not None:
            asked = asked.where(table.c.hold.in_(holds))
        for row in sql.execute(asked):
            known = found.get(row.hold, Care())
            more = (
                {"handed_ms": row.at_ms, "handed_by": row.by}
                if table is HANDOVERS
                else {"note": row.text, "noted_ms": row.at_ms, "noted_by": row.by}
            )
            found[row.hold] = msgspec.structs.replace(known, **more)
    return found
