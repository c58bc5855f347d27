"""Rows of `doubt_clock`."""

from __future__ import annotations

import pytest

from dropengine import refusals
from dropengine.creator_commands import Realign
from dropengine.model import DropId
from dropengine.truth.replies import Doubted
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS
from tests.kit.sale import Sale

OPENS_MS = START_MS + 3_600_000


@pytest.fixture
async def waiting(make_sale: MakeSale) -> Sale:
    """It opens in an hour."""
    return await make_sale(opened=False, opens_ms=OPENS_MS)


async def doubt(sale: Sale) -> Doubted | refusals.NotFound:
    return await sale.store.doubt_clock(sale.drop, clock_ms=sale.now)


async def test_a_drop_in_doubt_does_not_open_by_the_clock(waiting: Sale) -> None:
    """The clock leaps over the opening time, is put right, and opens the drop when it comes."""
    waiting.now += 7_200_000
    assert await doubt(waiting) == Doubted(True)
    for _ in range(2):
        assert (await waiting.settle()).state == "scheduled"
        assert await waiting.hold("ana") == refusals.NotOpen()
    waiting.now -= 7_200_000
    await waiting.creator("realign")
    assert (await waiting.settle()).state == "scheduled"
    waiting.now = OPENS_MS
    assert (await waiting.settle()).state == "live"


async def test_somebody_for_whom_the_new_time_is_right_lets_it_open(waiting: Sale) -> None:
    waiting.now += 7_200_000
    await doubt(waiting)
    await waiting.creator("realign")
    assert (await waiting.settle()).state == "live"


async def test_it_can_be_opened_by_hand(waiting: Sale) -> None:
    await doubt(waiting)
    await waiting.creator("open")
    assert (await waiting.settle()).state == "live"


async def test_who_waits_for_nothing_is_in_no_doubt(make_sale: MakeSale) -> None:
    by_hand = await make_sale(opened=False)
    assert await doubt(by_hand) == Doubted(False)
    await by_hand.creator("open")
    assert await doubt(by_hand) == Doubted(False)
    assert isinstance(await by_hand.creator(Realign.verb), refusals.Already)


async def test_an_unpublished_drop_is_not_found(sale: Sale) -> None:
    assert await sale.store.doubt_clock(DropId("nowhere")) == refusals.NotFound()
    assert await sale.store.client.keys("{nowhere}*") == []
