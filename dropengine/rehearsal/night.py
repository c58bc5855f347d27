"""One night of some drops from the countdown to the judgement, with a crowd at the public doors.

Whoever plays it has opened a shop and let a crowd in; what goes on beside the sale is his, too.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Protocol

from dropengine.creator_commands import Close, Open, Seal, Widen
from dropengine.errors import DropEngineError
from dropengine.manifest import Manifest
from dropengine.model import DropId, DropState, FanId
from dropengine.rehearsal import game
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.fans.plans import Plan
from dropengine.rehearsal.operators import Act, Operator, SignIns, insist
from dropengine.rehearsal.practice_shop import PracticeShop
from dropengine.rehearsal.verdicts import Judgement, judge_run
from dropengine.terminal import summary
from dropengine.truth.replies import BEYOND, ViewReply
from dropengine.truth.store import Store

CONNECT_S_MAX = 90.0
WAIT_S = 2.0
"""At the page, before it opens."""
QUIET_S = 2.5
"""Longer than anything cools or is looked up in a compressed drop."""
REST_S_MAX = 45.0
SCREENS_S_MAX = 20.0
WATCH_S = 0.25
BY = "o1"
"""Of simulated operators there is one."""
IN_COHORT = 0.3
EARLY_S = 3.0
"""So long after the opening a drop that has cohorts is open to all."""
LISTS_S_MAX = 60.0
"""A list that has not opened its drop so long after it was to be sealed never will."""
BY_HAND = 3
"""In one night of so many the maker seals the list, before its time."""
NOT_LIVE = {
    DropState.LOBBY: "the list is open",
    DropState.ORDERING: "the list is put in its order",
}


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
        shop: PracticeShop,
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
        self.shop = shop
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
        self.shown: dict[str, int] = {}
        self.began_s = 0.0

    async def publish(self) -> None:
        """Put the drops up. Raises DropEngineError."""
        for drop in self.drops:
            await self.shop.publish(self.store, drop, BY)
            self.voice.say(f"{drop.id} is published: {summary.units(drop)}")

    async def gather(self, people: Sequence[Plan]) -> None:
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
        await asyncio.sleep(WAIT_S)
        for drop in self.drops:
            await self._enroll(drop)

    async def _enroll(self, drop: Manifest) -> None:
        """Of those who wait some are in cohorts: one in three in each, and a few in several."""
        draw = random.Random(f"{self.seed}/cohorts/{drop.id.rpartition('-')[0]}")
        for fan in self.crowd.fans:
            mine = [one.id for one in drop.cohorts if draw.random() < IN_COHORT]
            if fan.drop == drop.id and fan.screen.you is not None and mine:
                who = FanId(fan.screen.you.fan)
                await insist(partial(self.store.enroll, DropId(drop.id), who, mine))

    async def _widen(self, operator: Operator) -> None:
        """Its maker opens a drop to all."""
        await asyncio.sleep(EARLY_S)
        outcome = await operator.command(Widen())
        self.voice.say(f"open to all: {type(outcome).__name__.lower()}")

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
        listed = [
            one for one in zip(operators, self.drops, agendas, strict=True) if one[1].window_ms
        ]
        others = [asyncio.ensure_future(one) for one in (*beside, self._missions())]
        try:
            await asyncio.gather(*(self._until_ordered(*one) for one in listed))
            await self._sell(operators, agendas, others)
        finally:
            for one in others:
                one.cancel()

    async def _missions(self) -> None:
        """Makers run those of their drops meanwhile."""
        await game.hosted(self.shop.settings, self.store, self.drops, self.crowd, self.voice.say)

    async def _points(self) -> None:
        """Everybody's points are where they belong, before nobody can have any."""
        for drop in self.drops:
            if drop.game is not None:
                self.voice.now(f"{drop.id}: points find their places")
                self.faults += await game.settled(self.crowd, drop)

    async def _until_ordered(
        self, operator: Operator, drop: Manifest, agenda: Sequence[Act]
    ) -> None:
        """The list of a drop is open, is sealed by its time or by its maker, and opens it. Where
        he has a busy evening, fans sign in meanwhile."""
        draw = random.Random(f"{self.seed}/list/{drop.id.rpartition('-')[0]}")
        window_s, busy, seals = drop.window_ms / 1000, draw.uniform(0, 0.4), draw.uniform(0.5, 0.8)
        if agenda:
            await asyncio.sleep(busy * window_s)
            await operator.do(Act(0, SignIns(6)))
        if self.seed % BY_HAND == 0:
            await asyncio.sleep((seals - (busy if agenda else 0)) * window_s)
            await operator.command(Seal())
            self.voice.say(f"the list of {drop.id} is sealed by its maker")
        deadline = time.monotonic() + window_s + LISTS_S_MAX
        while (view := await self._view(drop)).state in NOT_LIVE:
            self.voice.now(f"{drop.id}: {NOT_LIVE[DropState(view.state)]}")
            if time.monotonic() > deadline:
                self.faults.append(f"the list of {drop.id} is still {view.state}")
                return
            await asyncio.sleep(WATCH_S)
        self.voice.say(f"the list of {drop.id} has its order")

    async def _sell(
        self,
        operators: Sequence[Operator],
        agendas: Sequence[Sequence[Act]],
        beside: Sequence[asyncio.Future[None]],
    ) -> None:
        async with asyncio.TaskGroup() as group:
            busy: list[asyncio.Future[None]] = [
                group.create_task(operator.play([act for act in agenda if act.at_ms >= 0]))
                for operator, agenda in zip(operators, agendas, strict=True)
            ]
            busy += [
                group.create_task(self._widen(operator))
                for operator, drop in zip(operators, self.drops, strict=True)
                if drop.cohorts
            ]
            await self._until_quiet([*busy, *beside])
        await asyncio.gather(*beside)
        for operator in operators:
            if operator.outcomes:
                told = ", ".join(f"{what} {n}" for what, n in sorted(operator.outcomes.items()))
                self.remarks.append(f"the creator: {told}")

    async def _until_quiet(self, busy: Sequence[asyncio.Future[None]]) -> None:
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
        await self._points()
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
                self.shown = last
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
            shown=self.shown,
            faults=self.faults,
            remarks=self.remarks,
        )
