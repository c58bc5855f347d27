"""What somebody at a terminal knows of a drop while it sells, how old that is, and all of it in one
line. Pure.

The numbers are those of the studio's channel. They are old when the shop's clock in them stands
still, whoever brings them and however often.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from dropengine.manifest.zones import in_zone
from dropengine.model import DropState
from dropengine.studio_wire import Desk, PaceView
from dropengine.terminal.summary import money

STALE_S: Final = 4.0
"""Numbers come once a second; what is older than this does not tell how it is now."""
RATE_OVER: Final = 6
"""The rate of commands is that between the newest numbers and those of so many before."""
OVER: Final = frozenset({DropState.SETTLED, DropState.CANCELLED})


class Sight(Struct, frozen=True):
    """A drop as it was seen once. Times are ms since 1970, `why` the reason of a pause."""

    drop: str
    title: str
    zone: str
    currency: str
    state: str
    why: str
    opens_ms: int
    closes_ms: int
    desk: Desk

    @property
    def over(self) -> bool:
        """Will nothing happen any more?"""
        return self.state in OVER


class Night:
    """What was seen last, and how long ago. clock: monotonic, s."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.sight: Sight | None = None
        self.trouble = ""
        """Why nothing newer comes, as a sentence."""
        self._moved_at = clock()
        self._before: deque[tuple[int, PaceView]] = deque(maxlen=RATE_OVER)

    def see(self, sight: Sight) -> None:
        """The newest numbers."""
        now = sight.desk.now
        if self.sight is None or now != self.sight.desk.now:
            self._moved_at = self._clock()
            self.trouble = ""
            # Before web processes tell, nothing is known of what they decided.
            if sight.desk.health.workers:
                self._before.append((now, sight.desk.pace))
        self.sight = sight

    def miss(self, why: str) -> None:
        """Nothing newer came."""
        self.trouble = why

    @property
    def whole(self) -> bool:
        """Was something seen, with what web processes tell?"""
        health = self.sight.desk.health if self.sight is not None else None
        return health is not None and (bool(health.workers) or health.server != "ok")

    @property
    def age_s(self) -> float:
        """How old the numbers are."""
        return self._clock() - self._moved_at

    @property
    def stale(self) -> bool:
        """Do they no longer tell how it is now?"""
        return self.age_s > STALE_S

    @property
    def commands_per_s(self) -> float:
        """Decided, in the last seconds."""
        if len(self._before) < 2:
            return 0.0
        (then_ms, then), (now_ms, now) = self._before[0], self._before[-1]
        counted = by_stretch(then)
        new = sum(max(0, n - counted.get(at, 0)) for at, n in by_stretch(now).items())
        return new / max(1.0, (now_ms - then_ms) / 1000)


def by_stretch(pace: PaceView) -> dict[int, int]:
    """When a stretch began -> how many commands were decided in it."""
    return {pace.from_ms + n * pace.each_ms: count for n, count in enumerate(pace.commands)}


def decided_ms(pace: PaceView) -> tuple[float, float]:
    """Within how long half of the newest commands, and 99 of 100, were decided; 0: there were
    none."""
    newest = [*zip(pace.half_ms, pace.most_ms, strict=True)][-2:]
    return next((pair for pair in reversed(newest) if pair[1]), (0.0, 0.0))


def printable(text: str) -> str:
    """Without what would move a cursor or colour a terminal, whoever wrote it."""
    return "".join(letter for letter in text if letter.isprintable())


def clock(at_ms: int, zone: str) -> str:
    """A time of day in the drop's zone."""
    at = in_zone(at_ms, zone)
    return f"{at:%H:%M:%S}" if at else "--:--:--"


def length(ms: int) -> str:
    """`7 s`, `12:05`, `1:57:49`."""
    seconds = max(0, ms) // 1000
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:
        return f"{seconds} s"
    if not hours:
        return f"{minutes}:{seconds % 60:02}"
    return f"{hours}:{minutes % 60:02}:{seconds % 60:02}"


def next_time(sight: Sight) -> str:
    """What comes by the clock: `opens in 12:05`."""
    now = sight.desk.now
    if sight.state == DropState.SCHEDULED:
        if not sight.opens_ms:
            return "opens by hand"
        return f"opens {clock(sight.opens_ms, sight.zone)}, in {length(sight.opens_ms - now)}"
    if sight.closes_ms and not sight.over:
        return f"closes {clock(sight.closes_ms, sight.zone)}, in {length(sight.closes_ms - now)}"
    return ""


def in_one_line(night: Night) -> str:
    """For whoever has no screen: a log, a pipe, a terminal that cannot move its cursor."""
    sight = night.sight
    if sight is None:
        return night.trouble or "Nothing was heard yet."
    return printable(" | ".join(_parts(night, sight)))


def _parts(night: Night, sight: Sight) -> Iterator[str]:
    desk = sight.desk
    units, health = desk.units, desk.health
    if night.stale:
        yield f"NOT UP TO DATE, {night.age_s:.0f} s old. {night.trouble}".rstrip()
    yield f"{clock(desk.now, sight.zone)} {sight.state}"
    yield (
        f"{units.left} left, {units.offered} offered, {units.carts} in carts, {units.sold} sold, "
        f"{units.withheld} withheld"
    )
    half, most = decided_ms(desk.pace)
    yield f"{desk.line.waiting} in line, {desk.funnel.watching} watching"
    yield f"{night.commands_per_s:.0f} commands/s, p50 {half:g} ms, p99 {most:g} ms"
    yield f"{money(desk.money.kept, sight.currency)} kept, {desk.money.owed} duties"
    yield f"server {health.server}{'' if health.durable else ', NOT ON DISK'}"
    yield from (f"ALARM: {one.what}" for one in desk.alarms)


def as_json(night: Night) -> bytes:
    """For programs: one object, `desk` as on the studio's channel."""
    sight = night.sight
    body: dict[str, Any] = msgspec.structs.asdict(sight) if sight is not None else {}
    half, most = decided_ms(sight.desk.pace) if sight is not None else (0.0, 0.0)
    return msgspec.json.encode(
        {
            "age_s": round(night.age_s, 1),
            "stale": night.stale,
            "trouble": night.trouble,
            "commands_per_s": round(night.commands_per_s, 1),
            "half_ms": half,
            "most_ms": most,
            **body,
        }
    )
