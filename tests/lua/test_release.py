"""Rows of `release` inside `press`."""

from __future__ import annotations

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, HOLD_MS, item
from tests.kit.sale import Sale


async def test_released_units_are_free_again(sale: Sale) -> None:
    hold = await sale.held("ana", qty=2)
    outcome = await sale.release("ana", hold)
    assert isinstance(outcome, outcomes.Released)
    assert outcome.hold.state == "released"
    assert await sale.counts() == (3, 0, 0, 0)


async def test_releasing_again_changes_nothing(sale: Sale) -> None:
    hold = await sale.held("ana")
    first = await sale.release("ana", hold)
    again = await sale.release("ana", hold)
    assert isinstance(first, outcomes.Released)
    assert again == outcomes.Released(hold, first.hold, first.seq, first.seq)
    assert await sale.counts() == (3, 0, 0, 0)


async def test_what_has_ended_cannot_be_released(sale: Sale) -> None:
    sold = await sale.bought("ana")
    assert await sale.release("ana", sold) == refusals.HoldExpired(state="sold")
    late = await sale.held("bo")
    sale.now += HOLD_MS
    assert await sale.release("bo", late) == refusals.HoldExpired(state="expired")


async def test_another_fan_does_not_find_the_hold(sale: Sale) -> None:
    hold = await sale.held("ana")
    assert await sale.release("bo", hold) == refusals.NotFound()
    assert await sale.release("bo", "h999") == refusals.NotFound()
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_released_unit_goes_to_the_head_of_the_line(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    first, second = await sale.joined("bo"), await sale.joined("cy")
    await sale.release("ana", hold)
    entries = (await sale.truth()).entries
    assert (entries[first].state, entries[second].state) == ("offered", "waiting")
    assert await sale.counts() == (0, 1, 0, 0)


async def test_a_declined_offer_cools_its_entry_and_goes_to_the_next(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    first, second = await sale.joined("bo"), await sale.joined("cy")
    await sale.release("ana", hold)
    offer = (await sale.truth()).entries[first].hold
    assert isinstance(await sale.release("bo", offer), outcomes.Released)
    truth = await sale.truth()
    assert (truth.entries[first].state, truth.entries[first].lapses) == ("waiting", 1)
    assert truth.entries[first].cool_ms == sale.now + COOL_MS
    assert truth.entries[second].state == "offered"
    declined = [e for e in await sale.log() if isinstance(e, events.Declined)]
    assert [e.cool for e in declined] == [sale.now + COOL_MS]


async def test_cooling_ends_without_an_event_and_the_line_calls_again(
    make_sale: MakeSale,
) -> None:
    """The clock alone makes the entry ready: nothing else has to happen first."""
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    await sale.release("bo", (await sale.truth()).entries[entry].hold)
    assert await sale.counts() == (1, 0, 0, 0)
    sale.now += COOL_MS - 1
    await sale.settle()
    assert (await sale.words())[-1] == "declined"
    sale.now += 1
    await sale.settle()
    assert (await sale.words())[-1] == "offered"


async def test_the_second_offer_that_comes_back_ends_the_entry(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    for _ in range(2):
        await sale.release("bo", (await sale.truth()).entries[entry].hold)
        sale.now += COOL_MS
        await sale.settle()
    truth = await sale.truth()
    assert truth.entries[entry].state == "dormant"
    assert truth.places == {}
    assert (await sale.words())[-2:] == ["declined", "dormant"]


async def test_a_claimed_offer_given_back_cools_its_entry(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    offer = (await sale.truth()).entries[entry].hold
    await sale.claim("bo", offer)
    await sale.release("bo", offer)
    assert (await sale.words())[-2:] == ["released", "cooled"]


async def test_a_cancelled_drop_has_nothing_to_release(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.creator("cancel")
    assert await sale.release("ana", hold) == refusals.Cancelled()
