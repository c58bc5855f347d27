"""The time zone of a drop, as its manifest names it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@cache
def names() -> frozenset[str]:
    """Every zone of IANA's list: other files beside them on a machine are no zones of the world."""
    listed = files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listed.split()) - {"Factory"}


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
