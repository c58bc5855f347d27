"""Rows of a press: `hold` inside `press`."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, model, outcomes, refusals, wire
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, HOLD_MS, item
from tests.kit.sale import Sale


async def test_a_press_sets_units_aside_until_the_deadline(sale: Sale) -> None:
    outcome = await sale.hold("ana", qty=2, key="mine")
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold == model.HoldRecord(
        fan="ana",
        pool="pin",
        qty=2,
        price=2400,
        origin="press",
        state="active",
        start_ms=sale.now,
        deadline_ms=sale.now + HOLD_MS,
        entry="",
        claimed=0,
        extended=0,
        began=0,
        looked=0,
        key="mine",
    )
    assert (outcome.seq, outcome.was) == (3, 0)
    assert await sale.counts() == (1, 2, 0, 0)
    last = (await sale.log())[-1]
    assert isinstance(last, events.Held)
    assert (last.fan, last.hold, last.qty) == ("ana", outcome.id, 2)


async def test_a_repeat_is_answered_with_the_same_hold(sale: Sale) -> None:
    first = await sale.hold("ana", key="mine")
    again = await sale.hold("ana", key="mine")
    assert isinstance(first, outcomes.Held)
    assert again == outcomes.Held(first.id, first.hold, 3, 3)
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_repeat_tells_what_became_of_the_hold(sale: Sale) -> None:
    hold = await sale.hold("ana", key="mine")
    assert isinstance(hold, outcomes.Held)
    await sale.release("ana", hold.id)
    again = await sale.hold("ana", key="mine")
    assert isinstance(again, outcomes.Held)
    assert (again.id, again.hold.state) == (hold.id, "released")
    assert await sale.counts() == (3, 0, 0, 0)


async def test_a_repeat_is_answered_while_the_drop_is_paused(sale: Sale) -> None:
    first = await sale.hold("ana", key="mine")
    await sale.creator("pause")
    again = await sale.hold("ana", key="mine")
    assert isinstance(first, outcomes.Held)
    assert isinstance(again, outcomes.Held)
    assert again.id == first.id


async def test_a_press_for_the_same_answers_the_hold_that_is_open(sale: Sale) -> None:
    first = await sale.hold("ana", key="tab-1")
    second = await sale.hold("ana", key="tab-2")
    third = await sale.hold("ana", key="tab-2")
    assert isinstance(first, outcomes.Held)
    assert isinstance(second, outcomes.Held)
    assert isinstance(third, outcomes.Held)
    assert first.id == second.id == third.id
    assert await sale.counts() == (2, 1, 0, 0)


async def test_a_key_belongs_to_one_command(sale: Sale) -> None:
    await sale.hold("ana", key="mine")
    assert await sale.hold("ana", qty=2, key="mine") == refusals.KeyReused()
    assert await sale.join("ana", key="mine") == refusals.KeyReused()


async def test_two_fans_may_use_the_same_key(sale: Sale) -> None:
    assert isinstance(await sale.hold("ana", key="1"), outcomes.Held)
    assert isinstance(await sale.hold("bo", key="1"), outcomes.Held)
    assert await sale.counts() == (1, 2, 0, 0)


async def test_a_refusal_is_not_remembered(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False)
    assert await sale.hold("ana", key="mine") == refusals.NotOpen()
    await sale.creator("open")
    assert isinstance(await sale.hold("ana", key="mine"), outcomes.Held)


async def test_an_unknown_pool_is_not_found(sale: Sale) -> None:
    assert await sale.hold("ana", "cap") == refusals.NotFound()


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open", "pause"), refusals.Paused()),
        (("open", "close"), refusals.Closed()),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_only_a_live_drop_sells(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.hold("ana") == refusal
    assert await sale.counts() == (3, 0, 0, 0)


async def test_nobody_presses_before_the_opening_time(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=1_800_000_060_000)
    sale.now = 1_800_000_059_999
    assert await sale.hold("ana") == refusals.NotOpen()
    sale.now += 1
    assert isinstance(await sale.hold("ana"), outcomes.Held)


async def test_nobody_goes_over_the_limit(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=2)
    await sale.held("ana")
    assert await sale.hold("ana", qty=2) == refusals.LimitReached(room=1)
    await sale.bought("ana", qty=1)
    assert await sale.counts() == (2, 0, 1, 0)
    await sale.held("ana")
    assert await sale.hold("ana", qty=3) == refusals.LimitReached(room=0)


async def test_a_lower_limit_of_the_item_holds(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}, limit=1), item("cup", {"cup": 3}))
    await sale.held("ana", "cup")
    await sale.held("ana", "pin")
    assert await sale.hold("ana", "pin", qty=2) == refusals.LimitReached(room=0)
    assert isinstance(await sale.hold("ana", "cup", qty=2), refusals.LimitReached)


async def test_a_press_is_for_at_most_what_the_item_allows(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}, most=2))
    assert await sale.hold("ana", qty=3) == refusals.LimitReached(room=2)


async def test_fewer_takes_what_the_limit_leaves(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=2)
    await sale.held("ana")
    outcome = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.qty == 1


async def test_fewer_takes_what_is_free(sale: Sale) -> None:
    await sale.held("bo", qty=2)
    outcome = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.qty == 1


async def test_a_press_for_more_than_is_free_is_all_held(sale: Sale) -> None:
    await sale.held("bo", qty=2)
    assert await sale.hold("ana", qty=2) == refusals.AllHeld(free=1, held=2)


async def test_all_units_in_carts_is_not_sold_out(sale: Sale) -> None:
    await sale.held("bo", qty=3)
    assert await sale.hold("ana", fewer=True) == refusals.AllHeld(free=0, held=3)


async def test_all_units_bought_is_sold_out(sale: Sale) -> None:
    await sale.bought("bo", qty=3)
    assert await sale.hold("ana") == refusals.SoldOut()


async def test_a_newcomer_never_passes_somebody_who_is_ready(sale: Sale) -> None:
    """In one batch: the unit that comes back is the line's before anybody presses."""
    hold = await sale.held("bo", qty=3)
    await sale.joined("cy")
    released, pressed = await sale.batch(
        ("bo", wire.Release(id=0, key="r", hold=hold)),
        ("di", wire.Hold(id=0, key="h", pool="pin", qty=1)),
    )
    assert isinstance(released, outcomes.Released)
    assert pressed == refusals.AllHeld(free=0, held=0)
    assert (await sale.words())[-2:] == ["released", "offered"]


