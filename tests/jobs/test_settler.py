"""The timer of a worker: what is due happens by itself, duties are done, a wrong clock stops it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio as redis

from dropengine import events, outcomes
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.jobs.settler import Perform, Reading, Settler, ended, leapt
from dropengine.model import DropId, DutyRecord
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, SECRET, until

server = web_process.server


@pytest.fixture(autouse=True)
async def alone(server: Server, client: redis.Redis) -> None:
    """A settler settles every drop that it finds: each test begins with none."""
    await client.flushall()


async def nothing(_drop: DropId, _duty_id: str, _duty: DutyRecord) -> None:
    """No duty is done."""


@asynccontextmanager
async def settling(
    store: Store,
    perform: Perform = nothing,
    disk_free_mib: Callable[[], int] = lambda: 1_000_000,
    **more: int,
) -> AsyncIterator[Settler]:
    """A settler at work."""
    conf = Settings(data_dir=Path(), secret_key=SECRET, **({"settle_ms": 10} | more))  # type: ignore[arg-type]
    one = Settler(store, conf, perform, disk_free_mib)
    task = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        await ended(task)


async def real(store: Store, name: str = "sale", **rules: int) -> Sale:
    """A live drop in real time."""
    sale = Sale(store, name, now=0)
    await sale.publish(manifest(name, **rules))
    await sale.creator("open")
    return sale


async def paid(sale: Sale, fan: str) -> str:
    """An order whose charge is still to be captured; its duty."""
    hold = await sale.held(fan)
    assert isinstance(await sale.succeeded(hold), outcomes.Sold)
    return f"capture:c-{hold}"


async def comes(sale: Sale, state: str) -> None:
    """Until the drop is in this state, by itself."""
    async with asyncio.timeout(LONG_S):
        while (await sale.truth()).drop["state"] != state:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def rounds(settler: Settler, count: int = 3) -> None:
    """So many whole rounds begin and end from here."""
    for _ in range(count):
        last = settler.last_at
        await until(lambda last=last: settler.last_at > last)  # type: ignore[misc]


async def test_a_drop_opens_and_closes_by_its_clock_with_nobody_there(store: Store) -> None:
    now = await store.time_ms()
    sale = Sale(store, "clockwork", now=0)
    await sale.publish(manifest("clockwork", opens_ms=now + 50, closes_ms=now + 150))
    async with settling(store):
        await comes(sale, "settled")
    assert await sale.words() == ["published", "opened", "closed", "settled"]


async def test_a_drop_that_cannot_be_settled_keeps_no_other_from_it(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    now = await store.time_ms()
    good = Sale(store, "good", now=0)
    await good.publish(manifest("good", opens_ms=now + 1))
    # The newest comes first, and this one is of a later layout than this engine knows.
    bad = await real(store, "bad")
    await store.client.hset("{bad}:drop", "schema", 99)
    async with settling(store) as settler:
        await rounds(settler)
        assert (await good.truth()).drop["state"] == "live"
    assert "bad cannot be settled" in caplog.text
    assert bad.drop in await store.drops()


async def test_a_round_that_fails_is_followed_by_the_next(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Store):
        """The real store; asking for its drops fails at first."""

        faults: list[Exception]

        async def drops(self) -> list[DropId]:
            if self.faults:
                raise self.faults.pop()
            return await super().drops()

    sale = await real(store)
    failing = Failing(store.client)
    failing.faults = [RuntimeError("a bug in a round")]
    async with settling(failing) as settler:
        await rounds(settler)
    assert "a bug in a round" in caplog.text
    assert (await sale.truth()).drop["state"] == "live"


async def test_its_end_is_the_end_of_all_its_tasks(store: Store) -> None:
    sale = await real(store)
    await paid(sale, "ada")
    begun = asyncio.Event()

    async def slow(_drop: DropId, _id: str, _duty: DutyRecord) -> None:
        begun.set()
        await asyncio.Future()

    before = asyncio.all_tasks()
    async with settling(store, slow):
        await begun.wait()
    assert {task for task in asyncio.all_tasks() if not task.done()} <= before


class Desk:
    """Does duties by ticking them off, and keeps which were asked of it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []
        self.faults: list[Exception] = []

    async def __call__(self, drop: DropId, duty_id: str, _duty: DutyRecord) -> None:
        self.asked.append(duty_id)
        if self.faults:
            raise self.faults.pop()
        await self.store.discharge(drop, duty_id, "done")


async def empty(sale: Sale) -> None:
    async with asyncio.timeout(LONG_S):
        while await sale.store.duties(sale.drop):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def test_each_duty_is_done_once_though_every_worker_has_a_settler(store: Store) -> None:
    sale = await real(store)
    duties = {await paid(sale, fan) for fan in ("ada", "ben", "cleo")}
    desks = [Desk(store), Desk(store), Desk(store)]
    async with (
        settling(store, desks[0]) as one,
        settling(store, desks[1]) as two,
        settling(store, desks[2]) as three,
    ):
        await empty(sale)
        for settler in (one, two, three):
            await rounds(settler)
    asked = [duty for desk in desks for duty in desk.asked]
    assert sorted(asked) == sorted(duties)
    # And by one of them alone: the one who holds the lease.
    assert sum(bool(desk.asked) for desk in desks) == 1
    assert {order.state for order in (await sale.truth()).orders.values()} == {"done"}


