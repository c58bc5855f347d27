"""Holds every minute what the providers keep against what the drops say, at start first.

Money that a drop does not know of is told to it, and becomes an order or goes back; an order
without its money, and what else two rounds in turn found alike, is shown to a person. What
providers keep for themselves is noted on the way. One worker does it while it has the lease; two
may, since all of it is harmless to repeat.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from dropengine.errors import DatabaseAway
from dropengine.jobs.lease import Lease
from dropengine.model import DropId
from dropengine.payments import reconciliation
from dropengine.payments.configured import Configured
from dropengine.payments.fees import Fees
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.port import Kept, Unknown
from dropengine.payments.reconciliation import Difference, Then
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
LEASE_MS: Final = 90_000
EARLIER_MS: Final = 24 * 3600 * 1000
"""A provider's clock may be another: it is asked from a day before the first drop on."""
SHOWN_MAX: Final = 200
SHOWN: Final = "money"
"""The list that workers share, by drop."""


class Amiss(msgspec.Struct, frozen=True):
    """A difference that a person has to see to. payment: or an order of before there were any. log:
    what the drop says. at, charge, amount: what the provider keeps, if anything. since_ms: when it
    was found first."""

    payment: str
    log: str
    at: str
    charge: str
    amount: int
    since_ms: int


class Reconciling:
    """One round over every drop that the server has."""

    name = "reconciling"
    every_s = EVERY_S

    def __init__(
        self,
        store: Store,
        providers: Configured,
        intents: IntentIds,
        fees: Fees,
        *,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._store = store
        self._providers = providers
        self._intents = intents
        self._fees = fees
        self._clock_ms = clock_ms
        self._lease = Lease(store, self.name, LEASE_MS)
        self._seen: dict[DropId, dict[tuple[str, str, str], int]] = {}
        """What the last round found -> since when, ms."""
        self._agreed: dict[DropId, tuple[int, dict[str, list[Kept]]]] = {}
        """How long the log was and what was kept where nothing differed: so long nothing does."""
        self.differences: dict[DropId, int] = {}
        """Drop -> how many are shown, 0 where all agrees; of drops that this worker looks after."""

    async def round(self) -> None:
        """Raises Unavailable."""
        await self._lease.renew()
        if not self._lease.held:
            self._seen.clear()
            self._agreed.clear()
            self.differences.clear()
            return
        drops = [drop for drop in await self._store.drops() if not await self._store.waits(drop)]
        self.differences = {d: count for d, count in self.differences.items() if d in drops}
        if not drops:
            return
        since_ms = min([await self._store.house.listed_ms(drop) for drop in drops]) - EARLIER_MS
        kept = await self._kept(since_ms)
        await self._note(kept)
        for drop in drops:
            await self._look(drop, kept)

    async def _kept(self, since_ms: int) -> dict[str, Sequence[Kept]]:
        """What each provider keeps; one that does not say is asked in the next round."""
        kept: dict[str, Sequence[Kept]] = {}
        for name, provider in self._providers.built.items():
            answer = await provider.kept(since_ms)
            if isinstance(answer, Unknown):
                log.info("%s does not say what was paid: %s", name, answer.why)
            else:
                kept[name] = answer
        return kept

    async def _note(self, kept: Mapping[str, Sequence[Kept]]) -> None:
        """Fees are noted in a later round where SQL is away: money goes on without them."""
        try:
            for name, rows in kept.items():
                await self._fees.note(name, rows, self._clock_ms())
        except DatabaseAway as error:
            log.info("fees are not noted yet: %s", error)

    async def _look(self, drop: DropId, kept: dict[str, Sequence[Kept]]) -> None:
        store, providers, intents = self._store, self._providers, self._intents
        shown_now = await store.show(drop)
        rows = {name: [one for one in all_ if one.drop == drop] for name, all_ in kept.items()}
        looked = (0 if shown_now is None else shown_now.seq, rows)
        if self._agreed.get(drop) == looked:
            return
        self._agreed.pop(drop, None)
        found = await reconciliation.compare(store, providers, intents, drop, kept)
        faults = await reconciliation.give_back(providers, drop, found)
        faults += await reconciliation.tell(store, providers, intents, drop, found)
        for fault in faults:
            log.warning("%s: %s", drop, fault)
        if not found.differences:
            self._agreed[drop] = looked
        # What moves is found differently by the next round; what was told is judged by then.
        before, now_ms = self._seen.get(drop, {}), self._clock_ms()
        self._seen[drop] = {_name(one): before.get(_name(one), now_ms) for one in found.differences}
        await self._show(
            drop,
            [_amiss(one, before[_name(one)]) for one in found.differences if _name(one) in before],
        )

    async def _show(self, drop: DropId, rows: list[Amiss]) -> None:
        if len(rows) > self.differences.get(drop, 0):
            log.error("%s: %d differences of money, see to them: %s", drop, len(rows), rows[:8])
        self.differences[drop] = len(rows)
        packed = msgspec.msgpack.encode(rows[:SHOWN_MAX]) if rows else b""
        await self._store.house.show(SHOWN, drop, packed)


async def shown(store: Store, drop: DropId) -> list[Amiss]:
    """What whoever looks after it found of this drop last. Raises Unavailable."""
    row = await store.house.shown(SHOWN, drop)
    return msgspec.msgpack.decode(row, type=list[Amiss]) if row else []


def _name(one: Difference) -> tuple[str, str, str]:
    return one.payment, one.log, "" if one.paid is None else one.paid.charge


def _amiss(one: Difference, since_ms: int) -> Amiss:
    log_says = one.log if one.then is Then.PERSON else f"{one.log}: {one.then}"
    if one.paid is None:
        return Amiss(one.payment, log_says, one.at, "", 0, since_ms)
    return Amiss(one.payment, log_says, one.at, one.paid.charge, one.paid.amount, since_ms)
