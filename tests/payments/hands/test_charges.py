"""What goes back by hand is unknown until its maker ticks it as sent."""

from __future__ import annotations

from dropengine.payments.hands import charges
from dropengine.payments.hands.charges import NOT_SENT
from dropengine.payments.port import Charged, Failed, Nothing, Succeeded, Unpayable
from dropengine.sql.database import Database
from tests.kit.local_provider import an_intent
from tests.kit.maker_by_hand import MakerByHand

INTENT = "eclipse.p1"


async def paid(hand: MakerByHand) -> str:
    await hand.begin(an_intent())
    entered = await hand.receive(INTENT, 2400, "sum")
    assert entered is not None
    assert entered.bill.paid is not None
    return entered.bill.paid.charge


async def test_a_refund_is_done_once_it_was_ticked(hand: MakerByHand, database: Database) -> None:
    charge = await paid(hand)
    assert await hand.capture(charge, 2400, "capture") == Succeeded()
    for _ in range(2):
        assert await hand.refund(charge, 1000, "part") == NOT_SENT
    # What waits is spoken for.
    assert await hand.refund(charge, 1401, "more") == Failed("too_much", final=True)
    (tick,) = await database.read(lambda sql: charges.owed(sql, "eclipse"))
    assert (tick.id, tick.why, tick.amount, tick.sent_ms) == ("part", "refund", 1000, 0)
    for _ in range(2):
        sent = await hand.send("part")
        assert sent is not None
        assert sent.by == "mia"
    assert await hand.refund(charge, 1000, "part") == Succeeded()
    found = await hand.lookup(INTENT)
    assert isinstance(found, Charged)
    assert (found.taken, found.returned) == (2400, 1000)
    assert await database.read(lambda sql: charges.owed(sql, "eclipse")) == []
    assert len(await database.read(lambda sql: charges.sent(sql, "eclipse", 9))) == 1


async def test_what_bought_nothing_is_there_until_it_was_sent(hand: MakerByHand) -> None:
    charge = await paid(hand)
    assert await hand.void(charge, "void") == NOT_SENT
    assert isinstance(await hand.capture(charge, 2400, "capture"), Failed)
    assert isinstance(await hand.lookup(INTENT), Charged)
    await hand.send("void")
    assert await hand.void(charge, "void") == Succeeded()
    assert await hand.lookup(INTENT) == Nothing()
    assert await hand.cancel(INTENT) == Unpayable()


async def test_the_rest_of_what_was_kept_is_to_be_sent_back(
    hand: MakerByHand, database: Database
) -> None:
    charge = await paid(hand)
    assert await hand.capture(charge, 1400, "capture") == Succeeded()
    (tick,) = await database.read(lambda sql: charges.owed(sql, "eclipse"))
    assert (tick.why, tick.amount) == ("rest", 1000)
    assert await hand.send("none") is None
