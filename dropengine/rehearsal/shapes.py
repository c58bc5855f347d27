"""How a crowd comes: the people of `fans.plans`, at the moments of a shape."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

import msgspec

from dropengine.rehearsal.fans import plans
from dropengine.rehearsal.fans.plans import Plan
from dropengine.rehearsal_report import Shape

BUILD_MS: Final = 15_000
"""One after another within this time."""
WAVE_MS: Final = (7_000, 9_000)
"""When the second half comes."""
STORM_MS: Final = (1_000, 1_200)
"""When everybody loses the connection."""
LATE_MS: Final = 9_000
"""Whoever comes late or looks first has come and pressed by then."""


class Shaped(NamedTuple):
    """arrivals_s: by this time after the opening everybody has come and pressed."""

    people: list[Plan]
    arrivals_s: float


def shaped(shape: Shape, seed: int, fans: int, pools: int) -> Shaped:
    """The same seed makes the same people. pools: how many the drop has to choose from."""
    people = [_moved(shape, seed, number, pools) for number in range(fans)]
    latest_ms = max((-one.early_ms for one in people), default=0)
    return Shaped(people, (max(0, latest_ms) + LATE_MS) / 1000)


def _moved(shape: Shape, seed: int, number: int, pools: int) -> Plan:
    person = plans.plan(seed, number, "plain", pools=pools)
    draw = random.Random(f"{seed}/{shape}/{number}")
    match shape:
        case "burst":
            return person
        case "build":
            return msgspec.structs.replace(person, early_ms=-draw.randrange(1, BUILD_MS))
        case "wave":
            late = {"early_ms": -draw.randrange(*WAVE_MS)} if number % 2 else {}
            return msgspec.structs.replace(person, **late)
        case "storm":
            return msgspec.structs.replace(person, breaks_ms=draw.randrange(*STORM_MS))
