"""What clients did and saw, as they saw it: one record for each sending, answer, order and screen.

A command without an answer is `info`, which means unknown. It is never written down as `fail`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator

import msgspec

from dropengine import wire

# Commands and answers are kept as the clients sent and got them.
Command = wire.FanCommand
Reply = wire.Done | wire.Refused


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="what", tag=str.lower):
    """wall_ms: since 1970, to read beside other logs. mono_us: of one machine, to order by."""

    drop: str
    wall_ms: int
    mono_us: int


class Invoke(Line, frozen=True, kw_only=True):
    """Operation `op` of a client begins: `command` is sent, more than once if need be."""

    op: int
    fan: str
    command: Command


class Ok(Line, frozen=True, kw_only=True):
    op: int
    reply: wire.Done


class Fail(Line, frozen=True, kw_only=True):
    op: int
    reply: wire.Refused


class Info(Line, frozen=True, kw_only=True):
    """Nobody knows whether it was carried out."""

    op: int


class Owned(Line, frozen=True, kw_only=True):
    """A fan was shown this order as theirs."""

    fan: str
    order: wire.OrderView


class Placed(Line, frozen=True, kw_only=True):
    """A fan was shown this arrival as that of his entry."""

    fan: str
    entry: str
    n: int


class Shown(Line, frozen=True, kw_only=True):
    """Some screen showed these pools as the state at log length `seq`."""

    seq: int
    pools: dict[str, wire.PoolView]


class Viewer(Line, frozen=True, kw_only=True):
    """What one socket showed, summed up. `faults`: each tick that fell behind the one before it, or
    that showed other pools than another screen at the same seq; and what the screen doubts."""

    viewer: int
    socket: int
    ticks: int
    last_seq: int
    faults: list[str]


AnyLine = Invoke | Ok | Fail | Info | Owned | Placed | Shown | Viewer

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_encoder = msgspec.json.Encoder()

FAULTS_MAX = 10
RECENT = 1_000
"""So many answers are what "now" means while a run goes on."""


class _Screen:
    """One socket of one viewer while it is open."""

    __slots__ = ("faults", "last_seq", "ticks")

    def __init__(self) -> None:
        self.ticks = 0
        self.last_seq = 0
        self.faults: list[str] = []


class Recorder:
    """Keeps one history in memory; `lines` gives it out. Cheap enough for a crowd's every tick."""

    def __init__(self) -> None:
        self._lines: list[AnyLine] = []
        self._open: dict[int, tuple[str, int]] = {}
        self._ops = 0
        self.answered = 0
        self.took_us: deque[int] = deque(maxlen=RECENT)
        """Of the newest answers, from the first sending."""
        self._screens: dict[tuple[str, int, int], _Screen] = {}
        self._shown: dict[tuple[str, int], wire.Tick] = {}
        self._shown_at: dict[tuple[str, int], tuple[int, int]] = {}

    def invoke(self, drop: str, fan: str, command: Command) -> int:
        """A command is about to be sent; the number to end it with."""
        self._ops += 1
        wall_ms, mono_us = now()
        self._open[self._ops] = (drop, mono_us)
        self._lines.append(
            Invoke(
                drop=drop, wall_ms=wall_ms, mono_us=mono_us, op=self._ops, fan=fan, command=command
            )
        )
        return self._ops

    def ok(self, op: int, reply: wire.Done) -> None:
        drop, wall_ms, mono_us = self._ended(op)
        self._lines.append(Ok(drop=drop, wall_ms=wall_ms, mono_us=mono_us, op=op, reply=reply))

    def fail(self, op: int, reply: wire.Refused) -> None:
        """Refused for certain. An answer that is only `away` is `info`."""
        drop, wall_ms, mono_us = self._ended(op)
        self._lines.append(Fail(drop=drop, wall_ms=wall_ms, mono_us=mono_us, op=op, reply=reply))

    def info(self, op: int) -> None:
        """Given up without an answer; nothing happens when it has ended already."""
        begun = self._open.pop(op, None)
        if begun is not None:
            wall_ms, mono_us = now()
            self._lines.append(Info(drop=begun[0], wall_ms=wall_ms, mono_us=mono_us, op=op))

    def _ended(self, op: int) -> tuple[str, int, int]:
        """Its drop, and now."""
        drop, begun_us = self._open.pop(op)
        wall_ms, mono_us = now()
        self.answered += 1
        self.took_us.append(mono_us - begun_us)
        return drop, wall_ms, mono_us

    def order(self, drop: str, fan: str, order: wire.OrderView) -> None:
        wall_ms, mono_us = now()
        self._lines.append(Owned(drop=drop, wall_ms=wall_ms, mono_us=mono_us, fan=fan, order=order))

    def placed(self, drop: str, fan: str, entry: str, n: int) -> None:
        wall_ms, mono_us = now()
        self._lines.append(
            Placed(drop=drop, wall_ms=wall_ms, mono_us=mono_us, fan=fan, entry=entry, n=n)
        )

    def tick(self, drop: str, viewer: int, socket: int, tick: wire.Tick) -> None:
        """A socket showed a tick. A tick may come again at the same seq, but never an older one."""
        screen = self._screens.get((drop, viewer, socket))
        if screen is None:
            screen = self._screens[(drop, viewer, socket)] = _Screen()
        screen.ticks += 1
        if tick.seq < screen.last_seq and len(screen.faults) < FAULTS_MAX:
            screen.faults.append(f"seq {tick.seq} was shown after {screen.last_seq}")
        screen.last_seq = tick.seq
        shown = self._shown.get((drop, tick.seq))
        if shown is None:
            self._shown[(drop, tick.seq)] = tick
            self._shown_at[(drop, tick.seq)] = now()
        elif shown is not tick and shown.pools != tick.pools and len(screen.faults) < FAULTS_MAX:
            screen.faults.append(f"seq {tick.seq} was shown with other pools than elsewhere")

    def doubt(self, drop: str, viewer: int, socket: int, sentence: str) -> None:
        """What a socket showed cannot be, says the screen itself."""
        screen = self._screens.setdefault((drop, viewer, socket), _Screen())
        if len(screen.faults) < FAULTS_MAX:
            screen.faults.append(sentence)

    def lines(self) -> list[AnyLine]:
        """The history so far: operations in the order they were written, then the screens."""
        wall_ms, mono_us = now()
        lines = list(self._lines)
        for (drop, seq), tick in self._shown.items():
            at_wall_ms, at_mono_us = self._shown_at[(drop, seq)]
            lines.append(
                Shown(drop=drop, wall_ms=at_wall_ms, mono_us=at_mono_us, seq=seq, pools=tick.pools)
            )
        for (drop, viewer, socket), screen in self._screens.items():
            lines.append(
                Viewer(
                    drop=drop,
                    wall_ms=wall_ms,
                    mono_us=mono_us,
                    viewer=viewer,
                    socket=socket,
                    ticks=screen.ticks,
                    last_seq=screen.last_seq,
                    faults=screen.faults,
                )
            )
        return lines


def now() -> tuple[int, int]:
    """Wall time in ms, to keep; monotonic time in us, to compare."""
    return time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000


def write(lines: Iterable[AnyLine]) -> Iterator[bytes]:
    """One JSON text a line, each ending with a newline."""
    for line in lines:
        yield _encoder.encode(line) + b"\n"


def read(texts: Iterable[bytes]) -> list[AnyLine]:
    """The lines again. Raises msgspec.ValidationError or DecodeError for what is no history."""
    return [_decoder.decode(text) for text in texts]
