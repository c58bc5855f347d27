"""A shop is copied while a crowd buys, dies, and goes on elsewhere with all that the copy knew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count, takewhile
from pathlib import Path
from random import Random

import msgspec
import pytest

from dropengine import events
from dropengine.backup.folder import Folder
from dropengine.config import Settings
from dropengine.errors import Broken, Unavailable, WorkersFailed
from dropengine.jobs.ledger import books, report
from dropengine.log.figures import figures
from dropengine.log.referee import judge
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.push import shop_key, subscriptions
from dropengine.sql import engine
from dropengine.truth import repair
from dropengine.truth.copies import Answers
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.ending_processes import Ending
from tests.kit.manifests import item, manifest
from tests.kit.private_postgres import Postgres
from tests.kit.private_server import Server
from tests.kit.push_service import Browser, PushService, vapid
from tests.kit.shops_till import Till

PATRONS = 8
LONG_S = 240
REFUSED = 13
BOOK = "localpay.sqlite"
MADE = events.ByCreator | events.Published

folder = short_folder.folder
pytestmark = pytest.mark.timeout(500)


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server(durable=True).start()
    yield one
    one.stop()


@pytest.fixture(params=["embedded", "postgres", "server"])
def settings(request: pytest.FixtureRequest, folder: Path) -> Settings:
    """The kinds of shop: all in one directory; people and books in PostgreSQL; the truth at a
    server that others reach too."""
    more: dict[str, str] = {}
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        more["database_url"] = postgres.database()
    if request.param == "server":
        more["redis_url"] = request.getfixturevalue("server").url
    return Settings(
        local_pay=True,
        data_dir=folder / "old",
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=128,
        log_level="error",
        push_here=True,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


class Crowd:
    """People who hold, give back, wait and pay, as fast as the shop and the provider let them."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.sold = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False

    async def open(self) -> None:
        sale = self.till.sale
        await sale.publish(manifest("pin", item("pin", {"pin": 5_000}), limit=10))
        await sale.creator("open")
        self.come("a")

    def come(self, name: str) -> None:
        self._leaving = False
        self._tasks = [asyncio.create_task(self._act(f"{name}{n}")) for n in range(PATRONS)]

    async def _act(self, name: str) -> None:
        random, till = Random(name), self.till
        for turn in takewhile(lambda _: not self._leaving, count()):
            fan = f"{name}-{turn}"
            match random.randrange(4):
                case 0:
                    await till.sale.release(fan, await till.sale.held(fan))
                case 1:
                    await till.sale.join(fan)
                case _:
                    await till.paid(fan, told=True)
                    self.sold += 1

    async def sells(self, more: int) -> None:
        """Until so many more were sold."""
        wanted = self.sold + more
        async with asyncio.timeout(LONG_S):
            while self.sold < wanted:
                for one in self._tasks:
                    if one.done():
                        await one
                await asyncio.sleep(0.01)

    async def leave(self, *, in_haste: bool = False) -> None:
        """in_haste: the shop is gone, and nobody hears what became of his press."""
        self._leaving = True
        tasks, self._tasks = self._tasks, []
        for one in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(one, BaseException) and not (
                in_haste and isinstance(one, Unavailable | Broken | AssertionError)
            ):
                raise one


@contextlib.asynccontextmanager
async def crowd_at(settings: Settings, url: str) -> AsyncIterator[Crowd]:
    store = Store.connect(url, settings.redis_prefix)
    till = Till(store, settings)
    yield Crowd(till)
    await till.close()
    await store.close()


