"""What one script can have written, also where a whole rush stands in one millisecond."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.log.referee import judge
from dropengine.log.referee.moments import AT_ONCE, BATCH_MAX
from dropengine.log.referee.report import Violation
from tests.kit.handwritten_logs import (
    COOL_MS,
    HOLD_MS,
    LOOKUP_MS,
    PRICE,
    Pen,
    numbered,
    rules,
    text,
)


def found(pen: Pen, *, closed: bool = False) -> list[Violation]:
    return judge(text(pen.log), closed=closed).violations


def refused(pen: Pen, inv: str, words: str) -> bool:
    """Is this the first thing that is wrong?"""
    violations = found(pen)
    assert violations, "nothing was found"
    return violations[0].inv == inv and words in violations[0].sentence


def change(pen: Pen, **fields: object) -> None:
    """Other fields in the last event."""
    pen.log[-1] = msgspec.structs.replace(pen.log[-1], **fields)


def one_pin(**more: int) -> tuple[Pen, str, str]:
    """The only pin is held by ada, ben stands in line."""
    pen = Pen(rules({"pin": (1, 0)}, **more)).opened()
    return pen, pen.held("ada"), pen.joined("ben")


def test_a_freed_unit_goes_to_the_line_before_the_log_ends() -> None:
    pen, hold, entry = one_pin()
    pen.released(hold)
    assert refused(pen, "INV-11", "lie free while e1 is ready")
    pen.offered(entry)
    assert found(pen) == []


@pytest.mark.parametrize("next_thing", ["a command", "a deadline", "another batch", "a duty"])
def test_a_freed_unit_goes_to_the_line_before_anything_else_happens(next_thing: str) -> None:
    pen = Pen(rules({"pin": (3, 0)}, limit=3)).opened()
    ada, cy = pen.held("ada"), pen.held("cy", qty=2)
    pen.joined("ben")
    pen.paying(cy)
    charge = pen.sold(cy)
    assert found(pen) == []
    pen.released(ada)
    match next_thing:
        case "a command":
            pen.by_creator(events.Message, text="Hello")
        case "a deadline":
            pen.wait(HOLD_MS)
            pen.by_creator(events.Message, text="Hello")
        case "another batch":
            pen.wait(1)
            pen.joined("dora")
        case _:
            pen.discharged("capture", cy, charge)
    assert refused(pen, "INV-11", "lie free while e1 is ready")


def test_a_batch_is_decided_before_the_line_is_served() -> None:
    pen, hold, entry = one_pin()
    pen.released(hold)
    for n in range(BATCH_MAX - 1):
        pen.joined(f"fan{n}")
    pen.offered(entry)
    assert found(pen) == []


def test_no_batch_is_longer_than_one_script_takes() -> None:
    pen, hold, entry = one_pin()
    pen.released(hold)
    for n in range(BATCH_MAX):
        pen.joined(f"fan{n}")
    pen.offered(entry)
    assert refused(pen, "INV-11", "lie free while e1 is ready")


def test_two_events_of_one_command_count_once() -> None:
    """`pay` for an offer that was not claimed claims it too."""
    pen = Pen(rules({"pin": (200, 0)})).opened()
    holds = [pen.held(f"ada{n}", qty=2) for n in range(100)]
    entries = [pen.joined(f"ben{n}") for n in range(AT_ONCE + 1)]
    for hold in holds[:32]:
        pen.released(hold)
    offers = [pen.offered(entry) for entry in entries[:AT_ONCE]]
    assert found(pen) == []
    pen.released(holds[-1])
    for offer in offers:
        pen.claimed(offer)
        claimed = pen.log[-1]
        assert isinstance(claimed, events.Claimed)
        pen.paying(offer)
        change(pen, key=claimed.key)
    for n in range(BATCH_MAX - 1 - len(offers)):
        pen.joined(f"fan{n}")
    pen.offered(entries[-1])
    assert found(pen) == []


def a_crowd(units: int) -> tuple[Pen, list[str]]:
    """So many units come to as many in line at once."""
    pen = Pen(rules({"pin": (units, units)})).opened()
    entries = [pen.joined(f"fan{n}") for n in range(units)]
    pen.wait(5)
    pen.by_creator(events.Added, pool="pin", qty=units)
    return pen, entries


def test_what_one_script_cannot_offer_the_next_one_does() -> None:
    pen, entries = a_crowd(AT_ONCE + 1)
    for entry in entries[:AT_ONCE]:
        pen.offered(entry)
    pen.wait(1)
    assert found(pen) == []
    pen.offered(entries[-1])
    assert found(pen) == []


def test_one_script_offers_as_much_as_it_can() -> None:
    pen, entries = a_crowd(AT_ONCE + 1)
    for entry in entries[: AT_ONCE - 1]:
        pen.offered(entry)
    pen.wait(1)
    pen.offered(entries[AT_ONCE - 1])
    assert refused(pen, "INV-11", "lie free while")


def test_what_is_due_is_settled_the_earliest_first() -> None:
    pen = Pen().opened()
    first = pen.held("ada")
    pen.wait(1)
    second = pen.held("ben")
    pen.wait(HOLD_MS)
    pen.expired(second)
    pen.expired(first)
    assert refused(pen, "INV-9", f"{second} is settled before {first}")


def test_what_is_due_at_one_time_is_settled_by_name() -> None:
    pen = Pen(rules({"pin": (12, 0)})).opened()
    holds = [pen.held(f"fan{n}") for n in range(10)]
    for hold in sorted(holds):
        pen.expired(hold)
    assert found(pen) == []
    assert sorted(holds)[1] == "h10"
    pen.log[-9], pen.log[-8] = pen.log[-8], pen.log[-9]
    pen.log = numbered(pen.log)
    assert refused(pen, "INV-9", "is settled before h10")


def test_nothing_that_was_due_is_left_when_the_log_ends() -> None:
    pen = Pen().opened()
    ada, _ben = pen.held("ada"), pen.held("ben")
    pen.expired(ada)
    assert refused(pen, "INV-9", "is alive at")


def test_nothing_ends_at_a_moment_at_which_something_was_decided() -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.until(pen.ends[ada])
    pen.held("ben")
    pen.expired(ada)
    assert refused(pen, "INV-9", "is alive at")


def closing_by_the_clock() -> Pen:
    at = Pen().now + 1000
    return Pen(with_rules(closes_ms=at)).opened()


def with_rules(**more: int) -> events.Rules:
    return msgspec.structs.replace(rules(), **more)


def test_the_drop_closes_in_its_turn_among_what_is_due() -> None:
    pen = closing_by_the_clock()
    ada = pen.held("ada")
    pen.expired(ada)
    assert refused(pen, "INV-15", "before the drop closes")


def test_a_drop_is_closed_when_the_log_ends_after_its_closing_time() -> None:
    pen = closing_by_the_clock()
    pen.wait(1)
    ada = pen.held("ada")
    assert found(pen) == []
    pen.paying(ada)
    pen.wait(2000)
    pen.sold(ada)
    assert refused(pen, "INV-15", "the drop goes on at")


def test_a_closing_drop_is_settled_before_anything_else() -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.paying(ada)
    charge = pen.sold(ada)
    pen.by_creator(events.Closed)
    assert found(pen) == []
    pen.discharged("capture", ada, charge)
    assert refused(pen, "INV-15", "is not settled")


def test_a_cancelled_drop_ends_its_holds_before_anything_else() -> None:
    pen = Pen().opened()
    ada, ben = pen.held("ada"), pen.held("ben")
    pen.by_creator(events.Cancelled)
    assert found(pen) == []
    pen.released(ben, by="creator")
    assert refused(pen, "INV-9", f"{ben} of a cancelled drop ends before {ada}")


def test_a_cancelled_drop_refunds_its_orders_in_the_order_of_their_sale() -> None:
    pen = Pen().opened()
    ada, ben = pen.held("ada"), pen.held("ben")
    pen.sold(ben, capture="done")
    pen.sold(ada, capture="done")
    pen.by_creator(events.Cancelled)
    pen.refunded(ada, by="creator")
    assert refused(pen, "INV-9", f"{ada} of a cancelled drop ends before {ben}")


def test_nobody_is_refunded_by_a_cancellation_that_was_not() -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.sold(ada, capture="done")
    pen.refunded(ada, by="creator")
    assert refused(pen, "INV-15", "in a drop that is live")


def room_again() -> tuple[Pen, str]:
    """ada's limit is full, her entry waits for room; then her hold ends."""
    pen = Pen(rules({"pin": (2, 0)}, limit=1)).opened()
    ada, ben = pen.held("ada"), pen.held("ben")
    entry = pen.joined("ada")
    pen.released(ben)
    pen.held("cy")
    pen.released(ada)
    return pen, entry


