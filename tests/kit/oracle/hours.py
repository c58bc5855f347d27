"""When a line calls, as the clocks of its zone show it: minute by minute, without what was
published of those clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = 60_000
FIRST_MS = 180 * MINUTE
"""After the opening it calls, whatever the clocks show (L16)."""


@cache
def between(zone: str, from_ms: int, to_ms: int, minute: int) -> bool:
    """Is this minute (of UTC, since 1970) one of the hours in which the line calls?"""
    shown = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    now_ms = (shown.hour * 60 + shown.minute) * MINUTE
    if from_ms < to_ms:
        return from_ms <= now_ms < to_ms
    return not to_ms <= now_ms < from_ms
