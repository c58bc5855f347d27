"""Under which id a hold is paid.

Holds are counted, so after a restore a hold is born again under the same name for somebody else. An
intent is one attempt of one life of the truth: its id names what the hold is as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from dropengine.log.layouts import INTENTS_NAME_HOLDS
from dropengine.model import DropId, HoldId, HoldRecord, ShopId
from dropengine.truth.store import Store

DIGEST_BYTES = 16


def intent_id(shop: ShopId, drop: DropId, hold: HoldId, record: HoldRecord) -> str:
    """One intent per hold, so two tabs that begin paying one hold pay the same thing.

    record: as it is kept. What counts of it does not change once paying has begun.
    """
    began = record.begun_by or record.fan
    said = (shop, drop, hold, began, record.start_ms, record.qty, record.price)
    digest = hashlib.sha256(msgspec.json.encode(said)).digest()[:DIGEST_BYTES]
    return f"{_older_id(drop, hold)}.{digest.hex()}"


def _older_id(drop: DropId, hold: HoldId) -> str:
    return f"{drop}.{hold}"


class IntentIds:
    """The ids of one shop's intents. Every method raises errors.Unavailable without the server."""

    def __init__(self, shop: ShopId, store: Store) -> None:
        self._shop = shop
        self._store = store

    async def now(self, drop: DropId, hold: HoldId) -> str | None:
        """The one under which a payment of this hold begins; None when there is no such hold."""
        record = await self._store.hold(drop, hold)
        return None if record is None else intent_id(self._shop, drop, hold, record)

    async def all(self, drop: DropId, hold: HoldId) -> list[str]:
        """Every one that a payment of this hold may have begun under; none without such a hold.

        Where the drop was published by an engine that named intents by their hold alone, that name
        is among them.
        """
        intent = await self.now(drop, hold)
        if intent is None:
            return []
        if await self._store.published_layout(drop) < INTENTS_NAME_HOLDS:
            return [intent, _older_id(drop, hold)]
        return [intent]

    async def of_all(self, drop: DropId, holds: Mapping[str, HoldRecord]) -> dict[str, HoldId]:
        """Every one that payments of these holds may have begun under, and for which hold each
        is."""
        found = {intent_id(self._shop, drop, HoldId(h), one): HoldId(h) for h, one in holds.items()}
        if await self._store.published_layout(drop) < INTENTS_NAME_HOLDS:
            found |= {_older_id(drop, HoldId(hold)): HoldId(hold) for hold in holds}
        return found
