"""How old a screen is: from an acknowledged hold to the tick that shows it, on 5,000 screens; and
what readers who do not read do to the others.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from loadtest.bench.bench import Bench
from loadtest.bench.figures import figure
from loadtest.bench.measured_shop import MeasuredShop
from loadtest.bench.pressing_clients import Client, Pressing, many
from loadtest.bench.watchers import Open, Watchers

SCREENS = 5_000
PRESSERS = 2_000
CAP = 100_000
PRESSER_FIRST = 200_000
SLOW_FIRST = 300_000
SAMPLE_EVERY = 10
ACKS_MAX = 400
TICK_MS = 100
PACE_PER_S = 5_000
PACED = f"at_{PACE_PER_S}_per_s"
RUN_S = 3.0
LAST_TICK_S = 1.5
"""What was acknowledged last has been shown by then, or is late beyond any target."""

SLOW_SCREENS = 1_000
SLOW = 25
SLOW_ITEMS = 40
"""A drop of so many items has ticks that fill the buffers of a reader who does not read."""
SLOW_BUFFER = 4_096
SLOW_S_MAX = 25.0
GROWTH_MIB_MAX = 8.0
"""Memory is flat when so many slow readers cost no more than their capped buffers."""

Press = Callable[[float], Awaitable[None]]


class Watched:
    """Screens that note when they were shown what, and fans who press."""

    def __init__(self, shop: MeasuredShop, screens: Watchers, pressing: Pressing) -> None:
        self.shop = shop
        self.screens = screens
        self.pressing = pressing
        self.per_s: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []
        self.gaps: list[float] = []

    async def run(self, press: Press, seconds: float) -> None:
        """Press for a while, then ask every sampled screen when it showed each noted command."""
        loop, pressing = asyncio.get_running_loop(), self.pressing
        await self.screens.mark(SAMPLE_EVERY)
        pressing.acks.clear()
        granted, begun = pressing.granted, loop.time()
        await press(seconds)
        self.per_s.append((pressing.granted - granted) / (loop.time() - begun))
        await pressing.stop()
        await asyncio.sleep(LAST_TICK_S)
        acks = random.sample(pressing.acks, min(ACKS_MAX, len(pressing.acks)))
        p50, p99, count = await self.screens.late(acks)
        sampled = await self.screens.seen()
        assert count, f"no screen showed any of {len(acks)} commands: {sampled}"
        self.p50.append(p50)
        self.p99.append(p99)
        if sampled.gap_ms[0]:
            self.gaps.append(sampled.gap_ms[0])

    async def idle(self, seconds: float) -> None:
        """A press now and then, at any moment of a tick."""
        for _ in range(round(seconds * 4)):
            self.pressing.press(self.pressing.idle.pop(0))
            await asyncio.sleep(random.uniform(0.15, 0.35))

    async def paced(self, seconds: float) -> None:
        await self.pressing.pace(PACE_PER_S, seconds)

    async def full(self, seconds: float) -> None:
        self.pressing.start()
        await asyncio.sleep(seconds)


async def freshness(bench: Bench) -> None:
    """At rest, at 5,000 commands a second, and as fast as it goes."""
    async with bench.shop() as shop, Watchers() as screens:
        drop = await shop.drop(CAP)
        path = f"/drops/{drop}/live"
        count, fans = bench.size(SCREENS), bench.size(PRESSERS)
        bench.now(f"{count} screens and {fans} fans")
        opened = await screens.open(Open(shop.host, path, 0, count, sync=0))
        assert opened.open == count, opened
        runs = {}
        for name, note_every in (("idle", 1), (PACED, 20), ("at_full_speed", 50)):
            pressing = Pressing(note_every)
            runs[name] = Watched(shop, screens, pressing)
        tickets = [ticket for _, ticket in shop.fans(fans)]
        now = next(iter(runs.values())).pressing

        def heard(client: Client, text: bytes) -> None:
            """Whoever presses now counts it."""
            now.heard(client, text)

        clients = await many(shop.host, path, heard, fans, tickets, PRESSER_FIRST)
        for turn in range(bench.rounds):
            for name, watched in runs.items():
                bench.now(f"run {turn + 1} of {bench.rounds}: {name}")
                now = watched.pressing
                now.idle = list(clients)
                press = (watched.idle, watched.paced, watched.full)[list(runs).index(name)]
                await watched.run(press, bench.seconds(RUN_S))
        for client in clients:
            client.leave()
    targets = {PACED: "<= 200", "at_full_speed": "<= 400"}
    for name, watched in runs.items():
        bench.figures[f"p50_ms_{name}"] = figure(watched.p50)
        bench.figures[f"p99_ms_{name}"] = figure(watched.p99, targets.get(name))
        if name != "idle":
            # Without the pace itself its freshness would prove nothing.
            pace = f">= {0.9 * PACE_PER_S:.0f}" if name == PACED and not bench.quick else None
            bench.figures[f"commands_per_s_{name}"] = figure(watched.per_s, pace)
    shortest = [min(watched.gaps) for watched in runs.values() if watched.gaps]
    # Here the worst of all runs counts, not the median.
    bench.figures["shortest_ms_between_ticks"] = figure(
        [min(shortest)] if shortest else [], f">= {TICK_MS}"
    )


async def slow_reader(bench: Bench) -> None:
    """Screens among which some do not read, in turn with the same screens alone."""
    overrides = {"seat_behind_ms_max": 2_000, "seat_buffer_bytes_max": 32_768}
    async with (
        bench.shop(overrides=overrides) as shop,
        Watchers() as screens,
        Watchers() as slow,
    ):
        drop = await shop.drop(1000, items=SLOW_ITEMS)
        path, count = f"/drops/{drop}/live", bench.size(SLOW_SCREENS)
        opened = await screens.open(Open(shop.host, path, 0, count, sync=0))
        assert opened.open == count, opened
        pressing = Pressing(note_every=1)
        ticket = [ticket for _, ticket in shop.fans(1)]
        clients = await many(shop.host, path, pressing.heard, 1, ticket, PRESSER_FIRST)
        pressing.idle = list(clients)
        alone, beside = Watched(shop, screens, pressing), Watched(shop, screens, pressing)
        closed, grown = [], []

        async def press(seconds: float) -> None:
            """Change the drop at every tick."""
            for _ in range(round(seconds * 1000 / TICK_MS)):
                if pressing.idle:
                    pressing.press(pressing.idle.pop(0))
                await asyncio.sleep(TICK_MS / 1000)

        async def until_closed(_: float) -> None:
            """The same until the shop has given up on everybody who does not read."""
            ended = asyncio.get_running_loop().time() + SLOW_S_MAX
            while asyncio.get_running_loop().time() < ended:
                await press(0.3)
                if await _seats(shop) <= count + len(clients):
                    break
            # The close code stands behind what was not read.
            await slow.drain()

        for turn in range(bench.rounds):
            bench.now(f"run {turn + 1} of {bench.rounds}: all read")
            await alone.run(press, bench.seconds(4.0))
            bench.now(f"run {turn + 1} of {bench.rounds}: {SLOW} do not read")
            kib = shop.worker_kib()
            wanted = Open(shop.host, path, SLOW_FIRST, SLOW, sync=0, buffer=SLOW_BUFFER)
            assert (await slow.open(wanted)).open == SLOW
            await slow.stall()
            await beside.run(until_closed, SLOW_S_MAX)
            grown.append((shop.worker_kib() - kib) / 1024)
            closed.append((await slow.seen()).closed.get(1013, 0) / SLOW)
            await slow.cut()
    bench.figures["others_p99_ms"] = figure(
        beside.p99,
        f"<= {max(1.5 * (_middle(alone.p99)), _middle(alone.p99) + 20):.4g}",
        peers={"without slow readers": alone.p99},
    )
    bench.figures["closed_with_1013"] = figure(closed, ">= 1")
    # The first time, the allocator takes what it keeps for the rest.
    bench.figures["memory_growth_mib"] = figure(grown, f"<= {GROWTH_MIB_MAX}")


def _middle(runs: list[float]) -> float:
    return figure(runs).ours  # type: ignore[return-value]


async def _seats(shop: MeasuredShop) -> int:
    """Seats that the shop's own health page counts."""
    where, _, port = shop.host.partition(":")
    reader, writer = await asyncio.open_connection(where, int(port))
    writer.write(f"GET /readyz HTTP/1.1\r\nHost: {shop.host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read(-1)
    writer.close()
    return int(answer.partition(b'"seats":')[2].split(b",")[0])
