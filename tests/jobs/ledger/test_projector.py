"""The books follow the drops: one process keeps them, whoever comes after it goes on."""

from __future__ import annotations

import pytest

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger import books, projector
from dropengine.jobs.ledger.projector import Projector
from dropengine.model import DropId
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.sale import Sale


class Time:
    """A clock in hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


async def written(database: Database, drop: str) -> list[bytes]:
    return await database.read(lambda connection: list(books.lines(connection, drop)))


async def log_of(sale: Sale) -> list[bytes]:
    return [text async for text in sale.store.log(sale.drop)]


@pytest.fixture
async def first(store: Store, database: Database) -> Projector:
    await store.client.flushall()
    return Projector(store, database)


async def test_the_books_follow_the_log(first: Projector, sale: Sale, database: Database) -> None:
    await first.round()
    assert await written(database, sale.drop) == await log_of(sale) != []
    for number in range(40):
        await sale.hold(f"fan{number}")
    await first.round()
    assert await written(database, sale.drop) == await log_of(sale)
    assert (first.behind, first.lag_s, first.every_s) == ({}, 0.0, projector.ROUND_S)


async def test_a_long_log_goes_in_by_stretches_and_other_drops_have_their_turn(
    first: Projector,
    store: Store,
    make_sale: MakeSale,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "STRETCH", 1)
    monkeypatch.setattr(projector, "STRETCHES_MAX", 1)
    long = await make_sale()
    for _ in range(50):
        await long.release("ana", await long.held("ana"))
    await first.round()
    assert 0 < len(await written(database, long.drop)) < 100
    assert first.behind.keys() == {long.drop}
    assert first.every_s == 0.0
    assert first.lag_s > 0
    while first.behind:
        await first.round()
    assert await written(database, long.drop) == await log_of(long)


async def test_in_a_rush_the_log_is_read_rarely_and_in_calm_promptly(
    first: Projector, sale: Sale, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "RUSH", 5)
    await first.round()
    pauses: list[float] = []
    for turns in (0, 2, 3, 1, 10, 0):
        for _ in range(turns):
            await sale.release("ana", await sale.held("ana"))
        await first.round()
        pauses.append(first.every_s)
    calm, rush = projector.ROUND_S, projector.RUSH_S
    assert pauses == [calm, calm, rush, calm, rush, calm]
    assert calm < rush
    assert await written(database, sale.drop) == await log_of(sale)


@pytest.mark.parametrize(("each", "requests_most"), [(1, 6), (3, 10), (700, 9)])
async def test_a_log_is_read_with_few_questions_whatever_its_entries_hold(
    store: Store, drop: str, each: int, requests_most: int
) -> None:
    """Few events at once, too: the server does nothing else meanwhile."""
    name, count = DropId(f"{drop}-{each}"), max(2_000, 6 * each)
    texts = [f"{n}".encode() for n in range(1, count + 1)]
    key = f"{{{name}}}:log"
    for first in range(0, count, each):
        fields = [word for text in texts[first : first + each] for word in (b"e", text)]
        last = min(count, first + each)
        await store.client.execute_command("XADD", key, f"{last}-0", *fields)
    before = await store.client.info("commandstats")
    assert await store.stretch(name, 0, count) == texts
    asked = await store.client.info("commandstats")
    calls = [int(one.get("cmdstat_xrange", {"calls": 0})["calls"]) for one in (before, asked)]
    assert calls[1] - calls[0] <= requests_most
    # From the middle of an entry, and to the end of the log.
    assert await store.stretch(name, 10, count) == texts[10:]
    assert await store.stretch(name, count, 1) == []
    assert [text async for text in store.log(name, 5)] == texts[5:]


async def test_one_keeps_the_books_and_the_next_goes_on_where_they_end(
    first: Projector, store: Store, sale: Sale, database: Database, sql_settings: Settings
) -> None:
    other_database = Database(sql_settings)
    second = Projector(store, other_database)
    await first.round()
    await sale.held("ana")
    await second.round()
    assert (first.held, second.held) == (True, False)
    assert len(await written(database, sale.drop)) < len(await log_of(sale))
    # The first dies: its lease runs out.
    await store.client.delete(store.house.keys.lease(Projector.name))
    await second.round()
    assert second.held
    assert await written(database, sale.drop) == await log_of(sale)
    # It was only asleep, and believes that it has the lease still.
    await sale.held("bo")
    await first.round()
    await second.round()
    assert await written(database, sale.drop) == await log_of(sale)
    await other_database.close()


async def test_books_that_another_moved_meanwhile_are_looked_at_again(
    first: Projector, sale: Sale, database: Database
) -> None:
    await first.round()
    before = len(await log_of(sale))
    await sale.held("ana")
    (text,) = (await log_of(sale))[before:]
    await database.write(lambda connection: books.enter(connection, sale.drop, before, [text]))
    await sale.held("bo")
    await first.round()
    await first.round()
    assert await written(database, sale.drop) == await log_of(sale)


async def test_while_sql_is_away_it_is_asked_ever_more_slowly_and_then_caught_up(
    store: Store,
    make_sale: MakeSale,
    database: Database,
    sql_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await store.client.flushall()
    sale = await make_sale()
    clock = Time()
    one = Projector(store, database, clock=clock)
    await one.round()

    async def away(*_: object) -> None:
        raise DatabaseAway("SQL is away.")

    monkeypatch.setattr(database, "write", away)
    await sale.held("ana")
    waits = []
    for _ in range(8):
        clock.s += one.every_s
        with pytest.raises(DatabaseAway):
            await one.round()
        waits.append(one.every_s)
    assert waits == sorted(waits)
    assert waits[-1] == projector.AWAY_S_MAX
    assert one.lag_s == clock.s
    monkeypatch.undo()
    await one.round()
    assert await written(database, sale.drop) == await log_of(sale)
    assert (one.lag_s, one.every_s) == (0.0, projector.ROUND_S)


async def test_a_drop_that_cannot_be_entered_does_not_keep_the_others_from_it(
    first: Projector,
    make_sale: MakeSale,
    store: Store,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    drop: str,
) -> None:
    good = await make_sale()
    bad = Sale(store, f"{drop}-bad")
    await store.client.hset(f"{{{bad.drop}}}:drop", mapping={"seq": 1, "state": "live"})
    await store.client.xadd(f"{{{bad.drop}}}:log", {"e": '{"e":"unheard","seq":1,"at":1}'}, "1-0")
    await store.house.enlist(DropId(bad.drop), 1)
    await first.round()
    assert await written(database, good.drop) == await log_of(good)
    assert f"{bad.drop} cannot be entered" in caplog.text


async def test_a_log_that_is_shorter_than_its_books_is_told(
    first: Projector, sale: Sale, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await first.round()
    await sale.store.client.hset(f"{{{sale.drop}}}:drop", "seq", 1)
    await first.round()
    assert "and its log at 1" in caplog.text


async def test_a_drop_that_is_over_is_looked_at_less_often(
    store: Store, make_sale: MakeSale, database: Database
) -> None:
    await store.client.flushall()
    clock = Time()
    one = Projector(store, database, clock=clock)
    sale = await make_sale()
    await sale.creator("cancel")
    await one.round()
    complete = await written(database, sale.drop)
    await store.client.hset(f"{{{sale.drop}}}:drop", "seq", len(complete) + 1)
    await one.round()
    assert one.behind == {}
    clock.s += projector.OVER_S
    await one.round()
    assert one.behind == {sale.drop: 1}
