"""The night on a terminal: it fits, and letters alone tell all of it."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dropengine.terminal.night import Night
from dropengine.terminal.night_screen import NightScreen, shares, sparks
from tests.kit.sights import ALARM, Clock, night, sight

CODES = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])[;m]")
FULL: dict[str, Any] = {
    "why": "a box fell over",
    "alarms": [ALARM] * 5,
    "title": "Nachtlampe 夜のランプ " * 3,
}


def shown(seen: Night, width: int = 80, height: int = 24, *, encoding: str = "utf-8") -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    console = Console(file=out, width=width, height=height, force_terminal=True, color_system="256")
    console.print(NightScreen(seen, "Ctrl-C ends this"), end="")
    out.seek(0)
    return out.read()


def old() -> Night:
    at = Clock()
    seen = night(sight(**FULL), clock=at)
    at.s += 30
    seen.miss("The server of the shop does not answer.")
    return seen


@pytest.mark.parametrize(
    "size", [(80, 24), (200, 60), (80, 12), (40, 12), (30, 6), (10, 3), (2, 1)]
)
@pytest.mark.parametrize("seen", [night(sight()), night(sight(**FULL)), old(), Night(Clock())])
def test_it_fits_whatever_the_size_is(seen: Night, size: tuple[int, int]) -> None:
    width, height = size
    rows = CODES.sub("", shown(seen, width, height)).split("\n")
    assert len(rows) <= height
    assert max(cell_len(row) for row in rows) <= width


def test_eighty_by_twenty_four_has_all_that_matters() -> None:
    text = CODES.sub("", shown(night(sight())))
    for words in (
        "Night lamp  lamp",
        "LIVE",
        "closes 10:00:00, in 2:00:00",
        "60 left",
        "7 offered",
        "50 in carts",
        "80 sold",
        "of 200",
        "1920.00 EUR kept, 24.00 EUR refunded, 4 duties owed, 1 FOR A PERSON",
        "In line 23",
        "3 pin@north x2  boost",
        "12 pin@north x1",
        "0 held, 0 paid",
        "half within 2.5 ms, 99 % within 10 ms",
        "1,234 watching, 50 hold, 6 paying, 80 paid, 9 let lapse",
        "refused: all_held 300, limit 2",
        "server ok, every sale on disk, memory 3 %; 77: 617 seats, 0.4 ms late",
        "looked at by ada",
        "Ctrl-C ends this",
    ):
        assert words in text
    assert " 13 pin@north" not in text


def test_what_is_wrong_stands_at_the_top_with_what_to_do() -> None:
    rows = CODES.sub("", shown(old())).split("\n")
    assert rows[2].startswith("NOT UP TO DATE, 30 s old. The server of the shop does not answer.")
    assert rows[3].startswith("! The shop cannot sell now.")
    assert rows[4].strip() == "Nothing is lost."
    assert "! and 2 more" in rows[9]
    assert "last known: server ok" in "\n".join(rows)


def test_no_colour_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = shown(old())
    assert COLOUR.search(coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    bare = shown(old())
    assert not COLOUR.search(bare)
    assert CODES.sub("", bare) == CODES.sub("", coloured)


def test_a_terminal_of_plain_letters_shows_it_too() -> None:
    text = CODES.sub("", shown(night(sight()), encoding="ascii"))
    assert "#" * 30 in text
    assert text.isascii()


def test_parts_of_the_bar_are_told_apart_by_their_marks() -> None:
    text = CODES.sub("", shown(night(sight())))
    bar = text.split("\n")[2]
    assert [*dict.fromkeys(bar)] == [*"█▓▒░·"]
    for mark, words in (("█", "80 sold"), ("▓", "50 in carts"), ("▒", "7 offered")):
        assert f"{mark} {words}" in text


@given(st.lists(st.integers(0, 10**6), min_size=5, max_size=5), st.integers(5, 200))
def test_the_bar_is_full_and_hides_nothing(counts: list[int], width: int) -> None:
    cells = shares(counts, width)
    assert sum(cells) == (width if sum(counts) else 0)
    assert all(cell >= (count > 0) for cell, count in zip(cells, counts, strict=True))


def test_the_highest_spark_is_the_most() -> None:
    assert sparks([0, 1, 50, 100], plain=False) == " ▁▄█"
    assert sparks([0, 0], plain=True) == "  "
