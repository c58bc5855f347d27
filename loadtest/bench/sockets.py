"""Sockets in bulk: what one costs to open and to keep, and ten thousand that come back at once."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple, cast

import msgspec

from loadtest.bench.bench import Bench
from loadtest.bench.figures import figure, percentile
from loadtest.bench.machine import cpu_s, overflows, rss_kib
from loadtest.bench.peer_processes import MINIMAL, broadcast, minimal
from loadtest.bench.pressing_clients import Pressing, many
from loadtest.bench.watchers import Open, Watchers

SOCKETS = 5_000
RECONNECTS = 10_000
PRESSERS = 200
PRESSER_FIRST = 200_000
HOLDS_PER_S = 200
QUIET_S = 0.5
JITTER_S = 1.0
"""A screen that lost its socket waits a random time up to this before it dials again."""

LIMITS_ON = {
    "sockets_max": 15_000,
    "sockets_per_network_max": 256,
    "handshakes_per_s_max": 3_000,
}
"""The defaults: a crowd that comes back meets them."""

FANS, SCREENS, LIBRARY = "fans", "watchers", "websockets"


class Door(NamedTuple):
    """Where sockets are opened, and the processes behind it."""

    host: str
    path: str
    worker: int
    server: int


class Cost(msgspec.Struct, frozen=True):
    """Of one socket: CPU us of the worker and of the database to open it, KiB to keep it."""

    worker_us: float
    server_us: float
    kib: float


Found = dict[str, list[Cost]]


async def _once(door: Door, count: int, tickets: list[str], sync: int) -> Cost:
    async with Watchers() as screens:
        # The first socket opens the room and warms what is made once.
        first = await screens.open(Open(door.host, door.path, count, 1, sync=sync))
        assert first.open == 1, first
        await asyncio.sleep(QUIET_S)
        worker_s, server_s, kib = cpu_s(door.worker), cpu_s(door.server), rss_kib(door.worker)
        opened = await screens.open(Open(door.host, door.path, 0, count, tickets, sync))
        assert opened.open == count, opened
        worker_s, server_s = cpu_s(door.worker) - worker_s, cpu_s(door.server) - server_s
        await asyncio.sleep(QUIET_S)
        kib = rss_kib(door.worker) - kib
        return Cost(1e6 * worker_s / count, 1e6 * server_s / count, kib / count)


async def _measure(bench: Bench) -> Found:
    """Fresh processes for each run: memory that was once taken is not given back. Both benchmarks
    of one command share what was measured."""
    if "sockets" in bench.kept:
        return cast("Found", bench.kept["sockets"])
    count = bench.size(SOCKETS)
    found: Found = {FANS: [], SCREENS: [], MINIMAL: [], LIBRARY: []}
    for turn in range(bench.rounds):
        for name, runs in found.items():
            bench.now(f"run {turn + 1} of {bench.rounds}: {count} {name}")
            async with contextlib.AsyncExitStack() as stack:
                tickets: list[str] = []
                if name in (FANS, SCREENS):
                    shop = await stack.enter_async_context(bench.shop())
                    path = f"/drops/{await shop.drop(1000)}/live"
                    door = Door(shop.host, path, shop.workers[0], shop.server)
                    if name == FANS:
                        tickets = [ticket for _, ticket in shop.fans(count)]
                elif name == MINIMAL:
                    peer, database = await stack.enter_async_context(minimal())
                    door = Door(peer.host, peer.path, peer.pids[0], database.pid)
                else:
                    peer = await stack.enter_async_context(broadcast())
                    door = Door(peer.host, peer.path, peer.pids[0], peer.pids[0])
                sync = 0 if name in (FANS, SCREENS) else -1
                runs.append(await _once(door, count, tickets, sync))
    bench.kept["sockets"] = found
    return found


def _write(bench: Bench, field: str, target: str, found: Found) -> None:
    runs = {who: [getattr(cost, field) for cost in its] for who, its in found.items()}
    peers = {who: runs[who] for who in (MINIMAL, LIBRARY)}
    bench.figures[f"{field}_with_ticket"] = figure(runs[FANS], target, peers=peers)
    bench.figures[f"{field}_of_a_watcher"] = figure(runs[SCREENS], target, peers=peers)


async def handshake(bench: Bench) -> None:
    """To the snapshot of a fan with a ticket, and of a watcher; the peers only accept."""
    found = await _measure(bench)
    _write(bench, "worker_us", "<= 250", found)
    bench.figures["server_us_with_ticket"] = figure([cost.server_us for cost in found[FANS]])


async def memory(bench: Bench) -> None:
    """Of the worker, for a socket that only listens."""
    _write(bench, "kib", "<= 16", await _measure(bench))


async def reconnect(bench: Bench) -> None:
    """All sockets are cut at once and come back as pages do: jitter, and again when turned away."""
    count, fans = bench.size(RECONNECTS), bench.size(PRESSERS)
    async with bench.shop(overrides=LIMITS_ON) as shop, Watchers() as screens:
        drop = await shop.drop(10_000)
        path = f"/drops/{drop}/live"
        tickets = [ticket for _, ticket in shop.fans(count)]
        pressing = Pressing()
        clients = await many(
            shop.host, path, pressing.heard, fans, [t for _, t in shop.fans(fans)], PRESSER_FIRST
        )
        pressing.idle = list(clients)
        bench.now(f"{count} fans come for the first time")
        opened = await screens.open(Open(shop.host, path, 0, count, tickets=tickets, sync=0))
        seconds, errors, p99, turned, dropped = [], [], [], [], []
        for turn in range(bench.rounds):
            bench.now(f"run {turn + 1} of {bench.rounds}: {count} come back")
            shown = await shop.store.show(drop)
            assert shown is not None
            await screens.cut()
            pressing.waits_s.clear()
            overflowed = overflows()
            back = Open(
                shop.host,
                path,
                0,
                count,
                tickets=tickets,
                sync=shown.seq,
                at_once=count,
                jitter_s=JITTER_S,
            )
            coming = asyncio.create_task(screens.open(back))
            while not coming.done():
                await pressing.pace(HOLDS_PER_S, 0.25)
            opened = coming.result()
            await pressing.stop()
            seconds.append(opened.seconds)
            errors.append(float(sum(opened.errors.values()) + count - opened.open))
            # Who is not accepted in time is left to the kernel's slow repetitions.
            dropped.append(float(overflows() - overflowed))
            turned.append(opened.turned / count)
            p99.append(1000 * percentile(pressing.waits_s, 0.99))
            if opened.errors:
                bench.say(f"errors: {opened.errors}")
        for client in clients:
            client.leave()
    bench.figures["all_in_sync_s"] = figure(seconds, "<= 15")
    bench.figures["errors"] = figure(errors, "<= 0")
    bench.figures["holds_p99_ms_meanwhile"] = figure(p99, "<= 1000")
    bench.figures["overflows_of_the_listener"] = figure(dropped)
    bench.figures["times_turned_away_each"] = figure(turned)
