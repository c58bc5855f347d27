"""Rows of `adopt`: a guest becomes a person."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals, wire
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.model import DropId
from dropengine.payments.intent_ids import IntentIds
from dropengine.refusals import Had
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, OFFER_MS, item
from tests.kit.sale import Sale

SHOP = "0" * 32


async def agree(sale: Sale) -> None:
    """The referee finds nothing, and the log rebuilds the truth."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert difference(fold(map(events.parse, lines)), await sale.truth()) == []


async def adopted(sale: Sale, guest: str = "ana", person: str = "pia") -> list[str]:
    """It must be granted; the words of the events that it made."""
    before = len(await sale.words())
    outcome = await sale.adopt(guest, person)
    assert isinstance(outcome, outcomes.Adopted), outcome
    await agree(sale)
    return (await sale.words())[before:]


async def both_wait(sale: Sale, first: str = "ana", second: str = "pia") -> tuple[str, str]:
    """Two join in a pause; nobody is called yet."""
    await sale.creator("pause")
    return await sale.joined(first), await sale.joined(second)


async def test_everything_of_the_guest_is_the_persons(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 4}), limit=4)
    mine = await sale.held("pia")
    order = await sale.bought("ana")
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    assert await adopted(sale) == ["adopted"]
    truth = await sale.truth()
    assert truth.fans["pia"].holds == [mine, hold]
    assert truth.fans["pia"].orders == [order]
    assert truth.fans["pia"].used == 3
    assert truth.fans["pia"].guests == ["ana"]
    assert {truth.holds[hold].fan, truth.orders[order].fan} == {"pia"}
    assert truth.holds[hold].state == "paying"
    guest = truth.fans["ana"]
    assert (guest.used, guest.holds, guest.orders, guest.person) == (0, [], [], "pia")


async def test_a_repeat_changes_nothing(sale: Sale) -> None:
    await sale.held("ana")
    await adopted(sale)
    assert await adopted(sale) == []
    assert (await sale.truth()).fans["pia"].guests == ["ana"]


async def test_who_never_did_anything_has_nothing_to_be_adopted(sale: Sale) -> None:
    before = await sale.truth()
    assert await sale.adopt("ana", "pia") == outcomes.NothingBegun()
    assert await sale.truth() == before


async def test_beyond_the_limit_nothing_moves_and_both_are_told_what_they_have(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 4}), limit=2)
    order = await sale.bought("ana", qty=2)
    hold = await sale.held("pia")
    before = await sale.truth()
    refused = await sale.adopt("ana", "pia")
    assert refused == refusals.LimitReached(
        0, (Had(order, "pin", 2, "order"),), (Had(hold, "pin", 1, "hold"),)
    )
    assert await sale.truth() == before
    await sale.release("pia", hold)
    assert await adopted(sale) == ["adopted"]


async def test_an_items_own_limit_is_kept_too(make_sale: MakeSale) -> None:
    lamp = item("lamp", {"port": 2, "hill": 2}, limit=1)
    sale = await make_sale(lamp, item("pin", {"pin": 4}), limit=4)
    held, other = await sale.held("ana", "port"), await sale.held("pia", "hill")
    await sale.held("pia")
    refused = await sale.adopt("ana", "pia")
    assert isinstance(refused, refusals.LimitReached)
    assert [one.hold for one in refused.guest] == [held]
    assert other in [one.hold for one in refused.person]


async def test_a_refunded_order_counts_for_no_limit_and_moves_with_the_others(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 4}), limit=1)
    order = await sale.bought("ana")
    await sale.refund(order)
    await sale.held("pia")
    await adopted(sale)
    assert (await sale.truth()).fans["pia"].orders == [order]
    await sale.discharge(f"refund:{(await sale.truth()).orders[order].charge}")
    await agree(sale)


@pytest.mark.parametrize("turned", [False, True])
async def test_of_two_places_the_earlier_one_stays(make_sale: MakeSale, *, turned: bool) -> None:
    """Whoever of the two had it."""
    sale = await make_sale(item("pin", {"pin": 1}))
    pair = ("pia", "ana") if turned else ("ana", "pia")
    stays, ends = await both_wait(sale, *pair)
    behind = await sale.joined("bo")
    assert await adopted(sale) == ["adopted", "removed"]
    truth = await sale.truth()
    assert truth.fans["pia"].entries == [stays]
    assert (truth.entries[stays].state, truth.entries[ends].state) == ("waiting", "removed")
    assert {truth.entries[stays].fan, truth.entries[ends].fan} == {"pia"}
    (place,) = (await sale.you("bo")).entries
    assert (place[0], place[2][0].place) == (behind, 2)