async def cooling(sale: Sale, *pools: str, qty: int = 1) -> str:
    """An entry of ana, who stands alone in line and has just let an offer go."""
    entry = await sale.called("ana", *pools, qty=qty)
    await sale.release("ana", (await sale.truth()).entries[entry].hold)
    return entry


async def test_who_cools_may_press_and_his_place_cools_on(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), limit=2)
    entry = await cooling(sale)
    before = (await sale.truth()).entries[entry]
    outcome = await sale.hold("ana")
    assert isinstance(outcome, outcomes.Held)
    assert (outcome.hold.origin, outcome.hold.entry) == ("press", "")
    assert (await sale.truth()).entries[entry] == before
    await sale.release("ana", outcome.id)
    record = (await sale.truth()).entries[entry]
    assert (record.state, record.lapses, record.cool_ms) == ("waiting", 1, before.cool_ms)
    sale.now += COOL_MS
    await sale.settle()
    assert (await sale.words())[-1] == "offered"


async def test_who_cools_never_passes_somebody_who_is_ready(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await cooling(sale)
    hold = await sale.held("bo")
    await sale.joined("cy")
    _, pressed = await sale.batch(
        ("bo", wire.Release(id=0, key="r", hold=hold)),
        ("ana", wire.Hold(id=0, key="h", pool="pin", qty=1)),
    )
    assert pressed == refusals.AllHeld(free=0, held=0)


@pytest.mark.parametrize(("limit", "fate"), [(2, "waiting"), (1, "removed")])
async def test_what_who_cools_buys_ends_his_place_only_if_no_room_is_left(
    make_sale: MakeSale, limit: int, fate: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), limit=limit)
    entry = await cooling(sale)
    await sale.bought("ana")
    assert (await sale.truth()).entries[entry].state == fate


async def test_what_the_line_does_not_want_goes_to_a_newcomer(sale: Sale) -> None:
    hold = await sale.held("bo", qty=3)
    await sale.joined("cy")
    await sale.release("bo", hold)
    assert isinstance(await sale.hold("di", qty=2), outcomes.Held)


