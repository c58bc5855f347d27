"""What may be an answer: text of any script in bounds, and no mark that turns another's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import asked, countries, plain_text
from dropengine.asked import ADDRESS, FIELDS, NAME, NOTE, ORDER, PHONE, Asks
from dropengine.catalogue import LANGUAGES

ALL = Asks(
    name="required",
    address="required",
    phone="required",
    note="required",
    note_label="Name",
    note_chars=20,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("محمد علي", "محمد علي"),
        ("O'Brien-Łukasz", "O'Brien-Łukasz"),
        ("A\u030angstro\u0308m", "Ångström"),
        ("a\u202eb\u2066c\u200f", "abc"),
        ("a\x00b\tc", "a b c"),
        ("\u200d\u00a0\u3000", ""),
        ("one\r\ntwo", "one two"),
    ],
)
def test_one_line_is_kept_as_its_writer_meant_it(typed: str, kept: str) -> None:
    assert asked.cleaned(typed) == kept


def test_lines_of_an_address_stay_lines() -> None:
    assert asked.kept("lines", " 1 Road \r\n\r\n  Flat 2\n") == "1 Road\nFlat 2"
    assert asked.kept("country", "gb") == "GB"


@given(st.text())
def test_what_is_kept_stays_as_it_is_and_turns_nothing(typed: str) -> None:
    for field in FIELDS:
        kept = asked.kept(field, typed)
        assert asked.kept(field, kept) == kept
        assert plain_text.unfit(kept, paragraphs=field == "lines") == ""


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"country"}))
def test_an_answer_has_at_most_its_characters(field: str) -> None:
    most = FIELDS[field]
    assert asked.fault(field, "x" * most, most) == ""
    assert asked.fault(field, "x" * (most + 1), most) == "long"


def test_missing_is_what_must_be_said_and_is_not() -> None:
    every = [(ORDER, NAME), *((ORDER, field) for field in ADDRESS if field != "postal")]
    every += [(ORDER, PHONE), (1, NOTE), (2, NOTE)]
    assert ALL.missing(2, {}) == every
    said = dict.fromkeys(every, "x")
    assert ALL.missing(2, said) == []
    assert ALL.missing(3, said) == [(3, NOTE)]
    assert Asks(name="optional", phone="optional").missing(3, {}) == []


def test_every_country_has_a_name_in_every_language_and_stands_once() -> None:
    assert all(names.keys() == LANGUAGES.keys() for names in countries.NAMES.values())
    for language in LANGUAGES:
        listed = countries.listed(language)
        assert {code for code, _ in listed} == countries.NAMES.keys()
        assert len({name for _, name in listed}) == len(listed)
    german = [name for _, name in countries.listed("de")]
    assert german.index("Ägypten") < german.index("Albanien") < german.index("Zypern")