def test_room_in_the_limit_is_told_at_once() -> None:
    pen, entry = room_again()
    pen.limit_freed(entry)
    pen.offered(entry)
    assert found(pen) == []


def test_room_in_the_limit_is_not_left_out() -> None:
    pen, entry = room_again()
    pen.offered(entry)
    assert refused(pen, "INV-6", "limitfreed of e1 does not follow")


def test_room_that_nobody_made_is_not_told() -> None:
    pen, _hold, entry = one_pin()
    pen.limit_freed(entry)
    assert refused(pen, "INV-6", "was not made just now")


def test_who_cools_longer_than_a_hold_lasts_is_not_told_of_its_room() -> None:
    """The cooling ends after the deadline, though one script settles both."""
    pen = Pen(rules({"pin": (2, 0)}, limit=1)).opened()
    ben = pen.held("ben", qty=1)
    cy = pen.held("cy")
    entry = pen.joined("ada")
    pen.released(ben)
    offer = pen.offered(entry)
    pen.wait(HOLD_MS - COOL_MS + 10)
    pen.declined(offer, entry)
    late = pen.held("ada")
    pen.expired(cy)
    pen.wait(HOLD_MS)
    pen.expired(late)
    # Cooled long before the deadline: the room is told.
    assert refused(pen, "INV-6", "does not follow")
    pen.limit_freed(entry)
    pen.offered(entry)
    assert found(pen) == []


