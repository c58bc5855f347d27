"""A drop as somebody at a terminal sees it, with something in every corner."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine.studio_wire import (
    AlarmView,
    Desk,
    EndView,
    FeedView,
    FunnelView,
    HealthView,
    LineView,
    MoneyView,
    NextView,
    PaceView,
    UnitsView,
    WorkerView,
)
from dropengine.terminal.night import Night, Sight

NOW_MS = 1_800_000_000_000
ALARM = AlarmView("away", "", "The shop cannot sell now.", "Nothing is lost.")


class Clock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def pace(commands: list[int], now_ms: int = NOW_MS, each_ms: int = 15_000) -> PaceView:
    """The newest stretches are these; before them nothing was decided."""
    counts = [0] * (60 - len(commands)) + commands
    last = now_ms // each_ms
    some = [2.5 * bool(count) for count in counts]
    return PaceView((last - 59) * each_ms, each_ms, counts, some, [4 * one for one in some])


def desk(now_ms: int = NOW_MS, **more: Any) -> Desk:
    found = Desk(
        now=now_ms,
        seq=12,
        units=UnitsView(200, 60, 7, 50, 80, 3),
        money=MoneyView(192_000, 2_400, 4, 1),
        line=LineView(
            23,
            7,
            [NextView(n, "pin@north", 1 + n % 2, boost=n == 3) for n in range(3, 23)],
            [EndView("h1", "pin@north", 1, "cart", now_ms + 60_000)],
        ),
        pace=pace([40, 80], now_ms),
        funnel=FunnelView(1_234, 50, 6, 80, 9),
        refused={"all_held": 300, "limit": 2},
        health=HealthView("ok", "", True, 3, [WorkerView(77, 617, 0.1, 0.4)]),
        alarms=[],
        feed=[FeedView(n, now_ms - 1_000 * n, f"{n} held, {n} paid") for n in range(30)],
        people=["ada"],
    )
    return msgspec.structs.replace(found, **more)


def sight(now_ms: int = NOW_MS, **more: Any) -> Sight:
    """Fields of the drop, or of its desk."""
    own = {name: more.pop(name) for name in [*more] if name in Sight.__struct_fields__}
    found = Sight(
        "lamp", "Night lamp", "UTC", "EUR", "live", "", 0, now_ms + 7_200_000, desk(now_ms, **more)
    )
    return msgspec.structs.replace(found, **own)


def night(*sights: Sight, clock: Clock | None = None) -> Night:
    """These were seen, a second apart."""
    at = clock or Clock()
    found = Night(at)
    for one in sights:
        at.s += 1
        found.see(one)
    return found
