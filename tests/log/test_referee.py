"""The referee accepts honest logs and refuses every doctored one, each for its own reason."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import events
from dropengine.log.referee import Measures, Verdict, judge, report
from tests.kit import handwritten_logs
from tests.kit.handwritten_logs import Log, doctor, numbered, seq_of, text, with_after, without

PLAYED_OUT = ("a_rush", "a_line", "a_late_payment", "captured_for_less", "filled_limit")


def story(name: str) -> Log:
    return handwritten_logs.HONEST[name]().log


def first(verdict: Verdict) -> tuple[str, int]:
    assert verdict.violations, "nothing was found"
    return verdict.violations[0].inv, verdict.violations[0].seq


@pytest.mark.parametrize("name", handwritten_logs.HONEST)
def test_an_honest_log_is_accepted(name: str) -> None:
    verdict = judge(text(story(name)), closed=name in PLAYED_OUT)
    assert verdict.violations == []
    assert verdict.honest


@pytest.mark.parametrize("name", handwritten_logs.HONEST)
def test_every_beginning_of_an_honest_log_is_accepted(name: str) -> None:
    """Nothing is wrong in it; and where it ends with a script, nothing is missing at its end."""
    log = story(name)
    for length in range(1, len(log)):
        found = judge(text(log[:length])).violations
        assert [violation for violation in found if violation.line] == []
        assert found == [] or log[length].at == log[length - 1].at


def test_a_verdict_counts_what_happened() -> None:
    verdict = judge(text(story("a_late_payment")), closed=True)
    assert (verdict.cap, verdict.sold, verdict.held, verdict.free) == (2, 0, 0, 2)
    assert (verdict.holds, verdict.expired, verdict.offers, verdict.offers_claimed) == (3, 2, 1, 1)
    assert (verdict.rescued, verdict.voided, verdict.refunds, verdict.orders) == (1, 2, 2, 2)
    # One charge was captured and refunded, one captured twice over and given back, one failed.
    assert (verdict.captured, verdict.refunded) == (4800, 4800)
    assert verdict.captured_minus_refunded == verdict.orders_total == 0
    assert verdict.late_ms_max == 0


def test_money_that_is_kept_is_the_worth_of_the_orders() -> None:
    verdict = judge(text(story("a_rush")), closed=True)
    assert verdict.sold == verdict.distinct_serials == 3
    assert verdict.captured_minus_refunded == verdict.orders_total == 3 * handwritten_logs.PRICE


Spoil = Callable[[Log], tuple[Log, int]]
"""An honest log -> a doctored one and the seq at which it must be refused."""


def change(kind: type[events.Event], number: int = 1, **fields: object) -> Spoil:
    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        return doctor(log, seq, **fields), seq

    return spoil


def leave_out(kind: type[events.Event], number: int = 1) -> Spoil:
    """Refused at what stands there instead."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        return without(log, seq), seq

    return spoil


def insert(after: type[events.Event], number: int, event: events.AnyEvent) -> Spoil:
    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, after, number)
        return with_after(log, seq, event), seq + 1

    return spoil


def again(kind: type[events.Event], number: int = 1, **fields: object) -> Spoil:
    """The same event a second time, at once."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        twin = msgspec.structs.replace(log[seq - 1], **fields)
        return with_after(log, seq, twin), seq + 1

    return spoil


def ended_by(watch: str) -> Spoil:
    """The pause of the disk's watch, which nobody took over, is ended by another watch."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, events.Paused, 1)
        paused = log[seq - 1]
        assert isinstance(paused, events.Paused)
        ended = events.Resumed(
            seq=seq, at=paused.at, by=watch, key="kw", revision=paused.revision + 1
        )
        return with_after(log, seq, ended), seq + 1

    return spoil


def gap(log: Log) -> tuple[Log, int]:
    return [event for event in log if event.seq != 6], 7


def falling(log: Log) -> tuple[Log, int]:
    return doctor(log, 6, at=log[4].at - 1), 6


def a_press(fan: str, **more: object) -> events.Held:
    fields: dict[str, object] = {
        "fan": fan,
        "key": "stolen",
        "hold": "h99",
        "pool": "pin",
        "qty": 1,
        "price": handwritten_logs.PRICE,
        "deadline": 0,
    }
    return events.Held(seq=0, at=0, **(fields | more))  # type: ignore[arg-type]


