"""Rows of `more_time`: a payment by hand gets as much time again."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.truth.store import Store
from tests.kit.manifests import HOUR_MS
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import HAND_MS, by_ways


@pytest.fixture
async def hand(store: Store, drop: str) -> Sale:
    """A hold of ana that she pays by hand."""
    sale = await by_ways(store, drop)
    await sale.pay("ana", await sale.held("ana"), way="post", provider="by_hand")
    return sale


async def test_all_its_holds_stand_as_long_again(hand: Sale) -> None:
    deadline = hand.now + 2 * HAND_MS
    outcome = await hand.more_time("p1", key="k")
    assert isinstance(outcome, outcomes.MoreTime)
    assert outcome.deadline_ms == deadline
    truth = await hand.truth()
    assert truth.due["h:h1"] == truth.holds["h1"].deadline_ms == deadline
    assert (truth.payments["p1"].deadline_ms, truth.payments["p1"].more) == (deadline, 1)
    told = (await hand.log())[-1]
    assert isinstance(told, events.MoreTime)
    assert await hand.more_time("p1", key="k") == outcome


async def test_it_is_given_once(hand: Sale) -> None:
    """ALREADY."""
    await hand.more_time("p1")
    assert isinstance(await hand.more_time("p1"), refusals.Already)


async def test_what_is_being_ended_or_is_over_gets_none(hand: Sale) -> None:
    """HOLD_EXPIRED."""
    hand.now += HAND_MS
    await hand.settle()
    assert await hand.more_time("p1") == refusals.HoldExpired("open")
    await hand.unpaid("p1")
    assert await hand.more_time("p1") == refusals.HoldExpired("ended")


async def test_other_payments_have_the_time_of_their_rules(sale: Sale) -> None:
    """NOT_FOUND."""
    await sale.pay("ana", await sale.held("ana"))
    assert await sale.more_time("p1") == refusals.NotFound()
    assert await sale.more_time("p9") == refusals.NotFound()


async def test_a_key_is_for_one_command(hand: Sale) -> None:
    """KEY_REUSED."""
    await hand.refund("h9", key="k")
    await hand.more_time("p1", key="k")
    assert await hand.more_time("p9", key="k") == refusals.KeyReused()


async def test_what_no_log_could_tell_is_refused(hand: Sale) -> None:
    """BAD_MESSAGE."""
    outcome = await hand.more_time("p 1")
    assert isinstance(outcome, refusals.BadMessage)
    assert (await raw(hand, "more_time", hand.now, "p1", "o 1", "k"))[0] == "BAD_MESSAGE"


async def test_an_hour_is_no_hand(hand: Sale) -> None:
    hand.now += HOUR_MS
    assert (await hand.payment()).state == "open"
