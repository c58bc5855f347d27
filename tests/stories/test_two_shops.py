"""Two shops, one server: the second is refused, or takes over, or lives beside under a prefix."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from dropengine import events
from dropengine.data_directory import shop_id
from dropengine.errors import WorkersFailed
from dropengine.log.referee import judge
from dropengine.processes import supervisor
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import duty_ledger, small_shop
from tests.kit.duty_ledger import attempts, ledger
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S

TAKEOVERS = int(os.environ.get("TAKEOVERS", "4"))
"""Kills in the story of duties; 20 by hand."""
REFUSED = 13
SOLD_A_TURN = 12
ID = "5e" * 16

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def truth(tmp_path: Path, server_kind: str) -> AsyncIterator[Server]:
    one = Server(durable=True, kind=server_kind).start()
    yield one
    one.stop()


@pytest.fixture
async def store(truth: Server) -> AsyncIterator[Store]:
    one = Store(connections.client(truth.url))
    yield one
    await one.close()


class Shops:
    """Shops at one server, each by the name of its data directory."""

    def __init__(self, folder: Path, truth: Server) -> None:
        self.folder = folder
        self._url = truth.url
        self._made: list[SupervisorProcess] = []

    async def start(
        self, name: str, app: str = small_shop.APP, *, take_over: bool = False, **more: object
    ) -> SupervisorProcess:
        conf = small_shop.settings(self.folder / name, redis_url=self._url, **more)
        one = SupervisorProcess(conf, take_over=take_over, factory=app)
        self._made.append(one)
        await asyncio.to_thread(one.start)
        return one

    async def refused(self, name: str, **more: object) -> str:
        with pytest.raises(WorkersFailed) as caught:
            await self.start(name, **more)  # type: ignore[arg-type]
        assert caught.value.exit_code == REFUSED
        return str(caught.value)

    def end(self) -> None:
        for one in self._made:
            with contextlib.suppress(AssertionError, ProcessLookupError):
                os.kill(one.running.supervisor_pid, signal.SIGCONT)
            one.stop()


@pytest.fixture
async def shops(tmp_path: Path, truth: Server) -> AsyncIterator[Shops]:
    one = Shops(tmp_path, truth)
    yield one
    await asyncio.to_thread(one.end)


async def runs_of(store: Store) -> dict[str, str]:
    """The runs that claim the server: nonce -> count and until when."""
    fields = await store.client.hgetall(store.house.keys.claim)
    return {k.decode()[4:]: v.decode() for k, v in fields.items() if k.startswith(b"run:")}


async def lapse(store: Store, till_ms: int = 1) -> None:
    """Every run lives until then."""
    for nonce, row in (await runs_of(store)).items():
        field, (count, _) = f"run:{nonce}", row.split(":")
        await store.client.hset(store.house.keys.claim, field, f"{count}:{till_ms}")


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LONG_S):
        while not await true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_another_shop_is_refused_until_it_takes_over_from_one_that_is_gone(
    shops: Shops, store: Store
) -> None:
    real = await shops.start("real")
    said = await shops.refused("staging")
    assert real.running.url in said
    assert "redis_prefix" in said
    await asyncio.to_thread(real.kill)
    # It may come back: its server is not anybody's.
    await lapse(store)
    said = await shops.refused("staging")
    assert "--take-over" in said
    assert real.running.url in said
    staging = await shops.start("staging", take_over=True)
    assert "stop it first" not in await shops.refused("real")
    await asyncio.to_thread(staging.stop)
    # One that ended by itself is another shop all the same, and needs not be waited for.
    assert "--take-over" in await shops.refused("real")
    await shops.start("real", take_over=True)


@pytest.mark.parametrize(
    ("how", "code"),
    [("a taken port", 6), ("no address of ours", 6), ("wrong settings", 2), ("a bug", 11)],
)
async def test_a_start_that_fails_leaves_a_server_nobodys_or_its_shops(
    shops: Shops, store: Store, how: str, code: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        app, more = {
            "a taken port": (small_shop.APP, {"port": taken.getsockname()[1]}),
            "no address of ours": (small_shop.APP, {"host": "192.0.2.1", "public_url": "http://a"}),
            "wrong settings": ("tests.kit.small_app:wrong", {}),
            "a bug": ("tests.kit.small_app:broken", {}),
        }[how]
        with pytest.raises(WorkersFailed) as caught:
            await shops.start("mistaken", app, **more)
        assert caught.value.exit_code == code
        assert await store.house.claimed_by() == ""
        real = await shops.start("real")
        await asyncio.to_thread(real.stop)
        # What its own failed start leaves is as it was.
        with pytest.raises(WorkersFailed):
            await shops.start("real", app, **more)
    assert await store.house.claimed_by() == shop_id(small_shop.settings(shops.folder / "real"))
    assert "another shop" in await shops.refused("staging")


async def test_a_living_shop_is_not_taken_over(shops: Shops, store: Store) -> None:
    real = await shops.start("real")
    said = await shops.refused("staging", take_over=True)
    assert "is for a shop that is gone" in said
    assert len(await runs_of(store)) == 1
    with pytest.raises(TimeoutError):
        real.wait(0)


async def test_the_same_directory_goes_on_at_once_after_a_kill(shops: Shops, store: Store) -> None:
    for _ in range(3):
        one = await shops.start("real")
        (nonce,) = await runs_of(store)
        await asyncio.to_thread(one.kill)
        # It would live for an hour yet: whoever had to wait for that would not come up here.
        await lapse(store, await store.time_ms() + 3_600_000)
        assert set(await runs_of(store)) == {nonce}
    last = await shops.start("real")
    assert nonce not in await runs_of(store)
    await asyncio.to_thread(last.stop)
    assert await runs_of(store) == {}


async def test_a_second_run_of_one_directory_is_refused(shops: Shops, store: Store) -> None:
    await shops.start("real")
    with pytest.raises(WorkersFailed) as caught:
        await shops.start("real")
    assert caught.value.exit_code == 3
    assert len(await runs_of(store)) == 1


async def test_a_copy_beside_a_living_original_is_refused(shops: Shops, store: Store) -> None:
    original = await shops.start("real")
    ((nonce, before),) = (await runs_of(store)).items()
    shutil.copytree(shops.folder / "real", shops.folder / "copy")

    async def renewed() -> bool:
        return int((await runs_of(store))[nonce].split(":")[0]) > int(before.split(":")[0]) + 1

    await until(renewed)
    said = await shops.refused("copy")
    assert original.running.url in said
    assert "DROPENGINE_SHOP_ID" in said
    assert set(await runs_of(store)) == {nonce}
    # Once the original is gone, the copy is the shop, and the original the copy.
    await asyncio.to_thread(original.kill)
    await lapse(store)
    copy = await shops.start("copy")
    assert shop_id(small_shop.settings(shops.folder / "real")) in str(
        await store.client.hgetall(store.house.keys.claim)
    )
    assert copy.running.url in await shops.refused("real")


async def test_hosts_that_are_given_one_id_stand_side_by_side(shops: Shops, store: Store) -> None:
    one = await shops.start("one", shop_id=ID)
    await shops.start("two", shop_id=ID)
    assert len(await runs_of(store)) == 2
    await asyncio.to_thread(one.kill)
    await shops.start("one", shop_id=ID)
    assert len(await runs_of(store)) == 2
    await shops.refused("another")
    await shops.refused("another", shop_id="07" * 16)


async def test_two_shops_live_side_by_side_under_a_prefix(shops: Shops, truth: Server) -> None:
    await shops.start("real")
    await shops.start("staging", redis_prefix="staging")
    await shops.refused("another", redis_prefix="staging")
    sales = []
    for prefix, cap in ((None, 3), ("staging", 5)):
        store = Store.connect(truth.url, prefix)
        sale = Sale(store, "pin", now=0)
        await sale.publish(manifest("pin", item("pin", {"pin": cap}), opens_ms=0))
        await sale.creator("open")
        sales.append(sale)
    real, staging = sales
    await staging.bought("ada")
    assert await real.counts() == (3, 0, 0, 0)
    assert await staging.counts() == (4, 0, 1, 0)
    assert len(await real.store.duties(real.drop)) == 0
    for sale in sales:
        assert await sale.store.drops() == [sale.drop]
        await sale.store.close()


async def test_a_shop_that_lost_its_server_ends_by_itself(shops: Shops, store: Store) -> None:
    real = await shops.start("real")
    os.kill(real.running.supervisor_pid, signal.SIGSTOP)
    await lapse(store)
    staging = await shops.start("staging", take_over=True)
    os.kill(real.running.supervisor_pid, signal.SIGCONT)
    assert await asyncio.to_thread(real.wait, LONG_S) == REFUSED
    with pytest.raises(TimeoutError):
        staging.wait(0)


async def test_nothing_is_sold_any_more_where_another_shop_took_over(
    shops: Shops, store: Store
) -> None:
    """Its web processes live on beside a supervisor that was stopped."""
    real = await shops.start("real", supervisor.FACTORY)
    sale = Sale(store, "pin", now=0)
    await sale.publish(manifest("pin", item("pin", {"pin": 500}), opens_ms=0, pace=0))
    await sale.creator("open")
    origin = {"origin": real.running.url}
    async with httpx2.AsyncClient(base_url=real.running.url, headers=origin) as browser:

        async def press() -> str:
            browser.cookies.clear()
            await browser.get("/drops/pin")
            said = await browser.post("/api/drops/pin/hold", json={"pool": "pin"})
            return str(said.json().get("code", "done"))

        assert await press() == "done"
        os.kill(real.running.supervisor_pid, signal.SIGSTOP)
        await lapse(store)
        # One that was not renewed for a while may be again.
        assert await press() == "done"
        await shops.start("staging", take_over=True)

        async def is_away() -> bool:
            return await press() == "away"

        await until(is_away)
        before = await sale.counts()
        assert [await press() for _ in range(5)] == ["away"] * 5
        assert await sale.counts() == before
        ready = await browser.get("/readyz")
        assert (ready.status_code, ready.json()["server"]) == (503, "taken")
    os.kill(real.running.supervisor_pid, signal.SIGCONT)
    assert await asyncio.to_thread(real.wait, LONG_S) == REFUSED


async def test_a_server_that_forgot_everything_is_claimed_anew(shops: Shops, store: Store) -> None:
    await shops.start("real")
    await store.client.flushall()

    async def claimed() -> bool:
        return bool(await runs_of(store))

    await until(claimed)
    await shops.refused("staging")


async def test_shops_that_take_over_from_one_another_do_no_duty_twice(
    shops: Shops, store: Store
) -> None:
    """One is killed, the other's supervisor only stops: its web processes live on, and find the
    duties that the next shop does."""
    units = SOLD_A_TURN * (TAKEOVERS + 1)
    sale = Sale(store, "pin", now=0)
    text = manifest("pin", item("pin", {"pin": units}), limit=units, opens_ms=0, pace=0)
    await sale.publish(text)
    await sale.creator("open")
    path = ledger(shops.folder / "a")
    stopped: list[SupervisorProcess] = []
    ended_at: dict[int, int] = {}
    silent_from: dict[int, int] = {}

    async def sell(count: int) -> None:
        for i in range(count):
            await sale.bought(f"fan-{len(stopped)}-{len(ended_at)}-{i}")

    for turn in range(TAKEOVERS):
        one = await shops.start(f"shop-{turn % 2}", duty_ledger.FACTORY, take_over=True)
        silent_from |= dict.fromkeys(ended_at.keys() - silent_from.keys(), await store.time_ms())
        workers = set(one.running.worker_pids)
        await sell(SOLD_A_TURN)

        async def at_work(mine: set[int] = workers) -> bool:
            return any(a.process in mine for rows in attempts(path).values() for a in rows)

        await until(at_work)
        for earlier in stopped:
            os.kill(earlier.running.supervisor_pid, signal.SIGCONT)
            assert await asyncio.to_thread(earlier.wait, LONG_S) == REFUSED
        stopped.clear()
        if turn % 2:
            os.kill(one.running.supervisor_pid, signal.SIGSTOP)
            stopped.append(one)
        else:
            await asyncio.to_thread(one.kill)
        await lapse(store)
        ended_at |= dict.fromkeys(workers, await store.time_ms())
    await shops.start("last", duty_ledger.FACTORY, take_over=True)
    await sell(SOLD_A_TURN)

    async def nothing_is_owed() -> bool:
        return not await store.duties(sale.drop)

    await until(nothing_is_owed)
    await held_to_once(sale, path, ended_at, silent_from)
    lines = [line async for line in store.log(sale.drop)]
    assert judge(lines).violations == []
    assert {order.state for order in (await sale.truth()).orders.values()} == {"done"}


async def held_to_once(
    sale: Sale, path: Path, ended_at: dict[int, int], silent_from: dict[int, int]
) -> None:
    """No duty was begun by two shops that lived, nor after it was ticked off."""
    ticked_off = [event for event in await sale.log() if isinstance(event, events.Discharged)]
    # The provider is asked by its own ids, which no other drop has.
    ids = await sale.store.charge_ids.all(sale.drop)
    captured = {f"{event.kind}:{ids[event.charge]}": event.at for event in ticked_off}
    done = attempts(path)
    assert set(done) == set(captured)
    for duty, rows in done.items():
        assert rows[-1].ended_ms is not None
        assert rows[-1].began_ms <= captured[duty]
        for before, after in itertools.pairwise(rows):
            # Only what ended in the middle of it leaves it to another.
            assert ended_at[before.process] <= after.began_ms
        for one in rows:
            assert one.began_ms < silent_from.get(one.process, one.began_ms + 1)
