"""Quiet hours: when the line calls nobody, who waits meanwhile, and who may call himself."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, outcomes, refusals, wire
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import CALLS, HOLD_MS, HOUR_MS, OFFER_MS, START_MS, item, manifest
from tests.kit.sale import Sale

DAY_MS = 24 * HOUR_MS
EVENING = START_MS + 14 * HOUR_MS
"""22:00: it is quiet from now on."""
MORNING = START_MS + DAY_MS
ONE = item("pin", {"pin": 1})


async def night(make_sale: MakeSale, units: int = 1) -> tuple[Sale, list[str]]:
    """So many units come back at 22:05, while ben, cy and dora wait: their entries."""
    sale = await make_sale(item("pin", {"pin": units}), limit=units, **CALLS)
    sale.now = EVENING - HOUR_MS
    hold = await sale.held("ana", qty=units)
    entries = [await sale.joined(fan) for fan in ("ben", "cy", "dora")]
    await sale.pay("ana", hold)
    sale.now = EVENING + 300_000
    await sale.unpaid(hold)
    await sale.settle()
    return sale, entries


async def view(sale: Sale) -> ViewReply:
    reply = await sale.store.view(sale.drop, clock_ms=sale.now)
    assert isinstance(reply, ViewReply)
    return reply


async def turns(sale: Sale) -> list[events.AnyEvent]:
    return [e for e in await sale.log() if isinstance(e, events.Calling | events.Quiet)]


async def test_in_quiet_hours_nobody_is_called_and_nobody_passes(make_sale: MakeSale) -> None:
    sale, _ = await night(make_sale)
    assert await sale.counts() == (1, 0, 0, 0)
    assert await sale.hold("eva") == refusals.AllHeld(free=0, held=0)
    assert isinstance(await sale.join("eva"), outcomes.Joined)
    sale.now = MORNING - 1
    await sale.settle()
    assert "offered" not in await sale.words()
    sale.now = MORNING
    await sale.settle()
    assert (await sale.words())[-2:] == ["calling", "offered"]
    last = (await sale.log())[-1]
    assert isinstance(last, events.Offered)
    assert (last.fan, last.key, last.deadline) == ("ben", "", MORNING + OFFER_MS)


async def test_when_calls_begin_the_line_is_served_to_its_end_in_the_same_script(
    make_sale: MakeSale,
) -> None:
    sale, _ = await night(make_sale, units=2)
    sale.now = MORNING + 5_000
    assert await sale.hold("eva") == refusals.AllHeld(free=0, held=2)
    assert (await sale.words())[-3:] == ["calling", "offered", "offered"]


async def test_that_hours_turn_is_told_with_the_next_turn(make_sale: MakeSale) -> None:
    sale = await make_sale(**CALLS)
    for now in (EVENING - 1, EVENING, MORNING - 1, MORNING):
        sale.now = now
        await sale.settle()
    quiet, calling = await turns(sale)
    assert isinstance(quiet, events.Quiet)
    assert (quiet.at, quiet.until) == (EVENING, MORNING)
    assert isinstance(calling, events.Calling)
    assert (calling.at, calling.until) == (MORNING, MORNING + 14 * HOUR_MS)


async def test_a_night_that_nobody_saw_is_told_as_what_holds_now(make_sale: MakeSale) -> None:
    sale = await make_sale(**CALLS)
    sale.now = MORNING + 2 * DAY_MS + HOUR_MS
    await sale.settle()
    (calling,) = await turns(sale)
    assert isinstance(calling, events.Calling)
    assert calling.until == EVENING + 3 * DAY_MS


@pytest.mark.parametrize(("hours", "first"), [(3, 3), (14, 14), (2, 3)])
async def test_the_first_three_hours_are_calling_hours(
    make_sale: MakeSale, hours: int, first: int
) -> None:
    """It opens at 08:00 and calls from 07:00 until so many hours later at least."""
    sale = await make_sale(calls_from_ms=7 * HOUR_MS, calls_to_ms=(8 + hours) * HOUR_MS)
    sale.now = START_MS + first * HOUR_MS - 1
    await sale.settle()
    assert await turns(sale) == []
    sale.now += 1
    await sale.settle()
    assert [type(turn) for turn in await turns(sale)] == [events.Quiet]


async def test_the_clocks_of_the_zone_are_put_forward_and_back(store: Store, drop: str) -> None:
    """Madrid, 2027: on 28 March 08:00 is an hour sooner, on 31 October an hour later."""
    sale = Sale(store, drop)
    await sale.publish(msgspec.structs.replace(manifest(drop, **CALLS), zone="Europe/Madrid"))
    await sale.creator("open")
    for day, turned in ((71, 6), (288, 7)):
        sale.now = START_MS + day * DAY_MS
        await sale.settle()
        told = len(await turns(sale))
        for hour in (14, 24):
            sale.now = START_MS + day * DAY_MS + hour * HOUR_MS
            await sale.settle()
        quiet = (await turns(sale))[told]
        assert isinstance(quiet, events.Quiet)
        assert (quiet.until // HOUR_MS) % 24 == turned


async def test_whose_call_it_would_be_may_press_for_it(make_sale: MakeSale) -> None:
    sale, (entry, *_) = await night(make_sale)
    reply = await view(sale)
    assert (reply.pools[0].next, reply.calls_ms) == (1, MORNING)
    outcome = await sale.hold("ben", key="mine")
    assert isinstance(outcome, outcomes.Held)
    hold = outcome.hold
    assert (hold.origin, hold.entry, hold.claimed, hold.key) == ("line", entry, 1, "mine")
    assert hold.deadline_ms == sale.now + HOLD_MS
    offered, claimed = (await sale.log())[-2:]
    assert isinstance(offered, events.Offered)
    assert isinstance(claimed, events.Claimed)
    assert (offered.key, claimed.key, offered.call) == ("mine", "mine", 0)
    assert (await view(sale)).pools[0].next == 0


async def test_a_repeat_of_that_press_is_answered_with_the_same_hold(make_sale: MakeSale) -> None:
    sale, _ = await night(make_sale)
    first = await sale.hold("ben", key="mine")
    again = await sale.hold("ben", key="mine")
    twice = await sale.hold("ben")
    assert isinstance(first, outcomes.Held)
    assert [getattr(one, "id", "") for one in (again, twice)] == [first.id, first.id]


async def test_whoever_stands_behind_him_may_not(make_sale: MakeSale) -> None:
    sale, _ = await night(make_sale, units=2)
    assert await sale.hold("cy") == refusals.AllHeld(free=0, held=0)
    await sale.hold("ben")
    assert (await view(sale)).pools[0].next == 2
    assert isinstance(await sale.hold("cy"), outcomes.Held)


async def test_he_gets_what_the_call_would_have_offered_whatever_he_asks_for(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}, most=2), limit=3, **CALLS)
    hold = await sale.held("ana", qty=2)
    await sale.held("eva")
    await sale.joined("ben", qty=2)
    sale.now = EVENING
    await sale.settle()
    assert hold
    outcome = await sale.hold("ben", qty=1)
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.qty == 2
    twice = await sale.hold("ben", qty=1)
    assert isinstance(twice, outcomes.Held)
    assert twice.id == outcome.id


async def test_it_is_his_turn_as_a_call_would_be(make_sale: MakeSale) -> None:
    """Twice come back unsold, and his place is over."""
    sale, _ = await night(make_sale)
    for _ in range(2):
        outcome = await sale.hold("ben")
        assert isinstance(outcome, outcomes.Held)
        await sale.release("ben", outcome.id)
        sale.now += HOUR_MS
        await sale.settle()
    assert (await sale.words())[-2:] == ["released", "dormant"]


async def test_in_a_batch_whoever_became_ready_before_him_is_first(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), item("cup", {"cup": 1}), limit=1, **CALLS)
    cup = await sale.held("ben", pool="cup")
    pins = [await sale.held(fan) for fan in ("ana", "eva")]
    for fan in ("ben", "cy"):
        await sale.joined(fan)
    await sale.pay("ben", cup)
    sale.now = EVENING
    await sale.settle()
    assert pins
    assert (await view(sale)).pools[0].next == 2
    ben, cy = await sale.batch(
        ("ben", wire.Release(id=0, key="r", hold=cup)),
        ("cy", wire.Hold(id=0, key="h", pool="pin", qty=1)),
    )
    assert isinstance(ben, outcomes.Released)
    assert cy == refusals.AllHeld(free=0, held=0)


async def test_in_a_pause_nobody_calls_himself(make_sale: MakeSale) -> None:
    sale, _ = await night(make_sale)
    await sale.creator("pause")
    assert await sale.hold("ben") == refusals.Paused()
    assert (await view(sale)).pools[0].next == 0


async def test_a_drop_that_closes_has_no_hours_any_more(make_sale: MakeSale) -> None:
    sale, _ = await night(make_sale)
    await sale.creator("close")
    truth = await sale.truth()
    assert {"calls", "quiet"} & truth.due.keys() == set()
    assert (await view(sale)).calls_ms == 0


async def test_after_a_leap_of_the_clock_the_hours_are_those_of_the_right_one(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(ONE, **CALLS)
    sale.now = EVENING + HOUR_MS
    await sale.settle()
    sale.now -= 4 * HOUR_MS
    await sale.creator("realign")
    truth = await sale.truth()
    assert truth.due["quiet"] == EVENING + 4 * HOUR_MS
    assert (await view(sale)).calls_ms == 0


async def test_a_drop_without_hours_has_none(sale: Sale) -> None:
    truth = await sale.truth()
    assert {"calls", "quiet"} & truth.due.keys() == set()
    assert "opened" not in truth.drop


@pytest.mark.parametrize("bad", [-1, DAY_MS])
async def test_hours_that_no_day_has_are_refused(make_sale: MakeSale, bad: int) -> None:
    sale = await make_sale(opened=False, calls_from_ms=bad, calls_to_ms=5)
    truth = await sale.store.truth(sale.drop)
    assert truth is None
