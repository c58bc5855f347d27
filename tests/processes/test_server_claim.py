"""The claim to a server, held by the object that the supervisor runs: laid, kept, lost, ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from dropengine.errors import ServerTaken
from dropengine.processes import server_claim
from dropengine.processes.server_claim import ServerClaim
from dropengine.truth.house import Claim
from dropengine.truth.store import Store
from tests.kit import small_shop, web_process
from tests.kit.private_server import Server
from tests.kit.web_process import LONG_S

server = web_process.server

MS = 60_000
OURS, THEIRS = "5e" * 16, "07" * 16
ADDRESS = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
async def unclaimed(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(server_claim, "RENEW_S", 0.01)
    await store.house.forget_claim()
    yield
    await store.house.forget_claim()


def claim(folder: Path, *, own: bool = False, take_over: bool = False) -> ServerClaim:
    folder.mkdir(exist_ok=True)
    (folder / "shop_id").write_text(OURS)
    return ServerClaim(small_shop.settings(folder), own=own, take_over=take_over)


async def claimed_by(store: Store) -> str | None:
    found = await store.client.hget(store.house.keys.claim, "shop")
    return None if found is None else str(found.decode())


async def until_claimed(store: Store, address: str) -> None:
    async with asyncio.timeout(LONG_S):
        while await store.house.address() != address:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def theirs(store: Store, ms: int) -> None:
    store.house.claim = Claim(THEIRS, "a1")
    await store.house.lay_claim(1, "", 1, "", ms, "http://theirs")


async def test_it_is_kept_until_it_ends_and_stays_the_shops(
    store: Store, server: Server, folder: Path
) -> None:
    one = claim(folder)
    await one.lay(server.url)
    keeping = asyncio.create_task(one.keep(ADDRESS))
    await until_claimed(store, ADDRESS)
    keeping.cancel()
    await one.end()
    await one.end()
    assert await claimed_by(store) == OURS
    assert len(await store.client.hkeys(store.house.keys.claim)) == 2


async def test_another_shop_that_lives_is_no_server_of_ours(
    store: Store, server: Server, folder: Path
) -> None:
    await theirs(store, MS)
    one = claim(folder)
    with pytest.raises(ServerTaken, match=r"another shop|Another shop.*http://theirs"):
        await one.lay(server.url)
    await one.end()
    assert await claimed_by(store) == THEIRS
    # Its own data directory's server is not asked about.
    own = claim(folder, own=True)
    await own.lay(server.url)
    await own.end()
    assert await claimed_by(store) == OURS


@pytest.mark.parametrize("ms", [1, 300])
async def test_one_that_runs_out_is_waited_for_and_taken_over(
    store: Store, server: Server, folder: Path, ms: int
) -> None:
    await theirs(store, ms)
    one = claim(folder, take_over=True)
    await one.lay(server.url)
    await one.end()
    assert await claimed_by(store) == OURS


async def test_a_server_that_takes_no_writes_is_claimed_as_soon_as_it_does(
    store: Store, server: Server, client: redis.Redis, folder: Path
) -> None:
    await client.config_set("min-replicas-to-write", 1)
    one = claim(folder)
    try:
        await one.lay(server.url)
        keeping = asyncio.create_task(one.keep(ADDRESS))
        assert await claimed_by(store) is None
    finally:
        await client.config_set("min-replicas-to-write", 0)
    await until_claimed(store, ADDRESS)
    assert not keeping.done()
    keeping.cancel()
    await one.end()


async def test_one_that_was_lost_is_laid_anew_and_one_that_was_taken_is_not(
    store: Store, server: Server, folder: Path
) -> None:
    one = claim(folder)
    await one.lay(server.url)
    keeping = asyncio.create_task(one.keep(ADDRESS))
    await until_claimed(store, ADDRESS)
    await store.house.forget_claim()
    await until_claimed(store, ADDRESS)
    await store.client.hset(store.house.keys.claim, "shop", THEIRS)
    with pytest.raises(ServerTaken):
        async with asyncio.timeout(LONG_S):
            await keeping
    await one.end()
    assert await claimed_by(store) == THEIRS
