"""What the books have on disk leaves the log, and a log is read as one all the same."""

from __future__ import annotations

import functools

import pytest
import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger import books, taking_out
from dropengine.jobs.ledger.projector import Projector
from dropengine.jobs.ledger.taking_out import TakingOut
from dropengine.log.replay import difference, fold
from dropengine.sql import engine, log_rows
from dropengine.sql.database import Database
from dropengine.sql.log_rows import LogRows
from dropengine.sql.schema.ledger import ROWS
from dropengine.truth import repair
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.long_ago import a_day_passes
from tests.kit.manifests import item
from tests.kit.sale import Sale
from tests.kit.store_on_test_clock import StoreOnTestClock

pytestmark = pytest.mark.usefixtures("synced")


async def at_once() -> bool:
    return True


async def log_of(sale: Sale) -> list[bytes]:
    return [text async for text in sale.store.log(sale.drop)]


async def at_the_server(sale: Sale) -> int:
    """Events of the log that are there still."""
    return sum(len(row.texts) for row in await sale.store.past.rows(sale.drop, 0, 10_000))


@pytest.fixture
async def busy(store: Store, make_sale: MakeSale, database: Database) -> Sale:
    """60 events of fans in single rows and in rows of many, some commands between them; all of it
    in the books."""
    await store.client.flushall()
    sale = await make_sale(item("pin", {"pin": 9}, most=9), limit=9)
    for number in range(20):
        await sale.release("ana", await sale.held("ana"))
        if number % 9 == 0:
            await sale.creator("message", text='a word with "revision":7 in it')
    for qty in (1, 2, 3):
        await sale.held("bo", qty=qty)
    sale.now += 10_000_000
    await sale.settle()
    await Projector(store, database).round()
    return sale


@pytest.fixture
def out(store: Store, database: Database) -> TakingOut:
    return TakingOut(store, database, at_once)


@pytest.mark.parametrize("most", [1, 7, 1_000])
async def test_what_the_books_have_leaves_the_log_and_is_read_in_its_place(
    busy: Sale, out: TakingOut, database: Database, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_out, "EVENTS_MOST", most)
    monkeypatch.setattr(taking_out, "ROWS_READ", 10)
    before = await log_of(busy)
    assert await out.rows(busy.drop, len(before), 1)
    commands = sum(b'"revision":' in text for text in before)
    # And the last row, in which the holds of a fan ended together.
    assert await at_the_server(busy) <= commands + 5
    busy.store.in_the_books = LogRows(database).texts
    assert await log_of(busy) == before
    assert [text async for text in busy.store.log(busy.drop, 17)] == before[17:]
    for after, least in ((0, 5), (0, 1_000), (3, 30), (20, 1)):
        found = await busy.store.stretch(busy.drop, after, least)
        assert found == before[after : after + len(found)]
        assert len(found) >= min(least, len(before) - after)


async def test_what_the_books_do_not_have_and_the_newest_stay(busy: Sale, out: TakingOut) -> None:
    seq = len(await log_of(busy))
    assert await out.rows(busy.drop, 0, 1)
    assert await out.rows(busy.drop, seq, seq)
    assert await at_the_server(busy) == seq
    assert await out.rows(busy.drop, 10, 1)
    assert await out.rows(busy.drop, seq, seq - 12)
    gone = seq - await at_the_server(busy)
    assert 5 < gone <= 12
    assert len([text async for text in busy.store.log(busy.drop, 12)]) == seq - 12


async def test_audit_repair_and_thaw_read_both(
    busy: Sale, out: TakingOut, database: Database
) -> None:
    await out.rows(busy.drop, len(await log_of(busy)), 1)
    busy.store.in_the_books = LogRows(database).texts
    await freeze(busy)
    await busy.store.client.delete(f"{{{busy.drop}}}:fans", f"{{{busy.drop}}}:holds")
    found = await repair.audit(busy.store, busy.drop)
    assert found is not None
    assert await repair.rewrite(busy.store, found) == len(found.rows) > 20
    found = await repair.audit(busy.store, busy.drop)
    assert found is not None
    assert found.agrees
    await repair.thaw(busy.store, found, by="o1", key="thaw", clock_ms=busy.now)
    busy.revision += 1
    assert difference(fold(await busy.log()), await busy.truth()) == []


