"""What repeats is a line a minute with a count, and nothing else is lost."""

from __future__ import annotations

import io
import logging

import pytest

from dropengine.processes import repeated_lines
from dropengine.processes.repeated_lines import TOLD_S, OncePerMinute


class Told:
    """A log of its own, whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.text = io.StringIO()
        self.log = logging.Logger("dropengine.test")  # noqa: LOG001 -- no other handler hears it
        self.handler = OncePerMinute(self.text, lambda: self.now)
        self.log.addHandler(self.handler)

    def lines(self) -> list[str]:
        return self.text.getvalue().splitlines()


@pytest.fixture
def told() -> Told:
    return Told()


def test_the_same_error_is_told_once_a_minute_with_a_count(told: Told) -> None:
    for _ in range(3):
        for _ in range(340):
            told.log.warning("%s: %s", "pins", "no reply to view")
        told.now += TOLD_S
    again = "pins: no reply to view (and 339 times since the last time)"
    assert told.lines() == ["pins: no reply to view", again, again]


def test_numbers_make_no_other_line(told: Told) -> None:
    for batch in range(50):
        told.log.warning("%s: batch of %d, attempt %d: %s", "pins", batch, batch % 2, "no reply")
        told.log.info("late by %.1f s", batch / 7)
    assert told.lines() == ["pins: batch of 0, attempt 0: no reply", "late by 0.0 s"]


def test_what_differs_is_told_each_time(told: Told) -> None:
    for drop in ("pins-1", "pins-2"):
        for why in ("no reply", "the server is full"):
            told.log.warning("%s: %s", drop, why)
            told.log.error("%s: %s", drop, why)
    assert len(told.lines()) == 8


def test_a_bug_is_told_with_its_place_once_and_another_bug_too(told: Told) -> None:
    def fails(number: int) -> None:
        if number % 2:
            raise ValueError(number)
        raise KeyError(number)

    for number in range(20):
        try:
            fails(number)
        except (ValueError, KeyError):
            told.log.exception("a job failed")
    assert told.text.getvalue().count("Traceback") == 2


def test_what_is_for_finding_bugs_is_told_each_time(told: Told) -> None:
    for _ in range(5):
        told.log.debug("subscribe: no reply")
    assert len(told.lines()) == 5


def test_ever_new_lines_are_not_remembered_for_ever(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_lines, "KINDS_MAX", 10)
    for name in range(100):
        told.log.info(f"somebody called {name} came")  # noqa: G004 -- a line of its own each time
    assert len(told.lines()) == 100
    assert len(told.handler._told) <= 10
