"""Higher, step by step, until answers or screens are late: how much a shop carries.

First presses, while those who press are the only ones who watch; then watchers, while somebody
presses all the time, so that there is something to tell them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from dropengine.rehearsal.history.checks import percentile
from dropengine.rehearsal.load.pressers import Pressers
from dropengine.rehearsal.load.search import Search
from dropengine.rehearsal.load.watchers import Swarm
from dropengine.rehearsal.machine import Loads
from dropengine.rehearsal_report import P99_MS_MAX, Ramp, Step

PRESSES_FIRST: Final = 500.0
PRESSES_MOST: Final = 64_000.0
SEAT_PRESSES_MOST: Final = 50.0
"""A second, of one who presses: with more, his own wait for the answer is all that is measured."""
PRESSES_HALVINGS: Final = 3
WATCHERS_FIRST: Final = 500
WATCHERS_HALVINGS: Final = 2
WARM_S: Final = 0.5
PRESSES_BESIDE: Final = 100.0
"""While watchers are counted: enough that stock changes at every tick."""
ERRORS_SHARE_MAX: Final = 0.001
DID_SHARE_MIN: Final = 0.9
"""Of the presses that were wanted: with fewer answers in their time the shop falls behind."""
CONNECT_S_MAX: Final = 15.0
LOOK_S: Final = 0.1
WEB: Final = "web"

NO_TIME: Final = "the time of the rehearsal was over"

Tell = Callable[[str, float, Step | None], None]
"""What is tried, how high, and what came of it once it is known."""


async def ramp_presses(
    pressers: Pressers, loads: Loads, tell: Tell, *, step_s: float, until_s: float
) -> Ramp:
    """Presses a second. until_s: monotonic; no step begins later."""
    most = min(PRESSES_MOST, SEAT_PRESSES_MOST * pressers.open)
    first = min(most, PRESSES_FIRST)
    search = Search(first, most, factor=2.0, halvings=PRESSES_HALVINGS)
    steps: list[Step] = []
    bound = ""
    while (rate := search.next) is not None:
        if time.monotonic() + step_s > until_s:
            bound = NO_TIME
            break
        tell("presses", rate, None)
        step = await _press_step(pressers, loads, rate, step_s)
        if step.broke and time.monotonic() + step_s < until_s:
            # Anything else on the machine may have been in the way for a moment.
            step = await _press_step(pressers, loads, rate, step_s)
        steps.append(step)
        tell("presses", rate, step)
        search.heard(rate, held=not step.broke)
    if not bound and search.broke is None:
        bound = f"{pressers.open:,} fans press no faster"
    return Ramp(held=round(search.held, 1), steps=steps, bound=bound)


async def _press_step(pressers: Pressers, loads: Loads, rate: float, step_s: float) -> Step:
    loads.look()
    paced = await pressers.pace(rate, step_s, WARM_S)
    return Step(
        asked=round(rate, 1),
        did=round(paced.did, 1),
        late_ms=round(paced.p50_ms, 1),
        late_p99_ms=round(paced.p99_ms, 1),
        errors=paced.lost,
        processes=loads.look(),
        broke=_press_broke(rate, paced.did, paced.p99_ms, paced.lost / max(1, rate * step_s)),
    )


def _press_broke(wanted: float, did: float, p99_ms: float, lost: float) -> str:
    if p99_ms > P99_MS_MAX:
        return f"one answer in a hundred took longer than {P99_MS_MAX:.0f} ms"
    if lost > ERRORS_SHARE_MAX:
        return "answers were lost or refused"
    if did < wanted * DID_SHARE_MIN:
        return "fewer answers came than presses"
    return ""


class WatcherRamp:
    """Watchers beside `seats` pressers. most: no more, and `bound` says why.

    socket_kib, screen_bytes_per_s: the most of any height that held.
    """

    def __init__(
        self,
        pressers: Pressers,
        swarm: Swarm,
        loads: Loads,
        seats: int,
        most: int,
        bound: str,
    ) -> None:
        self._pressers = pressers
        self._swarm = swarm
        self._loads = loads
        self._seats = seats
        self._most = max(most, seats + 1)
        self._bound = bound
        self.socket_kib = 0.0
        self.screen_bytes_per_s = 0.0

    async def climb(self, tell: Tell, *, step_s: float, until_s: float) -> Ramp:
        """until_s: monotonic; no step begins later."""
        first = min(self._most, max(WATCHERS_FIRST, 2 * self._seats))
        search = Search(float(first), float(self._most), factor=2.0, halvings=WATCHERS_HALVINGS)
        steps: list[Step] = []
        bound, empty_kib = "", self._loads.rss_kib(WEB)
        while (count := search.next) is not None:
            if time.monotonic() + step_s > until_s:
                bound = NO_TIME
                break
            tell("watchers", count, None)
            step = await self._step(int(count), step_s)
            if step.broke and time.monotonic() + step_s < until_s:
                step = await self._step(int(count), step_s)
            steps.append(step)
            tell("watchers", count, step)
            search.heard(count, held=not step.broke)
            if not step.broke and self._swarm.open:
                more_kib = self._loads.rss_kib(WEB) - empty_kib
                self.socket_kib = max(self.socket_kib, more_kib / self._swarm.open)
        if not bound and search.broke is None:
            bound = self._bound
        return Ramp(held=float(int(search.held)), steps=steps, bound=bound)

    async def _step(self, count: int, step_s: float) -> Step:
        swarm = self._swarm
        await swarm.resize(count - self._seats)
        for _ in range(int(CONNECT_S_MAX / LOOK_S)):
            if swarm.open >= count - self._seats:
                break
            await asyncio.sleep(LOOK_S)
        there = swarm.open + self._pressers.open
        self._loads.look()
        swarm.lags_ms.clear()
        came, begun = swarm.bytes, time.monotonic()
        paced = await self._pressers.pace(PRESSES_BESIDE, step_s, WARM_S)
        passed_s = time.monotonic() - begun
        lags = sorted(int(lag * 1000) for lag in swarm.lags_ms)
        late_ms = max(percentile(lags, 50) / 1000, paced.p50_ms)
        late_p99_ms = max(percentile(lags, 99) / 1000, paced.p99_ms)
        left = count - swarm.open - self._pressers.open
        broke = _watch_broke(count, there, left, late_p99_ms)
        if not broke and swarm.open:
            each = (swarm.bytes - came) / passed_s / swarm.open
            self.screen_bytes_per_s = max(self.screen_bytes_per_s, each)
        return Step(
            asked=float(count),
            did=float(there),
            late_ms=round(late_ms, 1),
            late_p99_ms=round(late_p99_ms, 1),
            errors=max(0, left) + paced.lost,
            processes=self._loads.look(),
            broke=broke,
        )


def _watch_broke(wanted: int, there: int, left: int, late_p99_ms: float) -> str:
    if there < wanted:
        return f"only {there} of {wanted} screens were let in within {CONNECT_S_MAX:.0f} s"
    if late_p99_ms > P99_MS_MAX:
        return f"one screen or answer in a hundred was later than {P99_MS_MAX:.0f} ms"
    if left > wanted * ERRORS_SHARE_MAX:
        return f"{left} screens lost their connection"
    return ""
