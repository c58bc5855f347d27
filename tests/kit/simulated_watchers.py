"""A fan's phone: it holds places, follows ticks by the rules of `wire.Moves` and of
`wire.BoostMoves`, and keeps all it showed."""

from __future__ import annotations

import functools
from collections import Counter
from random import Random
from typing import NamedTuple

import msgspec

from dropengine import wire
from dropengine.live.room import Room
from dropengine.live.seat import Frame, Seat
from dropengine.model import FanId
from tests.kit.two_lanes_in_log import Shown

TICK = b'{"t":"tick"'
LOSS = 0.3
"""Of the ticks, on a bad line."""

_heard: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


@functools.lru_cache(maxsize=64)
def read(text: bytes) -> wire.ToFanMessage:
    """Thousands of screens get the same bytes."""
    return _heard.decode(text)


def tick_of(frame: Frame) -> wire.Tick:
    tick = read(frame.text)
    assert isinstance(tick, wire.Tick)
    return tick


class Lane(NamedTuple):
    """One lane of a pool's line."""

    boost: bool
    pool: str


def told_in(tick: wire.Tick) -> dict[Lane, int]:
    """How many moves of each lane it tells."""
    told = {Lane(boost=False, pool=pool): len(moves.left) for pool, moves in tick.lines.items()}
    boosts = tick.boosts.items()
    return told | {Lane(boost=True, pool=pool): len(at.moves) for pool, at in boosts}


class Held(NamedTuple):
    """A base-lane place as a screen knows it: of arrival `n`, exact at removal count `r`."""

    n: int
    place: int
    r: int


class Boosted(NamedTuple):
    """A boost place as a screen knows it: of arrival `n` with that rank, exact after `r` moves."""

    n: int
    rank: int
    place: int
    r: int

    def behind(self, rank: int, n: int) -> bool:
        """Does he stand behind that arrival with that rank?"""
        return rank >= 0 and (rank > self.rank or (rank == self.rank and n < self.n))


class Watcher:
    """One fan before one screen, on one connection at a time."""

    def __init__(self, fan: str, dice: Random) -> None:
        self.fan = FanId(fan)
        self.dice = dice
        self.call: Call | None = None
        self.places: dict[tuple[str, str], Held] = {}
        """(entry, pool) -> its place."""
        self.boost: dict[tuple[str, str], Boosted] = {}
        """Those of his second places that his screen knows now."""
        self.seen: set[Shown] = set()
        self.seen_boost: set[Shown] = set()
        self.seq = 0
        self.gaps = 0
        """Ticks with moves of its lines that did not come, and moves that nobody had any more."""
        self.asked = 0
        self.reconnects = 0
        self.rose: list[str] = []
        self.asking = False
        self._kept: list[wire.Tick] = []

    def stands_in(self) -> set[Lane]:
        """Where it stands, as far as it knows."""
        base = {Lane(boost=False, pool=pool) for _, pool in self.places}
        return base | {Lane(boost=True, pool=pool) for _, pool in self.boost}

    def hear(self, frame: Frame) -> None:
        message = read(frame.text)
        match message:
            case wire.Snapshot(you=you):
                if you is not None:
                    # A new socket may be of a server that went back: it begins anew.
                    self.seq = 0
                    self.told(you)
                self.answered()
            case wire.You():
                self.told(message)
            case wire.Tick():
                self.tick(message)
            case _:
                pass

    def tick(self, tick: wire.Tick) -> None:
        if self.asking:
            self._kept.append(tick)
            return
        for which, held in list(self.places.items()):
            moves = tick.lines.get(which[1])
            if moves is None:
                continue
            if held.r < moves.r0:
                self.asking = True
                continue
            left = moves.left[held.r - moves.r0 :]
            gone = sum(n < held.n for n in left)
            self._show(
                which,
                Held(held.n, held.place - gone, max(held.r, moves.r0 + len(moves.left))),
            )
        for which, at in list(self.boost.items()):
            moved = tick.boosts.get(which[1])
            if moved is None:
                continue
            if at.r < moved.r0:
                self.asking = True
                continue
            self._follow(which, at, moved)
        if self.asking:
            self.asked += 1
            self._kept = [tick]

    def _follow(self, which: tuple[str, str], at: Boosted, moved: wire.BoostMoves) -> None:
        place = at.place
        for n, was, now in moved.moves[at.r - moved.r0 :]:
            if n == at.n:
                # His own points changed, or his turn came: `you` tells, and until then it shows
                # nothing.
                del self.boost[which]
                return
            place += at.behind(now, n) - at.behind(was, n)
        self._show_boost(which, at._replace(place=place, r=max(at.r, moved.r0 + len(moved.moves))))

    def told(self, you: wire.You) -> None:
        """The whole personal state; an older one than this is dropped."""
        if you.seq < self.seq:
            return
        self.seq = you.seq
        base = {(e.id, p.pool): (e.n, p) for e in you.entries if e.lane == "base" for p in e.lines}
        self.places = {which: held for which, held in self.places.items() if which in base}
        for which, (n, at) in base.items():
            known = self.places.get(which)
            if known is None or at.r >= known.r:
                self._show(which, Held(n, at.place, at.r))
        second = {
            (e.id, at.pool): Boosted(e.n, e.rank, at.place, at.r)
            for e in you.entries
            for at in e.boost
        }
        self.boost = {which: at for which, at in self.boost.items() if which in second}
        for which, boosted in second.items():
            was = self.boost.get(which)
            if was is None or boosted.r >= was.r:
                self._show_boost(which, boosted)

    def answered(self) -> None:
        """The question was answered: go on with what came meanwhile."""
        if self.asking:
            self.asking = False
            kept, self._kept = self._kept, []
            for tick in kept:
                self.tick(tick)

    def _show(self, which: tuple[str, str], held: Held) -> None:
        known = self.places.get(which)
        if known is not None and held.place > known.place:
            self.rose.append(f"{self.fan}: {which} rose from {known} to {held}")
        self.places[which] = held
        self.seen.add(Shown(which[1], held.n, held.r, held.place))

    def _show_boost(self, which: tuple[str, str], at: Boosted) -> None:
        self.boost[which] = at
        self.seen_boost.add(Shown(which[1], at.n, at.r, at.place))

    def connect(self, room: Room) -> None:
        """Sit down in this room; a line that was open before is cut."""
        if self.call is not None:
            self.reconnects += 1
            self.call.cut()
        self.asking, self._kept = False, []
        Call(self, room)


