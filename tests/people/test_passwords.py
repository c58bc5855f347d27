"""Passwords are checked beside the loop, a few at a time; nobody's take as long as somebody's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from argon2 import extract_parameters

from dropengine.people.passwords import AT_ONCE, MEMORY_KIB, WAITING_MAX, Passwords

WORD = "correct horse battery staple"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    one = Passwords()
    yield one
    one.close()


async def test_only_the_very_password_fits(passwords: Passwords) -> None:
    kept = await passwords.hash(WORD)
    assert await passwords.fits(WORD, kept)
    for wrong in ("", WORD.upper(), WORD + " ", WORD[:-1]):
        assert not await passwords.fits(wrong, kept)


async def test_the_same_password_is_kept_differently_each_time(passwords: Passwords) -> None:
    assert await passwords.hash(WORD) != await passwords.hash(WORD)


async def test_a_hash_is_made_as_the_law_of_the_house_says(passwords: Passwords) -> None:
    made = extract_parameters(await passwords.hash(WORD))
    assert (made.time_cost, made.memory_cost, made.parallelism) == (2, MEMORY_KIB, 1)
    assert made.memory_cost == 19 * 1024


@pytest.mark.parametrize("kept", ["", "no hash", "$argon2id$v=19$broken"])
async def test_nothing_fits_where_nothing_good_is_kept(passwords: Passwords, kept: str) -> None:
    assert not await passwords.fits("nobody's password", kept)


async def test_nobodys_password_is_checked_by_a_hash_of_the_same_cost(
    passwords: Passwords,
) -> None:
    assert not await passwords.fits(WORD, "")
    somebodys = extract_parameters(await passwords.hash(WORD))
    assert extract_parameters(passwords._nobodys) == somebodys


async def test_a_flood_waits_in_a_short_line_and_no_further() -> None:
    one = Passwords(waiting_max=6)
    asked = []
    while not one.full():
        asked.append(asyncio.ensure_future(one.fits(WORD, "")))
        await asyncio.sleep(0)
    assert len(asked) == AT_ONCE + 6
    assert await asyncio.gather(*asked) == [False] * len(asked)
    assert not one.full()
    one.close()


async def test_so_much_memory_is_the_most_that_hashing_takes() -> None:
    """Each thread has one hash under way: what waits takes none."""
    one = Passwords()
    asked = [asyncio.ensure_future(one.fits(WORD, "")) for _ in range(AT_ONCE + WAITING_MAX)]
    await asyncio.sleep(0)
    assert len(one._threads._threads) <= AT_ONCE
    for waiting in asked:
        waiting.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert not one.full()
    one.close()


async def test_whoever_goes_away_gives_his_place_in_the_line_up() -> None:
    one = Passwords(at_once=1, waiting_max=1)
    first = asyncio.ensure_future(one.fits(WORD, ""))
    second = asyncio.ensure_future(one.fits(WORD, ""))
    await asyncio.sleep(0)
    assert one.full()
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert not one.full()
    assert not await first
    one.close()
