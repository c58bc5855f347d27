"""Group commit: one batch of a drop is on its way to the server, what arrives meanwhile is the
next.

The next leaves as soon as one has come back, and before that one's answers are told: the server
decides while this process writes. No timer and no added latency when idle. A lost reply repeats the
identical batch once, which the scripts make harmless; after that every command of it is answered
`away`, which means unknown. When no reply came in its time, what waits behind that batch is `away`
at once: it was not sent, and nobody waits longer than one reply may take.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from dropengine import errors, refusals
from dropengine.live.measured import Measured
from dropengine.model import DropId
from dropengine.outcomes import PressOutcome
from dropengine.truth.command_rows import Row
from dropengine.truth.networks import NetworkNames, Whence
from dropengine.truth.store import Store, Whences
from dropengine.wire import Basket

log = logging.getLogger(__name__)

Answer = PressOutcome | refusals.Away
Reply = Callable[[Answer], None]


_Asked = tuple[Row, Reply, Callable[[], bool] | None, Whence | None]
"""A command, who waits for its answer, whether he has gone, and where he is."""


def weight(row: Row) -> int:
    """For how many holds a command stands in its batch: a basket for each that it wants."""
    return len(row[4]) if row[0] == Basket.verb else 1  # type: ignore[arg-type]


class _Flight(NamedTuple):
    batch: list[_Asked]
    fans: frozenset[object]
    landing: asyncio.Task[list[Answer]]


class Batcher:
    """The one way of fans' commands of one drop from this worker to the scripts.

    batch_max: holds in one script call, however they are grouped. queue_max: commands that may
    wait; beyond it they are refused with a time to come back. names: of networks, where the drop
    counts them.
    """

    def __init__(
        self,
        store: Store,
        drop: DropId,
        measured: Measured,
        *,
        batch_max: int,
        queue_max: int,
        names: NetworkNames | None = None,
    ) -> None:
        self._store = store
        self._measured = measured
        self._since = 0.0
        """When the oldest command that waits came."""
        self._drop = drop
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._names = names
        self._queue: deque[_Asked] = deque()
        self._running: asyncio.Task[None] | None = None
        self.flying: frozenset[object] = frozenset()
        """Fans whose commands are on their way: an answer about them is coming."""
        self.on_landed: Callable[[], None] | None = None
        """Called when a batch was answered."""

    @property
    def busy(self) -> bool:
        """Are commands waiting, or on their way?"""
        return self._running is not None

    def afterwards(self, then: Callable[[], None]) -> None:
        """Call `then` when what is under way has been answered: at once, when nothing is."""
        if self._running is None:
            then()
        else:
            self._running.add_done_callback(lambda _: then())

    def submit(
        self,
        row: Row,
        reply: Reply,
        gone: Callable[[], bool] | None = None,
        whence: Whence | None = None,
    ) -> None:
        """Queue one command; `reply` is called once with its answer, in this loop.

        gone: asked just before sending; a command whose sender has left is dropped unanswered. Once
        it is sent, leaving has no effect. whence: where he is, of a command that may begin
        something.
        """
        if len(self._queue) >= self._queue_max:
            reply(refusals.TooManyRequests(retry_ms=1000))
            return
        if not self._queue:
            self._since = time.monotonic()
        self._queue.append((row, reply, gone, whence))
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def ask(self, row: Row, whence: Whence | None = None) -> Answer:
        """The same for one who waits. A caller that is cancelled changes nothing about the
        command."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def reply(outcome: Answer) -> None:
            if not answer.done():
                answer.set_result(outcome)

        self.submit(row, reply, None, whence)
        return await answer

    async def _run(self) -> None:
        flight = self._depart()
        try:
            while flight is not None:
                outcomes = await flight.landing
                landed, flight = flight, self._depart()
                if flight is not None:
                    # The next batch is on its way before this one is answered: the server decides
                    # it meanwhile.
                    await asyncio.sleep(0)
                self._tell(landed.batch, outcomes)
                self.flying = flight.fans if flight is not None else frozenset()
                if self.on_landed is not None:
                    self.on_landed()
                flight = flight or self._depart()
        finally:
            self.flying = frozenset()
            self._running = None

    def _depart(self) -> _Flight | None:
        """Send the next batch; None when nothing waits."""
        batch: list[_Asked] = []
        holds = 0
        while self._queue and holds < self._batch_max:
            row, _, gone, _ = self._queue[0]
            if gone is not None and gone():
                self._queue.popleft()
                continue
            holds += weight(row)
            if holds > self._batch_max and batch:
                break
            batch.append(self._queue.popleft())
        if not batch:
            return None
        fans = frozenset([row[1] for row, _, _, _ in batch])
        self.flying |= fans
        since, self._since = self._since, time.monotonic()
        landing = asyncio.get_running_loop().create_task(self._send(batch, since))
        return _Flight(batch, fans, landing)

    def _turn_away(self) -> None:
        """The server is silent: whoever waits for the next batch is told so now."""
        waiting, self._queue = [*self._queue], deque()
        self._tell(waiting, [refusals.Away(retry_ms=1000)] * len(waiting))

    def _tell(self, batch: list[_Asked], outcomes: list[Answer]) -> None:
        for (row, reply, _, _), outcome in zip(batch, outcomes, strict=True):
            try:
                reply(outcome)
            except Exception:
                # One whose answer cannot be told must not keep the others waiting for theirs.
                log.exception("%s: the answer to a %s was not told", self._drop, row[0])

    async def _send(self, batch: list[_Asked], since: float) -> list[Answer]:
        """since: when the first of it came."""
        whence = None
        if self._names is not None:
            whence = Whences(self._names, [where for _, _, _, where in batch])
        answers = await self._decided([row for row, _, _, _ in batch], whence)
        self._measured.batch.observe(len(batch))
        self._measured.press_s.observe(time.monotonic() - since, len(batch))
        return answers

    async def _decided(self, rows: list[Row], whence: Whences | None) -> list[Answer]:
        if self._store.house.anothers:
            # Until this shop ends: what it sold now would be paid to one, and owed by another.
            return [refusals.Away(retry_ms=1000)] * len(rows)
        for attempt in (1, 2):
            sent = time.monotonic()
            try:
                return [*await self._store.press_rows(self._drop, rows, whence=whence)]
            except errors.NewerSchema as error:
                return [refusals.Away(retry_ms=1000, why=error.why)] * len(rows)
            except errors.Unavailable as error:
                log.warning(
                    "%s: batch of %d, attempt %d: %s", self._drop, len(rows), attempt, error
                )
                if error.silent:
                    self._turn_away()
            except Exception:
                # Broken, or a bug: whoever asked is told that nothing is known, and can ask again.
                log.exception("%s: a batch of %d was not decided", self._drop, len(rows))
                break
            finally:
                self._measured.server_s.observe(time.monotonic() - sent)
        return [refusals.Away(retry_ms=1000)] * len(rows)
