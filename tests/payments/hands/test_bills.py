"""What is received by hand: short, enough, too much, twice, too late."""

from __future__ import annotations

import pytest

from dropengine import errors
from dropengine.payments.hands import bills, charges
from dropengine.payments.hands.charges import Tick
from dropengine.payments.port import Charged, Nothing, Unpayable
from dropengine.sql.database import Database
from tests.kit.local_provider import an_intent
from tests.kit.maker_by_hand import MakerByHand

INTENT = "eclipse.p1"


async def owed(database: Database) -> list[tuple[str, int]]:
    rows: list[Tick] = await database.read(lambda sql: charges.owed(sql, "eclipse"))
    return [(row.why, row.amount) for row in rows]


async def test_what_is_short_stays_open_until_the_rest_came(
    hand: MakerByHand, database: Database
) -> None:
    await hand.begin(an_intent())
    short = await hand.receive(INTENT, 2000, "k1")
    assert short is not None
    assert (short.bill.missing, short.bill.paid, short.over) == (400, None, 0)
    assert await hand.lookup(INTENT) == Nothing()
    full = await hand.receive(INTENT, 400, "k2")
    assert full is not None
    assert isinstance(full.bill.paid, Charged)
    assert (full.bill.paid.amount, full.bill.missing) == (2400, 0)
    assert await hand.lookup(INTENT) == full.bill.paid
    assert await owed(database) == []


async def test_what_is_over_is_to_be_sent_back(hand: MakerByHand, database: Database) -> None:
    await hand.begin(an_intent())
    over = await hand.receive(INTENT, 2500, "k1")
    assert over is not None
    assert over.over == 100
    assert isinstance(await hand.lookup(INTENT), Charged)
    again = await hand.receive(INTENT, 2400, "k2")
    assert again is not None
    assert again.over == 2400
    assert await owed(database) == [("over", 100), ("over", 2400)]


async def test_a_sum_is_entered_once_under_its_key(hand: MakerByHand, database: Database) -> None:
    await hand.begin(an_intent())
    for known in (False, True):
        entered = await hand.receive(INTENT, 1000, "k1")
        assert entered is not None
        assert (entered.bill.received, entered.known) == (1000, known)
    assert await hand.receive("eclipse.p9", 1000, "k2") is None
    assert await owed(database) == []


async def test_what_came_too_late_or_too_little_goes_back(
    hand: MakerByHand, database: Database
) -> None:
    await hand.begin(an_intent())
    await hand.receive(INTENT, 1000, "k1")
    for _ in range(2):
        assert await hand.cancel(INTENT) == Unpayable()
    late = await hand.receive(INTENT, 1400, "k2")
    assert late is not None
    assert late.over == 1400
    assert await hand.cancel(INTENT) == Unpayable()
    assert await owed(database) == [("late", 1400), ("short", 1000)]


async def test_a_bill_keeps_its_price_and_its_reference(
    hand: MakerByHand, database: Database
) -> None:
    await hand.begin(an_intent())
    before = await database.read(lambda sql: bills.find(sql, INTENT))
    assert before is not None
    await hand.begin(an_intent(deadline_ms=2**42))
    after = await database.read(lambda sql: bills.by_reference(sql, before.reference))
    assert after is not None
    assert after.intent.deadline_ms == 2**42
    with pytest.raises(errors.Broken):
        await hand.begin(an_intent(amount=2300))
