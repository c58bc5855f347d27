"""Fixtures of the browser tests: one shop and one Chromium for all of them, new pages a test.

Both end with the last of these tests: a shop in which a hundred drops are open works on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from playwright.async_api import Browser, async_playwright, expect

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.shop_in_browser import FLAGS, ShopInBrowser, chromium
from tests.kit.web_process import LONG_S

# How soon something is seen, and how soon a killed process is back, is no matter of right here.
expect.set_options(timeout=1_000 * LONG_S)

_numbers = count(1)


@pytest.fixture(scope="package")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SupervisorProcess]:
    """A whole shop in processes of its own, on a port of its own."""
    data = tmp_path_factory.mktemp("shop")
    supervisor = SupervisorProcess(
        Settings(local_pay=True, data_dir=data, port=0, log_level="warning")
    )
    await asyncio.to_thread(supervisor.start)
    yield supervisor
    await asyncio.to_thread(supervisor.stop)


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield one
        await one.close()


@pytest.fixture
async def in_browser(shop: SupervisorProcess, browser: Browser) -> AsyncIterator[ShopInBrowser]:
    """Every test ends with the question whether a page did what no page may do."""
    client = connections.client(shop.running.redis_url)
    name, letters = f"page-{next(_numbers)}", shop._settings.data_dir / "mail"
    one = ShopInBrowser(shop.running, Store(client), browser, name, letters)
    yield one
    await client.aclose(close_connection_pool=True)
    assert one.faults.seen == []
