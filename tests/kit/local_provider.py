"""A local provider with its payers and its book in hand, and intents for it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from dropengine.model import DropId, ShopId
from dropengine.payments.configured import Configured
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Intent, Line, Notice, Payments
from tests.kit.manifests import HOLD_MS, START_MS
from tests.kit.webhook_receiver import Clock, WebhookReceiver

SECRET = b"a secret that only tests know of"
SHOP = ShopId("5" * 32)


def an_intent(
    payment: str = "p1",
    *,
    intent: str = "",
    drop: str = "eclipse",
    amount: int = 2400,
    deadline_ms: int = START_MS + HOLD_MS,
    title: str = "Eclipse",
) -> Intent:
    return Intent(
        id=intent or f"{drop}.{payment}",
        drop=DropId(drop),
        payment=payment,
        title=title,
        lines=(Line("Enamel pin", 1, amount, amount),),
        amount=amount,
        currency="EUR",
        minor_digits=2,
        deadline_ms=deadline_ms,
        zone="Europe/Berlin",
        back=f"/drops/{drop}",
    )


def page_of(address: str) -> str:
    """What stands behind the last slash of a payment page's address."""
    return address.rpartition("/")[2]


@contextlib.asynccontextmanager
async def local_pay(
    path: Path,
    shop_url: str = "http://127.0.0.1:9",
    clock: Clock | None = None,
    *,
    silent: bool = False,
    capture_at_once: bool = False,
    busy_ms: int = 5_000,
) -> AsyncIterator[LocalPay]:
    """A provider with its book at `path`; without a shop nobody listens (port 9 discards)."""
    provider = LocalPay(
        path,
        SECRET,
        shop_url,
        clock=clock or Clock(),
        silent=silent,
        capture_at_once=capture_at_once,
        busy_ms=busy_ms,
    )
    try:
        yield provider
    finally:
        await provider.close()


async def until_idle(provider: LocalPay) -> None:
    """Do everything that is due by the provider's clock."""
    while await provider.step() == 0:
        pass


def only(provider: Payments) -> Configured:
    """A shop that has this provider alone, for whatever drop."""
    return Configured({provider.name: provider}, provider.name, local_anywhere=True)


async def chosen(pay: LocalPay, do: Do, after_ms: int | None = None, *, payment: str = "p1") -> str:
    """Begin a payment and choose; the page."""
    page = page_of(await pay.begin(an_intent(payment)))
    assert await pay.act(page, do, after_ms) is not None
    return page


def notices(pay: LocalPay, shop: WebhookReceiver) -> list[Notice]:
    proven = [pay.parse_webhook(*delivery) for delivery in shop.taken]
    return [notice for notice in proven if isinstance(notice, Notice)]


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found