async def test_when_the_one_who_does_duties_dies_another_does(store: Store) -> None:
    sale = await real(store)
    first, second = Desk(store), Desk(store)
    async with settling(store, first) as one:
        await rounds(one)
        async with settling(store, second) as two:
            duty = await paid(sale, "ada")
            await empty(sale)
            assert (first.asked, second.asked) == ([duty], [])
            # The lease of one that is gone runs out by itself.
            await store.client.set("{house}:lease:duties", "somebody who died", px=1)
            later = await paid(sale, "ben")
            await empty(sale)
            assert sorted(first.asked + second.asked) == sorted([duty, later])
            await rounds(two)


async def test_a_duty_that_was_not_done_is_tried_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sale = await real(store)
    duty = await paid(sale, "ada")
    desk = Desk(store)
    desk.faults = [RuntimeError("a bug in a duty")]
    async with settling(store, desk):
        await empty(sale)
    assert desk.asked == [duty] * 2
    assert "a bug in a duty" in caplog.text


async def test_a_provider_that_hangs_keeps_nobody_else_waiting(store: Store) -> None:
    slow, quick = await real(store, "slow"), await real(store, "quick")
    await paid(slow, "ada")
    duty = await paid(quick, "ada")
    desk, hung = Desk(store), asyncio.Event()

    async def perform(drop: DropId, duty_id: str, record: DutyRecord) -> None:
        if drop == slow.drop:
            hung.set()
            await asyncio.Future()
        await desk(drop, duty_id, record)

    async with settling(store, perform) as settler:
        await hung.wait()
        await empty(quick)
        await rounds(settler)
        # It is asked once and waited for, not once a round.
        assert await slow.store.duties(slow.drop)
    assert desk.asked == [duty]


@pytest.mark.parametrize(
    ("before", "now", "leap"),
    [
        ((0, 0), (0, 0), False),
        ((0, 0), (2_000, 2_000), False),
        ((0, 0), (2_001, 2_001), True),
        ((0, 0), (-2_000, -2_000), False),
        ((0, 0), (-2_001, -2_001), True),
        # A slow answer may hide a leap, but never looks like one.
        ((0, 0), (1_000, 9_000), False),
        ((-8_000, 0), (2_000, 2_000), False),
        ((-8_000, 0), (2_001, 2_001), True),
        ((0, 8_000), (-2_001, 0), False),
        ((0, 8_000), (-9_000, -2_001), True),
        ((0, 9_000), (3_000, 4_000), False),
    ],
)
def test_a_leap_is_what_no_slow_answer_explains(
    before: tuple[int, int], now: tuple[int, int], leap: bool
) -> None:
    assert leapt(Reading(*before), Reading(*now), 2_000) is leap


class Leaping(Store):
    """The real store of a server whose clock can be set."""

    by_ms = 0
    readings = 0

    async def time_ms(self) -> int:
        now = await super().time_ms() + self.by_ms
        self.readings += 1
        return now


@pytest.mark.parametrize("by_ms", [3_600_000, -3_600_000])
async def test_a_clock_that_leaps_pauses_every_live_drop(store: Store, by_ms: int) -> None:
    live = [await real(store, "one"), await real(store, "two")]
    paused = await real(store, "paused")
    await paused.creator("pause")
    waiting = Sale(store, "waiting", now=0)
    await waiting.publish(manifest("waiting"))
    leaping = Leaping(store.client)
    async with settling(leaping):
        await until(lambda: leaping.readings)
        leaping.by_ms = by_ms
        for sale in live:
            await comes(sale, "paused")
            last = (await sale.log())[-1]
            assert isinstance(last, events.Paused)
            assert (last.by, last.why) == ("clock", "the server's clock leapt")
        assert (await paused.words())[-1] == "paused"
        assert await waiting.words() == ["published"]
        # It is said once, and the creator can go on.
        sale = live[0]
        sale.revision = int((await sale.truth()).drop["revision"])
        await sale.creator("resume")
        seen = leaping.readings
        await until(lambda: leaping.readings > seen)
        assert (await sale.truth()).drop["state"] == "live"


async def test_a_leap_is_not_forgotten_while_the_server_is_away(store: Store) -> None:
    class Away1(Leaping):
        away = 1

        async def drops(self) -> list[DropId]:
            # The settler's own round asks as well; the watch alone asks after a leap.
            if self.by_ms and self.away:
                self.away -= 1
                raise Unavailable("no reply")
            return await super().drops()

    sale = await real(store)
    leaping = Away1(store.client)
    async with settling(leaping):
        await until(lambda: leaping.readings)
        leaping.by_ms = 60_000
        await comes(sale, "paused")
        assert leaping.away == 0


async def test_sales_pause_while_the_disk_can_still_be_written(store: Store) -> None:
    sale = await real(store)
    async with settling(store, disk_free_mib=lambda: 10, disk_free_mib_min=11):
        await comes(sale, "paused")
    last = (await sale.log())[-1]
    assert isinstance(last, events.Paused)
    assert last.by == "disk"


async def test_a_cancellation_that_is_swallowed_is_given_again() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.Future()
            except asyncio.CancelledError:
                swallowed += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    begun = time.monotonic()
    await ended(task)
    assert task.done()
    assert swallowed == 3
    assert time.monotonic() - begun < LONG_S
