"""Rows of `carry`: places of an earlier drop get the first arrivals, part by part."""

from __future__ import annotations

import pytest

from dropengine import events, refusals
from dropengine.truth.replies import Carried, NotCarrying, OtherList
from dropengine.truth.store import CarriedRow, Store
from tests.kit.manifests import carrying, in_mode, item, manifest
from tests.kit.sale import HASH, Sale

OPENS_IN_MS = 60_000


@pytest.fixture
async def sale(store: Store, drop: str) -> Sale:
    """Not open; three pins and two cups, two of either in one press."""
    pins, cups = item("pin", {"pin": 3}, most=2), item("cup", {"cup": 2}, most=2)
    sale = Sale(store, drop)
    opens_ms = sale.now + OPENS_IN_MS
    await sale.publish(carrying(manifest(drop, pins, cups, opens_ms=opens_ms)))
    return sale


def row(number: int, fan: str, *pools: str, qty: int = 1) -> CarriedRow:
    return CarriedRow(f"e{number}", fan, qty, list(pools or ("pin",)))


ROWS = [row(4, "ana"), row(7, "bo", "gone", "cup", "pin", qty=3), row(9, ""), row(11, "cy", "gone")]


async def test_each_part_is_carried_once_and_the_next_is_named(sale: Sale) -> None:
    for _ in range(2):
        assert await sale.carry(*ROWS[:1], of=4) == Carried(2, 4, 1)
    assert await sale.carry(*ROWS[2:], first=3, of=4) == Carried(2, 4, 1)
    assert await sale.carry(*ROWS[1:], first=2, of=4) == Carried(5, 4, 2)
    assert await sale.carry(*ROWS[:1], of=4) == Carried(5, 4, 2)
    told = [e for e in await sale.log() if isinstance(e, events.Carried)]
    assert [(e.first, e.last, e.of, e.n) for e in told] == [(1, 1, 4, 1), (2, 4, 4, 2)]


async def test_what_is_here_is_taken_of_a_place_and_no_more_than_a_press_may_ask(
    sale: Sale,
) -> None:
    await sale.carry(*ROWS)
    ana, bo = [e for e in await sale.log() if isinstance(e, events.Joined)]
    assert (ana.n, ana.of, ana.why, ana.key) == (1, "e4", "carried", "")
    assert (bo.n, bo.of, bo.pools, bo.qty) == (2, "e7", ["cup", "pin"], 2)
    truth = await sale.truth()
    assert (len(truth.places), truth.ready) == (3, {})


async def test_nobody_has_two_places(sale: Sale) -> None:
    assert await sale.carry(row(4, "ana"), row(9, "ana", "cup")) == Carried(3, 2, 1)


async def test_an_empty_list_is_done_with_at_once(sale: Sale) -> None:
    assert await sale.carry() == Carried(1, 0, 0)
    assert (await sale.words())[-1] == "carried"
    assert await sale.carry() == Carried(1, 0, 0)
    await sale.creator("open")


async def test_another_list_is_refused(sale: Sale) -> None:
    other = "cd" * 32
    assert await sale.carry(*ROWS, digest=other) == OtherList(HASH)
    await sale.carry(*ROWS[:1], of=4)
    assert await sale.carry(*ROWS[1:], first=2, of=5) == OtherList(HASH)
    assert len(await sale.words()) == 3


async def test_a_drop_that_carries_nothing_is_left_alone(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    await sale.publish(manifest(drop))
    assert await sale.carry(*ROWS) == OtherList("")
    assert await sale.words() == ["published"]


async def test_nothing_opens_before_all_is_carried(sale: Sale) -> None:
    assert await sale.creator("open") == refusals.NotCarried(0, 0)
    await sale.carry(*ROWS[:1], of=4)
    assert await sale.creator("open") == refusals.NotCarried(1, 4)
    sale.now += OPENS_IN_MS
    assert (await sale.settle()).to_carry == 1
    assert (await sale.settle()).state == "scheduled"
    await sale.carry(*ROWS[1:], first=2, of=4)
    settled = await sale.settle()
    assert (settled.state, settled.to_carry) == ("live", 0)
    # Too late, and harmless.
    assert await sale.carry(*ROWS) == Carried(5, 4, 2)


async def test_a_list_opens_behind_those_who_are_carried(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    await sale.publish(carrying(in_mode(manifest(drop, opens_ms=sale.now + 400_000), "lobby")))
    sale.now += 100_000
    assert (await sale.settle()).state == "scheduled"
    await sale.carry(*ROWS)
    assert (await sale.settle()).state == "lobby"
    await sale.entered("di", "eve", "ana")
    await sale.creator("seal", revision=2)
    right = await sale.in_order()
    truth = await sale.truth()
    assert [truth.entries[name].n for name in right] == [3, 4]
    assert truth.drop["placed"] == "4"


async def test_a_cancelled_drop_carries_nobody(sale: Sale) -> None:
    await sale.creator("cancel")
    assert await sale.carry(*ROWS) == NotCarrying("cancelled")


@pytest.mark.parametrize(
    ("first", "of", "rows"), [(0, 1, 1), (1, -1, 0), (1, 1, 0), (1, 1, 2), (1, 501, 501)]
)
async def test_a_part_that_is_none_is_refused(sale: Sale, first: int, of: int, rows: int) -> None:
    part = [row(n, f"f{n}") for n in range(rows)]
    answer = await sale.store.carry(sale.drop, HASH, first, of, part, clock_ms=sale.now)
    assert isinstance(answer, refusals.BadMessage)
