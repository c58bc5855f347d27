"""The process that keeps the books, as its supervisor hears it."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from dropengine.processes.kept_ledger import _ended, _heard


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_is_told_to_stop_stops_though_a_word_comes_with_it(turns: int) -> None:
    words = asyncio.StreamReader()
    hearing = asyncio.create_task(_heard(words))
    await asyncio.sleep(0)
    words.feed_data(b"alive\n")
    for _ in range(turns):
        await asyncio.sleep(0)
    hearing.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert hearing.cancelled()


async def test_it_came_up_when_it_said_something() -> None:
    for said, came_up in ((b"", False), (b"ready\n", True), (b"ready\nalive\n", True)):
        words = asyncio.StreamReader()
        words.feed_data(said)
        words.feed_eof()
        assert await _heard(words) is came_up


async def _speaker(script: str) -> asyncio.subprocess.Process:
    """A process that has said all it will."""
    process = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.read() == b""
    return process


async def test_one_that_died_is_told_by_the_code_it_died_with() -> None:
    for _ in range(50):
        assert await _ended(await _speaker("exit 7"), 20) == 7


async def test_one_that_says_no_more_and_lives_on_is_killed() -> None:
    assert await _ended(await _speaker("exec >&-; exec sleep 60"), 0.1) == -signal.SIGKILL
