"""A hundred thousand holds, all but, that end in one millisecond, and a shop that starts."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import sys
import tempfile
import time

from dropengine import outcomes, wire
from dropengine.model import DropId
from loadtest.bench.acts_on_line import BATCH
from loadtest.bench.bench import Bench
from loadtest.bench.fanout import Pulse
from loadtest.bench.figures import figure
from loadtest.bench.measured_shop import POOL, MeasuredShop
from loadtest.bench.peer_processes import MINIMAL, free_port, minimal, until_open
from loadtest.bench.watchers import Open, Watchers

HOLDS = 99_900
HOLD_S = 10
MAKING_S_MAX = 8.0
"""The holds must all be there before the first one ends."""
SCREENS = 1_000
BEFORE_S = 0.5
"""Watched from so long before the deadline."""
PULSE_UNITS = 10
STALL_MS = 400
"""No longer than a screen may be behind at full speed."""
SETTLED_S_MAX = 60.0
START_S_MAX = 20.0


async def settle(bench: Bench) -> None:
    """All holds of a drop end in one millisecond; screens watch it happen."""
    count = bench.size(HOLDS)
    seconds, cpu_us, script_ms, gaps = [], [], [], []
    async with bench.shop() as shop, Watchers() as screens:
        for turn in range(bench.rounds):
            bench.now(f"run {turn + 1} of {bench.rounds}: {count} holds")
            drop = await shop.drop(count + PULSE_UNITS, hold_s=HOLD_S, test=True)
            path = f"/drops/{drop}/live"
            await screens.open(Open(shop.host, path, 0, bench.size(SCREENS), sync=0))
            due = await _hold(shop, drop, count)
            pulse = await Pulse.begin(shop, drop)
            await asyncio.sleep(max(0.0, due - BEFORE_S - time.time()))
            await shop.store.client.config_resetstat()
            await screens.mark(1)
            before = await shop.cost()
            # Somebody's presses: they wait until nothing is due, the ticks must not.
            beating = asyncio.create_task(pulse.beat(2 * BEFORE_S))
            while await shop.free(drop) < count:
                assert time.time() - due < SETTLED_S_MAX, "they were not settled"
                await asyncio.sleep(0.02)
            seconds.append(time.time() - due)
            cpu_us.append(1e6 * (await shop.cost() - before).cpu_s / count)
            stats = (await shop.store.client.info("latencystats"))[
                "latency_percentiles_usec_evalsha"
            ]
            # Of some thousand calls.
            script_ms.append(float(stats["p99.9"]) / 1000)
            await beating
            pulse.fan.leave()
            gaps.append((await screens.seen()).gap_ms[1])
            await screens.cut()
    # CPU of the ticks and of the presses meanwhile is in it.
    bench.figures["seconds_after_the_deadline"] = figure(seconds)
    bench.figures["cpu_us_per_hold"] = figure(cpu_us)
    bench.figures["longest_script_ms"] = figure(script_ms)
    bench.figures["longest_ms_between_ticks"] = figure(gaps, f"<= {STALL_MS}")


async def _hold(shop: MeasuredShop, drop: DropId, count: int) -> float:
    """So many holds with one deadline, each its own fan's. Returns the deadline, epoch s."""
    begun_ms = round(time.time() * 1000)
    fans = [fan for fan, _ in shop.fans(count)]
    for start in range(0, count, BATCH):
        batch = fans[start : start + BATCH]
        commands = [(fan, wire.Hold(0, secrets.token_hex(8), POOL)) for fan in batch]
        for outcome in await shop.store.press(drop, commands, clock_ms=begun_ms):
            assert isinstance(outcome, outcomes.Held), outcome
        due_ms = outcome.hold.deadline_ms  # type: ignore[union-attr]
    assert time.time() - begun_ms / 1000 < MAKING_S_MAX, "it took too long to make the holds"
    return due_ms / 1000


async def start(bench: Bench) -> None:
    """From the command to the first answer `ready`, on an empty directory."""
    ours, theirs = [], []
    for turn in range(bench.rounds):
        bench.now(f"run {turn + 1} of {bench.rounds}")
        with tempfile.TemporaryDirectory(prefix="dropengine-bench-") as folder:
            port = free_port()
            begun = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "dropengine", "serve"),
                *("--port", str(port), "--data-dir", folder, "--log-level", "warning"),
                stdout=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(START_S_MAX):
                    await _until_ready(port)
                ours.append(time.monotonic() - begun)
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()
        begun = time.monotonic()
        async with minimal() as (peer, _):
            await until_open(int(peer.host.partition(":")[2]))
            theirs.append(time.monotonic() - begun)
    bench.figures["ready_s"] = figure(ours, "<= 2", peers={MINIMAL: theirs})


async def _until_ready(port: int) -> None:
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            status = await reader.readline()
            writer.close()
            if b" 200 " in status:
                return
        await asyncio.sleep(0.02)
