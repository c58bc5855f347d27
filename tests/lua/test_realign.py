"""Rows of `realign`, and what its lead means: the drop's own time goes on, people read the true."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth import keys
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, HOLD_MS, OFFER_MS, START_MS, item
from tests.kit.sale import Sale

LEAP_MS = 7_200_000


async def check(sale: Sale) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


async def leap(sale: Sale) -> None:
    """Two hours ahead, something happens there, and back."""
    sale.now += LEAP_MS
    await sale.settle()
    sale.revision = int((await sale.truth()).drop["revision"])
    await sale.creator("message", text="What time is it?")
    sale.now -= LEAP_MS


async def deadline(sale: Sale, fan: str = "ana") -> int:
    """Of his newest hold, as his screen shows it."""
    return (await sale.you(fan)).holds[-1][1].deadline_ms


@pytest.mark.parametrize("verb", ["realign", "resume"])
async def test_after_a_leap_that_was_put_right_time_goes_on(sale: Sale, verb: str) -> None:
    await leap(sale)
    if verb == "resume":
        await sale.creator("pause")
    assert isinstance(await sale.creator(verb), outcomes.Changed)
    event = (await sale.log())[-1]
    assert isinstance(event, events.Realigned | events.Resumed)
    assert event.lead == LEAP_MS
    await sale.held("ana")
    assert await deadline(sale) == sale.now + HOLD_MS
    sale.now += HOLD_MS - 1
    await sale.settle()
    assert (await sale.words())[-1] == "held"
    sale.now += 1
    await sale.settle()
    assert (await sale.words())[-1] == "expired"
    await check(sale)


async def test_a_clock_that_was_set_back_for_good_goes_on_too(sale: Sale) -> None:
    await sale.held("ana")
    sale.now -= LEAP_MS
    await sale.creator("realign")
    assert await deadline(sale) == sale.now + HOLD_MS
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.words())[-1] == "expired"
    await check(sale)


async def test_a_second_time_there_is_nothing_to_do(sale: Sale) -> None:
    await leap(sale)
    await sale.creator("realign")
    log = await sale.log()
    assert isinstance(await sale.creator("realign"), refusals.Already)
    assert isinstance(await sale.creator("realign", by="o2"), refusals.Already)
    assert await sale.log() == log


async def test_what_is_planned_means_the_true_clock(make_sale: MakeSale) -> None:
    closes_ms = START_MS + 10_000_000
    sale = await make_sale(closes_ms=closes_ms)
    await leap(sale)
    await sale.creator("realign")
    sale.now = closes_ms - 1
    assert (await sale.settle()).state == "live"
    sale.now = closes_ms
    assert (await sale.settle()).state == "settled"
    await check(sale)


async def test_every_time_that_is_shown_is_true(make_sale: MakeSale) -> None:
    """A sale and a message before, an offer, a cooling and an answer after."""
    sale = await make_sale(item("pin", {"pin": 2}))
    order = await sale.bought("ana")
    hold = await sale.held("bo")
    await sale.joined("cy")
    await sale.joined("di")
    before = sale.now
    await leap(sale)
    # What was settled while the clock was wrong stands: bo's hold is over and cy was called.
    sale.now += 1000
    await sale.creator("realign")
    after = sale.now
    assert (await sale.you("bo")).holds[-1][0] == hold
    cy = await sale.you("cy")
    ((offer, record),) = cy.holds
    assert record.deadline_ms == after + OFFER_MS
    await sale.release("cy", offer)
    ((_, entry, _),) = (await sale.you("cy")).entries
    assert entry.cool_ms == after + COOL_MS
    bought = (await sale.you("ana")).orders[0][1]
    assert bought.at_ms == before
    view = await sale.store.view(sale.drop, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    assert view.now_ms == after
    # Of the very moment at which time stood still until it was realigned.
    assert [at for _, at, _ in view.news] == [after]
    assert (await sale.store.hold(sale.drop, order)).start_ms == before  # type: ignore[union-attr]
    last = await sale.creator("open")
    assert isinstance(last, refusals.Already)
    assert (last.what, last.at_ms) == ("realigned", after)
    answer = await sale.claim("di", f"h{len((await sale.truth()).holds)}")
    assert isinstance(answer, outcomes.Claimed)
    assert (answer.hold.start_ms, answer.hold.deadline_ms) == (after, after + HOLD_MS)
    await check(sale)


async def begin_mark(sale: Sale) -> None:
    """From now on somebody notices when no script runs."""
    await sale.store.client.hset(keys.one(sale.drop, "wake"), "ran", sale.now)


@pytest.mark.parametrize("away_ms", [10_000, 90_000, HOLD_MS, 86_400_000])
async def test_time_without_scripts_does_not_count(sale: Sale, away_ms: int) -> None:
    await begin_mark(sale)
    await sale.held("ana")
    sale.now += away_ms
    assert await deadline(sale) == sale.now + HOLD_MS
    event = (await sale.log())[-1]
    assert isinstance(event, events.Realigned)
    assert (event.lead, event.why, event.by) == (-away_ms, "outage", "clock")
    await check(sale)
    for _ in range(HOLD_MS // 8000 - 1):
        sale.now += 8000
        await sale.settle()
    assert (await sale.words())[-1] == "realigned"
    sale.now += 8000
    await sale.settle()
    assert (await sale.words())[-1] == "expired"
    await check(sale)


@pytest.mark.parametrize("verb", ["pause", "close"])
async def test_time_without_scripts_does_not_count_in_a_pause_nor_while_it_closes(
    sale: Sale, verb: str
) -> None:
    await begin_mark(sale)
    await sale.held("ana")
    await sale.creator(verb)
    sale.now += 90_000
    assert await deadline(sale) == sale.now + HOLD_MS
    await check(sale)


async def test_less_than_ten_seconds_count(sale: Sale) -> None:
    await begin_mark(sale)
    await sale.held("ana")
    sale.now += 9_999
    assert await deadline(sale) == sale.now - 9_999 + HOLD_MS
    assert "realigned" not in await sale.words()


async def test_an_offer_loses_nothing_to_an_outage(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await begin_mark(sale)
    hold = await sale.held("bo")
    await sale.joined("ana")
    await sale.release("bo", hold)
    sale.now += 2 * OFFER_MS
    assert await deadline(sale) == sale.now + OFFER_MS
    assert isinstance(await sale.claim("ana", "h2"), outcomes.Claimed)
    await check(sale)


async def test_a_clock_that_leaps_ahead_under_a_running_sale_ends_nothing(sale: Sale) -> None:
    """To the scripts it is an outage; put right, time goes on again."""
    await begin_mark(sale)
    await sale.held("ana")
    await leap(sale)
    await sale.creator("realign")
    assert await deadline(sale) == sale.now + HOLD_MS
    await check(sale)


@pytest.mark.parametrize("back_ms", [10_000, LEAP_MS])
async def test_a_clock_that_falls_back_and_is_put_right_by_the_millisecond_lost_no_time(
    sale: Sale, back_ms: int
) -> None:
    """Nobody asked for so long, and the drop's own time is not before where it stood."""
    await begin_mark(sale)
    await sale.held("ana")
    sale.now -= back_ms
    await sale.settle()
    sale.now += back_ms
    assert await deadline(sale) == sale.now + HOLD_MS
    event = (await sale.log())[-1]
    assert isinstance(event, events.Realigned)
    assert (event.lead, event.why) == (0, "outage")
    await check(sale)


