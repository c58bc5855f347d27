"""Rows of `swap`: units of a hold for as many of another pool."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.model import KEPT_MS
from dropengine.truth.networks import Whence
from dropengine.truth.replies import PartOut
from dropengine.wire import Hold, Release, Swap
from tests.conftest import MakeSale
from tests.kit.long_ago import BEYOND_MS
from tests.kit.manifests import HOLD_MS, item
from tests.kit.sale import Sale


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    return await make_sale(*(item(name, {name: 3}, most=3) for name in ("red", "blue")), limit=3)


async def test_a_hold_has_units_of_another_pool(sale: Sale) -> None:
    hold = await sale.held("ana", "red", 2)
    before = (await sale.truth()).holds[hold]
    sale.now += 1000
    answer = await sale.swap("ana", hold, "blue")
    assert isinstance(answer, outcomes.Swapped)
    assert (answer.id, answer.hold.pool, answer.hold.qty) == (hold, "blue", 2)
    assert (answer.hold.price, answer.hold.deadline_ms) == (before.price, before.deadline_ms)
    assert await sale.counts("red") == (3, 0, 0, 0)
    assert await sale.counts("blue") == (1, 2, 0, 0)
    told = (await sale.log())[-1]
    assert isinstance(told, events.Swapped)
    assert (told.hold, told.pool, told.to, told.qty) == (hold, "red", "blue", 2)
    truth = await sale.truth()
    assert (truth.fans["ana"].used, truth.fans["ana"].seq) == (2, told.seq)
    assert truth.holds[hold] == answer.hold


async def test_the_unit_given_up_goes_to_its_line_in_the_same_script(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 1}))
    hold = await sale.held("ana", "red")
    await sale.joined("bo", "red")
    assert isinstance(await sale.swap("ana", hold, "blue"), outcomes.Swapped)
    assert (await sale.words())[-2:] == ["swapped", "offered"]


async def test_no_newcomer_of_the_batch_gets_the_unit_that_the_line_is_to_have(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 1}))
    hold = await sale.held("ana", "red")
    await sale.joined("bo", "red")
    _, pressed = await sale.batch(("ana", Swap(0, "s", hold, "blue")), ("cy", Hold(0, "k", "red")))
    assert pressed == refusals.AllHeld(0, 0)


async def test_nobody_swaps_past_a_line_that_is_ready(make_sale: MakeSale) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 1}))
    mine, his = await sale.held("ana", "red"), await sale.held("bo", "blue")
    await sale.joined("cy", "blue")
    _, swapped = await sale.batch(("bo", Release(0, "r", his)), ("ana", Swap(0, "s", mine, "blue")))
    assert swapped == refusals.AllHeld(0, 0)
    assert (await sale.truth()).holds[mine].pool == "red"


async def test_what_is_not_there_or_not_his_is_not_found(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    assert await sale.swap("bo", hold, "blue") == refusals.NotFound()
    assert await sale.swap("ana", "h9", "blue") == refusals.NotFound()
    assert await sale.swap("ana", hold, "mauve") == refusals.NotFound()


async def test_what_has_ended_is_not_swapped(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    await sale.release("ana", hold)
    assert await sale.swap("ana", hold, "blue") == refusals.HoldExpired("released")


async def test_an_offer_is_claimed_first(make_sale: MakeSale) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 1}))
    await sale.called("ana", "red")
    (hold,) = (await sale.truth()).fans["ana"].holds
    assert await sale.swap("ana", hold, "blue") == refusals.NotFound()
    await sale.claim("ana", hold)
    assert isinstance(await sale.swap("ana", hold, "blue"), outcomes.Swapped)


async def test_what_is_being_paid_for_stays(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    await sale.pay("ana", hold)
    assert await sale.swap("ana", hold, "blue") == refusals.Paying("p1")


async def test_into_its_own_pool_nothing_moves(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    assert isinstance(await sale.swap("ana", hold, "red"), outcomes.Swapped)
    assert (await sale.words())[-1] == "held"


@pytest.mark.parametrize(
    ("verb", "refused"), [("pause", refusals.Paused), ("close", refusals.Closed)]
)
async def test_a_swap_begins_something(
    sale: Sale, verb: str, refused: type[refusals.Refusal]
) -> None:
    hold = await sale.held("ana", "red")
    await sale.creator(verb)
    assert isinstance(await sale.swap("ana", hold, "blue"), refused)


async def test_only_for_the_same_price(make_sale: MakeSale) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("dear", {"dear": 1}, price=2500))
    hold = await sale.held("ana", "red")
    assert await sale.swap("ana", hold, "dear") == refusals.OtherPrice(2500)


async def test_what_all_hold_cannot_be_had_by_a_swap(sale: Sale) -> None:
    hold = await sale.held("ana", "red", 2)
    await sale.held("bo", "blue", 2)
    assert await sale.swap("ana", hold, "blue") == refusals.AllHeld(1, 2)


async def test_the_most_and_the_limit_of_the_new_item_apply(make_sale: MakeSale) -> None:
    sale = await make_sale(
        item("red", {"red": 3}, most=3),
        item("blue", {"blue": 3}, most=1),
        item("green", {"green": 3}, most=3, limit=2),
        limit=4,
    )
    hold = await sale.held("ana", "red", 2)
    assert await sale.swap("ana", hold, "blue") == refusals.LimitReached(1)
    other = await sale.held("ana", "green")
    assert await sale.swap("ana", hold, "green") == refusals.LimitReached(1)
    await sale.release("ana", other)
    assert isinstance(await sale.swap("ana", hold, "green"), outcomes.Swapped)


async def test_what_it_gives_up_makes_room_for_what_it_gets(make_sale: MakeSale) -> None:
    """Of an item of two pools, at the limit."""
    sale = await make_sale(item("pin", {"a": 2, "b": 2}, limit=2, most=2), limit=2)
    hold = await sale.held("ana", "a", 2)
    assert isinstance(await sale.swap("ana", hold, "b"), outcomes.Swapped)
    assert (await sale.truth()).fans["ana"].used == 2


async def test_room_that_it_makes_is_told(make_sale: MakeSale) -> None:
    sale = await make_sale(item("red", {"red": 1}, limit=1), item("blue", {"blue": 2}), limit=3)
    hold = await sale.held("ana", "red")
    await sale.joined("ana", "red")
    assert isinstance(await sale.swap("ana", hold, "blue"), outcomes.Swapped)
    assert (await sale.words())[-3:] == ["swapped", "limit_freed", "offered"]


async def test_a_repeat_is_answered_with_the_present_state(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    await sale.swap("ana", hold, "blue", key="s")
    await sale.swap("ana", hold, "red")
    again = await sale.swap("ana", hold, "blue", key="s")
    assert isinstance(again, outcomes.Swapped)
    assert again.hold.pool == "red"
    assert (await sale.words()).count("swapped") == 2
    assert await sale.swap("ana", hold, "red", key="s") == refusals.KeyReused()


async def test_a_hold_that_was_just_made_can_be_swapped(sale: Sale) -> None:
    held, swapped = await sale.batch(
        ("ana", Hold(0, "k", "red")), ("ana", Swap(0, "s", "h1", "blue"))
    )
    assert isinstance(held, outcomes.Held)
    assert isinstance(swapped, outcomes.Swapped)
    assert held.hold == swapped.hold
    assert held.hold.pool == "blue"


async def test_swaps_are_paced(make_sale: MakeSale) -> None:
    names = ("red", "blue")
    sale = await make_sale(*(item(name, {name: 3}) for name in names), pace=3, pace_ms=10_000)
    hold = await sale.held("ana", "red")
    for name in ("blue", "red"):
        assert isinstance(await sale.swap("ana", hold, name), outcomes.Swapped)
    assert isinstance(await sale.swap("ana", hold, "blue"), refusals.TooManyRequests)


async def test_a_swapped_hold_counts_where_it_began(make_sale: MakeSale) -> None:
    names = ("red", "blue")
    sale = await make_sale(*(item(name, {name: 3}) for name in names), network_most=1)
    sale.whence = {fan: Whence("192.0.2.7") for fan in ("ana", "bo")}
    hold = await sale.held("ana", "red")
    assert isinstance(await sale.swap("ana", hold, "blue"), outcomes.Swapped)
    assert isinstance(await sale.hold("bo", "red"), refusals.NetworkFull)
    await sale.release("ana", hold)
    assert isinstance(await sale.hold("bo", "red"), outcomes.Held)


async def test_its_units_count_against_a_cohort_of_the_new_pool(make_sale: MakeSale) -> None:
    names = ("red", "blue")
    sale = await make_sale(
        *(item(name, {name: 4}) for name in names), cohorts={"club": 2}, opened=False
    )
    await sale.enroll("ana", "club")
    await sale.enroll("bo", "club")
    await sale.creator("open")
    hold = await sale.held("ana", "red", 2)
    assert isinstance(await sale.swap("ana", hold, "blue"), outcomes.Swapped)
    pools = (await sale.truth()).pools
    assert (pools["red"].counted, pools["blue"].counted) == ([0], [2])
    mine = await sale.held("bo", "red")
    assert isinstance(await sale.swap("bo", mine, "blue"), refusals.CohortFull)
    await sale.release("ana", hold)
    assert (await sale.truth()).pools["blue"].counted == [0]


async def test_a_call_that_was_swapped_away_is_not_counted_in_its_lane(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 1}), k=5)
    entry = await sale.called("ana", "red")
    (hold,) = (await sale.truth()).fans["ana"].holds
    await sale.claim("ana", hold)
    assert (await sale.truth()).pools["red"].lane_count == 1
    await sale.swap("ana", hold, "blue")
    truth = await sale.truth()
    assert (truth.pools["red"].lane_count, truth.entries[entry].call) == (0, 0)
    await sale.release("ana", hold)
    truth = await sale.truth()
    assert (truth.pools["red"].lane_count, truth.pools["blue"].lane_count) == (0, 0)


async def test_its_deadline_is_over_when_it_was(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    await sale.swap("ana", hold, "blue")
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.truth()).holds[hold].state == "expired"
    assert await sale.counts("blue") == (3, 0, 0, 0)


async def test_a_swap_is_remembered_as_long_as_its_hold(sale: Sale) -> None:
    await sale.swap("ana", await sale.held("ana", "red"), "blue")
    sale.now += BEYOND_MS
    await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)
    sale.now += KEPT_MS
    taken = await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)
    assert taken == PartOut(2, "0")
