"""What the log says about places: who stood in a base line, and who left it in which order.

It shares nothing with the scripts, the room or the page, so a mistake in one of them shows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from dropengine import events

FATES = (events.Served, events.Dormant, events.Left, events.Removed)


class Seen(NamedTuple):
    """A place that somebody was shown: of arrival `n` in the line of `pool`, at removal count
    `r`."""

    pool: str
    n: int
    r: int
    place: int


class PlacesInLog:
    """The base lines of one log."""

    def __init__(self, log: Iterable[events.AnyEvent]) -> None:
        self.stood: dict[str, list[int]] = {}
        """pool -> arrivals that ever stood in its base line, ascending."""
        self.gone: dict[str, list[int]] = {}
        """pool -> arrivals that left it, in log order."""
        pools: dict[str, list[str]] = {}
        for event in log:
            if isinstance(event, events.Joined) and event.lane == 0:
                pools[event.entry] = event.pools
                for pool in event.pools:
                    self.stood.setdefault(pool, []).append(event.n)
            elif isinstance(event, FATES) and event.entry in pools:
                for pool in pools[event.entry]:
                    self.gone.setdefault(pool, []).append(event.n)

    def place(self, pool: str, n: int, r: int) -> int:
        """The place of arrival `n` once `r` arrivals had left the line."""
        stood = self.stood[pool]
        before = bisect_left(stood, n)
        assert stood[before] == n, f"{n} never stood in line for {pool}"
        gone = self.gone.get(pool, [])
        assert r <= len(gone), f"{r} never left the line of {pool}, {len(gone)} did"
        return before + 1 - sum(other < n for other in gone[:r])

    def wrong(self, seen: Iterable[Seen]) -> list[str]:
        """A sentence for each place that was not the true one."""
        return [
            f"arrival {at.n} was shown place {at.place} for {at.pool} when {at.r} had left,"
            f" it was {true}"
            for at in seen
            if at.place != (true := self.place(at.pool, at.n, at.r))
        ]