async def test_a_hold_is_over_exactly_at_its_deadline(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.held("ana")
    sale.now += HOLD_MS - 1
    assert await sale.hold("bo") == refusals.AllHeld(free=0, held=1)
    sale.now += 1
    assert isinstance(await sale.hold("bo"), outcomes.Held)
    assert (await sale.words())[-2:] == ["expired", "held"]


async def test_an_unpublished_drop_is_not_found(sale: Sale) -> None:
    assert await Sale(sale.store, "nowhere").hold("ana") == refusals.NotFound()


PACED = {"pace": 3, "pace_ms": 10_000}


async def test_a_fan_begins_so_much_at_once_and_then_one_in_each_interval(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(**PACED)
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    assert await sale.hold("ana") == refusals.TooManyRequests(retry_ms=10_000)
    sale.now += 9_999
    assert await sale.hold("ana") == refusals.TooManyRequests(retry_ms=1)
    sale.now += 1
    await sale.release("ana", await sale.held("ana"))
    assert await sale.hold("ana") == refusals.TooManyRequests(retry_ms=10_000)
    sale.now += 60_000
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    assert isinstance(await sale.hold("ana"), refusals.TooManyRequests)


async def test_the_pace_of_one_fan_is_no_others(make_sale: MakeSale) -> None:
    sale = await make_sale(pace=1, pace_ms=10_000)
    await sale.held("ana")
    await sale.held("bo")
    assert isinstance(await sale.hold("ana", qty=2), refusals.TooManyRequests)


async def test_an_equal_hold_is_an_answer_that_is_kept_and_counts(make_sale: MakeSale) -> None:
    sale = await make_sale(**PACED)
    hold = await sale.held("ana")
    assert [await sale.held("ana") for _ in range(2)] == [hold, hold]
    assert isinstance(await sale.hold("ana"), refusals.TooManyRequests)


async def test_the_same_key_counts_once_however_often_it_comes(make_sale: MakeSale) -> None:
    sale = await make_sale(**PACED)
    press = ("ana", wire.Hold(id=0, key="mine", pool="pin", qty=1))
    assert {type(answer) for answer in await sale.batch(*[press] * 20)} == {outcomes.Held}
    await sale.batch(*[press] * 20)
    assert isinstance(await sale.hold("ana", qty=2), outcomes.Held)
    assert isinstance(await sale.hold("ana"), outcomes.Held)
    assert isinstance(await sale.hold("ana"), refusals.TooManyRequests)


async def test_a_batch_sees_the_pace_that_its_own_commands_used_up(make_sale: MakeSale) -> None:
    sale = await make_sale(**PACED)
    presses = [wire.Hold(id=0, key=f"b{n}", pool="pin", qty=1) for n in range(5)]
    answers = await sale.batch(*[("ana", press) for press in presses])
    assert [type(a) for a in answers] == [outcomes.Held] * 3 + [refusals.TooManyRequests] * 2


async def test_what_is_refused_uses_up_no_pace(make_sale: MakeSale) -> None:
    sale = await make_sale(pace=1, pace_ms=10_000, opened=False)
    for _ in range(3):
        assert await sale.hold("ana") == refusals.NotOpen()
    await sale.creator("open")
    assert await sale.hold("ana", "none") == refusals.NotFound()
    assert await sale.hold("ana", qty=9) == refusals.LimitReached(room=3)
    await sale.held("ana")
    assert isinstance(await sale.hold("ana"), refusals.TooManyRequests)


async def test_beyond_the_pace_what_was_begun_goes_on(make_sale: MakeSale) -> None:
    sale = await make_sale(pace=1, pace_ms=10_000)
    hold = await sale.held("ana")
    assert isinstance(await sale.hold("ana", qty=2), refusals.TooManyRequests)
    assert isinstance(await sale.extend("ana", hold), outcomes.Extended)
    assert isinstance(await sale.pay("ana", hold), outcomes.Paying)
    assert isinstance(await sale.release("ana", hold), outcomes.Released)


async def test_a_refusal_by_the_pace_is_remembered_nowhere(make_sale: MakeSale) -> None:
    sale = await make_sale(pace=1, pace_ms=10_000)
    await sale.held("ana")
    names = [keys.one(sale.drop, name) for name in keys.ALL]
    before = [await sale.store.client.dump(name) for name in names]
    for _ in range(20):
        assert isinstance(await sale.hold("ana", qty=2), refusals.TooManyRequests)
    assert [await sale.store.client.dump(name) for name in names] == before


async def test_a_drop_from_before_there_was_a_pace_has_none(sale: Sale) -> None:
    rules = msgspec.msgpack.decode(
        await sale.store.client.hget(keys.one(sale.drop, "drop"), "rules")
    )
    old = {name: value for name, value in rules.items() if not name.startswith("pace")}
    assert len(old) == len(rules) - 2
    await sale.store.client.hset(keys.one(sale.drop, "drop"), "rules", msgspec.msgpack.encode(old))
    for _ in range(20):
        await sale.release("ana", await sale.held("ana"))
    assert not await sale.store.client.exists(keys.one(sale.drop, "paces"))


async def test_two_tabs_that_take_what_is_left_make_one_hold(make_sale: MakeSale) -> None:
    """Each asks for three, two are left: the second tab is told of what the first one got."""
    sale = await make_sale(limit=5)
    await sale.held("bo")
    first = await sale.hold("ana", qty=3, fewer=True, key="tab-1")
    second = await sale.hold("ana", qty=3, fewer=True, key="tab-2")
    exact = await sale.hold("ana", qty=2, key="tab-3")
    assert isinstance(first, outcomes.Held)
    assert first.hold.qty == 2
    for again in (second, exact, await sale.hold("ana", qty=3, fewer=True, key="tab-2")):
        assert isinstance(again, outcomes.Held)
        assert (again.id, again.hold) == (first.id, first.hold)
    assert await sale.counts() == (0, 3, 0, 0)


async def test_two_tabs_that_reach_the_limit_make_one_hold(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}, most=3), limit=3)
    await sale.bought("ana")
    first = await sale.hold("ana", qty=3, fewer=True)
    second = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(first, outcomes.Held)
    assert isinstance(second, outcomes.Held)
    assert first.id == second.id


