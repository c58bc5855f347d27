"""Rows of `take_holds`: holds that came to nothing leave a day after their end, and no others."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from dropengine.log.replay import difference, fold
from dropengine.model import KEPT_MS, DropId
from dropengine.truth import repair
from dropengine.truth.past import ForNothing
from dropengine.truth.replies import OtherCharges, PartOut
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.long_ago import BEYOND_MS, HOUR_MS, a_day_passes
from tests.kit.manifests import HOLD_MS, item
from tests.kit.sale import Sale


async def take(sale: Sale, *charges: str) -> object:
    """With these charges told as those that bought nothing."""
    others = (await sale.store.past.charges_for_nothing(sale.drop)).others
    told = ForNothing(list(charges), others)
    return await sale.store.past.take_holds(sale.drop, told, "0", clock_ms=sale.now)


async def left(sale: Sale) -> set[str]:
    return set((await sale.truth()).holds)


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    return await make_sale(item("pin", {"pin": 9}, most=9), limit=9)


async def test_holds_that_came_to_nothing_leave_a_day_after_their_end(sale: Sale) -> None:
    """TAKEN_OUT: given back, or over; but for the one that ended last."""
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    await sale.held("ana")
    await a_day_passes(sale)
    assert await take(sale) == PartOut(3, "0")
    assert await left(sale) == {"h4"}
    assert await take(sale) == PartOut(0, "0")


async def test_a_day_is_a_day(sale: Sale) -> None:
    """Counted from a moment by which the last of them had ended at the latest."""
    for _ in range(2):
        await sale.release("ana", await sale.held("ana"))
    sale.now += HOLD_MS
    assert await take(sale) == PartOut(0, "0")
    sale.now += KEPT_MS - 1
    assert await take(sale) == PartOut(0, "0")
    sale.now += 1
    assert await take(sale) == PartOut(1, "0")


async def test_a_hold_that_ended_late_is_kept_a_day_from_then(sale: Sale) -> None:
    """Nobody asked for three days, so its deadline passed long before its end."""
    await sale.held("ana")
    await sale.held("ana", qty=2)
    await take(sale)
    sale.now += 3 * KEPT_MS
    assert await take(sale) == PartOut(0, "0")
    sale.now += KEPT_MS - 1
    assert await take(sale) == PartOut(0, "0")
    sale.now += 1
    assert await take(sale) == PartOut(1, "0")


async def test_moments_are_written_down_once_an_hour_and_not_for_ever(sale: Sale) -> None:
    await sale.held("ana")
    await sale.held("ana", qty=2)
    for _ in range(100):
        await take(sale)
        sale.now += HOUR_MS // 3
    name = f"{{{sale.drop}}}:wake"
    assert len(await sale.store.client.hget(name, "settled")) < 26 * 9 + 3
    assert await left(sale) == {"h2"}


async def test_what_money_was_begun_for_is_kept(sale: Sale) -> None:
    """Its payment was begun, it was sold or refunded, it has a duty."""
    begun, paid = await sale.held("ana"), await sale.bought("ana", qty=2)
    await sale.pay("ana", begun)
    await sale.release("ana", begun)
    await sale.discharge(f"lookup:{begun}")
    refunded = await sale.bought("ana", qty=2)
    await sale.refund(refunded)
    await sale.held("ana", qty=2)
    await sale.held("ana")
    await a_day_passes(sale)
    assert await take(sale) == PartOut(1, "0")
    assert {begun, paid, refunded} <= await left(sale)


@pytest.mark.parametrize("amount", [2400, 1, 0])
async def test_what_money_came_for_is_kept(sale: Sale, amount: int) -> None:
    """Though nobody began to pay: a charge that is known may be told for another amount still.
    OTHER_CHARGES: whoever does not know of it takes out nothing."""
    first = await sale.held("ana")
    await sale.release("ana", first)
    await sale.succeeded(first, "c1", amount=amount)
    await sale.held("ana", qty=2)
    await sale.held("ana")
    await a_day_passes(sale)
    assert await take(sale) == OtherCharges()
    assert await take(sale, "c2", "c2") == OtherCharges()
    assert await sale.store.past.charges_for_nothing(sale.drop) == (["c1"], 0)
    assert await take(sale, "c1") == PartOut(1, "0")
    assert await left(sale) == {first, "h3"}
    again = await sale.succeeded(first, "c1", amount=amount + 7, captured=True)
    assert isinstance(again, outcomes.Voided)


async def test_charges_are_counted_once(sale: Sale) -> None:
    for name in ("c1", "c2"):
        hold = await sale.held("ana")
        await sale.release("ana", hold)
        await sale.succeeded(hold, name)
    await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    assert await take(sale, "c1", "c1") == OtherCharges()
    assert await take(sale, "c1", "c2", "c2") == PartOut(0, "0")


async def test_a_charge_that_bought_something_is_none_for_nothing(sale: Sale) -> None:
    await sale.bought("ana")
    await sale.held("ana", qty=2)
    await sale.held("ana")
    await a_day_passes(sale)
    assert await take(sale, "c-h1") == PartOut(1, "0")


async def test_an_offer_leaves_like_any_hold_and_a_place_stays(sale: Sale) -> None:
    await sale.held("ana", qty=9)
    entry = await sale.called("bo")
    await sale.release("ana", "h1")
    await sale.release("bo", "h2")
    await sale.release("bo", await sale.held("bo"))
    await sale.held("ana")
    await a_day_passes(sale)
    # Its place was called once more meanwhile.
    assert await take(sale) == PartOut(3, "0")
    assert await left(sale) == {"h4", "h5"}
    assert (await sale.truth()).entries.keys() == {entry}


async def test_its_fan_is_told_the_same(sale: Sale) -> None:
    """What `you` says."""
    await sale.bought("ana")
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    before = await sale.you("ana")
    assert await take(sale) == PartOut(2, "0")
    assert await sale.you("ana") == before


async def test_who_still_asks_for_one_hears_that_there_is_none(sale: Sale) -> None:
    for _ in range(2):
        await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    assert isinstance(await sale.release("ana", "h1"), outcomes.Released)
    await take(sale)
    for answer in (
        await sale.release("ana", "h1"),
        await sale.extend("ana", "h1"),
        await sale.pay("ana", "h1"),
        await sale.claim("ana", "h1"),
        await sale.succeeded("h1", "late", amount=2400),
        await sale.unpaid("h1"),
    ):
        assert answer == refusals.NotFound()
    assert await sale.held("ana") == "h3"


async def test_the_records_still_are_what_the_log_says(sale: Sale) -> None:
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    await take(sale)
    assert difference(fold(await sale.log()), await sale.truth()) == []
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    assert found.agrees


async def test_the_audit_sees_that_the_day_was_over(sale: Sale) -> None:
    """Though no moment was written down since."""
    for qty in (1, 2):
        await sale.held("ana", qty=qty)
    for ms in (HOLD_MS, KEPT_MS - HOUR_MS // 2, HOUR_MS // 2 - 1):
        sale.now += ms
        assert await take(sale) == PartOut(0, "0")
    sale.now += 1
    assert await take(sale) == PartOut(1, "0")
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    assert found.agrees


async def test_time_does_not_fall_behind_a_moment_that_is_written_down(sale: Sale) -> None:
    """Else what began after it could seem to have ended before."""
    sale.now += BEYOND_MS
    await take(sale)
    settled = sale.now
    sale.now -= BEYOND_MS
    await sale.held("ana")
    assert (await sale.truth()).holds["h1"].start_ms == settled


async def test_a_hold_that_nobody_ended_is_kept(sale: Sale) -> None:
    """Its deadline was lost."""
    for qty in (1, 2):
        await sale.held("ana", qty=qty)
    await sale.store.client.zrem(f"{{{sale.drop}}}:due", "h:h1")
    await a_day_passes(sale)
    assert await take(sale) == PartOut(0, "0")


@pytest.mark.parametrize("lost", ["h1", "h3", "h4"])
async def test_a_hold_that_is_gone_too_soon_is_missed(sale: Sale, lost: str) -> None:
    """Given back an hour ago, ended last, sold: none of them may be taken out."""
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    await sale.bought("ana")
    sale.now += HOLD_MS + KEPT_MS - (1 if lost == "h1" else -1)
    await sale.held("bo")
    await sale.store.client.hdel(f"{{{sale.drop}}}:holds", lost)
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    assert [(row.key, row.name) for row in found.rows] == [("holds", lost)]


async def test_many_leave_by_parts(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), pace=0)
    for _ in range(600):
        await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    cursor, counts = "0", []
    while True:
        reply = await sale.store.past.take_holds(
            sale.drop, ForNothing([], 0), cursor, clock_ms=sale.now
        )
        assert isinstance(reply, PartOut)
        counts.append(reply.count)
        cursor = reply.cursor
        if cursor == "0":
            break
    assert sum(counts) == 599
    assert max(counts) < 400


async def test_nothing_leaves_a_drop_that_somebody_has_to_look_at(sale: Sale) -> None:
    """FROZEN."""
    for _ in range(2):
        await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    await freeze(sale)
    assert await take(sale) == refusals.Frozen()
    # An older engine did not keep why.
    await sale.store.client.hdel(f"{{{sale.drop}}}:drop", "froze")
    assert await take(sale) == refusals.Frozen()
    await sale.creator("cancel")
    assert await take(sale) == PartOut(1, "0")


async def test_nothing_leaves_one_that_was_over_when_it_was_written_by_half(sale: Sale) -> None:
    for _ in range(2):
        await sale.release("ana", await sale.held("ana"))
    await sale.creator("cancel")
    await a_day_passes(sale)
    await sale.store.client.hset(f"{{{sale.drop}}}:drop", "mark", sale.now)
    assert await take(sale) == refusals.Frozen()
    assert len(await left(sale)) == 2


async def test_a_drop_that_is_not_there_stays_so(sale: Sale) -> None:
    """NOT_FOUND."""
    nowhere = Sale(sale.store, DropId("nowhere"))
    assert await take(nowhere) == refusals.NotFound()


async def test_what_is_due_is_settled_first(make_sale: MakeSale) -> None:
    """AGAIN is what `Store` repeats: 100 holds end before anything is taken out."""
    sale = await make_sale(item("pin", {"pin": 100}), limit=1)
    for n in range(100):
        await sale.held(f"fan-{n}")
    sale.now += BEYOND_MS
    assert await take(sale) == PartOut(0, "0")
    assert (await sale.counts())[:2] == (100, 0)
