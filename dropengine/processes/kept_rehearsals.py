"""Rehearsals that were asked for in the panel: each is a process of its own, started by the one
that keeps the books, since no press waits for that and it goes last already.

How it goes travels by its row in SQL, and so does the wish to stop: whichever worker is asked, or
dies, the rehearsal neither notices nor stops. When this process dies, that one ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import time
from typing import Final

import msgspec

from dropengine.config import Settings
from dropengine.errors import DatabaseAway, Unavailable
from dropengine.model import DropId
from dropengine.people import rehearsals
from dropengine.people.rehearsals import Rehearsal, State
from dropengine.processes import parent_pipe
from dropengine.processes.rehearsal_pipe import (
    ENTRY,
    FOLDER,
    RehearsalNews,
    RehearsalTask,
    told,
)
from dropengine.rehearsal_report import Progress, RehearsalReport
from dropengine.sql.database import Database
from dropengine.truth.as_it_is import as_it_is, selling
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
SELLS_EACH: Final = 5
"""At one beat in so many it is looked whether something sells."""
ENDING_S_MAX: Final = 20.0
"""One that was told to end may take so long to leave nothing behind; then it is killed."""
LINE_BYTES_MAX: Final = 1 << 22
STOPPED: Final = "It was stopped before it had come to anything."
NO_DROP: Final = "There is no such drop any more."
SOLD: Final = (
    "{drop} began to sell, so the rehearsal was stopped: it would have slowed the sale down."
)


class KeptRehearsals:
    """One look whether one is wanted; a round lasts as long as the rehearsal."""

    name = "rehearsals"
    every_s = 1.0

    def __init__(self, store: Store, database: Database, settings: Settings) -> None:
        self._store = store
        self._database = database
        self._settings = settings

    async def round(self) -> None:
        """Raises DatabaseAway and Unavailable: what is wanted stays so."""
        if await self._database.read(rehearsals.going_on) is None:
            return
        now_ms = _now_ms()
        await self._database.write(lambda sql: rehearsals.let_go(sql, now_ms))
        one = await self._database.write(lambda sql: rehearsals.take(sql, now_ms))
        if one is not None:
            await self._run(one)

    async def _run(self, one: Rehearsal) -> None:
        """From the first word to the last; its row says how it ended, whatever happened."""
        state, says, report = State.FAILED, rehearsals.GONE, None
        try:
            state, says, report = await self._rehearsed(one)
        finally:
            with contextlib.suppress(DatabaseAway):
                await self._database.write(
                    lambda sql: rehearsals.end(sql, one.id, state, says=says, report=report)
                )

    async def _rehearsed(self, one: Rehearsal) -> tuple[State, str, RehearsalReport | None]:
        drop = await as_it_is(self._store, DropId(one.drop))
        if drop is None:
            return State.FAILED, NO_DROP, None
        last = await self._database.read(lambda sql: rehearsals.last_report(sql, one.drop))
        task = RehearsalTask(
            settings=told(self._settings), parent=os.getpid(), drop=drop, asked=one.asked, last=last
        )
        process = await asyncio.create_subprocess_exec(
            *parent_pipe.command(ENTRY, "rehearsal", FOLDER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            limit=LINE_BYTES_MAX,
        )
        try:
            return await self._followed(one, process, task)
        finally:
            await _end(process)

    async def _followed(
        self, one: Rehearsal, process: asyncio.subprocess.Process, task: RehearsalTask
    ) -> tuple[State, str, RehearsalReport | None]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        heard = _Heard()
        hearing = asyncio.create_task(heard.listen(process.stdout))
        try:
            for beat in range(1, 1_000_000):
                done, _ = await asyncio.wait({hearing}, timeout=BEAT_S)
                if done:
                    break
                if why := await self._over(one, heard.progress, beat):
                    state = State.STOPPED if why == STOPPED else State.FAILED
                    return state, why, None
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
        if heard.report is not None:
            return State.DONE, "", heard.report
        return State.FAILED, heard.fault or rehearsals.GONE, None

    async def _over(self, one: Rehearsal, progress: Progress | None, beat: int) -> str:
        """Tell how it goes; why it must end now, or ''."""
        now_ms = _now_ms()
        with contextlib.suppress(DatabaseAway):
            # While SQL is away nobody can have asked for the end.
            if not await self._database.write(
                lambda sql: rehearsals.beat(sql, one.id, progress, now_ms)
            ):
                return STOPPED
        if beat % SELLS_EACH == 0 and not one.asked.beside_live:
            with contextlib.suppress(Unavailable):
                # While the server of the truth is away nothing is sold.
                for drop in await selling(self._store, now_ms, 0):
                    return SOLD.format(drop=drop.drop)
        return ""


class _Heard:
    """What a rehearsal told so far."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.report: RehearsalReport | None = None
        self.fault = ""

    async def listen(self, words: asyncio.StreamReader) -> None:
        """Until it says no more."""
        while line := await words.readline():
            news = msgspec.json.decode(line, type=RehearsalNews)
            self.progress = news.progress or self.progress
            self.report = news.report or self.report
            self.fault = news.fault or self.fault


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let go of its pipe, which is how it hears of the end; kill it when that takes too long."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), ENDING_S_MAX)
    except TimeoutError:
        process.kill()
        await process.wait()


def _now_ms() -> int:
    return int(time.time() * 1000)
