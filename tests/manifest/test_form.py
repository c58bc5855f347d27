"""A manifest as a form: nothing typed is lost, and each mistake has a file's own sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import manifest
from dropengine.errors import ManifestError
from dropengine.manifest.form import ITEM_NUMBERS, NUMBERS, TEXTS, TIMES, slug, taken, without

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.toml"))
WHOLE = {
    "title": "Eclipse Pin 2027",
    "maker": "Taller Umbra",
    "currency": "EUR",
    "limit": "2",
    "items[0].title": "Pin",
    "items[0].price": "24.00",
    "items[0].cap": "200",
}
PATHS = st.sampled_from(
    [*TEXTS, *TIMES, *NUMBERS, "practice"]
    + [f"items[{n}].{name}" for n in (0, 1, 7) for name in ("title", "price", *ITEM_NUMBERS)]
    + ["items[0].pools[0].node", "items[0].pools[3].cap", "items[0].nothing", "else"]
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_manifest_comes_back_whole_from_its_form_and_from_its_file(path: Path) -> None:
    published = manifest.parse(path.read_bytes(), path.name)
    form = manifest.form_of(published)
    assert manifest.judged_form(form) == (published, {})
    assert manifest.parse(manifest.toml(form).encode(), "form") == published
    assert manifest.form_of_file(path.read_bytes(), path.name) == (form, [])


MISTAKES = {
    "limit": ["two", "0", "-3", "1.5", "99999999"],
    "currency": ["eur", "EURO"],
    "zone": ["Europe/Madird", "../etc"],
    "items[0].cap": ["0", "many", "100001"],
    "items[0].withheld": ["201"],
    "items[0].most": ["3"],
    "hold_seconds": ["5", "soon"],
    "id": ["Eclipse Pin", "house", "-a", "a" * 33],
    "title": ["x" * 121, "a\x00b", "a\u202eb"],
    "story": ["x" * 8001],
    "k": ["1"],
}
EACH = [(path, text) for path, texts in MISTAKES.items() for text in texts]


@pytest.mark.parametrize(("path", "text"), EACH, ids=lambda one: str(one)[:24])
def test_a_field_gets_the_sentence_that_a_file_gets(path: str, text: str) -> None:
    form = WHOLE | {path: text}
    _, mistakes = manifest.judged_form(form)
    assert path in mistakes
    with pytest.raises(ManifestError) as caught:
        manifest.parse(manifest.toml(form).encode(), "pin.toml")
    told = [re.sub(r"^line \d+, ", "", one) for one in caught.value.mistakes]
    assert sorted(told) == sorted(
        f"{where}: {sentence}" for where, some in mistakes.items() for sentence in some
    )


@pytest.mark.parametrize(
    ("currency", "typed", "minor"),
    [
        ("EUR", "24.00", 2400),
        ("EUR", "24", 2400),
        ("EUR", "24,5", 2450),
        ("EUR", "0.07", 7),
        ("EUR", "0", 0),
        ("JPY", "2400", 2400),
        ("KWD", "2.4", 2400),
    ],
)
def test_money_is_typed_as_people_write_it(currency: str, typed: str, minor: int) -> None:
    found, mistakes = manifest.judged_form(WHOLE | {"currency": currency, "items[0].price": typed})
    assert mistakes == {}
    assert found.items[0].price == minor


@pytest.mark.parametrize(
    ("currency", "typed"),
    [
        ("EUR", "24.001"),
        ("EUR", "€24"),
        ("EUR", "1,000.00"),
        ("EUR", "-1"),
        ("EUR", "1e3"),
        ("EUR", "٢٤"),
        ("JPY", "24.00"),
        ("EUR", "9" * 40),
    ],
)
def test_money_that_could_be_read_in_two_ways_is_asked_about(currency: str, typed: str) -> None:
    _, mistakes = manifest.judged_form(WHOLE | {"currency": currency, "items[0].price": typed})
    (sentence,) = mistakes["items[0].price"]
    assert sentence.startswith("must be an amount like 24")


def test_a_time_is_that_of_the_drops_own_clocks() -> None:
    madrid = WHOLE | {"zone": "Europe/Madrid"}
    summer, _ = manifest.judged_form(madrid | {"opens_at": "2027-07-16T18:00"})
    winter, _ = manifest.judged_form(madrid | {"opens_at": "2027-01-16T18:00:30"})
    assert summer.opens_ms == 1_815_753_600_000
    assert winter.opens_ms == 1_800_118_830_000
    skipped, mistakes = manifest.judged_form(madrid | {"opens_at": "2027-03-28T02:30"})
    assert skipped.opens_ms == 0
    assert mistakes == {
        "opens_at": ["is an hour that the clocks of this zone pass over on that day"]
    }
    for wrong in ("soon", "2027-02-30T18:00", "18:00"):
        _, mistakes = manifest.judged_form(madrid | {"opens_at": wrong})
        assert mistakes["opens_at"][0].startswith("must be a time like 2027-08-02T18:00")


def test_both_hours_of_a_night_that_has_one_twice_come_back() -> None:
    for written in ("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"):
        form = WHOLE | {"zone": "Europe/Madrid", "opens_at": written}
        found, mistakes = manifest.judged_form(form)
        assert mistakes == {}
        assert manifest.judged_form(manifest.form_of(found))[0].opens_ms == found.opens_ms


def test_a_file_with_mistakes_gives_what_can_be_taken_of_it() -> None:
    text = b'id = "pin"\nlimit = 2.5\ncurrency = "eur"\nhold_secs = 3\n[[items]]\nprice = 2400\n'
    form, mistakes = manifest.form_of_file(text, "pin.toml")
    assert form == {"id": "pin", "limit": "2.5", "currency": "eur", "items[0].price": "24.00"}
    assert "line 4, hold_secs: is not known here; did you mean hold_seconds?" in mistakes
    for nothing in (b"\x00\xff", b"id = ", b"x" * 200_000, b"[" * 100_000):
        with pytest.raises(ManifestError):
            manifest.form_of_file(nothing, "pin.toml")


def test_items_and_places_are_numbered_as_they_follow() -> None:
    sent = {
        "items[1].title": "a",
        "items[4].title": "b",
        "items[4].pools[2].node": "x",
        "items[4].pools[5].node": "y",
        "items[99].title": "beyond",
        "__proto__": "no",
        "items[0].evil": "no",
        "key": "no",
    }
    form = taken(sent)
    assert form == {
        "items[0].title": "a",
        "items[1].title": "b",
        "items[1].pools[0].node": "x",
        "items[1].pools[1].node": "y",
    }
    assert without(form, "items[0]")["items[0].pools[1].node"] == "y"
    assert without(form, "items[1].pools[0]")["items[1].pools[0].node"] == "y"


def test_an_id_is_made_of_the_title_where_none_was_typed() -> None:
    found, mistakes = manifest.judged_form(WHOLE)
    assert (mistakes, found.id, found.items[0].id) == ({}, "eclipse-pin-2027", "pin")
    assert slug("Lámpara Ñandú — nº 3!") == "lampara-nandu-no-3"
    assert slug("太陽") == ""
    assert len(slug("x-" * 40)) <= 32


@pytest.mark.parametrize("title", ["太陽", "دبوس النجمة", "Значок", "★", "🌟👩‍👩‍👧"])
def test_a_title_of_any_letters_makes_an_id(title: str) -> None:
    typed = WHOLE | {"title": title, "items[0].title": title, "items[1].title": title}
    typed |= {f"items[1].{name}": WHOLE[f"items[0].{name}"] for name in ("price", "cap")}
    found, mistakes = manifest.judged_form(typed)
    assert (mistakes, [item.id for item in found.items]) == ({}, ["item-1", "item-2"])
    assert found.id == manifest.judged_form(typed)[0].id
    assert found.id != manifest.judged_form(typed | {"title": f"{title}{title}"})[0].id


@pytest.mark.parametrize("price", ["€24", "٢٤", "1.000,50", "-1", "12.345", "1e5", "<b>24</b>"])
def test_a_price_that_is_none_is_not_said_back_in_another_spelling(price: str) -> None:
    _, mistakes = manifest.judged_form(WHOLE | {"items[0].price": price})
    assert mistakes == {"items[0].price": ["must be an amount like 24.00"]}


@given(st.dictionaries(PATHS, st.text(max_size=30), max_size=12))
def test_whatever_is_typed_is_judged_and_can_be_written_to_a_file(sent: dict[str, str]) -> None:
    form = taken(sent)
    found, mistakes = manifest.judged_form(form)
    text = manifest.toml(form)
    if not mistakes:
        assert manifest.parse(text.encode(), "form") == found
