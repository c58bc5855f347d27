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
    one = ServerClaim(small_shop.settings(folder), own=own, take_over=take_over)
    one.open()
    return one


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
    await one.lay(server.url, ADDRESS)
    keeping = asyncio.create_task(one.keep())
    await until_claimed(store, ADDRESS)
    keeping.cancel()
    await one.end(opened=True)
    await one.end(opened=True)
    assert await claimed_by(store) == OURS
    assert len(await store.client.hkeys(store.house.keys.claim)) == 2


async def test_where_it_was_known_to_be_it_is_known_through_a_restart(
    store: Store, server: Server, folder: Path
) -> None:
    for address in (ADDRESS, ADDRESS, "https://drops.example"):
        one = claim(folder)
        await one.lay(server.url, address)
        assert await store.house.address() == address
        await one.end(opened=True)
        assert await store.house.address() == address


async def test_a_server_that_was_nobodys_is_given_back_where_nobody_came_in(
    store: Store, server: Server, folder: Path
) -> None:
    for opened, whose in ((False, None), (True, OURS), (False, OURS)):
        one = claim(folder)
        await one.lay(server.url, ADDRESS)
        await one.end(opened=opened)
        assert await claimed_by(store) == whose


async def test_another_shop_that_lives_is_no_server_of_ours(
    store: Store, server: Server, folder: Path
) -> None:
    await theirs(store, MS)
    one = claim(folder)
    with pytest.raises(ServerTaken, match=r"another shop|Another shop.*http://theirs"):
        await one.lay(server.url, ADDRESS)
    await one.end(opened=True)
    assert await claimed_by(store) == THEIRS
    # Its own data directory's server is not asked about.
    own = claim(folder, own=True)
    await own.lay(server.url, ADDRESS)
    await own.end(opened=True)
    assert await claimed_by(store) == OURS


@pytest.mark.parametrize("ms", [1, 300])
async def test_one_that_runs_out_is_waited_for_and_taken_over(
    store: Store, server: Server, folder: Path, ms: int
) -> None:
    await theirs(store, ms)
    one = claim(folder, take_over=True)
    await one.lay(server.url, ADDRESS)
    await one.end(opened=True)
    assert await claimed_by(store) == OURS


async def test_a_server_that_takes_no_writes_is_claimed_as_soon_as_it_does(
    store: Store, server: Server, client: redis.Redis, folder: Path
) -> None:
    await client.config_set("min-replicas-to-write", 1)
    one = claim(folder)
    try:
        await one.lay(server.url, ADDRESS)
        keeping = asyncio.create_task(one.keep())
        assert await claimed_by(store) is None
    finally:
        await client.config_set("min-replicas-to-write", 0)
    await until_claimed(store, ADDRESS)
    assert not keeping.done()
    keeping.cancel()
    await one.end(opened=True)


async def test_one_that_was_lost_is_laid_anew_and_one_that_was_taken_is_not(
    store: Store, server: Server, folder: Path
) -> None:
    one = claim(folder)
    await one.lay(server.url, ADDRESS)
    keeping = asyncio.create_task(one.keep())
    await until_claimed(store, ADDRESS)
    await store.house.forget_claim()
    await until_claimed(store, ADDRESS)
    await store.client.hset(store.house.keys.claim, "shop", THEIRS)
    with pytest.raises(ServerTaken):
        async with asyncio.timeout(LONG_S):
            await keeping
    await one.end(opened=True)
    assert await claimed_by(store) == THEIRS


async def test_what_was_restored_by_half_sells_nothing(
    store: Store, server: Server, folder: Path
) -> None:
    one = claim(folder)
    await store.house.restore("d1")
    with pytest.raises(ServerTaken, match="not ended, so drops are missing"):
        await one.lay(server.url, ADDRESS)
    await store.house.restore("")
    await one.lay(server.url, ADDRESS)
    await one.end(opened=True)


async def test_a_run_that_slept_through_a_restore_ends(
    store: Store, server: Server, folder: Path
) -> None:
    one = claim(folder)
    await one.lay(server.url, ADDRESS)
    await store.house.begin_life(OURS, "b2")
    with pytest.raises(ServerTaken, match="was restored from a backup"):
        await asyncio.wait_for(one.keep(), LONG_S)
    await one.end(opened=True)
    assert await store.house.life() == "b2"


async def test_a_restored_shop_goes_on_and_the_one_before_it_does_not(
    store: Store, server: Server, folder: Path
) -> None:
    await store.house.begin_life(OURS, "b2")
    old, new = claim(folder / "old"), claim(folder / "new")
    (folder / "new" / "life").write_text("b2")
    with pytest.raises(ServerTaken, match="was restored from a backup"):
        await old.lay(server.url, ADDRESS)
    await new.lay(server.url, ADDRESS)
    await old.end(opened=False)
    await new.end(opened=True)
    assert await claimed_by(store) == OURS
