"""Providers of money histories: each with payers who do at it what payers do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final, Literal, Protocol

from dropengine.config import Settings
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Intent, Payments
from dropengine.payments.stripe import StripePay
from dropengine.sql.migrate import migrate
from tests.kit.fake_stripe import FakeStripe
from tests.kit.local_provider import local_pay, page_of
from tests.kit.till import stripe_pay
from tests.kit.webhook_receiver import Clock, serving


class Till(Protocol):
    """One provider and its payers."""

    @property
    def payments(self) -> Payments:
        """The provider itself."""

    async def pays(self, intent: Intent, do: Do, after_ms: int, card: str) -> None:
        """A payer does this at its page, also where the page takes nothing any more."""


class LocalTill:
    def __init__(self, local: LocalPay) -> None:
        self.payments: Payments = local
        self._local = local

    async def pays(self, intent: Intent, do: Do, after_ms: int, card: str) -> None:
        page = page_of(await self._local.begin(intent))
        await self._local.act(page, do, after_ms, card=card)


@contextlib.asynccontextmanager
async def local(folder: Path, clock: Clock) -> AsyncIterator[Till]:
    async with local_pay(folder / "local.sqlite", clock=clock, silent=True) as provider:
        yield LocalTill(provider)


@contextlib.asynccontextmanager
async def local_at_once(folder: Path, clock: Clock) -> AsyncIterator[Till]:
    """The money moves when it is paid."""
    path = folder / "at_once.sqlite"
    async with local_pay(path, clock=clock, silent=True, capture_at_once=True) as provider:
        yield LocalTill(provider)


class StripeTill:
    """Stripe's fake. Who is to pay late is asked by his bank first, and answers it too late."""

    def __init__(self, stripe: StripePay, fake: FakeStripe, clock: Clock) -> None:
        self.payments: Payments = stripe
        self._fake = fake
        self._clock = clock

    async def pays(self, intent: Intent, do: Do, after_ms: int, card: str) -> None:
        session = page_of(await self.payments.begin(intent))
        if session not in self._fake.sessions:
            return
        fake, now_ms = self._fake, self._clock()
        if do in ("delay", "late"):
            fake.pay(session, "asks", card)
            late_ms = max(0, intent.deadline_ms - now_ms) if do == "late" else 0
            fake.at(now_ms + late_ms + after_ms, lambda: fake.answer_bank(session))
        else:
            choice: Literal["good", "declined"] = "declined" if do == "decline" else "good"
            fake.at(now_ms + after_ms, lambda: fake.pay(session, choice, card))


@contextlib.asynccontextmanager
async def stripe(folder: Path, clock: Clock) -> AsyncIterator[Till]:
    fake = FakeStripe(clock)
    migrate(Settings(data_dir=folder))
    async with serving(fake.app) as fake.url, stripe_pay(fake, folder, clock) as provider:
        yield StripeTill(provider, fake, clock)


Opened = Callable[[Path, Clock], contextlib.AbstractAsyncContextManager[Till]]

TILLS: Final[Mapping[str, Opened]] = {
    "local": local,
    "local, captured at once": local_at_once,
    "stripe": stripe,
}
"""All of them."""
