"""A call becomes one request to a push service, and its answer a value (RFC 8030)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec
from msgspec import Struct

from dropengine.push.judged_client import Answer
from dropengine.push.outbox import Failed, Gone, Kind, Later, Outcome, Push, Sent
from dropengine.push.subscriptions import Subscription

TTL_S_MAX = 28 * 86_400
TTL_S = 86_400
"""Of a call without an end."""
TOPIC_CHARS = 32
"""RFC 8030, 5.4: at most."""
URGENT = frozenset(
    {*(Kind.REMINDER, Kind.OPENED, Kind.TEN_BEFORE, Kind.OFFER, Kind.HOLD_ENDS), Kind.CARRIED}
)
"""What a phone that saves its battery is to be woken for."""
RINGS_AGAIN = frozenset({Kind.OFFER, Kind.HOLD_ENDS})
"""Calls that are heard although they take the place of one that is still shown."""
LATER = frozenset({408, 425, 429})


class Shown(Struct, frozen=True):
    """What a browser makes a notification of: the page's worker reads it. `path`: of this shop.
    `tag`: the next of the same
    name takes its place. `at`: the moment, ms, that the body names as `{time}`; 0 for none."""

    title: str
    body: str
    lang: str
    path: str
    tag: str
    at: int
    quiet: bool
    again: bool


def message(push: Push, to: Subscription) -> bytes:
    """What the browser is told."""
    shown = Shown(
        title=push.title,
        body=push.body,
        lang=push.language,
        path=f"/drops/{push.drop}",
        tag=_tag(push),
        at=push.at_ms,
        quiet=to.quiet,
        again=push.kind in RINGS_AGAIN and not to.quiet,
    )
    return msgspec.json.encode(shown)


def headers(push: Push, authorization: str, now_ms: int) -> dict[str, str]:
    """What the push service is told: for how long it may wait, whether to wake somebody, and what
    it takes the place of."""
    left_s = TTL_S if push.until_ms == 0 else max(0, push.until_ms - now_ms) // 1000
    topic = base64.urlsafe_b64encode(hashlib.sha256(_tag(push).encode()).digest()).decode()
    return {
        "Authorization": authorization,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(min(left_s, TTL_S_MAX)),
        "Urgency": "high" if push.kind in URGENT else "normal",
        "Topic": topic[:TOPIC_CHARS],
    }


def outcome(answer: Answer, now_ms: int) -> Outcome:
    """What an answer says of the call."""
    said = f"{answer.status} {answer.said}".strip()
    match answer.status:
        case 200 | 201 | 202 | 204:
            return Sent()
        case 404 | 410:
            return Gone(said)
        case status if status in LATER or status >= 500:
            return Later(said, _asked_ms(answer.retry_after, now_ms))
        case _:
            # Too large, not by our key, or led elsewhere: the same once more would be no better.
            return Failed(said)


def _tag(push: Push) -> str:
    return f"{push.drop}.{push.kind}"


def _asked_ms(retry_after: str, now_ms: int) -> int:
    """`Retry-After` in ms from now: seconds or a date (RFC 9110, 10.2.3); 0 for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text) * 1000
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0, int((aware - datetime.fromtimestamp(now_ms / 1000, UTC)).total_seconds() * 1000))
