"""Rows of `reschedule`: the newest times count, for the clock, for screens and for the judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from dropengine import events, outcomes, refusals
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, WINDOW_MS
from tests.kit.sale import Sale

OPENS, CLOSES = START_MS + 60_000, START_MS + 3_600_000
LATER = 30_000


@pytest.fixture
async def planned(make_sale: MakeSale) -> Sale:
    """Opens and closes by the clock."""
    return await make_sale(opens_ms=OPENS, closes_ms=CLOSES, opened=False)


async def moved(sale: Sale, opens_ms: int, closes_ms: int) -> outcomes.CreatorOutcome:
    return await sale.creator("reschedule", opens_ms=opens_ms, closes_ms=closes_ms)


async def times(sale: Sale) -> tuple[int, int]:
    """As every screen is told them, and every list."""
    view = await sale.store.view(sale.drop, 0, 0, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert (view.opens_ms, view.closes_ms) == (shown.opens_ms, shown.closes_ms)
    return view.opens_ms, view.closes_ms


async def state_at(sale: Sale, now: int) -> str:
    sale.now = now
    await sale.settle()
    return str((await sale.truth()).drop["state"])


async def check(sale: Sale) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


async def test_a_drop_opens_and_closes_at_its_newest_times(planned: Sale) -> None:
    assert await times(planned) == (OPENS, CLOSES)
    assert isinstance(await moved(planned, OPENS + LATER, CLOSES - LATER), outcomes.Changed)
    event = (await planned.log())[-1]
    assert isinstance(event, events.Rescheduled)
    assert (event.opens_ms, event.closes_ms) == (OPENS + LATER, CLOSES - LATER)
    assert await times(planned) == (OPENS + LATER, CLOSES - LATER)
    assert await state_at(planned, OPENS) == "scheduled"
    assert await state_at(planned, OPENS + LATER - 1) == "scheduled"
    assert await state_at(planned, OPENS + LATER) == "live"
    assert await state_at(planned, CLOSES - LATER - 1) == "live"
    assert await state_at(planned, CLOSES - LATER) in ("closing", "settled")
    await check(planned)


async def test_earlier_is_as_good_as_later(planned: Sale) -> None:
    await moved(planned, START_MS + 5, CLOSES)
    assert await state_at(planned, START_MS + 4) == "scheduled"
    assert await state_at(planned, START_MS + 5) == "live"
    await check(planned)


async def test_by_hand_is_a_time_too(planned: Sale) -> None:
    await moved(planned, 0, 0)
    assert await times(planned) == (0, 0)
    assert await state_at(planned, CLOSES + LATER) == "scheduled"
    await moved(planned, 0, planned.now + 10)
    await planned.creator("open")
    assert await state_at(planned, planned.now + 10) in ("closing", "settled")
    await check(planned)


@pytest.mark.parametrize("paused", [False, True])
async def test_what_sells_may_close_at_another_time(make_sale: MakeSale, paused: bool) -> None:
    sale = await make_sale()
    if paused:
        await sale.creator("pause")
    assert isinstance(await moved(sale, 0, sale.now + LATER), outcomes.Changed)
    assert isinstance(await moved(sale, 0, sale.now + 2 * LATER), outcomes.Changed)
    assert await state_at(sale, sale.now + LATER) == ("paused" if paused else "live")
    assert await state_at(sale, sale.now + LATER) in ("closing", "settled")
    await check(sale)


async def test_what_has_opened_opens_no_more(planned: Sale) -> None:
    """The clock was faster than the creator, at the very same moment."""
    planned.now = OPENS
    answer = await moved(planned, OPENS + LATER, CLOSES)
    assert isinstance(answer, refusals.StaleRevision)
    assert (answer.what, answer.by) == ("the clock", "clock")
    planned.revision = answer.revision
    over = refusals.BadMessage("opens_ms is over, the drop has opened")
    assert await moved(planned, OPENS + LATER, CLOSES) == over
    assert await times(planned) == (OPENS, CLOSES)
    await check(planned)


@pytest.mark.parametrize(
    ("opens_ms", "closes_ms", "what"),
    [
        (START_MS, CLOSES, refusals.InThePast(START_MS)),
        (START_MS - 1, CLOSES, refusals.InThePast(START_MS)),
        (OPENS, START_MS, refusals.InThePast(START_MS)),
        (1, CLOSES, refusals.InThePast(START_MS)),
        (OPENS, OPENS, refusals.BadMessage("closes_ms must be after opens_ms, or 0")),
        (OPENS + 2, OPENS + 1, refusals.BadMessage("closes_ms must be after opens_ms, or 0")),
    ],
)
async def test_no_time_is_in_the_past_or_the_wrong_way_round(
    planned: Sale, opens_ms: int, closes_ms: int, what: refusals.Refusal
) -> None:
    assert await moved(planned, opens_ms, closes_ms) == what
    assert await times(planned) == (OPENS, CLOSES)
    assert len(await planned.log()) == 1


async def test_the_same_times_again_are_nothing_new(planned: Sale) -> None:
    assert isinstance(await moved(planned, OPENS, CLOSES), refusals.Already)
    first = await planned.creator("reschedule", key="k", opens_ms=0, closes_ms=CLOSES)
    again = await planned.creator("reschedule", key="k", opens_ms=0, closes_ms=CLOSES, revision=1)
    assert again == first
    other = await planned.creator("reschedule", key="k", opens_ms=0, closes_ms=0)
    assert isinstance(other, refusals.KeyReused)
    await check(planned)


async def test_a_closing_that_passed_without_effect_may_be_set_anew(planned: Sale) -> None:
    await moved(planned, 0, START_MS + 10)
    assert await state_at(planned, START_MS + 20) == "scheduled"
    assert isinstance(await moved(planned, 0, START_MS + 40), outcomes.Changed)
    await planned.creator("open")
    assert await state_at(planned, START_MS + 40) in ("closing", "settled")
    await check(planned)


Doing = Callable[[Sale], Awaitable[object]]
ENDS: dict[str, tuple[Doing, type[refusals.Refusal]]] = {
    "closing": (lambda sale: sale.creator("close"), refusals.Closed),
    "cancelled": (lambda sale: sale.creator("cancel"), refusals.Cancelled),
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_ends_has_no_times_left(make_sale: MakeSale, end: str) -> None:
    sale = await make_sale()
    do, refusal = ENDS[end]
    await sale.held("ana")
    await do(sale)
    assert isinstance(await moved(sale, 0, sale.now + LATER), refusal)
    await check(sale)


async def test_planned_times_mean_the_true_clock_after_a_leap(make_sale: MakeSale) -> None:
    """The drop's own time is two hours ahead by then."""
    sale = await make_sale()
    sale.now += 7_200_000
    await sale.settle()
    sale.revision = int((await sale.truth()).drop["revision"])
    await sale.creator("message", text="What time is it?")
    sale.now -= 7_200_000
    await sale.creator("realign")
    true = sale.now
    assert isinstance(await moved(sale, 0, true + LATER), outcomes.Changed)
    assert await times(sale) == (0, true + LATER)
    assert await state_at(sale, true + LATER - 1) == "live"
    assert await state_at(sale, true + LATER) in ("closing", "settled")
    await check(sale)


