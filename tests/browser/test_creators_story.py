"""A maker's whole night in one story: with a passkey, a helper with a password, and 300 fans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal.fans.crowd import Crowd
from dropengine.rehearsal.practice_shop import for_crowd
from dropengine.sql.database import Database
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_studio import new_link
from tests.kit.creators_story import KEPT_BACK, MADE, CreatorsStory
from tests.kit.rows import EVERY, rows
from tests.kit.shop_in_browser import DESK, PHONE, ShopInBrowser

FANS = 300 if EVERY else 120
_names = count(1)


@pytest.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[SupervisorProcess]:
    """A shop that a crowd from one address may come to."""
    settings = for_crowd(
        Settings(local_pay=True, data_dir=tmp_path / "shop", port=0, log_level="warning"), FANS
    )
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


@pytest.mark.parametrize("screen", rows([PHONE, DESK], [0]), ids=lambda size: str(size["width"]))
async def test_a_maker_goes_from_the_first_link_to_the_report(
    crowded: SupervisorProcess, browser: Browser, screen: ViewportSize
) -> None:
    client = connections.client(crowded.running.redis_url)
    world = ShopInBrowser(crowded.running, Store(client), browser, "story")
    database = Database(crowded._settings)
    crowd = Crowd(crowded.running.url, seed=7)

    async def wide(page: Page, scene: str) -> None:
        """No scene is wider than its screen."""
        found = await page.evaluate("document.documentElement.scrollWidth")
        assert found <= screen["width"], scene

    async with world.context(screen) as context, world.context(DESK) as second:
        home = crowded.running.url.replace("127.0.0.1", "localhost")
        story = CreatorsStory(context, home, f"rosa{next(_names)}", wide)
        await story.comes_in(await new_link(database))
        helper = await story.invites(second)
        await story.writes()
        await story.publishes()
        await story.opens(crowd, FANS)
        await helper.goto(f"{home}/studio/drops/{story.address}/night")
        await story.runs_the_night()
        text = await story.serves()
        await story.reads_the_report()
        sold = text.count("\n") - 1
        assert 0 < sold <= MADE - KEPT_BACK + 10
    await crowd.close()
    await database.close()
    await client.aclose(close_connection_pool=True)
    assert world.faults.seen == []
