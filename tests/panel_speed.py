"""Measure a panel's night: `python -m tests.panel_speed [TICKS [HELD]]`.

The page hears what the shop said once, TICKS times (half an hour of ten a second unless said
otherwise) and ever changed, one for each picture that the browser draws, with a desk after every
tenth. HELD units stand in carts meanwhile. Every tenth part of it is told: main thread a tick, and
what the page keeps once nobody needs the rest.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import CDPSession, Page, async_playwright, expect

from dropengine.config import Settings
from dropengine.people.links import Kind
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.database import Database
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_studio import new_link, with_password
from tests.kit.page_states import pin
from tests.kit.shop_in_browser import FLAGS, PHONE, Drop, ShopInBrowser, chromium

HALF_AN_HOUR = 18_000
PARTS = 10
RECORDED = """
const Plain = window.WebSocket;
window.heard = {};
window.WebSocket = class extends Plain {
    constructor(...given) {
        super(...given);
        window.wire = this;
        this.addEventListener('message', (event) => {
            // While it is played to, the page hears nothing else.
            if (event.isTrusted && window.playing) event.stopImmediatePropagation();
            const said = JSON.parse(event.data);
            if (event.isTrusted) window.heard[said.t] = said;
        });
    }
};
let played = 0, said;
// One a picture: what the browser lays out and paints is the work of that tick.
window.play = (many) => new Promise((done, failed) => {
    window.playing = true;
    said ??= {...window.heard, feed: window.heard.desk.feed};
    const {tick, desk} = said;
    const say = (one) => {
        window.wire.dispatchEvent(new MessageEvent('message', {data: JSON.stringify(one)}));
    };
    const one = () => {
        played += 1;
        const held = played % 2, now = tick.now + played * 100;
        const pools = Object.fromEntries(Object.entries(tick.pools).map(
            ([id, pool]) => [id, {...pool, free: pool.free - held, held: pool.held + held}]));
        say({...tick, now, seq: tick.seq + played, pools});
        if (played % 10 === 0) {
            const text = `A fan took one, and it was the number ${played}`;
            const line = {seq: desk.seq + played, at_ms: now, text};
            said.feed = [line, ...said.feed].slice(0, 60);
            const commands = [...desk.pace.commands.slice(1), played % 97];
            const pace = {...desk.pace, from_ms: desk.pace.from_ms + played * 100, commands};
            const ends = desk.line.ends.map((end) => ({...end, hold: `${end.hold}-${played}`}));
            const funnel = {...desk.funnel, watching: played, paid: played};
            const told = {...desk, feed: said.feed, now, seq: desk.seq + played, pace, funnel};
            say({...told, line: {...desk.line, ends}});
        }
        many -= 1;
        if (many > 0) next(); else done();
    };
    const next = () => requestAnimationFrame(() => {
        try { one(); } catch (fault) { failed(fault); }
    });
    next();
});
"""


class Part(NamedTuple):
    """Of one stretch: main thread a tick in ms, and what the page kept after it."""

    tick_ms: float
    heap_kib: float
    nodes: int
    listeners: int

    def __str__(self) -> str:
        return (
            f"{self.tick_ms:.2f} ms a tick, heap {self.heap_kib:.0f} KiB, {self.nodes} nodes, "
            f"{self.listeners} listeners"
        )


async def kept(wire: CDPSession) -> dict[str, float]:
    """What the page holds once nobody needs the rest, and how long it has worked."""
    await wire.send("HeapProfiler.collectGarbage")
    found = await wire.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


async def stretch(page: Page, wire: CDPSession, ticks: int) -> Part:
    """So many ticks on an open night."""
    before = await kept(wire)
    await page.evaluate("many => window.play(many)", ticks)
    after = await kept(wire)
    gone = {name: after[name] - before[name] for name in before}
    # What the measuring itself asks of the page is no work of it.
    work_s = gone["TaskDuration"] - gone["DevToolsCommandDuration"]
    return Part(
        1000 * work_s / ticks,
        after["JSHeapUsedSize"] / 1024,
        int(after["Nodes"]),
        int(after["JSEventListeners"]),
    )


async def night(page: Page, drop: Drop) -> CDPSession:
    """The night of a drop, which has heard a tick and a desk of its own."""
    await page.add_init_script(RECORDED)
    wire = await page.context.new_cdp_session(page)
    # Time of the page's own thread: what other processes take is none of its work.
    await wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    await page.goto(f"/studio/drops/{drop.id}/night")
    await expect(page.locator("night-link")).to_contain_text("Up to date")
    await page.locator("pace-chart canvas").wait_for()
    await drop.hold("another")
    await page.wait_for_function("() => window.heard.tick && window.heard.desk")
    return wire


async def measure(ticks: int, held: int) -> list[Part]:
    """A shop and a browser of its own."""
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(local_pay=True, data_dir=Path(data), port=0, log_level="warning")
        shop = SupervisorProcess(settings)
        await asyncio.to_thread(shop.start)
        client = connections.client(shop.running.redis_url)
        database = Database(settings)
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
                world = ShopInBrowser(shop.running, Store(client), browser, "panel")
                drop = await world.drop(pin())
                for number in range(held):
                    await drop.hold(f"fan{number}")
                async with world.context(PHONE) as context:
                    link = shop.running.url + await new_link(database, Kind.FIRST)
                    page = await with_password(context, link, "mia")
                    wire = await night(page, drop)
                    found = []
                    for part in range(PARTS):
                        found.append(await stretch(page, wire, ticks // PARTS))
                        print(f"{(part + 1) * ticks // PARTS} ticks: {found[-1]}", flush=True)
                assert world.faults.seen == [], world.faults.seen
                await browser.close()
                return found
        finally:
            await database.close()
            await client.aclose(close_connection_pool=True)
            await asyncio.to_thread(shop.stop)


if __name__ == "__main__":
    given: list[Any] = [int(one) for one in sys.argv[1:]]
    asyncio.run(measure(*(given + [HALF_AN_HOUR, 8][len(given) :])))
