"""What was begun before there were payments gets one from whatever touches it first."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, outcomes, refusals
from dropengine.truth import keys
from dropengine.truth.record_layouts import stored
from tests.kit.manifests import HOLD_MS, LOOKUP_MS
from tests.kit.older_layouts import lowered
from tests.kit.sale import Sale


@pytest.fixture
async def older(sale: Sale) -> Sale:
    """A drop of layout 7 with a hold of ana, h1, that is being paid."""
    hold = await sale.held("ana")
    record = (await sale.truth()).holds[hold]
    record = msgspec.structs.replace(record, state="paying", began=1)
    name = keys.one(sale.drop, "holds")
    await sale.store.client.hset(name, hold, stored(record))
    await lowered(sale.store.client, sale.drop, 7)
    return sale


async def begun(sale: Sale) -> events.PaymentBegun:
    (found,) = [one for one in await sale.log() if isinstance(one, events.PaymentBegun)]
    return found


async def test_the_deadline_asks_about_it(older: Sale) -> None:
    older.now += HOLD_MS
    await older.settle()
    told = await begun(older)
    assert (told.key, told.payment, told.holds, told.amount) == ("", "p1", ["h1"], 2400)
    payment = await older.payment()
    assert (payment.state, payment.looked) == ("open", older.now + LOOKUP_MS)
    assert set(await older.store.duties(older.drop)) == {"cancel:p1"}
    assert await older.unpaid("h1") == outcomes.Unpaid("p1", (await begun(older)).seq + 3)


async def test_its_money_buys_it(older: Sale) -> None:
    outcome = await older.succeeded("h1")
    assert isinstance(outcome, outcomes.Paid)
    assert (outcome.payment, outcome.sold) == ("p1", ["h1"])


async def test_its_fan_who_pays_again_finds_it(older: Sale) -> None:
    outcome = await older.pay("ana", "h1")
    assert isinstance(outcome, outcomes.Paying)
    assert (outcome.id, outcome.payment.provider) == ("p1", "")
    other = await older.held("ana", qty=2)
    assert await older.pay("ana", "h1", other) == refusals.Paying("p1")


async def test_it_ends_with_its_hold(older: Sale) -> None:
    await older.release("ana", "h1")
    assert (await older.payment()).state == "ended"
    assert set(await older.store.duties(older.drop)) == {"cancel:p1"}
