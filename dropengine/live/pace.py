"""How fast commands of a drop were decided in the last 15 minutes, by one worker or by all.

Kept as counts of buckets in stretches of time, so that those of several workers add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from dropengine.live.measured import SECONDS, Histogram
from dropengine.studio_wire import PaceView

EACH_MS: Final = 15_000
STRETCHES: Final = 60
HALF, MOST = 0.5, 0.99

Stretches = Mapping[int, list[int]]
"""Number of a stretch since 1970 -> how often each bucket of `SECONDS` was met in it."""


class Pace:
    """Of one drop in one worker. Nothing is kept of a stretch in which nothing was decided."""

    def __init__(self) -> None:
        self._seen = Histogram(SECONDS).counts
        self._found: dict[int, list[int]] = {}

    def note(self, now_ms: int, press_s: Histogram) -> None:
        """What has been met until now."""
        counts = press_s.counts
        if counts == self._seen:
            return
        new = [now - then for now, then in zip(counts, self._seen, strict=True)]
        self._seen = counts
        number = now_ms // EACH_MS
        self._found[number] = added([self._found.get(number, [0] * len(new)), new])
        for old in [one for one in self._found if one <= number - STRETCHES]:
            del self._found[old]

    def stretches(self, now_ms: int) -> dict[int, list[int]]:
        """Those of the last 15 minutes."""
        first = now_ms // EACH_MS - STRETCHES
        return {number: counts for number, counts in self._found.items() if number > first}


def added(rows: Iterable[list[int]]) -> list[int]:
    """Bucket by bucket."""
    return [sum(counts) for counts in zip(*rows, strict=True)]


def together(now_ms: int, all_of_them: Iterable[Stretches]) -> PaceView:
    """What several workers counted, as one."""
    last = now_ms // EACH_MS
    numbers = range(last - STRETCHES + 1, last + 1)
    none = [0] * (len(SECONDS) + 1)
    kept = [*all_of_them]
    sums = [added([none, *(one[n] for one in kept if n in one)]) for n in numbers]
    return PaceView(
        from_ms=numbers[0] * EACH_MS,
        each_ms=EACH_MS,
        commands=[sum(counts) for counts in sums],
        half_ms=[within(counts, HALF) for counts in sums],
        most_ms=[within(counts, MOST) for counts in sums],
    )


def within(counts: list[int], part: float) -> float:
    """The bound, ms, within which so large a part was met; of what passed the last, that one."""
    total, found = sum(counts), 0
    for count, bound in zip(counts, (*SECONDS, SECONDS[-1]), strict=True):
        found += count
        if total and found >= part * total:
            return bound * 1000
    return 0.0


def refused(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Code -> how often, by all workers; the most frequent first."""
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row)
    return dict(total.most_common())
