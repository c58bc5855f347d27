"""A worker that dies between any two steps of what it does, and calls that are lost on the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dropengine.errors import Unavailable
from dropengine.payments.port import Unknown

ANSWERS: Final = ("lookup", "cancel", "kept", "capture", "void", "refund")
"""Calls of a provider that say when they do not know."""


class Killed(BaseException):
    """The worker is no more: nothing catches it but who started it."""


class Fate:
    """What becomes of the next calls. chance: its seed's. met: what has happened, counted."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.met: Counter[str] = Counter()
        self.calm = False
        self._left: int | None = None

    def dies_after(self, steps: int | None) -> None:
        """The worker that begins now has so many steps left; None: it does not die."""
        self._left = steps

    async def step(self, what: str, call: Callable[[], Awaitable[Any]], lost: Any) -> Any:
        """One call, if the worker lives. lost: what stands for an answer that did not come, or the
        fault to raise."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.met["killed before a step"] += 1
                raise Killed
        happens = "" if self.calm else self._chance.choice(("",) * 8 + ("lost", "unheard"))
        if happens == "lost":
            self.met[f"{what} is lost"] += 1
            return self._silence(lost)
        answer = await call()
        if self._left == 0:
            self.met["killed after a step"] += 1
            self._left = None
            raise Killed
        if happens == "unheard":
            self.met[f"the answer to {what} is lost"] += 1
            return self._silence(lost)
        return answer

    @staticmethod
    def _silence(lost: Any) -> Any:
        if isinstance(lost, Exception):
            raise lost
        return lost


class Faulty:
    """A store or a provider, of which these calls may fail. lost: see `Fate.step`."""

    def __init__(self, of: Any, fate: Fate, calls: tuple[str, ...], lost: Any) -> None:
        self._of = of
        self._fate = fate
        self._calls = calls
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name not in self._calls:
            return found

        async def call(*args: Any, **named: Any) -> Any:
            return await self._fate.step(name, lambda: found(*args, **named), self._lost)

        return call


def provider(of: Any, fate: Fate) -> Any:
    """A provider that is silent now and then, before or after it has done what it was asked for."""
    return Faulty(of, fate, ANSWERS, Unknown("silence"))


def store(of: Any, fate: Fate) -> Any:
    """A store whose replies are lost now and then."""
    calls = ("succeeded", "unpaid", "discharge")
    return Faulty(of, fate, calls, Unavailable("silence"))
