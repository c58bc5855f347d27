"""Rows of `widen`: the drop is open to all, by hand or by its clock, and nothing moves."""

from __future__ import annotations

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, item

PUBLIC_MS = START_MS + 3_600_000


async def test_ceilings_end_and_whoever_waited_is_called_before_anybody_new(
    make_sale: MakeSale,
) -> None:
    pin = item("pin", {"pin": 3})
    sale = await make_sale(pin, cohorts={"club": 1})
    for fan in ("ada", "ben"):
        await sale.enroll(fan, "club")
    await sale.held("ada")
    entry = await sale.joined("ben")
    before = await sale.truth()
    assert await sale.creator("widen") == outcomes.Changed(8, 3, "live")
    widened, offered = (await sale.log())[-2:]
    assert isinstance(widened, events.Widened)
    assert isinstance(offered, events.Offered)
    assert (widened.by, offered.entry, offered.cohort) == ("o1", entry, "")
    after = await sale.truth()
    # What was held counts as it did, and every place is the one that it was.
    assert (after.holds["h1"], after.places) == (before.holds["h1"], before.places)
    assert (after.pools["pin"].counted, after.pools["pin"].ceilings) == ([1], [])
    assert after.drop["widened"] == str(START_MS)
    # Now anybody may press, and counts against no cohort.
    hold = await sale.held("cy")
    assert (await sale.truth()).holds[hold].cohort == ""


async def test_the_clock_opens_it_to_all_in_its_turn_among_what_is_due(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(cohorts={"club": 1}, public_ms=PUBLIC_MS)
    sale.now = PUBLIC_MS - 1
    assert await sale.hold("cy") == refusals.NotEligible(PUBLIC_MS)
    sale.now = PUBLIC_MS
    await sale.held("cy")
    widened = (await sale.log())[-2]
    assert isinstance(widened, events.Widened)
    assert (widened.by, widened.at) == ("clock", PUBLIC_MS)
    assert "widen" not in (await sale.truth()).due


async def test_a_clock_in_doubt_opens_nothing_to_all(make_sale: MakeSale) -> None:
    sale = await make_sale(cohorts={"club": 1}, public_ms=PUBLIC_MS)
    sale.now = PUBLIC_MS
    doubted = await sale.store.doubt_clock(sale.drop, clock_ms=sale.now)
    assert doubted.waits  # type: ignore[union-attr]
    assert await sale.hold("cy") == refusals.NotEligible(PUBLIC_MS)
    await sale.creator("realign")
    await sale.held("cy")


async def test_it_moves_with_the_opening_and_is_over_with_the_drop(make_sale: MakeSale) -> None:
    opens_ms = START_MS + 1_800_000
    sale = await make_sale(
        cohorts={"club": 1}, public_ms=PUBLIC_MS, opens_ms=opens_ms, opened=False
    )
    later = opens_ms + 600_000
    moved = await sale.creator("reschedule", opens_ms=later, closes_ms=0)
    assert isinstance(moved, outcomes.Changed)
    sale.now = later
    assert await sale.hold("cy") == refusals.NotEligible(PUBLIC_MS + 600_000)
    assert (await sale.truth()).due["widen"] == PUBLIC_MS + 600_000
    await sale.creator("close", revision=3)
    assert "widen" not in (await sale.truth()).due


async def test_who_is_too_early_or_comes_again_reads_it(make_sale: MakeSale) -> None:
    sale = await make_sale(cohorts={"club": 1}, opened=False)
    assert await sale.creator("widen") == refusals.NotOpen()
    await sale.creator("open")
    first = await sale.creator("widen", key="w")
    assert await sale.creator("widen", key="w", revision=2) == first
    assert isinstance(await sale.creator("widen"), refusals.Already)
    await sale.creator("close")
    assert await sale.creator("widen") == refusals.Closed()
    # Nothing is held: it is settled by now.
    cancelled = await make_sale(item("pin", {"pin": 1}), cohorts={"club": 1}, also="-2")
    await cancelled.creator("cancel")
    assert await cancelled.creator("widen") == refusals.Cancelled()


async def test_the_list_of_a_drop_with_cohorts_is_theirs_alone(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby", cohorts={"club": 1})
    await sale.enroll("ada", "club")
    assert len(await sale.entered("ada", "ben")) == 1
    await sale.creator("seal")
    await sale.in_order()
    assert isinstance((await sale.log())[-2], events.Offered)
    assert await sale.hold("ben") == refusals.NotEligible(0)
