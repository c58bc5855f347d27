"""Asking through troubles: who asks goes on under the same key until he is answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final, TypeVar

from dropengine import outcomes, refusals
from dropengine.errors import Unavailable
from tests.kit.night import told
from tests.kit.night.plan import Step, rules_of_night
from tests.kit.night.stage import Stage
from tests.kit.night.troubles import STRIKES
from tests.kit.sale import Sale

T = TypeVar("T")

DROP: Final = "night"
TRIES_MAX: Final = 20


@dataclass
class Played:
    """asked: how many questions. story: a line for each thing that happened. violations: nothing,
    or what must not be. met: troubles that struck. log: the events."""

    seed: int
    asked: int = 0
    story: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    log: list[bytes] = field(default_factory=list)

    @property
    def broken(self) -> set[str]:
        """The invariants by name."""
        return {one.split(" ", 1)[0] for one in self.violations}

    def __str__(self) -> str:
        return "\n".join([f"SEED={self.seed}", *self.story, *self.violations])


class Asking:
    """One night's drop, the story so far, and the troubles that are to strike."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.store = stage.store
        self.sale = Sale(stage.store, DROP)
        self.rules = rules_of_night(seed, DROP)
        self.played = Played(seed)
        self.troubles: list[Step] = []
        self.late_steps = 0
        self.late: set[tuple[str, str]] = set()
        """Fan and key of what may still arrive: its refusal is not the last word."""
        self.keys = count(1)
        self.books = 0
        """The last number that stands in a fan's book of points."""

    async def ask(
        self, question: Callable[[], Awaitable[T]], whose: Collection[tuple[str, str]] = ()
    ) -> T:
        """Until it is answered. whose: fan and key of each command in it."""
        self.played.asked += 1
        for _ in range(TRIES_MAX):
            try:
                if not self.troubles:
                    return await question()
                trouble = self.troubles.pop(0)
                self.played.met[trouble.who] += 1
                self.played.story.append(f"{'':15}{trouble.who} strikes the next question")
                if trouble.who == "delay":
                    self.late.update(whose)
                answer: T = await STRIKES[trouble.who](self.stage, question, trouble.odd)
            except Unavailable:
                continue
            else:
                return answer
        raise AssertionError("a question was never answered")

    async def creator(self, verb: str, **more: Any) -> outcomes.CreatorOutcome:
        """Somebody who saw an older revision looks again, and decides the same."""
        for _ in range(2):
            outcome = await self.ask(partial(self.sale.creator, verb, key=self.key(), **more))
            if not isinstance(outcome, refusals.StaleRevision):
                break
            self.sale.revision = outcome.revision
        words = " ".join([f"{verb}s" if verb[-1] != "s" else verb, *map(str, more.values())])
        self._tell("mia", words, told.in_words(outcome))
        return outcome

    async def _read(self, look: Callable[..., Awaitable[T]], *what: Any) -> T:
        """A screen that looks again where it is not answered; no trouble waits for it."""
        for _ in range(TRIES_MAX):
            try:
                return await look(*what)
            except Unavailable:
                continue
        raise AssertionError("nothing could be read")

    async def _arrive(self) -> None:
        self.late_steps = 0
        if await self.stage.arrive():
            self._tell("the network", "brings what was delayed", "")
        self.late.clear()

    def key(self) -> str:
        return f"k{next(self.keys)}"

    def _tell(self, who: str, what: str, answer: str) -> None:
        said = f"{told.moment(self.sale.now):>14} {who} {what}"
        self.played.story.append(f"{said}: {answer}" if answer else said)