async def test_preferences_stay_those_of_the_place_that_stays(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"port": 1, "hill": 1}))
    await sale.creator("pause")
    stays = await sale.joined("ana", "hill", qty=1)
    await sale.joined("pia", "port", "hill", qty=2)
    await adopted(sale)
    entry = (await sale.truth()).entries[stays]
    assert (entry.pools, entry.qty) == (["hill"], 1)


@pytest.mark.parametrize("left_ms", [OFFER_MS, 1000])
async def test_the_offer_of_the_place_that_ends_becomes_a_hold(
    make_sale: MakeSale, left_ms: int
) -> None:
    """Until an offer taken now would have stood, and never for less than the offer."""
    sale = await make_sale(item("pin", {"pin": 1}), item("cup", {"cup": 1}), limit=4)
    await sale.creator("pause")
    stays = await sale.joined("ana", "cup")
    ends = await sale.joined("pia", "pin")
    cup = await sale.creator("withdraw", pool="cup", qty=1)
    assert isinstance(cup, outcomes.Changed)
    await sale.creator("resume")
    offer = (await sale.truth()).entries[ends].hold
    until = (await sale.truth()).holds[offer].deadline_ms
    sale.now = until - left_ms
    assert await adopted(sale) == ["adopted", "claimed", "removed"]
    truth = await sale.truth()
    hold = truth.holds[offer]
    assert (hold.claimed, hold.state) == (1, "active")
    assert hold.deadline_ms == max(until, sale.now + HOLD_MS)
    assert (truth.entries[stays].state, truth.pools["pin"].offered) == ("waiting", 0)
    # Its end is no lapse of anything.
    await sale.release("pia", offer)
    assert (await sale.truth()).entries[stays].lapses == 0
    await agree(sale)


async def test_a_place_without_room_is_kept_and_is_not_called(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    held, other = await sale.held("pia"), await sale.held("di")
    entry, behind = await sale.joined("ana"), await sale.joined("bo")
    assert await adopted(sale) == ["adopted"]
    await sale.release("di", other)
    truth = await sale.truth()
    assert (truth.entries[entry].state, truth.entries[behind].state) == ("waiting", "offered")
    await sale.release("pia", held)
    assert (await sale.truth()).entries[entry].state == "offered"
    await agree(sale)


async def test_a_place_that_orders_leave_no_room_for_ends(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), limit=1)
    await sale.bought("pia")
    entry = await sale.joined("ana")
    assert await adopted(sale) == ["adopted", "removed"]
    assert (await sale.truth()).entries[entry].state == "removed"


async def test_the_guests_name_answers_as_the_person(make_sale: MakeSale) -> None:
    """Old tabs go on: with what was the guest's, and with what was the person's before."""
    sale = await make_sale(item("pin", {"pin": 4}), limit=3)
    mine, his = await sale.held("pia", qty=2), await sale.held("ana", qty=1)
    await adopted(sale)
    assert isinstance(await sale.hold("ana", qty=3), refusals.LimitReached)
    assert isinstance(await sale.pay("ana", mine), outcomes.Paying)
    assert isinstance(await sale.release("pia", his), outcomes.Released)
    assert isinstance(await sale.release("ana", his), outcomes.Released)
    row, own = await sale.you("ana"), await sale.you("pia")
    assert (row.fan, row.person, own.person) == ("ana", "pia", "")
    assert (row.record, row.holds) == (own.record, own.holds)
    await agree(sale)


async def test_a_key_of_the_guest_answers_under_either_name(sale: Sale) -> None:
    first = await sale.hold("ana", key="once")
    assert isinstance(first, outcomes.Held)
    await adopted(sale)
    for fan in ("ana", "pia"):
        again = await sale.hold(fan, key="once")
        assert isinstance(again, outcomes.Held)
        assert again.id == first.id
    assert isinstance(await sale.hold("pia", qty=2, key="once"), refusals.KeyReused)
    fresh = wire.Hold(id=0, key="new", pool="pin", qty=2)
    one, same = await sale.batch(("ana", fresh), ("pia", fresh))
    assert isinstance(one, outcomes.Held)
    assert isinstance(same, outcomes.Held)
    assert one.id == same.id
    await agree(sale)


