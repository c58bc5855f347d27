"""Acts upon a line, for the benchmarks that need one: fans join, units come back, offers are bought
or let go. They go straight to the scripts, so that only the shop's own work is measured."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from dropengine import outcomes, wire
from dropengine.creator_commands import Add
from dropengine.model import DropId, FanId
from dropengine.truth.store import Store
from loadtest.bench.measured_shop import POOL

T = TypeVar("T")

BATCH = 256
PRICE = 100
ENDLESS = 1000
"""Questions to the log before an offer that never comes is a fault."""


class Line:
    """The line for `POOL` of one drop."""

    def __init__(self, store: Store, drop: DropId) -> None:
        self.store = store
        self.drop = drop
        self.entries: dict[FanId, str] = {}
        """Entries that waited when we saw them last, in order of arrival."""
        self._seq = 0

    async def join(self, fans: Sequence[FanId]) -> None:
        """They stand in line, in this order. Who gets a unit at once, because nobody there is ready
        for it, gives it back and goes."""
        for batch in _batches(fans):
            commands = [(fan, wire.Join(0, secrets.token_hex(8), [POOL])) for fan in batch]
            held: list[tuple[FanId, str]] = []
            for fan, outcome in zip(
                batch, await self.store.press(self.drop, commands), strict=True
            ):
                assert isinstance(outcome, outcomes.Joined | outcomes.Held), outcome
                if isinstance(outcome, outcomes.Held):
                    held.append((fan, outcome.id))
                else:
                    self.entries[fan] = outcome.id
            await self.decline(held)

    async def leave(self, fans: Sequence[FanId]) -> None:
        """They go, from wherever they stand."""
        for batch in _batches(fans):
            commands = [
                (fan, wire.Leave(0, secrets.token_hex(8), self.entries.pop(fan))) for fan in batch
            ]
            await self.store.press(self.drop, commands)

    async def add(self, units: int) -> None:
        """Withheld units become free, and go to the head of the line."""
        shown = await self.store.show(self.drop)
        assert shown is not None
        done = await self.store.command(
            self.drop,
            Add(POOL, units),
            revision=shown.revision,
            by="o1",
            key=secrets.token_hex(8),
        )
        assert isinstance(done, outcomes.Changed), done

    async def offers(self) -> list[tuple[FanId, str]]:
        """Offers made since the last call that stand still: the fan and the hold.

        One that is made after a call and goes back before the next, because its fan left, is none.
        """
        standing: dict[str, FanId] = {}
        async for text in self.store.log(self.drop, self._seq):
            event = msgspec.json.decode(text)
            self._seq = event["seq"]
            if event["e"] == "offered":
                standing[event["hold"]] = FanId(event["fan"])
            elif event["e"] in ("declined", "lapsed"):
                standing.pop(event["hold"], None)
        return [(fan, hold) for hold, fan in standing.items()]

    async def exactly(self, count: int) -> list[tuple[FanId, str]]:
        """So many offers, as they come."""
        found: list[tuple[FanId, str]] = []
        for _ in range(ENDLESS):
            found += await self.offers()
            if len(found) >= count:
                return found
            # The next script serves the rest.
            await self.store.settle(self.drop)
            await asyncio.sleep(0)
        raise AssertionError(f"{len(found)} offers came, not {count}")

    async def buy(self, offers: Sequence[tuple[FanId, str]]) -> None:
        """They claim, press pay, and the provider says that the money is there."""
        for batch in _batches(offers):
            commands = [(fan, wire.Pay(0, secrets.token_hex(8), [hold])) for fan, hold in batch]
            payments = []
            for outcome in await self.store.press(self.drop, commands):
                assert isinstance(outcome, outcomes.Paying), outcome
                payments.append(outcome.id)
            ended = await asyncio.gather(*(self._paid(payment) for payment in payments))
            for (fan, _), paid in zip(batch, ended, strict=True):
                assert isinstance(paid, outcomes.Paid), paid
                self.entries.pop(fan, None)

    async def _paid(self, payment: str) -> outcomes.PaymentOutcome:
        charge = f"charge-{payment}"
        return await self.store.succeeded(self.drop, payment, charge, PRICE, "EUR", True)

    async def decline(self, offers: Iterable[tuple[FanId, str]]) -> None:
        """They give it back: an entry waits again the first time, the second is final."""
        commands = [(fan, wire.Release(0, secrets.token_hex(8), hold)) for fan, hold in offers]
        if commands:
            await self.store.press(self.drop, commands)


def _batches(all_of_them: Sequence[T]) -> Iterable[Sequence[T]]:
    return (all_of_them[i : i + BATCH] for i in range(0, len(all_of_them), BATCH))
