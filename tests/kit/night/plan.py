"""What happens in one night, all of it drawn up front from the seed.

A step names people and things by what they are to each other ("what ana holds"), never by an id or
a moment that an earlier step made: so every part of a plan is a plan, and a violation is shrunk by
leaving steps out.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from dropengine.manifest import Manifest
from dropengine.truth.networks import Whence
from dropengine.truth.store import CarriedRow
from tests.kit.manifests import (
    COOL_MS,
    HOLD_MS,
    HOUR_MS,
    LOOKUP_MS,
    OFFER_MS,
    PAY_MS,
    TIMES,
    carrying,
    in_mode,
    item,
    manifest,
    playing,
)

FANS: Final = ("ana", "bo", "cy", "di", "eva", "fay", "gil", "hal")
POOLS: Final = ("pin@north", "pin@south", "lamp")
STEPS: Final = 300
"""Beside the troubles. Time asks nobody, and some come to nothing: at least `ASKED_MIN` questions
are left."""
ASKED_MIN: Final = 200
TROUBLE_SHARE: Final = 0.08
"""Of the steps: so many have a trouble before them."""
PACE_MS: Final = 20_000
TICKETS_MOST: Final = 3
WHENCE: Final[dict[str, Whence]] = {
    fan: ("hall", "town") if fan in FANS[:3] else (f"home of {fan}", "town" if fan < "fay" else fan)
    for fan in FANS
}
"""Three are in one hall, two more in its town, and each of the others far away."""
LEAP_MS: Final = 7_200_000
CARRIED_SHARE: Final = 0.35
"""Of the nights."""

MODES: Final = ("rush", "rush", "rush", "lobby", "collect", "draw")

TROUBLES: Final = {
    "kill": 2,
    "stop": 4,
    "delay": 4,
    "dropped reply": 4,
    "doubled request": 4,
    "black hole": 4,
    "full memory": 4,
    "script flush": 4,
    "client kill": 4,
    "clock leap": 2,
}
"""Every kind of fault, and how often it comes beside the others."""

VERBS: Final = {
    "press": 22,
    "join": 14,
    "together": 6,
    "claim": 10,
    "release": 10,
    "pay": 12,
    "charged": 14,
    "unpaid": 3,
    "extend": 3,
    "leave": 3,
    "confirm": 6,
    "again": 6,
    "sign_in": 3,
    "point": 8,
    "settle": 8,
    "wait": 12,
    "hours": 2,
    "seal": 3,
    "draw": 12,
    "refund": 5,
    "duties": 4,
    "pause": 2,
    "resume": 7,
    "add": 1,
    "withdraw": 1,
    "message": 1,
    "realign": 1,
}

SHORT_WAITS: Final = (5, 1_000, 1_000, 5_000, PACE_MS, COOL_MS, -COOL_MS)
LONG_WAITS: Final = (PAY_MS, LOOKUP_MS, HOLD_MS, OFFER_MS, -HOLD_MS)


@dataclass(frozen=True)
class Step:
    """verb: one of `VERBS`, or `trouble`. who: a fan, or the kind of a trouble. odd: what comes now
    and then, each verb has its own."""

    verb: str
    who: str = ""
    pools: tuple[str, ...] = ()
    qty: int = 1
    ms: int = 0
    odd: bool = False


def rules_of_night(seed: int, drop: str) -> Manifest:
    """A small drop: scarce things, two pools of one item, and every third night a pace. In half of
    all nights chance gives out the first arrivals, in half of them networks are counted, in a
    third of them places of an earlier drop are carried over, and in three of four points move
    people in the line."""
    dice = Random(f"the rules of {seed}")
    launch = Random(f"the launch of {seed}")
    stock = (
        item(
            "pin",
            {"pin@north": dice.randint(1, 4), "pin@south": dice.randint(2, 4)},
            withheld={"pin@south": dice.randint(0, 1)},
        ),
        item("lamp", {"lamp": dice.randint(1, 3)}, price=9900, limit=dice.randint(0, 1)),
    )
    pace = 4 if seed % 3 == 0 else 0
    text = manifest(
        drop,
        *stock,
        limit=dice.randint(2, 4),
        k=dice.choice((1, 2, 3)),
        pace=pace,
        pace_ms=PACE_MS if pace else 0,
        network_most=launch.choice((0, 0, 1, 3)),
    )
    text = in_mode(text, launch.choice(MODES), TICKETS_MOST)
    if places_before(seed):
        text = carrying(text, share=launch.choice((30, 50, 100)))
    game = Random(f"the game of {seed}")
    if game.random() < 0.75:
        until = "close" if text.mode == "rush" else game.choice(("seal", "close"))
        text = playing(text, "guest", until)
    if seed % 4 < 2:
        # It begins at 08:00 and calls for three hours; then an hour calls, and one is quiet.
        hours = {"calls_from_ms": 12 * HOUR_MS, "calls_to_ms": 13 * HOUR_MS}
        zone = dice.choice(("UTC", "Atlantic/Azores", "Asia/Kolkata"))
        text = msgspec.structs.replace(text, zone=zone, **hours)
    if seed % 2:
        text = msgspec.structs.replace(
            text, **{name: dice.choice(ms) for name, ms in TIMES.items()}
        )
    return text


def places_before(seed: int) -> list[CarriedRow]:
    """Who waited in vain in the earlier drop of a night, for what; nobody in most nights."""
    dice = Random(f"the places of {seed}")
    if dice.random() > CARRIED_SHARE:
        return []
    waited = dice.sample(FANS, dice.randint(2, 6))
    return [
        CarriedRow(f"e{n}", fan, dice.choice((1, 1, 2)), dice.sample(POOLS, dice.randint(1, 2)))
        for n, fan in enumerate(waited, 10)
    ]


def draw(seed: int, steps: int = STEPS) -> list[Step]:
    """The plan of a night: the same seed, the same plan."""
    dice = Random(f"the night of {seed}")
    plan: list[Step] = []
    for _ in range(steps):
        if dice.random() < TROUBLE_SHARE:
            (kind,) = dice.choices(list(TROUBLES), list(TROUBLES.values()))
            ms = dice.choice((-1, 1)) * LEAP_MS
            plan.append(Step("trouble", kind, ms=ms, odd=dice.random() < 0.5))
        (verb,) = dice.choices(list(VERBS), list(VERBS.values()))
        plan.append(_step(verb, dice))
    return plan


def _step(verb: str, dice: Random) -> Step:
    wanted = tuple(dice.sample(POOLS, dice.randint(1, len(POOLS))))
    # To the next deadline or beside it; for a short time; or for a long one.
    (waits,) = dice.choices(((-1, 0, 0, 1), SHORT_WAITS, LONG_WAITS), (5, 5, 1))
    return Step(
        verb,
        dice.choice(FANS),
        wanted,
        qty=dice.choice((1, 1, 1, 2, 3)),
        ms=dice.choice(waits),
        odd=dice.random() < 0.2,
    )