async def test_each_name_is_answered_by_its_own_key_first(sale: Sale) -> None:
    mine, his = await sale.hold("pia", key="k"), await sale.hold("ana", qty=2, key="k")
    assert isinstance(mine, outcomes.Held)
    assert isinstance(his, outcomes.Held)
    await adopted(sale)
    again = await sale.hold("ana", qty=2, key="k")
    assert isinstance(again, outcomes.Held)
    assert again.id == his.id


async def test_a_payment_that_the_guest_began_buys_for_the_person(sale: Sale) -> None:
    """Also under the id that the provider knows: it was made of the guest's name."""
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    intents = IntentIds(SHOP, sale.store)  # type: ignore[arg-type]
    began = await intents.now(DropId(sale.drop), hold)
    await adopted(sale)
    assert await intents.now(DropId(sale.drop), hold) == began
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    assert (await sale.truth()).orders[hold].fan == "pia"
    await agree(sale)


async def test_a_payment_that_comes_late_is_the_persons(make_sale: MakeSale) -> None:
    """Its hold had ended under the guest's name."""
    sale = await make_sale(item("pin", {"pin": 2}))
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now = (await sale.truth()).holds[hold].deadline_ms
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    await adopted(sale)
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    truth = await sale.truth()
    assert (truth.orders[hold].fan, truth.fans["pia"].orders) == ("pia", [hold])
    await sale.discharge(f"capture:{truth.orders[hold].charge}")
    await sale.discharge(f"lookup:{hold}")
    await agree(sale)


async def test_a_guest_is_adopted_once_and_nobodys_person(sale: Sale) -> None:
    for fan in ("ana", "bo", "cy"):
        await sale.hold(fan)
    await adopted(sale)
    assert await sale.adopt("ana", "quin") == refusals.NotAdoptable("anothers")
    assert await sale.adopt("pia", "quin") == refusals.NotAdoptable("chain")
    assert await sale.adopt("bo", "ana") == refusals.NotAdoptable("chain")
    assert await sale.adopt("pia", "ana") == refusals.NotAdoptable("chain")


async def test_a_person_adopts_three_guests(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}), limit=9)
    guests = ("ana", "bo", "cy", "di")
    holds = [await sale.held(fan) for fan in guests]
    for fan in guests[:3]:
        await adopted(sale, fan)
    assert await sale.adopt("di", "pia") == refusals.NotAdoptable("too_many")
    assert (await sale.truth()).fans["pia"].holds == holds[:3]


@pytest.mark.parametrize("ending", ["close", "cancel"])
async def test_what_is_over_is_adopted_too(make_sale: MakeSale, ending: str) -> None:
    """Orders are looked at, refunded and charged back long after."""
    sale = await make_sale(item("pin", {"pin": 1}))
    order = await sale.bought("ana")
    entries = [await sale.joined(fan) for fan in ("ana", "pia")]
    await sale.creator(ending)
    await sale.settle()
    assert await adopted(sale) == ["adopted", "removed"]
    assert [order for order, _ in (await sale.you("pia")).orders] == [order]
    assert (await sale.truth()).entries[entries[1]].state == "removed"


async def test_two_called_places_of_a_cancelled_drop_become_one(make_sale: MakeSale) -> None:
    """Their offers have ended with it, and nothing is held by what comes after."""
    sale = await make_sale(item("pin", {"pin": 2}), limit=2)
    await both_wait(sale)
    await sale.creator("resume")
    await sale.creator("cancel")
    await sale.settle()
    assert await adopted(sale) == ["adopted", "removed"]
    assert await sale.counts() == (2, 0, 0, 0)


async def test_what_the_adoption_changes_is_told_to_both(sale: Sale) -> None:
    await sale.held("ana")
    seen = (await sale.store.view(sale.drop, clock_ms=sale.now)).mail_end  # type: ignore[union-attr]
    await adopted(sale)
    view = await sale.store.view(sale.drop, 0, seen, clock_ms=sale.now)
    letters = {fan for _, row in view.mail for fan, _ in row}  # type: ignore[union-attr]
    assert letters == {"ana", "pia"}


async def test_who_used_up_more_of_his_pace_waits_as_long_as_he_would_have(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 9}), limit=9, pace=2, pace_ms=10_000)
    for _ in range(2):
        await sale.release("ana", await sale.held("ana"))
    await adopted(sale)
    refused = await sale.hold("pia")
    assert isinstance(refused, refusals.TooManyRequests)
    assert refused.retry_ms == 10_000
