"""Rows of `claim` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, OFFER_MS, item
from tests.kit.sale import Sale


@pytest.fixture
async def offered(make_sale: MakeSale) -> tuple[Sale, str, str]:
    """One pin, offered to cy, who stands alone in line: the sale, the hold and the entry."""
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("bo")
    entry = await sale.joined("cy")
    await sale.release("bo", hold)
    record = (await sale.truth()).entries[entry]
    assert record.state == "offered"
    return sale, record.hold, entry


async def test_a_claimed_offer_is_a_hold_with_its_own_deadline(
    offered: tuple[Sale, str, str],
) -> None:
    sale, hold, entry = offered
    sale.now += OFFER_MS - 1
    outcome = await sale.claim("cy", hold)
    assert isinstance(outcome, outcomes.Claimed)
    assert (outcome.hold.claimed, outcome.hold.deadline_ms) == (1, sale.now + HOLD_MS)
    assert (outcome.hold.entry, outcome.hold.origin) == (entry, "line")
    assert (await sale.truth()).entries[entry].state == "offered"


async def test_claiming_again_changes_nothing(offered: tuple[Sale, str, str]) -> None:
    sale, hold, _ = offered
    first = await sale.claim("cy", hold)
    sale.now += 1
    again = await sale.claim("cy", hold)
    assert isinstance(first, outcomes.Claimed)
    assert again == outcomes.Claimed(hold, first.hold, first.seq, first.seq)


async def test_an_offer_is_over_exactly_at_the_end_of_its_window(
    offered: tuple[Sale, str, str],
) -> None:
    sale, hold, _ = offered
    sale.now += OFFER_MS
    assert await sale.claim("cy", hold) == refusals.HoldExpired(state="expired")
    assert (await sale.words())[-1] == "lapsed"


async def test_an_offer_goes_on_while_the_drop_is_paused_or_closing(
    offered: tuple[Sale, str, str],
) -> None:
    sale, hold, _ = offered
    await sale.creator("pause")
    await sale.creator("close")
    assert isinstance(await sale.claim("cy", hold), outcomes.Claimed)


async def test_another_fan_does_not_find_the_offer(offered: tuple[Sale, str, str]) -> None:
    sale, hold, _ = offered
    assert await sale.claim("di", hold) == refusals.NotFound()
    assert await sale.claim("cy", "h999") == refusals.NotFound()


async def test_a_press_is_no_offer(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.claim("ana", hold) == refusals.NotFound()


async def test_a_cancelled_drop_offers_nothing(offered: tuple[Sale, str, str]) -> None:
    sale, hold, _ = offered
    await sale.creator("cancel")
    assert await sale.claim("cy", hold) == refusals.Cancelled()