def test_leaving_ends_what_giving_back_began_under_its_key() -> None:
    pen, hold, entry = one_pin()
    pen.released(hold)
    offer = pen.offered(entry)
    pen.declined(offer, entry, key="go")
    pen.fate(events.Left, entry, key="another")
    assert refused(pen, "INV-11", "does not follow")


def test_holds_are_numbered_as_they_are_granted() -> None:
    pen = Pen().opened()
    pen.held("ada")
    change(pen, hold="h2")
    assert refused(pen, "INV-9", "h1 is the next")


def test_entries_are_named_after_their_arrival() -> None:
    pen, _, _ = one_pin()
    change(pen, entry="e2")
    assert refused(pen, "INV-11", "e2 comes where e1 is the next")


@pytest.mark.parametrize(("why", "amount"), [("second", PRICE + 1), ("ended", 0)])
def test_a_payment_of_another_amount_is_a_mismatch(why: str, amount: int) -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    if why == "second":
        pen.sold(ada)
    else:
        pen.released(ada)
    pen.voided(ada, why)
    assert found(pen) == []
    change(pen, amount=amount)
    assert refused(pen, "INV-10", "that is a mismatch")


def test_money_in_another_currency_is_a_mismatch() -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.voided(ada, "mismatch", currency="USD")
    assert found(pen) == []
    change(pen, why="ended")
    assert refused(pen, "INV-10", "that is a mismatch")


def test_what_is_right_is_no_mismatch() -> None:
    """P2. Before layout 4 the log did not tell in which currency the money was."""
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.voided(ada, "mismatch")
    assert refused(pen, "INV-10", "is what")
    pen = Pen().opened(schema=3)
    pen.voided(pen.held("ada"), "mismatch", currency="")
    assert found(pen) == []


def test_a_correction_changes_something() -> None:
    pen = Pen().opened()
    ada = pen.held("ada")
    pen.sold(ada)
    pen.mismatched(ada, pen.voided(ada, "second"), PRICE)
    assert refused(pen, "INV-10", "has nothing that")


def test_a_payment_rescues_its_own_hold_alone() -> None:
    pen = Pen(rules({"pin": (2, 0)})).opened()
    ada, again = pen.held("ada"), pen.held("ada")
    pen.paying(ada)
    pen.paying(again)
    pen.looked_up(ada)
    pen.looked_up(again)
    pen.wait(LOOKUP_MS)
    pen.expired(ada)
    pen.expired(again)
    pen.rescued(ada)
    assert found(pen) == []
    change(pen, intent=again)
    assert refused(pen, "INV-10", "rescues")


def test_an_outage_alone_makes_the_lead_smaller() -> None:
    pen = Pen().opened()
    pen.by_creator(events.Paused, why="")
    pen.by_creator(events.Resumed, lead=-1)
    assert refused(pen, "INV-5", "without an outage")


def test_what_is_due_is_settled_when_an_outage_was_noticed() -> None:
    """Holds and an entry that cools: the drop's own time goes on first."""
    pen = Pen(rules({"pin": (3, 0)}, limit=1)).opened()
    ben, cy, dora = pen.held("ben"), pen.held("cy"), pen.held("dora")
    entry = pen.joined("ada")
    pen.released(ben)
    pen.declined(pen.offered(entry), entry)
    pen.until(pen.ends[cy] + COOL_MS)
    pen.write(events.Realigned, by="clock", key="", revision=3, lead=-20_000, why="outage")
    pen.expired(cy)
    pen.expired(dora)
    pen.offered(entry)
    assert found(pen) == []
    pen.log[-4:-2] = reversed(pen.log[-4:-2])
    pen.log = numbered(pen.log)
    assert refused(pen, "INV-9", "is alive at")
