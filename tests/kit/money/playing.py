"""Plays money histories of many seeds, one after the other, in one shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dropengine.model import DropId
from dropengine.truth import connections
from tests.kit.money.history import History
from tests.kit.money.tills import TILLS
from tests.kit.private_server import Server
from tests.kit.store_on_test_clock import StoreOnTestClock
from tests.kit.webhook_receiver import Clock


class Wrong(AssertionError):
    """A history that broke a promise."""


async def played(
    server: Server,
    folder: Path,
    till: str,
    seeds: Iterable[int],
    loaded: dict[str, Any] | None = None,
    wanted: str = "",
) -> Counter[str]:
    """What they met. Raises Wrong, of a history that broke a promise in which `wanted` is said.
    loaded: other scripts than those of the package."""
    client, clock, met = connections.client(server.url), Clock(), Counter[str]()
    store = StoreOnTestClock(client, clock, loaded)
    try:
        async with TILLS[till](folder, clock) as opened:
            for seed in seeds:
                drop = DropId(f"money-{list(TILLS).index(till)}-{seed}")
                history = History(store, clock, opened, drop, seed, opened.payments.name)
                wrong = await history.play()
                met += history.met
                if any(wanted in one for one in wrong):
                    raise Wrong(f"{till}, seed {seed}:\n" + "\n".join(wrong))
    finally:
        await client.aclose(close_connection_pool=True)
    return met
