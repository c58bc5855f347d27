"""Write a picture of each scene of a maker's night, to be looked at.

    python -m tests.story_pictures [FOLDER] [phone] [desk]

The whole story is lived on each screen; light and dark are two pictures of the same moment.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from dropengine.config import Settings
from dropengine.rehearsal.fans.crowd import Crowd
from dropengine.rehearsal.practice_shop import PracticeShop, for_crowd
from dropengine.sql.database import Database
from tests.browser.test_studio import new_link
from tests.kit.creators_story import CreatorsStory
from tests.kit.shop_in_browser import DESK, FLAGS, PHONE, ShopInBrowser, chromium

FANS = 300
SCREENS: dict[str, ViewportSize] = {"phone": PHONE, "desk": DESK}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def story(browser: Browser, folder: Path, screen: str) -> None:
    """One file a scene and scheme: `phone.07.draft.dark.png`."""
    numbers = count(1)

    async def look(page: Page, scene: str) -> None:
        number = next(numbers)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            path = folder / f"{screen}.{number:02}.{scene}.{scheme}.png"
            await page.screenshot(path=path, full_page=True)
        print(f"{screen} {number} {scene}", flush=True)

    with tempfile.TemporaryDirectory() as data:
        settings = Settings(local_pay=True, data_dir=Path(data), port=0, log_level="warning")
        shop = PracticeShop(for_crowd(settings, FANS))
        await shop.start()
        database, store = Database(shop.settings), shop.store()
        crowd = Crowd(shop.url, seed=7)
        world = ShopInBrowser(shop.running, store, browser, "story")
        try:
            async with world.context(SCREENS[screen]) as context, world.context(DESK) as second:
                home = shop.url.replace("127.0.0.1", "localhost")
                one = CreatorsStory(context, home, "rosa", look)
                await one.comes_in(await new_link(database))
                await one.invites(second)
                await one.writes()
                await one.publishes()
                await one.opens(crowd, FANS)
                await one.runs_the_night()
                await one.serves()
                await one.reads_the_report()
        finally:
            await crowd.close()
            await database.close()
            await store.close()
            await shop.stop()


async def main(folder: Path, screens: list[str]) -> None:
    """The story on each screen."""
    async with async_playwright() as playwright:
        one = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for screen in screens:
            await story(one, folder, screen)
        await one.close()


if __name__ == "__main__":
    where, *only = sys.argv[1:] or ["pictures/story"]
    Path(where).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(where), only or list(SCREENS)))
