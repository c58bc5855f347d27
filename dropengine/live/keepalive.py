"""Pings: one timer for all sockets of a process. Who answers in time stays; silence ends a socket.

A crowd that came together is due together. Two timers and a parser for each socket would cost it
more than the ping itself.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

PACE_S = 0.01
"""Between two looks: those who are due at nearly the same time are pinged in one."""


class Kept(Protocol):
    """A socket that is kept alive."""

    def ping(self) -> None:
        """Ask whether it is there."""
        ...

    def silent(self) -> None:
        """It has not answered: end it."""
        ...


class Keeper:
    """Everybody is pinged `ping_s` after his last pong, and has `pong_s_max` to answer. Both are
    the same for all, so that who is due first stands first."""

    def __init__(self, ping_s: float, pong_s_max: float) -> None:
        self._ping_s = ping_s
        self._pong_s_max = pong_s_max
        self._loop = asyncio.get_running_loop()
        self._resting: OrderedDict[Kept, float] = OrderedDict()
        """When each is pinged next."""
        self._asked: OrderedDict[Kept, float] = OrderedDict()
        """Until when each has to answer."""
        self._timer: asyncio.TimerHandle | None = None

    def keep(self, one: Kept) -> None:
        """Ping this socket from now on."""
        self._resting[one] = self._loop.time() + self._ping_s
        self._wait()

    def heard(self, one: Kept) -> None:
        """A pong came. One that nobody asked for changes nothing."""
        if self._asked.pop(one, None) is not None:
            self.keep(one)

    def forget(self, one: Kept) -> None:
        """It ends; harmless twice."""
        self._resting.pop(one, None)
        self._asked.pop(one, None)

    def _wait(self) -> None:
        if self._timer is None:
            due = [next(iter(some.values())) for some in (self._resting, self._asked) if some]
            if due:
                soon = self._loop.time() + PACE_S
                self._timer = self._loop.call_at(max(soon, min(due)), self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._resting and next(iter(self._resting.values())) <= now:
            one, _ = self._resting.popitem(last=False)
            self._asked[one] = now + self._pong_s_max
            one.ping()
        while self._asked and next(iter(self._asked.values())) <= now:
            one, _ = self._asked.popitem(last=False)
            one.silent()
        self._wait()