def press_at_the_end_of(kind: type[events.Event], number: int, fan: str, qty: int = 1) -> Spoil:
    """A press that the scripts would have refused, with an honest deadline."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        press = a_press(fan, qty=qty, deadline=log[seq - 1].at + handwritten_logs.HOLD_MS)
        return with_after(log, seq, press), seq + 1

    return spoil


def other_offer(log: Log) -> tuple[Log, int]:
    """The third in line gets the first offer."""
    seq = seq_of(log, events.Offered)
    third = log[seq_of(log, events.Joined, 3) - 1]
    assert isinstance(third, events.Joined)
    return doctor(log, seq, fan=third.fan, entry=third.entry, n=third.n), seq


def idle(log: Log) -> tuple[Log, int]:
    """A unit is free, somebody is ready, and a later command finds it so."""
    seq = seq_of(log, events.Offered)
    late = events.Message(
        seq=0, at=0, by="o1", key="word", revision=3, text="Still there, but given to nobody."
    )
    spoilt = without(log, seq)[: seq - 1]
    return [*spoilt, msgspec.structs.replace(late, seq=seq, at=spoilt[-1].at + 1)], seq


def sold_twice(log: Log) -> tuple[Log, int]:
    seq = seq_of(log, events.Sold, 2)
    sale = log[seq_of(log, events.Sold, 1) - 1]
    assert isinstance(sale, events.Sold)
    return doctor(log, seq, serials=sale.serials[:1]), seq


def overdue(log: Log) -> tuple[Log, int]:
    """Nobody settled a hold whose deadline was over before the next press."""
    seq = seq_of(log, events.Expired)
    press = log[seq]
    assert isinstance(press, events.Held)
    free_one = doctor(without(log, seq), seq, qty=1)[:seq]
    return free_one, seq


def early(log: Log) -> tuple[Log, int]:
    """A hold ends one millisecond before its deadline."""
    seq = seq_of(log, events.Expired)
    return doctor(log, seq, at=log[seq - 1].at - 1), seq


def at_night(log: Log) -> tuple[Log, int]:
    """The line calls ben, who did not press."""
    seq = seq_of(log, events.Offered)
    return numbered(doctor(without(log, seq + 1), seq, key="")), seq


def leave_out_the_call(log: Log) -> tuple[Log, int]:
    """In the morning somebody may press, but cy is not called."""
    seq = seq_of(log, events.Offered, 2)
    late = events.Message(
        seq=seq, at=log[-1].at + 5, by="o1", key="k77", revision=3, text="Good morning."
    )
    return [*log[: seq - 1], late], seq


def instead_of_quiet(log: Log) -> tuple[Log, int]:
    seq = seq_of(log, events.Quiet)
    told = log[seq - 1]
    assert isinstance(told, events.Quiet)
    calling = events.Calling(seq=seq, at=told.at, until=told.until)
    return [*log[: seq - 1], calling, *log[seq:]], seq


def a_quiet_word(log: Log) -> tuple[Log, int]:
    seq = seq_of(log, events.Opened) + 1
    quiet = events.Quiet(seq=seq, at=log[seq - 2].at, until=log[-1].at * 2)
    return numbered([*log[: seq - 1], quiet, *log[seq - 1 :]]), seq


GUEST = "a_guest_signs_in"


DOCTORED: dict[str, tuple[str, Spoil, str]] = {
    "a gap": ("a_rush", gap, "INV-5"),
    "time that falls": ("a_rush", falling, "INV-5"),
    "an event twice": ("a_rush", lambda log: ([*log[:5], *log[4:]], 5), "INV-5"),
    "a log that does not begin": ("a_rush", leave_out(events.Published), "INV-15"),
    "published again": ("a_rush", again(events.Published, key="k99"), "INV-15"),
    "pools beyond the item": (
        "a_rush",
        change(
            events.Published,
            rules=msgspec.structs.replace(
                handwritten_logs.rules(),
                pools=[events.PublishedPool(id="pin", item="pin", cap=4, withheld=0)],
            ),
        ),
        "INV-13",
    ),
    "a revision left out": ("two_pools", change(events.Added, revision=9), "INV-15"),
    "a creator's key twice": ("two_pools", change(events.Added, key="k1"), "INV-7"),
    "nobody's command": ("two_pools", change(events.Paused, by=""), "INV-15"),
    "the clock adding stock": ("two_pools", change(events.Added, by="clock"), "INV-15"),
    "opened by no clock": ("a_rush", change(events.Opened, by="clock", key=""), "INV-15"),
    "a press before the opening": (
        "a_rush",
        press_at_the_end_of(events.Published, 1, "eva"),
        "INV-15",
    ),
    "a press after the closing": (
        "a_rush",
        press_at_the_end_of(events.Settled, 1, "eva"),
        "INV-15",
    ),
    "a maker's pause ended by a watch": (
        "two_pools",
        change(events.Resumed, by="disk"),
        "INV-15",
    ),
    "a pause ended by another watch": ("two_pools", ended_by("durability"), "INV-15"),
    "a watch on the pause of a watch": (
        "two_pools",
        change(events.Paused, 2, by="durability"),
        "INV-15",
    ),
    "a pause on a maker's pause": ("two_pools", again(events.Paused, 2, by="o2"), "INV-15"),
    "a charge corrected twice": ("captured_for_less", again(events.Mismatched, 2), "INV-10"),
    "a correction that changes nothing": (
        "captured_for_less",
        change(events.Mismatched, 2, amount=handwritten_logs.PRICE),
        "INV-10",
    ),
    "a correction of no charge": (
        "captured_for_less",
        change(events.Mismatched, charge="c99"),
        "INV-10",
    ),
    "a refund of more than was captured": (
        "captured_for_less",
        change(events.Refunded, amount=handwritten_logs.PRICE),
        "INV-10",
    ),
    "a refund given up by nobody": (
        "a_late_payment",
        change(events.Discharged, 5, result="given_up", key="k99"),
        "INV-15",
    ),
    "a refund given up by the clock": (
        "a_late_payment",
        change(events.Discharged, 5, result="given_up", by="clock", key="k99"),
        "INV-15",
    ),
    "a refund by hand without a key": (
        "a_late_payment",
        change(events.Discharged, 5, result="by_hand", by="o1"),
        "INV-7",
    ),
    "a duty that a creator ticks off as done": (
        "a_late_payment",
        change(events.Discharged, 5, by="o1", key="k99"),
        "INV-15",
    ),
    "a void that failed": (
        "a_late_payment",
        change(events.Discharged, 4, result="failed"),
        "INV-10",
    ),
    "an offer while paused": ("two_pools", leave_out(events.Resumed), "INV-15"),
    "a unit too many": (
        "a_rush",
        press_at_the_end_of(events.Held, 2, "eva"),
        "INV-2",
    ),
    "half a unit back": ("a_rush", change(events.Expired, qty=2), "INV-1"),
    "units of another pool": ("two_pools", change(events.Released, pool="pin@south"), "INV-1"),
    "more added than withheld": ("two_pools", change(events.Added, qty=3), "INV-1"),
    "held units withdrawn": ("two_pools", change(events.Withdrawn, qty=4), "INV-1"),
    "a price of his own": ("a_rush", change(events.Held, 2, price=1), "INV-10"),
    "beyond the limit": (
        "a_rush",
        press_at_the_end_of(events.Released, 1, "ada"),
        "INV-6",
    ),
    "a press of too many": (
        "two_pools",
        lambda log: (
            doctor(
                doctor(
                    log,
                    1,
                    rules=handwritten_logs.rules(
                        {"pin@north": (2, 0), "pin@south": (2, 2)}, most=1
                    ),
                ),
                3,
            ),
            3,
        ),
        "INV-6",
    ),
    "a key twice": ("a_rush", change(events.Held, 2, fan="ada", key="k3"), "INV-7"),
    "a hold granted twice": ("a_rush", change(events.Held, 2, hold="h1"), "INV-9"),
    "two places in one line": ("a_line", change(events.Joined, 2, fan="ben"), "INV-7"),
    "an own deadline": ("a_rush", change(events.Held, deadline=1), "INV-9"),
    "a hold that ends early": ("a_rush", early, "INV-9"),
    "a hold that nobody settled": ("a_rush", overdue, "INV-9"),
    "a hold that ends twice": ("a_rush", again(events.Released), "INV-9"),
    "a sale after the end": ("a_rush", leave_out(events.Held, 4), "INV-9"),
    "an offer that expires": (
        "a_line",
        lambda log: (
            [
                events.Expired(seq=e.seq, at=e.at, fan=e.fan, hold=e.hold, pool=e.pool, qty=e.qty)
                if isinstance(e, events.Lapsed)
                else e
                for e in log
            ],
            seq_of(log, events.Lapsed),
        ),
        "INV-9",
    ),
    "a silent payment not asked about": (
        "a_late_payment",
        leave_out(events.Extended),
        "INV-9",
    ),
    "a hold of somebody else": ("a_rush", change(events.Paying, fan="ben"), "INV-15"),
    "a hold of nobody": ("a_rush", change(events.Held, fan=""), "INV-15"),
    "rules without a hash": ("a_rush", change(events.Published, hash=""), "INV-15"),
    "an order of somebody else": ("a_late_payment", change(events.Refunded, fan="ben"), "INV-15"),
    "a place of somebody else": ("a_line", change(events.Left, fan="ben"), "INV-15"),
    "a guest whose hold stays behind": (GUEST, change(events.Adopted, holds=[]), "INV-15"),
    "a hold that a guest had twice": (GUEST, change(events.Adopted, holds=["h3", "h3"]), "INV-15"),
    "a guest who did nothing": (GUEST, change(events.Adopted, guest="zoe"), "INV-15"),
    "a guest who adopts himself": (GUEST, change(events.Adopted, fan="ada"), "INV-15"),
    "a guest who goes on": (GUEST, change(events.Paying, fan="ada"), "INV-15"),
    "a guest twice": (GUEST, again(events.Adopted), "INV-15"),
    "two places of one person": (GUEST, leave_out(events.Removed), "INV-11"),
    "an open offer of a place that ended": (GUEST, leave_out(events.Claimed), "INV-11"),
    "an offer cut short": (GUEST, change(events.Claimed, deadline=1), "INV-9"),
    "the wrong place of two": (GUEST, change(events.Removed, entry="e1", n=1), "INV-11"),
    "a place merged for no reason": (
        "filled_limit",
        change(events.Removed, why="merged"),
        "INV-11",
    ),
    "overtaken by an offer": ("a_line", other_offer, "INV-11"),
    "overtaken by a press": ("a_line", insert(events.Released, 1, a_press("eva")), "INV-11"),
    "an arrival left out": ("a_line", change(events.Joined, 2, n=7), "INV-11"),
    "the other lane": ("a_line", change(events.Offered, 2, call=1), "INV-11"),
    "a smaller offer": ("two_pools", change(events.Offered, qty=2), "INV-11"),
    "a unit that lies free": ("a_line", idle, "INV-11"),
    "an endless place": ("a_line", leave_out(events.Dormant), "INV-11"),
    "a buyer who waits on": ("a_line", leave_out(events.Served), "INV-11"),
    "no cooling": ("a_line", change(events.Cooled, cool=1), "INV-11"),
    "an offer in the cold": (
        "a_line",
        change(events.Offered, 2, fan="ben", entry="e1", n=1),
        "INV-11",
    ),
    "a place kept beyond the limit": ("filled_limit", leave_out(events.Removed), "INV-11"),
    "removed without a reason": ("filled_limit", change(events.Removed, why="spite"), "INV-11"),
    "a make-good for nothing": (
        "a_late_payment",
        lambda log: (without(log, seq_of(log, events.Voided)), seq_of(log, events.Voided)),
        "INV-15",
    ),
    "no make-good": (
        "a_late_payment",
        leave_out(events.Joined),
        "INV-11",
    ),
    "a serial sold twice": ("a_rush", sold_twice, "INV-4"),
    "a serial that does not exist": ("a_rush", change(events.Sold, 2, serials=[4]), "INV-4"),
    "a unit without a serial": ("a_rush", change(events.Sold, serials=[1]), "INV-4"),
    "a new serial before the returned": (
        "a_late_payment",
        change(events.Sold, serials=[2]),
        "INV-4",
    ),
    "another serial comes back": ("a_late_payment", change(events.Refunded, serials=[2]), "INV-4"),
    "a discount": ("a_rush", change(events.Sold, amount=1), "INV-10"),
    "one charge, two orders": ("a_rush", change(events.Sold, 2, charge="c1"), "INV-10"),
    "a refund twice": ("a_late_payment", again(events.Refunded), "INV-10"),
    "a capture of another amount": ("a_rush", change(events.Discharged, amount=1), "INV-10"),
    "a duty done twice": ("a_rush", again(events.Discharged), "INV-10"),
    "money sent back with units free": (
        "a_late_payment",
        lambda log: (without(log, seq_of(log, events.Held, 3)), seq_of(log, events.Voided) - 1),
        "INV-10",
    ),
    "a reason that is none": ("a_late_payment", change(events.Voided, 2, why="late"), "INV-10"),
    "a second payment told as none": (
        "a_late_payment",
        change(events.Voided, 2, why="ended"),
        "INV-10",
    ),
    "books that did not add up": (
        "two_pools",
        insert(events.Held, 1, events.Frozen(seq=0, at=0, why="conservation of pin@north")),
        "INV-1",
    ),
}


def without_points(log: Log) -> tuple[Log, int]:
    """Whoever is called by them overtakes."""
    return without(log, seq_of(log, events.Pointed)), seq_of(log, events.Offered, 2) - 1


POINTED = events.Pointed(0, 0, "eva", "e9", 1, 1, "friend")

DOCTORED |= {
    "points of nobody's entry": ("with_friends", change(events.Pointed, entry="e9"), "INV-11"),
    "points of another one": ("with_friends", change(events.Pointed, fan="di"), "INV-15"),
    "points for nothing": ("with_friends", change(events.Pointed, why="luck"), "INV-15"),
    "points without end": ("with_friends", change(events.Pointed, points=1001), "INV-15"),
    "an older page of the book": ("with_friends", change(events.Pointed, 3, book=1), "INV-15"),
    "points twice": ("with_friends", again(events.Pointed), "INV-15"),
    "points that move nobody": ("with_friends", without_points, "INV-11"),
    "made good for nothing": ("with_friends", change(events.Pointed, why="makegood"), "INV-15"),
    "points where there are none": (
        "a_line",
        insert(events.Joined, 1, msgspec.structs.replace(POINTED, fan="ben", entry="e1")),
        "INV-11",
    ),
    "a friend who calls too often": ("with_friends", change(events.Offered, call=1), "INV-11"),
    "called as if by arrival": ("with_friends", change(events.Offered, 2, call=0), "INV-11"),
    "made good and nobody hears": ("a_late_payment", leave_out(events.Joined), "INV-11"),
}

DOCTORED |= {
    "called at night": ("a_quiet_night", at_night, "INV-11"),
    "a call withheld by day": ("a_quiet_night", leave_out_the_call, "INV-11"),
    "called himself out of turn": (
        "a_quiet_night",
        change(events.Offered, fan="cy", entry="e2", n=2),
        "INV-11",
    ),
    "called himself and did not take it": ("a_quiet_night", leave_out(events.Claimed), "INV-11"),
    "taken under another key": ("a_quiet_night", change(events.Claimed, key="k99"), "INV-11"),
    "the hours turn unsaid": ("a_quiet_night", leave_out(events.Quiet), "INV-15"),
    "the morning comes unsaid": ("a_quiet_night", leave_out(events.Calling), "INV-15"),
    "quiet for an hour longer": ("a_quiet_night", change(events.Quiet, until=1), "INV-15"),
    "calling at night": ("a_quiet_night", instead_of_quiet, "INV-15"),
    "quiet in a drop without hours": ("a_rush", a_quiet_word, "INV-15"),
    "himself by day": ("a_line", change(events.Offered, key="k99"), "INV-11"),
}


def published(**fields: object) -> Spoil:
    """Other rules in the first event."""

    def spoil(log: Log) -> tuple[Log, int]:
        rules = msgspec.structs.replace(handwritten_logs.rules(), **fields)
        return doctor(log, 1, rules=rules), 1

    return spoil


def instead(
    kind: type[events.Event], number: int, new: type[events.Event], **more: object
) -> Spoil:
    """Another event in the place of one, with the fields that both have."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        old = msgspec.structs.asdict(log[seq - 1])
        names = set(new.__struct_fields__)
        fields = {name: value for name, value in old.items() if name in names} | more
        return [*log[: seq - 1], new(**fields), *log[seq:]], seq  # type: ignore[list-item]

    return spoil


