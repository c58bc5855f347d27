"""Rows of `join` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import events, model, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def test_a_join_gets_the_next_arrival(sale: Sale) -> None:
    await sale.held("di", qty=3)
    first, second = await sale.join("ana"), await sale.join("bo", qty=2, key="mine")
    assert isinstance(first, outcomes.Joined)
    assert isinstance(second, outcomes.Joined)
    assert (first.entry.n, second.entry.n) == (1, 2)
    assert second.entry == model.EntryRecord(
        fan="bo",
        n=2,
        qty=2,
        pools=["pin"],
        lane=0,
        points=0,
        state="waiting",
        lapses=0,
        hold="",
        ready=[1],
        cool_ms=0,
        key="mine",
    )


async def test_a_join_while_units_are_free_is_offered_one_at_once(sale: Sale) -> None:
    outcome = await sale.join("ana", qty=2)
    assert isinstance(outcome, outcomes.Joined)
    assert outcome.entry.state == "offered"
    assert (await sale.words())[-2:] == ["joined", "offered"]
    assert await sale.counts() == (1, 2, 0, 0)


async def test_a_repeat_is_answered_with_the_same_entry(sale: Sale) -> None:
    await sale.held("di", qty=3)
    first = await sale.join("ana", key="mine")
    again = await sale.join("ana", key="mine")
    assert isinstance(first, outcomes.Joined)
    assert again == outcomes.Joined(first.id, first.entry, first.seq, first.seq)


async def test_a_fan_stands_in_line_once(sale: Sale) -> None:
    await sale.held("di", qty=3)
    first = await sale.join("ana", key="tab-1")
    second = await sale.join("ana", qty=2, key="tab-2")
    assert isinstance(first, outcomes.Joined)
    assert isinstance(second, outcomes.Joined)
    assert first.id == second.id


async def test_coming_back_is_a_new_arrival(sale: Sale) -> None:
    await sale.held("di", qty=3)
    first = await sale.joined("ana")
    await sale.joined("bo")
    await sale.leave("ana", first)
    again = await sale.join("ana")
    assert isinstance(again, outcomes.Joined)
    assert again.entry.n == 3


async def test_a_key_belongs_to_one_join(sale: Sale) -> None:
    await sale.join("ana", key="mine")
    assert await sale.join("ana", qty=2, key="mine") == refusals.KeyReused()


async def test_an_unknown_pool_is_not_found(sale: Sale) -> None:
    assert await sale.join("ana", "pin", "cap") == refusals.NotFound()


async def test_a_join_is_for_at_most_what_the_item_allows(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}, most=2))
    assert await sale.join("ana", qty=3) == refusals.LimitReached(room=2)


async def test_a_fan_without_room_keeps_his_place(make_sale: MakeSale) -> None:
    """Used up is not lost: the place stays, and an offer comes when the limit frees it."""
    sale = await make_sale(limit=1)
    hold = await sale.held("ana")
    entry = await sale.joined("ana")
    record = (await sale.truth()).entries[entry]
    assert (record.state, record.ready) == ("waiting", [0])
    await sale.release("ana", hold)
    assert (await sale.words())[-3:] == ["released", "limit_freed", "offered"]


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open", "close"), refusals.Closed()),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_the_line_forms_while_the_drop_is_open(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.join("ana") == refusal


async def test_a_pause_lets_the_line_grow_and_offers_nothing(sale: Sale) -> None:
    await sale.creator("pause")
    entry = await sale.joined("ana")
    assert (await sale.truth()).entries[entry].state == "waiting"
    await sale.creator("resume")
    assert (await sale.truth()).entries[entry].state == "offered"


async def test_an_entry_takes_the_first_pool_of_its_list_that_is_free(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("cup", {"hill": 1, "port": 1}))
    await sale.held("di", "hill")
    await sale.join("ana", "hill", "port")
    offered = [e for e in await sale.log() if isinstance(e, events.Offered)]
    assert [e.pool for e in offered] == ["port"]


async def test_an_offer_is_what_the_fan_may_have_of_what_is_free(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), limit=2)
    hold = await sale.held("di", qty=2)
    await sale.held("bo", qty=1)
    await sale.joined("ana", qty=3)
    await sale.release("di", hold)
    offered = [e for e in await sale.log() if isinstance(e, events.Offered)]
    assert [e.qty for e in offered] == [2]


async def test_a_join_uses_up_the_same_pace_as_a_press(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), pace=2, pace_ms=10_000)
    await sale.held("di")
    await sale.leave("ana", await sale.joined("ana"))
    await sale.leave("ana", await sale.joined("ana"))
    assert await sale.join("ana") == refusals.TooManyRequests(retry_ms=10_000)
    assert await sale.hold("ana") == refusals.TooManyRequests(retry_ms=10_000)
    sale.now += 10_000
    await sale.joined("ana")


async def test_an_open_entry_is_an_answer_that_is_kept_and_counts(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), pace=2, pace_ms=10_000)
    await sale.held("di")
    assert await sale.joined("ana") == await sale.joined("ana")
    assert await sale.join("ana") == refusals.TooManyRequests(retry_ms=10_000)
