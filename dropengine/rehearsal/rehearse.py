"""A rehearsal: a whole drop in well under a minute against the real shop, judged at the end.

Seeded people over the public doors, a busy creator, a process killed on purpose; then the log is
judged by the referee, folded by replay, and held against what the clients saw. One violation fails
the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Close, Open
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.rehearsal.fans import Crowd, plans
from dropengine.rehearsal.fans.plans import Mix
from dropengine.rehearsal.operators import Operator, acts, insist
from dropengine.rehearsal.practice_drops import compressed, fresh_id, shipped
from dropengine.rehearsal.practice_shop import PracticeShop, Victim, for_crowd, play
from dropengine.rehearsal.verdicts import Judgement, judge_run
from dropengine.terminal import summary
from dropengine.terminal.progress import Progress
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store

CONNECT_S_MAX = 90.0
LOBBY_S = 2.0
ARRIVALS_S = 9.0
"""By this time after the opening everybody has come and pressed."""
QUIET_S = 2.5
"""Longer than anything cools or is looked up in a compressed drop."""
PLAY_S_MAX = 150.0
REST_S_MAX = 45.0
SCREENS_S_MAX = 20.0
RECOVER_S_MAX = 10.0
WATCH_S = 0.25
KILL_MS = (100, 1_500)
"""When a process is killed, after the opening: in the burst."""
BEYOND = 10**12
"""A cursor behind every row: only the state is asked for."""
BY = "rehearsal"


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What is rehearsed.

    units: on sale, None for the drop's own caps. keep: use the settings' data directory, keep it.
    port: None for any free one. report, export, history: files to write.
    """

    fans: int
    seed: int
    mix: Mix = "plain"
    units: int | None = None
    kill: Victim | None = None
    file: str | None = None
    keep: bool = False
    port: int | None = None
    report: Path | None = None
    export: Path | None = None
    history: Path | None = None


def run(settings: Settings, wanted: Rehearsal) -> int:
    """Rehearse, judge, tell. 0 when every invariant holds, 1 otherwise. Raises DropEngineError."""
    if wanted.kill == "server" and settings.redis_url is not None:
        raise DropEngineError("Only the embedded server can be killed: leave REDIS_URL out.")
    with Progress() as progress, _place(settings, wanted) as directory:
        shop = PracticeShop(for_crowd(_practice(settings, wanted, directory), wanted.fans))
        judgement = play(_Run(shop, wanted, progress).play())
        progress.close()
        judgement.write(wanted.report, wanted.export, wanted.history)
        # The judgement is what the command is run for: it goes to standard output, alone.
        print("\n".join([summary.of_report(judgement.report), *judgement.remarks]))
    return 0 if judgement.report.honest else 1


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
        data_dir=directory.absolute(),
    )