async def test_two_tabs_are_one_in_a_batch_too(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=5)
    await sale.held("bo")
    press = [wire.Hold(id=0, key=f"tab-{i}", pool="pin", qty=3, fewer=True) for i in range(3)]
    made = await sale.batch(*(("ana", one) for one in press))
    assert [one.id for one in made if isinstance(one, outcomes.Held)] == ["h2"] * 3


async def test_a_join_that_got_fewer_answers_a_press_for_as_many(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=5)
    await sale.held("bo")
    joined = await sale.join("ana", qty=3)
    pressed = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(joined, outcomes.Held)
    assert isinstance(pressed, outcomes.Held)
    assert (joined.id, joined.hold.qty) == (pressed.id, 2)


async def test_a_hold_that_ended_answers_no_press_for_more(make_sale: MakeSale) -> None:
    sale = await make_sale(limit=5)
    await sale.held("bo")
    first = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(first, outcomes.Held)
    await sale.release("ana", first.id)
    second = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(second, outcomes.Held)
    assert (second.id, second.hold.qty) == ("h3", 2)


async def test_a_press_for_another_number_makes_another_hold(make_sale: MakeSale) -> None:
    """Neither what the fan has nor what he had asked for."""
    sale = await make_sale(item("pin", {"pin": 5}), limit=5)
    await sale.held("bo", qty=3)
    first = await sale.hold("ana", qty=3, fewer=True)
    assert isinstance(first, outcomes.Held)
    await sale.release("bo", "h1")
    second = await sale.hold("ana", qty=1)
    assert isinstance(second, outcomes.Held)
    assert second.id != first.id
    assert await sale.counts() == (2, 3, 0, 0)


async def test_a_hold_of_another_pool_or_fan_answers_nobody(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), item("cup", {"cup": 3}), limit=9)
    first = await sale.hold("ana", qty=2, fewer=True)
    other = await sale.hold("ana", "cup", qty=2)
    anybody = await sale.hold("bo", "cup", qty=2, fewer=True)
    ids = [one.id for one in (first, other, anybody) if isinstance(one, outcomes.Held)]
    assert ids == ["h1", "h2", "h3"]


async def test_an_offer_that_was_claimed_answers_for_its_units_alone(make_sale: MakeSale) -> None:
    """The line offered fewer than its entry asked for, under no key."""
    sale = await make_sale(item("pin", {"pin": 2}, withheld={"pin": 1}), limit=5)
    entry = await sale.called("ana", qty=2)
    offer = (await sale.truth()).entries[entry].hold
    await sale.claim("ana", offer)
    await sale.creator("add", pool="pin", qty=1)
    equal = await sale.hold("ana")
    assert isinstance(equal, outcomes.Held)
    assert equal.id == offer
    more = await sale.hold("ana", qty=2, fewer=True)
    assert isinstance(more, outcomes.Held)
    assert more.id != offer
