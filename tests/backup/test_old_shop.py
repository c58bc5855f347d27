"""Whether the old shop is gone: seen where it claimed, waited for once, and never guessed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from dropengine.backup import old_shop
from dropengine.backup.folder import Contents
from dropengine.config import Settings
from dropengine.errors import ServerTaken
from dropengine.sql import claim, engine
from dropengine.sql.claim import Run
from dropengine.sql.migrate import migrate
from dropengine.truth import connections
from dropengine.truth.house import Claim
from dropengine.truth.store import Store
from tests.kit.private_postgres import Postgres
from tests.kit.private_server import Server

OURS, THEIRS = "5e" * 16, "07" * 16
OF_OURS = Contents(
    version="1",
    shop=OURS,
    name="",
    address="http://old",
    prefix="",
    secret="",
    own_secret=True,
    revision="0001",
    schema=1,
    begun_ms=1,
    drops={},
    files={},
)


async def lay(store: Store, shop: str, ms: int) -> None:
    store.house.claim = Claim(shop, "a1" * 16)
    await store.house.lay_claim(1, "", 1, "", ms, "http://old")


@pytest.fixture
async def store(store: Store, server: Server) -> Store:
    await store.house.forget_claim()
    return store


@pytest.fixture
def at_server(tmp_path: Path, server: Server) -> Settings:
    return Settings(data_dir=tmp_path, redis_url=server.url)


async def test_in_a_directory_of_its_own_nothing_is_seen(tmp_path: Path) -> None:
    assert not await old_shop.seen_gone(Settings(data_dir=tmp_path), OF_OURS)


async def test_a_server_that_nobody_claimed_tells_nothing(
    store: Store, at_server: Settings
) -> None:
    assert not await old_shop.seen_gone(at_server, OF_OURS)


@pytest.mark.parametrize("ms", [1, 300])
async def test_a_claim_that_runs_out_is_gone(store: Store, at_server: Settings, ms: int) -> None:
    await lay(store, OURS, ms)
    assert await old_shop.seen_gone(at_server, OF_OURS)


async def test_a_claim_that_is_renewed_is_a_shop_that_sells(
    store: Store, at_server: Settings
) -> None:
    await lay(store, OURS, 300)

    async def renew() -> None:
        while True:
            await store.house.keep_claim(2, 300, "http://old")
            await asyncio.sleep(0.02)

    renewing = asyncio.create_task(renew())
    with pytest.raises(ServerTaken, match="sells still, at http://old: stop it first"):
        await old_shop.seen_gone(at_server, OF_OURS)
    renewing.cancel()


async def test_another_shops_server_is_refused_however_old(
    store: Store, at_server: Settings
) -> None:
    await lay(store, THEIRS, 1)
    with pytest.raises(
        ServerTaken, match="This server belongs to another shop, last at http://old"
    ):
        await old_shop.seen_gone(at_server, OF_OURS)


async def test_the_old_prefix_is_looked_at_too(
    store: Store, server: Server, at_server: Settings
) -> None:
    """Whoever sold there before is gone; whoever sells under another name is nobody's business."""
    beside = msgspec.structs.replace(at_server, redis_prefix="again")
    await lay(store, THEIRS, 60_000)
    assert not await old_shop.seen_gone(beside, OF_OURS)
    await store.house.forget_claim()
    await lay(store, OURS, 1)
    assert await old_shop.seen_gone(beside, OF_OURS)
    mine = Store(connections.client(server.url), prefix="again")
    await mine.house.begin_life(THEIRS, "")
    with pytest.raises(ServerTaken, match="another shop"):
        await old_shop.seen_gone(beside, OF_OURS)
    await mine.house.forget_claim()
    await mine.close()


async def test_a_database_tells_as_well(postgres: Postgres, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=postgres.database())
    assert not await old_shop.seen_gone(settings, OF_OURS)
    migrate(settings)
    one = engine.connect(settings)
    run = Run(OURS, "", "a1" * 16, 1, "", 1)
    with engine.transaction(one, writes=True) as connection:
        claim.lay(connection, run, "", 300, "http://old")
    assert await old_shop.seen_gone(settings, OF_OURS)
    with engine.transaction(one, writes=True) as connection:
        claim.begin_life(connection, THEIRS, "", "http://theirs")
    one.dispose()
    with pytest.raises(ServerTaken, match="This database belongs to another shop"):
        await old_shop.seen_gone(settings, OF_OURS)
