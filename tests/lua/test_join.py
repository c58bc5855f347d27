"""Rows of `join` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import events, model, outcomes, refusals, wire
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, item
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


async def test_a_join_while_units_are_free_holds_them_as_a_press_does(sale: Sale) -> None:
    outcome = await sale.join("ana", qty=2, key="mine")
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
    assert await sale.counts() == (1, 2, 0, 0)
    last = (await sale.log())[-1]
    assert isinstance(last, events.Held)
    assert (last.key, last.hold) == ("mine", outcome.id)


async def test_a_join_that_got_units_is_no_arrival(sale: Sale) -> None:
    await sale.join("ana", qty=3)
    assert (await sale.truth()).entries == {}
    outcome = await sale.join("bo")
    assert isinstance(outcome, outcomes.Joined)
    assert outcome.entry.n == 1


@pytest.mark.parametrize(("free", "room", "got"), [(3, 3, 3), (2, 3, 2), (3, 1, 1), (1, 2, 1)])
async def test_a_join_gets_what_is_free_and_fits(
    make_sale: MakeSale, free: int, room: int, got: int
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("cup", {"cup": 3}), limit=3)
    if free < 3:
        await sale.held("di", qty=3 - free)
    if room < 3:
        await sale.held("ana", "cup", qty=3 - room)
    outcome = await sale.join("ana", qty=3)
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.qty == got


async def test_a_join_gets_the_first_pool_of_its_list_that_can_be_had(make_sale: MakeSale) -> None:
    sale = await make_sale(
        item("pin", {"pin": 3}, limit=1), item("cup", {"hill": 1, "port": 1}, limit=1)
    )
    await sale.held("ana", "pin")
    await sale.held("di", "hill")
    outcome = await sale.join("ana", "pin", "hill", "port")
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.pool == "port"


@pytest.mark.parametrize("wanted", [("hill", "port"), ("port", "hill"), ("port", "pin", "hill")])
async def test_of_all_pools_that_can_be_had_a_join_gets_the_first(
    make_sale: MakeSale, wanted: tuple[str, ...]
) -> None:
    sale = await make_sale(item("cup", {"hill": 1, "port": 1}), item("pin", {"pin": 1}))
    outcome = await sale.join("ana", *wanted)
    assert isinstance(outcome, outcomes.Held)
    assert outcome.hold.pool == wanted[0]


async def test_a_repeat_of_a_join_that_got_units_is_answered_with_them(sale: Sale) -> None:
    first = await sale.join("ana", key="mine")
    again = await sale.join("ana", key="mine")
    assert isinstance(first, outcomes.Held)
    assert again == outcomes.Held(first.id, first.hold, first.seq, first.seq)
    await sale.release("ana", first.id)
    late = await sale.join("ana", key="mine")
    assert isinstance(late, outcomes.Held)
    assert (late.id, late.hold.state) == (first.id, "released")
    assert await sale.counts() == (3, 0, 0, 0)


async def test_an_equal_hold_is_no_answer_to_a_join(sale: Sale) -> None:
    hold = await sale.held("ana")
    first, second = await sale.join("ana"), await sale.join("ana")
    assert isinstance(first, outcomes.Held)
    assert isinstance(second, outcomes.Held)
    assert len({hold, first.id, second.id}) == 3
    assert isinstance(await sale.join("ana"), outcomes.Joined)


async def test_an_open_entry_is_the_answer_even_while_units_are_free(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    entry = await sale.called("ana")
    await sale.release("ana", (await sale.truth()).entries[entry].hold)
    assert await sale.counts() == (1, 0, 0, 0)
    outcome = await sale.join("ana")
    assert isinstance(outcome, outcomes.Joined)
    assert outcome.id == entry


async def test_a_join_never_passes_somebody_who_is_ready(sale: Sale) -> None:
    hold = await sale.held("bo", qty=3)
    await sale.joined("cy")
    _, late = await sale.batch(
        ("bo", wire.Release(id=0, key="r", hold=hold)),
        ("di", wire.Join(id=0, key="j", pools=["pin"])),
    )
    assert isinstance(late, outcomes.Joined)
    assert (await sale.words())[-4:] == ["released", "joined", "offered", "offered"]


async def test_joins_of_one_batch_share_what_is_free(sale: Sale) -> None:
    joins = [wire.Join(id=0, key="j", pools=["pin"], qty=2) for _ in range(3)]
    first, second, third = await sale.batch(*zip(("ana", "bo", "cy"), joins, strict=True))
    assert isinstance(first, outcomes.Held)
    assert isinstance(second, outcomes.Held)
    assert (first.hold.qty, second.hold.qty) == (2, 1)
    assert isinstance(third, outcomes.Joined)


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
    taken = await sale.held("bo", "port")
    await sale.joined("ana", "hill", "port")
    await sale.release("bo", taken)
    offered = [e for e in await sale.log() if isinstance(e, events.Offered)]
    assert [e.pool for e in offered] == ["port"]


@pytest.mark.parametrize("line", [("hill", "port"), ("port", "hill")])
async def test_of_several_pools_the_smallest_arrival_is_called_first(
    make_sale: MakeSale, line: tuple[str, ...]
) -> None:
    sale = await make_sale(item("cup", {"hill": 1, "port": 1}))
    holds = [await sale.held("di", pool) for pool in line]
    entries = [await sale.joined(f"fan-{pool}", pool) for pool in line]
    await sale.batch(*[("di", wire.Release(id=0, key=sale.key(), hold=hold)) for hold in holds])
    offered = [e.entry for e in await sale.log() if isinstance(e, events.Offered)]
    assert offered == entries


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
