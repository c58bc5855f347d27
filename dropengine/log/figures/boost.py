"""What the boost lane did to the order of a line: how much later the base lane was called than it
would have been without. Pure.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dropengine.log.figures.tally import Hold


class Later(NamedTuple):
    """By so many offers of its pool, and by so much time, a base call came later."""

    offers: int
    ms: int


def later(holds: Iterable[Hold]) -> Iterator[Later]:
    """Each first offer that the base lane made, in the log's order.

    The calls are made again without the boost lane: the first offers of a pool stay at their
    moments, and each goes to the smallest arrival that stands there. Who was really called past
    nobody but those whom the boost lane put before him comes as many offers earlier as it made to
    later arrivals meanwhile.
    """
    lines: dict[str, _Line] = {}
    called: set[str] = set()
    for hold in holds:
        # A second offer after a lapse is of the same turn.
        if hold.offer and hold.entry not in called:
            called.add(hold.entry)
            line = lines.setdefault(hold.pool, _Line())
            if hold.lane:
                line.boost(hold.n, hold.at_ms)
            else:
                yield line.base(hold.n, hold.at_ms)


class _Line:
    """The first offers of one pool."""

    def __init__(self) -> None:
        self._moments: list[int] = []
        self._boosts: list[tuple[int, int]] = []
        """(which offer, arrival)."""
        self._boosted: list[int] = []
        """Their arrivals, ascending."""
        self._passing: list[tuple[int, int]] = []
        """(which offer, arrival) of the base lane, each but for those that a later one is above:
        arrivals descend, so the last one above an arrival is found at the end."""

    def boost(self, n: int, at_ms: int) -> None:
        self._boosts.append((len(self._moments), n))
        self._moments.append(at_ms)
        insort(self._boosted, n)

    def base(self, n: int, at_ms: int) -> Later:
        place = len(self._moments)
        self._moments.append(at_ms)
        while self._passing and self._passing[-1][1] < n:
            self._passing.pop()
        if self._passing:
            # The base lane called a later arrival: this one could not be called till then.
            since, offers = self._passing[-1][0], 0
            for offer, arrival in reversed(self._boosts):
                if offer < since:
                    break
                offers += arrival > n
        else:
            offers = len(self._boosted) - bisect_right(self._boosted, n)
        self._passing.append((place, n))
        return Later(offers, at_ms - self._moments[place - offers])
