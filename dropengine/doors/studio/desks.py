"""Once a second: every worker tells the others what it knows of the drops that somebody looks at,
and whoever is looked through shows it all together.

While nobody looks, a worker only asks whether somebody does, which writes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from dropengine.doors.process_table import Siblings
from dropengine.doors.studio.alarms import LIST, Alarms
from dropengine.doors.studio.alarms import Deps as AlarmDeps
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.settle import Settling
from dropengine.live.desk import (
    UNKNOWN,
    DeskNumbers,
    DropDesk,
    DropRow,
    Kinds,
    Looker,
    Row,
)
from dropengine.live.hub import Hub
from dropengine.live.pace import Pace
from dropengine.live.room import Room
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.people.entrants import entrants
from dropengine.sql.database import Database
from dropengine.studio_wire import (
    AlarmView,
    CohortShareView,
    GameView,
    HealthView,
    LaunchView,
    WorkerView,
)
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store
from dropengine.wire import CloseCode

EVERY_S = 1.0
ROW_MS = 4_000
"""What a worker tells is true for so long: a row that was late is still there."""
NUMBERS_KEPT = 8
"""Of so many drops the log is not read anew for the next who looks."""
STRETCHES_OF_PAGE = 100
KINDS_EACH_S = 5.0
"""Who is a person is made of the keys of all of them."""
ASK_S = 10.0
"""Who looks is asked so often whether he still may."""

_rows = msgspec.json.Decoder(Row)


class Glance(NamedTuple):
    """What a page without scripts is told of a launch. `shares`: way -> units. `cohorts`: what each
    of them has. `carried`: places, and those that are confirmed. `game`: what points did."""

    launch: LaunchView | None
    shares: dict[str, int]
    cohorts: list[CohortShareView]
    carried: tuple[int, int] = (0, 0)
    game: GameView | None = None


class Deps(AlarmDeps, Protocol):
    """What desks need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def jobs(self) -> JobRunner: ...
    @property
    def database(self) -> Database: ...


