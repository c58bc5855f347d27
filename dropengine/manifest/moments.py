"""How moments are written in each language, by the clocks of a zone: the same words as the scripts
of the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dropengine.catalogue import ENGLISH, Catalogue
from dropengine.manifest.zones import in_zone


def moment(ms: int, zone: str, us: bool = False, say: Catalogue = ENGLISH) -> str:
    """A moment in the drop's own zone, as the script writes it: `Fri 16 Jul 2027, 18:00 UTC+2`, or
    `Fri, Jul 16, 2027, 6:00 PM UTC+2`; with seconds where it has some."""
    at = in_zone(ms, zone)
    if at is None:
        return say("no_date")
    return f"{_date(at, us, say)}, {_time(at, us, seconds=bool(at.second))} {_offset(at)}"


def named(ms: int, zone: str, say: Catalogue = ENGLISH) -> str:
    """A moment for who reads it elsewhere and later, with the zone by whose clocks it is told: `Fri
    16 Jul 2027, 18:00 UTC+2 (Europe/Berlin)`."""
    at = moment(ms, zone, say=say)
    return at if zone == "UTC" else say("calls.when", moment=at, zone=zone)


def lately(ms: int, now_ms: int, zone: str, us: bool = False, say: Catalogue = ENGLISH) -> str:
    """The same, and today's by the clock alone: `18:00:09`, `6:00:09 PM`."""
    at, now = in_zone(ms, zone), in_zone(now_ms, zone)
    if at is None or now is None or at.date() != now.date():
        return moment(ms, zone, us, say)
    return _time(at, us, seconds=True)


def _date(at: datetime, us: bool, say: Catalogue) -> str:
    if us:
        return f"{at:%a, %b %-d, %Y}"
    weekday, month = say.weekdays[at.weekday()], say.months[at.month - 1]
    return say("date", weekday=weekday, day=str(at.day), month=month, year=str(at.year))


def _time(at: datetime, us: bool, *, seconds: bool) -> str:
    hours = "%-I:%M" if us else "%H:%M"
    return at.strftime(hours + ":%S" * seconds + " %p" * us)


def _offset(at: datetime) -> str:
    """`UTC`, `UTC+2`, `UTC+5:30`."""
    away = at.utcoffset() or timedelta()
    hours, minutes = divmod(abs(away) // timedelta(minutes=1), 60)
    if not hours and not minutes:
        return "UTC"
    return f"UTC{'-' if away < timedelta() else '+'}{hours}{f':{minutes:02}' if minutes else ''}"


def day_time(ms: int, us: bool = False) -> str:
    """A time of day, ms since midnight: `08:00`, `8:00 AM`."""
    return _time(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms), us, seconds=False)