async def test_who_cannot_read_the_rest_says_so(
    busy: Sale, out: TakingOut, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await out.rows(busy.drop, len(await log_of(busy)), 1)
    busy.store.in_the_books = LogRows(database).texts

    async def away(_: object) -> None:
        raise DatabaseAway("SQL is away.")

    monkeypatch.setattr(database, "read", away)
    with pytest.raises(DatabaseAway):
        await log_of(busy)
    with pytest.raises(DatabaseAway):
        await repair.audit(busy.store, busy.drop)


async def test_where_neither_has_a_row_it_is_a_hole(
    busy: Sale, out: TakingOut, database: Database
) -> None:
    await out.rows(busy.drop, len(await log_of(busy)), 1)
    busy.store.in_the_books = LogRows(database).texts
    lost = sa.delete(ROWS).where(ROWS.c.drop_id == busy.drop, ROWS.c.seq == 8)
    await database.write(lambda sql: sql.execute(lost))
    found = await repair.audit(busy.store, busy.drop)
    assert found is not None
    assert found.hole == "event 8 is missing from its log"


async def test_books_that_say_something_else_are_told_and_nothing_leaves(
    busy: Sale, out: TakingOut, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    seq = len(await log_of(busy))
    other = sa.update(ROWS).where(ROWS.c.drop_id == busy.drop, ROWS.c.seq == 8)
    await database.write(lambda sql: sql.execute(other.values(line=b"{}")))
    assert await out.rows(busy.drop, seq, 1)
    assert await at_the_server(busy) == seq
    assert f"{busy.drop}: its log and its books differ" in caplog.text


async def test_nothing_leaves_for_books_that_may_not_be_on_disk(
    busy: Sale,
    sql_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    seq = len(await log_of(busy))

    if sql_settings.database_url is None:
        monkeypatch.setitem(engine.PRAGMAS, "synchronous", "NORMAL")
    else:
        request.getfixturevalue("postgres").sync("off")
    other = Database(sql_settings)
    with pytest.raises(DatabaseAway, match="not on its disk"):
        await TakingOut(busy.store, other, at_once).rows(busy.drop, seq, 1)
    await other.close()
    assert await at_the_server(busy) == seq


async def test_postgres_that_answers_before_it_writes_is_not_on_disk(
    sql_settings: Settings, database: Database
) -> None:
    def hurried(sql: sa.Connection) -> bool:
        sql.exec_driver_sql("SET LOCAL synchronous_commit = off")
        return log_rows.on_disk(sql)

    assert await database.read(log_rows.on_disk)
    if sql_settings.database_url is not None:
        assert not await database.read(hurried)


async def test_it_stops_when_it_must_wait(busy: Sale, store: Store, database: Database) -> None:
    """Before the first script of each kind."""
    seq, asked = len(await log_of(busy)), []

    async def not_now() -> bool:
        asked.append(1)
        return False

    one = TakingOut(store, database, not_now)
    assert not await one.rows(busy.drop, seq, 1)
    assert not await one.answers(busy.drop)
    assert not await one.holds(busy.drop)
    assert len(asked) == 3
    assert await at_the_server(busy) == seq


async def test_holds_and_their_keys_leave(busy: Sale, database: Database) -> None:
    store = StoreOnTestClock(busy.store.client, lambda: busy.now)
    one = TakingOut(store, database, at_once)
    await a_day_passes(busy)
    assert await one.answers(busy.drop)
    assert await one.holds(busy.drop)
    assert set((await busy.truth()).holds) == {"h20", "h23"}
    made = await store.client.hkeys(f"{{{busy.drop}}}:answers")
    assert [name for name in made if not name.startswith(b"@")] == []


async def test_a_drop_with_too_many_payments_for_nothing_keeps_its_holds(
    busy: Sale, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_out, "CHARGES_MOST", 1)
    store = StoreOnTestClock(busy.store.client, lambda: busy.now)
    await busy.succeeded("h1", "c1")
    await busy.succeeded("h2", "c2")
    await a_day_passes(busy)
    before = (await busy.truth()).holds.keys()
    assert await TakingOut(store, database, at_once).holds(busy.drop)
    assert (await busy.truth()).holds.keys() == before


async def test_rebuilding_what_is_derived_leaves_the_only_copy_alone(
    busy: Sale, out: TakingOut, database: Database
) -> None:
    before = await log_of(busy)
    await out.rows(busy.drop, len(before), 1)
    count = await database.write(functools.partial(books.rebuild, drop=busy.drop))
    assert count == len(before)
    busy.store.in_the_books = LogRows(database).texts
    assert await log_of(busy) == before


def test_the_books_of_sqlite_are_on_disk_before_they_are_answered() -> None:
    assert engine.PRAGMAS["synchronous"] == "FULL"