class _Run:
    """One rehearsal on its way through: lobby, burst, line, close, judgement."""

    def __init__(self, shop: PracticeShop, wanted: Rehearsal, progress: Progress) -> None:
        self.shop = shop
        self.wanted = wanted
        self.progress = progress
        self.remarks: list[str] = []
        self.faults: list[str] = []
        self.began_s = 0.0

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
        crowd = Crowd(self.shop.url, seed=self.wanted.seed)
        try:
            drops = self._drops()
            for drop in drops:
                outcome = await store.publish(drop, by=BY, key=secrets.token_hex(8))
                if not isinstance(outcome, outcomes.Changed):
                    raise DropEngineError(f"{drop.id} cannot be published: {outcome}")
                self.progress.say(f"{drop.id} is published: {summary.units(drop)}")
            await self._lobby(crowd, drops)
            await self._sale(crowd, store, drops)
            await self._close(crowd, store, drops)
            await self._last_screens(crowd, store, drops)
            await crowd.close()
            return await judge_run(
                store,
                crowd,
                drops,
                seed=self.wanted.seed,
                faults=self.faults,
                remarks=self.remarks,
            )
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
        share = None if self.wanted.units is None else self.wanted.units // len(found)
        return [compressed(drop, fresh_id(drop.id), share) for drop in found]

    async def _lobby(self, crowd: Crowd, drops: list[Manifest]) -> None:
        """Let everybody in who comes before the opening."""
        pools = [sum(len(item.pools) for item in drop.items) for drop in drops]
        early = 0
        for number in range(self.wanted.fans):
            which = number % len(drops)
            person = plans.plan(
                self.wanted.seed,
                number,
                self.wanted.mix,
                drops=len(drops),
                pools=pools[which],
            )
            early += person.early_ms > 0
            crowd.enter(drops[person.drop].id, person)
        deadline = time.monotonic() + CONNECT_S_MAX
        while crowd.connected < early and time.monotonic() < deadline:
            self.progress.now(f"{crowd.connected} of {early} fans are at the page")
            await asyncio.sleep(WATCH_S)
        self.progress.say(f"{crowd.connected} fans wait for the opening, others will come later")
        if crowd.connected < early:
            self.faults.append(f"only {crowd.connected} of {early} fans were let in")
        await asyncio.sleep(LOBBY_S)

    async def _sale(self, crowd: Crowd, store: Store, drops: list[Manifest]) -> None:
        operators = [Operator(store, DropId(drop.id), BY, seed=self.wanted.seed) for drop in drops]
        hard = self.wanted.mix == "hard"
        agendas = [acts(self.wanted.seed, drop) if hard else [] for drop in drops]
        for operator, agenda in zip(operators, agendas, strict=True):
            await operator.play([act for act in agenda if act.at_ms < 0])
        await asyncio.gather(*(operator.command(Open()) for operator in operators))
        self.began_s = time.monotonic()
        crowd.opened.set()
        self.progress.say("open")
        async with asyncio.TaskGroup() as group:
            busy = [
                group.create_task(operator.play([act for act in agenda if act.at_ms >= 0]))
                for operator, agenda in zip(operators, agendas, strict=True)
            ]
            if self.wanted.kill is not None:
                busy.append(group.create_task(self._kill(crowd, self.wanted.kill)))
            await self._until_quiet(crowd, store, drops, busy)
        for operator in operators:
            if operator.outcomes:
                told = ", ".join(f"{what} {n}" for what, n in sorted(operator.outcomes.items()))
                self.remarks.append(f"the creator: {told}")

    async def _kill(self, crowd: Crowd, victim: Victim) -> None:
        """End a process in the burst, and see how long it takes until somebody can buy again."""
        draw = random.Random(f"{self.wanted.seed}/kill")
        await asyncio.sleep(draw.randrange(*KILL_MS) / 1000)
        killed_s = time.monotonic()
        pid = await self.shop.kill(victim)
        self.progress.say(f"the {victim} (process {pid}) was killed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(crowd.granted_since(killed_s), 2 * RECOVER_S_MAX)
        back_s = time.monotonic() - killed_s
        said = f"after the {victim} was killed, a command was granted again in {back_s:.1f} s"
        self.progress.say(said)
        self.remarks.append(said)
        if back_s > RECOVER_S_MAX:
            self.faults.append(f"{said}, more than {RECOVER_S_MAX:.0f}")

    async def _until_quiet(
        self, crowd: Crowd, store: Store, drops: list[Manifest], busy: list[asyncio.Task[None]]
    ) -> None:
        """Until all is sold or nobody wants anything, and nothing is on its way."""
        quiet_since, seqs = time.monotonic(), [0]
        while True:
            await asyncio.sleep(WATCH_S)
            views = [await self._view(store, drop) for drop in drops]
            self.progress.now(summary.in_one_line(views, crowd.connected))
            now = time.monotonic()
            if [view.seq for view in views] != seqs:
                quiet_since, seqs = now, [view.seq for view in views]
            rows = [row for view in views for row in view.pools]
            held = sum(row.held for row in rows)
            on_its_way = held or any(not task.done() for task in busy)
            money = crowd.money_ms > time.time() * 1000
            if now - self.began_s < ARRIVALS_S or on_its_way or money:
                pass
            elif all(row.free + row.held == 0 for row in rows) or now - quiet_since > QUIET_S:
                return
            if now - self.began_s > PLAY_S_MAX:
                self.faults.append(f"the drop did not come to rest in {PLAY_S_MAX:.0f} s")
                return

    async def _view(self, store: Store, drop: Manifest) -> ViewReply:
        view = await insist(partial(store.view, DropId(drop.id), BEYOND, BEYOND))
        if not isinstance(view, ViewReply):
            raise DropEngineError(f"{drop.id} cannot be watched: {view}")
        return view

    async def _close(self, crowd: Crowd, store: Store, drops: list[Manifest]) -> None:
        """Close, and wait until nothing is held and nothing is owed."""
        for drop in drops:
            operator = Operator(store, DropId(drop.id), BY)
            outcome = await operator.command(Close())
            self.progress.say(f"{drop.id} closes: {type(outcome).__name__.lower()}")
        deadline = time.monotonic() + REST_S_MAX
        while True:
            views = [await self._view(store, drop) for drop in drops]
            duties = 0
            for drop in drops:
                duties += len(await insist(partial(store.duties, DropId(drop.id))))
            states = [view.state for view in views]
            self.progress.now(f"{', '.join(states)}; {duties} duties left")
            money = crowd.money_ms > time.time() * 1000
            if not duties and not money and all(state == "settled" for state in states):
                self.progress.say("settled, and nothing is owed")
                return
            if time.monotonic() > deadline:
                self.faults.append(f"after the close: {', '.join(states)}, {duties} duties left")
                return
            await asyncio.sleep(WATCH_S)

    async def _last_screens(self, crowd: Crowd, store: Store, drops: list[Manifest]) -> None:
        """Every screen ends at the newest state."""
        deadline = time.monotonic() + SCREENS_S_MAX
        while time.monotonic() < deadline:
            # Somebody may still do something, like leave.
            last = {drop.id: (await self._view(store, drop)).seq for drop in drops}
            behind = sum(fan.screen.seq < last[fan.drop] for fan in crowd.fans)
            if not behind:
                return
            self.progress.now(f"{behind} screens are not at the newest state yet")
            await asyncio.sleep(WATCH_S)
        self.faults.append(f"{behind} screens did not come to the newest state")
