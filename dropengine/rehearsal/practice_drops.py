"""Drops to play: the shipped examples under fresh ids, with times and caps for a rehearsal."""

from __future__ import annotations

import secrets
from importlib.resources import files
from pathlib import Path

import msgspec

from dropengine import manifest
from dropengine.errors import ManifestError
from dropengine.manifest import Item, Manifest, Pool
from dropengine.manifest.defaults import (
    FIRST_OFFERS,
    FRIENDS_OF_DOMAIN,
    FRIENDS_OF_NETWORK,
    MODES,
    TICKETS,
    WINDOWS,
)
from dropengine.manifest.game import GameRules
from dropengine.people.tickets import VERIFIED
from dropengine.rehearsal.fans.addresses import HAS_ADDRESSES

HOLD_MS = 3_000
OFFER_MS = 2_500
EXTEND_MS = 1_000
PAY_MS = 1_500
COOL_MS = 1_000
LOOKUP_MS = 1_000
DELAY_MS = 1_000
WINDOW_MS = 6_000
"""How long the list is open: everybody who waits at the page has entered by then."""


def shipped(name: str) -> Manifest:
    """A manifest by its file, or one of the examples that come with the package by its name.

    Raises ManifestError.
    """
    path = Path(name)
    example = files("dropengine") / "examples" / path.name
    try:
        if path.is_file() or not example.is_file():
            return manifest.parse(path.read_bytes(), name)
        return manifest.parse(example.read_bytes(), path.name)
    except OSError as fault:
        raise ManifestError(name, [fault.strerror or str(fault)]) from fault


def fresh_id(drop: str) -> str:
    """An id that no earlier play has: a published drop stays in the books."""
    end = secrets.token_hex(3)
    return f"{drop[: manifest.DROP_ID_CHARS_MAX - len(end) - 1].rstrip('-')}-{end}"


def in_mode(drop: Manifest, mode: str) -> Manifest:
    """The same drop with its arrivals given out another way, with the times that are usual there;
    who may act is as before."""
    if mode == drop.mode:
        return drop
    has_list = mode != MODES[0]
    return msgspec.structs.replace(
        drop,
        mode=mode,
        window_ms=WINDOWS[mode].default * 1000 if has_list else 0,
        first_offer_ms=FIRST_OFFERS[mode] * 1000 if has_list else 0,
        tickets_most=(TICKETS.default if mode == "draw" else 1) if has_list else 0,
        guests_may_enter=has_list and drop.identity != VERIFIED,
        beacon_round=drop.beacon_round if has_list else 0,
    )


def compressed(drop: Manifest, name: str, units: int | None) -> Manifest:
    """The same drop as a practice of seconds, opened by hand, to cohorts first where it has some,
    that calls at all hours; `units` on sale when given. A list is ordered by a secret: no round of
    a beacon is that near.

    Units that the drop withholds come on top, scaled alike.
    """
    played = msgspec.structs.replace(
        manifest.with_opening(drop, name, 0),
        closes_ms=0,
        practice=True,
        calls_from_ms=0,
        calls_to_ms=0,
        network_most=drop.network_most if HAS_ADDRESSES else 0,
        hold_ms=min(drop.hold_ms, HOLD_MS),
        offer_ms=min(drop.offer_ms, OFFER_MS),
        extend_ms=min(drop.extend_ms, EXTEND_MS),
        pay_ms=min(drop.pay_ms, PAY_MS),
        cool_ms=min(drop.cool_ms, COOL_MS),
        lookup_ms=min(drop.lookup_ms, LOOKUP_MS),
        window_ms=min(drop.window_ms, WINDOW_MS),
        first_offer_ms=min(drop.first_offer_ms, OFFER_MS),
        beacon_round=0,
        public_ms=0,
        carried_from="",
        carried_hash="",
        carried_share=0,
        game=hurried(drop.game),
    )
    return played if units is None else scaled(played, units)


def hurried(game: GameRules | None) -> GameRules | None:
    """A game of seconds, for a crowd that comes from few networks: friends count at once, missions
    run as long as points count, and as many of one network and mail domain count as may."""
    if game is None:
        return None
    friends = game.friends
    if friends is not None:
        friends = msgspec.structs.replace(
            friends,
            delay_ms=min(friends.delay_ms, DELAY_MS),
            network_most=FRIENDS_OF_NETWORK.most,
            domain_most=FRIENDS_OF_DOMAIN.most,
        )
    missions = tuple(msgspec.structs.replace(one, ends_ms=0) for one in game.missions)
    return msgspec.structs.replace(game, friends=friends, missions=missions)


def scaled(drop: Manifest, units: int) -> Manifest:
    """The drop with `units` on sale, spread over its pools as they are, at least one in each."""
    pools = [pool for item in drop.items for pool in item.pools]
    on_sale = sum(pool.cap - pool.withheld for pool in pools)
    if on_sale == 0 or units < len(pools):
        raise ManifestError(drop.id, [f"{units} units cannot be spread over {len(pools)} pools"])
    # The running total is rounded, not each share: so the shares add up to the units.
    given, seen, items = 0, 0, []
    for item in drop.items:
        new: list[Pool] = []
        for pool in item.pools:
            seen += pool.cap - pool.withheld
            share = max(1, units * seen // on_sale - given)
            given += share
            withheld = pool.withheld * units // on_sale
            new.append(msgspec.structs.replace(pool, cap=share + withheld, withheld=withheld))
        cap = sum(pool.cap for pool in new)
        items.append(msgspec.structs.replace(item, cap=cap, pools=tuple(new)))
    before = [pool.cap for pool in pools]
    after = [pool.cap for item in items for pool in item.pools]
    cohorts = tuple(
        msgspec.structs.replace(
            one,
            most=tuple(
                most * now // was for most, now, was in zip(one.most, after, before, strict=True)
            ),
        )
        for one in drop.cohorts
    )
    return msgspec.structs.replace(drop, items=tuple[Item, ...](items), cohorts=cohorts)
