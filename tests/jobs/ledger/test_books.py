"""The books hold each event once, byte for byte, and what it means with it."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.books import NotNext
from dropengine.log.replay import fold, fold_lines
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.sql.migrate import migrate
from dropengine.sql.schema.ledger import COUNTED, HOLDS, UNITS
from tests.kit.books_of import Books, agree, books_of, texts_of
from tests.kit.played_logs import play
from tests.kit.seeds import seeds

KEPT = sorted((Path(__file__).parents[2] / "log" / "kept").glob("*/*.ndjson"))


def lines_of(log: Path) -> list[bytes]:
    return log.read_bytes().splitlines()


async def entered(database: Database, drop: str, lines: list[bytes], *cuts: int) -> None:
    """In stretches that end at the cuts."""
    at = 0
    for end in sorted({*cuts, len(lines)} - {0}):
        at = await database.write(
            functools.partial(books.enter, drop=drop, after=at, lines=lines[at:end])
        )
    assert at == len(lines)


async def said(database: Database, statement: sa.Executable) -> None:
    await database.write(lambda connection: connection.execute(statement).close())


async def found(database: Database, drop: str) -> Books:
    return await database.read(lambda connection: books_of(connection, drop))


@pytest.mark.parametrize("crowded", [False, True])
async def test_the_books_agree_with_replay_however_the_log_was_cut(
    database: Database, crowded: bool
) -> None:
    seen: Counter[str] = Counter()
    for seed in seeds(12):
        log = play(seed, crowded=crowded)
        lines, random = texts_of(log), Random(seed)
        await entered(database, f"whole-{seed}", lines)
        cuts = random.sample(range(1, len(lines)), min(9, len(lines) - 1))
        await entered(database, f"cut-{seed}", lines, *cuts)
        whole = await found(database, f"whole-{seed}")
        cut = await found(database, f"cut-{seed}")
        for table in whole:
            for one, other in zip(whole[table], cut[table], strict=True):
                assert one | {"drop_id": ""} == other | {"drop_id": ""}
        assert [row["line"] for row in whole["ledger_rows"]] == lines
        agree(whole, fold(log))
        seen.update(row["ended"] for row in whole["ledger_holds"])
        seen.update(row["state"] for row in whole["ledger_orders"])
        seen.update(row["fate"] for row in whole["ledger_entries"])
        seen.update("adopted" for row in whole["ledger_adoptions"])
    wanted = {"sold", "released", "expired", "lapsed", "refunded", "served", "adopted"}
    assert wanted <= seen.keys()


@pytest.mark.parametrize("log", KEPT, ids=lambda log: f"{log.parent.name}_{log.stem}")
async def test_the_books_agree_with_replay_on_logs_of_older_engines(
    tmp_path: Path, log: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    migrate(settings)
    database, lines = Database(settings), lines_of(log)
    await entered(database, "pin", lines, len(lines) // 2)
    agree(await found(database, "pin"), fold_lines(lines))
    await database.close()


async def test_making_it_anew_changes_nothing_and_leaves_what_was_counted(
    database: Database,
) -> None:
    counted = {"drop_id": "pin", "minute_ms": 0, "worker": "w", "what": "refused", "name": "x"}
    await said(database, sa.insert(COUNTED).values(**counted, count=3))
    await entered(database, "pin", texts_of(play(7)), 20)
    before = await found(database, "pin")
    count = len(before["ledger_rows"])
    assert await database.write(lambda c: books.rebuild(c, "pin")) == count
    assert await found(database, "pin") == before
    # What had been lost or spoiled is there again.
    await said(database, sa.delete(UNITS))
    await said(database, sa.update(HOLDS).values(qty=9))
    await database.write(lambda c: books.rebuild(c, "pin"))
    assert await found(database, "pin") == before


async def test_what_was_entered_is_never_entered_again(database: Database) -> None:
    lines = texts_of(play(3))
    await entered(database, "pin", lines, 10)
    before = await found(database, "pin")
    for after in (0, 10, len(lines) - 1):
        again = functools.partial(books.enter, drop="pin", after=after, lines=lines[after:])
        with pytest.raises(NotNext):
            await database.write(again)
    assert await found(database, "pin") == before


async def test_a_gap_is_refused(database: Database) -> None:
    lines = texts_of(play(3))
    await entered(database, "pin", lines[:10])
    with pytest.raises(NotNext, match="event 12 came where 11 is next"):
        await database.write(functools.partial(books.enter, drop="pin", after=10, lines=lines[11:]))
    with pytest.raises(NotNext, match="do not end at 11"):
        await database.write(functools.partial(books.enter, drop="pin", after=11, lines=lines[11:]))
    assert len((await found(database, "pin"))["ledger_rows"]) == 10


async def test_two_who_enter_the_same_enter_it_once(
    sql_settings: Settings, database: Database
) -> None:
    other = Database(sql_settings)
    lines = texts_of(play(3))
    enter = functools.partial(books.enter, drop="pin", after=0, lines=lines)
    ends = []
    for one in (database, other):
        try:
            ends.append(await one.write(enter))
        except NotNext:
            ends.append(0)
    assert sorted(ends) == [0, len(lines)]
    await other.close()


async def test_an_event_that_nobody_knows_is_not_entered_by_half(database: Database) -> None:
    lines = texts_of(play(3))
    strange = [*lines[:5], b'{"e":"unheard","seq":6,"at":1}']
    with pytest.raises(ValueError, match="unheard"):
        await database.write(functools.partial(books.enter, drop="pin", after=0, lines=strange))
    assert (await found(database, "pin"))["ledger_rows"] == []


def test_the_log_is_read_back_byte_for_byte(sql_settings: Settings) -> None:
    migrate(sql_settings)
    lines = texts_of(play(3))
    one = engine.connect(sql_settings)
    with engine.transaction(one, writes=True) as connection:
        books.enter(connection, "pin", 0, lines)
    with engine.transaction(one, writes=False) as connection:
        assert list(books.lines(connection, "pin")) == lines
        assert list(books.lines(connection, "pin", after=9)) == lines[9:]
    one.dispose()
