"""One figure of a report: its numbers, what they mean, and what they stand on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median_low
from typing import Literal

from msgspec import Struct

Number = int | float | None
"""None: there is nothing yet that it could be computed from."""
LOG: Literal["log"] = "log"
COUNTED: Literal["counted"] = "counted"

BOUNDS_S = (5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400)


class Figure(Struct, frozen=True):
    """values: by pool, reason, channel or time; a single number stands under ''. stands_on: the
    log, from which anybody computes the same, or what the workers counted. says: its definition."""

    name: str
    unit: str
    stands_on: Literal["log", "counted"]
    says: str
    values: Mapping[str, Number]


def ratio(part: int, whole: int) -> float | None:
    """part / whole, to four digits; None of nothing."""
    return round(part / whole, 4) if whole else None


def histogram(times_ms: Sequence[int]) -> dict[str, Number]:
    """How many took at most so long, not counting those of the bound before; their number, and the
    time that half of them took at most."""
    found: dict[str, Number] = {"count": len(times_ms)}
    found["median_ms"] = median_low(times_ms) if times_ms else None
    below = 0
    for bound in BOUNDS_S:
        within = sum(time <= bound * 1000 for time in times_ms)
        found[f"up to {bound} s"] = within - below
        below = within
    found["longer"] = len(times_ms) - below
    return found


def with_total(values: Mapping[str, int]) -> dict[str, Number]:
    """By pool, and under '' all of them."""
    return {"": sum(values.values()), **values}


def by_time(moments: Iterable[tuple[str, int, int]], width_ms: int) -> dict[str, Number]:
    """moments: (pool, ms since the opening, units). Units by pool and by the beginning of each
    stretch of time in which there were any, as `pin 120 s`."""
    found: dict[str, Number] = {}
    for pool, at_ms, units in sorted(moments):
        name = f"{pool} {at_ms // width_ms * width_ms // 1000} s"
        found[name] = (found.get(name) or 0) + units
    return found
