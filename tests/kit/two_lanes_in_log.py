"""The promises of the line, judged from a log alone: places, boost places, whose turn it is.

Every entry stands in the base lane of its pools for good; while it has points, or was made good, it
stands in their boost lanes too. What is judged, of each pool's line:

- no base place rises: whoever comes stands behind all who are there;
- each call goes to the first who is ready in its lane;
- the first round, where chance ordered a list, calls base lanes alone;
- one call in k goes to the boost lane and never more: from one boost call to any later one stand at
  least k - 1 base calls for each, those that had lapsed by then not counted;
- the latest turn: whoever stands ready at place p is called by call ceil(p x k / (k - 1)) from that
  moment on, lapsed base calls not counted.

It shares nothing with the scripts, the oracle, replay, referee, rooms or pages, so a mistake in one
of them shows. Where an entry is ready only by rules of early access, or was carried over, its turn
is not judged.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dropengine import events
from dropengine.model import MADE_GOOD, POINTS_MAX

FATES = (events.Served, events.Dormant, events.Left, events.Removed)
BACK = (events.Released, events.Expired, events.Declined, events.Lapsed)
PROMISED: Final = 12
"""Before each call the promise to so many of the first in line is noted, and to a few others."""
OTHERS: Final = 4
NOWHERE: Final = -1


class Shown(NamedTuple):
    """A place that a screen showed: of arrival `n` in a lane of `pool`, at its count `r`."""

    pool: str
    n: int
    r: int
    place: int


class Move(NamedTuple):
    """In a boost lane: arrival `n` goes from one rank to another; `NOWHERE` is outside."""

    n: int
    was: int
    now: int


@dataclass
class Entry:
    id: str
    fan: str
    n: int
    pools: list[str]
    alone: bool
    """It stands in the boost lane only, as make-goods did before layout 7."""
    points: int = 0
    good: bool = False
    carried: bool = False
    asked: bool = False
    open: bool = True
    hold: str = ""
    cool: int = 0
    promises: list[tuple[str, int, int]] = field(default_factory=list)
    """(pool, how many calls it had made, place) since it has been ready without a break."""

    @property
    def rank(self) -> int:
        if not self.open or not self.n:
            return NOWHERE
        if self.alone:
            return POINTS_MAX
        return MADE_GOOD if self.good else self.points or NOWHERE


@dataclass
class Line:
    """One pool's."""

    item: str
    stood: list[int] = field(default_factory=list)
    """Arrivals that ever stood in its base lane, ascending."""
    base: list[int] = field(default_factory=list)
    """Those that stand there."""
    gone: list[int] = field(default_factory=list)
    boost: list[tuple[int, int]] = field(default_factory=list)
    """(-rank, arrival)."""
    moves: list[Move] = field(default_factory=list)
    calls: int = 0
    lapsed: list[int] = field(default_factory=list)
    """Numbers of base calls that sold nothing, ascending."""
    boosts: list[int] = field(default_factory=list)
    """Numbers of boost calls, ascending."""
    between: list[int] = field(default_factory=lambda: [0])
    """Base calls that have not lapsed, before each of them and after the last."""
    since: int = 0
    """The call from which on these are counted."""

    def anew(self, credit: int) -> None:
        """What was before does not count any more, but for so many base calls."""
        self.boosts, self.between, self.since = [], [credit], self.calls

    def counted(self, since: int) -> int:
        """Calls from that one on, lapsed base calls not counted."""
        return self.calls - since - (len(self.lapsed) - bisect_left(self.lapsed, since))


@dataclass
class Taken:
    """Units of a pool that count for a fan's limit: a hold, then its order."""

    fan: str
    pool: str
    qty: int
    entry: str = ""
    call: int = NOWHERE
    """The number of the base call that gave it."""


