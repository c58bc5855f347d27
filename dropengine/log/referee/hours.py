"""The hours in which the line calls (L16), by what the clocks of the drop's zone show."""

from __future__ import annotations

from dropengine.events import CallingHours

DAY_MS = 24 * 3_600_000
AT_FIRST_MS = 3 * 3_600_000
"""After the opening, whatever the clocks show."""


def calls_at(hours: CallingHours | None, opened_ms: int, at_ms: int) -> bool:
    """Does the line call at this moment of the true clock?"""
    if hours is None or at_ms < opened_ms + AT_FIRST_MS:
        return True
    since_from = (_wall(hours, at_ms) - hours.from_ms) % DAY_MS
    return since_from < (hours.to_ms - hours.from_ms) % DAY_MS


def turns_after(hours: CallingHours, opened_ms: int, at_ms: int) -> int:
    """The next moment of the true clock at which that changes."""
    now, calls = at_ms, calls_at(hours, opened_ms, at_ms)
    while True:
        # Between these nothing changes.
        marks = [since for since, _ in hours.offsets] + [opened_ms + AT_FIRST_MS]
        marks += [
            now + ((mark - _wall(hours, now)) % DAY_MS or DAY_MS)
            for mark in (hours.from_ms, hours.to_ms)
        ]
        now = min(mark for mark in marks if mark > now)
        if calls_at(hours, opened_ms, now) != calls:
            return now


def _wall(hours: CallingHours, at_ms: int) -> int:
    """What the clocks show, ms since midnight."""
    ahead = [ahead_ms for since_ms, ahead_ms in hours.offsets if since_ms <= at_ms]
    return (at_ms + ahead[-1]) % DAY_MS
