"""Alarms call those who can do something: once each, then every hour while they last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dropengine.app import Runtime
from dropengine.config import Settings
from dropengine.doors.studio.alarm_letters import EVERY_S, GONE_MS, HOUR_MS, AlarmLetters
from dropengine.jobs.clock_watch import Reading
from dropengine.model import DropId
from dropengine.people import account_mails, makers
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.letters import owed
from tests.kit.private_server import Server
from tests.kit.studio import password_hash, people
from tests.kit.web_process import SECRET

server = web_process.server

LAMP = DropId("lamps-night")
CALLED = ("ada", "ben", "cyd", "dan")


class Clock:
    """The time of a test, ms."""

    def __init__(self) -> None:
        self.ms = 10**12

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def runtime(server: Server, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A shop that can sell, with everybody's address confirmed."""
    settings = Settings(
        redis_url=server.url, data_dir=tmp_path, secret_key=SECRET, accept_weaker=True
    )
    lay(settings)
    one = Runtime(settings)
    await one.store.client.flushall()
    await one.check()
    await one.trial.round()
    hashed = password_hash()

    def known(sql: Connection) -> None:
        lamps, _ = people(sql, hashed, 1)
        makers.own(sql, LAMP, lamps.id, 1)
        for name in CALLED:
            secret = account_mails.want(sql, f"id-{name}", f"{name}@example.org", 1)
            account_mails.confirm(sql, secret, 2)
        account_mails.lives(sql, "id-ada", "Asia/Kathmandu")

    await one.database.write(known)
    yield one
    await one.close()


@pytest.fixture
def job(runtime: Runtime, clock: Clock) -> AlarmLetters:
    return AlarmLetters(
        runtime.store, runtime.database, runtime.settings, runtime.desks, now_ms=clock.now_ms
    )


def leap(runtime: Runtime, *, leapt: bool = True) -> None:
    """The server's clock is not believed, or is again."""
    runtime.clock_watch._trusted = Reading(0, 0) if leapt else None


async def lasts(job: AlarmLetters, clock: Clock, ms: int) -> None:
    """So long it goes on as it is."""
    until = clock.ms + ms
    while clock.ms < until:
        await job.round()
        clock.ms += int(EVERY_S * 1000)


async def called(runtime: Runtime) -> list[str]:
    return sorted(one.to.partition("@")[0] for one in await owed(runtime.database))


async def test_an_alarm_calls_once_and_then_every_hour(
    runtime: Runtime, job: AlarmLetters, clock: Clock
) -> None:
    leap(runtime)
    await job.round()
    assert await called(runtime) == []
    await lasts(job, clock, 60_000)
    assert await called(runtime) == ["ada", "ben", "dan"]
    await lasts(job, clock, HOUR_MS - 120_000)
    assert len(await called(runtime)) == 3
    await lasts(job, clock, 120_000)
    letters = await owed(runtime.database, "ada@example.org")
    assert len(letters) == 2
    assert "clock leapt" in letters[0].subject
    # 10**12 by the clocks that its reader has, or where those are not known by the world's.
    assert "Since Sun 9 Sep 2001, 07:31 UTC+5:45 (Asia/Kathmandu)." in letters[0].words
    [of_ben, _] = await owed(runtime.database, "ben@example.org")
    assert "Since Sun 9 Sep 2001, 01:46 UTC." in of_ben.words
    assert letters[1].subject.startswith("Still so: ")


async def test_what_is_over_soon_calls_nobody_and_what_comes_again_calls_again(
    runtime: Runtime, job: AlarmLetters, clock: Clock
) -> None:
    leap(runtime)
    await job.round()
    leap(runtime, leapt=False)
    await lasts(job, clock, 2 * GONE_MS)
    assert await called(runtime) == []
    leap(runtime)
    await lasts(job, clock, 60_000)
    assert len(await called(runtime)) == 3
    leap(runtime, leapt=False)
    await lasts(job, clock, 60_000)
    # It flickers: that is the same alarm.
    leap(runtime)
    await lasts(job, clock, 60_000)
    assert len(await called(runtime)) == 3
    leap(runtime, leapt=False)
    await lasts(job, clock, 2 * GONE_MS)
    leap(runtime)
    await lasts(job, clock, 60_000)
    assert len(await called(runtime)) == 6


async def test_a_drops_alarm_calls_those_who_run_it(
    runtime: Runtime, job: AlarmLetters, clock: Clock
) -> None:
    runtime.settling.frozen[LAMP] = "books"
    await lasts(job, clock, 60_000)
    assert await called(runtime) == ["ada", "ben"]
    [letter] = await owed(runtime.database, "ben@example.org")
    assert letter.drop == LAMP
    assert f"/studio/drops/{LAMP}/night" in letter.words


async def test_who_wants_none_is_told_of_none(
    runtime: Runtime, job: AlarmLetters, clock: Clock
) -> None:
    await runtime.database.write(lambda sql: account_mails.hear(sql, "id-ada", alarms=False))
    await runtime.database.write(lambda sql: account_mails.remove(sql, "id-dan"))
    leap(runtime)
    await lasts(job, clock, 60_000)
    assert await called(runtime) == ["ben"]


async def test_whoever_tells_next_tells_nothing_twice(
    runtime: Runtime, job: AlarmLetters, clock: Clock
) -> None:
    leap(runtime)
    await lasts(job, clock, 60_000)
    await runtime.store.client.flushall()
    other = AlarmLetters(
        runtime.store, runtime.database, runtime.settings, runtime.desks, now_ms=clock.now_ms
    )
    await lasts(other, clock, 60_000)
    assert len(await called(runtime)) == 3
    await lasts(job, clock, 60_000)
    assert len(await called(runtime)) == 3
