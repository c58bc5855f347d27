"""A rehearsal: a whole drop in well under a minute against the real shop, judged at the end.

Seeded people over the public doors, a busy creator, a process killed on purpose; then the log is
judged by the referee, folded by replay, and held against what the clients saw. One violation fails
the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from redis.exceptions import RedisError

from dropengine.config import Settings
from dropengine.errors import DropEngineError, Unavailable
from dropengine.jobs.drawing import Drawing
from dropengine.manifest import Manifest
from dropengine.model import DropState
from dropengine.rehearsal.fans import Crowd, plans
from dropengine.rehearsal.fans.plans import Mix, Plan
from dropengine.rehearsal.night import Night
from dropengine.rehearsal.operators import acts, insist
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal.practice_drops import compressed, fresh_id, in_mode, shipped
from dropengine.rehearsal.practice_shop import PracticeShop, Victim, for_crowd, play
from dropengine.rehearsal.verdicts import Judgement
from dropengine.terminal import summary
from dropengine.terminal.progress import Progress
from dropengine.truth import keys
from dropengine.truth.store import Store

ARRIVALS_S = 9.0
"""By this time after the opening everybody has come and pressed."""
PLAY_S_MAX = 150.0
RECOVER_S_MAX = 10.0
KILL_MS = (100, 1_500)
"""When a process is killed, after the opening: in the burst. Where a list is ordered first, in the
middle of that."""
ORDERED_S_MAX = 90.0
LOOK_S = 0.001
SOME = 0.01
"""Of a list: a first part of it has its arrivals."""
WAITING = (DropState.SCHEDULED, DropState.LOBBY)


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed.

    mode: how arrivals are given out, None as the drop says. units: on sale, None for the drop's own
    caps. back_s: the longest that nobody is granted
    anything after a process was killed; the default is for a machine that does nothing else.
    keep: use the settings' data directory, keep it. port: None for any free one.
    report, export, history: files to write.
    """

    fans: int
    seed: int
    mix: Mix = "plain"
    mode: str | None = None
    units: int | None = None
    kill: Victim | None = None
    back_s: float = RECOVER_S_MAX
    file: str | None = None
    keep: bool = False
    port: int | None = None
    report: Path | None = None
    export: Path | None = None
    history: Path | None = None


def run(settings: Settings, wanted: Rehearsal) -> int:
    """Rehearse, judge, tell. 0 when every invariant holds, 1 otherwise. Raises DropEngineError, and
    OSError where what is to be written has no place."""
    if wanted.kill == "server" and settings.redis_url is not None:
        raise DropEngineError("Only the embedded server can be killed: leave REDIS_URL out.")
    for path in (wanted.report, wanted.export, wanted.history):
        if path is not None:
            try_place(path)
    with Progress() as progress, _place(settings, wanted) as directory:
        shop = PracticeShop(for_crowd(_practice(settings, wanted, directory), wanted.fans))
        judgement = play(_Run(shop, wanted, progress).play())
        progress.close()
        judgement.write(wanted.report, wanted.export, wanted.history)
        # The judgement is what the command is run for: it goes to standard output, alone.
        print("\n".join([summary.of_report(judgement.report), *judgement.remarks]))
    return 0 if judgement.report.honest else 1


def try_place(path: Path) -> None:
    """Find out now, not after the whole play, whether a file can be written there. Raises
    OSError."""
    there = path.exists()
    if there and not (path.is_file() or path.is_dir()):
        # Whoever reads a pipe would take our look for the end of it.
        return
    path.open("ab").close()
    if not there:
        path.unlink()


