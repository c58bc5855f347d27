"""The hot path: holds and releases in turn over sockets and over HTTP, with one worker and two.

Only granted and answered commands count, and afterwards the log must hold just as many.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from dropengine import model, outcomes
from dropengine.creator_commands import Open
from dropengine.truth.connections import client
from dropengine.truth.store import Store
from loadtest.bench.bench import Bench
from loadtest.bench.figures import figure, percentile, ratios
from loadtest.bench.machine import cpu_s
from loadtest.bench.measured_shop import Cost, MeasuredShop, server_counts
from loadtest.bench.peer_processes import MINIMAL, Valkey, minimal, valkey
from loadtest.bench.pressing_clients import Client, HttpClient, Pressing, many, many_http

SOCKETS = 2_000
CAP = 100_000
WARM_S = 0.7
RUN_S = 3.0
FLOOR_COMMANDS = 60_000
WATCHER_FIRST = 100_000

Costs = Callable[[], Awaitable[Cost]]


class Run(msgspec.Struct, frozen=True):
    """One contender in one round: per second, per command, and how long answers took."""

    per_s: float
    worker_us: float
    server_us: float
    scripts: float
    log_bytes: float
    sent_bytes: float
    p99_ms: float

    @property
    def cpu_us(self) -> float:
        return self.worker_us + self.server_us


class Contender:
    """Clients in front of one server. `cost`: what its processes used so far."""

    def __init__(
        self, pressing: Pressing, clients: list[Client] | list[HttpClient], cost: Costs
    ) -> None:
        self.pressing = pressing
        self.clients = clients
        self.cost = cost
        self.runs: list[Run] = []
        pressing.idle.extend(clients)

    async def run(self, seconds: float) -> None:
        """Everybody presses; what is counted begins after a moment."""
        pressing, loop = self.pressing, asyncio.get_running_loop()
        pressing.start()
        await asyncio.sleep(WARM_S)
        before, granted, begun = await self.cost(), pressing.granted, loop.time()
        bytes_before = sum(client.bytes for client in self.clients)
        pressing.waits_s.clear()
        await asyncio.sleep(seconds)
        count, passed = pressing.granted - granted, loop.time() - begun
        used = await self.cost() - before
        waits = pressing.waits_s[:count]
        await pressing.stop()
        sent = sum(client.bytes for client in self.clients) - bytes_before
        assert count, f"nothing was granted: {pressing.refusals[:2]}"
        self.runs.append(
            Run(
                per_s=count / passed,
                worker_us=1e6 * used.worker_s / count,
                server_us=1e6 * used.server_s / count,
                scripts=1000 * used.scripts / count,
                log_bytes=used.log_bytes / count,
                sent_bytes=sent / count,
                p99_ms=1000 * percentile(waits, 0.99),
            )
        )

    def leave(self) -> None:
        for each in self.clients:
            each.leave()


class Floor:
    """The bare script on a server of its own."""

    def __init__(self, database: Valkey, drop: str) -> None:
        self.database = database
        self.drop = drop
        self.per_s: list[float] = []
        self.cpu_us: list[float] = []

    async def run(self, commands: int, fans: int) -> None:
        path = self.database.url.removeprefix("unix://")
        before = cpu_s(self.database.pid)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest.bench.bare_client"),
            *(path, self.drop, str(commands), str(fans)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, "the floor could not be measured"
        count, seconds, client_s = (float(word) for word in out.split())
        used = cpu_s(self.database.pid) - before + client_s
        self.per_s.append(count / seconds)
        self.cpu_us.append(1e6 * used / count)


@contextlib.asynccontextmanager
async def our_contender(bench: Bench, shop: MeasuredShop, http: bool) -> AsyncIterator[Contender]:
    """Our shop under `SOCKETS` fans, and a screen that nobody presses on: ticks are on. Its log
    must hold what was granted, no more and no less."""
    drop = await shop.drop(CAP)
    pressing = Pressing()
    count = bench.size(SOCKETS)
    tickets = [ticket for _, ticket in shop.fans(count)]
    live = f"/drops/{drop}/live"
    clients: list[Client] | list[HttpClient]
    if http:
        path = f"/api/drops/{drop}"
        clients = await many_http(shop.host, path, pressing.heard, count, tickets)
    else:
        clients = await many(shop.host, live, pressing.heard, count, tickets)
    screens = await many(shop.host, live, lambda *_: None, 1, first=WATCHER_FIRST)
    contender = Contender(pressing, clients, shop.cost)
    yield contender
    contender.leave()
    screens[0].leave()
    verdict = await shop.verdict(drop)
    if verdict.holds + verdict.released != pressing.granted:
        bench.violations.append(
            f"{pressing.granted} commands were granted, the log holds {verdict.holds} + "
            f"{verdict.released}"
        )
    if pressing.refused:
        bench.violations.append(f"{pressing.refused} were refused: {pressing.refusals[0]!r}")


async def _against(bench: Bench, http: bool) -> None:
    count = bench.size(SOCKETS)
    async with bench.shop() as shop, minimal() as (minimal_process, database), valkey() as bare:
        assert shop.running.server.durable, "the server must be durable"
        floor = Floor(bare, await _floor_drop(shop, bare))

        async def peer_cost() -> Cost:
            return Cost(
                minimal_process.cpu_s(), cpu_s(database.pid), *await server_counts(database.client)
            )

        theirs = Pressing()
        names = [f"fan{i}" for i in range(count)]
        bench.now(f"{count} fans each")
        clients: list[Client] | list[HttpClient]
        if http:
            clients = await many_http(minimal_process.host, "/api", theirs.heard, count, names)
        else:
            clients = await many(minimal_process.host, "/live", theirs.heard, count, names)
        peer = Contender(theirs, clients, peer_cost)
        async with our_contender(bench, shop, http) as ours:
            for turn in range(bench.rounds):
                bench.now(f"run {turn + 1} of {bench.rounds}")
                await ours.run(bench.seconds(RUN_S))
                await peer.run(bench.seconds(RUN_S))
                await floor.run(bench.size(FLOOR_COMMANDS), count)
        peer.leave()
    _write(bench, ours, peer, floor, http)


async def _floor_drop(shop: MeasuredShop, bare: Valkey) -> str:
    """The same drop on the bare server."""
    store = Store(client(bare.url))
    shown = await shop.store.show(await shop.drop(CAP))
    assert shown is not None
    done = await store.publish(shown.manifest, by="o1", key="publish")
    assert isinstance(done, outcomes.Changed), done
    drop = model.DropId(shown.manifest.id)
    await store.command(drop, Open(), revision=done.revision, by="o1", key="open")
    await store.close()
    return shown.manifest.id


def _write(bench: Bench, ours: Contender, peer: Contender, floor: Floor, http: bool) -> None:
    def both(
        name: str, target: str | None = None, under: Sequence[float] = (), field: str = ""
    ) -> None:
        field = field or name
        bench.figures[name] = figure(
            [getattr(run, field) for run in ours.runs],
            target,
            floor=under,
            peers={MINIMAL: [getattr(run, field) for run in peer.runs]},
        )

    both("per_s", None if http else ">= 15000", floor.per_s)
    both("cpu_us", "<= 85" if http else "<= 55", floor.cpu_us)
    times = ratios([run.cpu_us for run in peer.runs], [run.cpu_us for run in ours.runs])
    bench.figures["times_the_peer_per_cpu_s"] = figure(times, ">= 2.5" if http else ">= 4")
    both("worker_us")
    both("server_us")
    both("p99_ms")
    both("fsyncs_per_1000_at_most", field="scripts")
    both("log_bytes")
    both("sent_bytes")


async def hold_ws(bench: Bench) -> None:
    """Over sockets that are already open."""
    await _against(bench, http=False)


async def hold_http(bench: Bench) -> None:
    """Over kept-alive connections, a request for each."""
    await _against(bench, http=True)


async def workers(bench: Bench) -> None:
    """One worker and two, on the same two cores as the clients."""
    async with contextlib.AsyncExitStack() as stack:
        contenders: dict[int, Contender] = {}
        for count in (1, 2):
            shop = await stack.enter_async_context(bench.shop(count))
            contenders[count] = await stack.enter_async_context(
                our_contender(bench, shop, http=False)
            )
        for turn in range(bench.rounds):
            bench.now(f"run {turn + 1} of {bench.rounds}")
            for contender in contenders.values():
                await contender.run(bench.seconds(2.0))
    runs: dict[int, list[Run]] = defaultdict(list)
    for count, contender in contenders.items():
        runs[count] = contender.runs
    for field in ("per_s", "cpu_us", "p99_ms"):
        for count, its in runs.items():
            bench.figures[f"{field}_with_{count}"] = figure([getattr(run, field) for run in its])
