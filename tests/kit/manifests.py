"""Small published drops for tests: one call gives a manifest with round numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dropengine.manifest import (
    Cohort,
    Collectors,
    Friends,
    GameRules,
    Item,
    Manifest,
    Mission,
    Pool,
)

START_MS = 1_800_000_000_000
"""When test drops are published: 15 January 2027, 08:00 UTC. Drops of tests run on a clock that
tests move."""
HOUR_MS = 3_600_000
CALLS = {"calls_from_ms": 8 * HOUR_MS, "calls_to_ms": 22 * HOUR_MS}
"""The hours of the line, as drops have them that do not say."""

HOLD_MS = 480_000
OFFER_MS = 1_800_000
EXTEND_MS = 120_000
PAY_MS = 180_000
COOL_MS = 60_000
LOOKUP_MS = 90_000
WINDOW_MS = 300_000
FIRST_OFFER_MS = 600_000
TIMES = {
    "hold_ms": (480_000, 480_000, 120_000, 1_000, 1_800_000),
    "offer_ms": (1_800_000, 1_800_000, 120_000, 1_000, 172_800_000),
    "extend_ms": (120_000, 120_000, 0, 1_000, 1_800_000),
    "pay_ms": (180_000, 180_000, 30_000, 1_000, 1_800_000),
    "cool_ms": (60_000, 60_000, 1_000, 3_600_000),
    "lookup_ms": (90_000, 90_000, 10_000, 1_000, 1_800_000),
}
"""What is usual, the least of a sale and of a practice, and the most: each may be far longer or
shorter than the others."""


def item(
    name: str,
    pools: Mapping[str, int],
    *,
    price: int = 2400,
    limit: int = 0,
    most: int = 3,
    withheld: Mapping[str, int] | None = None,
) -> Item:
    """`pools`: pool id -> cap; `withheld`: pool id -> units of it that are not for sale yet."""
    kept = withheld or {}
    return Item(
        id=name,
        title=name.title(),
        about="",
        price=price,
        cap=sum(pools.values()),
        limit=limit,
        most=most,
        pools=tuple(
            Pool(id=pool, node="", cap=cap, withheld=kept.get(pool, 0))
            for pool, cap in pools.items()
        ),
    )


def manifest(
    drop: str,
    *items: Item,
    limit: int = 3,
    k: int = 3,
    opens_ms: int = 0,
    closes_ms: int = 0,
    pace: int = 0,
    pace_ms: int = 0,
    calls_from_ms: int = 0,
    calls_to_ms: int = 0,
    network_most: int = 0,
    domain_most: int = 0,
) -> Manifest:
    """pace: as often as a fan likes, unless it is said; calls: at all hours; no network is
    counted."""
    return Manifest(
        id=drop,
        title="Test drop",
        maker="Tests",
        story="",
        mode="rush",
        opens_ms=opens_ms,
        closes_ms=closes_ms,
        zone="UTC",
        currency="EUR",
        limit=limit,
        k=k,
        hold_ms=HOLD_MS,
        offer_ms=OFFER_MS,
        extend_ms=EXTEND_MS,
        pay_ms=PAY_MS,
        cool_ms=COOL_MS,
        lookup_ms=LOOKUP_MS,
        practice=False,
        pace=pace,
        pace_ms=pace_ms,
        calls_from_ms=calls_from_ms,
        calls_to_ms=calls_to_ms,
        network_most=network_most,
        domain_most=domain_most,
        items=items or (item("pin", {"pin": 3}),),
    )


def early(text: Manifest, public_ms: int = 0, **most: int | Sequence[int]) -> Manifest:
    """The same drop with cohorts: each by its name, with the units that it may have of each pool.
    Who is in them is for tests to say."""
    pools = sum(len(one.pools) for one in text.items)
    cohorts = tuple(
        Cohort(
            id=name,
            title=name.title(),
            most=(units,) * pools if isinstance(units, int) else tuple(units),
            listed=True,
            codes=False,
            bought=(),
            missed=(),
        )
        for name, units in most.items()
    )
    return msgspec.structs.replace(text, cohorts=cohorts, public_ms=public_ms)


WORD = Mission(id="word", title="The word", kind="code", worth=3, ends_ms=0)


def playing(text: Manifest, identity: str = "verified", until: str = "close") -> Manifest:
    """The same drop with a game in its line: friends who count at once, earlier drops where there
    are persons, and a word."""
    friends = Friends(worth=2, most=10, delay_ms=0, network_most=3, domain_most=5)
    collectors = Collectors(bought=1, missed=1, most=3) if identity == "verified" else None
    game = GameRules(points_until=until, friends=friends, collectors=collectors, missions=(WORD,))
    return msgspec.structs.replace(text, identity=identity, game=game)


def carrying(text: Manifest, share: int = 50, digest: str = "ab" * 32) -> Manifest:
    """The same drop, which carries over the places of an earlier one."""
    over = {"carried_from": "before", "carried_hash": digest, "carried_share": share}
    return msgspec.structs.replace(text, identity="verified", guests_may_enter=False, **over)


def in_mode(text: Manifest, mode: str, tickets_most: int = 1) -> Manifest:
    """The same drop in another mode; guests may enter its list."""
    if mode == "rush":
        return text
    return msgspec.structs.replace(
        text,
        mode=mode,
        window_ms=WINDOW_MS,
        first_offer_ms=FIRST_OFFER_MS,
        tickets_most=tickets_most,
        guests_may_enter=True,
    )
