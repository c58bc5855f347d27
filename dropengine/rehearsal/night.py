"""One night of some drops from the lobby to the judgement, with a crowd at the public doors.

Whoever plays it has opened a shop and let a crowd in; what goes on beside the sale is his, too.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Protocol

from dropengine import outcomes
from dropengine.creator_commands import Close, Open
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.fans.plans import Plan
from dropengine.rehearsal.operators import Act, Operator, insist
from dropengine.rehearsal.verdicts import Judgement, judge_run
from dropengine.terminal import summary
from dropengine.truth.replies import BEYOND, ViewReply
from dropengine.truth.store import Store

CONNECT_S_MAX = 90.0
LOBBY_S = 2.0
QUIET_S = 2.5
"""Longer than anything cools or is looked up in a compressed drop."""
REST_S_MAX = 45.0
SCREENS_S_MAX = 20.0
WATCH_S = 0.25
BY = "o1"
"""Of simulated operators there is one."""


class Voice(Protocol):
    """Who tells how it goes: `say` for what stays, `now` for what the next state replaces."""

    def say(self, text: str, /) -> None: ...
    def now(self, text: str, /) -> None: ...


class Night:
    """faults: what is wrong with the night itself. views: the newest look at each drop.

    arrivals_s: by this time after the opening everybody has come and pressed. quiet_s, play_s_max:
    it is over when nothing happened for so long, and at the latest after so long.
    """

    def __init__(
        self,
        store: Store,
        crowd: Crowd,
        drops: Sequence[Manifest],
        voice: Voice,
        *,
        seed: int,
        arrivals_s: float,
        play_s_max: float,
        quiet_s: float = QUIET_S,
    ) -> None:
        self.store = store
        self.crowd = crowd
        self.drops = drops
        self.voice = voice
        self.seed = seed
        self.arrivals_s = arrivals_s
        self.play_s_max = play_s_max
        self.quiet_s = quiet_s
        self.faults: list[str] = []
        self.remarks: list[str] = []
        self.views: list[ViewReply] = []
        self.began_s = 0.0

    async def publish(self) -> None:
        """Put the drops up. Raises DropEngineError."""
        for drop in self.drops:
            outcome = await self.store.publish(drop, by=BY, key=secrets.token_hex(8))
            if not isinstance(outcome, outcomes.Changed):
                raise DropEngineError(f"{drop.id} cannot be published: {outcome}")
            self.voice.say(f"{drop.id} is published: {summary.units(drop)}")

    async def lobby(self, people: Sequence[Plan]) -> None:
        """Let everybody in who comes before the opening."""
        for person in people:
            self.crowd.enter(self.drops[person.drop].id, person)
        early = sum(person.early_ms > 0 for person in people)
        deadline = time.monotonic() + CONNECT_S_MAX
        while self.crowd.connected < early and time.monotonic() < deadline:
            self.voice.now(f"{self.crowd.connected} of {early} fans are at the page")
            await asyncio.sleep(WATCH_S)
        self.voice.say(f"{self.crowd.connected} fans wait for the opening, others will come later")
        if self.crowd.connected < early:
            self.faults.append(f"only {self.crowd.connected} of {early} fans were let in")
        await asyncio.sleep(LOBBY_S)

    async def sale(
        self, agendas: Sequence[Sequence[Act]], beside: Sequence[Coroutine[None, None, None]] = ()
    ) -> None:
        """Open, and let them buy until nothing is on its way. agendas: of each drop's creator.
        beside: begins with the opening."""
        operators = [Operator(self.store, DropId(d.id), BY, seed=self.seed) for d in self.drops]
        for operator, agenda in zip(operators, agendas, strict=True):
            await operator.play([act for act in agenda if act.at_ms < 0])
        await asyncio.gather(*(operator.command(Open()) for operator in operators))
        self.began_s = time.monotonic()
        self.crowd.opened.set()
        self.voice.say("open")
        async with asyncio.TaskGroup() as group:
            busy = [
                group.create_task(operator.play([act for act in agenda if act.at_ms >= 0]))
                for operator, agenda in zip(operators, agendas, strict=True)
            ]
            busy += [group.create_task(one) for one in beside]
            await self._until_quiet(busy)
        for operator in operators:
            if operator.outcomes:
                told = ", ".join(f"{what} {n}" for what, n in sorted(operator.outcomes.items()))
                self.remarks.append(f"the creator: {told}")

    async def _until_quiet(self, busy: list[asyncio.Task[None]]) -> None:
        """Until all is sold or nobody wants anything, and nothing is on its way."""
        quiet_since, seqs = time.monotonic(), [0]
        while True:
            await asyncio.sleep(WATCH_S)
            views = await self._look()
            self.voice.now(summary.in_one_line(views, self.crowd.connected))
            now = time.monotonic()
            if [view.seq for view in views] != seqs:
                quiet_since, seqs = now, [view.seq for view in views]
            rows = [row for view in views for row in view.pools]
            held = sum(row.held for row in rows)
            on_its_way = held or any(not task.done() for task in busy)
            if now - self.began_s < self.arrivals_s or on_its_way or self._money():
                pass
            elif all(row.free + row.held == 0 for row in rows) or now - quiet_since > self.quiet_s:
                return
            if now - self.began_s > self.play_s_max:
                self.faults.append(f"the drop did not come to rest in {self.play_s_max:.0f} s")
                return

    def _money(self) -> bool:
        """May a provider still speak of a payment?"""
        return self.crowd.money_ms > time.time() * 1000

    async def _look(self) -> list[ViewReply]:
        self.views = [await self._view(drop) for drop in self.drops]
        return self.views

    async def _view(self, drop: Manifest) -> ViewReply:
        view = await insist(partial(self.store.view, DropId(drop.id), BEYOND, BEYOND))
        if not isinstance(view, ViewReply):
            raise DropEngineError(f"{drop.id} cannot be watched: {view}")
        return view

    async def close(self) -> None:
        """Close, and wait until nothing is held and nothing is owed."""
        for drop in self.drops:
            operator = Operator(self.store, DropId(drop.id), BY)
            outcome = await operator.command(Close())
            self.voice.say(f"{drop.id} closes: {type(outcome).__name__.lower()}")
        deadline = time.monotonic() + REST_S_MAX
        while True:
            views = await self._look()
            duties = 0
            for drop in self.drops:
                duties += len(await insist(partial(self.store.duties, DropId(drop.id))))
            states = [view.state for view in views]
            self.voice.now(f"{', '.join(states)}; {duties} duties left")
            if not duties and not self._money() and all(state == "settled" for state in states):
                self.voice.say("settled, and nothing is owed")
                return
            if time.monotonic() > deadline:
                self.faults.append(f"after the close: {', '.join(states)}, {duties} duties left")
                return
            await asyncio.sleep(WATCH_S)

    async def last_screens(self) -> None:
        """Every screen ends at the newest state."""
        deadline = time.monotonic() + SCREENS_S_MAX
        while time.monotonic() < deadline:
            # Somebody may still do something, like leave.
            last = {drop.id: (await self._view(drop)).seq for drop in self.drops}
            behind = sum(fan.screen.seq < last[fan.drop] for fan in self.crowd.fans)
            if not behind:
                return
            self.voice.now(f"{behind} screens are not at the newest state yet")
            await asyncio.sleep(WATCH_S)
        self.faults.append(f"{behind} screens did not come to the newest state")

    async def judged(self) -> Judgement:
        """The crowd goes home, and everything that is known is held together."""
        await self.crowd.close()
        return await judge_run(
            self.store,
            self.crowd,
            self.drops,
            seed=self.seed,
            faults=self.faults,
            remarks=self.remarks,
        )
