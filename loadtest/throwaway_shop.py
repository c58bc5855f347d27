"""A private shop for a measurement: a durable server and web processes of its own, gone
afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.manifest import Manifest, parse
from dropengine.model import DropId
from dropengine.processes.supervisor import Running
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.log_rows import LogRowsOf
from dropengine.truth.store import Store

BY = "o1"
"""Of simulated operators there is one."""


@contextlib.asynccontextmanager
async def throwaway_shop(
    processes: int, folder: Path | None = None
) -> AsyncIterator[tuple[Running, Store]]:
    """It listens on a free port of this machine alone and may be pressed as hard as one likes.
    folder: of its data, where somebody wants to look into its SQL."""
    with tempfile.TemporaryDirectory(prefix="drop-") as made:
        settings = Settings(
            data_dir=folder or Path(made),
            port=0,
            local_pay=True,
            web_concurrency=processes,
            disk_free_mib_min=16,
            log_level="error",
            sockets_per_network_max=10_000,
            requests_per_s_max=100_000,
            messages_per_s_max=1_000,
        )
        one = SupervisorProcess(settings)
        await asyncio.to_thread(one.start)
        try:
            store = Store.connect(one.running.redis_url)
            store.in_the_books = LogRowsOf(settings).texts
            try:
                yield one.running, store
            finally:
                await store.close()
        finally:
            await asyncio.to_thread(one.stop)


def one_pool(drop: str, *, cap: int, hold_s: int = 480) -> Manifest:
    """A drop of one item, one unit per fan."""
    text = f"""
id = "{drop}"
title = "{drop}"
maker = "loadtest"
story = "Practice."
mode = "rush"
zone = "UTC"
currency = "EUR"
limit = 1
pace = 0
network_most = 0
practice = true
hold_seconds = {hold_s}
[[items]]
id = "pin"
title = "Pin"
price = 100
cap = {cap}
"""
    return parse(text.encode(), drop)


async def opened(store: Store, manifest: Manifest, *, test: bool = False, at_ms: int = 0) -> DropId:
    """Publish and open it. test, at_ms: with a clock of one's own, see `Store.publish`."""
    drop = DropId(manifest.id)
    done = await store.publish(manifest, by=BY, key="publish", test=test, clock_ms=at_ms)
    assert isinstance(done, outcomes.Changed), done
    live = await store.command(
        drop, Open(), revision=done.revision, by=BY, key="open", clock_ms=at_ms
    )
    assert isinstance(live, outcomes.Changed), live
    return drop
