"""By hand, with a maker in hand who enters what came and ticks what he sent back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from dropengine.payments.by_hand import ByHand
from dropengine.payments.hands import bills, charges
from dropengine.payments.hands.bills import Entered
from dropengine.payments.hands.charges import Tick
from dropengine.payments.port import ProviderAnswer, Unknown
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database
from tests.kit.local_provider import SECRET
from tests.kit.webhook_receiver import Clock


class MakerByHand(ByHand):
    """He does all of it when a test says so."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, SECRET, clock=clock)
        self._book = database
        self._now = clock

    async def receive(self, intent: str, amount: int, key: str) -> Entered | None:
        now_ms = self._now()
        return await change(
            self._book, lambda sql: bills.receive(sql, intent, amount, key, "mia", now_ms)
        )

    async def send(self, tick: str) -> Tick | None:
        now_ms = self._now()
        return await change(self._book, lambda sql: charges.send(sql, tick, "mia", now_ms))


class SwiftMaker(MakerByHand):
    """He sends back what he owes as soon as he is asked, and ticks it."""

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        return await self._ticked(key, lambda: super(SwiftMaker, self).void(charge, key))

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        return await self._ticked(key, lambda: super(SwiftMaker, self).refund(charge, amount, key))

    async def _ticked(
        self, key: str, ask: Callable[[], Awaitable[ProviderAnswer]]
    ) -> ProviderAnswer:
        answer = await ask()
        if not isinstance(answer, Unknown):
            return answer
        await self.send(key)
        return await ask()