def after(
    kind: type[events.Event], number: int, new: type[events.Event], /, **more: object
) -> Spoil:
    """One event more, made from the one before it."""

    def spoil(log: Log) -> tuple[Log, int]:
        seq = seq_of(log, kind, number)
        old = msgspec.structs.asdict(log[seq - 1])
        names = set(new.__struct_fields__)
        fields = {name: value for name, value in old.items() if name in names} | more
        return with_after(log, seq, new(**fields)), seq + 1  # type: ignore[arg-type]

    return spoil


def at(seq: int, **fields: object) -> Spoil:
    return lambda log: (doctor(log, seq, **fields), seq)


ONE = events.PublishedItem(id="pin", cap=3, price=handwritten_logs.PRICE, limit=0, most=2)
POOL = events.PublishedPool(id="pin", item="pin", cap=3, withheld=0)

DOCTORED |= {
    "revisions that begin with two": ("a_rush", at(1, revision=2), "INV-15"),
    "rules without a limit": ("a_rush", published(limit=0), "INV-15"),
    "an item twice": ("a_rush", published(items=[ONE, ONE]), "INV-13"),
    "a pool twice": ("a_rush", published(pools=[POOL, POOL]), "INV-13"),
    "more withheld than there are": (
        "a_rush",
        published(pools=[msgspec.structs.replace(POOL, withheld=4)]),
        "INV-1",
    ),
    "a press without a key": ("a_rush", change(events.Held, key=""), "INV-7"),
    "paying without a key": ("a_rush", change(events.Paying, key=""), "INV-7"),
    "more time without a key": ("a_rush", change(events.Extended, key=""), "INV-7"),
    "given back without a key": ("a_rush", change(events.Released, key=""), "INV-7"),
    "an offer taken without a key": ("a_line", change(events.Claimed, key=""), "INV-7"),
    "left without a key": ("a_line", change(events.Left, key=""), "INV-7"),
    "a question with a key": ("a_late_payment", change(events.Extended, key="k"), "INV-15"),
    "corrected to what it was": ("another_time", change(events.Corrected, hash="0" * 64), "INV-15"),
    "corrected to nothing": ("another_time", change(events.Corrected, hash=""), "INV-15"),
    "corrected to no hash": ("another_time", change(events.Corrected, hash="z" * 64), "INV-15"),
    "corrected by the clock": ("another_time", change(events.Corrected, by="clock"), "INV-15"),
    "corrected by no key": ("another_time", change(events.Corrected, key=""), "INV-7"),
    "closed by no clock": ("a_rush", change(events.Closed, by="clock", key=""), "INV-15"),
    "an outage with a key": ("taken_over", change(events.Realigned, key="k"), "INV-15"),
    "an outage by somebody": ("taken_over", change(events.Realigned, by="o1"), "INV-7"),
    "a clock set for luck": ("taken_over", change(events.Realigned, why="luck"), "INV-15"),
    "a leap that nobody commanded": ("taken_over", change(events.Realigned, why="leap"), "INV-15"),
    "a time that was left out": ("taken_over", change(events.Realigned, revision=9), "INV-15"),
    "time that counts though it stood still": (
        "a_restored_drop",
        change(events.Thawed, lead=0),
        "INV-5",
    ),
    "more time than was lost": (
        "a_restored_drop",
        change(events.Thawed, lead=-3_600_001),
        "INV-5",
    ),
    "thawed after half a change": ("a_restored_drop", change(events.Thawed, why="half"), "INV-3"),
    "thawed for luck": ("a_restored_drop", change(events.Thawed, why="luck"), "INV-15"),
    "thawed from books that were whole": (
        "a_restored_drop",
        change(events.Thawed, why="books"),
        "INV-15",
    ),
    "thawed into selling": ("a_restored_drop", change(events.Thawed, state="live"), "INV-15"),
    "thawed into its opening": (
        "a_restored_drop",
        change(events.Thawed, state="scheduled"),
        "INV-15",
    ),
    "thawed by nobody": ("a_restored_drop", change(events.Thawed, key=""), "INV-7"),
    "thawed by the clock": ("a_restored_drop", change(events.Thawed, by="clock"), "INV-15"),
    "a thaw that was left out": ("a_restored_drop", change(events.Thawed, revision=9), "INV-15"),
    "taken over a second time": ("taken_over", again(events.Lifted), "INV-15"),
    "taken over from a layout it was not in": (
        "taken_over",
        change(events.Lifted, was=0),
        "INV-15",
    ),
    "taken over by an older engine": ("taken_over", change(events.Lifted, schema=1), "INV-15"),
    "taken over though it never was older": (
        "a_rush",
        after(events.Message, 1, events.Lifted, was=1, schema=2),
        "INV-15",
    ),
    "settled while something is held": (
        "a_rush",
        lambda log: (without(log, seq_of(log, events.Sold, 2)), seq_of(log, events.Settled) - 1),
        "INV-15",
    ),
    "published by no key": ("a_rush", change(events.Published, key=""), "INV-7"),
    "a press of nothing": ("a_rush", change(events.Held, 2, qty=0), "INV-1"),
    "a press that is claimed": (
        "a_rush",
        after(
            events.Held,
            2,
            events.Claimed,
            deadline=handwritten_logs.START_MS + 5 + handwritten_logs.HOLD_MS,
        ),
        "INV-9",
    ),
    "extended twice": (
        "a_rush",
        after(
            events.Extended,
            1,
            events.Extended,
            deadline=handwritten_logs.START_MS
            + 5
            + handwritten_logs.HOLD_MS
            + 2 * handwritten_logs.EXTEND_MS,
        ),
        "INV-9",
    ),
    "extended for luck": ("a_rush", change(events.Extended, why="luck"), "INV-15"),
    "looked up while nobody pays": ("a_rush", change(events.Extended, why="lookup"), "INV-9"),
    "a question ticked off while its hold stands": (
        "a_late_payment",
        after(
            events.Extended,
            1,
            events.Discharged,
            duty="lookup:h1",
            kind="lookup",
            charge="",
            amount=handwritten_logs.PRICE,
            result="done",
        ),
        "INV-10",
    ),
    "a question about a hold that nobody began to pay": (
        "a_rush",
        after(
            events.Released,
            1,
            events.Discharged,
            duty="lookup:h1",
            kind="lookup",
            charge="",
            amount=handwritten_logs.PRICE,
            result="done",
        ),
        "INV-10",
    ),
    "paying begins twice": ("a_rush", again(events.Paying), "INV-9"),
    "a creator who takes a hold": ("a_rush", change(events.Released, by="creator"), "INV-15"),
    "a hold released by nobody": ("a_rush", change(events.Released, by="clock"), "INV-15"),
    "an offer that is released": (
        "a_line",
        instead(events.Declined, 1, events.Released, by="fan"),
        "INV-9",
    ),
    "an entry that joins twice": ("a_line", change(events.Joined, 2, entry="e1"), "INV-11"),
    "a line for nothing": ("a_line", change(events.Joined, 2, pools=["cap"]), "INV-15"),
    "a make-good without points": ("a_late_payment", change(events.Joined, points=1), "INV-15"),
    "a make-good for more": ("a_late_payment", change(events.Joined, qty=2), "INV-15"),
    "points from nowhere": ("a_line", change(events.Joined, points=5), "INV-15"),
    "a place for too many": ("a_line", change(events.Joined, qty=3), "INV-6"),
    "called as somebody else": ("a_line", change(events.Offered, n=3), "INV-11"),
    "an offer of a pool not asked for": (
        "two_pools",
        change(events.Offered, 2, pool="pin@south"),
        "INV-11",
    ),
    "an offer of what is not free": (
        "a_line",
        after(
            events.Joined,
            3,
            events.Offered,
            call=0,
            hold="h9",
            pool="pin",
            price=handwritten_logs.PRICE,
            deadline=handwritten_logs.START_MS + 5 + handwritten_logs.OFFER_MS,
        ),
        "INV-11",
    ),
    "a press that lapses": (
        "a_rush",
        instead(events.Expired, 1, events.Lapsed, entry="e1", cool=0),
        "INV-9",
    ),
    "an offer of another entry": ("a_line", change(events.Lapsed, entry="e2"), "INV-11"),
    "a cooling of his own": (
        "a_line",
        change(events.Lapsed, cool=handwritten_logs.START_MS * 2),
        "INV-11",
    ),
    "a third chance": (
        "a_line",
        change(events.Lapsed, 2, cool=handwritten_logs.START_MS * 2),
        "INV-11",
    ),
    "cooled without an offer": (
        "a_line",
        after(
            events.Joined,
            3,
            events.Cooled,
            cool=handwritten_logs.START_MS + 5 + handwritten_logs.COOL_MS,
        ),
        "INV-11",
    ),
    "served without a sale": ("a_line", after(events.Joined, 3, events.Served), "INV-11"),
    "served as somebody else": ("a_line", change(events.Served, n=3), "INV-11"),
    "dormant at once": ("a_line", change(events.Lapsed, cool=0), "INV-11"),
    "gone with an open offer": (
        "a_line",
        after(events.Offered, 1, events.Left, key="k99"),
        "INV-9",
    ),
    "room that is not there": ("two_pools", after(events.Joined, 1, events.LimitFreed), "INV-6"),
    "a serial skipped": ("a_rush", change(events.Sold, serials=[2, 3]), "INV-4"),
    "a capture that is neither": ("a_rush", change(events.Sold, capture="maybe"), "INV-10"),
    "a payment for nothing": ("a_rush", change(events.Sold, intent="h99"), "INV-10"),
    "an open offer that is paid": (
        "a_line",
        lambda log: (
            with_after(
                log,
                seq_of(log, events.Offered),
                events.Sold(
                    seq=0,
                    at=0,
                    fan="ben",
                    hold="h2",
                    intent="h1",
                    pool="pin",
                    qty=1,
                    serials=[1],
                    amount=handwritten_logs.PRICE,
                    charge="c9",
                    capture="done",
                ),
            ),
            seq_of(log, events.Offered) + 1,
        ),
        "INV-10",
    ),
    "sold after it was given back": (
        "a_rush",
        instead(events.Sold, 2, events.Sold, hold="h3", fan="cy", intent="h3"),
        "INV-9",
    ),
    "rescued though it never began": ("a_late_payment", leave_out(events.Paying), "INV-9"),
    "rescued though nobody paid in time": (
        "a_rush",
        after(
            events.Expired,
            1,
            events.Rescued,
            intent="h2",
            serials=[3],
            amount=handwritten_logs.PRICE,
            charge="c9",
            capture="done",
        ),
        "INV-9",
    ),
    "a cohort twice": (
        "early_access",
        change(events.Enrolled, cohorts=["club", "club"]),
        "INV-15",
    ),
    "a unit of another's cohort": ("early_access", change(events.Held, cohort="friends"), "INV-6"),
    "begun by who is in no cohort": ("early_access", change(events.Held, fan="cy"), "INV-6"),
    "past who waits below his ceiling": (
        "early_access",
        change(events.Offered, cohort="friends"),
        "INV-6",
    ),
    "given back by magic": ("a_late_payment", change(events.Voided, how="magic"), "INV-10"),
    "half the money back": ("a_late_payment", change(events.Refunded, amount=1), "INV-10"),
    "a refund that failed": (
        "a_late_payment",
        change(events.Discharged, 6, result="failed"),
        "INV-10",
    ),
}


