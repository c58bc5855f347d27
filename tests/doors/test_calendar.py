"""Openings and closings for a calendar, read by a stranger's parser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, front, settings

server = web_process.server

OPENS_MS = 1_815_753_600_000
TWICE = (1_824_942_600_000, 1_824_946_200_000)
"""Half past two, and half past two."""
CLOSES_MS = OPENS_MS + 3 * 3_600_000 + 30_000


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path, public_url="https://drops.example")) as one:
        yield one


def events(text: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


@pytest.mark.parametrize(
    ("word", "at_ms", "minutes"), [("opens", OPENS_MS, 5), ("closes", CLOSES_MS, 60)]
)
async def test_a_calendar_reads_the_moment_and_rings_before_it(
    web: WebProcess, word: str, at_ms: int, minutes: int
) -> None:
    sale = await web.sale(opened=False, opens_ms=OPENS_MS, closes_ms=CLOSES_MS, title="Pin")
    async with web.http() as http:
        answer = await http.get(f"/drops/{sale.drop}/{word}.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = events(answer.content)
    assert event["dtstart"].dt == datetime.fromtimestamp(at_ms / 1000, UTC)
    assert event["summary"] == f"Pin {word}"
    assert event["url"] == f"https://drops.example/drops/{sale.drop}"
    (alarm,) = event.walk("VALARM")
    assert alarm["trigger"].dt == -timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "title",
    ["Ä, b; c\\n d", "日" * 40, "🎟" * 30 + ",", "a" * 74 + "é", "END:VEVENT", "\\", ";,;,"],
)
async def test_a_title_comes_back_as_it_was_written(web: WebProcess, title: str) -> None:
    sale = await web.sale(opened=False, opens_ms=OPENS_MS, title=title)
    async with web.http() as http:
        text = (await http.get(f"/drops/{sale.drop}/opens.ics")).content
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert text.count(b"\n") == text.count(b"\r\n")
    (event,) = events(text)
    assert event["summary"] == f"{title} opens"


async def test_the_same_event_is_replaced_and_a_cancelled_one_says_so(web: WebProcess) -> None:
    sale = await web.sale(opened=False, opens_ms=OPENS_MS)
    async with web.http() as http:
        (before,) = events((await http.get(f"/drops/{sale.drop}/opens.ics")).content)
        await sale.creator("cancel", why="rain")
        (after,) = events((await http.get(f"/drops/{sale.drop}/opens.ics")).content)
    assert before["uid"] == after["uid"]
    assert before["sequence"] < after["sequence"]
    assert (before["status"], after["status"]) == ("CONFIRMED", "CANCELLED")


async def test_what_is_done_by_hand_is_in_no_calendar(web: WebProcess) -> None:
    sale = await web.sale(opened=False)
    async with web.http() as http:
        for path in (f"{sale.drop}/opens.ics", f"{sale.drop}/closes.ics", "none/opens.ics"):
            assert (await http.get(f"/drops/{path}")).status_code == 404


async def test_a_page_leads_to_the_times_that_are_still_to_come(web: WebProcess) -> None:
    ahead = await web.sale(opened=False, opens_ms=OPENS_MS, closes_ms=CLOSES_MS)
    by_hand = await web.sale(opened=False)
    begun = await web.sale(closes_ms=CLOSES_MS)
    async with web.http() as http:
        led = [
            [
                word in (await http.get(f"/drops/{sale.drop}")).text
                for word in ("opens.ics", "closes.ics")
            ]
            for sale in (ahead, by_hand, begun)
        ]
    assert led == [[True, True], [False, False], [False, True]]


@pytest.mark.parametrize(
    ("zone", "at_ms"),
    [
        ("Europe/Berlin", OPENS_MS),
        ("Europe/Berlin", OPENS_MS + 180 * 86_400_000),
        ("America/New_York", OPENS_MS),
        ("Australia/Lord_Howe", OPENS_MS),
        ("Asia/Kolkata", OPENS_MS),
        ("Africa/Casablanca", OPENS_MS),
        ("Pacific/Apia", OPENS_MS),
        # The last second before the clocks change, the first after it, an hour that comes twice.
        ("Europe/Berlin", 1_806_195_599_000),
        ("Europe/Berlin", 1_806_195_600_000),
        *(("Europe/Berlin", at_ms) for at_ms in TWICE),
        ("UTC", OPENS_MS),
        ("Etc/UTC", OPENS_MS),
    ],
)
async def test_every_clock_shows_the_right_moment(web: WebProcess, zone: str, at_ms: int) -> None:
    """Also to a reader that knows no zones but those of the file."""
    sale = await web.sale(opened=False, opens_ms=at_ms, zone=zone)
    async with web.http() as http:
        text = (await http.get(f"/drops/{sale.drop}/opens.ics")).content
    (event,) = events(text)
    start = event["dtstart"]
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    assert start.dt == moment
    if "TZID" not in start.params:
        assert b"VTIMEZONE" not in text
        assert start.dt.tzname() == "UTC"
        assert zone in ("UTC", "Etc/UTC") or at_ms in TWICE
        return
    (told,) = icalendar.Calendar.from_ical(text).walk("VTIMEZONE")
    assert told["tzid"] == start.params["TZID"] == zone
    shown = start.dt.replace(tzinfo=None)
    assert shown == moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert offset_told(told, shown) == moment.astimezone(ZoneInfo(zone)).utcoffset()


def offset_told(zone: Any, shown: datetime) -> timedelta:
    """As RFC 5545, 3.6.5 has a reader find it: of the last change before the time that is shown."""
    changes: list[tuple[datetime, timedelta]] = [
        (one["dtstart"].dt, one["tzoffsetto"].td)
        for one in zone.subcomponents
        if one["dtstart"].dt <= shown
    ]
    return max(changes)[1]


async def test_an_event_whose_words_were_put_right_is_the_same(web: WebProcess) -> None:
    sale = await web.sale(opened=False, opens_ms=OPENS_MS, title="Pin")
    async with web.http() as http:
        (before,) = events((await http.get(f"/drops/{sale.drop}/opens.ics")).content)
        room = await web.runtime.hub.room(str(sale.drop))
        assert room is not None
        # What a correction changes, and nothing else.
        room.hash = "0" * 64
        (after,) = events((await http.get(f"/drops/{sale.drop}/opens.ics")).content)
    assert before["uid"] == after["uid"]


async def test_two_drops_and_two_moments_are_four_events(web: WebProcess) -> None:
    found = set()
    for _ in range(2):
        sale = await web.sale(opened=False, opens_ms=OPENS_MS, closes_ms=CLOSES_MS)
        async with web.http() as http:
            for word in ("opens", "closes"):
                (event,) = events((await http.get(f"/drops/{sale.drop}/{word}.ics")).content)
                found.add(str(event["uid"]))
    assert len(found) == 4
