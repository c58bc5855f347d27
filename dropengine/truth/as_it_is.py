"""A drop as it is, read from its records without a script: nothing of it is settled or noted."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from dropengine.errors import ManifestError, NewerSchema
from dropengine.manifest import Manifest, Pool
from dropengine.model import DropId, DropState
from dropengine.truth.record_layouts import pool_record
from dropengine.truth.store import Store

SELLS = (DropState.LIVE, DropState.PAUSED, DropState.CLOSING)
"""Somebody may hold, pay or wait for his turn."""


class Selling(NamedTuple):
    """opens_ms: of one that opens soon; 0 of one that sells now."""

    drop: DropId
    opens_ms: int


async def as_it_is(store: Store, drop: DropId) -> Manifest | None:
    """Its rules, with what its maker withholds by now; None of a drop that is none. Raises
    Unavailable."""
    shown = await store.show(drop)
    if shown is None:
        return None
    pools = [pool.id for item in shown.manifest.items for pool in item.pools]
    rows = await store.records(drop, "pools", pools)
    found = {
        pool: pool_record(row).withheld
        for pool, row in zip(pools, rows, strict=True)
        if row is not None
    }
    return withholding(shown.manifest, found)


def withholding(drop: Manifest, withheld: dict[str, int]) -> Manifest:
    """The drop with so many units withheld, by pool: some were added or withdrawn since it was
    published."""

    def now(pool: Pool) -> Pool:
        return msgspec.structs.replace(pool, withheld=withheld.get(pool.id, pool.withheld))

    items = tuple(
        msgspec.structs.replace(item, pools=tuple(now(pool) for pool in item.pools))
        for item in drop.items
    )
    return msgspec.structs.replace(drop, items=items)


async def selling(store: Store, now_ms: int, within_ms: int) -> list[Selling]:
    """Drops of this shop that sell now, or open within this time. Raises Unavailable."""
    found = []
    for drop in await store.drops():
        try:
            shown = await store.show(drop)
        except (NewerSchema, ManifestError):
            # Only a newer version can tell whether it sells.
            continue
        if shown is None:
            continue
        if shown.state in SELLS:
            found.append(Selling(drop, 0))
        elif shown.state == DropState.SCHEDULED and 0 < shown.opens_ms <= now_ms + within_ms:
            found.append(Selling(drop, shown.opens_ms))
    return found
