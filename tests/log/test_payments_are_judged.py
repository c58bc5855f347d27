"""The referee judges payments of several holds: one honest story, and what it says of each forgery.

A forgery changes one field of one event, or leaves an event out.
"""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.log.referee import judge
from tests.kit.handwritten_logs import HOLD_MS, LOOKUP_MS, PRICE, Log, numbered
from tests.kit.paid_together import AT, HAND_MS, POST, begun, bought, story


def said(log: Log) -> list[tuple[str, str]]:
    verdict = judge([msgspec.json.encode(event) for event in numbered(log)])
    return [(violation.inv, violation.sentence) for violation in verdict.violations]


def test_an_honest_story_is_accepted() -> None:
    assert said(story()) == []


FORGERIES: list[tuple[type[events.Event], int, dict[str, object], str]] = [
    (events.PaymentBegun, 0, {"payment": "p7"}, "INV-10"),
    (events.PaymentBegun, 0, {"holds": ["h1"]}, "INV-10"),
    (events.PaymentBegun, 1, {"holds": ["h3", "h3"]}, "INV-10"),
    (events.PaymentBegun, 0, {"amount": 3 * PRICE}, "INV-10"),
    (events.PaymentBegun, 0, {"way": "stall"}, "INV-10"),
    (events.PaymentBegun, 0, {"way": ""}, "INV-15"),
    (events.PaymentBegun, 0, {"provider": "by_hand"}, "INV-9"),
    (events.PaymentBegun, 1, {"provider": "local"}, "INV-9"),
    (events.Paying, 2, {"deadline": AT + 2 * HAND_MS}, "INV-9"),
    (events.Sold, 0, {"amount": PRICE}, "INV-10"),
    (events.Sold, 1, {"payment": "p3"}, "INV-10"),
    (events.Paid, 0, {"kept": 3 * PRICE}, "INV-10"),
    (events.Paid, 0, {"way": 0}, "INV-10"),
    (events.Paid, 0, {"capture": "void"}, "INV-10"),
    (events.Refunded, 0, {"n": 2}, "INV-10"),
    (events.Refunded, 0, {"serials": [3]}, "INV-4"),
    (events.Refunded, 0, {"amount": 2 * PRICE + 1}, "INV-10"),
    (events.Refunded, 0, {"way": POST}, "INV-10"),
    (events.Refunded, 0, {"back": "line"}, "INV-1"),
    (events.CameBack, 0, {"serials": [1]}, "INV-4"),
    (events.Reduced, 0, {"amount": 2 * PRICE}, "INV-10"),
    (events.Reduced, 0, {"key": "r1"}, "INV-7"),
    (events.ChargedBack, 0, {"payment": "p3", "fan": "cy"}, "INV-10"),
    (events.MoreTime, 0, {"deadline": AT + 3 * HAND_MS}, "INV-9"),
    (events.MoreTime, 0, {"payment": "p1", "fan": "ada"}, "INV-10"),
    (events.Unpaying, 0, {"key": ""}, "INV-7"),
    (events.Unpaying, 0, {"payment": "p1", "fan": "ada"}, "INV-10"),
    (events.Unpaid, 0, {"payment": "p1", "fan": "ada"}, "INV-10"),
    (events.Asked, 0, {"deadline": AT + HOLD_MS + 2 * LOOKUP_MS}, "INV-9"),
    (events.Asked, 0, {"payment": "p2", "fan": "ben"}, "INV-9"),
    (events.Held, 1, {"basket": 0}, "INV-7"),
    (events.Held, 1, {"key": "b0"}, "INV-7"),
    (events.Held, 2, {"basket": 1}, "INV-7"),
    (events.Swapped, 0, {"hold": "h1"}, "INV-1"),
    (events.Swapped, 0, {"to": "pin"}, "INV-1"),
    (events.Swapped, 0, {"key": "a"}, "INV-7"),
]


@pytest.mark.parametrize(("kind", "nth", "fields", "inv"), FORGERIES)
def test_a_forged_event_is_seen(
    kind: type[events.Event], nth: int, fields: dict[str, object], inv: str
) -> None:
    log = story()
    place = [i for i, event in enumerate(log) if type(event) is kind][nth]
    log[place] = msgspec.structs.replace(log[place], **fields)
    assert inv in {name for name, _ in said(log)}


@pytest.mark.parametrize(
    ("kind", "nth"),
    [
        (events.PaymentBegun, 0),
        (events.Paying, 1),
        (events.Sold, 1),
        (events.Paid, 0),
        (events.Refunded, 0),
        (events.Asked, 0),
    ],
)
def test_what_is_left_out_is_missed(kind: type[events.Event], nth: int) -> None:
    log = story()
    place = [i for i, event in enumerate(log) if type(event) is kind][nth]
    assert said(log[:place] + log[place + 1 :])


def test_no_more_than_its_share_of_a_pool_is_paid_by_hand() -> None:
    log = story()
    first = log[0]
    assert isinstance(first, events.Published)
    log[0] = msgspec.structs.replace(
        first, rules=msgspec.structs.replace(first.rules, hand_share=10)
    )
    place = next(i for i, event in enumerate(log) if type(event) is events.PaymentBegun)
    assert said(log) == []
    log[place] = msgspec.structs.replace(log[place], provider="by_hand")
    assert ("INV-6", "2 of pin are being paid by hand, 1 at most may be") in said(log)


def test_a_hold_is_in_one_open_payment() -> None:
    log = story()
    place = next(i for i, event in enumerate(log) if type(event) is events.MoreTime)
    again = begun("ben", "p3", ["h3"], PRICE + POST, "post")
    assert ("INV-10", "hold h3 is in p2, which is open") in said([*log[:place], again])


def test_a_part_of_all_or_nothing_is_never_sold() -> None:
    log = story()
    place = next(i for i, event in enumerate(log) if type(event) is events.PaymentBegun)
    log[place] = msgspec.structs.replace(log[place], all=1)
    assert said(log) == []
    gone = next(i for i, event in enumerate(log) if type(event) is events.Sold)
    assert ("INV-10", "p1 was for all or nothing, and buys a part") in said(
        log[:gone] + log[gone + 1 :]
    )


def test_a_payment_buys_once() -> None:
    log = story()
    place = next(i for i, event in enumerate(log) if type(event) is events.Paid)
    again = bought("ada", "p1", {"h1": ("pin", [3, 4])}, "c2")
    sentence = "charge c2 buys by p1, which was judged before"
    assert ("INV-10", sentence) in said([*log[: place + 1], *again])
