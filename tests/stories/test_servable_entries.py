"""An entry that nobody can serve is final: it stands before nobody and is not made.

A fan's orders, not what he only holds, leave him no room for good; it goes by whole entries.
"""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.model import SCHEMA
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, item
from tests.kit.sale import Sale


async def in_order(sale: Sale) -> None:
    """Nobody stands in line who cannot be served, and the judges agree with the books."""
    truth, told = await sale.truth(), await sale.log()
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    folded = fold(told)
    assert difference(folded, truth) == []
    for name, entry in truth.entries.items():
        if entry.state == "waiting":
            bought = sum(
                order.qty
                for order in truth.orders.values()
                if order.fan == entry.fan and order.state != "refund_pending"
            )
            assert folded.rules is not None
            assert bought < folded.rules.limit, name


async def sold_out(sale: Sale, pool: str = "pin") -> None:
    """Somebody else has all the rest."""
    while (free := (await sale.counts(pool))[0]) > 0:
        await sale.held(f"crowd-{sale.key()}", pool, min(free, 3))


@pytest.mark.parametrize("paused", [False, True])
async def test_who_has_all_that_he_may_have_gets_no_arrival(
    make_sale: MakeSale, *, paused: bool
) -> None:
    sale = await make_sale(item("pin", {"pin": 4}), limit=1)
    await sale.bought("ana")
    await sold_out_by_singles(sale)
    if paused:
        await sale.creator("pause")
    told = len(await sale.log())
    assert await sale.join("ana", key="mine") == refusals.LimitReached(room=0)
    assert len(await sale.log()) == told
    # The next one is the first.
    first = await sale.join("bo-in-line")
    assert isinstance(first, outcomes.Joined)
    assert first.entry.n == 1
    (place,) = (await sale.you("bo-in-line")).entries[0][2]
    assert place.place == 1
    await in_order(sale)


async def sold_out_by_singles(sale: Sale) -> None:
    while (await sale.counts())[0] > 0:
        await sale.held(f"crowd-{sale.key()}")


async def test_who_only_holds_what_he_may_have_may_stand_in_line(make_sale: MakeSale) -> None:
    """It may come back to him."""
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    await sale.held("ana")
    await sale.held("bo")
    assert isinstance(await sale.join("ana"), outcomes.Joined)
    await in_order(sale)


async def test_after_a_refund_he_may_join_anew(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    hold = await sale.held("ana")
    await sale.held("bo")
    entry = await sale.joined("ana")
    await sale.succeeded(hold)
    assert (await sale.truth()).entries[entry].state == "removed"
    assert await sale.join("ana", key="again") == refusals.LimitReached(room=0)
    await sale.creator("pause")
    await sale.refund(hold)
    # A refusal is not remembered; what was removed stays removed.
    anew = await sale.join("ana", key="again")
    assert isinstance(anew, outcomes.Joined)
    assert anew.entry.n == 2
    assert (await sale.truth()).entries[entry].state == "removed"
    await in_order(sale)


async def test_an_entry_that_one_of_its_pools_can_serve_stays_in_all(make_sale: MakeSale) -> None:
    sale = await make_sale(
        item("cup", {"cup": 1}, limit=1, most=1), item("pin", {"pin": 1}), limit=3
    )
    await sale.bought("ana", "cup")
    await sold_out(sale)
    assert await sale.join("ana", "cup") == refusals.LimitReached(room=0)
    both = await sale.joined("ana", "cup", "pin")
    truth = await sale.truth()
    assert (truth.entries[both].state, truth.entries[both].ready) == ("waiting", [0, 1])
    assert set(truth.places) == {f"{both}@0", f"{both}@1"}
    await in_order(sale)


async def test_it_ends_with_the_last_pool_that_could(make_sale: MakeSale) -> None:
    sale = await make_sale(
        item("cup", {"cup": 1}, limit=1, most=1), item("pin", {"pin": 2}, limit=1, most=1), limit=3
    )
    await sale.bought("ana", "cup")
    pin = await sale.held("ana", "pin")
    await sale.held("bo", "pin")
    both = await sale.joined("ana", "cup", "pin")
    await sale.succeeded(pin)
    assert (await sale.truth()).entries[both].state == "removed"
    assert (await sale.truth()).places == {}
    await in_order(sale)


async def late(sale: Sale, fan: str) -> str:
    """A hold of him that ended while he paid."""
    hold = await sale.held(fan)
    await sale.pay(fan, hold)
    sale.now += HOLD_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    return hold


async def test_a_make_good_is_not_made_for_nothing_and_not_used_up(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    first, second = await late(sale, "ana"), await late(sale, "ana")
    bought = await sale.bought("ana")
    await sold_out_by_singles(sale)
    outcome = await sale.succeeded(first)
    assert isinstance(outcome, outcomes.Voided)
    assert (outcome.why, outcome.entry) == ("late", "")
    truth = await sale.truth()
    assert (truth.places, truth.fans["ana"].makegood) == ({}, 0)
    await in_order(sale)
    # When there is room again, the next late payment is made good.
    await sale.creator("pause")
    await sale.refund(bought)
    await sale.creator("withdraw", pool="pin", qty=1)
    outcome = await sale.succeeded(second)
    assert isinstance(outcome, outcomes.Voided)
    assert (outcome.why, outcome.entry) == ("late", "e1")
    assert (await sale.truth()).fans["ana"].makegood == 1
    await in_order(sale)


async def test_a_make_good_is_for_who_may_have_one_more(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), limit=2)
    hold = await late(sale, "ana")
    await sale.bought("ana")
    await sold_out_by_singles(sale)
    outcome = await sale.succeeded(hold)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.entry == "e1"
    await in_order(sale)


async def test_the_limit_of_an_item_fills_a_make_good_too(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 2}, limit=1, most=1), limit=3)
    hold = await late(sale, "ana")
    await sale.bought("ana")
    await sold_out_by_singles(sale)
    outcome = await sale.succeeded(hold)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.entry == ""
    await in_order(sale)


async def test_the_referee_refuses_an_entry_that_nobody_can_serve(make_sale: MakeSale) -> None:
    """As older engines made them: in their own logs it is lawful."""
    sale = await make_sale(item("pin", {"pin": 1}), limit=1)
    await sale.bought("ana")
    told = [line async for line in sale.store.log(sale.drop)]
    last = events.parse(told[-1])
    told.append(
        b'{"e":"joined","seq":%d,"at":%d,"fan":"ana","key":"x","entry":"e1","n":1,"qty":1,'
        b'"pools":["pin"],"lane":0,"points":0,"why":"fan"}' % (last.seq + 1, last.at)
    )
    assert {v.inv for v in judge(told).violations} == {"INV-11"}
    older = told[0].replace(b'"schema":%d' % SCHEMA, b'"schema":2')
    assert judge([older, *told[1:]]).violations == []
