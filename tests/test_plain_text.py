"""The one rule for texts that strangers read."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from dropengine import plain_text
from dropengine.plain_text import BLANK, CONTROLS, SURROGATES, TURNING, among, shows, unfit

VISIBLE_FORMATS = (
    (0x0600, 0x0605),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
)
"""Signs before numbers, which Unicode counts among its formats although they are drawn."""


def test_every_character_that_leaves_no_ink_is_known() -> None:
    """Held against the tables of this Python: a newer Unicode that knows more is told here."""
    everything = CONTROLS + TURNING + BLANK + SURROGATES + VISIBLE_FORMATS
    missed = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
        and not among(code, everything)
    ]
    assert missed == []


def test_what_turns_a_text_is_what_unicode_calls_so() -> None:
    kinds = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    turning = {c for c in range(sys.maxunicode + 1) if unicodedata.bidirectional(chr(c)) in kinds}
    marks = {0x061C, 0x200E, 0x200F}
    assert {c for c in range(0x3000) if among(c, TURNING)} == turning | marks


@pytest.mark.parametrize("ranges", [CONTROLS, TURNING, BLANK], ids=["controls", "turning", "blank"])
def test_ranges_rise_and_do_not_touch(ranges: plain_text.Ranges) -> None:
    ends = [end for pair in ranges for end in pair]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    "text", ["", "Pin", "דרקון", "🐉", "👩\u200d🚀", "a b", "\u00e9", "e\u0301"]
)
def test_what_people_write_is_fit(text: str) -> None:
    assert unfit(text) == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\u200b", plain_text.NOTHING),
        (" \u00a0\u3000", plain_text.NOTHING),
        ("\u2060\ufeff", plain_text.NOTHING),
        ("\u3164", plain_text.NOTHING),
        ("\ufe0f", plain_text.NOTHING),
        ("a\nb", "must not contain a new line (U+000A)"),
        ("a\u2028b", "must not contain a control character (U+2028)"),
        ("a\x1b[2J", "must not contain a control character (U+001B)"),
        ("a\x85b", "must not contain a control character (U+0085)"),
        ("a\u202eb", f"{plain_text.TURNS} (U+202E)"),
        ("a\u2067b", f"{plain_text.TURNS} (U+2067)"),
        ("a\u061cb", f"{plain_text.TURNS} (U+061C)"),
        ("a\udcffb", plain_text.NOT_UTF8),
    ],
)
def test_what_strangers_must_not_read_is_named(text: str, why: str) -> None:
    assert unfit(text) == why


def test_lines_may_end_only_where_there_are_paragraphs() -> None:
    assert unfit("a\n\nb", paragraphs=True) == ""
    assert unfit("a\r\nb", paragraphs=True) != ""
    assert unfit("\n", paragraphs=True) == plain_text.NOTHING


def test_a_joiner_between_signs_is_no_blank_text() -> None:
    assert shows("\u200da")
    assert not shows("\u200d\u200d")