@pytest.mark.parametrize(("mode", "after_ms"), [("lobby", 0), ("draw", WINDOW_MS)])
async def test_while_a_list_is_open_its_seal_moves_with_the_opening(
    make_sale: MakeSale, mode: str, after_ms: int
) -> None:
    opens, closes = START_MS + 2 * WINDOW_MS, START_MS + 9 * WINDOW_MS
    sale = await make_sale(opens_ms=opens, closes_ms=closes, mode=mode, opened=False)
    assert await state_at(sale, opens + after_ms - WINDOW_MS) == "lobby"
    sale.revision += 1
    assert await moved(sale, sale.now - after_ms, closes) == refusals.InThePast(sale.now)
    assert isinstance(await moved(sale, closes, closes), refusals.BadMessage)
    assert isinstance(await moved(sale, opens + LATER, closes), outcomes.Changed)
    view = await sale.store.view(sale.drop, 0, 0, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    assert view.entering.seals_ms == opens + LATER + after_ms
    assert await state_at(sale, opens + LATER + after_ms - 1) == "lobby"
    assert isinstance(await sale.join("cy"), outcomes.Joined)
    assert await state_at(sale, opens + LATER + after_ms) == "ordering"
    sale.revision += 1
    assert isinstance(await moved(sale, sale.now + LATER, closes), refusals.BadMessage)
    await check(sale)


@pytest.mark.parametrize("planned", [True, False])
async def test_by_hand_a_list_is_sealed_by_nobody_else(make_sale: MakeSale, planned: bool) -> None:
    sale = await make_sale(mode="lobby")
    if planned:
        assert isinstance(await moved(sale, START_MS + LATER, 0), outcomes.Changed)
    else:
        # The opening was by hand already, its seal was not; another closing leaves it.
        assert isinstance(await moved(sale, 0, CLOSES + LATER), outcomes.Changed)
        view = await sale.store.view(sale.drop, 0, 0, clock_ms=sale.now)
        assert isinstance(view, ViewReply)
        assert view.entering.seals_ms == sale.now + WINDOW_MS
        await check(sale)
    closes = 0 if planned else CLOSES + LATER
    assert isinstance(await moved(sale, 0, closes), outcomes.Changed)
    assert isinstance(await moved(sale, 0, closes), refusals.Already)
    assert await state_at(sale, CLOSES) == "lobby"
    await sale.creator("seal")
    await check(sale)
