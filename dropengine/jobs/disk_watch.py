"""Watches how much room is left where sales are written down.

A full disk ends the server in the middle of a sale: sales pause while it can still write.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dropengine.config import Settings
from dropengine.jobs.emergency_pause import pause_every_drop
from dropengine.truth.store import Store

LOOK_S = 1.0


def disk_free_mib(path: Path) -> int:
    """Free disk for an ordinary user under a path that may not exist yet, in MiB."""
    while not path.exists():
        path = path.parent
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize >> 20


class DiskWatch:
    """Too little room pauses every live drop. free_mib: how much is left."""

    name = "the disk watch"
    every_s = LOOK_S

    def __init__(self, store: Store, settings: Settings, free_mib: Callable[[], int]) -> None:
        self._store = store
        self._free_mib = free_mib
        self._free_mib_min = settings.disk_free_mib_min

    async def round(self) -> None:
        """Raises Unavailable when drops cannot be paused now."""
        if self._free_mib() < self._free_mib_min:
            await pause_every_drop(self._store, "disk", "the disk is nearly full")
