"""What the server writes into a page: the same words as the scripts, and nothing that could run."""

from __future__ import annotations

import json
from pathlib import Path

import jinja2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import wire
from dropengine.config import Settings
from dropengine.doors import pages, static_files
from dropengine.doors.cover_art import HEIGHT, RAYS, WIDTH, cover


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
    assert pages.money(amount, drop(currency, digits)) == words


def test_a_length_is_said_in_the_largest_whole_unit() -> None:
    said = [pages.span(ms) for ms in (1_000, 90_000, 60_000, 480_000, 7_200_000, 0)]
    assert said == ["1 second", "90 seconds", "1 minute", "8 minutes", "2 hours", "0 seconds"]


def test_a_moment_is_told_in_the_drops_own_zone() -> None:
    assert pages.moment(1_815_753_600_000, "Europe/Madrid") == "Fri 16 Jul 2027, 18:00 CEST"
    assert pages.moment(1_815_753_600_000, "No/Where") == "Fri 16 Jul 2027, 16:00 UTC"
    assert pages.machine(1_815_753_600_000) == "2027-07-16T16:00:00+00:00"


def test_a_story_keeps_its_paragraphs() -> None:
    assert pages.paragraphs("One.\n  \nTwo,\nstill two.\n\n\nThree.\n") == [
        "One.",
        "Two,\nstill two.",
        "Three.",
    ]


@given(st.text())
def test_no_text_can_end_the_block_that_carries_it(text: str) -> None:
    block = str(pages.data_block(msgspec.json.encode([text])))
    assert not set(block) & set("<>&\u2028\u2029")
    assert json.loads(block) == [text]


def test_a_state_is_called_as_people_call_it() -> None:
    pool = wire.PoolView("pin", 3, 0, 0, 3, 0, 0, 0, 0)
    gone = msgspec.structs.replace(drop(), pools={"pin": pool})
    assert pages.phase(gone) == "sold_out"
    back = msgspec.structs.replace(pool, held=1, sold=2)
    assert pages.phase(msgspec.structs.replace(drop(), pools={"pin": back})) == "live"
    assert pages.phase(msgspec.structs.replace(gone, state="paused")) == "paused"


def test_over_https_the_cookie_is_bound_to_its_host_and_https_is_kept() -> None:
    safe = Settings(public_url="https://shop.example")
    assert pages.cookie_name(safe) == "__Host-fan"
    assert "Strict-Transport-Security" in pages.page_headers(secure=True)
    assert pages.cookie_name(Settings()) == "fan"
    assert "Strict-Transport-Security" not in pages.page_headers(secure=False)


def test_a_template_fails_on_a_name_that_nobody_gave_it() -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.environment().get_template("error.html").render(static=str)


def test_the_same_rules_have_the_same_face_and_others_another() -> None:
    assert cover("a") == cover("a")
    assert cover("a") != cover("b")


@given(st.text())
def test_a_face_stays_in_its_frame(text: str) -> None:
    face = cover(text)
    assert len(face.rays) == RAYS
    assert face.radius < face.x < WIDTH - face.radius
    assert face.radius < face.y < HEIGHT - face.radius


def test_a_checkout_that_was_never_built_serves_pages_without_scripts(tmp_path: Path) -> None:
    door = static_files.Static(static_files.read(tmp_path / "none"))
    assert door.address("fan.js") == "/static/fan.js"


def test_a_built_file_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "fan.js").write_text("1")
    first = static_files.Static(static_files.read(tmp_path)).address("fan.js")
    (tmp_path / "fan.js").write_text("2")
    assert static_files.Static(static_files.read(tmp_path)).address("fan.js") != first
