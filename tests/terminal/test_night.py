"""What somebody at a terminal knows of a drop, and how old it is."""

from __future__ import annotations

import json

import pytest

from dropengine.terminal.night import (
    STALE_S,
    Night,
    as_json,
    decided_ms,
    in_one_line,
    length,
    next_time,
)
from tests.kit.sights import ALARM, NOW_MS, Clock, night, pace, sight


def test_numbers_are_old_when_the_shops_clock_in_them_stands_still() -> None:
    at = Clock()
    seen = night(sight(), clock=at)
    for _ in range(5):
        at.s += 1
        # The same numbers come again: whoever brings them has heard nothing newer.
        seen.see(sight())
    assert (seen.age_s, seen.stale) == (5, True)
    seen.see(sight(NOW_MS + 6_000))
    assert (seen.age_s, seen.stale) == (0, False)


def test_what_kept_newer_numbers_away_is_told_until_they_come() -> None:
    at = Clock()
    seen = night(sight(), clock=at)
    seen.miss("The server of the shop does not answer.")
    assert "NOT UP TO DATE" not in in_one_line(seen)
    at.s += STALE_S + 1
    told = in_one_line(seen)
    assert told.startswith("NOT UP TO DATE, 5 s old. The server of the shop does not answer. | ")
    seen.see(sight(NOW_MS + 5_000))
    assert "answer" not in in_one_line(seen)


def test_commands_are_counted_between_sights_also_over_the_end_of_a_stretch() -> None:
    edge = NOW_MS // 15_000 * 15_000 + 15_000
    first = sight(edge - 1_000, pace=pace([40, 80], edge - 1_000))
    later = sight(edge + 1_000, pace=pace([40, 100, 30], edge + 1_000))
    assert night(first).commands_per_s == 0
    assert night(first, later).commands_per_s == 25


def test_before_web_processes_tell_of_themselves_nothing_was_counted() -> None:
    nobody = sight().desk.health
    alone = sight(pace=pace([]), health=type(nobody)("ok", "", True, 3, []))
    assert night(alone, sight(NOW_MS + 1_000)).commands_per_s == 0
    assert not night(alone).whole
    assert night(sight()).whole


def test_a_worker_that_ends_takes_nothing_from_what_was_counted() -> None:
    fewer = sight(NOW_MS + 2_000, pace=pace([40, 20], NOW_MS + 2_000))
    assert night(sight(), fewer).commands_per_s == 0


def test_times_to_decide_are_those_of_the_newest_stretch_with_any() -> None:
    assert decided_ms(pace([40, 0])) == (2.5, 10)
    assert decided_ms(pace([40, 0, 0])) == (0, 0)


def test_one_line_tells_stock_line_pace_money_health_and_alarms() -> None:
    told = in_one_line(night(sight(alarms=[ALARM])))
    for words in (
        "08:00:00 live",
        "60 left, 7 offered, 50 in carts, 80 sold, 3 withheld",
        "23 in line, 1234 watching",
        "p50 2.5 ms, p99 10 ms",
        "1920.00 EUR kept, 4 duties",
        "server ok",
        "ALARM: The shop cannot sell now.",
    ):
        assert words in told


def test_what_others_wrote_moves_no_cursor() -> None:
    evil = "\x1b[2J\x1b]0;title\x07\r\n\u202e"
    alarm = type(ALARM)("x", "", f"a{evil}b", "c")
    told = in_one_line(night(sight(alarms=[alarm])))
    assert told.isprintable()
    assert "a[2J]0;titleb" in told


def test_programs_are_told_the_same_with_the_age_of_it() -> None:
    at = Clock()
    seen = night(sight(), sight(NOW_MS + 1_000), clock=at)
    at.s += 9
    told = json.loads(as_json(seen))
    assert (told["drop"], told["state"], told["desk"]["units"]["left"]) == ("lamp", "live", 60)
    assert (told["age_s"], told["stale"], told["half_ms"]) == (9, True, 2.5)
    assert json.loads(as_json(Night(at)))["stale"] is False


@pytest.mark.parametrize(
    ("ms", "words"),
    [(-5, "0 s"), (59_999, "59 s"), (60_000, "1:00"), (725_000, "12:05"), (7_069_000, "1:57:49")],
)
def test_lengths_read_as_people_say_them(ms: int, words: str) -> None:
    assert length(ms) == words


def test_what_comes_by_the_clock_is_told() -> None:
    assert next_time(sight()) == "closes 10:00:00, in 2:00:00"
    planned = sight(state="scheduled", opens_ms=NOW_MS + 12_000)
    assert next_time(planned) == "opens 08:00:12, in 12 s"
    assert next_time(sight(state="scheduled")) == "opens by hand"
    assert next_time(sight(state="settled")) == ""
