"""Every event has a sentence for operators."""

from __future__ import annotations

from typing import get_args

import pytest

from dropengine import events
from dropengine.log.in_words import _SAYS, Terms, told

TERMS = Terms({"pin": "Pin"}, "EUR")


def test_every_event_has_a_sentence() -> None:
    assert _SAYS.keys() == set(get_args(events.AnyEvent))


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (events.Paused(3, 0, "mia", "k", 2, "lunch"), "mia paused the drop: lunch"),
        (events.Opened(2, 0, "clock", "", 1), "the clock opened the drop"),
        (
            events.Sold(9, 0, "f", "h1", "h1", "pin", 2, [4, 5], 4800, "c", "done"),
            "Sold 2 \N{MULTIPLICATION SIGN} Pin, No. 4, 5, €48.00",
        ),
        (
            events.Refunded(9, 0, "f", "h1", "pin", 1, [4], 2400, "c", "mia", "k", "torn"),
            "mia refunded: 1 \N{MULTIPLICATION SIGN} Pin, No. 4, €24.00: torn",
        ),
        (
            events.Voided(9, 0, "f", "h1", "c", 2400, "refund", "late", "USD"),
            "A payment of $24.00 buys nothing: it came too late",
        ),
        (
            events.Discharged(9, 0, "f", "d", "refund", "h1", "c", 2400, "by_hand", "mia", "k", ""),
            "The refund of €24.00 was done by hand by mia",
        ),
        (
            events.Reduced(9, 0, "f", "h1", "p1", 1, 550, "mia", "k", "scratched"),
            "mia gave €5.50 back, its units stay: scratched",
        ),
        (
            events.CameBack(9, 0, "f", "h1", "pin", 1, [4], "mia", "k"),
            "mia: 1 \N{MULTIPLICATION SIGN} Pin, No. 4, came back in order",
        ),
        (
            events.Paid(9, 0, "f", "p1", "c1", 5490, 3090, 690, "pending"),
            "The payment was paid: €30.90 of it are kept",
        ),
        (events.Frozen(9, 0, "books"), "The drop stopped itself: its counts did not add up"),
    ],
)
def test_a_sentence_says_what_happened(event: events.AnyEvent, sentence: str) -> None:
    assert told(event, TERMS) == sentence
