"""Fixtures of the browser ring: one shop and one Chromium a session, a fresh stage a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from playwright.async_api import Browser, async_playwright

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.browser_page import FLAGS, BrowserPage, chromium

_stages = count(1)


@pytest.fixture(scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SupervisorProcess]:
    """A whole shop in processes of its own, on a port of its own."""
    data = tmp_path_factory.mktemp("shop")
    supervisor = SupervisorProcess(Settings(data_dir=data, port=0, log_level="warning"))
    await asyncio.to_thread(supervisor.start)
    yield supervisor
    await asyncio.to_thread(supervisor.stop)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield one
        await one.close()


@pytest.fixture
async def stage(shop: SupervisorProcess, browser: Browser) -> AsyncIterator[BrowserPage]:
    """Every test ends with the question whether a page did what no page may do."""
    client = connections.client(shop.running.redis_url)
    one = BrowserPage(shop.running, Store(client), browser, f"stage-{next(_stages)}")
    yield one
    await client.aclose(close_connection_pool=True)
    assert one.faults.seen == []
