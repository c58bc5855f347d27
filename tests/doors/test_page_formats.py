"""Money, moments and lengths on a page: the same words as the scripts write."""

from __future__ import annotations

import re

import pytest

from dropengine import wire
from dropengine.doors import page_formats
from dropengine.manifest import moments
from dropengine.terminal import summary


def drop(currency: str = "EUR", minor_digits: int = 2) -> wire.DropView:
    return wire.DropView(
        id="a",
        title="A",
        maker="M",
        story="",
        state="live",
        revision=1,
        mode="rush",
        currency=currency,
        minor_digits=minor_digits,
        zone="UTC",
        opens_ms=0,
        closes_ms=0,
        now=0,
        limit=1,
        k=5,
        hold_ms=1,
        offer_ms=1,
        extend_ms=1,
        cool_ms=1,
        practice=False,
        pace=10,
        pace_ms=10_000,
        hash="",
        epoch="",
        durable=True,
        items=[],
        pools={},
        lines={},
        news=[],
    )


@pytest.mark.parametrize(
    ("currency", "digits", "amount", "words"),
    [
        ("EUR", 2, 2400, "€24.00"),
        ("USD", 2, 123456789, "$1,234,567.89"),
        ("JPY", 0, 18500, "¥18,500"),
        ("CHF", 2, 5, "CHF\u00a00.05"),
        ("BHD", 3, 1005, "BHD\u00a01.005"),
    ],
)
def test_money_is_exact_and_reads_as_the_scripts_write_it(
    currency: str, digits: int, amount: int, words: str
) -> None:
    assert page_formats.money(amount, drop(currency, digits)) == words


def test_a_length_is_said_in_the_largest_whole_unit() -> None:
    said = [page_formats.span(ms) for ms in (1_000, 90_000, 60_000, 480_000, 7_200_000, 0)]
    assert said == ["1 second", "90 seconds", "1 minute", "8 minutes", "2 hours", "0 seconds"]


def test_a_moment_is_told_in_the_drops_own_zone() -> None:
    assert moments.moment(1_815_753_600_000, "Europe/Madrid") == "Fri 16 Jul 2027, 18:00 UTC+2"
    assert moments.moment(1_815_753_600_000, "No/Where") == "Fri 16 Jul 2027, 16:00 UTC"
    assert page_formats.machine(1_815_753_600_000) == "2027-07-16T16:00:00+00:00"


def test_a_moment_of_today_is_told_by_the_clock_and_of_another_day_in_full() -> None:
    at, hour = 1_815_753_609_000, 3_600_000
    assert moments.lately(at, at + hour, "Europe/Madrid") == "18:00:09"
    assert moments.lately(at, at + hour, "Europe/Madrid", us=True) == "6:00:09 PM"
    in_full = "Sat 17 Jul 2027, 01:00:09 UTC+9"
    assert moments.lately(at, at - 2 * hour, "Asia/Tokyo") == in_full


@pytest.mark.parametrize(
    ("ms", "zone", "day_first", "american"),
    [
        (
            1_800_115_230_000,
            "UTC",
            "Sat 16 Jan 2027, 16:00:30 UTC",
            "Sat, Jan 16, 2027, 4:00:30 PM UTC",
        ),
        (
            1_800_115_200_000,
            "Asia/Kolkata",
            "Sat 16 Jan 2027, 21:30 UTC+5:30",
            "Sat, Jan 16, 2027, 9:30 PM UTC+5:30",
        ),
        (
            1_800_115_200_000,
            "America/St_Johns",
            "Sat 16 Jan 2027, 12:30 UTC-3:30",
            "Sat, Jan 16, 2027, 12:30 PM UTC-3:30",
        ),
    ],
)
def test_a_moment_is_told_in_the_readers_style_with_seconds_where_it_has_some(
    ms: int, zone: str, day_first: str, american: str
) -> None:
    assert moments.moment(ms, zone) == day_first
    assert moments.moment(ms, zone, us=True) == american


@pytest.mark.parametrize(
    ("languages", "american"),
    [
        ("en-US,en;q=0.9", True),
        ("en", True),
        ("EN-us;q=1", True),
        ("en-GB,en-US;q=0.9", False),
        ("de", False),
        ("", False),
    ],
)
def test_the_first_language_of_a_reader_says_how_he_writes_dates(
    languages: str, american: bool
) -> None:
    assert page_formats.american(languages) is american


def pool(**counts: int) -> wire.PoolView:
    none = dict.fromkeys(("free", "held", "sold", "withheld", "leased", "waiting", "buying"), 0)
    return wire.PoolView("pin", **{"cap": 200, **none, "offered": 0, **counts})


@pytest.mark.parametrize(
    ("counts", "over", "words"),
    [
        (
            {"free": 3, "sold": 190, "withheld": 7, "waiting": 2},
            False,
            "3 left · 7 not for sale now · 2 in line",
        ),
        (
            {"held": 9, "offered": 2, "sold": 191},
            False,
            "all 7 in carts, 2 offered to people in line",
        ),
        ({"sold": 200}, False, "sold out"),
        ({"withheld": 200}, False, "none for sale now"),
        ({"free": 3, "sold": 197}, True, "3 not sold"),
    ],
)
def test_the_stock_of_a_choice_reads_as_the_scripts_write_it(
    counts: dict[str, int], over: bool, words: str
) -> None:
    assert page_formats.in_words(pool(**counts), over) == words


@pytest.mark.parametrize(
    ("counts", "over", "words"),
    [
        (
            {"cap": 200, "free": 6, "held": 100, "sold": 94},
            False,
            "6 left · 100 in carts · 94 sold",
        ),
        (
            {"cap": 132, "free": 114, "held": 2, "withheld": 16},
            False,
            "114 left · 2 in carts · 16 ",
        ),
        ({"cap": 9, "held": 7, "offered": 3, "sold": 2}, False, "0 left · 4 in carts · 3 offered"),
        ({"cap": 5, "sold": 5, "waiting": 9}, False, "0 left · 5 sold · 5 made"),
        ({"cap": 8, "free": 3, "leased": 1, "sold": 4}, True, "3 not sold · 4 sold · 1 not for"),
        ({"cap": 1_200, "free": 1_200}, False, "1,200 left · 1,200 made"),
    ],
)
def test_the_line_of_a_list_adds_up_to_what_was_made(
    counts: dict[str, int], over: bool, words: str
) -> None:
    line = page_formats.made_of(page_formats.total({"a": pool(**counts)}), over)
    assert line.startswith(words)
    *parts, made = (int(one.replace(",", "")) for one in re.findall(r"[\d,]+", line))
    assert sum(parts) == made == counts["cap"]


def test_a_story_keeps_its_paragraphs() -> None:
    assert page_formats.paragraphs("One.\n  \nTwo,\nstill two.\n\n\nThree.\n") == [
        "One.",
        "Two,\nstill two.",
        "Three.",
    ]


@pytest.mark.parametrize("ms", [10**16, -(10**16), 2**62, 253_402_300_800_000])
def test_a_time_that_no_calendar_has_is_words(ms: int) -> None:
    assert moments.moment(ms, "Europe/Madrid") == "a time that no calendar has"
    assert page_formats.machine(ms) == ""
    assert summary.moment(ms, "Europe/Madrid") == f"{ms} ms after 1970"
