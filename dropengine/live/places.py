"""Exact places at the price of one shared frame: what left each line, numbered.

A place is true at a removal count r of its line. Whoever knows the arrivals that left since r can
bring it up to date; nobody has to be asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

KEPT_MAX = 1_000
"""Moves kept per line, to bring an older place up to what the screens have seen."""
SENT_MAX = 500
"""Arrivals in one tick, all lines together; the rest goes with the next."""


class Place(Protocol):
    """One line's place of an entry; `place` is exact at removal count `r`."""

    pool: str
    place: int
    r: int


class Entry(Protocol):
    @property
    def n(self) -> int: ...
    @property
    def lane(self) -> int: ...


class Row(Protocol):
    @property
    def entries(self) -> Sequence[tuple[str, Entry, Sequence[Place]]]: ...


def apply(n: int, place: int, r: int, r0: int, left: Sequence[int]) -> tuple[int, int] | None:
    """A tick's moves on one place: the new (place, r), or None when moves before r0 were missed.

    n: the arrival of the entry. left: arrivals number r0, r0 + 1, ... that left its line.
    """
    if r < r0:
        return None
    gone = sum(1 for other in left[r - r0 :] if other < n)
    return place - gone, max(r, r0 + len(left))


class _Line:
    __slots__ = ("kept", "sent", "waiting")

    def __init__(self) -> None:
        self.sent = 0
        """Moves that the screens of this worker have been told of, ever."""
        self.kept: deque[int] = deque(maxlen=KEPT_MAX)
        """The last of them."""
        self.waiting: deque[int] = deque()


class Lines:
    """The base lines of a drop as one worker's screens know them.

    pools: in the order of the manifest, which is the order of their indexes in the scripts.
    """

    def __init__(self, pools: Sequence[str]) -> None:
        self._pools = list(pools)
        self._lines = {pool: _Line() for pool in pools}

    def start(self, removed: Iterable[tuple[str, int]]) -> None:
        """Begin anew at these removal counts: nothing before them is known here."""
        for pool, r in removed:
            line = self._lines[pool] = _Line()
            line.sent = r

    def take(self, moves: Iterable[tuple[int, int, int]]) -> bool:
        """Moves (line, r, arrival) in log order. False when one is missing before them."""
        for number, r, n in moves:
            index, lane = divmod(number, 2)
            if lane:
                continue
            line = self._lines[self._pools[index]]
            known = line.sent + len(line.waiting)
            if r > known:
                return False
            if r == known:
                line.waiting.append(n)
        return True

    def next_tick(self) -> dict[str, tuple[int, list[int]]]:
        """What the next tick tells: pool -> (r0, arrivals). From then on it counts as sent."""
        told: dict[str, tuple[int, list[int]]] = {}
        room = SENT_MAX
        for pool, line in self._lines.items():
            if line.waiting and room:
                r0 = line.sent
                left = [line.waiting.popleft() for _ in range(min(room, len(line.waiting)))]
                line.sent += len(left)
                line.kept.extend(left)
                room -= len(left)
                told[pool] = (r0, left)
        return told

    def more(self) -> bool:
        """Are there moves that no tick has told yet?"""
        return any(line.waiting for line in self._lines.values())

    def sent(self) -> dict[str, int]:
        """pool -> how many moves the screens have been told of."""
        return {pool: line.sent for pool, line in self._lines.items()}

    def bring_up(self, row: Row) -> bool:
        """Bring a fan's places up to what the screens have seen. False when that is not kept any
        more."""
        for _, entry, lines in row.entries:
            if entry.lane:
                continue
            for at in lines:
                line = self._lines[at.pool]
                if at.r >= line.sent:
                    continue
                r0 = line.sent - len(line.kept)
                changed = apply(entry.n, at.place, at.r, r0, list(line.kept))
                if changed is None:
                    return False
                at.place, at.r = changed
        return True