async def test_an_outage_over_the_opening_time_opens_late_and_a_leap_does_not(
    make_sale: MakeSale,
) -> None:
    """Whoever watches the clock has a few seconds to say that it leapt."""
    sale = await make_sale(opened=False, opens_ms=START_MS + 60_000)
    await begin_mark(sale)
    sale.now += 90_000
    assert (await sale.settle()).state == "scheduled"
    sale.now += 5_000
    assert (await sale.settle()).state == "live"
    await check(sale)


async def test_a_drop_that_is_over_knows_no_outage(sale: Sale) -> None:
    await begin_mark(sale)
    await sale.creator("cancel")
    sale.now += 60_000
    assert (await sale.settle()).state == "cancelled"
    assert (await sale.words())[-1] == "cancelled"


@pytest.mark.parametrize("ask", ["settle", "view", "you", "hold", "pay", "paid", "pause"])
async def test_whoever_comes_first_after_an_outage_finds_all_deadlines_later(
    sale: Sale, ask: str
) -> None:
    await begin_mark(sale)
    hold = await sale.held("ana")
    sale.now += 3_600_000
    match ask:
        case "settle":
            await sale.settle()
        case "view":
            await sale.store.view(sale.drop, clock_ms=sale.now)
        case "you":
            await sale.you("bo")
        case "hold":
            assert isinstance(await sale.hold("bo"), outcomes.Held)
        case "pay":
            assert isinstance(await sale.pay("ana", hold), outcomes.Paying)
        case "paid":
            assert isinstance(await sale.succeeded(hold), outcomes.Paid)
        case _:
            assert isinstance(await sale.creator("pause"), refusals.StaleRevision)
    assert (await sale.words()).count("realigned") == 1
    if ask != "paid":
        assert await deadline(sale) == sale.now + HOLD_MS
    await check(sale)


@pytest.mark.parametrize("opens", [0, START_MS + 1_000], ids=["by hand", "by the clock"])
async def test_a_closing_time_that_a_wrong_clock_passed_is_still_to_come(
    make_sale: MakeSale, opens: int
) -> None:
    closes = START_MS + LEAP_MS // 2
    sale = await make_sale(opens_ms=opens, closes_ms=closes, opened=False)
    if opens:
        await sale.store.doubt_clock(sale.drop, clock_ms=sale.now)
    await leap(sale)
    await sale.creator("realign")
    await sale.creator("open")
    await check(sale)
    sale.now = closes - 1
    assert (await sale.settle()).state == "live"
    sale.now = closes
    assert (await sale.settle()).state == "settled"
    await check(sale)


async def test_a_closing_time_that_passed_before_the_opening_is_over(make_sale: MakeSale) -> None:
    sale = await make_sale(closes_ms=START_MS + 1_000, opened=False)
    sale.now += 1_000
    await sale.creator("open")
    sale.now += LEAP_MS
    assert (await sale.settle()).state == "live"
    await check(sale)
