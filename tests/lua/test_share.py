"""The share of those whose places were carried over: how far the line calls them, when it is over,
and what the referee says where a guard of it is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest
import redis.asyncio as redis

from dropengine import events, outcomes, refusals, wire
from dropengine.log.referee import judge
from dropengine.truth.store import CarriedRow, Store
from tests.kit.cuts import Cut, mutilated
from tests.kit.manifests import LOOKUP_MS, OFFER_MS, carrying, item, manifest
from tests.kit.sale import Sale

CARRIED = 8


async def published(store: Store, drop: str, *, confirmed: int = CARRIED) -> Sale:
    """Ten pins; eight places were carried over, and so many are confirmed."""
    sale = Sale(store, drop)
    await sale.publish(carrying(manifest(drop, item("pin", {"pin": 10}), limit=2), share=50))
    await sale.carry(*(CarriedRow(f"e{n}", f"c{n}", 1, ["pin"]) for n in range(1, CARRIED + 1)))
    for n in range(1, confirmed + 1):
        await sale.confirm(f"c{n}", f"e{n}")
    return sale


@pytest.fixture
async def sale(store: Store, drop: str) -> Sale:
    sale = await published(store, drop)
    await sale.creator("open")
    return sale


async def offered(sale: Sale) -> list[str]:
    return [e.entry for e in await sale.log() if isinstance(e, events.Offered)]


async def carried(sale: Sale) -> list[int]:
    return (await sale.truth()).pools["pin"].carried


async def test_at_the_opening_they_are_called_for_half_of_it(sale: Sale) -> None:
    assert await offered(sale) == ["e1", "e2", "e3", "e4", "e5"]
    assert (await carried(sale), await sale.counts()) == ([5, 5], (5, 5, 0, 0))


async def test_who_waits_beyond_the_share_keeps_nobody_from_a_unit_and_may_press(
    sale: Sale,
) -> None:
    await sale.held("ada")
    await sale.held("c6")
    assert isinstance(await sale.join("ben"), outcomes.Held)
    assert (await carried(sale))[0] == 5


async def test_what_one_of_them_gives_back_goes_to_the_next_of_them(sale: Sale) -> None:
    await sale.release("c2", (await sale.truth()).entries["e2"].hold)
    assert (await offered(sale))[-1] == "e6"
    hold = (await sale.truth()).entries["e1"].hold
    await sale.succeeded(hold)
    await sale.refund(hold)
    assert (await offered(sale))[-1] == "e7"
    assert (await carried(sale)) == [5, 5]


async def test_when_the_last_free_unit_is_taken_they_are_as_all_others(sale: Sale) -> None:
    holds = [await sale.held(f"x{n}") for n in range(5)]
    assert await carried(sale) == []
    assert await sale.hold("late") == refusals.AllHeld(0, 10)
    await sale.joined("late")
    for hold in holds[:3]:
        await sale.release(f"x{holds.index(hold)}", hold)
    # By their arrivals, before everybody who came later.
    assert (await offered(sale))[5:] == ["e6", "e7", "e8"]


async def test_in_one_batch_it_ends_as_soon_as_the_last_unit_is_taken(sale: Sale) -> None:
    holds = [await sale.held(f"x{n}") for n in range(4)]
    last = wire.Hold(id=0, key="l", pool="pin")
    back = wire.Release(id=0, key="b", hold=holds[0])
    press = wire.Hold(id=0, key="p", pool="pin")
    told = await sale.batch(("ada", last), ("x0", back), ("ben", press))
    assert isinstance(told[0], outcomes.Held)
    assert isinstance(told[2], refusals.AllHeld)
    assert (await offered(sale))[-1] == "e6"


async def test_a_batch_sees_what_it_made_of_the_share_itself(sale: Sale) -> None:
    entries = (await sale.truth()).entries
    back = wire.Release(id=0, key="b", hold=entries["e1"].hold)
    press = wire.Hold(id=0, key="p", pool="pin")
    told = await sale.batch(("ada", press), ("c1", back), ("ben", press))
    assert isinstance(told[0], outcomes.Held)
    # Now the sixth of them is called: nobody passes him.
    assert isinstance(told[2], refusals.AllHeld)


async def test_a_share_of_less_than_a_unit_calls_nobody_before_it_is_over(
    store: Store, drop: str
) -> None:
    sale = Sale(store, drop)
    await sale.publish(carrying(manifest(drop, item("pin", {"pin": 1})), share=50))
    await sale.carry(CarriedRow("e3", "ana", 1, ["pin"]))
    await sale.confirm("ana", "e1")
    await sale.creator("open")
    hold = await sale.held("ada")
    await sale.release("ada", hold)
    assert await offered(sale) == ["e1"]


async def test_a_late_payment_may_buy_beyond_the_share_and_counts_in_it(sale: Sale) -> None:
    """The unit of the offer that ran out went to the next of them; the money came afterwards."""
    entries = (await sale.truth()).entries
    for n in range(2, 6):
        await sale.succeeded(entries[f"e{n}"].hold)
    await sale.pay("c1", entries["e1"].hold)
    for ms in (OFFER_MS, LOOKUP_MS):
        sale.now += ms
        await sale.settle()
    assert ((await offered(sale))[5:], await carried(sale)) == (["e6"], [5, 5])
    assert isinstance(await sale.succeeded(entries["e1"].hold), outcomes.Paid)
    assert await carried(sale) == [6, 5]
    # One of them that comes back is not the next one's: they still have five.
    await sale.release("c6", (await sale.truth()).entries["e6"].hold)
    assert ((await offered(sale))[6:], await carried(sale)) == ([], [5, 5])
    assert judge([line async for line in sale.store.log(sale.drop)]).violations == []


class Control(NamedTuple):
    guard: str
    cut: Cut
    sentence: str


async def story(sale: Sale) -> None:
    """Some confirm late; one is given back; all is taken, and then given back."""
    await sale.creator("open")
    for n in range(1, CARRIED + 1):
        await sale.confirm(f"c{n}", f"e{n}")
    entries = (await sale.truth()).entries
    await sale.release("c1", entries["e1"].hold or "h1")
    for n in range(6):
        await sale.hold(f"x{n}")
    for n in range(6):
        for hold, _ in (await sale.you(f"x{n}")).holds:
            await sale.release(f"x{n}", hold)


CONTROLS = (
    Control(
        "confirmed first",
        Cut("line/refresh_readiness", "local asked = entry[E_CARRIED] == 1", "local asked = false"),
        "though it is not ready for it",
    ),
    Control(
        "no more than their share",
        Cut("launch/share_full", "share[1] >= share[2]", "share[1] >= share[2] + 1"),
        "is offered pin",
    ),
    Control(
        "counted once",
        Cut("launch/count_carried", "share[1] = share[1] + qty", "share[1] = share[1]"),
        "is offered pin",
    ),
    Control(
        "the end of the share",
        Cut("launch/count_carried", "if qty > 0 and pool[P_FREE] == 0 then", "if false then"),
        "lie free while e",
    ),
)
each_control = pytest.mark.parametrize("control", CONTROLS, ids=[one.guard for one in CONTROLS])


async def found(store: Store, drop: str, tell: Callable[[Sale], Awaitable[None]]) -> list[str]:
    sale = await published(store, drop, confirmed=3)
    await tell(sale)
    log = [line async for line in sale.store.log(sale.drop)]
    return [violation.sentence for violation in judge(log).violations]


async def test_with_all_guards_the_story_ends_well(store: Store, drop: str) -> None:
    assert await found(store, drop, story) == []


@each_control
async def test_without_the_guard_the_referee_names_what_broke(
    client: redis.Redis, drop: str, control: Control
) -> None:
    bare = Store(client, mutilated([control.cut]))
    sentences = await found(bare, drop, story)
    assert any(control.sentence in one for one in sentences), sentences
