"""A sealed list is put in its order by any worker, however often one is killed in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest

from dropengine.errors import DrawFault, Unavailable
from dropengine.jobs.drawing import IDS_AT_ONCE, Drawing
from dropengine.jobs.leased_drops import STUCK_S
from dropengine.log import replay
from dropengine.log.draw.sheet import findings
from dropengine.log.draw.told import sheet_of
from dropengine.log.referee import judge
from dropengine.model import DropId
from dropengine.randomness import Source
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import SECRET, Sale

PINS = item("pin", {"pin": 70})
MANY = 600
"""More than one script gives arrivals."""


class Told:
    """The secret, as soon as it may be told."""

    def __init__(self, value: bytes | None = SECRET) -> None:
        self.value = value
        self.asked = 0

    async def revealed(self, drop: DropId, source: Source, sealed_ms: int) -> bytes | None:
        self.asked += 1
        return self.value


class Dying(Store):
    """A worker that is killed at its nth step: before it, or after its answer was lost."""

    steps: count[int]
    dies_at: int
    lost = False

    async def _once(self, verb: str, names: object, args: object) -> object:
        step = next(self.steps)
        if step == self.dies_at and not self.lost:
            raise Unavailable("killed before")
        reply = await super()._once(verb, names, args)  # type: ignore[arg-type]
        if step == self.dies_at:
            raise Unavailable("killed after")
        return reply


@pytest.fixture
async def sealed(make_sale: MakeSale) -> Sale:
    sale = await make_sale(PINS, mode="draw", tickets_most=3)
    for first in range(0, MANY, 100):
        fans = [f"fan-{n}" for n in range(first, first + 100)]
        await sale.entered(*fans, tickets=1 + first // 100 % 3)
    await sale.creator("seal")
    return sale


async def checked(sale: Sale) -> list[str]:
    """The order as the log tells it, after everybody has looked at it."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []
    sheet = sheet_of(lines)
    assert [finding.kept for finding in findings(sheet)] == [True, True, True]
    return sheet.order


async def test_a_list_is_ordered_and_the_drop_opens_with_as_many_offers_as_units(
    sealed: Sale,
) -> None:
    assert await Drawing(sealed.store, Told()).do(sealed.drop)
    await sealed.settle()
    order = await checked(sealed)
    assert len(order) == MANY > IDS_AT_ONCE
    words, parts = await sealed.words(), -(-MANY // IDS_AT_ONCE)
    assert (words.count("ordered"), words.count("offered"), words[-1]) == (parts, 70, "allotted")


@pytest.mark.parametrize("lost", [False, True])
async def test_a_worker_may_be_killed_at_any_step_and_another_one_goes_on(
    sealed: Sale, *, lost: bool
) -> None:
    """Each of them is killed one step later than the one before it; the order is the same."""
    listed = await sealed.sealed()
    deaths = 0
    for dies_at in count(1):
        store = Dying(sealed.store.client)
        store.steps, store.dies_at, store.lost = count(1), dies_at, lost
        try:
            assert await Drawing(store, Told()).do(sealed.drop)
        except Unavailable:
            deaths += 1
        else:
            break
    assert deaths >= 6
    await sealed.settle()
    assert sorted(await checked(sealed)) == sorted(entry.id for entry in listed.entries)


async def test_two_workers_at_once_write_one_order(sealed: Sale) -> None:
    workers = [Drawing(sealed.store, Told()) for _ in range(3)]
    await asyncio.gather(*(worker.do(sealed.drop) for worker in workers))
    await sealed.settle()
    await checked(sealed)


async def test_until_it_is_known_the_root_alone_is_told(sealed: Sale) -> None:
    told = Told(None)
    worker = Drawing(sealed.store, told)
    for _ in range(2):
        assert not await worker.do(sealed.drop)
    assert (await sealed.words())[-2:] == ["sealed", "rooted"]
    told.value = SECRET
    assert await worker.do(sealed.drop)
    await sealed.settle()
    await checked(sealed)


async def test_what_proves_nothing_orders_nothing(sealed: Sale) -> None:
    with pytest.raises(DrawFault, match="not the one"):
        await Drawing(sealed.store, Told(bytes(32))).do(sealed.drop)
    assert (await sealed.words())[-1] == "rooted"


@pytest.fixture
async def leased(sealed: Sale) -> AsyncIterator[Drawing]:
    worker = Drawing(sealed.store, Told(bytes(32)))
    await worker.round()
    yield worker
    await worker.close()


async def test_a_list_that_cannot_be_ordered_is_an_alarm_and_is_tried_again_much_later(
    sealed: Sale,
) -> None:
    clock, told = [0.0], Told(bytes(32))
    worker = Drawing(sealed.store, told, clock=lambda: clock[0])
    await worker.round()
    for now_s, asked in ((0.0, 1), (STUCK_S - 1, 1), (STUCK_S, 2)):
        clock[0] = now_s
        worker.begin(sealed.drop)
        await asyncio.gather(*worker._working.values())
        assert told.asked == asked
    assert "not the one" in worker.stuck[sealed.drop]
    told.value, clock[0] = SECRET, 2 * STUCK_S
    worker.begin(sealed.drop)
    await asyncio.gather(*worker._working.values())
    assert worker.stuck == {}
    await sealed.settle()
    await checked(sealed)


async def test_without_the_lease_nothing_is_done(sealed: Sale, leased: Drawing) -> None:
    other = Drawing(sealed.store, Told())
    await other.round()
    other.begin(sealed.drop)
    assert (await sealed.words())[-1] == "sealed"
    assert leased.stuck == {}


async def test_a_drop_that_orders_nothing_is_left_alone(make_sale: MakeSale) -> None:
    sale = await make_sale()
    told = Told()
    assert await Drawing(sale.store, told).do(sale.drop)
    assert (told.asked, await sale.words()) == (0, ["published", "opened"])


async def test_an_empty_list_opens_the_drop_though_nothing_is_revealed(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    assert await Drawing(sale.store, Told(None)).do(sale.drop)
    assert (await sale.words())[-2:] == ["opened", "allotted"]