@contextlib.contextmanager
def _place(settings: Settings, wanted: Rehearsal) -> Iterator[Path]:
    """The data directory: the one that was asked for, or one that goes with us."""
    if wanted.keep:
        yield settings.data_dir
        return
    directory = Path(tempfile.mkdtemp(prefix="dropengine-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _practice(settings: Settings, wanted: Rehearsal, directory: Path) -> Settings:
    """The same shop, on a loopback address that nobody else knows of."""
    return msgspec.structs.replace(
        settings,
        host="127.0.0.1",
        port=wanted.port or 0,
        public_url=None,
        origins=(),
        smtp_url=None,
        mail_from=None,
        data_dir=directory.absolute(),
    )


class _Far(NamedTuple):
    """How far the order of a list is. worker: the process that makes it, 0 where nobody does."""

    state: str
    placed: int
    entries: int
    worker: int

    @property
    def share(self) -> float:
        return self.placed / self.entries if self.entries else 1.0


class _Run:
    """One rehearsal on its way through: countdown, burst, line, close, judgement."""

    def __init__(self, shop: PracticeShop, wanted: Rehearsal, progress: Progress) -> None:
        self.shop = shop
        self.wanted = wanted
        self.progress = progress

    async def play(self) -> Judgement:
        """From the first fan at the page to the judgement."""
        try:
            await self.shop.start()
            return await self._play()
        finally:
            await self.shop.stop()

    async def _play(self) -> Judgement:
        self.progress.say(f"the shop is open at {self.shop.url}")
        store = self.shop.store()
        drops = self._drops()
        signing_in = Passes(self.shop.settings).signing_in(drops)
        crowd = Crowd(self.shop.url, seed=self.wanted.seed, sign_in=signing_in)
        try:
            night = Night(
                self.shop,
                store,
                crowd,
                drops,
                self.progress,
                seed=self.wanted.seed,
                arrivals_s=ARRIVALS_S,
                play_s_max=PLAY_S_MAX,
            )
            await night.publish()
            await night.gather(self._people(night.drops))
            await self._sale(night)
            await night.close()
            await night.last_screens()
            return await night.judged()
        finally:
            await crowd.close()
            await store.close()

    def _drops(self) -> list[Manifest]:
        if self.wanted.file is not None:
            found = [shipped(self.wanted.file)]
        elif self.wanted.mix == "hard":
            found = [shipped("hard-mix-a.toml"), shipped("hard-mix-b.toml")]
        else:
            found = [shipped("eclipse-pin.toml")]
        if self.wanted.mode is not None:
            found = [in_mode(drop, self.wanted.mode) for drop in found]
        share = None if self.wanted.units is None else self.wanted.units // len(found)
        return [compressed(drop, fresh_id(drop.id), share) for drop in found]

    def _people(self, drops: Sequence[Manifest]) -> list[Plan]:
        pools = [sum(len(item.pools) for item in drop.items) for drop in drops]
        seed, mix, several = self.wanted.seed, self.wanted.mix, len(drops)
        return [
            plans.plan(seed, number, mix, drops=several, pools=pools[number % several])
            for number in range(self.wanted.fans)
        ]

    async def _sale(self, night: Night) -> None:
        hard = self.wanted.mix == "hard"
        agendas = [acts(self.wanted.seed, drop) if hard else [] for drop in night.drops]
        kill = self.wanted.kill
        await night.sale(agendas, [] if kill is None else [self._kill(night, kill)])

    async def _kill(self, night: Night, victim: Victim) -> None:
        """End a process in the burst, or while a list is ordered, and see how long it takes until
        somebody can buy again."""
        draw = random.Random(f"{self.wanted.seed}/kill")
        listed = [drop for drop in night.drops if drop.window_ms]
        if listed:
            pid, killed_s, when = await self._kill_drawing(night.store, listed[0], victim, draw)
            night.remarks.append(when)
        else:
            await asyncio.sleep(draw.randrange(*KILL_MS) / 1000)
            killed_s = time.monotonic()
            pid = await self.shop.kill(victim)
        self.progress.say(f"the {victim} (process {pid}) was killed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(night.crowd.granted_since(killed_s), 2 * self.wanted.back_s)
        back_s = time.monotonic() - killed_s
        said = f"after the {victim} was killed, a command was granted again in {back_s:.1f} s"
        self.progress.say(said)
        night.remarks.append(said)
        if back_s > self.wanted.back_s:
            night.faults.append(f"{said}, more than {self.wanted.back_s:.0f}")

    async def _kill_drawing(
        self, store: Store, drop: Manifest, victim: Victim, draw: random.Random
    ) -> tuple[int, float, str]:
        """The worker that puts the list in its order, or what it needs, is ended on the way: after
        the seal, or when a part of the list has its arrivals, as the seed says. Returns its
        process, when (monotonic), and how far it was, in words."""
        share = draw.choice((0.0, SOME))
        deadline = time.monotonic() + ORDERED_S_MAX
        far = await insist(partial(self._far, store, drop))
        while far.state in WAITING or (far.state == DropState.ORDERING and far.share < share):
            if time.monotonic() > deadline:
                raise DropEngineError(f"the list of {drop.id} was never ordered")
            await asyncio.sleep(LOOK_S)
            far = await insist(partial(self._far, store, drop))
        killed_s = time.monotonic()
        pid = await self.shop.kill(victim, far.worker)
        how = f"{far.placed} of {far.entries} had their arrivals"
        if far.state != DropState.ORDERING:
            how = f"too late: the drop was {far.state}"
        return pid, killed_s, f"the {victim} was killed while the list was ordered: {how}"

    async def _far(self, store: Store, drop: Manifest) -> _Far:
        """A look that settles nothing. Raises Unavailable."""
        prefix = store.prefix
        try:
            row = await store.client.hmget(
                keys.one(drop.id, "drop", prefix), ["state", "placed", "entered"]
            )
            holder = await store.client.get(store.house.keys.lease(Drawing.name))
        except (RedisError, OSError) as fault:
            raise Unavailable(f"no reply to a look: {fault}") from fault
        state, placed, entries = ((one or b"").decode() for one in row)
        worker = (holder or b"").decode().partition(".")[0]
        return _Far(state, int(placed or 0), int(entries or 0), int(worker or 0))
