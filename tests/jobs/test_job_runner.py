"""What goes on by itself goes on for ever, whatever it meets, and ends as a whole."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from dropengine.errors import Unavailable
from dropengine.jobs import job_runner
from dropengine.jobs.job_runner import JobRunner, ended
from tests.kit.jobs_at_work import at_work, rounds
from tests.kit.web_process import LONG_S, until


class Faulty:
    """A job that meets these faults first."""

    every_s = 0.0

    def __init__(self, name: str, *faults: Exception) -> None:
        self.name = name
        self.faults = list(faults)
        self.begun = 0

    async def round(self) -> None:
        self.begun += 1
        if self.faults:
            raise self.faults.pop(0)


ROUNDING_S = 0.001


async def test_a_fault_in_a_round_is_logged_and_the_next_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Faulty("counting", RuntimeError("a bug in a round"), Unavailable("no reply"))
    with caplog.at_level(logging.INFO):
        async with at_work(job) as runner:
            await rounds(runner, "counting")
    # A server that is away is no fault of ours, and no line of an ordinary log.
    said = [(one.levelname, one.getMessage()) for one in caplog.records]
    assert ("ERROR", "counting failed, the next round comes") in said
    assert ("INFO", "counting waits: no reply") in said
    assert "a bug in a round" in caplog.text


@pytest.mark.parametrize("fault", [RuntimeError("a bug"), Unavailable("no reply")])
async def test_a_round_that_met_a_fault_leaves_its_job_late(fault: Exception) -> None:
    good, bad = Faulty("good"), Faulty("bad", *[fault] * 1_000_000)
    before = time.monotonic()
    async with at_work(good, bad) as runner:
        begun = time.monotonic()
        await rounds(runner, "good")
        await until(lambda: bad.begun > 3)
        assert runner.age_s("good") < LONG_S
        # It has never come round: it is as old as the runner, not as the machine.
        assert "bad" not in runner.round_at
        born = time.monotonic() - runner.age_s("bad")
        assert before <= born + ROUNDING_S
        assert born - ROUNDING_S <= begun


async def test_what_ends_is_started_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runner, "RESTART_S", 0.0)
    lives = 0

    async def short() -> None:
        nonlocal lives
        lives += 1
        if lives == 1:
            raise RuntimeError("a bug that ends it")

    runner = JobRunner()
    runner.keep(short, "the short one")
    await until(lambda: lives > 3)
    await runner.close()
    assert "the short one died and is started again" in caplog.text
    assert "a bug that ends it" in caplog.text


async def test_its_end_is_the_end_of_every_job(caplog: pytest.LogCaptureFixture) -> None:
    before = asyncio.all_tasks()
    one, two = Faulty("one"), Faulty("two")
    async with at_work(one, two) as runner:
        await rounds(runner, "one")
        await rounds(runner, "two")
    assert {task for task in asyncio.all_tasks() if not task.done()} <= before
    begun = one.begun, two.begun
    await asyncio.sleep(0)
    assert (one.begun, two.begun) == begun


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