async def command(settings: Settings, *words: object) -> tuple[int, str]:
    """A command at this shop, as somebody at its machine gives it."""
    given = [
        f"--{name.replace('_', '-')}={value}"
        for name in ("data_dir", "redis_url", "redis_prefix", "database_url")
        if (value := getattr(settings, name)) is not None
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dropengine", *map(str, words), *given),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def called(settings: Settings, browser: Browser) -> None:
    """Somebody lets his browser be called in the drop."""
    one = engine.connect(settings)
    with engine.transaction(one, writes=True) as sql:
        now_ms = time.time_ns() // 1_000_000
        subscriptions.keep(sql, browser.subscribed("pin", "who-waits", since_ms=now_ms))
    one.dispose()


async def copied_and_killed(settings: Settings, path: Path, browser: Browser) -> list[bytes]:
    """Copied while people buy, and killed while they go on; the log as it was acknowledged by the
    time of the copy."""
    shop = SupervisorProcess(settings)
    running = await asyncio.to_thread(shop.start)
    async with crowd_at(settings, running.redis_url) as crowd:
        await crowd.open()
        await asyncio.to_thread(called, settings, browser)
        await crowd.sells(15)
        before = crowd.sold
        code, said = await command(settings, "backup", path)
        assert code == 0, said
        assert crowd.sold > before, "nobody waited for it"
        log = [line async for line in crowd.till.sale.store.log(crowd.till.sale.drop)]
        await crowd.sells(5)
        gone = [Ending(pid) for pid in (running.supervisor_pid, running.server_pid) if pid]
        os.kill(running.supervisor_pid, signal.SIGKILL)
        await crowd.leave(in_haste=True)
        async with asyncio.timeout(LONG_S):
            for one in gone:
                await asyncio.to_thread(one.wait)
    with contextlib.suppress(WorkersFailed):
        await asyncio.to_thread(shop.stop)
    return log[: Folder(path).contents.drops["pin"].seq]


def elsewhere(settings: Settings) -> Settings:
    """Another directory; at a server that still has the old drops, under another prefix."""
    prefix = None if settings.redis_url is None else "again"
    new = settings.data_dir.parent / "new"
    return msgspec.structs.replace(settings, data_dir=new, redis_prefix=prefix)


async def restored(settings: Settings, new: Settings, path: Path) -> None:
    """What the provider knows is not in anybody's backup: it is the newest."""
    name = Folder(path).contents.address
    seen = settings.redis_url is not None or settings.database_url is not None
    code, said = await command(new, "restore", path, *([] if seen else ["--shop", name]))
    assert code == 0, said
    assert ("cannot be seen from here" in said) == (not seen)
    for part in (BOOK, f"{BOOK}-wal", f"{BOOK}-shm"):
        (new.data_dir / part).unlink(missing_ok=True)
        if (settings.data_dir / part).exists():
            shutil.copy(settings.data_dir / part, new.data_dir / part)


def reported(new: Settings, log: list[bytes]) -> None:
    """Every figure of the report that stands on the log is the one that this log makes."""
    one = engine.connect(new)
    with engine.transaction(one, writes=False) as connection:
        found = report.report(connection, "pin")
        assert list(books.lines(connection, "pin")) == log
    one.dispose()
    assert found is not None
    assert found.seq == len(log)
    told = list(figures(events.parse(line) for line in log))
    assert list(found.figures[: len(told)]) == told


def answered(answers: Answers, log: list[bytes]) -> None:
    """Every command that may be repeated has its answer, and no other has one."""
    told = [events.parse(line) for line in log]
    begun = {f"{e.fan}:{e.key}" for e in told if isinstance(e, events.Held | events.Joined)}
    commands = {f"@{e.by}|{e.key}" for e in told if isinstance(e, MADE)}
    assert {name.decode() for name in answers} == begun | commands


async def test_a_shop_goes_on_elsewhere_with_all_that_its_backup_knew(
    settings: Settings, folder: Path, service: PushService
) -> None:
    path, new, browser = folder / "copy", elsewhere(settings), service.browser()
    log = await copied_and_killed(settings, path, browser)
    key = shop_key.of_shop(settings).public
    await restored(settings, new, path)
    shop = SupervisorProcess(new)
    running = await asyncio.to_thread(shop.start)
    try:
        async with crowd_at(new, running.redis_url) as crowd:
            sale = crowd.till.sale
            again = [line async for line in sale.store.log(sale.drop)]
            # A database that lived on knows what came after the copy.
            assert again[: len(log)] == log
            assert len(again) == len(log) or settings.database_url is not None
            assert judge(iter(again)).honest
            reported(new, again)
            if len(again) == len(log):
                answered(await sale.store.copies.answers(sale.drop), again)
            found = await repair.audit(sale.store, sale.drop)
            assert found is not None
            assert found.agrees
            assert found.shown.froze == "restore"

            code, said = await command(new, "reconcile", "--yes", "--by=mia")
            assert code == 0, said
            assert "it goes back" in said or settings.database_url is not None
            code, said = await command(new, "drop", "resume", "pin", "--by=mia")
            assert code == 0, said
            # A browser takes only what is signed by the key that it subscribed for.
            code, said = await command(new, "drop", "message", "pin", "Back again.", "--by=mia")
            assert code == 0, said
            (call,) = await service.until(1)
            assert vapid(call.headers["authorization"])[1] == key
            assert browser.reads(call.body)["body"] == "Back again."
            crowd.come("b")
            await crowd.sells(10)
            await crowd.leave()
            code, said = await command(new, "drop", "close", "pin", "--by=mia")
            assert code == 0, said
            whole = [line async for line in sale.store.log(sale.drop)]
            assert judge(iter(whole)).honest
            await refused(settings, new)
    finally:
        await asyncio.to_thread(shop.stop)
    await refused(settings, new)


async def refused(settings: Settings, new: Settings) -> None:
    """The old shop, started again, where it can be seen that there is a new one: whether that
    runs or not."""
    if settings.redis_url is None and settings.database_url is None:
        return
    old = SupervisorProcess(settings)
    with pytest.raises(WorkersFailed, match="was restored from a backup") as caught:
        await asyncio.to_thread(old.start)
    assert caught.value.exit_code == REFUSED
    assert EmbeddedServer(settings).pid is None
    assert new.data_dir.exists()
