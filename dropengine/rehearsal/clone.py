"""The drop that is rehearsed: a drop as it is, under another id, its times pressed together."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from dropengine import manifest
from dropengine.manifest import Item, Manifest
from dropengine.manifest.defaults import MODES
from dropengine.rehearsal.practice_drops import WINDOW_MS, fresh_id, hurried, in_mode
from dropengine.rehearsal_report import Time

TIME_MS_MIN: Final = 1_000
"""The least that a practice drop may have of each."""
NIGHTS_SHARE: Final = 24
"""The longest time of a drop passes so often within the minutes of its rehearsal."""
WHOLE_HOLD_MS: Final = 1_800_000
"""While load is measured nothing runs out by itself."""
TIMES: Final = {
    "hold_ms": "to pay",
    "offer_ms": "to take an offer",
    "extend_ms": "more, once, on asking",
    "pay_ms": "for the payment itself",
    "cool_ms": "until the next call of who let one pass",
    "lookup_ms": "until the provider is asked",
}
FIRST_OFFER: Final = "first_offer_ms", "to take an offer of the first round"
"""The same of a drop with a list; for how long it is open is shown, and no share of a night."""
"""What is pressed together, as people call it."""


class Clone(NamedTuple):
    """factor: times are so much shorter, but none is shorter than a second."""

    manifest: Manifest
    factor: float
    times: list[Time]


def clone(drop: Manifest, minutes: int) -> Clone:
    """The drop for a rehearsal of so many minutes: opened by hand, without a pace, which is each
    fan's own and would only slow a crowd down that plays through a night in a minute, without a
    limit for a network, since much of this crowd is one, and without quiet hours, which would stop
    the line for as long as the shop's own night. A list is open for seconds, and ordered by a
    secret: a round of a beacon may be days away. Cohorts have seconds before the others, and
    no places of an earlier drop are carried over: nobody of the crowd was there. Friends count at
    once, as many of one network as may. Nobody pays by hand: that takes days, and a maker."""
    longest_ms = max(drop.hold_ms, drop.offer_ms)
    target_ms = max(TIME_MS_MIN, minutes * 60_000 // NIGHTS_SHARE)
    factor = max(1.0, longest_ms / target_ms)
    told = TIMES | (dict([FIRST_OFFER]) if drop.first_offer_ms else {})
    pressed = {name: pressed_ms(getattr(drop, name), factor) for name in told}
    window_ms = min(drop.window_ms, WINDOW_MS)
    made = msgspec.structs.replace(
        manifest.with_opening(drop, fresh_id(drop.id), 0),
        closes_ms=0,
        practice=True,
        pace=0,
        pace_ms=0,
        network_most=0,
        calls_from_ms=0,
        calls_to_ms=0,
        beacon_round=0,
        public_ms=0,
        carried_from="",
        carried_hash="",
        carried_share=0,
        window_ms=window_ms,
        game=hurried(drop.game),
        ways=tuple(msgspec.structs.replace(way, cash=False) for way in drop.ways),
        hand_ms=0,
        hand_share=0,
        **pressed,
    )
    times = [
        Time(says, getattr(drop, name) / 1000, pressed[name] / 1000) for name, says in told.items()
    ]
    if window_ms:
        times.append(Time("to enter the list", drop.window_ms / 1000, window_ms / 1000))
    return Clone(made, round(factor, 1), times)


def pressed_ms(own_ms: int, factor: float) -> int:
    """A time of the drop in the rehearsal."""
    return min(own_ms, max(TIME_MS_MIN, round(own_ms / factor)))


def for_load(drop: Manifest, seats: int) -> tuple[Manifest, str]:
    """The clone once more, with units for everybody who presses, all in its first pool: what is
    told to screens stays as long as it is. From its opening on each mode is as a rush, so it opens
    as one, to all. Returns the drop and the pool."""
    first, *others = drop.items
    pool, *more = first.pools
    many = msgspec.structs.replace(pool, cap=2 * seats, withheld=0)
    item: Item = msgspec.structs.replace(
        first, cap=2 * seats + sum(one.cap for one in more), pools=(many, *more)
    )
    made = msgspec.structs.replace(
        in_mode(drop, MODES[0]),
        id=fresh_id(drop.id),
        hold_ms=WHOLE_HOLD_MS,
        cohorts=(),
        game=None,
        ways=(),
        items=(item, *others),
    )
    return made, pool.id
