"""What a push service is told of a call, and what its answers mean."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest

from dropengine.model import DropId
from dropengine.push.judged_client import Answer
from dropengine.push.outbox import Failed, Gone, Kind, Later, Outcome, Push, Sent
from dropengine.push.request import TTL_S, TTL_S_MAX, headers, message, outcome
from dropengine.push.sealed import TEXT_BYTES_MAX
from tests.kit.push_service import Browser

NOW_MS = 1_800_000_000_000
PUSH = Push(
    id="pins.offer-h1.b",
    browser="b",
    drop=DropId("pins"),
    kind=Kind.OFFER,
    title="Pin",
    body="Your turn. Take it before {time}.",
    language="en",
    at_ms=NOW_MS + 90_500,
    until_ms=NOW_MS + 90_500,
    tries=0,
)


def push(**more: Any) -> Push:
    return msgspec.structs.replace(PUSH, **more)


def test_an_offer_is_good_to_its_deadline_and_wakes_a_phone() -> None:
    told = headers(PUSH, "vapid t=...", NOW_MS)
    assert told["TTL"] == "90"
    assert told["Urgency"] == "high"
    assert told["Content-Encoding"] == "aes128gcm"
    assert told["Authorization"] == "vapid t=..."


def test_what_has_no_end_waits_a_day_and_nothing_waits_longer_than_services_keep_it() -> None:
    assert headers(push(until_ms=0), "", NOW_MS)["TTL"] == str(TTL_S)
    assert headers(push(until_ms=NOW_MS * 2), "", NOW_MS)["TTL"] == str(TTL_S_MAX)
    assert headers(push(until_ms=NOW_MS - 1), "", NOW_MS)["TTL"] == "0"
    assert headers(push(kind=Kind.MESSAGE), "", NOW_MS)["Urgency"] == "normal"


def test_a_newer_call_of_a_kind_takes_the_place_of_one_that_waits() -> None:
    """RFC 8030, 5.4: at most 32 letters of base64url, and nobody reads the drop's name in them."""
    topics = {
        headers(push(drop=DropId(drop), kind=kind), "", NOW_MS)["Topic"]
        for drop in ("pins", "lamps")
        for kind in Kind
    }
    assert len(topics) == 2 * len(Kind)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", topic) for topic in topics)
    assert headers(push(id="other"), "", NOW_MS)["Topic"] in topics


def test_a_browser_is_told_what_to_show_and_where_it_leads() -> None:
    ana = Browser("https://push.example/a")
    assert json.loads(message(PUSH, ana.subscribed("pins", "ana"))) == {
        "title": "Pin",
        "body": "Your turn. Take it before {time}.",
        "lang": "en",
        "path": "/drops/pins",
        "tag": "pins.offer",
        "at": NOW_MS + 90_500,
        "quiet": False,
        "again": True,
    }
    quiet = json.loads(message(PUSH, ana.subscribed("pins", "ana", quiet=True)))
    assert (quiet["quiet"], quiet["again"]) == (True, False)
    sold = json.loads(message(push(kind=Kind.SOLD), ana.subscribed("pins", "ana")))
    assert sold["again"] is False


def test_the_longest_words_fit() -> None:
    ana = Browser("https://push.example/a").subscribed("p" * 64, "ana")
    longest = push(title="\U0001f39f" * 120, body="\U0001f39f" * 300, drop=DropId("p" * 64))
    assert len(message(longest, ana)) <= TEXT_BYTES_MAX


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Sent()),
        (201, Sent()),
        (202, Sent()),
        (404, Gone("404")),
        (410, Gone("410")),
        (413, Failed("413")),
        (400, Failed("400")),
        (401, Failed("401")),
        (403, Failed("403")),
        (301, Failed("301")),
        (307, Failed("307")),
        (429, Later("429")),
        (500, Later("500")),
        (503, Later("503")),
    ],
)
def test_each_answer_is_a_value(status: int, expected: Outcome) -> None:
    assert outcome(Answer(status, "", ""), NOW_MS) == expected


@pytest.mark.parametrize(
    ("retry_after", "wait_ms"),
    [
        ("120", 120_000),
        (format_datetime(datetime.fromtimestamp(NOW_MS / 1000 + 60, UTC), usegmt=True), 60_000),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1e9", 0),
        ("9" * 40, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("²", 0),
    ],
)
def test_who_is_told_to_wait_waits(retry_after: str, wait_ms: int) -> None:
    found = outcome(Answer(429, retry_after, "slow down"), NOW_MS)
    assert found == Later("429 slow down", wait_ms)
