"""A book and its webhooks go on where one hold was paid for at a time."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.payments.local import older
from dropengine.payments.port import Line
from tests.kit.local_provider import an_intent

TERMS = {
    "id": "eclipse.h7.d",
    "drop": "eclipse",
    "hold": "h7",
    "title": "Eclipse",
    "what": "Pin",
    "qty": 2,
    "amount": 4800,
    "currency": "EUR",
    "minor_digits": 2,
    "deadline_ms": 1_800_000_480_000,
    "zone": "Europe/Berlin",
    "back": "/drops/eclipse",
}
WORD = {
    "event": "ev_1",
    "kind": "authorized",
    "intent": "eclipse.h7.d",
    "drop": "eclipse",
    "hold": "h7",
    "charge": "ch_1",
    "amount": 4800,
    "currency": "EUR",
    "captured": False,
}


def test_the_terms_of_one_hold_are_one_line() -> None:
    found = older.intent(msgspec.json.encode(TERMS))
    assert (found.id, found.payment, found.amount) == ("eclipse.h7.d", "h7", 4800)
    assert found.lines == (Line("Pin", 2, 2400, 4800),)
    assert found.way is None
    new = an_intent()
    assert older.intent(msgspec.json.encode(new)) == new


def test_a_word_of_a_hold_is_read_as_one_of_a_payment() -> None:
    found = older.notice(msgspec.json.encode(WORD))
    assert (found.payment, found.charge, found.amount) == ("h7", "ch_1", 4800)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"hold":7}', b'{"payment":"p1","hold":"h1"}', b""]
)
def test_what_is_neither_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        older.notice(body)
