"""What one screen knows, from what it was told: the state, the stock, itself, and its exact places.

Pure, as a page would do it: a snapshot, then ticks and `you`s in any order that the network allows.
It also doubts what it is told: a place that arrives is held against the one that the moves gave.
"""

from __future__ import annotations

from dropengine.wire import DropView, Moves, PoolView, Snapshot, Tick, You

FAULTS_MAX = 5
"""Sentences kept per screen; the counts go on."""
STUCK_TICKS = 5
"""So many ticks without a move, and a place that was told for a later one is never reached."""


class PlaceInLine:
    """One entry's place in one base line: n its arrival, `place` exact at removal count `r`.

    Applies `wire.Moves` as its docstring says. A place that was told for a later r waits in `_told`
    until the moves reach it.
    """

    __slots__ = ("_told", "_waited", "checked", "lost", "n", "place", "r", "rose", "wrong")

    def __init__(self, n: int, place: int, r: int) -> None:
        self.n = n
        self.place = place
        self.r = r
        self.lost = False
        self.checked = 0
        self.wrong = 0
        self.rose = 0
        self._told: dict[int, int] = {}
        self._waited = 0

    def moved(self, moves: Moves) -> bool:
        """Follow a tick's moves. False: some were missed, ask for a fresh place."""
        if self.lost or self.r < moves.r0:
            self.lost = True
            return False
        self._waited = 0
        for left in moves.left[self.r - moves.r0 :]:
            self.r += 1
            if left < self.n:
                self.place -= 1
            if self.r in self._told:
                self._compare(self._told.pop(self.r))
        return True

    def stuck(self) -> bool:
        """A tick has come. True, once: what the server said long ago is still not reached."""
        self._waited = self._waited + 1 if self._told and not self.lost else 0
        return self._waited == STUCK_TICKS

    def told(self, place: int, r: int) -> None:
        """The server says: `place` at removal count `r`. An older word than ours is dropped."""
        if r < self.r:
            return
        if self.lost:
            self.rose += place > self.place
            self.lost = False
            self.place, self.r = place, r
            self._told.clear()
        elif r == self.r:
            self._compare(place)
        else:
            self._told[r] = place

    def _compare(self, place: int) -> None:
        self.checked += 1
        self.wrong += place != self.place
        # From here on what was told counts, so that one mistake is counted once.
        self.rose += place > self.place
        self.place = place


class ClientState:
    """The state that one fan looks at. `seq`: of the newest public state."""

    def __init__(self) -> None:
        self.drop: DropView | None = None
        self.state = ""
        self.seq = 0
        self.ticked = 0
        self.opens_ms = 0
        self.early = False
        """Do only cohorts begin something yet?"""
        self.pools: dict[str, PoolView] = {}
        self.you: You | None = None
        self.places: dict[tuple[str, str], PlaceInLine] = {}
        self.retired = Tally()
        self.faults: list[str] = []
        self.faults_count = 0

    def snapshot(self, told: Snapshot) -> None:
        """The first word on a socket: everything from anew, but a fan never unlearns himself."""
        self.drop = told.drop
        self.seq = told.seq
        self.ticked = 0
        self.opens_ms = told.drop.opens_ms
        self.state = told.drop.state
        self.early = told.drop.early is not None and told.drop.early.lasts
        self._stock(told.drop.pools)
        # The socket before may have ended in mid-moves: the snapshot's places are the fresh ones.
        for place in self.places.values():
            place.lost = True
        if told.you is not None:
            self.heard_of_me(told.you)

    def tick(self, told: Tick) -> bool:
        """A newer public state. True when a place must be asked for."""
        if told.seq < self.ticked:
            self.doubt(f"a tick of seq {told.seq} came after one of {self.ticked}")
        self.ticked = told.seq
        # The first tick of a socket may be older than its snapshot: then only its moves are news.
        if told.seq >= self.seq:
            self.seq = told.seq
            self.state = told.state
            self.early = told.early is not None and told.early.lasts
            self.opens_ms = told.opens_ms
            self._stock(told.pools)
        lost = False
        if self.places and told.lines:
            for (_, pool), place in self.places.items():
                moves = told.lines.get(pool)
                if moves is not None and not place.moved(moves):
                    lost = True
        for (entry, pool), place in self.places.items():
            if place.stuck():
                self.doubt(f"the moves never brought {entry} to the place told for {pool}")
        return lost

    def heard_of_me(self, told: You) -> bool:
        """A newer personal state. False when it is older than the one here: then it is dropped."""
        if self.you is not None and told.seq < self.you.seq:
            return False
        self.you = told
        present = set()
        for entry in told.entries:
            if entry.lane != "base":
                continue
            for line in entry.lines:
                which = (entry.id, line.pool)
                present.add(which)
                place = self.places.get(which)
                if place is None:
                    self.places[which] = PlaceInLine(entry.n, line.place, line.r)
                else:
                    place.told(line.place, line.r)
        for which in [which for which in self.places if which not in present]:
            self.retired.add(self.places.pop(which))
        return True

    def tally(self) -> Tally:
        """Places checked, wrong and risen, over everything this screen ever showed."""
        total = Tally(self.retired.checked, self.retired.wrong, self.retired.rose)
        for place in self.places.values():
            total.add(place)
        return total

    def doubt(self, sentence: str) -> None:
        """Something that must not be."""
        self.faults_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(sentence)

    def _stock(self, pools: dict[str, PoolView]) -> None:
        # The same decoded frame is shown to every screen of a crowd: looked at once, by identity.
        if pools is self.pools:
            return
        self.pools = pools
        for name, pool in pools.items():
            parts = (pool.free, pool.held, pool.sold, pool.withheld, pool.leased)
            if min(parts) < 0 or sum(parts) != pool.cap:
                self.doubt(f"{name} shows {parts} of {pool.cap}")
            if not 0 <= pool.offered <= pool.held:
                self.doubt(f"{name} shows {pool.offered} offered of {pool.held} held")


class Tally:
    """Counts of places."""

    __slots__ = ("checked", "rose", "wrong")

    def __init__(self, checked: int = 0, wrong: int = 0, rose: int = 0) -> None:
        self.checked = checked
        self.wrong = wrong
        self.rose = rose

    def add(self, other: Tally | PlaceInLine) -> None:
        self.checked += other.checked
        self.wrong += other.wrong
        self.rose += other.rose


def as_tick(snapshot: Snapshot) -> Tick:
    """The public state that a snapshot shows, to be held against the log as ticks are."""
    drop = snapshot.drop
    return Tick(
        seq=snapshot.seq,
        now=drop.now,
        state=drop.state,
        revision=drop.revision,
        pools=drop.pools,
        opens_ms=drop.opens_ms,
        closes_ms=drop.closes_ms,
    )
