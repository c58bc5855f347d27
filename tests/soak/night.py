"""One night of the soak: a drop, a crowd on two workers, faults, and the judgement in the end."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from dropengine import model, outcomes, refusals
from dropengine.config import Settings
from dropengine.creator_commands import Close, Open
from dropengine.errors import DropEngineError
from dropengine.log.referee import judge
from dropengine.model import DropId
from dropengine.processes.supervisor import FACTORY
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.rehearsal import history
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.manifests import TIMES, item, manifest
from tests.kit.private_server import Server
from tests.kit.two_workers import crowd, judged
from tests.soak.leaping_proxy import LeapingProxy
from tests.soak.people import enjoys, makes
from tests.soak.swizzle import Place, breath, kill_a_worker, swizzle

WORKERS: Final = 2
HEALS_S: Final = 10
"""When the faults end, whoever asks is answered within this time."""
ENDS_S: Final = 120
"""Longer than every payment and every duty of a night takes to end by itself."""
SHORT_MS: Final = 1_500
WORKER_DIES: Final = 0.2
"""After a swizzle, by chance."""
TRIES_MAX: Final = 10
TOLD_MAX: Final = 5
"""A broken log breaks in many places; the first ones say why."""


class BrokenNight(Exception):
    """A promise was not kept; the message says which."""


@dataclass
class Shop:
    """A server, its proxy, and the shop that reaches it through the proxy alone. store: past it."""

    server: Server
    proxy: LeapingProxy
    process: SupervisorProcess
    store: Store


@contextlib.asynccontextmanager
async def shop(factory: str = FACTORY) -> AsyncIterator[Shop]:
    """factory: of the web processes' application; a test hands in one without a guard."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        server = Server(folder / "truth", durable=True).start()
        try:
            async with LeapingProxy(server.socket, folder / "proxy.sock") as proxy:
                settings = Settings(
                    local_pay=True,
                    data_dir=folder / "shop",
                    redis_url=proxy.url,
                    port=0,
                    web_concurrency=WORKERS,
                    disk_free_mib_min=16,
                    log_level="error",
                    requests_per_s_max=100_000,
                )
                process = SupervisorProcess(settings, factory=factory)
                await asyncio.to_thread(process.start)
                store = Store(connections.client(server.url))
                try:
                    yield Shop(server, proxy, process, store)
                finally:
                    await store.close()
                    await asyncio.to_thread(process.stop)
        finally:
            server.stop()


class Soak:
    """seed: of this night alone."""

    def __init__(self, shop: Shop, seed: str, fans: int) -> None:
        self.shop = shop
        self.store = shop.store
        self.dice = Random(seed)
        self.seed = seed
        self.drop = DropId(f"soak-{seed}")
        self.fans = fans
        self.history = history.Recorder()
        self.met: Counter[str] = Counter()

    async def play(self, seconds: float) -> str:
        """A line about it. Raises BrokenNight."""
        try:
            await self._open()
            await self._live(seconds)
            await self._end()
            verdict, log = await judged(self.store, self.drop, self.history, closed=True)
        except (AssertionError, DropEngineError, TimeoutError, ExceptionGroup) as error:
            raise BrokenNight(await self._why(error)) from error
        return (
            f"{len(log)} events, {verdict.sold} of {verdict.cap} sold, {verdict.offers} offers, "
            f"{verdict.voided} voided; {', '.join(sorted(self.met))}"
        )

    async def _why(self, error: Exception) -> str:
        """What ended the night, and what the referee has to say beside it."""
        log = [line async for line in self.store.log(self.drop)]
        found = judge(log).violations[:TOLD_MAX]
        return "\n".join([*_sentences(error), *map(str, found)])

    async def _open(self) -> None:
        stock = (
            item("pin", {"pin@north": 5, "pin@south": 5}, withheld={"pin@south": 2}),
            item("lamp", {"lamp": 4}, price=9900, limit=1),
        )
        text = manifest(self.drop, *stock, limit=3, k=3)
        text = msgspec.structs.replace(text, **dict.fromkeys(TIMES, SHORT_MS))
        # A test drop: the proxy may tell its scripts another time.
        await self.store.publish(text, by="o1", key="publish", test=True)
        await self.store.command(self.drop, Open(), revision=1, by="o1", key="open")

    async def _live(self, seconds: float) -> None:
        """Everybody does what he likes while faults come; then they end, and all are answered."""
        over = asyncio.Event()
        url = self.shop.process.running.url
        async with crowd([url], self.drop, self.fans, self.history) as fans:
            async with asyncio.TaskGroup() as group:
                for fan in fans:
                    group.create_task(enjoys(fan, Random(self.dice.random()), over))
                dice = Random(self.dice.random())
                group.create_task(makes(self.store, self.drop, dice, over))
                try:
                    await self._strike(asyncio.get_running_loop().time() + seconds)
                finally:
                    over.set()
            async with asyncio.timeout(HEALS_S):
                await fans[0].hold("pin@north")

    async def _strike(self, until: float) -> None:
        """Faults until then; each ends before this ends."""
        place = Place(self.shop.server, self.shop.proxy, self.dice)
        while asyncio.get_running_loop().time() < until:
            await swizzle(place, self.met)
            if self.dice.random() < WORKER_DIES:
                kill_a_worker(self.shop.process.running.worker_pids, self.dice)
                self.met["worker killed"] += 1
            await breath(self.dice)
        self.shop.proxy.forget()

    async def _end(self) -> None:
        """The drop closes; what is held, owed or asked about ends by itself."""
        shown = await self.store.show(self.drop)
        assert shown is not None
        await self._close(shown.revision)
        async with asyncio.timeout(ENDS_S):
            while not await self._ended():  # noqa: ASYNC110 - no event crosses processes
                await asyncio.sleep(0.2)

    async def _close(self, revision: int) -> None:
        """Somebody may have changed the drop meanwhile: then it is closed as it is now."""
        for _ in range(TRIES_MAX):
            outcome = await self.store.command(
                self.drop, Close(), revision=revision, by="o1", key=f"close-{revision}"
            )
            if not isinstance(outcome, refusals.StaleRevision):
                break
            revision = outcome.revision
        assert isinstance(outcome, outcomes.Changed), outcome

    async def _ended(self) -> bool:
        shown = await self.store.show(self.drop)
        assert shown is not None
        assert shown.state != model.DropState.FROZEN, "the drop stopped itself"
        return shown.state == model.DropState.SETTLED and not await self.store.duties(self.drop)

    async def keep(self, folder: Path) -> Path:
        """Write down the log and what the fans saw, for whoever looks for the reason."""
        lines = [line async for line in self.store.log(self.drop)]
        return self._write(folder, lines)

    def _write(self, folder: Path, lines: list[bytes]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / self.drop
        kept.with_suffix(".log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        seen = b"".join(history.write(self.history.lines()))
        kept.with_suffix(".fans.jsonl").write_bytes(seen)
        return folder


def _sentences(error: BaseException) -> Iterator[str]:
    """Of a group each of its own."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _sentences(one)
    else:
        yield f"{type(error).__name__}: {error}"
