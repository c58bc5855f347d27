"""Providers of money histories: each with payers who do at it what payers do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Intent, Payments
from tests.kit.local_provider import local_pay, page_of
from tests.kit.webhook_receiver import Clock


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


Opened = Callable[[Path, Clock], contextlib.AbstractAsyncContextManager[Till]]

TILLS: Final[Mapping[str, Opened]] = {"local": local, "local, captured at once": local_at_once}
"""All of them."""