@pytest.mark.parametrize("name", DOCTORED)
def test_a_doctored_log_is_refused_where_it_was_doctored(name: str) -> None:
    honest, spoil, inv = DOCTORED[name]
    spoilt, seq = spoil(story(honest))
    verdict = judge(text(spoilt))
    assert first(verdict)[1] == seq
    assert inv in {violation.inv for violation in verdict.violations if violation.seq == seq}


def test_units_beyond_the_cap_are_counted() -> None:
    spoilt, _ = DOCTORED["a unit too many"][1](story("a_rush"))
    assert judge(text(spoilt[:6])).oversold == 1


def test_those_who_were_overtaken_are_counted() -> None:
    spoilt, _ = DOCTORED["overtaken by an offer"][1](story("a_line"))
    assert judge(text(spoilt)).overtaken >= 1


def in_line(*pools: str, **more: int) -> handwritten_logs.Pen:
    """Two pools of one pin each; ada holds the northern one and joins for these pools."""
    caps = {"pin@north": (1, 0), "pin@south": (1, 0)}
    pen = handwritten_logs.Pen(handwritten_logs.rules(caps, **more)).opened()
    pen.wait(5)
    pen.held("ada", "pin@north")
    pen.joined("ada", *pools)
    return pen


@pytest.mark.parametrize("pools", [("pin@south",), ("pin@north", "pin@south")])
def test_who_could_have_a_unit_gets_no_place_in_line(pools: tuple[str, ...]) -> None:
    pen = in_line(*pools)
    assert first(judge(text(pen.log))) == ("INV-11", len(pen.log))
    pen.offered("e1", "pin@south")
    older = doctor(pen.log, 1, schema=1)
    assert judge(text(older)).honest, "scripts of the first layout made an entry of every join"


