"""When something may leave the server of the truth: in a calm, by one, never during a backup."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.jobs.ledger import thinning
from dropengine.jobs.ledger.projector import Projector
from dropengine.jobs.ledger.thinning import CALM_EVENTS_PER_S, HOLDS_EACH_S, LOOK_S, Thinning
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.sale import Sale

pytestmark = pytest.mark.usefixtures("synced")


class Time:
    """A clock in hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "PAUSE_S", 0.0)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def settings(sql_settings: Settings) -> Settings:
    return msgspec.structs.replace(sql_settings, thin_events_kept=1)


@pytest.fixture
async def one(store: Store, database: Database, settings: Settings, clock: Time) -> Thinning:
    await store.client.flushall()
    return Thinning(store, database, settings, clock=clock)


async def rows(sale: Sale) -> int:
    """Rows of its log at the server."""
    return len(await sale.store.past.rows(sale.drop, 0, 10_000))


async def busy(sale: Sale, times: int = 20) -> None:
    for _ in range(times):
        await sale.release("ana", await sale.held("ana"))


async def calm(one: Thinning, clock: Time) -> None:
    await one.round()
    clock.s += one.every_s


@pytest.fixture
async def kept(one: Thinning, sale: Sale, database: Database, clock: Time) -> Sale:
    """A drop with books, at which nothing happens."""
    await busy(sale)
    await Projector(sale.store, database).round()
    await calm(one, clock)
    return sale


async def test_in_a_calm_all_but_the_newest_and_the_commands_leave(
    one: Thinning, kept: Sale
) -> None:
    await one.round()
    assert await rows(kept) == 3


async def test_at_the_first_look_nobody_knows(one: Thinning, kept: Sale) -> None:
    assert await rows(kept) == 42


async def test_while_much_happens_everything_waits(one: Thinning, kept: Sale, clock: Time) -> None:
    clock.s = 1.0
    await one.round()
    clock.s += 1.0
    await busy(kept, int(CALM_EVENTS_PER_S / 2) + 1)
    before = await rows(kept)
    await one.round()
    assert await rows(kept) == before
    clock.s += 1.0
    await one.round()
    assert await rows(kept) < before


async def test_a_crowd_that_comes_in_the_middle_of_it_is_seen(
    one: Thinning, kept: Sale, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, scripts = kept.store.past, 0
    take = past.take_rows

    async def and_then_a_crowd(*asked: object) -> object:
        nonlocal scripts
        scripts += 1
        clock.s += LOOK_S
        await busy(kept, 100)
        return await take(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr("dropengine.jobs.ledger.taking_out.EVENTS_MOST", 1)
    monkeypatch.setattr(past, "take_rows", and_then_a_crowd)
    await one.round()
    assert scripts == 1


async def test_nothing_leaves_while_a_backup_is_made(
    one: Thinning, kept: Sale, clock: Time
) -> None:
    await kept.store.house.back_up("a backup", 60_000)
    await one.round()
    assert await rows(kept) == 42
    await kept.store.client.delete(kept.store.house.keys.backup)
    clock.s += one.every_s
    await one.round()
    assert await rows(kept) == 3


async def test_one_of_all_workers_does_it(
    one: Thinning, kept: Sale, database: Database, settings: Settings, clock: Time
) -> None:
    second = Thinning(kept.store, database, settings, clock=clock)
    await calm(second, clock)
    await second.round()
    assert await rows(kept) == 42
    await one.round()
    assert await rows(kept) == 3


async def test_a_drop_without_books_keeps_its_log(one: Thinning, sale: Sale, clock: Time) -> None:
    await busy(sale)
    await calm(one, clock)
    await one.round()
    assert await rows(sale) == 42


async def test_it_can_be_switched_off(
    kept: Sale, database: Database, settings: Settings, clock: Time
) -> None:
    off = Thinning(kept.store, database, msgspec.structs.replace(settings, thin_s=0), clock=clock)
    for _ in range(3):
        await calm(off, clock)
    assert await rows(kept) == 42


async def test_a_drop_that_cannot_be_read_does_not_keep_the_others_from_it(
    one: Thinning, kept: Sale, clock: Time, caplog: pytest.LogCaptureFixture
) -> None:
    await kept.store.client.hset("{odd}:drop", mapping={"seq": 9, "state": "live", "schema": 4})
    await kept.store.client.zadd(kept.store.house.keys.drops, {"odd": 2**52})
    await calm(one, clock)
    await one.round()
    assert "odd cannot be thinned" in caplog.text
    assert await rows(kept) == 3


async def test_holds_are_gone_through_once_an_hour(
    one: Thinning, kept: Sale, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, asked = kept.store.past, []
    take = past.take_holds

    async def noted(*args: object) -> object:
        asked.append(clock.s)
        return await take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(past, "take_holds", noted)
    await one.round()
    clock.s += one.every_s
    await one.round()
    assert len(asked) == 1
    clock.s += HOLDS_EACH_S
    await one.round()
    assert len(asked) == 2