class Call:
    """A watcher's connection: the wire under its seat. It loses ticks, or stands still for a
    while."""

    sock = None

    def __init__(self, watcher: Watcher, room: Room) -> None:
        self.watcher = watcher
        self.loses = False
        self.open = True
        self.jammed = False
        self._stuck: list[Frame] = []
        self.room = room
        # A room may speak at once, while the watcher's own `call` is still the one before.
        watcher.call = self
        self.seat: Seat = room.sit(self, watcher.fan)

    def push(self, frame: Frame) -> None:
        if not self.open:
            return
        if self.jammed:
            self._stuck.append(frame)
        elif self.loses and frame.text.startswith(TICK) and self.watcher.dice.random() < LOSS:
            self.watcher.gaps += bool(told_in(tick_of(frame)).keys() & self.watcher.stands_in())
        else:
            self.watcher.hear(frame)

    def rest(self, raw: bytes) -> None:
        raise AssertionError("it takes whole frames")

    def unsent(self) -> int:
        return self.room.settings.seat_buffer_bytes_max + 1 if self.jammed else 0

    def end(self, code: int, reason: str, /) -> None:
        self.open = False

    def flow(self) -> None:
        """What stood still comes through."""
        self.jammed = False
        stuck, self._stuck = self._stuck, []
        for frame in stuck:
            self.push(frame)

    def cut(self) -> None:
        self.open = False
        self.room.leave(self.seat)


class Listener:
    """A watcher without a ticket whose line is perfect: `told` counts the moves of each lane."""

    sock = None

    def __init__(self, room: Room) -> None:
        self.told: Counter[Lane] = Counter()
        self.seat: Seat = room.sit(self, None)

    def push(self, frame: Frame) -> None:
        if frame.text.startswith(TICK):
            self.told.update(told_in(tick_of(frame)))

    def rest(self, raw: bytes) -> None:
        raise AssertionError("it takes whole frames")

    def unsent(self) -> int:
        return 0

    def end(self, code: int, reason: str, /) -> None:
        pass