def test_who_cools_keeps_nobody_from_a_unit_that_is_free() -> None:
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (1, 0)})).opened()
    pen.wait(5)
    ada = pen.held("ada")
    ben = pen.joined("ben")
    pen.released(ada)
    pen.declined(pen.offered(ben), ben)
    assert judge(text(pen.log)).honest
    pen.joined("cy")
    assert first(judge(text(pen.log))) == ("INV-11", len(pen.log))


def test_who_could_have_nothing_gets_a_place_in_line() -> None:
    assert judge(text(in_line("pin@north").log)).honest, "nothing is free"
    assert judge(text(in_line("pin@south", limit=1).log)).honest, "no room"
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (2, 0)})).opened()
    pen.by_creator(events.Paused, why="")
    pen.joined("ada")
    assert judge(text(pen.log)).honest, "a pause"
    pen.by_creator(events.Resumed)
    pen.offered("e1")
    assert judge(text(pen.log)).honest
    # One batch: the line is served at its end.
    last = pen.held("ben")
    cy = pen.joined("cy")
    pen.released(last)
    dora = pen.joined("dora")
    pen.offered(cy)
    assert judge(text(pen.log)).honest, "somebody is ready"
    assert dora == "e3"


def test_a_payment_is_not_rescued_past_the_line() -> None:
    """A free unit goes to whoever is ready for it before a payment that came too late."""
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (1, 0)})).opened()
    pen.wait(5)
    ada = pen.held("ada")
    pen.paying(ada)
    pen.wait(5)
    pen.joined("ben")
    pen.looked_up(ada)
    pen.expired(ada)
    pen.rescued(ada)
    verdict = judge(text(pen.log))
    assert verdict.overtaken == 1
    assert first(verdict) == ("INV-11", len(pen.log))


