"""Watches how much room is left where sales are written down.

A full disk ends the server in the middle of a sale: sales pause while it can still write, and go on
when there is room again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from dropengine.catalogue import ENGLISH
from dropengine.config import Settings
from dropengine.jobs.emergency_pause import EmergencyPause
from dropengine.truth.store import Store

LOOK_S = 1.0


def disk_free_mib(path: Path) -> int:
    """Free disk for an ordinary user under a path that may not exist yet, in MiB."""
    while not path.exists():
        path = path.parent
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize >> 20


class DiskWatch:
    """Too little room pauses every live drop; with twice the minimum free for a while they go on.

    free_mib: how much is left. clock: monotonic, s.
    """

    name = "the disk watch"
    every_s = LOOK_S

    def __init__(
        self,
        store: Store,
        settings: Settings,
        free_mib: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pause = EmergencyPause(store, "disk", ENGLISH("stopped.disk"), clock)
        self._free_mib = free_mib
        self._free_mib_min = settings.disk_free_mib_min
        self.full = False
        """Whether sales are paused for it, as far as this worker knows."""

    async def round(self) -> None:
        """Raises Unavailable when drops cannot be paused now."""
        free_mib, least_mib = self._free_mib(), self._free_mib_min
        self.full = free_mib < least_mib or (self.full and free_mib < 2 * least_mib)
        if free_mib < least_mib:
            await self._pause.begin(at_once=free_mib < least_mib // 2)
        elif free_mib < 2 * least_mib:
            await self._pause.keep()
        else:
            await self._pause.end()
