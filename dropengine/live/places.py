"""Exact places at the price of one shared frame: what left each line, and what moved in its boost
lane, numbered.

A place is true at a count r of the moves of its line. Whoever knows those since r can bring it up
to date; nobody has to be asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from dropengine.model import POINTS_MAX

KEPT_MAX = 1_000
"""Moves kept per line, to bring an older place up to what the screens have seen."""
SENT_MAX = 500
"""Arrivals in one tick, all lines together; the rest goes with the next. As many moves of boost
lanes."""

Move = tuple[int, int, int]
"""In a boost lane: the arrival of an entry, its rank there before and after; -1: it is not there.
"""
M = TypeVar("M", int, Move)


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
    @property
    def rank(self) -> int: ...


class Row(Protocol):
    @property
    def entries(self) -> Sequence[tuple[str, Entry, Sequence[Place]]]: ...
    @property
    def boosts(self) -> Sequence[tuple[str, Sequence[Place]]]: ...


def apply(n: int, place: int, r: int, r0: int, left: Sequence[int]) -> tuple[int, int] | None:
    """A tick's moves on one place: the new (place, r), or None when moves before r0 were missed.

    n: the arrival of the entry. left: arrivals number r0, r0 + 1, ... that left its line.
    """
    if r < r0:
        return None
    gone = sum(1 for other in left[r - r0 :] if other < n)
    return place - gone, max(r, r0 + len(left))


def apply_boost(
    n: int, rank: int, place: int, r: int, r0: int, moves: Sequence[Move]
) -> tuple[int, int] | None:
    """The same for a place in a boost lane, of the entry n at that rank. None also where it moved
    itself: where it stands since is not among the moves."""
    if r < r0:
        return None
    for other, was, now in moves[r - r0 :]:
        if other == n:
            return None
        place += _ahead(other, now, n, rank) - _ahead(other, was, n, rank)
    return place, max(r, r0 + len(moves))


def _ahead(other: int, at: int, n: int, rank: int) -> bool:
    """Does the arrival `other` at rank `at` stand before n at `rank`?"""
    return at > rank or (at == rank and other < n)


class _Line(Generic[M]):
    __slots__ = ("kept", "sent", "waiting")

    def __init__(self, sent: int = 0) -> None:
        self.sent = sent
        """Moves that the screens of this worker have been told of, ever."""
        self.kept: deque[M] = deque(maxlen=KEPT_MAX)
        """The last of them."""
        self.waiting: deque[M] = deque()

    def take(self, r: int, move: M) -> bool:
        """The next move, or one that is known; False when one is missing before it."""
        known = self.sent + len(self.waiting)
        if r == known:
            self.waiting.append(move)
        return r <= known

    def told(self, most: int) -> tuple[int, list[M]]:
        """So many of those that wait, and the number of the first."""
        r0 = self.sent
        told = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self.sent += len(told)
        self.kept.extend(told)
        return r0, told

    def told_before(self) -> tuple[int, list[M]]:
        """What screens were told, as far as it is kept, and the number of the first."""
        return self.sent - len(self.kept), list(self.kept)


class Lines:
    """The lines of a drop as one worker's screens know them, each with its boost lane.

    pools: in the order of the manifest, which is the order of their indexes in the scripts.
    """

    def __init__(self, pools: Sequence[str]) -> None:
        self._pools = list(pools)
        self._base: dict[str, _Line[int]] = {pool: _Line() for pool in pools}
        self._boost: dict[str, _Line[Move]] = {pool: _Line() for pool in pools}

    def start(self, counts: Iterable[tuple[str, int, int]]) -> None:
        """Begin anew at these counts of moves (pool, base, boost): nothing before them is known
        here."""
        for pool, base, boost in counts:
            self._base[pool], self._boost[pool] = _Line(base), _Line(boost)

    def take(self, moves: Iterable[tuple[int, ...]]) -> bool:
        """Moves (line, r, arrival), of a boost lane also the ranks before and after, in log order.
        False when one is missing before them."""
        for number, r, n, *ranks in moves:
            pool = self._pools[number // 2]
            if number % 2 == 0:
                known = self._base[pool].take(r, n)
            else:
                # Before layout 7 a move was the end of one who stood there alone, above all.
                was, now = ranks or (POINTS_MAX, -1)
                known = self._boost[pool].take(r, (n, was, now))
            if not known:
                return False
        return True

    def next_tick(self) -> dict[str, tuple[int, list[int]]]:
        """What the next tick tells: pool -> (r0, arrivals). From then on it counts as sent."""
        return _told(self._base)

    def next_boosts(self) -> dict[str, tuple[int, list[Move]]]:
        """The same of the boost lanes: pool -> (r0, moves)."""
        return _told(self._boost)

    def more(self) -> bool:
        """Are there moves that no tick has told yet?"""
        base = any(line.waiting for line in self._base.values())
        return base or any(line.waiting for line in self._boost.values())

    def sent(self) -> dict[str, int]:
        """pool -> how many moves of its base lane the screens have been told of."""
        return {pool: line.sent for pool, line in self._base.items()}

    def bring_up(self, row: Row) -> bool:
        """Bring a fan's places up to what the screens have seen. False when that is not kept any
        more, or he has moved himself."""
        standing = {name: entry for name, entry, _ in row.entries}
        for entry, at in [(e, at) for _, e, lines in row.entries for at in lines if not e.lane]:
            base = self._base[at.pool]
            if at.r < base.sent:
                changed = apply(entry.n, at.place, at.r, *base.told_before())
                if changed is None:
                    return False
                at.place, at.r = changed
        alone = [(e, at) for _, e, lines in row.entries for at in lines if e.lane]
        second = [(standing[name], at) for name, lines in row.boosts for at in lines]
        for entry, at in alone + second:
            boost = self._boost[at.pool]
            if at.r < boost.sent:
                changed = apply_boost(entry.n, entry.rank, at.place, at.r, *boost.told_before())
                if changed is None:
                    return False
                at.place, at.r = changed
        return True


def _told(lines: dict[str, _Line[M]]) -> dict[str, tuple[int, list[M]]]:
    told: dict[str, tuple[int, list[M]]] = {}
    room = SENT_MAX
    for pool, line in lines.items():
        if line.waiting and room:
            told[pool] = line.told(room)
            room -= len(told[pool][1])
    return told
