"""Cards, as a person sees it: from the till to Stripe's own page, played by its fake, and back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from dropengine.config import Settings
from dropengine.payments.port import WEBHOOKS
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_money_story import colours
from tests.kit.fake_stripe import KEY, WEBHOOK_SECRET, FakeStripe
from tests.kit.shop_in_browser import ShopInBrowser
from tests.kit.web_process import LONG_S
from tests.kit.webhook_receiver import serving


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
async def fake() -> AsyncIterator[FakeStripe]:
    one = FakeStripe(wall_ms)
    async with serving(one.app) as one.url:
        yield one


@pytest.fixture
async def takes_cards(
    tmp_path: Path, browser: Browser, fake: FakeStripe
) -> AsyncIterator[ShopInBrowser]:
    """A shop of its own that takes cards and nothing else."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        data_dir=tmp_path,
        port=port,
        public_url=url,
        log_level="warning",
        pay_provider="stripe",
        stripe_key=KEY,
        stripe_webhook_secrets=(WEBHOOK_SECRET,),
        stripe_api_url=fake.url,
    )
    shop = SupervisorProcess(settings)
    await asyncio.to_thread(shop.start)
    client = connections.client(shop.running.redis_url)
    words = asyncio.create_task(fake.bring(f"{url}{WEBHOOKS}stripe"))
    one = ShopInBrowser(shop.running, Store(client), browser, "cards", tmp_path / "mail")
    yield one
    words.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await words
    await client.aclose(close_connection_pool=True)
    await asyncio.to_thread(shop.stop)
    assert one.faults.seen == []
    assert fake.refused == []


async def test_three_colours_are_paid_by_one_card(
    takes_cards: ShopInBrowser, fake: FakeStripe
) -> None:
    drop = await takes_cards.drop(colours(), opened=False)
    async with takes_cards.person() as fan:
        till = fan.page.locator("drop-till")
        await fan.open(drop)
        for kind in ("Red", "Blue", "Green"):
            await till.get_by_label(f"How many: {kind}").select_option("1")
        await drop.open()
        await fan.clicks("Hold all of it")
        await till.get_by_label("Post, insured").check()
        await fan.clicks("Pay €78.90")
        await fan.page.wait_for_url(f"{fake.url}/**")
        await expect(fan.page.get_by_role("listitem")).to_have_count(4)
        await fan.page.get_by_role("button", name="Pay").click()
        await fan.page.wait_for_url(f"**{drop.path}")
        await expect(fan.page.locator(".card.order")).to_have_count(3)
    (payment,) = fake.payments.values()
    await asyncio.wait_for(fake.captured.wait(), LONG_S)
    assert (payment["amount"], payment["amount_received"]) == (7890, 7890)
    assert payment["metadata"]["drop"] == drop.id
