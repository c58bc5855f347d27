"""A shop whose server goes away and whose web processes die meanwhile: real processes, all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from redis.exceptions import RedisError

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import server_check
from tests.kit.private_server import Server
from tests.kit.web_process import LONG_S

LOAD_LINES, LOAD_EACH_US = 300_000, 100
"""A log that takes half a minute to read, unless it is told to hurry."""
KILLS = 3


def shop_on(server: Server, folder: Path, workers: int) -> SupervisorProcess:
    """A shop on this server; nothing is started."""
    return SupervisorProcess(
        Settings(
            data_dir=folder,
            redis_url=server.url,
            port=0,
            local_pay=True,
            web_concurrency=workers,
            disk_free_mib_min=16,
            log_level="error",
            shutdown_s_max=2,
            requests_per_s_max=100_000,
        )
    )


@contextlib.asynccontextmanager
async def away(server: Server, how: str) -> AsyncIterator[None]:
    """The server is `gone`, `frozen` or `slow` to load inside of the block; when that ends it is
    there again, or comes as soon as it has read its log."""
    assert server.process is not None
    if how == "frozen":
        server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            server.process.send_signal(signal.SIGCONT)
        return
    if how == "slow":
        with server_check.client(server.url, 10_000) as client:
            script = "for i = 1, tonumber(ARGV[1]) do redis.call('RPUSH', KEYS[1], i) end"
            client.eval(script, 1, "filler", LOAD_LINES)
        server.more["key-load-delay"] = str(LOAD_EACH_US)
    await asyncio.to_thread(server.kill)
    if how == "gone":
        yield
        await asyncio.to_thread(server.start)
        return
    # It answers while it reads, and what it answers is LOADING.
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    try:
        yield
    finally:
        with contextlib.suppress(RedisError), server_check.client(server.url, 10_000) as client:
            client.execute_command("CONFIG", "SET", "key-load-delay", "0")
        await starting


async def lose_worker(shop: SupervisorProcess, how: str) -> None:
    """The first web process is `killed`, again and again; or `hung`; or killed while it is
    `started`. Returns when another one is up in its place."""
    number = signal.SIGSTOP if how == "hung" else signal.SIGKILL
    for _ in range(KILLS if how == "killed" else 1):
        lost = shop.running.worker_pids[0]
        os.kill(lost, number)
        if how == "started":
            for _ in range(3):
                lost = await _next(shop.running.supervisor_pid, lost)
                os.kill(lost, signal.SIGKILL)
        await asyncio.to_thread(_replaced, shop, lost)


def _replaced(shop: SupervisorProcess, lost: int) -> None:
    shop.until(lambda now: now.worker_pids[0] != lost and _alive(now.worker_pids[0]), LONG_S)


async def _next(supervisor: int, lost: int) -> int:
    """The web process that is being started in the place of a lost one."""
    async with asyncio.timeout(LONG_S):
        while True:
            for pid in _first_of(supervisor):
                if pid != lost and _alive(pid):
                    return pid
            await asyncio.sleep(0.005)


def _first_of(supervisor: int) -> list[int]:
    """Processes that are, or were, the supervisor's first web process."""
    found = []
    for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        with contextlib.suppress(OSError):
            if b"web-1" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.append(int(pid))
    return found


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state not in (b"Z", b"X", b"x")
    return False
