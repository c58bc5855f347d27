"""A drop whose things come by ways, and that may be paid by hand."""

from __future__ import annotations

import msgspec

from dropengine.manifest import Way
from dropengine.truth.store import Store
from tests.kit.manifests import HOUR_MS, START_MS, manifest
from tests.kit.sale import Sale

HAND_MS = 72 * HOUR_MS
UNTIL_MS = START_MS + 200 * HOUR_MS
"""Until when things can be picked up."""

POST = Way(
    id="post",
    kind="ship",
    title="Post",
    countries=("DE",),
    nodes=(),
    amount=690,
    off=0,
    from_ms=0,
    until_ms=0,
    cash=False,
)
STALL = Way(
    id="stall",
    kind="pickup",
    title="At our stall",
    countries=(),
    nodes=("berlin",),
    amount=0,
    off=200,
    from_ms=START_MS + HOUR_MS,
    until_ms=UNTIL_MS,
    cash=True,
)


async def by_ways(store: Store, drop: str, *, hand_ms: int = HAND_MS) -> Sale:
    """Three units of a pin, of which one at a time may be paid by hand."""
    sale = Sale(store, drop)
    await sale.publish(
        msgspec.structs.replace(
            manifest(drop),
            ways=(POST, STALL),
            hand_ms=hand_ms,
            hand_share=25,
        )
    )
    await sale.creator("open")
    return sale
