"""Under which id a payment is made.

Payments are counted, so after a restore one is born again under the same name for somebody else. An
intent is one attempt of one life of the truth: its id names what the payment and its holds are as
well. What was begun before there were payments is still paid and asked for under its hold's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from dropengine.log.layouts import INTENTS_NAME_HOLDS, PAYS_TOGETHER
from dropengine.log.replay import Truth
from dropengine.model import DropId, HoldId, HoldRecord, PaymentRecord, ShopId
from dropengine.truth.store import Store

DIGEST_BYTES = 16
_HOLD = msgspec.msgpack.Decoder(HoldRecord)


def intent_id(
    shop: ShopId,
    drop: DropId,
    payment: str,
    record: PaymentRecord,
    holds: Sequence[HoldRecord],
) -> str:
    """One intent per payment, so two tabs that begin paying the same holds pay the same thing.

    record, holds: as they are kept, in the payment's order. What counts of them does not change
    once paying has begun.
    """
    began = [
        (name, one.begun_by or one.fan, one.start_ms, one.qty, one.price)
        for name, one in zip(record.holds, holds, strict=True)
    ]
    terms = (record.way, record.amount, record.currency, record.all, record.provider)
    return f"{drop}.{payment}.{_digest((shop, drop, payment, began, terms))}"


def intent_id_of_hold(shop: ShopId, drop: DropId, hold: HoldId, record: HoldRecord) -> str:
    """The same for a hold by itself, as it was before layout 8."""
    began = record.begun_by or record.fan
    said = (shop, drop, hold, began, record.start_ms, record.qty, record.price)
    return f"{_older_id(drop, hold)}.{_digest(said)}"


def _digest(said: object) -> str:
    return hashlib.sha256(msgspec.json.encode(said)).digest()[:DIGEST_BYTES].hex()


def _older_id(drop: DropId, hold: HoldId) -> str:
    return f"{drop}.{hold}"


class IntentIds:
    """The ids of one shop's intents. Every method raises errors.Unavailable without the server."""

    def __init__(self, shop: ShopId, store: Store) -> None:
        self._shop = shop
        self._store = store

    async def now(self, drop: DropId, payment: str) -> str | None:
        """The one under which this payment is made; None when there is no such payment."""
        found = await self.all(drop, payment)
        return found[0] if found else None

    async def all(self, drop: DropId, payment: str) -> list[str]:
        """Every one that this payment may have begun under, the one that it has now first; none
        without such a payment. `payment` may be a hold, of before there were payments.

        Where the drop was published by an engine that named intents otherwise, those names are
        among them.
        """
        record = await self._store.payment(drop, payment)
        if record is None:
            return await self._of_hold(drop, HoldId(payment))
        holds = await self.holds(drop, record)
        if len(holds) < len(record.holds):
            return []
        own = intent_id(self._shop, drop, payment, record, holds)
        layout = await self._store.published_layout(drop)
        older = [
            name
            for hold, one in zip(record.holds, holds, strict=True)
            for name in self._older(drop, HoldId(hold), one, layout)
        ]
        return [*older, own] if _adopted(record) else [own, *older]

    async def holds(self, drop: DropId, record: PaymentRecord) -> list[HoldRecord]:
        """What a payment is for, in its order, as it is kept."""
        rows = await self._store.records(drop, "holds", record.holds)
        return [_HOLD.decode(raw) for raw in rows if raw is not None]

    async def of_all(self, drop: DropId, truth: Truth) -> dict[str, str]:
        """Every one that payments of this drop may have begun under, and for which payment each
        is, or for which hold of before there were payments."""
        layout = await self._store.published_layout(drop)
        found: dict[str, str] = {}
        for hold, one in truth.holds.items():
            for name in self._older(drop, HoldId(hold), one, layout):
                found[name] = one.payment or hold
        for payment, record in truth.payments.items():
            holds = _of(truth.holds, record.holds)
            found[intent_id(self._shop, drop, payment, record, holds)] = payment
        return found

    async def _of_hold(self, drop: DropId, hold: HoldId) -> list[str]:
        record = await self._store.hold(drop, hold)
        if record is None:
            return []
        return self._older(drop, hold, record, await self._store.published_layout(drop))

    def _older(self, drop: DropId, hold: HoldId, record: HoldRecord, layout: int) -> list[str]:
        """Those that name a hold alone."""
        if layout >= PAYS_TOGETHER:
            return []
        named = intent_id_of_hold(self._shop, drop, hold, record)
        return [named, _older_id(drop, hold)] if layout < INTENTS_NAME_HOLDS else [named]


def _adopted(record: PaymentRecord) -> bool:
    """Was it made of a hold whose paying began before there were payments? It is paid where it was
    begun then."""
    return not record.provider and not record.way and len(record.holds) == 1


def _of(holds: Mapping[str, HoldRecord], names: Sequence[str]) -> list[HoldRecord]:
    return [holds[name] for name in names]
