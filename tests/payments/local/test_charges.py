"""Charges: whatever is asked and repeated, money goes back at most once."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.payments.local import book, charges
from dropengine.payments.local.book import Tx
from dropengine.payments.port import Failed, ProviderAnswer, Succeeded
from tests.kit.local_provider import an_intent

CALLS = st.tuples(
    st.sampled_from(["capture", "void", "refund"]),
    st.sampled_from([0, 1, 30, 70, 100]),
    st.sampled_from(["k1", "k2", "k3", "k4"]),
)


@given(st.lists(CALLS, max_size=12))
def test_money_goes_back_at_most_once_whatever_is_asked_and_repeated(
    calls: list[tuple[str, int, str]],
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(book.LAYOUT + book.ADDED)
    tx = Tx(connection, 0)
    tx.sql("INSERT INTO intents VALUES ('i', ?, 100, 'EUR', 0)", msgspec.json.encode(an_intent()))
    tx.sql("INSERT INTO charges VALUES ('c', 'i', 100, 'EUR', 'authorized', 0, 0)")
    done: dict[str, tuple[str, int]] = {}
    taken = given_back = 0
    let_go = False
    for call, some, key in calls:
        amount = 0 if call == "void" else some
        answer: ProviderAnswer = charges.once(tx, key, call, "c", amount)
        if key in done:
            asked = (call, 0 if call == "capture" and amount == 100 else amount)
            expected = Succeeded() if done[key] == asked else Failed("key_reused")
            assert answer == expected
            continue
        if answer == Succeeded():
            done[key] = (call, 0 if call == "capture" and amount == 100 else amount)
            if call == "capture":
                assert not let_go
                assert taken in (0, amount or 100)
                taken = amount or 100
            elif taken:
                assert call == "refund"
                given_back += amount
            else:
                let_go = True
        state, refunded = connection.execute("SELECT state, refunded FROM charges").fetchone()
        assert refunded == given_back <= taken
        assert (state in ("captured", "refunded")) == (taken > 0)
        assert (state == "refunded") == (0 < given_back == taken)
        assert (state == "voided") == let_go
    connection.close()


@pytest.mark.parametrize("before", [(), ("capture",)])
def test_nothing_that_was_charged_can_be_given_back(before: tuple[str, ...]) -> None:
    """A free unit's charge: its refund must end, or the outbox would never be empty."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(book.LAYOUT + book.ADDED)
    tx = Tx(connection, 0)
    tx.sql("INSERT INTO intents VALUES ('i', ?, 0, 'EUR', 0)", msgspec.json.encode(an_intent()))
    tx.sql("INSERT INTO charges VALUES ('c', 'i', 0, 'EUR', 'authorized', 0, 0)")
    for call in before:
        assert charges.once(tx, call, call, "c") == Succeeded()
    assert charges.once(tx, "k1", "refund", "c", 1) != Succeeded()
    assert charges.once(tx, "k2", "refund", "c", 0) == Succeeded()
    assert charges.once(tx, "k3", "refund", "c", 0) != Succeeded() or not before
    connection.close()