class Desks:
    """A job of every worker. clock_ms: the true clock."""

    name = "the desks"
    every_s = EVERY_S

    def __init__(
        self, deps: Deps, *, clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._deps = deps
        self._clock_ms = clock_ms
        self.me = secrets.token_hex(8)
        self._desks: dict[DropId, DropDesk] = {}
        self._numbers: dict[DropId, DeskNumbers] = {}
        """Of drops that were looked at, the last one last."""
        self._kinds: dict[DropId, tuple[Kinds, float]] = {}
        """Who stands in the list of a drop, and when that was counted."""
        self._looked: list[str] = []
        """Drops that somebody looks at through any worker."""
        self._paces: defaultdict[DropId, Pace] = defaultdict(Pace)
        self._lag = (0.0, 0)
        self._asked_at = 0.0
        self.ask_s = ASK_S
        self.alarms = Alarms(deps)
        self.siblings: Siblings | None = None
        """The other processes of this machine, once this one knows of them."""

    def hear(self, siblings: Siblings) -> None:
        """Here are the others."""
        self.siblings = siblings

    def look(self, room: Room, looker: Looker) -> None:
        """Somebody looks, until his seat is empty."""
        desk = self._desks.get(room.drop)
        if desk is None or desk.room is not room:
            desk = self._desks[room.drop] = DropDesk(self._numbers_of(room.manifest), room)
        desk.lookers.append(looker)

    def _numbers_of(self, m: Manifest) -> DeskNumbers:
        """Of a drop: a log is read once for all who look at it, by socket or by page."""
        drop = DropId(m.id)
        found = self._numbers.pop(drop, None) or DeskNumbers(self._deps.store, m)
        self._numbers[drop] = found
        for other in [*self._numbers][:-NUMBERS_KEPT]:
            if other not in self._desks:
                del self._numbers[other]
        return found

    async def glance(self, m: Manifest, view: ViewReply) -> Glance:
        """How a drop stands in which more is to be watched than its sale, once. Raises Unavailable
        and DatabaseAway."""
        if not (m.window_ms or m.cohorts or m.carried_from or m.game):
            return Glance(None, {}, [])
        numbers = self._numbers_of(m)
        await numbers.read(STRETCHES_OF_PAGE)
        launch = numbers.launch(view, await self._kinds_of(m))
        return Glance(launch, numbers.shares, numbers.cohorts, numbers.carried, numbers.game(view))

    async def _kinds_of(self, m: Manifest) -> Kinds:
        """Where guests may enter. Raises DatabaseAway."""
        drop = DropId(m.id)
        known, at = self._kinds.get(drop, (UNKNOWN, -KINDS_EACH_S))
        if m.guests_may_enter and time.monotonic() - at >= KINDS_EACH_S:
            known = Kinds(*await self._deps.database.read(lambda sql: entrants(sql, drop)))
            self._kinds[drop] = (known, time.monotonic())
        return known

    async def _count(self, room: Room) -> None:
        """Where SQL is away, what was counted last stays."""
        with contextlib.suppress(DatabaseAway):
            await self._kinds_of(room.manifest)

    async def round(self) -> None:
        """Tell, hear, show. Raises Unavailable after it has shown what is known all the same."""
        now_ms = self._clock_ms()
        for drop, measured in self._deps.hub.measured.items():
            self._paces[drop].note(now_ms, measured.press_s)
        self._desks = {drop: desk for drop, desk in self._desks.items() if desk.people}
        await self._ask()
        own, rows = self._row(now_ms), []
        try:
            told = msgspec.json.encode(own) if self._looked else b""
            found = await self._deps.store.house.exchange(self.me, ROW_MS, [*self._desks], told)
            self._looked = found.drops
            rows = [row for row in map(_read, found.rows) if row is not None]
            await asyncio.gather(*(desk.read() for desk in self._desks.values()))
            await asyncio.gather(*(self._count(desk.room) for desk in self._desks.values()))
        finally:
            self._show([own, *rows])

    async def _ask(self) -> None:
        """Who signed out, or lost his place, looks no more. Where SQL is away nobody is asked."""
        if time.monotonic() - self._asked_at < self.ask_s:
            return
        self._asked_at = time.monotonic()
        for one in [one for desk in self._desks.values() for one in desk.lookers]:
            try:
                may = await one.still()
            except (DatabaseAway, Unavailable):
                return
            if not may:
                one.seat.end(CloseCode.BAD_TICKET, "this session is over")

    def _row(self, now_ms: int) -> Row:
        """What this worker knows of the drops that somebody looks at."""
        hub, duties = self._deps.hub, self._deps.duties
        looked = {*map(DropId, self._looked), *self._desks}
        alarms = self.alarms.now(self.siblings) if looked else []
        verdict = self._deps.trial.verdict()
        return Row(
            self._worker(),
            {drop: count for drop, count in duties.owing.items() if drop in looked},
            {drop: len(ids) for drop, ids in duties.set_aside.items() if drop in looked},
            {
                drop: self._drop_row(drop, room, now_ms)
                for drop, room in hub.rooms.items()
                if drop in looked
            },
            verdict.server,
            verdict.why,
            [one for one in alarms if one.drop in ("", *looked)],
        )

    def _drop_row(self, drop: DropId, room: Room, now_ms: int) -> DropRow:
        desk = self._desks.get(drop)
        looking = len(desk.lookers) if desk is not None else 0
        return DropRow(
            len(room.seats) - looking,
            desk.people if desk is not None else [],
            dict(room.refused),
            self._paces[drop].stretches(now_ms),
        )

    def _worker(self) -> WorkerView:
        lag = self._deps.hub.loop_lag_s
        total, count = lag.sum, sum(lag.counts)
        was_total, was_count = self._lag
        self._lag = (total, count)
        late_s = (total - was_total) / max(1, count - was_count)
        settled_s = self._deps.jobs.age_s(Settling.name)
        return WorkerView(
            os.getpid(), self._deps.hub.seats, round(settled_s, 1), round(late_s * 1000, 1)
        )

    def health(self, workers: list[WorkerView]) -> HealthView:
        """Of the server as this worker sees it, and of these workers."""
        verdict, watch = self._deps.trial.verdict(), self._deps.server_watch
        percent = 100 * watch.used_bytes // watch.max_bytes if watch.max_bytes else 0
        durable = watch.facts is not None and watch.facts.durable
        return HealthView(verdict.server, verdict.why, durable, percent, workers)

    def _show(self, rows: list[Row]) -> None:
        if not self._desks:
            return
        health = self.health([row.worker for row in rows])
        lists = [one for row in rows for one in row.alarms if one.kind == LIST]
        alarms = [*dict.fromkeys([*self.alarms.now(self.siblings), *lists])]
        for drop, desk in self._desks.items():
            kinds, _ = self._kinds.get(drop, (UNKNOWN, 0.0))
            desk.show(health, of_drop(alarms, drop), rows, kinds)


def of_drop(alarms: list[AlarmView], drop: str) -> list[AlarmView]:
    """Those of the shop and of this drop: others may be another maker's."""
    return [one for one in alarms if one.drop in ("", drop)]


def _read(text: str) -> Row | None:
    """A worker of another version may tell something else."""
    try:
        return _rows.decode(text)
    except msgspec.MsgspecError:
        return None
