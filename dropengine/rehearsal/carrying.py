"""How much a shop carries: fans come back to press on a drop that has units for all of them, then
watchers come on top, each higher until one in a hundred is late."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Final

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal import machine, place
from dropengine.rehearsal.clone import for_load
from dropengine.rehearsal.load.pressers import Pressers
from dropengine.rehearsal.load.ramp import PRESSES_BESIDE, WatcherRamp, ramp_presses
from dropengine.rehearsal.load.watchers import Swarm
from dropengine.rehearsal.machine import Loads
from dropengine.rehearsal.night import BY
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal_report import Capacity, Ramp, Step
from dropengine.truth.store import Store

SEATS_MAX: Final = 2_000
"""So many press; more of them press no faster."""
STEP_S: Final = 2.0
STEPS_MIN: Final = 4
"""With time for fewer nothing is found."""
WATCHERS_TIMES: Final = 10
LAG_EVERY: Final = 100
MEMORY_MIB_MIN: Final = 200
"""Left for everybody else."""


class Carrying:
    """One measurement. drop: what was rehearsed. loads: makes a fresh look at the processes.

    stage, says, wanted: what is tried now.
    """

    def __init__(
        self,
        settings: Settings,
        url: str,
        store: Store,
        drop: Manifest,
        fans: int,
        loads: Callable[[], Loads],
    ) -> None:
        self._passes = Passes(settings)
        self._store = store
        self._loads = loads
        self._fans = fans
        self.seats = min(fans, SEATS_MAX)
        self.drop, pool = for_load(drop, self.seats)
        self.pressers = Pressers(url, self.drop.id, pool, self._passes.cookie(drop))
        self.swarm = Swarm(url, self.drop.id, lag_every=LAG_EVERY)
        self.stage, self.says = "presses", f"{self.seats:,} fans come back to press"
        self.wanted = self.seats

    async def measure(self, until_s: float) -> Capacity:
        """until_s: monotonic. Raises OSError when the shop turns fans away, DropEngineError."""
        # What lives on is looked through in vain: a crowd that stops to do so is late by itself.
        gc.collect()
        gc.freeze()
        try:
            await opened(self._store, self.drop)
            await self.pressers.arrive(self._passes.tickets(self.drop, self.seats))
            now_s = time.monotonic()
            presses = await self.presses(now_s + (until_s - now_s) / 2)
            ramp = WatcherRamp(
                self.pressers, self.swarm, self._loads(), self.seats, *self._most_watchers()
            )
            watchers = await ramp.climb(self._trying, step_s=STEP_S, until_s=until_s)
        finally:
            await self.close()
        return Capacity(
            seats=self.seats,
            presses=presses,
            presses_beside=PRESSES_BESIDE,
            watchers=watchers,
            socket_kib=round(ramp.socket_kib, 1),
            screen_bytes_per_s=round(ramp.screen_bytes_per_s, 1),
        )

    async def presses(self, until_s: float) -> Ramp:
        """The first half of it; until_s: monotonic."""
        return await ramp_presses(
            self.pressers, self._loads(), self._trying, step_s=STEP_S, until_s=until_s
        )

    async def close(self) -> None:
        """Everybody leaves."""
        gc.unfreeze()
        self.pressers.leave()
        await self.swarm.close()

    def _most_watchers(self) -> tuple[int, str]:
        """As many as are worth trying, and as this process and the machine's memory have room for;
        and which of them it was."""
        times = WATCHERS_TIMES * self._fans
        bounds = [
            (times, f"{WATCHERS_TIMES} times the crowd is as far as it is tried"),
            (
                min(raise_file_limit(), place.SOCKETS_MOST) - place.FILES_BESIDE,
                "one process may open no more sockets here",
            ),
        ]
        if (free_mib := machine.memory_free_mib()) is not None:
            room = (free_mib - 2 * MEMORY_MIB_MIN) * 1024 // place.FAN_KIB + self.seats
            bounds.append((room, "the machine has no more memory free"))
        most, why = min(bounds)
        return max(self.seats + 1, most), why

    def _trying(self, what: str, height: float, step: Step | None) -> None:
        self.stage = what
        unit = "presses a second" if what == "presses" else "watchers"
        if step is None:
            self.says = f"{height:,.0f} {unit}"
            self.wanted = int(height) if what == "watchers" else self.seats
        elif step.broke:
            self.says = f"{height:,.0f} {unit}: {step.broke}"
        else:
            self.says = f"{height:,.0f} {unit}: {step.late_p99_ms:,.0f} ms"


async def opened(store: Store, drop: Manifest) -> None:
    """Publish a drop, and open it. Raises DropEngineError."""
    name = DropId(drop.id)
    done = await store.publish(drop, by=BY, key="publish")
    if not isinstance(done, outcomes.Changed):
        raise DropEngineError(f"{name} cannot be published: {done}")
    live = await store.command(name, Open(), revision=done.revision, by=BY, key="open")
    if not isinstance(live, outcomes.Changed):
        raise DropEngineError(f"{name} cannot be opened: {live}")
