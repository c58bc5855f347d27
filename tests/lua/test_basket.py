"""Rows of `basket`: several presses under one key."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.model import KEPT_MS
from dropengine.truth.networks import Whence
from dropengine.truth.replies import PartOut
from dropengine.wire import Basket, Hold, Release, Want
from tests.conftest import MakeSale
from tests.kit.long_ago import BEYOND_MS
from tests.kit.manifests import HOLD_MS, item
from tests.kit.sale import Sale

COLOURS = ("red", "blue", "green")


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    return await make_sale(*(item(name, {name: 3}, most=3) for name in COLOURS), limit=6)


def had(answer: outcomes.Basketed) -> list[tuple[int, str, str, int]]:
    return [(place, hold_id, hold.pool, hold.qty) for place, hold_id, hold in answer.had]


async def test_a_basket_is_one_command_with_one_answer(sale: Sale) -> None:
    answer = await sale.basket("ana", "red", Want(["blue"], 2), key="k")
    assert (answer.number, answer.missing) == (1, [])
    assert had(answer) == [(0, "h1", "red", 1), (1, "h2", "blue", 2)]
    (first, second) = (hold for _, _, hold in answer.had)
    assert first.deadline_ms == second.deadline_ms == sale.now + HOLD_MS
    assert (first.key, second.key, first.state) == ("k", "k", "active")
    told = [event for event in await sale.log() if isinstance(event, events.Held)]
    assert [(event.hold, event.key, event.basket) for event in told] == [
        ("h1", "k", 1),
        ("h2", "k", 1),
    ]
    assert answer.seq == told[-1].seq
    fan = (await sale.truth()).fans["ana"]
    assert (fan.holds, fan.used, fan.seq) == (["h1", "h2"], 3, answer.seq)
    assert await sale.counts("blue") == (1, 2, 0, 0)


async def test_a_basket_has_the_number_of_its_first_hold(sale: Sale) -> None:
    await sale.held("bo", "red")
    assert (await sale.basket("ana", "red")).number == 2
    (told,) = (e for e in await sale.log() if isinstance(e, events.Held) and e.fan == "bo")
    assert told.basket == 0


async def test_what_is_missing_has_its_reason_each(sale: Sale) -> None:
    for fan in ("bo", "cy", "di"):
        await sale.held(fan, "red")
    answer = await sale.basket("ana", "red", "blue", "mauve", Want(["green"], 4), Want(["blue"], 3))
    assert had(answer) == [(1, "h4", "blue", 1)]
    assert answer.missing == [
        (0, refusals.AllHeld(0, 3)),
        (2, refusals.NotFound()),
        (3, refusals.LimitReached(3)),
        (4, refusals.AllHeld(2, 1)),
    ]


async def test_nobody_is_put_in_line_for_what_is_missing(sale: Sale) -> None:
    for fan in ("bo", "cy", "di"):
        await sale.held(fan, "red")
    await sale.basket("ana", "red", "blue")
    assert (await sale.truth()).fans["ana"].entries == []


async def test_second_choices_are_asked_in_their_order(sale: Sale) -> None:
    await sale.basket("bo", Want(["red"], 3), Want(["blue"], 2))
    answer = await sale.basket("ana", Want(["red", "blue", "green"], 2), Want(["red", "blue"]))
    assert had(answer) == [(0, "h3", "green", 2), (1, "h4", "blue", 1)]


async def test_fewer_takes_what_the_liked_best_has(sale: Sale) -> None:
    await sale.held("bo", "red", 2)
    answer = await sale.basket("ana", Want(["red", "blue"], 2, fewer=True))
    assert had(answer) == [(0, "h2", "red", 1)]


async def test_a_missing_want_is_told_the_reason_of_its_liked_best(sale: Sale) -> None:
    await sale.basket("bo", Want(["red"], 3), Want(["blue"], 3))
    answer = await sale.basket("ana", Want(["mauve", "red"]), Want(["red", "blue"]))
    assert answer.missing == [(0, refusals.NotFound()), (1, refusals.AllHeld(0, 3))]
    assert answer.number == 0


async def test_the_limit_counts_what_the_basket_has_taken(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}, most=9), limit=2)
    answer = await sale.basket("ana", "pin", "pin", "pin")
    assert had(answer) == [(0, "h1", "pin", 1), (1, "h2", "pin", 1)]
    assert answer.missing == [(2, refusals.LimitReached(0))]


async def test_an_items_limit_counts_what_the_basket_has_taken(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"a": 3, "b": 3}, limit=2, most=2), limit=9)
    for all_of in (True, False):
        answer = await sale.basket("ana", "a", "b", "b", all_of=all_of)
        assert answer.missing[-1] == (2, refusals.LimitReached(0))
    assert len(answer.had) == 2


async def test_an_equal_hold_answers_one_want(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    answer = await sale.basket("ana", "red", "red")
    assert (answer.number, had(answer)) == (2, [(0, hold, "red", 1), (1, "h2", "red", 1)])
    again = await sale.basket("ana", "red", "red")
    assert (again.number, had(again)) == (0, had(answer))
    assert await sale.counts("red") == (1, 2, 0, 0)


async def test_a_press_is_answered_by_a_basket_that_asked_for_as_many(sale: Sale) -> None:
    await sale.held("bo", "red", 2)
    await sale.basket("ana", "blue", Want(["red"], 3, fewer=True))
    answer = await sale.hold("ana", "red", 3)
    assert isinstance(answer, outcomes.Held)
    assert (answer.id, answer.hold.qty) == ("h3", 1)
    assert isinstance(await sale.hold("ana", "red", 2), refusals.AllHeld)


@pytest.mark.parametrize("wanted", [("red", "blue"), ("red", "mauve")])
async def test_a_repeat_is_answered_alike_with_the_present_state(
    sale: Sale, wanted: tuple[str, ...]
) -> None:
    first = await sale.basket("ana", *wanted, key="k")
    await sale.release("ana", first.had[0][1])
    again = await sale.basket("ana", *wanted, key="k")
    assert [hold.state for _, _, hold in again.had] == ["released", "active"][: len(again.had)]
    assert (again.number, again.missing) == (first.number, first.missing)
    assert [row[:2] for row in again.had] == [row[:2] for row in first.had]
    assert (await sale.words()).count("held") == len(first.had)


async def test_a_repeat_in_one_batch_is_answered_alike(sale: Sale) -> None:
    command = Basket(0, "k", [Want(["red"]), Want(["blue"], 9)])
    first, again = await sale.batch(("ana", command), ("ana", command))
    assert isinstance(first, outcomes.Basketed)
    assert isinstance(again, outcomes.Basketed)
    assert (again.had, again.missing, again.was) == (first.had, first.missing, again.seq)


@pytest.mark.parametrize(
    "other",
    [
        Basket(0, "k", [Want(["red"])]),
        Basket(0, "k", [Want(["red"]), Want(["blue"], 2)]),
        Basket(0, "k", [Want(["red"]), Want(["blue"], fewer=True)]),
        Basket(0, "k", [Want(["red"]), Want(["blue"])], all=True),
        Basket(0, "k", [Want(["red", "blue"]), Want(["green"])]),
        Hold(0, "k", "red"),
    ],
)
async def test_a_key_is_for_one_basket_alone(sale: Sale, other: Basket | Hold) -> None:
    await sale.basket("ana", "red", "blue", key="k")
    assert await sale.press("ana", other) == refusals.KeyReused()


async def test_many_long_names_are_told_apart_too(make_sale: MakeSale) -> None:
    names = [f"{'long' * 9}-{i}" for i in range(3)]
    sale = await make_sale(*(item(name, {name: 3}) for name in names), limit=6)
    first = await sale.basket("ana", *names, key="k")
    assert len(first.had) == 3
    again = await sale.basket("ana", *names, key="k")
    assert again.had == first.had
    command = Basket(0, "k", [Want([name]) for name in reversed(names)])
    assert await sale.press("ana", command) == refusals.KeyReused()


async def test_where_nothing_was_had_the_key_is_free(sale: Sale) -> None:
    answer = await sale.basket("ana", "mauve", key="k")
    assert (answer.number, answer.had, answer.missing) == (0, [], [(0, refusals.NotFound())])
    assert len((await sale.basket("ana", "red", key="k")).had) == 1


async def test_all_or_nothing_holds_nothing_unless_all_can_be(sale: Sale) -> None:
    answer = await sale.basket("ana", "red", Want(["mauve"]), "blue", all_of=True)
    assert (answer.number, answer.had) == (0, [])
    assert answer.missing == [
        (0, refusals.AllOrNothing()),
        (1, refusals.NotFound()),
        (2, refusals.AllOrNothing()),
    ]
    assert await sale.words() == ["published", "opened"]
    truth = await sale.truth()
    assert truth.fans.get("ana") is None
    assert await sale.counts("red") == (3, 0, 0, 0)


async def test_all_or_nothing_sees_what_it_would_take(sale: Sale) -> None:
    answer = await sale.basket("ana", Want(["red"], 2), Want(["red"], 2), all_of=True)
    assert answer.missing == [(0, refusals.AllOrNothing()), (1, refusals.AllHeld(1, 2))]
    answer = await sale.basket("ana", Want(["red"], 2), Want(["red", "blue"], 2), all_of=True)
    assert had(answer) == [(0, "h1", "red", 2), (1, "h2", "blue", 2)]


async def test_all_of_a_basket_is_answered_by_equal_holds_too(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    answer = await sale.basket("ana", "red", "blue", all_of=True)
    assert had(answer) == [(0, hold, "red", 1), (1, "h2", "blue", 1)]


async def test_a_line_that_is_ready_comes_first(make_sale: MakeSale) -> None:
    sale = await make_sale(item("red", {"red": 1}), item("blue", {"blue": 2}))
    hold = await sale.held("bo", "red")
    await sale.joined("cy", "red")
    _, second = await sale.batch(
        ("bo", Release(0, sale.key(), hold)),
        ("ana", Basket(0, "k", [Want(["red", "blue"]), Want(["red"])])),
    )
    assert isinstance(second, outcomes.Basketed)
    assert had(second) == [(0, "h2", "blue", 1)]
    assert second.missing == [(1, refusals.AllHeld(0, 0))]
    assert (await sale.words())[-1] == "offered"


async def test_a_basket_is_refused_as_a_whole_while_nobody_may_press(sale: Sale) -> None:
    await sale.creator("pause")
    command = Basket(0, "k", [Want(["red"])])
    assert await sale.press("ana", command) == refusals.Paused()


async def test_a_basket_is_begun_once_for_the_pace(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}, most=9), limit=9, pace=2, pace_ms=10_000)
    for _ in range(2):
        assert len((await sale.basket("ana", *["pin"] * 3)).had) == 3
        for hold in (await sale.truth()).fans["ana"].holds:
            await sale.release("ana", hold)
    refused = await sale.press("ana", Basket(0, "k", [Want(["pin"])]))
    assert isinstance(refused, refusals.TooManyRequests)


async def test_each_hold_counts_at_its_network(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}, most=9), limit=9, network_most=3)
    sale.whence["ana"] = Whence("192.0.2.7")
    answer = await sale.basket("ana", *["pin"] * 4, all_of=True)
    assert [type(why) for _, why in answer.missing] == [refusals.AllOrNothing] * 3 + [
        refusals.NetworkFull
    ]
    answer = await sale.basket("ana", *["pin"] * 4)
    assert len(answer.had) == 3
    ((place, why),) = answer.missing
    assert (place, type(why)) == (3, refusals.NetworkFull)
    again = await sale.basket("ana", *["pin"] * 4, key=answer.had[0][2].key)
    assert again.missing == answer.missing
    await sale.release("ana", "h1")
    assert len((await sale.basket("ana", *["pin"] * 3)).had) == 3


async def test_a_batch_has_so_many_holds_however_they_are_grouped(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 600}, most=99), limit=99)
    wants = [Want(["pin"])] * 16
    commands = [(f"f{i}", Basket(0, "k", wants)) for i in range(16)]
    *fit, beyond = await sale.batch(*commands, ("ana", Hold(0, "k", "pin")))
    assert [type(answer) for answer in fit[:15]] == [outcomes.Basketed] * 15
    assert fit[15] == refusals.TooManyRequests(1000)
    assert isinstance(beyond, outcomes.Held)
    assert (await sale.counts())[1] == 241
    answers = await sale.batch(*((f"g{i}", command) for i, (_, command) in enumerate(commands)))
    assert {type(answer) for answer in answers} == {outcomes.Basketed}
    assert (await sale.counts())[1] == 241 + 256


async def test_a_hold_that_changed_in_the_batch_is_told_as_it_is(sale: Sale) -> None:
    first, _ = await sale.batch(
        ("ana", Basket(0, "k", [Want(["red"]), Want(["blue"])])), ("ana", Release(0, "r", "h1"))
    )
    assert isinstance(first, outcomes.Basketed)
    assert [hold.state for _, _, hold in first.had] == ["released", "active"]


async def test_a_basket_is_remembered_until_a_day_after_its_last_hold(sale: Sale) -> None:
    await sale.basket("ana", "red", "blue", key="k")
    sale.now += BEYOND_MS
    await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)
    sale.now += KEPT_MS
    taken = await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)
    assert taken == PartOut(1, "0")
    assert (await sale.basket("ana", "red", key="k")).number == 3


async def test_a_basket_whose_hold_was_taken_out_is_new(sale: Sale) -> None:
    await sale.basket("ana", "red", "blue", key="k")
    sale.now += BEYOND_MS
    nothing = await sale.store.past.charges_for_nothing(sale.drop)
    await sale.store.past.take_holds(sale.drop, nothing, "0", clock_ms=sale.now)
    sale.now += KEPT_MS
    await sale.store.past.take_holds(sale.drop, nothing, "0", clock_ms=sale.now)
    answer = await sale.basket("ana", "red", "blue", key="k")
    assert answer.number == 3
