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
from dropengine.sql.database import Database
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_money_story import looks
from tests.browser.test_night import operator
from tests.kit.colours import scarce
from tests.kit.fake_stripe import KEY, WEBHOOK_SECRET, FakeStripe
from tests.kit.money_story import MoneyStory
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


@pytest.fixture
async def books(takes_cards: ShopInBrowser, tmp_path: Path) -> AsyncIterator[Database]:
    """Of the shop that takes cards."""
    one = Database(Settings(data_dir=tmp_path))
    yield one
    await one.close()


async def test_three_colours_are_paid_by_one_card_and_two_go_back_to_it(
    takes_cards: ShopInBrowser, fake: FakeStripe, books: Database
) -> None:
    drop = await takes_cards.drop(scarce(), opened=False)
    async with (
        takes_cards.person() as fan,
        takes_cards.person() as first,
        takes_cards.person() as second,
        operator(takes_cards, books) as (maker, _),
    ):
        story = MoneyStory(drop, fan, maker, looks, "cards")
        await fan.open(drop)
        await story.prepares()
        await story.taps()
        await first.open(drop)
        await story.joins(first, "Red")
        await second.open(drop)
        await story.joins(second, "White")
        await story.pays("Post, insured", "€78.90")
        await fan.page.wait_for_url(f"{fake.url}/**")
        await expect(fan.page.get_by_role("listitem")).to_have_count(4)
        await fan.page.get_by_role("button", name="Pay").click()
        await fan.page.wait_for_url(f"**{drop.path}")
        await story.has_three()
        (payment,) = fake.payments.values()
        await asyncio.wait_for(fake.captured.wait(), LONG_S)
        assert (payment["amount"], payment["amount_received"]) == (7890, 7890)
        assert payment["metadata"]["drop"] == drop.id
        await story.refunds_red()
        await story.is_offered(first, "Red")
        await story.hands_over_white()
        await story.waits_still(second)
        await story.has_white_back()
        await story.is_offered(second, "White")
        await story.settles()
        await story.reads_his_orders()
    # The card has both prices back; the way stays paid, since one of the three is on it.
    assert [one["amount"] for one in fake.refunds.values()] == [2400, 2400]
    assert payment["latest_charge"]["amount_refunded"] == 4800
