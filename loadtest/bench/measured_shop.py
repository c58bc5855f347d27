"""A real shop to measure: its processes, their CPU time, drops, tickets, and the referee after.

Its limits are wide open only where a machine that plays a whole crowd would meet them.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import redis.asyncio as redis

from dropengine import config, manifest, model, outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.data_directory import secret
from dropengine.log import referee
from dropengine.model import DropId
from dropengine.people.tickets import Tickets, pseudonym
from dropengine.processes.supervisor import Running
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.log_rows import LogRowsOf
from dropengine.truth import keys
from dropengine.truth.connections import client
from dropengine.truth.store import Store
from loadtest.bench.machine import cpu_s, rss_kib

HEAD = """
id = "bench"
title = "Bench"
maker = "Bench"
story = "Measured."
mode = "rush"
zone = "UTC"
currency = "EUR"
limit = {limit}
pace = 0
network_most = 0
practice = true
hold_seconds = {hold_s}
offer_seconds = {offer_s}
cool_seconds = {cool_s}
"""

ITEM = """
[[items]]
id = "unit{n}"
title = "Unit"
price = 100
cap = {cap}
withheld = {withheld}
"""

POOL = "unit0"
"""The first pool of every drop here."""

WIDE: dict[str, Any] = {
    "sockets_max": 50_000,
    "handshakes_per_s_max": 100_000,
    "messages_per_s_max": 10_000,
    "requests_per_s_max": 1_000_000,
    "tickets_at_once_max": 0,
    "keep_alive_s": 600,
    "maxmemory_mib": 4096,
    "log_level": "warning",
}


class Cost(msgspec.Struct, frozen=True):
    """What two processes had used at a moment, or between two.

    worker_s, server_s: CPU seconds. scripts: script calls, which is the most fsyncs there can be.
    log_bytes: length of the log on disk.
    """

    worker_s: float
    server_s: float
    scripts: int
    log_bytes: int

    def __sub__(self, before: Cost) -> Cost:
        return Cost(
            self.worker_s - before.worker_s,
            self.server_s - before.server_s,
            self.scripts - before.scripts,
            self.log_bytes - before.log_bytes,
        )

    @property
    def cpu_s(self) -> float:
        return self.worker_s + self.server_s


async def server_counts(server: redis.Redis) -> tuple[int, int]:
    """Script calls, and bytes of the log on disk."""
    info = await server.info("everything")
    calls = sum(info.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval"))
    # Calls that met in one turn of the server's loop shared an fsync.
    return min(calls, int(info["eventloop_cycles"])), int(info["aof_current_size"])


class MeasuredShop:
    """One shop under measurement. `workers`, `server`: process numbers."""

    def __init__(self, running: Running, settings: Settings) -> None:
        self.running = running
        self.settings = settings
        self.store = Store(client(running.redis_url, timeout_s=20.0))
        self.store.in_the_books = LogRowsOf(settings).texts
        self.tickets = Tickets(secret(settings).decode(), settings.ticket_days)
        assert running.server_pid is not None
        self.server = running.server_pid
        self.workers = running.worker_pids
        self.drops: list[DropId] = []
        self._judged: dict[DropId, referee.Verdict] = {}

    @property
    def host(self) -> str:
        """`127.0.0.1:port`."""
        return f"{self.settings.host}:{self.running.port}"

    @property
    def valkey(self) -> str:
        """The server's name and version."""
        return f"{self.running.server.name.capitalize()} {self.running.server.version}"

    async def drop(
        self,
        cap: int,
        *,
        limit: int = 100,
        withheld: int = 0,
        items: int = 1,
        hold_s: int = 1800,
        offer_s: int = 1800,
        cool_s: int = 60,
        test: bool = False,
    ) -> DropId:
        """A new live drop of `items` items of `cap` units; the first one's pool is `POOL`. test:
        its scripts take a clock."""
        text = HEAD.format(limit=limit, hold_s=hold_s, offer_s=offer_s, cool_s=cool_s)
        text += "".join(ITEM.format(n=n, cap=cap, withheld=withheld) for n in range(items))
        made = manifest.parse(text.encode(), "bench")
        made = manifest.with_opening(made, f"bench-{secrets.token_hex(4)}", 0)
        drop = DropId(made.id)
        self.drops.append(drop)
        done = await self.store.publish(made, by="o1", key="publish", test=test)
        assert isinstance(done, outcomes.Changed), done
        opened = await self.store.command(drop, Open(), revision=done.revision, by="o1", key="open")
        assert isinstance(opened, outcomes.Changed), opened
        return drop

    def fans(self, count: int, drop: str = "") -> list[tuple[model.FanId, str]]:
        """So many fans of a drop with their tickets."""
        now_s = int(time.time())
        made = [self.tickets.issue(now_s) for _ in range(count)]
        return [(pseudonym(ticket.key, DropId(drop)), text) for ticket, text in made]

    async def cost(self) -> Cost:
        """Used so far: all workers, and the server."""
        scripts, log_bytes = await server_counts(self.store.client)
        return Cost(sum(map(cpu_s, self.workers)), cpu_s(self.server), scripts, log_bytes)

    def worker_s(self) -> float:
        """CPU seconds of all workers so far."""
        return sum(map(cpu_s, self.workers))

    def worker_kib(self) -> int:
        """Resident memory of all workers."""
        return sum(map(rss_kib, self.workers))

    async def free(self, drop: DropId) -> int:
        """Free units of the first pool, without settling anything."""
        raw = await self.store.client.hget(keys.one(drop, "pools"), POOL)
        return msgspec.msgpack.decode(raw, type=model.PoolRecord).free

    async def verdict(self, drop: DropId) -> referee.Verdict:
        """What the referee says of the drop's log: asked once, when the drop is left alone."""
        if drop not in self._judged:
            log = [line async for line in self.store.log(drop)]
            self._judged[drop] = await asyncio.to_thread(referee.judge, log)
        return self._judged[drop]

    async def violations(self) -> list[str]:
        """The referee's sentences about every drop of this shop."""
        sentences = []
        for drop in self.drops:
            verdict = await self.verdict(drop)
            sentences += [str(violation) for violation in verdict.violations]
        return sentences


@contextlib.asynccontextmanager
async def measured_shop(
    workers: int = 1, overrides: Mapping[str, object] | None = None
) -> AsyncIterator[MeasuredShop]:
    """A shop in a temporary directory, on a port of its own."""
    with tempfile.TemporaryDirectory(prefix="dropengine-bench-") as folder:
        given = {"data_dir": folder, "port": 0, "web_concurrency": workers, **WIDE}
        settings, _ = config.load({**given, **(overrides or {})}, {}, None)
        supervisor = SupervisorProcess(settings)
        running = await asyncio.to_thread(supervisor.start)
        shop = MeasuredShop(running, msgspec.structs.replace(settings, port=running.port))
        try:
            yield shop
        finally:
            await shop.store.close()
            await asyncio.to_thread(supervisor.stop)
