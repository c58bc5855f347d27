"""A log while it grows: counted by its first letters, told where a person did something."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.log.in_words import Terms
from dropengine.log.running import LINES_MAX, TOGETHER_MS, Running

TERMS = Terms({"pin": "Pin"}, "EUR")


def texts(*some: events.AnyEvent) -> list[bytes]:
    return [msgspec.json.encode(one) for one in some]


def held(seq: int, at: int = 0) -> events.Held:
    return events.Held(seq, at, "f", "k", f"h{seq}", "pin", 1, 2400, 9)


def sold(seq: int, hold: str, at: int = 0) -> events.Sold:
    return events.Sold(seq, at, "f", hold, hold, "pin", 1, [seq], 2400, "c", "done")


def test_what_a_crowd_does_together_is_one_line() -> None:
    running = Running(TERMS)
    running.take(texts(held(1), held(2), sold(3, "h1"), held(4, TOGETHER_MS)))
    assert [line.words for line in running.lines] == ["1 held", "2 held, 1 paid"]
    assert running.seq == 4


def test_what_a_person_did_is_a_line_of_its_own() -> None:
    running = Running(TERMS)
    running.take(texts(held(1), events.Paused(2, 1, "mia", "k", 2, ""), held(3, 2)))
    assert [line.words for line in running.lines] == ["1 held", "mia paused the drop", "1 held"]


def test_an_event_without_a_field_of_its_own_is_told_too() -> None:
    running = Running(TERMS)
    running.take(texts(held(1), events.Settled(2, 7)))
    assert running.lines[0].words == "Nothing is held any more: the drop is over"
    assert running.lines[0].at_ms == 7


def test_who_pays_is_counted_until_the_hold_has_ended() -> None:
    running = Running(TERMS)
    running.take(
        texts(
            *(events.Paying(n, 0, "f", "k", f"h{n}", 9) for n in (1, 2, 3)),
            sold(4, "h1"),
            events.Expired(5, 0, "f", "h2", "pin", 1),
            events.Released(6, 0, "f", "k", "h9", "pin", 1, "fan"),
        )
    )
    assert running.paying == 1


def offered(seq: int, at: int, call: int) -> events.Offered:
    return events.Offered(seq, at, "f", f"e{seq}", seq, call, f"h{seq}", "pin", 1, 2400, 9)


def test_calls_of_the_boost_lane_are_counted_and_those_of_the_last_hour_apart() -> None:
    running = Running(TERMS)
    minute = 60_000
    running.take(texts(*(offered(n, n * minute, n % 2) for n in range(1, 121))))
    assert running.boosts.ever == 60
    assert running.boosts.until(120 * minute) == 30
    assert running.boosts.until(500 * minute) == 0


def test_money_is_what_was_sold_and_what_went_back() -> None:
    running = Running(TERMS)
    back = events.Refunded(3, 0, "f", "h1", "pin", 1, [1], 2400, "c", "mia", "k", "torn")
    running.take(texts(sold(1, "h1"), sold(2, "h2"), back))
    assert (running.sold, running.refunded) == (4800, 2400)
    assert running.lines[0].words.endswith("torn")


def test_a_cancelled_drop_counts_its_refunds_instead_of_telling_each() -> None:
    running = Running(TERMS)
    running.take(
        texts(
            *(
                events.Refunded(n, 0, "f", f"h{n}", "pin", 1, [n], 2400, "c", "creator", "", "")
                for n in (1, 2, 3)
            )
        )
    )
    assert [line.words for line in running.lines] == ["3 refunded"]
    assert running.refunded == 7200


def test_lines_are_kept_for_a_while_only() -> None:
    running = Running(TERMS)
    running.take(texts(*(events.Message(n, n, "mia", "k", n, f"Text {n}") for n in range(1, 90))))
    assert len(running.lines) == LINES_MAX
    assert running.lines[0].words == "mia told everybody: Text 89"


@pytest.mark.parametrize("text", [b"", b"{}", b"nonsense", b'{"e":"paused","seq":7,"at":1,'])
def test_what_cannot_be_read_stops_nothing(text: bytes) -> None:
    running = Running(TERMS)
    running.take([text, *texts(held(8))])
    assert running.counts["held"] == 1