def test_before_layout_3_a_late_payment_bought_no_offer() -> None:
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (1, 0)})).opened(schema=2)
    pen.wait(5)
    ada = pen.held("ada")
    pen.paying(ada)
    entry = pen.joined("ada")
    pen.looked_up(ada)
    pen.expired(ada)
    offer = pen.offered(entry)
    pen.wait(5)
    assert judge(text(pen.log)).honest
    pen.sold(offer, intent=ada)
    assert first(judge(text(pen.log))) == ("INV-10", len(pen.log))


def lost_by_ada(*joining: str, limit: int = 2) -> tuple[handwritten_logs.Pen, str, list[str]]:
    """ada's hold ends in a pause while she pays for it, and cleo's goes on; who joins then is
    ready. The log, ada's hold, the entries."""
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (3, 0)}, limit=limit)).opened()
    pen.wait(5)
    ada = pen.held("ada")
    pen.paying(ada)
    pen.wait(5_000)
    cleo = pen.held("cleo")
    pen.paying(cleo)
    pen.by_creator(events.Paused, why="")
    entries = [pen.joined(fan) for fan in joining]
    pen.looked_up(ada)
    pen.looked_up(cleo)
    pen.expired(ada)
    return pen, ada, entries


def found(pen: handwritten_logs.Pen) -> list[str]:
    return [violation.inv for violation in judge(text(pen.log)).violations]


@pytest.mark.parametrize("joining", ["", "ada", "ben", "ada ben"])
def test_a_late_payment_goes_back_exactly_when_somebody_else_stands_ahead(joining: str) -> None:
    for buys in (True, False):
        pen, ada, _ = lost_by_ada(*joining.split())
        if buys:
            pen.rescued(ada)
        else:
            pen.voided(ada, "late")
            if "ada" in joining:
                pen.pointed(
                    next(name for name in pen.entries if pen.entries[name].fan == "ada"),
                    0,
                    0,
                    "makegood",
                )
            else:
                pen.joined("ada", makegood=True)
        right = buys == ("ben" not in joining)
        assert found(pen) == ([] if right else ["INV-11" if buys else "INV-10"])


@pytest.mark.parametrize("joining", ["ada", "ben", "ada ben"])
def test_in_a_closing_drop_a_late_payment_overtakes_nobody(joining: str) -> None:
    for buys in (True, False):
        pen, ada, _ = lost_by_ada(*joining.split())
        pen.by_creator(events.Closed)
        if buys:
            pen.rescued(ada)
        else:
            pen.voided(ada, "late")
        assert found(pen) == ([] if buys else ["INV-10"])


def with_an_equal(offer: bool) -> tuple[handwritten_logs.Pen, str, str, str]:
    """ada's lost hold, and an equal one that she has by now: an offer of her entry, or a hold that
    she pays for."""
    pen, ada, (entry,) = lost_by_ada("ada")
    pen.by_creator(events.Resumed, lead=0)
    equal = pen.offered(entry)
    if not offer:
        pen.claimed(equal)
        pen.paying(equal)
    return pen, ada, equal, entry


@pytest.mark.parametrize("offer", [True, False])
@pytest.mark.parametrize("end", ["sold", "rescued", "voided"])
def test_a_late_payment_buys_the_equal_hold_whatever_it_is(end: str, *, offer: bool) -> None:
    pen, ada, equal, entry = with_an_equal(offer)
    match end:
        case "sold":
            pen.sold(equal, intent=ada)
            pen.fate(events.Served, entry)
        case "rescued":
            pen.rescued(ada)
        case _:
            pen.voided(ada, "late")
    assert (found(pen)[:1]) == ([] if end == "sold" else ["INV-10"])


def test_a_hold_that_is_paid_for_is_bought_last() -> None:
    pen, ada, paying, _ = with_an_equal(offer=False)
    pen.held("ada")
    pen.sold(paying, intent=ada)
    assert found(pen)[:1] == ["INV-10"]


def lost_by_the_line(*, again: bool) -> tuple[handwritten_logs.Pen, str, str, str]:
    """ada's hold came from the line and ended; `again`: her entry was called for the other pool."""
    pools = handwritten_logs.rules({"north": (1, 0), "south": (1, 0)}, limit=1)
    pen = handwritten_logs.Pen(pools).opened()
    pen.wait(5)
    ben, cleo = pen.held("ben", "north"), pen.held("cleo", "south")
    entry = pen.joined("ada", "north", "south")
    pen.released(ben)
    ada = pen.offered(entry, "north")
    pen.claimed(ada)
    pen.paying(ada)
    pen.expired(cleo)
    pen.looked_up(ada)
    pen.expired(ada)
    pen.cooled(entry)
    offer = ""
    if again:
        dan = pen.held("dan", "north")
        pen.wait(handwritten_logs.COOL_MS)
        offer = pen.offered(entry, "south")
        pen.released(dan)
    return pen, ada, entry, offer


def test_a_rescue_serves_the_entry_that_its_hold_came_from() -> None:
    for served in (True, False):
        pen, ada, entry, _ = lost_by_the_line(again=False)
        assert found(pen) == []
        pen.rescued(ada)
        if served:
            pen.fate(events.Served, entry)
        pen.held("eve", "south")
        assert found(pen) == ([] if served else ["INV-11"])


@pytest.mark.parametrize("missing", ["", "declined", "rescued", "served"])
def test_an_offer_of_that_entry_goes_back_just_before(missing: str) -> None:
    pen, ada, entry, offer = lost_by_the_line(again=True)
    assert found(pen) == []
    if missing != "declined":
        pen.declined(offer, entry, key="-")
        pen.log[-1] = msgspec.structs.replace(pen.log[-1], key="")
    if missing != "rescued":
        pen.rescued(ada)
    if missing != "served":
        pen.fate(events.Served, entry)
    pen.wait(1)
    pen.held("eve", "south" if missing != "declined" else "north")
    assert bool(found(pen)) == bool(missing)


def test_before_layout_3_nobody_gave_an_offer_back_but_its_fan() -> None:
    pen, ada, entry, offer = lost_by_the_line(again=True)
    pen.log[0] = msgspec.structs.replace(pen.log[0], schema=2)
    pen.declined(offer, entry, key="-")
    pen.log[-1] = msgspec.structs.replace(pen.log[-1], key="")
    pen.rescued(ada)
    assert found(pen)[:1] == ["INV-11"]


