"""What fans said of their orders: kept by the order, whoever its fan is by now; corrected until the
maker locks it; gone when who said it erases himself."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select, update

from dropengine.asked import NOTE, Answers, Where
from dropengine.people import receivers
from dropengine.people.receivers import Receiver
from dropengine.sql.schema.answers import ANSWER_LOCKS, ANSWERS, RECEIVERS, REMEMBERED

PARTS: Final = 200
"""So many orders are asked for in one statement."""


class Told(msgspec.Struct, frozen=True):
    """Of one order. `locked_ms` 0: its fan may still correct it."""

    answers: dict[Where, str] = {}
    receivers: list[Receiver] = []
    locked_ms: int = 0
    locked_by: str = ""


def whose_key(key: bytes) -> str:
    """How the holder of a key is called here. Nobody finds the key by it, nor a drop's fan."""
    return hmac.digest(key, b"answers", "sha256")[:16].hex()


def of_order(sql: Connection, drop: str, hold: str) -> Told:
    """What is known of one."""
    return of_orders(sql, drop, [hold]).get(hold, Told())


def of_orders(sql: Connection, drop: str, holds: Sequence[str] | None = None) -> dict[str, Told]:
    """Order -> what is known of it, where anything is. holds: of these, None for all of a drop."""
    answers: dict[str, dict[Where, str]] = {}
    locks: dict[str, Any] = {}
    for row in _rows(sql, ANSWERS, drop, holds):
        answers.setdefault(row.hold, {})[row.unit, row.field] = row.text
    for row in _rows(sql, ANSWER_LOCKS, drop, holds):
        locks[row.hold] = row
    given = receivers.of_orders(sql, drop, holds)
    return {
        hold: Told(
            answers.get(hold, {}),
            given.get(hold, []),
            locks[hold].at_ms if hold in locks else 0,
            locks[hold].by if hold in locks else "",
        )
        for hold in answers.keys() | locks.keys() | given.keys()
    }


def _rows(sql: Connection, table: Table, drop: str, holds: Sequence[str] | None) -> Iterable[Any]:
    asked = select(table).where(table.c.drop_id == drop)
    if holds is None:
        yield from sql.execute(asked)
        return
    for start in range(0, len(holds), PARTS):
        yield from sql.execute(asked.where(table.c.hold.in_(holds[start : start + PARTS])))


def locked(sql: Connection, drop: str, hold: str) -> bool:
    """Has the maker locked it?"""
    where = (ANSWER_LOCKS.c.drop_id == drop, ANSWER_LOCKS.c.hold == hold)
    return sql.execute(select(ANSWER_LOCKS.c.hold).where(*where)).first() is not None


def save(sql: Connection, drop: str, hold: str, said: Answers, whose: str, now_ms: int) -> bool:
    """What a fan says of his order from now on; '' takes an answer back. False: it is locked."""
    if locked(sql, drop, hold):
        return False
    for (unit, field), text in said.items():
        here = (
            ANSWERS.c.drop_id == drop,
            ANSWERS.c.hold == hold,
            ANSWERS.c.unit == unit,
            ANSWERS.c.field == field,
        )
        row = {"text": text, "whose": whose, "at_ms": now_ms}
        if sql.execute(select(ANSWERS.c.field).where(*here)).first() is not None:
            sql.execute(update(ANSWERS).where(*here).values(row))
        elif text:
            key = {"drop_id": drop, "hold": hold, "unit": unit, "field": field}
            sql.execute(insert(ANSWERS).values(key | row))
        if field != NOTE:
            _remember(sql, whose, field, text)
    return True


def _remember(sql: Connection, whose: str, field: str, text: str) -> None:
    here = (REMEMBERED.c.whose == whose, REMEMBERED.c.field == field)
    sql.execute(delete(REMEMBERED).where(*here))
    if text:
        sql.execute(insert(REMEMBERED).values(whose=whose, field=field, text=text))


def remembered(sql: Connection, whose: str) -> dict[str, str]:
    """What somebody said last: field -> text."""
    rows = sql.execute(select(REMEMBERED).where(REMEMBERED.c.whose == whose))
    return {row.field: row.text for row in rows}


def lock(sql: Connection, drop: str, hold: str, by: str, now_ms: int) -> None:
    """Its fan corrects it no more. Whoever locked it first stays."""
    if not locked(sql, drop, hold):
        row = {"drop_id": drop, "hold": hold, "at_ms": now_ms, "by": by}
        sql.execute(insert(ANSWER_LOCKS).values(row))


def unlock(sql: Connection, drop: str, hold: str) -> None:
    """Its fan may correct it again."""
    here = (ANSWER_LOCKS.c.drop_id == drop, ANSWER_LOCKS.c.hold == hold)
    sql.execute(delete(ANSWER_LOCKS).where(*here))


def adopt(sql: Connection, guest: str, person: str) -> None:
    """What a guest said is a person's from now on. guest, person: as `whose_key` calls them."""
    known = remembered(sql, person)
    for field, text in remembered(sql, guest).items():
        if field not in known:
            _remember(sql, person, field, text)
    sql.execute(delete(REMEMBERED).where(REMEMBERED.c.whose == guest))
    for table in (ANSWERS, RECEIVERS):
        sql.execute(update(table).where(table.c.whose == guest).values(whose=person))


def erase(sql: Connection, whose: str, orders: Iterable[tuple[str, str]] = ()) -> None:
    """Nothing of what somebody said is left. orders: drop and hold of what is his: who said
    something of it was he, by a browser that nobody knew yet. What people who receive a unit said
    of themselves stays theirs."""
    his = {whose}
    for drop, hold in orders:
        here = (ANSWERS.c.drop_id == drop, ANSWERS.c.hold == hold)
        his |= {*sql.execute(select(ANSWERS.c.whose).where(*here)).scalars()}
        receivers.erase_giver(sql, RECEIVERS.c.drop_id == drop, RECEIVERS.c.hold == hold)
    for one in his:
        sql.execute(delete(REMEMBERED).where(REMEMBERED.c.whose == one))
        sql.execute(delete(ANSWERS).where(ANSWERS.c.whose == one))
        receivers.erase_giver(sql, RECEIVERS.c.whose == one)


def export(sql: Connection, whose: str, orders: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """All that somebody said, for himself, as JSON has it. orders: as for `erase`."""
    rows = sql.execute(select(ANSWERS.c.drop_id, ANSWERS.c.hold).where(ANSWERS.c.whose == whose))
    mine = dict.fromkeys([*((row.drop_id, row.hold) for row in rows), *orders])
    told = {(drop, hold): of_order(sql, drop, hold) for drop, hold in mine}
    return {
        "remembered": remembered(sql, whose),
        "orders": [
            {
                "drop": drop,
                "order": hold,
                "answers": [
                    {"unit": unit, "field": field, "text": text}
                    for (unit, field), text in sorted(one.answers.items())
                    if text
                ],
                "receivers": [
                    {
                        "unit": given.unit,
                        "serial": given.serial,
                        "kind": given.kind,
                        "label": given.label,
                        "giver": given.giver,
                        "made_ms": given.made_ms,
                        "revoked_ms": given.revoked_ms,
                        "taken_ms": given.taken_ms,
                    }
                    for given in one.receivers
                ],
            }
            for (drop, hold), one in told.items()
            if one.answers or one.receivers
        ],
    }


def as_fields(answers: Mapping[Where, str], unit: int) -> dict[str, str]:
    """Of one unit: field -> text."""
    return {field: text for (one, field), text in answers.items() if one == unit and text}
