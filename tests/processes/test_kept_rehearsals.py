"""Whoever looks after rehearsals lets none go on that would slow a sale down, and of one that loses
its keeper or its process nothing stays."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.creator_commands import Close, Open
from dropengine.model import DropId
from dropengine.people import rehearsals
from dropengine.people.rehearsals import Answer, Rehearsal, State
from dropengine.processes import parent_death
from dropengine.processes.server_directory import ServerDirectory
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal_report import Asked
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.ending_processes import Ending
from tests.kit.manifests import item, manifest

LONG_S = 90.0
LOOK_S = 0.05
_names = count(1)


def now_ms() -> int:
    return int(time.time() * 1000)


async def until(happened: Callable[[], object]) -> None:
    """Look until something is so that nobody tells of."""
    async with asyncio.timeout(LONG_S):
        while not happened():  # noqa: ASYNC110 -- there is no event for it
            await asyncio.sleep(LOOK_S)


class Shop:
    """One that runs, and its SQL."""

    def __init__(self, one: SupervisorProcess, settings: Settings) -> None:
        self.one = one
        self.folder = settings.data_dir
        self.database = Database(settings)
        self.store = Store.connect(one.running.redis_url)

    async def drop(self) -> DropId:
        """Published, and not open."""
        drop = manifest(f"night-{next(_names)}", item("lamp", {"lamp": 5}))
        done = await self.store.publish(drop, by="o1", key="publish")
        assert isinstance(done, outcomes.Changed), done
        return DropId(drop.id)

    async def ask(self, drop: DropId) -> Path:
        """For a rehearsal; where it stands once its server runs."""
        asked = Asked(fans=10, minutes=1)
        answer = await self.database.write(
            lambda sql: rehearsals.ask(sql, drop, asked, by="o1", key=drop, now_ms=now_ms())
        )
        assert answer is Answer.BEGINS
        await until(lambda: [*self.folder.glob("dropengine-rehearsal-*/server/server.json")])
        (folder,) = self.folder.glob("dropengine-rehearsal-*")
        return folder

    async def ended(self, drop: DropId) -> Rehearsal:
        async with asyncio.timeout(LONG_S):
            while True:
                (one,) = await self.database.read(partial(rehearsals.of_drop, drop=drop))
                if not one.goes_on:
                    return one
                await asyncio.sleep(LOOK_S)


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    settings = Settings(
        local_pay=True, data_dir=tmp_path_factory.mktemp("shop"), port=0, log_level="error"
    )
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    found = Shop(one, settings)
    yield found
    await found.store.close()
    await found.database.close()
    await asyncio.to_thread(one.stop)


def server(folder: Path) -> Ending:
    """The end of the rehearsal's own server."""
    noted = parent_death.noted(ServerDirectory(folder).note)
    assert noted is not None
    return Ending(noted[0])


def child_of(pid: int | None) -> int:
    """The one process that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    (child,) = (int(word) for word in children.split())
    return child


async def gone(folder: Path, ending: Ending) -> None:
    await asyncio.to_thread(ending.wait, LONG_S)
    await until(lambda: not folder.exists())


async def test_one_is_stopped_when_a_drop_begins_to_sell(shop: Shop) -> None:
    drop, sells = await shop.drop(), await shop.drop()
    folder = await shop.ask(drop)
    ending = server(folder)
    done = await shop.store.command(sells, Open(), revision=1, by="o1", key="open")
    assert isinstance(done, outcomes.Changed)
    ended = await shop.ended(drop)
    assert (ended.state, ended.report) == (State.FAILED, None)
    assert f"{sells} began to sell" in ended.says
    await gone(folder, ending)
    await shop.store.command(sells, Close(), revision=done.revision, by="o1", key="close")


async def test_one_whose_keeper_is_killed_leaves_nothing(shop: Shop) -> None:
    drop = await shop.drop()
    folder = await shop.ask(drop)
    ending, keeper = server(folder), shop.one.running.ledger_pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    await gone(folder, ending)
    # The next keeper says so, when nothing was heard for long.
    later = partial(rehearsals.let_go, now_ms=now_ms() + rehearsals.SILENT_MS_MAX + 1)
    await shop.database.write(later)
    assert (await shop.ended(drop)).says == rehearsals.GONE


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists children")
async def test_one_whose_process_is_killed_leaves_nothing_and_says_so(shop: Shop) -> None:
    drop = await shop.drop()
    folder = await shop.ask(drop)
    ending = server(folder)
    os.kill(child_of(shop.one.running.ledger_pid), signal.SIGKILL)
    assert (await shop.ended(drop)).says == rehearsals.GONE
    await gone(folder, ending)
