"""A live sale with a provider beside it, both in the sale's time: it pays and does duties."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from dropengine import outcomes
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold_lines
from dropengine.payments.configured import Configured
from dropengine.payments.duties import perform
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Charged
from tests.kit.local_provider import SHOP, an_intent, only, page_of
from tests.kit.manifests import HOLD_MS, PAY_MS
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import Clock


class SaleClock(Clock):
    """The provider lives in the sale's time."""

    def __init__(self, sale: Sale) -> None:
        super().__init__()
        self._sale = sale

    def __call__(self) -> int:
        return self._sale.now


class PaidSale:
    """A live sale and a provider beside it: pays holds and does the duties that follow."""

    def __init__(self, sale: Sale, local: LocalPay, book: Path) -> None:
        self.sale = sale
        self.local = local
        self.intents = IntentIds(SHOP, sale.store)
        self.book = book

    @property
    def providers(self) -> Configured:
        """The shop has this one alone."""
        return only(self.local)

    async def begun(self, fan: str, qty: int = 1) -> str:
        """A hold whose payment began."""
        hold = await self.sale.held(fan, qty=qty)
        assert isinstance(await self.sale.pay(fan, hold), outcomes.Paying)
        return hold

    async def choose(
        self, hold: str, do: Do, after_ms: int | None = None, *, intent: str = ""
    ) -> None:
        payment = await self.payment(hold)
        record = await self.sale.payment(payment)
        # One of an older engine names its hold.
        named = intent.removeprefix(f"{self.sale.drop}.").partition(".")[0]
        wanted = an_intent(
            named or payment,
            intent=intent or await self.intent(hold),
            drop=self.sale.drop,
            amount=record.amount,
            deadline_ms=record.deadline_ms,
        )
        await self.local.act(page_of(await self.local.begin(wanted)), do, after_ms)

    async def payment(self, hold: str) -> str:
        """The payment that a hold is in, or was in last; or what names one."""
        record = await self.sale.store.hold(self.sale.drop, hold)
        return (record.payment if record is not None else "") or hold

    async def intent(self, hold: str) -> str:
        """The id that this hold is paid under."""
        intent = await self.intents.now(self.sale.drop, await self.payment(hold))
        assert intent is not None
        return intent

    async def paid(self, hold: str) -> Charged:
        await self.choose(hold, "pay")
        found = await self.local.lookup(await self.intent(hold))
        assert isinstance(found, Charged)
        return found

    async def told(self, hold: str, paid: Charged) -> outcomes.PaymentOutcome:
        payment = await self.payment(hold)
        return await self.sale.succeeded(
            payment, paid.charge, amount=paid.amount, captured=paid.captured
        )

    async def over(self) -> None:
        """All deadlines of now pass, and the sale notices."""
        self.sale.now += max(HOLD_MS, PAY_MS)
        await self.sale.settle()

    async def duties(self) -> set[str]:
        return {duty.kind for duty in (await self.sale.store.duties(self.sale.drop)).values()}

    async def work(self) -> None:
        """Every duty of the outbox, each by two workers at once."""
        sale = self.sale
        for duty_id, duty in (await sale.store.duties(sale.drop)).items():
            twice = [
                perform(sale.store, self.providers, self.intents, sale.drop, duty_id, duty)
                for _ in range(2)
            ]
            await asyncio.gather(*twice)

    async def order(self, hold: str) -> str:
        return (await self.sale.truth()).orders[hold].state

    async def charges(self) -> dict[str, str]:
        """Every charge at the provider and how it stands."""
        connection = sqlite3.connect(self.book)
        found = dict(connection.execute("SELECT id, state FROM charges").fetchall())
        connection.close()
        return found

    async def money(self) -> int:
        """What the provider took and did not give back."""
        connection = sqlite3.connect(self.book)
        (taken,) = connection.execute(
            "SELECT coalesce(sum(coalesce(captures.amount, charges.amount) - refunded), 0)"
            " FROM charges LEFT JOIN captures ON charge = id"
            " WHERE state IN ('captured', 'refunded')"
        ).fetchone()
        connection.close()
        return int(taken)

    async def adds_up(self) -> None:
        """Nothing is owed any more, and the provider's own book is that of the orders."""
        lines = [line async for line in self.sale.store.log(self.sale.drop)]
        assert judge(lines).violations == []
        truth = await self.sale.truth()
        assert difference(fold_lines(lines), truth) == []
        assert truth.outbox == {}
        charges = await self.charges()
        kept = [one for one in truth.payments.values() if one.kept]
        ids = await self.sale.store.charge_ids.of(self.sale.drop, [one.charge for one in kept])
        # An order whose capture failed brought nothing where its charge was let go.
        failed = {o.payment for o in truth.orders.values() if o.state == "capture_failed"}
        lost = {p for p in failed if charges[ids[truth.payments[p].charge]] == "voided"}
        kept = [one for name, one in truth.payments.items() if one.kept and name not in lost]
        assert await self.money() == sum(one.kept for one in kept)
        brought = {ids[one.charge] for one in kept}
        assert {c for c, state in charges.items() if state == "captured"} == brought
        assert "authorized" not in charges.values()

    async def at_provider(self, charge: str) -> str:
        return (await self.charges())[charge]