def by_the_clock() -> handwritten_logs.Pen:
    """Opens and closes by its own times."""
    times = {
        "opens_ms": handwritten_logs.START_MS + 100,
        "closes_ms": handwritten_logs.START_MS + 200,
    }
    pen = handwritten_logs.Pen(msgspec.structs.replace(handwritten_logs.rules(), **times))
    pen.published()
    pen.wait(100)
    pen.write(events.Opened, by="clock", key="", revision=2)
    pen.wait(5)
    return pen


def test_a_drop_may_open_and_close_by_its_own_times() -> None:
    pen = by_the_clock()
    pen.until(handwritten_logs.START_MS + 200)
    pen.write(events.Closed, by="clock", key="", revision=3)
    pen.write(events.Settled)
    assert judge(text(pen.log), closed=True).honest


def test_a_closing_time_that_passed_before_the_opening_closes_nothing() -> None:
    """T8: only a newer one does, or the maker."""
    start = handwritten_logs.START_MS
    passed = msgspec.structs.replace(handwritten_logs.rules(), closes_ms=start + 100)
    for newer in (False, True):
        pen = handwritten_logs.Pen(passed).published()
        pen.until(start + 150)
        pen.by_creator(events.Opened)
        if newer:
            pen.by_creator(events.Rescheduled, opens_ms=0, closes_ms=start + 200)
        pen.until(start + 200)
        pen.write(events.Closed, by="clock", key="", revision=pen.revision + 1)
        pen.write(events.Settled)
        assert judge(text(pen.log), closed=True).honest is newer


NEWER = {"opens_ms": handwritten_logs.START_MS + 100, "closes_ms": handwritten_logs.START_MS + 300}


def test_words_are_put_right_twenty_times_at_most() -> None:
    """C7."""
    pen = handwritten_logs.Pen().opened()
    for number in range(20):
        pen.by_creator(events.Corrected, hash=f"{number + 1:064x}")
    assert judge(text(pen.log)).violations == []
    pen.by_creator(events.Corrected, hash="f" * 64)
    assert first(judge(text(pen.log))) == ("INV-15", 23)


def test_what_a_cancelled_drop_refunds_by_itself_has_no_reason_of_its_own() -> None:
    """C3: a reason is said with a creator's command."""
    pen = handwritten_logs.Pen().opened()
    pen.sold(pen.held("ada"))
    pen.by_creator(events.Cancelled)
    pen.refunded("h1", by="creator")
    assert judge(text(pen.log)).violations == []
    pen.log[-1] = msgspec.structs.replace(pen.log[-1], why="a word")
    assert first(judge(text(pen.log))) == ("INV-7", 6)


@pytest.mark.parametrize("why", ["ended", "late", "second"])
def test_what_comes_late_for_a_cancelled_drop_is_told_as_ended(why: str) -> None:
    """P4."""
    pen = handwritten_logs.Pen().opened()
    ada = pen.held("ada")
    pen.paying(ada)
    pen.looked_up(ada)
    pen.until(pen.ends[ada])
    pen.expired(ada)
    pen.by_creator(events.Cancelled)
    pen.voided(ada, why)
    assert judge(text(pen.log)).honest is (why == "ended")


def rescheduled(**times: int) -> handwritten_logs.Pen:
    """Said while it sells, ten ms after it opened."""
    pen = by_the_clock()
    pen.revision = 2
    pen.wait(5)
    pen.by_creator(events.Rescheduled, by="o1", **(NEWER | times))
    return pen


def test_a_drop_closes_at_its_newest_time() -> None:
    pen = rescheduled()
    for ms, honest in ((199, False), (200, False), (299, False), (300, True), (310, True)):
        log = [*pen.log]
        pen.now = handwritten_logs.START_MS + ms
        pen.write(events.Closed, by="clock", key="", revision=4)
        pen.write(events.Settled)
        assert judge(text(pen.log), closed=True).honest is honest
        pen.log = log


def test_nothing_is_sold_after_the_newest_closing_time() -> None:
    pen = rescheduled()
    pen.until(handwritten_logs.START_MS + 250)
    pen.held("ada")
    assert judge(text(pen.log)).violations == []
    pen.until(handwritten_logs.START_MS + 300)
    pen.held("ben")
    assert first(judge(text(pen.log))) == ("INV-15", 5)


@pytest.mark.parametrize(
    "times",
    [
        {"closes_ms": handwritten_logs.START_MS + 110},  # now
        {"closes_ms": handwritten_logs.START_MS + 1},
        {"closes_ms": handwritten_logs.START_MS + 200},  # as it was
        {"opens_ms": handwritten_logs.START_MS + 150},  # it has opened
        {"opens_ms": 0},
    ],
)
def test_a_drop_gets_no_times_that_it_cannot_have(times: dict[str, int]) -> None:
    assert first(judge(text(rescheduled(**times).log))) == ("INV-15", 3)


@pytest.mark.parametrize("closes", [120, 119])
def test_a_drop_that_waits_closes_after_it_opens(closes: int) -> None:
    pen = handwritten_logs.Pen(handwritten_logs.rules()).published()
    pen.wait(5)
    start = handwritten_logs.START_MS
    pen.by_creator(events.Rescheduled, opens_ms=start + 120, closes_ms=start + closes)
    assert first(judge(text(pen.log))) == ("INV-15", 2)


def test_nobody_commands_what_the_clock_does() -> None:
    pen = by_the_clock()
    pen.until(handwritten_logs.START_MS + 200)
    pen.write(events.Closed, by="clock", key="", revision=3)
    pen.write(events.Settled)
    for kind in (events.Opened, events.Closed):
        seq = seq_of(pen.log, kind)
        under_a_key = doctor(pen.log, seq, key="k")
        assert first(judge(text(under_a_key))) == ("INV-15", seq)


def test_nothing_is_sold_after_the_closing_time() -> None:
    pen = by_the_clock()
    pen.until(handwritten_logs.START_MS + 200)
    pen.held("ada")
    assert first(judge(text(pen.log))) == ("INV-15", 3)


def test_counters_that_differ_from_the_records_are_found_at_the_end() -> None:
    """A hold that was granted twice is one record, and two holds in the counters."""
    spoilt, _ = DOCTORED["a hold granted twice"][1](story("a_rush"))
    found = {violation.inv for violation in judge(text(spoilt)).violations if not violation.line}
    assert "INV-1" in found


@pytest.mark.parametrize(
    ("name", "keep", "inv"),
    [
        ("a_rush", 16, "INV-9"),  # never settled
        ("a_rush", 12, "INV-9"),  # something is held still
        ("a_late_payment", 31, "INV-10"),  # a refund that nobody made
        ("a_late_payment", 29, "INV-9"),  # a cancelled drop that still holds
        ("a_late_payment", 30, "INV-10"),  # an order of a cancelled drop
    ],
)
def test_a_run_that_was_not_played_out_is_refused(name: str, keep: int, inv: str) -> None:
    log = story(name)[:keep]
    assert judge(text(log)).honest
    assert first(judge(text(log), closed=True)) == (inv, keep)


