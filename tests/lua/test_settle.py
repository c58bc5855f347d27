"""Rows of `settle`: what the clock does."""

from __future__ import annotations

from dropengine import events, outcomes
from dropengine.truth.replies import Settled
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, HOLD_MS, OFFER_MS, item
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale


async def test_nothing_due_changes_nothing(sale: Sale) -> None:
    assert await sale.settle() == Settled(sale.now, 2, "live", 0, 0)
    await sale.held("ana")
    assert await sale.settle() == Settled(sale.now, 3, "live", sale.now + HOLD_MS, 0)


async def test_a_hold_expires_exactly_at_its_deadline(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS - 1
    assert (await sale.settle()).seq == 3
    sale.now += 1
    await sale.settle()
    assert (await sale.words())[-1] == "expired"
    assert (await sale.truth()).holds[hold].state == "expired"


async def test_what_is_due_at_one_time_is_settled_by_its_name_letter_by_letter(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 11}))
    holds = [await sale.held(f"fan-{n}") for n in range(11)]
    sale.now += HOLD_MS
    await sale.settle()
    ended = [e.hold for e in await sale.log() if isinstance(e, events.Expired)]
    assert ended == sorted(holds)
    assert ended[:3] == ["h1", "h10", "h11"]


async def test_the_clock_never_goes_back(sale: Sale) -> None:
    await sale.held("ana")
    sale.now += HOLD_MS
    await sale.settle()
    sale.now -= HOLD_MS
    outcome = await sale.hold("bo")
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.start_ms == sale.now + HOLD_MS


async def test_a_lapsed_offer_cools_and_then_ends(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    await sale.joined("bo")
    await sale.release("ana", hold)
    sale.now += OFFER_MS
    await sale.settle()
    assert (await sale.words())[-1] == "lapsed"
    sale.now += COOL_MS
    await sale.settle()
    assert (await sale.words())[-1] == "offered"
    sale.now += OFFER_MS
    await sale.settle()
    assert (await sale.words())[-2:] == ["lapsed", "dormant"]


async def test_what_lapses_goes_to_the_next_in_the_same_script(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    await sale.joined("bo")
    await sale.joined("cy")
    await sale.release("ana", hold)
    sale.now += OFFER_MS
    await sale.settle()
    assert (await sale.words())[-2:] == ["lapsed", "offered"]


async def test_a_claimed_offer_that_expires_cools_its_entry(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await sale.release("ana", hold)
    await sale.claim("bo", (await sale.truth()).entries[entry].hold)
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.words())[-2:] == ["expired", "cooled"]


async def test_at_most_64_things_are_settled_at_once(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 100}))
    for i in range(70):
        await sale.held(f"fan-{i}")
    sale.now += HOLD_MS
    assert await raw(sale, "settle") == ["AGAIN"]
    assert await sale.counts() == (94, 6, 0, 0)
    word, *_ = await raw(sale, "settle")
    assert word == "SETTLED"
    assert await sale.counts() == (100, 0, 0, 0)


async def test_many_entries_that_have_cooled_are_called_again(make_sale: MakeSale) -> None:
    """The end of a cooling writes no event; more than one script's worth of them still ends."""
    sale = await make_sale(item("pin", {"pin": 70}, withheld={"pin": 70}))
    for i in range(70):
        await sale.joined(f"fan-{i}")
    await sale.creator("add", pool="pin", qty=70)
    await sale.settle()
    sale.now += OFFER_MS
    await sale.settle()
    sale.now += COOL_MS
    await sale.settle()
    truth = await sale.truth()
    assert {entry.state for entry in truth.entries.values()} == {"offered"}
    assert await sale.counts() == (0, 70, 0, 0)


async def test_at_most_64_offers_are_made_at_once(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 100}, withheld={"pin": 100}))
    for i in range(70):
        await sale.joined(f"fan-{i}")
    await sale.creator("add", pool="pin", qty=100)
    assert await sale.counts() == (36, 64, 0, 0)
    assert isinstance(await sale.hold("new"), outcomes.Held)
    assert await sale.counts() == (29, 71, 0, 0)
