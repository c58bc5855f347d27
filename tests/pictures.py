"""Write a picture of every state of the pages, to be looked at: `make pictures`.

    python -m tests.pictures [FOLDER] [STATE ...]

Each state is brought about once a screen; light and dark are two pictures of the same moment, and
the other languages are the same page loaded anew.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, ViewportSize, async_playwright

from dropengine.catalogue import DEFAULT, LANGUAGES
from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.page_states import STATES, in_language
from tests.kit.shop_in_browser import DESK, FLAGS, LOW, SMALL, Person, ShopInBrowser, chromium

SCREENS: dict[str, ViewportSize] = {"phone": LOW, "small": SMALL, "desk": DESK}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def pictures(folder: Path, names: list[str]) -> None:
    """One file a state, screen and scheme: `held.phone.dark.png`."""
    with tempfile.TemporaryDirectory() as data:
        shop = SupervisorProcess(
            Settings(local_pay=True, data_dir=Path(data), port=0, log_level="warning")
        )
        await asyncio.to_thread(shop.start)
        try:
            async with async_playwright() as playwright:
                one = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                await _all(shop, one, folder, names)
                await one.close()
        finally:
            await asyncio.to_thread(shop.stop)


async def _all(shop: SupervisorProcess, browser: Browser, folder: Path, names: list[str]) -> None:
    client = connections.client(shop.running.redis_url)
    for name in names:
        for screen, size in SCREENS.items():
            called = f"{name}-{screen}".replace("_", "-")
            letters = shop._settings.data_dir / "mail"
            world = ShopInBrowser(shop.running, Store(client), browser, called, letters)
            async with world.person(size) as fan:
                await STATES[name](world, fan)
                await _both(fan, folder / f"{name}.{screen}")
                for language in LANGUAGES.keys() - {DEFAULT}:
                    await in_language(fan, language)
                    await _both(fan, folder / f"{name}.{screen}.{language}")
        print(name, flush=True)
    await client.aclose(close_connection_pool=True)


async def _both(fan: Person, path: Path) -> None:
    for scheme in SCHEMES:
        await fan.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await fan.page.screenshot(path=f"{path}.{scheme}.png")


if __name__ == "__main__":
    where, *only = sys.argv[1:] or ["pictures"]
    Path(where).mkdir(parents=True, exist_ok=True)
    asyncio.run(pictures(Path(where), only or list(STATES)))