class TwoLanes:
    """Take the events of one log in their order; `wrong` says what was not kept."""

    def __init__(self, log: Iterable[events.AnyEvent] = ()) -> None:
        self.wrong: list[str] = []
        self.k = 0
        self.limit = 0
        self.limits: dict[str, int] = {}
        self.lines: dict[str, Line] = {}
        self.entries: dict[str, Entry] = {}
        self.by_n: dict[int, Entry] = {}
        self.of_fan: dict[str, list[Entry]] = {}
        self.taken: dict[str, Taken] = {}
        self.of_holder: dict[str, set[str]] = {}
        self.early = False
        self.by_chance = False
        self.first_round = False
        self.carried = False
        self.boosted: set[str] = set()
        """Entries that a boost lane called."""
        self.judged = 0
        """Promises that were held against what came."""
        for event in log:
            self.take(event)

    # What happens.

    def take(self, e: events.AnyEvent) -> None:
        match e:
            case events.Published(rules=rules):
                self.k, self.limit = rules.k, rules.limit
                self.limits = {item.id: item.limit for item in rules.items}
                self.lines = {pool.id: Line(pool.item) for pool in rules.pools}
                self.early = bool(rules.cohorts)
                self.by_chance = rules.randomness is not None
            case events.Opened():
                self.first_round = self.by_chance
            case events.Allotted():
                self.first_round = False
            case events.Lifted():
                # Until then a lapse could be forgotten, and who was made good stood in one lane.
                for line in self.lines.values():
                    line.anew(self.k - 1)
            case events.Widened():
                self.early = False
            case events.Joined():
                self._joined(e)
            case events.Ordered(n=n, ids=ids):
                for i, name in enumerate(ids):
                    entry = self.entries[name]
                    entry.n = n + i
                    self._stand(entry)
            case events.Confirmed(entry=name):
                self.entries[name].asked = False
            case events.Pointed(entry=name, points=points, why=why):
                entry = self.entries[name]
                with self._moving(entry):
                    entry.points, entry.good = points, entry.good or why == "makegood"
            case events.Removed(entry=name, why="merged"):
                self._merged(self.entries[name])
            case events.Offered():
                self._offered(e)
            case events.Held() | events.Rescued():
                self._grant(e.hold, Taken(e.fan, e.pool, e.qty))
            case events.Cooled(entry=name, cool=cool):
                self.entries[name].cool = cool
            case events.Refunded(hold=hold):
                self._free(hold)
            case events.Adopted():
                self._adopted(e)
            case _ if isinstance(e, BACK):
                self._back(e)
            case _ if isinstance(e, FATES):
                self._over(self.entries[e.entry])
            case _:
                pass

    def _joined(self, e: events.Joined) -> None:
        entry = Entry(e.entry, e.fan, e.n, e.pools, alone=e.lane == 1)
        entry.points = 0 if entry.alone else e.points
        entry.good = e.why == "makegood"
        entry.carried = entry.asked = e.why == "carried"
        self.carried = self.carried or entry.carried
        self.entries[e.entry] = entry
        self.of_fan.setdefault(e.fan, []).append(entry)
        if e.n:
            self._stand(entry)

    def _stand(self, entry: Entry) -> None:
        """It has its arrival: it comes into its lines."""
        self.by_n[entry.n] = entry
        for pool in entry.pools:
            line = self.lines[pool]
            if entry.rank != NOWHERE:
                self._move(line, entry.n, NOWHERE, entry.rank)
            if entry.alone:
                continue
            if line.base and line.base[-1] > entry.n:
                self.wrong.append(f"{entry.id} comes before others in {pool}: their places rise")
            insort(line.stood, entry.n)
            insort(line.base, entry.n)
            if self._ready(entry, pool, 0):
                entry.promises.append((pool, line.calls, len(line.base)))

    def _moving(self, entry: Entry) -> _Moving:
        return _Moving(self, entry)

    def _move(self, line: Line, n: int, was: int, now: int) -> None:
        if was == now:
            return
        if was != NOWHERE:
            line.boost.remove((-was, n))
        if now != NOWHERE:
            insort(line.boost, (-now, n))
        line.moves.append(Move(n, was, now))

    def _over(self, entry: Entry) -> None:
        self._break(entry)
        with self._moving(entry):
            entry.open = False
        for pool in entry.pools if entry.n and not entry.alone else ():
            line = self.lines[pool]
            del line.base[bisect_left(line.base, entry.n)]
            line.gone.append(entry.n)

    def _merged(self, entry: Entry) -> None:
        """Its fan stands by his other entry, which has the more points of both."""
        self._over(entry)
        (other,) = (one for one in self.of_fan[entry.fan] if one.open and not one.alone)
        with self._moving(other):
            other.points = max(other.points, entry.points)
            other.good = other.good or entry.good

    def _grant(self, hold: str, taken: Taken) -> None:
        self.taken[hold] = taken
        self.of_holder.setdefault(taken.fan, set()).add(hold)
        for entry in self.of_fan.get(taken.fan, ()):
            if entry.open and not any(self._room(entry.fan, pool) for pool in entry.pools):
                self._break(entry)

    def _free(self, hold: str) -> Taken | None:
        taken = self.taken.pop(hold, None)
        if taken is not None:
            self.of_holder[taken.fan].discard(hold)
        return taken

    def _back(self, e: events.Released | events.Expired | events.Declined | events.Lapsed) -> None:
        taken = self._free(e.hold)
        if taken is None or not taken.entry:
            return
        entry = self.entries[taken.entry]
        if entry.hold != e.hold or not entry.open:
            return
        # L9: an offer, claimed or not, came back while the entry is open.
        entry.hold, entry.cool = "", getattr(e, "cool", 0)
        if taken.call != NOWHERE:
            line = self.lines[taken.pool]
            insort(line.lapsed, taken.call)
            if taken.call >= line.since:
                line.between[bisect_left(line.boosts, taken.call)] -= 1

    def _adopted(self, e: events.Adopted) -> None:
        for name in (*e.holds, *e.orders):
            if taken := self._free(name):
                taken.fan = e.fan
                self._grant(name, taken)
        for name in e.entries:
            entry = self.entries[name]
            self.of_fan[entry.fan].remove(entry)
            entry.fan = e.fan
            self.of_fan.setdefault(e.fan, []).append(entry)
            if not any(self._room(e.fan, pool) for pool in entry.pools):
                self._break(entry)

    # Whose turn it is.

    def _room(self, fan: str, pool: str) -> bool:
        mine = [self.taken[hold] for hold in self.of_holder.get(fan, ())]
        item = self.lines[pool].item
        if sum(one.qty for one in mine) >= self.limit:
            return False
        of_item = sum(one.qty for one in mine if self.lines[one.pool].item == item)
        return not self.limits[item] or of_item < self.limits[item]

    def _ready(self, entry: Entry, pool: str, at: int) -> bool:
        return (
            entry.open
            and not entry.hold
            and not entry.asked
            and (not entry.cool or at >= entry.cool)
            and self._room(entry.fan, pool)
        )

    def _in_turn(self, line: Line, entry: Entry, e: events.Offered) -> None:
        lane = [n for _, n in line.boost] if e.call else line.base
        if entry.n not in lane:
            self.wrong.append(f"{e.seq}: {entry.id} is called in a lane where it does not stand")
            return
        if self.early or self.carried:
            return
        for n in lane:
            if n == entry.n:
                return
            if self._ready(self.by_n[n], e.pool, e.at):
                first = self.by_n[n].id
                self.wrong.append(f"{e.seq}: {entry.id} is called in lane {e.call} before {first}")
                return

    def _offered(self, e: events.Offered) -> None:
        entry, line = self.entries[e.entry], self.lines[e.pool]
        self._in_turn(line, entry, e)
        self._promise(e.pool, line, e.at)
        number, line.calls = line.calls, line.calls + 1
        if e.call == 0:
            line.between[-1] += 1
        else:
            if self.first_round:
                self.wrong.append(f"{e.seq}: a boost lane calls {entry.id} in the first round")
            self._spaced(line, e)
            self.boosted.add(e.entry)
            line.boosts.append(number)
            line.between.append(0)
        self._break(entry, called=e.pool)
        entry.hold, entry.cool = e.hold, 0
        taken = Taken(e.fan, e.pool, e.qty, e.entry, NOWHERE if e.call else number)
        self._grant(e.hold, taken)

    def _spaced(self, line: Line, e: events.Offered) -> None:
        """Since each boost call before this one there were enough base calls."""
        if not any(self._ready(self.by_n[n], e.pool, e.at) for n in line.base):
            # It takes nobody's turn.
            line.anew(0)
            return
        credit = 0
        for many in reversed(line.between):
            credit += many - (self.k - 1)
            if credit < 0:
                self.wrong.append(f"{e.seq}: a boost call of {e.pool}, {-credit} base calls early")
                return

    def _promise(self, pool: str, line: Line, at: int) -> None:
        """Before a call: what is promised to some of those who stand ready."""
        if self.early:
            return
        places = [*range(min(PROMISED, len(line.base)))]
        if len(line.base) > PROMISED:
            step = 7_919 * (line.calls + 1)
            places += [(step * (i + 1)) % len(line.base) for i in range(OTHERS)]
        for place in places:
            entry = self.by_n[line.base[place]]
            if not entry.carried and self._ready(entry, pool, at):
                entry.promises.append((pool, line.calls, place + 1))

    def _break(self, entry: Entry, called: str = "") -> None:
        """It is called, or is not ready any more: what it was promised until now was kept?"""
        for pool, since, place in entry.promises:
            line = self.lines[pool]
            most = self.latest(place) - (pool != called)
            self.judged += 1
            if (calls := line.counted(since)) > most:
                self.wrong.append(
                    f"{entry.id} stood ready at place {place} of {pool} and was promised a turn "
                    f"by call {self.latest(place)}; it was {'call' if called else 'none of'} "
                    f"{calls}"
                )
        entry.promises.clear()

    def latest(self, place: int) -> int:
        """ceil(place x k / (k - 1)); where every call goes to the boost lane first, nothing."""
        return -(-place * self.k // (self.k - 1)) if self.k > 1 else sys.maxsize

    def over(self) -> list[str]:
        """At the end of the log: also whoever still stands there was promised something."""
        for entry in self.entries.values():
            if entry.open:
                self._break(entry)
        return self.wrong

    # What screens showed.

    def wrong_in_base(self, shown: Iterable[Shown]) -> list[str]:
        """The base lanes are played through once more, fate by fate."""
        wrong = []
        for pool, here in _by_pool(shown):
            line = self.lines[pool]
            standing, ever, gone = [*line.stood], {*line.stood}, 0
            for at in here:
                assert at.n in ever, f"{at.n} never stood in line for {pool}"
                assert at.r <= len(line.gone), f"{at.r} never left {pool}, {len(line.gone)} did"
                for n in line.gone[gone : at.r]:
                    del standing[bisect_left(standing, n)]
                gone = max(gone, at.r)
                # One who left is shown his last place, of before he did.
                true = bisect_left(standing, at.n) + 1
                if at.place != true:
                    wrong.append(_wrongly(at, "place", true))
        return wrong

    def wrong_in_boost(self, shown: Iterable[Shown]) -> list[str]:
        """The boost lanes are played through once more, move by move."""
        wrong = []
        for pool, here in _by_pool(shown):
            moves = self.lines[pool].moves
            lane: list[tuple[int, int]] = []
            ranks: dict[int, int] = {}
            done = 0
            for at in here:
                assert at.r <= len(moves), f"{at.r} moves of {pool} are shown of {len(moves)}"
                for n, was, now in moves[done : at.r]:
                    if was != NOWHERE:
                        del lane[bisect_left(lane, (-was, n))]
                    if now != NOWHERE:
                        insort(lane, (-now, n))
                    ranks[n] = now
                done = max(done, at.r)
                rank = ranks.get(at.n, NOWHERE)
                true = 0 if rank == NOWHERE else bisect_left(lane, (-rank, at.n)) + 1
                if at.place != true:
                    wrong.append(_wrongly(at, "boost place", true))
        return wrong


def _by_pool(shown: Iterable[Shown]) -> list[tuple[str, list[Shown]]]:
    """Each pool's, by their counts."""
    wanted: dict[str, list[Shown]] = {}
    for at in shown:
        wanted.setdefault(at.pool, []).append(at)
    return [(pool, sorted(here, key=lambda at: at.r)) for pool, here in wanted.items()]


def _wrongly(at: Shown, what: str, true: int) -> str:
    return f"arrival {at.n} was shown {what} {at.place} for {at.pool} at {at.r}, it was {true}"


class _Moving:
    """Around a change of an entry: its boost lanes follow."""

    def __init__(self, lanes: TwoLanes, entry: Entry) -> None:
        self._lanes, self._entry = lanes, entry

    def __enter__(self) -> None:
        self._was = self._entry.rank

    def __exit__(self, *_: object) -> None:
        for pool in self._entry.pools:
            line = self._lanes.lines[pool]
            self._lanes._move(line, self._entry.n, self._was, self._entry.rank)
