from __future__ import annotations

import io

from dropengine.terminal.progress import PLAIN_EVERY_S, Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_there_are_only_plain_lines() -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        progress.say("open")
        progress.now("3 of 5")
        progress.plain("[link] stays as it is")
    said = out.getvalue()
    assert "\x1b" not in said
    assert [line.split("s  ")[-1] for line in said.splitlines()] == [
        "open",
        "3 of 5",
        "[link] stays as it is",
    ]


def test_without_a_terminal_a_state_does_not_flood() -> None:
    out, clock = io.StringIO(), Clock()
    with Progress(out, clock=clock) as progress:
        for count in range(100):
            clock.now += PLAIN_EVERY_S / 10
            progress.now(f"{count} sold")
    assert 9 <= len(out.getvalue().splitlines()) <= 11


def test_a_state_that_did_not_change_is_not_told_again() -> None:
    out, clock = io.StringIO(), Clock()
    with Progress(out, clock=clock) as progress:
        for _ in range(10):
            clock.now += PLAIN_EVERY_S
            progress.now("5 sold")
    assert len(out.getvalue().splitlines()) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_state_moves_and_is_taken_away() -> None:
    out = Terminal()
    with Progress(out) as progress:
        progress.now("5 sold")
        progress.now("6 sold")
    assert "\x1b[?25h" in out.getvalue()
