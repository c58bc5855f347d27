"""When the line calls, from what was published of a zone's clocks."""

from __future__ import annotations

from bisect import bisect_right

from dropengine.events import CallingHours

DAY_MS = 86_400_000
AFTER_OPENING_MS = 3 * 3_600_000
"""So long after its opening a drop calls, whatever the clocks show."""


def calls_at(hours: CallingHours, opened_ms: int, now_ms: int) -> tuple[bool, int]:
    """Does the line call then, and until when is that so? All of the true clock, ms."""
    at = max(now_ms, opened_ms + AFTER_OPENING_MS)
    calls = at > now_ms or _shows(hours, now_ms)[0]
    while True:
        shown, wall, later = _shows(hours, at)
        if shown != calls:
            return calls, at
        turns = at + ((hours.to_ms if calls else hours.from_ms) - wall) % DAY_MS
        if later is None or turns < later:
            return calls, turns
        at = later


def _shows(hours: CallingHours, at_ms: int) -> tuple[bool, int, int | None]:
    """Is it calling hours by the clock on the wall, what it shows (ms since midnight), and when it
    is put forward or back next."""
    row = bisect_right(hours.offsets, at_ms, key=lambda offset: offset[0])
    wall = (at_ms + hours.offsets[row - 1][1]) % DAY_MS
    after_from, before_to = wall >= hours.from_ms, wall < hours.to_ms
    both = hours.from_ms < hours.to_ms
    calls = (after_from and before_to) if both else (after_from or before_to)
    return calls, wall, hours.offsets[row][0] if row < len(hours.offsets) else None
