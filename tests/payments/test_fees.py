"""Fees are kept once they are told, and again where they are told otherwise."""

from __future__ import annotations

import sqlalchemy as sa

from dropengine.model import DropId
from dropengine.payments.fees import Fees
from dropengine.payments.port import Charged, Kept
from dropengine.sql.database import Database
from dropengine.sql.schema.fees import FEES


def kept(fee: int, *also: Charged) -> Kept:
    paid = Charged("ch_1", 2400, "EUR", captured=True, also=also, fee=fee, taken=2400)
    return Kept("pin.p1.digest", DropId("pin"), "p1", paid)


async def noted(database: Database) -> list[tuple[object, ...]]:
    asked = sa.select(FEES.c.charge, FEES.c.fee, FEES.c.at_ms).order_by(FEES.c.charge)
    return await database.read(lambda sql: [tuple(row) for row in sql.execute(asked)])


async def test_a_fee_is_noted_when_it_is_told_first_and_mended_later(database: Database) -> None:
    fees = Fees(database)
    await fees.note("dear", [kept(0)], 1)
    assert await noted(database) == []
    await fees.note("dear", [kept(25)], 2)
    await fees.note("dear", [kept(25)], 3)
    await Fees(database).note("dear", [kept(26)], 4)
    assert await noted(database) == [("ch_1", 26, 2)]


async def test_every_charge_of_an_intent_has_its_own(database: Database) -> None:
    second = Charged("ch_2", 2400, "EUR", captured=True, fee=30, taken=2400)
    await Fees(database).note("dear", [kept(25, second)], 1)
    assert await noted(database) == [("ch_1", 25, 1), ("ch_2", 30, 1)]


async def test_told_twice_at_once_the_last_word_counts(database: Database) -> None:
    await Fees(database).note("dear", [kept(25), kept(27)], 1)
    assert await noted(database) == [("ch_1", 27, 1)]