@pytest.mark.parametrize(
    ("line", "inv"),
    [
        (b"", "INV-5"),
        (b"not json", "INV-5"),
        (b"\xff\xfe", "INV-5"),
        (b'{"e":"held"', "INV-5"),
        (b'{"more":' + b"[" * 100_000, "INV-5"),
        (b"{}", "INV-15"),
        (b'{"e":"stolen","seq":5,"at":1}', "INV-15"),
        (b'{"e":"settled","seq":"5","at":1}', "INV-15"),
        (b'{"e":"settled","seq":5,"at":1,"more":1}', "INV-15"),
        (b'{"e":"settled","seq":5}', "INV-15"),
    ],
)
def test_a_line_that_is_no_event_is_a_violation_with_its_line(line: bytes, inv: str) -> None:
    lines = text(story("a_rush"))
    verdict = judge([*lines[:4], line, *lines[5:]])
    assert (verdict.violations[0].inv, verdict.violations[0].line) == (inv, 5)


def test_an_empty_log_is_refused() -> None:
    assert first(judge([])) == ("INV-5", 0)


WORDS = st.sampled_from(["ada", "ben", "h1", "h2", "e1", "pin", "c1", "fan", "late", "", "clock"])


@pytest.mark.parametrize(("wait_ms", "found"), [(9_999, ["INV-6"]), (10_000, [])])
def test_nobody_begins_sooner_than_the_pace_allows(wait_ms: int, found: list[str]) -> None:
    paced = msgspec.structs.replace(handwritten_logs.rules(), pace=2, pace_ms=10_000)
    pen = handwritten_logs.Pen(paced).opened()
    for _ in range(2):
        pen.released(pen.held("ada"))
    pen.wait(wait_ms)
    pen.held("ada")
    pen.held("ben")
    assert [v.inv for v in judge(text(pen.log)).violations] == found


def test_a_join_is_begun_as_a_press_is_and_an_offer_is_not() -> None:
    paced = msgspec.structs.replace(handwritten_logs.rules({"pin": (1, 0)}), pace=1, pace_ms=10**9)
    pen = handwritten_logs.Pen(paced).opened()
    hold, entry = pen.held("ada"), pen.joined("ben")
    pen.released(hold)
    pen.offered(entry)
    assert judge(text(pen.log)).violations == []
    pen.joined("ada")
    assert [v.inv for v in judge(text(pen.log)).violations] == ["INV-6"]


NUMBERS = st.sampled_from([-(2**70), -1, 0, 1, 2, 7, handwritten_logs.START_MS, 2**70])


@given(st.data())
def test_no_log_makes_the_referee_stumble(data: st.DataObject) -> None:
    """Any fields of any events may say anything: there is a verdict, never a fault."""
    log = [*story(data.draw(st.sampled_from(sorted(handwritten_logs.HONEST))))]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(log) - 1))
        match data.draw(st.sampled_from(["change", "drop", "twice", "move"])):
            case "change":
                names = [name for name in log[at].__struct_fields__ if name != "rules"]
                name = data.draw(st.sampled_from(names))
                value = data.draw(same_kind(getattr(log[at], name)))
                log[at] = msgspec.structs.replace(log[at], **{name: value})
            case "drop" if len(log) > 1:
                del log[at]
            case "twice":
                log.insert(data.draw(st.integers(0, len(log))), log[at])
            case _:
                log.insert(data.draw(st.integers(0, len(log) - 1)), log.pop(at))
    verdict = judge(text(log), closed=data.draw(st.booleans()))
    assert verdict.events == len(log)


def same_kind(value: object) -> st.SearchStrategy[object]:
    """Values that the event table allows in the place of this one."""
    match value:
        case int():
            return NUMBERS
        case str():
            return WORDS
        case [int(), *_]:
            return st.lists(NUMBERS, max_size=3)
        case _:
            return st.lists(WORDS, max_size=3)


def test_a_report_sums_its_drops_and_keeps_their_violations() -> None:
    honest = judge(text(story("a_rush")), closed=True)
    spoilt = judge(text(DOCTORED["a gap"][1](story("two_pools"))[0]))
    both = report([honest, spoilt], Measures(p50_ms=1.5), replay=["ada differs"], seed=7)
    assert both.cap == honest.cap + spoilt.cap
    assert both.log_gaps == 1
    assert both.replay_equal is False
    assert {"INV-3", "INV-5"} <= {violation.inv for violation in both.violations}
    assert not both.honest


def test_a_run_is_not_over_while_a_sale_is_to_be_asked_about() -> None:
    """P12: what was bought may be paid once more."""
    (blame,) = judge(text(story("a_rush")[:-1]), closed=True).violations
    assert (blame.inv, blame.sentence) == ("INV-10", "duty lookup:h4 was never done")


def test_a_report_is_json_with_the_promised_fields() -> None:
    honest = judge(text(story("a_rush")), closed=True)
    written = msgspec.json.decode(report([honest], Measures(), replay=[]).encode())
    promised = (
        "cap sold oversold distinct_serials fans holds expired offers offers_claimed over_limit "
        "overtaken log_gaps replay_equal captured_minus_refunded orders_total p50_ms p99_ms "
        "holds_per_s violations"
    )
    assert set(promised.split()) <= written.keys()
    assert written["replay_equal"] is True
    assert written["violations"] == []


def test_broken_books_are_blamed_once_and_what_follows_their_thaw_is_judged() -> None:
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (2, 0)})).opened()
    pen.wait(5)
    pen.write(events.Frozen, why="conservation of pin")
    pen.thawed("books", 5)
    assert [one.inv for one in judge(text(pen.log)).violations] == ["INV-1"]
    pen.held("ada")
    assert [one.inv for one in judge(text(pen.log)).violations] == ["INV-1", "INV-15"]


@pytest.mark.parametrize(
    ("result", "by_hand", "given_up"),
    [("by_hand", handwritten_logs.PRICE, 0), ("given_up", 0, handwritten_logs.PRICE)],
)
def test_what_a_person_gave_back_or_gave_up_stands_beside_the_totals(
    result: str, by_hand: int, given_up: int
) -> None:
    log = story("a_late_payment")
    seq = seq_of(log, events.Discharged, 5)
    told = judge(text(doctor(log, seq, result=result, by="o1", key="k99", why="a cheque")))
    assert told.violations == []
    assert (told.by_hand, told.given_up) == (by_hand, given_up)
    assert told.captured_minus_refunded == told.orders_total + by_hand + given_up
    # An engine of before knew no such end.
    old = doctor(doctor(log, seq, result=result, by="o1", key="k99"), 1, schema=2)
    # Whoever was made good stood in the boost lane alone.
    old = doctor(old, seq_of(log, events.Joined), lane=1, points=1023)
    old = doctor(old, seq_of(log, events.Offered), call=1)
    assert first(judge(text(old))) == ("INV-10", seq)
