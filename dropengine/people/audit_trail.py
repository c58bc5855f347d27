"""The audit trail: every change that somebody makes, written down before it is tried."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.people import AUDIT

PAGE_MAX = 100
DONE = "done"
REPEATED = "repeated"
"""Its key had come before, and nothing was done by it."""


class AuditRow(msgspec.Struct, frozen=True):
    """`what`: the verb, `of`: of which drop, account or thing. `why`: as who did it said.
    `outcome`: done, repeated, or the code of a refusal; '' where nobody knows whether it was."""

    id: str
    at_ms: int
    maker: str
    account: str
    api_key: str
    by: str
    network: str
    what: str
    of: str
    why: str
    outcome: str


def write(sql: Connection, row: AuditRow) -> None:
    """Before it is tried."""
    sql.execute(insert(AUDIT).values(msgspec.structs.asdict(row)))


def conclude(sql: Connection, row: str, outcome: str) -> None:
    """How it ended."""
    sql.execute(update(AUDIT).where(AUDIT.c.id == row).values(outcome=outcome))


def page(sql: Connection, maker: str, before: str = "") -> list[AuditRow]:
    """What was done at a maker, the newest first. before: the id of the last row that was seen."""
    wanted = select(AUDIT).where(AUDIT.c.maker == maker)
    if before:
        wanted = wanted.where(AUDIT.c.id < before)
    rows = sql.execute(wanted.order_by(AUDIT.c.id.desc()).limit(PAGE_MAX))
    return [msgspec.convert(row, AuditRow, from_attributes=True) for row in rows]


def new_id(at_ms: int) -> str:
    """Ids rise with time."""
    return f"{at_ms:012x}{tokens.new_id()}"
