"""The time zone of a drop, as its manifest names it, and how its clocks go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY_MS: Final = 86_400_000
OFFSETS_DAYS: Final = 3_653
"""For ten years of a drop the clocks of its zone are known; afterwards they stay as they are then,
an hour wrong in half of the year."""


@cache
def names() -> frozenset[str]:
    """Every zone of IANA's list: other files beside them on a machine are no zones of the world."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listed.split()) - {"Factory"}


def listed(name: str) -> str:
    """The same where it is a zone of IANA's list, as a browser says its own; else ''."""
    return name if name in names() and known_zone(name) is not None else ""


def known_zone(name: str) -> tzinfo | None:
    """The zone of that name, or None on a machine without its file."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return None


def zone_of(name: str) -> tzinfo:
    """The zone of that name. A machine without its file still knows UTC, and says so."""
    return known_zone(name) or UTC


def in_zone(ms: int, zone: str) -> datetime | None:
    """A moment (UTC, ms) as clocks in a zone show it; None where no calendar reaches."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone_of(zone))
    except (OverflowError, ValueError, OSError):
        return None


def offsets(zone: str, since_ms: int) -> list[tuple[int, int]]:
    """Since when (ms, UTC; the first is 0) the clocks of a zone are how many ms ahead of UTC, from
    a moment on, as long as they are known."""
    clocks, first = zone_of(zone), since_ms // DAY_MS * DAY_MS
    found = [(0, _ahead_ms(clocks, first))]
    for day in range(OFFSETS_DAYS):
        before, after = first + day * DAY_MS, first + (day + 1) * DAY_MS
        if _ahead_ms(clocks, after) == found[-1][1]:
            continue
        # They are put forward or back once within this day.
        while after - before > 1000:
            middle = (before + after) // 2000 * 1000
            if _ahead_ms(clocks, middle) == found[-1][1]:
                before = middle
            else:
                after = middle
        found.append((after, _ahead_ms(clocks, after)))
    return found


def _ahead_ms(clocks: tzinfo, ms: int) -> int:
    at = datetime.fromtimestamp(ms // 1000, UTC).astimezone(clocks)
    return (at.utcoffset() or timedelta()) // timedelta(milliseconds=1)
