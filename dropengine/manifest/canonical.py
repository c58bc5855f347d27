"""The one form of a manifest that is hashed and kept, and what the scripts need of it.

JSON with sorted keys, no spaces, UTF-8, times as whole milliseconds, in which every default is
spelled out. Equal rules have equal bytes. A drop without a pace says nothing of one, as drops did
before there was a pace, one that counts no networks nothing of them, one without the rule
`identity` nothing of that, and one that calls at all hours nothing of its hours: what was published
keeps its bytes and its hash.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from dropengine.errors import ManifestError
from dropengine.events import (
    CallingHours,
    CarriedFrom,
    PublishedCohort,
    PublishedItem,
    PublishedPool,
    PublishedWay,
    Rules,
)
from dropengine.manifest.manifest import Manifest
from dropengine.manifest.zones import offsets
from dropengine.randomness import Source

LATER: Final = (
    *("calls", "window_ms", "first_offer_ms", "tickets_most", "randomness"),
    *("cohorts", "public_ms", "carried", "domain_most", "points_until"),
    *("ways", "hand_ms", "hand_share"),
)
"""Rules that came later than the scripts that read all of them."""


def canonical(manifest: Manifest) -> bytes:
    """The bytes that are hashed and kept."""
    return msgspec.json.encode(manifest, order="sorted")


def digest(manifest: Manifest) -> str:
    """SHA-256 of the canonical form, 64 hex digits: what the log's first event carries."""
    return hashlib.sha256(canonical(manifest)).hexdigest()


def from_canonical(kept: bytes) -> Manifest:
    """What `canonical` made -> the manifest. Raises ManifestError for any other bytes."""
    try:
        manifest = msgspec.json.decode(kept, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError("kept manifest", [str(error)]) from None
    if canonical(manifest) != kept:
        raise ManifestError("kept manifest", ["these bytes are not in the canonical form"])
    return manifest


def what_scripts_read(rules: Rules) -> dict[str, Any]:
    """The rules without what says nothing: every press reads them."""
    told: dict[str, Any] = msgspec.to_builtins(rules)
    return {name: value for name, value in told.items() if value or name not in LATER}


def rules(manifest: Manifest, now_ms: int = 0, chance: Source | None = None) -> Rules:
    """What the scripts need of it. Pools keep the manifest's order, which numbers the lines.
    now_ms: when it is published (UTC); the clocks of its zone are known from then on. chance: where
    it comes from, where arrivals are given out by it."""
    return Rules(
        id=manifest.id,
        mode=manifest.mode,
        currency=manifest.currency,
        opens_ms=manifest.opens_ms,
        closes_ms=manifest.closes_ms,
        limit=manifest.limit,
        k=manifest.k,
        hold_ms=manifest.hold_ms,
        offer_ms=manifest.offer_ms,
        extend_ms=manifest.extend_ms,
        pay_ms=manifest.pay_ms,
        cool_ms=manifest.cool_ms,
        lookup_ms=manifest.lookup_ms,
        practice=int(manifest.practice),
        items=[
            PublishedItem(item.id, item.cap, item.price, item.limit, item.most)
            for item in manifest.items
        ],
        pools=[
            PublishedPool(pool.id, item.id, pool.cap, pool.withheld)
            for item in manifest.items
            for pool in item.pools
        ],
        pace=manifest.pace,
        pace_ms=manifest.pace_ms,
        calls=_calls(manifest, now_ms),
        window_ms=manifest.window_ms,
        first_offer_ms=manifest.first_offer_ms,
        tickets_most=manifest.tickets_most,
        randomness=chance,
        network_most=manifest.network_most,
        domain_most=manifest.domain_most,
        cards=1,
        cohorts=[PublishedCohort(cohort.id, list(cohort.most)) for cohort in manifest.cohorts],
        public_ms=manifest.public_ms,
        carried=_carried(manifest),
        points_until="" if manifest.game is None else manifest.game.points_until,
        ways=[
            PublishedWay(way.id, way.kind, way.amount, way.off, list(way.nodes), way.until_ms)
            for way in manifest.ways
        ],
        hand_ms=manifest.hand_ms,
        hand_share=manifest.hand_share,
    )


def _carried(manifest: Manifest) -> CarriedFrom | None:
    if not manifest.carried_from:
        return None
    return CarriedFrom(manifest.carried_from, manifest.carried_hash, manifest.carried_share)


def _calls(manifest: Manifest, now_ms: int) -> CallingHours | None:
    if manifest.calls_from_ms == manifest.calls_to_ms:
        return None
    return CallingHours(
        zone=manifest.zone,
        from_ms=manifest.calls_from_ms,
        to_ms=manifest.calls_to_ms,
        offsets=offsets(manifest.zone, now_ms),
    )
