"""A flood of sign-ins takes as much memory as a few of them, and sales go on beside it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from tests.kit import short_folder

folder = short_folder.folder

FLOOD = 200
MOST_KIB = 72 * 1024
"""Two hashes take 38 MiB; the rest is for 200 requests that are read and answered. Hashes for all
of them at once would take 3.7 GiB."""
LONG_S = 120


@pytest.fixture
async def shop(folder: Path) -> AsyncIterator[SupervisorProcess]:
    """Where no limit of tries is in the way."""
    settings = Settings(
        local_pay=True,
        data_dir=folder,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=64,
        log_level="error",
        sign_ins_at_once_max=1_000,
        sign_in_each_ms=1,
        requests_per_s_max=100_000,
    )
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


def forget_the_most(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def kib(pid: int, what: str) -> int:
    """VmRSS: what a process has; VmHWM: the most it had since it was last asked to forget."""
    found = re.search(
        rf"^{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
    )
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="it asks Linux")
async def test_two_hundred_sign_ins_at_once_take_the_memory_of_two(
    shop: SupervisorProcess,
) -> None:
    url, (worker, *_) = shop.running.url, shop.running.worker_pids
    limits = httpx2.Limits(max_connections=FLOOD)
    async with httpx2.AsyncClient(
        base_url=url, headers={"origin": url}, limits=limits, timeout=LONG_S, trust_env=False
    ) as http:

        async def tried(name: str) -> int:
            body = {"name": name, "password": "x" * 256}
            return (await http.post("/api/studio/sign-in", json=body)).status_code

        # What the first one loads, everybody has.
        assert await tried("first") == 401
        forget_the_most(worker)
        before = kib(worker, "VmRSS")
        heard = Counter(await asyncio.gather(*(tried(f"name{n}") for n in range(FLOOD))))
        took = kib(worker, "VmHWM") - before
    assert set(heard) == {401, 429}
    assert sum(heard.values()) == FLOOD
    assert took <= MOST_KIB
    print(f"{took} KiB, {dict(heard)}")
