"""A zone as a calendar's file tells it (RFC 5545, 3.6.5): each change of the clocks in the year
before a moment and the year after it. A reader who knows no zones shows the right time all the
same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dropengine.manifest.zones import in_zone

AROUND = timedelta(days=366)
_STEP = timedelta(days=1)
_EXACT = timedelta(seconds=1)


@lru_cache(maxsize=64)
def lines(zone: str, day: int) -> tuple[str, ...]:
    """The component of a zone around a day, in days since 1970."""
    begin = datetime.fromtimestamp(day * 86_400, UTC) - AROUND
    told = [_observance(begin, begin, zone)]
    told += [_observance(change, change - _EXACT, zone) for change in _changes(begin, zone)]
    observed = (line for one in told for line in one)
    return ("BEGIN:VTIMEZONE", f"TZID:{zone}", *observed, "END:VTIMEZONE")


def _changes(begin: datetime, zone: str) -> Iterator[datetime]:
    """The first moments of another offset, by UTC."""
    before, end = begin, begin + 2 * AROUND
    while before < end:
        after = before + _STEP
        if _at(before, zone).utcoffset() != _at(after, zone).utcoffset():
            yield _first(before, after, zone)
        before = after


def _first(before: datetime, after: datetime, zone: str) -> datetime:
    """The first second after `before` with the offset of `after`."""
    new = _at(after, zone).utcoffset()
    while after - before > _EXACT:
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _at(middle, zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after


def _observance(since: datetime, before: datetime, zone: str) -> tuple[str, ...]:
    here, was = _at(since, zone), _at(before, zone)
    kind = "DAYLIGHT" if here.dst() else "STANDARD"
    # By the clocks as they were until then.
    onset = since + (was.utcoffset() or timedelta())
    return (
        f"BEGIN:{kind}",
        f"DTSTART:{onset:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_offset(was)}",
        f"TZOFFSETTO:{_offset(here)}",
        f"TZNAME:{here.tzname()}",
        f"END:{kind}",
    )


def _at(moment: datetime, zone: str) -> datetime:
    found = in_zone(int(moment.timestamp() * 1000), zone)
    # Whoever asks was shown a time there already.
    assert found is not None
    return found


def _offset(at: datetime) -> str:
    """`+0200`; with seconds where there were such."""
    text = at.strftime("%z")
    return text.partition(".")[0]
