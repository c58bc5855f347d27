"""A drop is moved to other times while the clock opens and closes it: every order of that, one by
one, against the oracle, replay and the referee."""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from dropengine import events
from dropengine.creator_commands import Close, CreatorCommand, Open, Pause, Reschedule
from dropengine.log.referee import judge
from dropengine.log.replay import fold
from dropengine.log.replay.compare import difference
from dropengine.manifest import digest, rules
from dropengine.model import DropId
from dropengine.truth.store import Store
from tests.kit import expected_truth
from tests.kit.manifests import START_MS, manifest
from tests.kit.oracle import Oracle

OPENS_MS, CLOSES_MS = START_MS + 60_000, START_MS + 120_000
STEPS = ("the clock opens", "the clock closes", "opens elsewhen", "closes elsewhen", "by hand")
HANDS: dict[str, CreatorCommand] = {"open": Open(), "close": Close(), "pause": Pause("lunch")}


class Play:
    """One drop and its oracle. off: how far from a planned time the clock is looked at."""

    def __init__(self, store: Store, drop: str, off: int, hand: CreatorCommand) -> None:
        self.store = store
        self.drop = DropId(drop)
        self.now = START_MS
        self.off = off
        self.hand = hand
        self.steps = 0

    async def begin(self) -> None:
        text = manifest(self.drop, opens_ms=OPENS_MS, closes_ms=CLOSES_MS)
        await self.store.publish(text, by="o1", key="publish", test=True, clock_ms=self.now)
        self.oracle = Oracle(rules(text, self.now), digest(text), "o1", "publish", self.now)

    async def step(self, what: str) -> None:
        planned = self.oracle.rules
        match what:
            case "the clock opens":
                await self.look(planned.opens_ms)
            case "the clock closes":
                await self.look(planned.closes_ms)
            case "opens elsewhen":
                await self.command(Reschedule(planned.opens_ms + 10_000, planned.closes_ms))
            case "closes elsewhen":
                # Sooner than it was, and perhaps in the past by now.
                await self.command(Reschedule(planned.opens_ms, planned.closes_ms - 30_000))
            case "by hand":
                await self.command(self.hand)
        told = [events.parse(line) async for line in self.store.log(self.drop)]
        assert told == self.oracle.log, what

    async def look(self, at_ms: int) -> None:
        self.now = max(self.now, at_ms + self.off)
        settled = await self.store.settle(self.drop, clock_ms=self.now)
        self.oracle.settle(self.now)
        assert (settled.seq, settled.state) == (self.oracle.seq, self.oracle.state)  # type: ignore[union-attr]

    async def command(self, wanted: CreatorCommand) -> None:
        self.steps += 1
        key, seen = f"k{self.steps}", self.oracle.revision
        for _ in range(2):
            # Repeated with its key it changes nothing.
            answer = await self.store.command(
                self.drop, wanted, revision=seen, by="o2", key=key, clock_ms=self.now
            )
            assert answer == self.oracle.creator(wanted, seen, key, "o2", self.now)

    async def end(self) -> None:
        truth = await self.store.truth(self.drop)
        assert truth is not None
        assert difference(fold(self.oracle.log), truth) == []
        wanted = expected_truth.truth(self.oracle)
        assert msgspec.to_builtins(truth.due) == msgspec.to_builtins(wanted.due)
        lines = [line async for line in self.store.log(self.drop)]
        assert judge(lines).violations == []


@pytest.mark.parametrize("off", [-1, 0])
@pytest.mark.parametrize("hand", HANDS)
async def test_other_times_and_the_clock_meet_in_every_order(
    store: Store, drop: str, hand: str, off: int
) -> None:
    met = set()
    for number, order in enumerate(permutations(STEPS)):
        play = Play(store, f"{drop}-{number}", off, HANDS[hand])
        await play.begin()
        for what in order:
            await play.step(what)
        await play.end()
        met |= {type(event).__name__ for event in play.oracle.log}
    assert {"Published", "Rescheduled"} <= met
    if off == 0:
        assert {"Opened", "Closed", "Settled"} <= met
