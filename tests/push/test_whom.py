"""Whom a drop's log calls, told by logs that real scripts wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from dropengine import events
from dropengine.push.outbox import Kind
from dropengine.push.whom import REMIND_MS, TEN, WARN_MS, Called, Due, Ended, Follower
from dropengine.truth.store import CarriedRow
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, OFFER_MS, carrying, item, manifest
from tests.kit.played_logs import play
from tests.kit.sale import Sale

LOOKS = (1, 3, 10_000)
"""Events in one stretch."""


async def new_of(sale: Sale, follower: Follower, look: int = 10_000) -> list[Due]:
    """What the events call for that it has not followed yet."""
    log = (await sale.log())[follower.seq :]
    found: list[Due] = []
    for first in range(0, len(log), look):
        found += follower.follow(log[first : first + look])
    return found


def calls(due: Iterable[Due]) -> list[Called]:
    return [one for one in due if isinstance(one, Called)]


def told(due: Iterable[Due]) -> list[tuple[str | None, Kind]]:
    return [(one.fan, one.call.kind) for one in calls(due)]


def ended(due: Iterable[Due]) -> set[str]:
    return {name for one in due if isinstance(one, Ended) for name in one.about}


async def test_a_hold_is_warned_of_before_it_ends_and_by_no_old_deadline(sale: Sale) -> None:
    follower = Follower()
    hold = await sale.held("ana")
    (first,) = calls(await new_of(sale, follower))
    deadline = sale.now + HOLD_MS
    assert (first.fan, first.call.kind, first.call.about) == ("ana", Kind.HOLD_ENDS, hold)
    assert (first.call.from_ms, first.call.until_ms) == (deadline - WARN_MS, deadline)
    assert first.at_ms == deadline
    await sale.extend("ana", hold)
    again = await new_of(sale, follower)
    (second,) = calls(again)
    assert ended(again) == {hold}
    assert second.call.until_ms > deadline
    assert second.call.id != first.call.id
    await sale.release("ana", hold)
    over = await new_of(sale, follower)
    assert (calls(over), ended(over)) == ([], {hold})


async def test_who_is_carried_over_is_called_until_he_confirms_or_leaves(
    make_sale: MakeSale, drop: str
) -> None:
    sale = Sale((await make_sale()).store, f"{drop}-next")
    await sale.publish(carrying(manifest(sale.drop)))
    follower = Follower()
    rows = [CarriedRow(f"e{n}", fan, 1, ["pin"]) for n, fan in enumerate(("ana", "bo"), 4)]
    await sale.carry(*rows)
    first, second = calls(await new_of(sale, follower))
    assert (first.fan, first.call.kind, first.count, first.call.about) == (
        *("ana", Kind.CARRIED),
        *(1, "e1"),
    )
    assert (second.fan, second.count) == ("bo", 2)
    await sale.confirm("ana", "e1")
    await sale.leave("bo", "e2")
    over = await new_of(sale, follower)
    assert (calls(over), ended(over)) == ([], {"e1", "e2"})


async def test_an_offer_calls_to_its_deadline_and_taken_it_is_a_hold(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    follower = Follower()
    hold = await sale.held("ana")
    entry = await sale.joined("bo")
    await new_of(sale, follower)
    await sale.release("ana", hold)
    due = await new_of(sale, follower)
    (offer,) = calls(due)
    assert (offer.fan, offer.call.kind) == ("bo", Kind.OFFER)
    assert (offer.call.from_ms, offer.call.until_ms) == (0, sale.now + OFFER_MS)
    assert ended(due) == {hold, entry}
    await sale.claim("bo", offer.call.about)
    due = await new_of(sale, follower)
    assert (told(due), ended(due)) == ([("bo", Kind.HOLD_ENDS)], {offer.call.about})


async def test_what_lapses_is_not_said_any_more_and_who_is_next_is_called(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    follower = Follower()
    hold = await sale.held("ana")
    await sale.joined("bo")
    await sale.joined("cy")
    await sale.release("ana", hold)
    (first,) = [one for one in calls(await new_of(sale, follower)) if one.call.kind is Kind.OFFER]
    sale.now += OFFER_MS
    await sale.settle()
    due = await new_of(sale, follower)
    assert told(due) == [("cy", Kind.OFFER)]
    assert first.call.about in ended(due)


async def test_what_was_bought_and_what_goes_back_is_told_with_its_number(sale: Sale) -> None:
    follower = Follower()
    hold = await sale.bought("ana")
    due = await new_of(sale, follower)
    (sold,) = [one for one in calls(due) if one.call.kind is Kind.SOLD]
    assert (sold.fan, sold.serials) == ("ana", (1,))
    assert hold in ended(due)
    await sale.refund(hold, why="broken")
    assert told(await new_of(sale, follower)) == [("ana", Kind.REFUND)]


async def test_what_the_maker_says_is_for_everybody(sale: Sale) -> None:
    follower = Follower()
    await sale.creator("message", text="Back in five minutes.")
    (message,) = calls(await new_of(sale, follower))
    assert (message.fan, message.call.kind) == (None, Kind.MESSAGE)
    assert message.text == "Back in five minutes."


@pytest.mark.parametrize("look", LOOKS)
async def test_who_comes_within_ten_of_the_head_is_called_once(
    make_sale: MakeSale, look: int
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    follower = Follower()
    await sale.held("holder")
    entries = {f"fan{n}": await sale.joined(f"fan{n}") for n in range(1, 31)}
    near = [one for one in told(await new_of(sale, follower, look)) if one[1] is Kind.TEN_BEFORE]
    # Who joined there saw it.
    assert near == []
    called: list[tuple[str | None, int]] = []
    for n in range(1, 21):
        await sale.leave(f"fan{n}", entries[f"fan{n}"])
        due = await new_of(sale, follower, look)
        called += [(one.fan, one.count) for one in calls(due) if one.call.kind is Kind.TEN_BEFORE]
        assert entries[f"fan{n}"] in ended(due)
    assert called == [(f"fan{n}", TEN) for n in range(11, 31)]


async def test_a_whole_crowd_that_leaves_at_once_calls_whom_it_leaves_there(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    follower = Follower()
    await sale.held("holder")
    entries = {f"fan{n}": await sale.joined(f"fan{n}") for n in range(1, 31)}
    await new_of(sale, follower)
    for n in range(1, 29):
        await sale.leave(f"fan{n}", entries[f"fan{n}"])
    found = calls(await new_of(sale, follower))
    assert [(one.fan, one.count) for one in found] == [("fan29", 1), ("fan30", 2)]


async def test_a_drop_that_opens_reminds_until_it_is_moved_or_open(make_sale: MakeSale) -> None:
    sale = await make_sale(opens_ms=1_900_000_000_000, opened=False)
    follower = Follower()
    await new_of(sale, follower)
    reminder = follower.reminder()
    assert reminder is not None
    assert reminder.fan is None
    assert reminder.at_ms == reminder.call.until_ms == 1_900_000_000_000
    assert reminder.call.from_ms == reminder.call.until_ms - REMIND_MS
    await sale.creator("reschedule", opens_ms=1_900_000_600_000, closes_ms=0)
    assert ended(await new_of(sale, follower)) == {"opens"}
    moved = follower.reminder()
    assert moved is not None
    assert moved.call.until_ms == 1_900_000_600_000
    assert moved.call.id != reminder.call.id
    await sale.creator("open")
    await new_of(sale, follower)
    assert follower.reminder() is None


async def test_a_drop_that_is_called_off_calls_for_nothing_that_waits(sale: Sale) -> None:
    follower = Follower()
    await sale.held("ana")
    await new_of(sale, follower)
    await sale.creator("cancel", why="rain")
    due = await new_of(sale, follower)
    assert Ended(()) in due


async def test_the_drops_own_time_that_stood_still_moves_the_warnings(sale: Sale) -> None:
    """After an outage a hold ends later by the true clock, and its fan is warned then."""
    follower = Follower()
    hold = await sale.held("ana")
    (before,) = calls(await new_of(sale, follower))
    await sale.creator("pause")
    follower.follow((await sale.log())[follower.seq :])
    last = (await sale.log())[-1]
    moved = events.Realigned(
        seq=last.seq + 1, at=last.at, by="clock", key="", revision=9, lead=-60_000, why="outage"
    )
    due = follower.follow([moved])
    (after,) = calls(due)
    assert (after.fan, after.call.about) == ("ana", hold)
    assert after.call.until_ms == before.call.until_ms + 60_000
    assert hold in ended(due)


def log_in_pieces(log: Sequence[events.AnyEvent], look: int) -> set[tuple[str, str | None]]:
    follower = Follower()
    found: set[tuple[str, str | None]] = set()
    for first in range(0, len(log), look):
        due = follower.follow(log[first : first + look])
        found |= {
            (one.call.id, one.fan) for one in calls(due) if one.call.kind is not Kind.TEN_BEFORE
        }
    assert follower.seq == len(log)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_any_sale_can_be_followed_in_whatever_pieces(seed: int) -> None:
    log = play(seed)
    whole = log_in_pieces(log, len(log))
    assert whole
    for look in (1, 7):
        assert log_in_pieces(log, look) == whole
