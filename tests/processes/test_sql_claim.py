"""The claim to a database, held by the object that the supervisor runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from dropengine import data_directory
from dropengine.config import Settings
from dropengine.errors import ServerTaken
from dropengine.processes import sql_claim
from dropengine.processes.claim_note import ClaimNote
from dropengine.processes.sql_claim import SqlClaim
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql import claim, engine
from dropengine.sql.migrate import LOCK, migrate
from tests.kit import small_shop
from tests.kit.private_postgres import Postgres

OURS, THEIRS = "5e" * 16, "07" * 16
ADDRESS = "http://127.0.0.1:1"
LONG_S = 60


@pytest.fixture
def url(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sql_claim, "RENEW_S", 0.01)
    url = postgres.database()
    migrate(Settings(data_dir=tmp_path, database_url=url))
    return url


def settings(folder: Path, url: str, shop: str = OURS, **more: object) -> Settings:
    folder.mkdir(exist_ok=True)
    if "shop_id" not in more:
        (folder / "shop_id").write_text(shop)
    return small_shop.settings(folder, database_url=url, **more)


def claim_of(one: Settings) -> SqlClaim:
    note = ClaimNote(one.data_dir)
    note.open()
    return SqlClaim(one, note, take_over=False)


def claimant(one: Settings) -> claim.Claimant | None:
    there = engine.connect(one)
    try:
        with engine.transaction(there, writes=False) as connection:
            return claim.claimant(connection)
    finally:
        there.dispose()


def begin_life(one: Settings, life: str) -> None:
    there = engine.connect(one)
    with engine.transaction(there, writes=True) as connection:
        claim.begin_life(connection, OURS, life, "http://new")
    there.dispose()


async def test_it_is_kept_until_it_ends_and_stays_the_shops(url: str, folder: Path) -> None:
    one = settings(folder / "a", url)
    held = claim_of(one)
    await held.lay("http://before")
    held._address = ADDRESS
    keeping = asyncio.create_task(held.keep())
    async with asyncio.timeout(LONG_S):
        while (found := claimant(one)) is None or found.address != ADDRESS:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert found.living == 1
    keeping.cancel()
    await held.end(opened=True)
    await held.end(opened=True)
    after = claimant(one)
    assert after is not None
    assert (after.shop, after.living) == (OURS, 0)


async def test_another_shop_is_refused(url: str, folder: Path) -> None:
    held = claim_of(settings(folder / "a", url, THEIRS))
    await held.lay(ADDRESS)
    other = claim_of(settings(folder / "b", url))
    with pytest.raises(ServerTaken, match=r"database holds the sales|Another shop sells"):
        await other.lay(ADDRESS)
    await held.end(opened=True)
    with pytest.raises(ServerTaken, match="give this one a database of its own"):
        await other.lay(ADDRESS)
    await other.end(opened=True)


async def test_a_copy_beside_the_living_original_is_refused(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_claim, "LASTS_MS", 500)
    held = claim_of(settings(folder / "a", url))
    await held.lay(ADDRESS)
    keeping = asyncio.create_task(held.keep())
    copy = claim_of(settings(folder / "b", url))
    with pytest.raises(ServerTaken, match="This shop sells from the database already"):
        await copy.lay(ADDRESS)
    keeping.cancel()
    await copy.end(opened=True)
    await held.end(opened=True)


async def test_what_was_there_before_a_restore_is_refused(url: str, folder: Path) -> None:
    one = settings(folder / "a", url)
    held = claim_of(one)
    await held.lay(ADDRESS)
    keeping = asyncio.create_task(held.keep())
    begin_life(one, "b2")
    with pytest.raises(ServerTaken, match="was restored from a backup"):
        await asyncio.wait_for(keeping, LONG_S)
    await held.end(opened=True)
    restored = settings(folder / "b", url)
    data_directory.begin_life(restored, "b2")
    new = claim_of(restored)
    await new.lay(ADDRESS)
    await new.end(opened=True)


async def test_a_new_host_of_a_restored_shop_comes_in_and_an_old_one_does_not(
    url: str, folder: Path
) -> None:
    old = settings(folder / "a", url, shop_id=OURS)
    held = claim_of(old)
    await held.lay(ADDRESS)
    await held.end(opened=True)
    held._note.close()
    begin_life(old, "b2")
    again = claim_of(old)
    with pytest.raises(ServerTaken, match="takes a new data_dir"):
        await again.lay(ADDRESS)
    await again.end(opened=True)
    new = claim_of(settings(folder / "b", url, shop_id=OURS))
    await new.lay(ADDRESS)
    assert data_directory.life(settings(folder / "b", url, shop_id=OURS)) == "b2"
    await new.end(opened=True)


async def test_one_that_is_away_is_claimed_when_it_is_back_and_not_waited_for(
    url: str, folder: Path, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    one = settings(folder / "a", url)
    held = claim_of(one)
    postgres.stop()
    await held.lay(ADDRESS, there=False)
    # That it is away was said by who found it so.
    assert caplog.messages == []
    postgres.start()
    keeping = asyncio.create_task(held.keep())
    async with asyncio.timeout(LONG_S):
        while (found := claimant(one)) is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert (found.shop, found.address) == (OURS, ADDRESS)
    keeping.cancel()
    await held.end(opened=True)


async def test_a_shop_opens_beside_a_database_that_hangs(url: str, folder: Path) -> None:
    """Its lock is held for as long as nobody lets go, and it is waited for once, and shortly."""
    one = settings(folder / "a", url)
    blocker = engine.connect(one)
    shop = SupervisorProcess(one, factory=small_shop.APP)
    with engine.transaction(blocker, writes=True) as connection:
        connection.exec_driver_sql("LOCK TABLE claimed IN ACCESS EXCLUSIVE MODE")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        await asyncio.to_thread(shop.start)
    async with asyncio.timeout(LONG_S):
        while (found := claimant(one)) is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert found.shop == OURS
    blocker.dispose()
    await asyncio.to_thread(shop.stop)


async def test_a_file_of_ones_own_is_not_claimed(folder: Path) -> None:
    note = ClaimNote(folder)
    held = SqlClaim(small_shop.settings(folder), note, take_over=False)
    await held.lay(ADDRESS)
    await held.end(opened=True)
    assert not (folder / engine.FILE).exists()


async def test_a_shop_that_never_opened_leaves_it_nobodys(url: str, folder: Path) -> None:
    one = settings(folder / "a", url)
    held = claim_of(one)
    await held.lay(ADDRESS)
    await held.end(opened=False)
    assert claimant(one) is None
