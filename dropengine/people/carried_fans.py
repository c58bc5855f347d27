"""Who the fans of one drop are in another: by their persons, for each has another name in each
drop, and no list ties the two together."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from dropengine.model import DropId, FanId
from dropengine.people.tickets import pseudonym
from dropengine.sql.schema.persons import ERASED, PERSONS


class Known(list[tuple[bytes, str, str]]):
    """Of each person: his key, and who he was in the old and in the new drop before he erased
    himself, '' for what his key says."""


def known(sql: Connection, old: DropId, new: DropId) -> Known:
    """Everybody of the shop, to be looked through elsewhere: SQL waits for no arithmetic."""
    was: dict[tuple[str, str], str] = {}
    asked: Any = select(ERASED.c.normal, ERASED.c.drop_id, ERASED.c.fan)
    for row in sql.execute(asked.where(ERASED.c.drop_id.in_((old, new)))):
        was[row.normal, row.drop_id] = row.fan
    rows = sql.execute(select(PERSONS.c.key, PERSONS.c.normal))
    return Known(
        (bytes(row.key), was.get((row.normal, old), ""), was.get((row.normal, new), ""))
        for row in rows
    )


def fans_in(people: Known, old: DropId, new: DropId, fans: Collection[FanId]) -> dict[FanId, FanId]:
    """Fan of the old drop -> who the same person is in the new one; whoever is nobody any more is
    not there."""
    wanted, found = set(fans), dict[FanId, FanId]()
    for key, was_old, was_new in people:
        before = FanId(was_old) if was_old else pseudonym(key, old)
        if before in wanted:
            found[before] = FanId(was_new) if was_new else pseudonym(key, new)
    return found
