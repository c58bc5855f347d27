"""A rehearsal of a maker's own drop on his own machine: one night of it, judged, then how much the
machine carries.

It is played in a shop of its own, of which nothing is the real one's: not the server, not the
books, not the provider, not the secret. What is handed in is the drop's words and rules alone.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from typing import Final

from dropengine.config import Settings
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.rehearsal import findings, machine, place, shapes
from dropengine.rehearsal.carrying import MEMORY_MIB_MIN, STEP_S, STEPS_MIN, Carrying
from dropengine.rehearsal.clone import Clone, clone
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.history.checks import percentile
from dropengine.rehearsal.machine import Loads
from dropengine.rehearsal.night import Night
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal.practice_shop import PracticeShop
from dropengine.rehearsal.report_of import report_of
from dropengine.rehearsal.verdicts import Judgement
from dropengine.rehearsal_report import Asked, Capacity, Progress, RehearsalReport
from dropengine.truth.store import Store

SEED: Final = 1
"""The same people each time: so two rehearsals of one drop can be compared."""
NIGHTS_SHARE: Final = 0.6
"""Of its minutes a night may take so much; most end far sooner."""
TELL_S: Final = 0.5
END_S: Final = 5.0
"""For taking everything down and writing the report."""
OVERTIME_S: Final = 60.0
"""So long after its minutes it is ended by force: coming and judgement have their own time."""

Tell = Callable[[Progress], None]


class Stopped(DropEngineError):
    """The rehearsal ended itself before its time; a sentence says why."""


class OwnDrop:
    """One rehearsal. drop: as it is. last: the rehearsal before, to compare with. tell: hears how
    it goes, twice a second."""

    def __init__(
        self,
        settings: Settings,
        drop: Manifest,
        asked: Asked,
        *,
        last: RehearsalReport | None,
        tell: Tell,
    ) -> None:
        self.settings = settings
        self.drop = drop
        self.asked = asked
        self.last = last
        self.clone: Clone = clone(drop, asked.minutes)
        self._tell = tell
        self._began_s = time.monotonic()
        self._stage, self._says = "shop", "a shop of its own is opened"
        self._night: Night | None = None
        self._carrying: Carrying | None = None
        self._shop: PracticeShop | None = None
        self._server = ""
        self._nicer: set[int] = set()
        self._wanted = 0
        self._loads: Loads | None = None
        self._answered = (0, 0.0)
        self._short = ""

    @property
    def ends_s(self) -> float:
        """When its minutes are over, monotonic."""
        return self._began_s + self.asked.minutes * 60

    async def rehearse(self) -> RehearsalReport:
        """From nothing to the report, and back to nothing. Raises DropEngineError."""
        place.fitting(self.settings, self.asked.fans)
        machine.go_last(os.getpid())
        with place.place(self.settings) as folder:
            shop = PracticeShop(place.own_shop(self.settings, folder))
            work = asyncio.create_task(self._in_shop(shop))
            telling = asyncio.create_task(self._keep_telling(work))
            try:
                async with asyncio.timeout(self.asked.minutes * 60 + OVERTIME_S):
                    return await work
            except TimeoutError:
                raise Stopped(
                    f"The rehearsal was not done {OVERTIME_S:.0f} s after its "
                    f"{self.asked.minutes} minutes: take fewer fans, or give it more minutes."
                ) from None
            except asyncio.CancelledError:
                if not self._short:
                    raise
                raise Stopped(self._short) from None
            finally:
                work.cancel()
                telling.cancel()
                await asyncio.gather(work, telling, return_exceptions=True)

    async def _in_shop(self, shop: PracticeShop) -> RehearsalReport:
        try:
            await shop.start()
            running = shop.running
            self._server = f"{running.server.name.capitalize()} {running.server.version}"
            self._shop = shop
            self._loads = Loads(self._pids)
            store = shop.store()
            try:
                judgement = await self._play(shop, store)
                capacity = await self._carry(shop, store)
            finally:
                await store.close()
            return report_of(
                self.settings,
                self.drop,
                self.asked,
                self.clone,
                judgement,
                capacity,
                seed=SEED,
                took_s=time.monotonic() - self._began_s,
                server=self._server,
                cut_short=self._short,
                last=self.last,
            )
        finally:
            await shop.stop()

    def _pids(self) -> dict[str, tuple[int, ...]]:
        """The processes of the rehearsal, as they are now."""
        if self._shop is None:
            return {}
        running = self._shop.running
        return {
            findings.WEB: running.worker_pids,
            findings.SERVER: (running.server_pid,) if running.server_pid else (),
            "books": (running.ledger_pid,) if running.ledger_pid else (),
            "supervisor": (running.supervisor_pid,),
            findings.CROWD: (os.getpid(),),
        }

    async def _let_others_first(self) -> None:
        """Of each process once, as soon as it is there."""
        for pid in {pid for some in self._pids().values() for pid in some} - self._nicer:
            self._nicer.add(pid)
            await asyncio.to_thread(machine.go_last, pid)

    # The night.

    async def _play(self, shop: PracticeShop, store: Store) -> Judgement:
        made = self.clone.manifest
        pools = sum(len(item.pools) for item in made.items)
        people, arrivals_s = shapes.shaped(self.asked.shape, SEED, self.asked.fans, pools)
        signing_in = Passes(shop.settings).signing_in([made])
        crowd = Crowd(shop.url, seed=SEED, sign_in=signing_in)
        self._wanted = len(people)
        try:
            night = self._night = Night(
                shop,
                store,
                crowd,
                [made],
                self,
                seed=SEED,
                arrivals_s=arrivals_s,
                play_s_max=max(arrivals_s + 10, NIGHTS_SHARE * self.asked.minutes * 60),
                quiet_s=max(2.5, made.cool_ms / 1000 + 1, made.lookup_ms / 1000 + 1),
            )
            self._stage, self._says = "coming", "fans come to the page"
            await night.publish()
            await night.gather(people)
            self._stage = "sale"
            await night.sale([[]])
            self._stage = "closing"
            await night.close()
            await night.last_screens()
            self._stage, self._says = "judging", "the log is held against all that fans saw"
            return await night.judged()
        finally:
            await crowd.close()

    def say(self, text: str) -> None:
        """What the night tells."""
        self._says = text

    def now(self, text: str) -> None:
        """The same; of the sale every number is told anyway."""
        if self._stage != "sale":
            self._says = text

    # What the machine carries.

    async def _carry(self, shop: PracticeShop, store: Store) -> Capacity | None:
        until_s = self.ends_s - END_S
        if time.monotonic() + STEPS_MIN * STEP_S > until_s:
            self._short = (
                f"The night took all of the {self.asked.minutes} minutes, so the capacity was not "
                f"measured: give it more."
            )
            return None
        self._night = None
        made, fans = self.clone.manifest, self.asked.fans
        self._carrying = Carrying(
            shop.settings, shop.url, store, made, fans, lambda: Loads(self._pids)
        )
        try:
            return await self._carrying.measure(until_s)
        except OSError as fault:
            self._short = f"The capacity was not measured: {fault}."
            return None

    # How it goes.

    async def _keep_telling(self, work: asyncio.Task[RehearsalReport]) -> None:
        while True:
            self._tell(self.progress())
            await self._let_others_first()
            self._short = self._short_of() or self._short
            if self._short_of():
                work.cancel()
                return
            await asyncio.sleep(TELL_S)

    def _short_of(self) -> str:
        """What the machine is running out of, in a sentence, or ''."""
        free_mib = machine.memory_free_mib()
        if free_mib is not None and free_mib < MEMORY_MIB_MIN:
            return f"The rehearsal was stopped: only {free_mib} MiB of memory were free."
        if self.settings.data_dir.is_dir():
            disk_mib = shutil.disk_usage(self.settings.data_dir).free // 2**20
            if disk_mib < 2 * self.settings.disk_free_mib_min:
                return f"The rehearsal was stopped: only {disk_mib} MiB of the disk were free."
        return ""

    def progress(self) -> Progress:
        """This moment."""
        passed_s = time.monotonic() - self._began_s
        answered, took_us, errors, watchers = self._numbers()
        before, before_s = self._answered
        per_s = max(0, answered - before) / max(0.001, passed_s - before_s)
        self._answered = (answered, passed_s)
        carrying = self._carrying
        rows = [row for view in self._night.views for row in view.pools] if self._night else []
        return Progress(
            stage=carrying.stage if carrying else self._stage,
            says=carrying.says if carrying else self._says,
            elapsed_s=round(passed_s, 1),
            done=min(1.0, round(passed_s / (self.asked.minutes * 60), 3)),
            watchers=watchers,
            wanted=carrying.wanted if carrying else self._wanted,
            commands_per_s=round(per_s, 1),
            p50_ms=round(percentile(took_us, 50) / 1000, 1),
            p99_ms=round(percentile(took_us, 99) / 1000, 1),
            free=sum(row.free for row in rows),
            held=sum(row.held for row in rows),
            sold=sum(row.sold for row in rows),
            waiting=sum(row.waiting for row in rows),
            errors=errors,
            processes=self._loads.look() if self._loads else [],
        )

    def _numbers(self) -> tuple[int, list[int], int, int]:
        """Commands answered, how long the newest took (us, ascending), errors, open screens."""
        if self._night is not None:
            crowd = self._night.crowd
            history = crowd.history
            errors = crowd.refusals["away"] + len(crowd.stumbles)
            return history.answered, sorted(history.took_us), errors, crowd.connected
        if self._carrying is not None:
            pressers = self._carrying.pressers
            there = pressers.open + self._carrying.swarm.open
            return pressers.answered, sorted(pressers.waits_us[-1000:]), pressers.lost, there
        return 0, [], 0, 0
