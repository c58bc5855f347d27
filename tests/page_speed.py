"""Measure the fan's page as a slow phone meets it: `python -m tests.page_speed [RUNS [MINUTES]]`.

LCP and the moment of "Up to date" at a CPU four times as slow, 1.6 Mbit/s and 150 ms, in RUNS fresh
browsers; then MINUTES of ten ticks a second: main thread a tick, and what the page keeps.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.page_states import pin
from tests.kit.shop_in_browser import FLAGS, PHONE, Drop, ShopInBrowser, chromium

SLOWER = 4
LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
WATCH = """
window.seen = {lcp: 0, what: '', live: 0, fcp: 0};
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        window.seen.lcp = entry.startTime;
        window.seen.what = entry.element?.outerHTML?.slice(0, 50);
    }
}).observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
        if (one.name === 'first-contentful-paint') window.seen.fcp = one.startTime;
    }
}).observe({type: 'paint', buffered: true});
new MutationObserver(() => {
    const link = document.querySelector('drop-link');
    if (!window.seen.live && link?.textContent.trim() === 'Up to date') {
        window.seen.live = performance.now();
    }
}).observe(document, {childList: true, characterData: true, subtree: true});
"""


async def slow(page: Page) -> CDPSession:
    """Give this page a phone's CPU and line."""
    wire = await page.context.new_cdp_session(page)
    await wire.send("Network.enable")
    await wire.send("Network.emulateNetworkConditions", LINE)
    await wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return wire


async def load(world: ShopInBrowser, drop: Drop) -> dict[str, Any]:
    """One first visit, ms."""
    async with world.person(PHONE) as fan:
        await slow(fan.page)
        await fan.page.add_init_script(WATCH)
        await fan.page.goto(drop.path)
        await fan.page.wait_for_function("() => window.seen.live > 0", timeout=20_000)
        # Whatever is painted once the page lives may be the largest still.
        await fan.page.wait_for_timeout(700)
        seen: dict[str, Any] = await fan.page.evaluate("window.seen")
        return seen


async def loads(world: ShopInBrowser, runs: int) -> None:
    """The medians of so many first visits."""
    drop = await world.drop(pin())
    await drop.hold("another", 2)
    all_of_them = [await load(world, drop) for _ in range(runs)]
    print("largest:", {one["what"] for one in all_of_them})
    for name in ("fcp", "lcp", "live"):
        values = sorted(round(one[name]) for one in all_of_them)
        print(f"{name}: median {statistics.median(values)} ms of {values}", flush=True)


async def kept(wire: CDPSession) -> dict[str, float]:
    """What the page holds once nobody needs the rest, and how long it has worked."""
    await wire.send("HeapProfiler.collectGarbage")
    found = await wire.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


async def ticks(world: ShopInBrowser, minutes: float) -> None:
    """Ten ticks a second for so long, on a page that holds a unit."""
    drop = await world.drop(pin(hold_ms=1_800_000))
    async with world.person(PHONE) as fan:
        wire = await slow(fan.page)
        # Time of the page's own thread: what other processes take is none of its work.
        await wire.send("Performance.enable", {"timeDomain": "threadTicks"})
        heard = [0]
        fan.page.on(
            "websocket",
            lambda socket: socket.on(
                "framereceived",
                lambda frame: heard.__setitem__(0, heard[0] + ('"t":"tick"' in str(frame))),
            ),
        )
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.wakes("Pay €24.00")
        await crowd(drop, 5)
        for slower, seconds in ((SLOWER, 20.0), (1, 60 * minutes)):
            await wire.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            before, begun, end = await kept(wire), heard[0], time.monotonic() + seconds
            while (rest := end - time.monotonic()) > 0:
                await crowd(drop, min(60, rest))
                after = await kept(wire)
                print(f"{slower} x slower:", told(before, after, heard[0] - begun), flush=True)


def told(before: dict[str, float], after: dict[str, float], many: int) -> str:
    gone = {name: after[name] - before[name] for name in before}
    # What the measuring itself asks of the page is no work of it.
    work = gone["TaskDuration"] - gone["DevToolsCommandDuration"]
    return (
        f"{many} ticks: {1000 * work / max(1, many):.2f} ms of main thread each "
        f"({1000 * gone['ScriptDuration'] / max(1, many):.2f} script), heap "
        f"{before['JSHeapUsedSize'] / 1024:.0f} -> {after['JSHeapUsedSize'] / 1024:.0f} kB, "
        f"nodes {after['Nodes']:.0f} ({gone['Nodes']:+.0f}), "
        f"listeners {after['JSEventListeners']:.0f} ({gone['JSEventListeners']:+.0f})"
    )


async def crowd(drop: Drop, seconds: float) -> None:
    """Somebody takes one and gives it back, often enough that every tick has news."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await drop.release("crowd", await drop.hold("crowd"))
        await asyncio.sleep(0.05)


async def measure(runs: int, minutes: float) -> None:
    with tempfile.TemporaryDirectory() as data:
        shop = SupervisorProcess(
            Settings(local_pay=True, data_dir=Path(data), port=0, log_level="warning")
        )
        await asyncio.to_thread(shop.start)
        client = connections.client(shop.running.redis_url)
        try:
            async with async_playwright() as playwright:
                browser: Browser = await playwright.chromium.launch(
                    executable_path=chromium(), args=FLAGS
                )
                world = ShopInBrowser(shop.running, Store(client), browser, "speed")
                if runs:
                    await loads(world, runs)
                if minutes:
                    await ticks(world, minutes)
                await browser.close()
        finally:
            await client.aclose(close_connection_pool=True)
            await asyncio.to_thread(shop.stop)


if __name__ == "__main__":
    given = [float(one) for one in sys.argv[1:]]
    asyncio.run(measure(int(given[0]) if given else 9, given[1] if len(given) > 1 else 0))
