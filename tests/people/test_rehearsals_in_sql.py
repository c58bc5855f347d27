"""Rehearsals in SQL: one at a time, asked for once, stopped by whoever may, over when nobody is
heard. On SQLite and on PostgreSQL."""

from __future__ import annotations

from functools import partial

from dropengine.people import rehearsals
from dropengine.people.rehearsals import KEPT_MAX, SILENT_MS_MAX, Answer, State
from dropengine.rehearsal_report import (
    Asked,
    Progress,
    RehearsalReport,
    Seen,
)
from dropengine.sql.database import Database
from tests.kit import databases

sql_settings, database, postgres = databases.sql_settings, databases.database, databases.postgres

NOW_MS = 1_800_000_000_000
PROGRESS = Progress(stage="sale", says="open", elapsed_s=3.5, done=0.1, watchers=9)


def report(drop: str = "lamp", at_ms: int = NOW_MS) -> RehearsalReport:
    night = Seen(
        fans=10,
        units=4,
        sold=4,
        got_one=4,
        sold_out_s=2.5,
        waited_median_s=None,
        waited_longest_s=None,
        still_waiting=6,
        answer_p50_ms=3,
        answer_p99_ms=30,
        holds_per_s=4,
        refused={},
        reconnects=0,
    )
    return RehearsalReport(
        drop=drop,
        title="Lamp",
        maker="Lamp makers",
        hash="0" * 64,
        at_ms=at_ms,
        took_s=50,
        asked=Asked(fans=10),
        seed=1,
        factor=100,
        times=[],
        machine="2 cores",
        versions="",
        web_processes=1,
        lifted=[],
        passed=True,
        promises=[],
        violations=[],
        violations_total=0,
        seen=night,
        capacity=None,
        breaks_first="",
        advice=[],
        changes=[],
        changed_since_ms=0,
        cut_short="",
    )


async def ask(
    database: Database, drop: str = "lamp", key: str = "k1", now_ms: int = NOW_MS
) -> Answer:
    asked = Asked(fans=10)
    return await database.write(
        lambda sql: rehearsals.ask(sql, drop, asked, by="ada", key=key, now_ms=now_ms)
    )


async def test_from_the_wish_to_the_report(database: Database) -> None:
    assert await ask(database) is Answer.BEGINS
    one = await database.write(lambda sql: rehearsals.take(sql, NOW_MS))
    assert one is not None
    assert (one.drop, one.by, one.asked.fans, one.progress) == ("lamp", "ada", 10, None)
    assert await database.write(lambda sql: rehearsals.beat(sql, one.id, PROGRESS, NOW_MS + 1))
    (now,) = await database.read(lambda sql: rehearsals.of_drop(sql, "lamp"))
    assert (now.state, now.progress) == (State.RUNNING, PROGRESS)
    await database.write(
        lambda sql: rehearsals.end(sql, one.id, State.DONE, says="", report=report())
    )
    (done,) = await database.read(lambda sql: rehearsals.of_drop(sql, "lamp"))
    assert (done.state, done.report, done.progress) == (State.DONE, report(), None)
    assert await database.read(lambda sql: rehearsals.last_report(sql, "lamp")) == report()


async def test_one_goes_on_at_a_time_whichever_drop_it_is_of(database: Database) -> None:
    await ask(database)
    assert await ask(database, "pot", "k2") is Answer.ANOTHER
    assert await database.read(lambda sql: rehearsals.of_drop(sql, "pot")) == []


async def test_the_same_wish_again_is_one_rehearsal(database: Database) -> None:
    await ask(database)
    assert await ask(database) is Answer.REPEATED
    one = await database.write(lambda sql: rehearsals.take(sql, NOW_MS))
    assert one is not None
    assert await database.write(lambda sql: rehearsals.take(sql, NOW_MS)) is None


async def test_whoever_runs_it_hears_that_it_is_to_stop(database: Database) -> None:
    await ask(database)
    one = await database.write(lambda sql: rehearsals.take(sql, NOW_MS))
    assert one is not None
    assert await database.write(lambda sql: rehearsals.stop(sql, "lamp"))
    assert not await database.write(lambda sql: rehearsals.beat(sql, one.id, None, NOW_MS))


async def test_what_was_only_wanted_is_stopped_at_once(database: Database) -> None:
    await ask(database)
    assert await database.write(lambda sql: rehearsals.stop(sql, "lamp"))
    assert await database.write(lambda sql: rehearsals.take(sql, NOW_MS)) is None
    assert not await database.write(lambda sql: rehearsals.stop(sql, "lamp"))
    assert await ask(database, key="k2") is Answer.BEGINS


async def test_one_of_which_nothing_is_heard_makes_room_for_the_next(database: Database) -> None:
    await ask(database)
    one = await database.write(lambda sql: rehearsals.take(sql, NOW_MS))
    assert one is not None
    later = NOW_MS + SILENT_MS_MAX + 1
    assert rehearsals.as_heard(one, later).state is State.FAILED
    assert await ask(database, "pot", "k2", later) is Answer.BEGINS
    (gone,) = await database.read(lambda sql: rehearsals.of_drop(sql, "lamp"))
    assert (gone.state, gone.says) == (State.FAILED, rehearsals.GONE)
    # Whoever it was may wake up again: he is told to stop, and writes no report.
    assert not await database.write(lambda sql: rehearsals.beat(sql, one.id, PROGRESS, later))
    await database.write(
        lambda sql: rehearsals.end(sql, one.id, State.DONE, says="", report=report())
    )
    assert await database.read(lambda sql: rehearsals.last_report(sql, "lamp")) is None


async def test_a_drop_keeps_its_newest_reports(database: Database) -> None:
    for n in range(KEPT_MAX + 3):
        one = report(at_ms=NOW_MS + n)
        await database.write(partial(rehearsals.keep, report=one, by="ada", now_ms=one.at_ms))
    found = await database.read(lambda sql: rehearsals.of_drop(sql, "lamp"))
    assert [one.at_ms for one in found] == [NOW_MS + n for n in range(KEPT_MAX + 2, 2, -1)]
