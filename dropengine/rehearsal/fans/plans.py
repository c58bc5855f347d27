"""What a simulated fan will do, drawn from a seed before the drop begins.

A plan is a pure function of (seed, number, mix): the same seed makes the same people. It never
fixes how their commands meet; that is for the sale to decide.
"""

from __future__ import annotations

import random
from enum import StrEnum
from typing import Literal, TypeVar

import msgspec

Mix = Literal["plain", "hard"]
T = TypeVar("T")

OPENING_MS = 1_000
"""Most people press within this time after the opening."""


class Ending(StrEnum):
    """What becomes of the first hold. Every later one of the same fan is simply paid."""

    PAY = "pay"
    DECLINED = "declined"
    """The card is refused once, then it works."""
    SLOW = "slow"
    """The provider's word comes after a while."""
    DOUBLE = "double"
    """The provider's word comes twice."""
    LATE = "late"
    """The money comes after the deadline."""
    LAPSE = "lapse"
    RELEASE = "release"


class OfferAnswer(StrEnum):
    """What becomes of the first offer. Every later one of the same fan is claimed."""

    CLAIM = "claim"
    LAPSE = "lapse"
    DECLINE = "decline"


class Plan(msgspec.Struct, frozen=True):
    """One person. Shares are parts of the time that the drop gives: 0.5 of a hold is half of it.

    drop: which of the run's drops. early_ms: how long before the opening the page is opened,
    negative after it. tap_ms: from the opening (or from a later arrival) to the press. pools:
    positions in the drop's list of pools, the liked best first. think: share of a hold that passes
    before paying begins. answer_think: likewise for an offer. patience: holds' lengths in line
    before leaving, 0 for ever. breaks_ms: when the connection is lost, ms after the opening, 0 for
    never.
    """

    drop: int
    early_ms: int
    tap_ms: int
    impatient: bool
    pools: tuple[int, ...]
    qty: int
    fewer: bool
    twice: bool
    ending: Ending
    think: float
    extends: bool
    joins: bool
    answer: OfferAnswer
    answer_think: float
    patience: float
    breaks_ms: int
    again: bool
    """Presses or joins once more after a hold was lost."""


class Part(msgspec.Struct, frozen=True):
    """What a person does in a drop in which something gives points. shares: tells others of his
    link. came: comes by the link of one of those. own: tries his own link, which is refused. plays:
    does missions; wrong: says something else first. shown: lets his name stand on the board."""

    shares: bool
    came: bool
    own: bool
    plays: bool
    wrong: bool
    shown: bool


def part(seed: int, number: int) -> Part:
    """Of the person `number` of the crowd `seed`; his plan is as it is without a game."""
    draw = random.Random(f"{seed}/game/{number}")
    shares = draw.random() < 0.15
    return Part(
        shares=shares,
        came=draw.random() < 0.5,
        own=draw.random() < 0.05,
        plays=draw.random() < 0.5,
        wrong=draw.random() < 0.2,
        shown=draw.random() < 0.2,
    )


class Bundle(msgspec.Struct, frozen=True):
    """What a person takes and pays together. basket: presses for all that he likes at once; all: or
    for nothing. together: pays all that he holds as one. unpays: thinks again once payment has
    begun. way: which of several ways, from 0 to 1."""

    basket: bool
    all: bool
    together: bool
    unpays: bool
    way: float


def bundle(seed: int, number: int) -> Bundle:
    """Of the person `number` of the crowd `seed`; his plan is as it is without one."""
    draw = random.Random(f"{seed}/bundle/{number}")
    return Bundle(
        basket=draw.random() < 0.15,
        all=draw.random() < 0.2,
        together=draw.random() < 0.5,
        unpays=draw.random() < 0.05,
        way=draw.random(),
    )


_ENDINGS = {
    Ending.PAY: 60,
    Ending.DECLINED: 9,
    Ending.SLOW: 6,
    Ending.DOUBLE: 5,
    Ending.LATE: 7,
    Ending.LAPSE: 8,
    Ending.RELEASE: 5,
}
_ANSWERS = {OfferAnswer.CLAIM: 80, OfferAnswer.LAPSE: 11, OfferAnswer.DECLINE: 9}


def plan(seed: int, number: int, mix: Mix, *, drops: int = 1, pools: int = 1) -> Plan:
    """The person `number` of the crowd `seed`. `pools`: how many the drop has to choose from."""
    draw = random.Random(f"{seed}/{mix}/{number}")
    hard = mix == "hard"
    late_arrival = draw.random() < 0.12
    return Plan(
        drop=number % drops,
        early_ms=-draw.randrange(200, 4_000) if late_arrival else draw.randrange(500, 20_000),
        tap_ms=_tap_ms(draw),
        impatient=draw.random() < 0.08,
        pools=_taste(draw, pools, hard=hard),
        qty=_weighted(draw, {1: 55, 2: 28, 3: 17} if hard else {1: 82, 2: 18}),
        fewer=draw.random() < 0.4,
        twice=draw.random() < 0.1,
        ending=_weighted(draw, _ENDINGS),
        think=round(draw.betavariate(1.3, 6.0), 3),
        extends=draw.random() < 0.08,
        joins=draw.random() < 0.9,
        answer=_weighted(draw, _ANSWERS),
        answer_think=round(draw.betavariate(1.2, 5.0), 3),
        patience=round(draw.uniform(0.3, 3.0), 3) if draw.random() < 0.1 else 0.0,
        breaks_ms=draw.randrange(50, 4_000) if draw.random() < 0.12 else 0,
        again=draw.random() < 0.7,
    )


def _tap_ms(draw: random.Random) -> int:
    """Reaction times: a crowd that waits with the finger on the button, and some who look first."""
    if draw.random() < 0.85:
        return min(int(draw.gammavariate(2.0, 180.0)), OPENING_MS - 1)
    return draw.randrange(OPENING_MS, 4 * OPENING_MS)


def _taste(draw: random.Random, pools: int, *, hard: bool) -> tuple[int, ...]:
    liked = draw.randint(1, min(pools, 4)) if hard else min(pools, 1 + (draw.random() < 0.5))
    return tuple(draw.sample(range(pools), liked))


def _weighted(draw: random.Random, weights: dict[T, int]) -> T:
    return draw.choices(list(weights), list(weights.values()))[0]
