"""`dropengine backup` and `restore`: what is copied is there again, what would go wrong is said."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dropengine.backup.folder import LIST, Folder, NewFolder
from dropengine.config import Settings
from dropengine.log import referee
from dropengine.model import SCHEMA, DropId
from dropengine.people import set_up
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.sql.database import Database
from dropengine.sql.migrate import migrate
from dropengine.sql.schema import REVISION
from dropengine.sql.schema.people import LINKS
from dropengine.truth import keys, repair
from dropengine.truth.store import Store
from tests.cli.test_main import Run, data_dir, keeping, run, shop
from tests.kit import copied_shop
from tests.kit.copied_shop import DROP, with_store
from tests.kit.private_postgres import Postgres
from tests.kit.private_server import Server
from tests.kit.sale import Sale

__all__ = ["data_dir", "run", "shop"]

NAME = "http://127.0.0.1:8000"
"""A shop without a maker is called by its address."""
AGAIN = " events; it was live and waits for `dropengine reconcile`."


@pytest.fixture
def sold(shop: Path) -> Settings:
    """A shop that sold something and runs."""
    settings = Settings(data_dir=shop)
    copied_shop.first_run(settings)
    with_store(settings, copied_shop.sell)
    asyncio.run(copied_shop.count(settings))
    return settings


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "elsewhere")


@pytest.fixture
def copy(run: Run, sold: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "copy"
    ran = run("backup", path)
    assert (ran.code, ran.err) == (0, "")
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(durable=True).start()
    yield one
    one.stop()


async def _told(store: Store) -> tuple[list[bytes], repair.Audit]:
    log = [line async for line in store.log(DropId(DROP))]
    found = await repair.audit(store, DropId(DROP))
    assert found is not None
    return log, found


def told(settings: Settings) -> tuple[list[bytes], repair.Audit]:
    """The log of the drop, and how its records agree with it."""
    return with_store(settings, _told)


def test_what_is_copied_is_there_again(
    run: Run, sold: Settings, copy: Path, elsewhere: Settings
) -> None:
    with_store(sold, lambda store: copied_shop.enter(store, sold))
    ran = run("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert (ran.code, ran.err) == (0, "")
    assert AGAIN in ran.out
    for name in ("secret", "shop_id"):
        assert (elsewhere.data_dir / name).read_text() == (sold.data_dir / name).read_text()
    log, _ = told(sold)
    with EmbeddedServer(elsewhere):
        again, found = told(elsewhere)
    assert again == log
    assert found.agrees
    assert (found.shown.state, found.shown.froze) == ("frozen", "restore")
    assert referee.judge(iter(again)).honest
    assert copied_shop.log_in_books(elsewhere) == log
    assert copied_shop.figures(elsewhere) == copied_shop.figures(sold)
    counted = copied_shop.figures(elsewhere)
    assert counted is not None
    assert {"sold_out": 7} in [figure.values for figure in counted.figures]


def test_a_log_that_is_half_in_sql_is_whole_again(
    run: Run, sold: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    """What was taken out of the truth stands in SQL alone."""
    with_store(sold, lambda store: copied_shop.enter(store, sold))
    log, _ = told(sold)

    async def take_out(store: Store) -> int:
        """Up to which event."""
        key = store.keys_of(DROP)[len(keys.TRUTH)]
        entries = await store.client.xrange(key)
        await store.client.xdel(key, *(entry for entry, _ in entries[:5]))
        return int(entries[4][0].split(b"-")[0])

    gone = with_store(sold, take_out)
    assert run("backup", tmp_path / "copy").code == 0
    assert Folder(tmp_path / "copy").contents.drops[DROP].first == gone + 1
    restored_ = ("restore", tmp_path / "copy", "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert AGAIN in run(*restored_).out
    with EmbeddedServer(elsewhere):
        again, found = told(elsewhere)
    assert again == log
    assert found.agrees


def test_who_takes_out_of_the_truth_hears_of_a_backup(sold: Settings, copy: Path) -> None:
    """For a while, so that one that ended in the middle holds nobody up for ever."""

    async def said(store: Store) -> tuple[bool, int]:
        return await store.house.backed_up(), await store.client.pttl(store.house.keys.backup)

    running, left_ms = with_store(sold, said)
    assert running
    assert 0 < left_ms <= 30_000


def test_nobody_is_let_in_by_what_may_have_ended(
    run: Run, sold: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    async def linked() -> None:
        database = Database(sold)
        await database.write(lambda sql: set_up.owners_link(sql, 1))
        await database.close()

    asyncio.run(linked())
    assert run("backup", tmp_path / "copy").code == 0
    words = ("restore", tmp_path / "copy", "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert run(*words).code == 0
    assert copied_shop.rows_of(sold, LINKS) == 1
    assert copied_shop.rows_of(elsewhere, LINKS) == 0


def test_the_old_directory_commands_nothing_at_the_restored_server(
    run: Run, sold: Settings, copy: Path, elsewhere: Settings, server: Server
) -> None:
    given = ("--redis-url", server.url)
    words = ("restore", copy, "--data-dir", elsewhere.data_dir, *given, "--shop", NAME)
    assert run(*words).code == 0
    ran = run("drop", "cancel", DROP, *given)
    assert (ran.code, "was restored from a backup" in ran.err) == (13, True)
    assert run("drop", "show", DROP, *given, "--data-dir", elsewhere.data_dir).code == 0


def test_from_one_engine_to_the_other(
    run: Run, sold: Settings, copy: Path, elsewhere: Settings, tmp_path: Path, postgres: Postgres
) -> None:
    with_store(sold, lambda store: copied_shop.enter(store, sold))
    url = postgres.database()
    there = Settings(data_dir=elsewhere.data_dir, database_url=url)
    words = ("restore", copy, "--data-dir", there.data_dir, "--database-url", url)
    assert run(*words, "--shop", NAME).code == 0
    assert copied_shop.figures(there) == copied_shop.figures(sold)
    with EmbeddedServer(there):
        back = run("backup", tmp_path / "back", *words[2:])
        assert back.code == 0
    last = tmp_path / "last"
    assert run("restore", tmp_path / "back", "--data-dir", last, "--shop", NAME).code == 0
    assert copied_shop.figures(Settings(data_dir=last)) == copied_shop.figures(sold)


def test_a_database_that_lived_on_knows_more(
    run: Run, data_dir: Path, tmp_path: Path, postgres: Postgres
) -> None:
    """It stays as it is, and its own rows go on where the truth of the backup ends."""
    settings = Settings(data_dir=data_dir, database_url=postgres.database())
    there = msgspec.structs.replace(settings, data_dir=tmp_path / "new")
    given = ("--database-url", settings.database_url)
    with EmbeddedServer(settings):
        copied_shop.first_run(settings)
        with_store(settings, copied_shop.sell)
        assert run("backup", tmp_path / "copy", *given).code == 0
        with_store(settings, lambda store: Sale(store, DROP, now=0).held("zoe"))
        with_store(settings, lambda store: copied_shop.enter(store, settings))
        log, _ = told(settings)
    words = ("restore", tmp_path / "copy", "--data-dir", there.data_dir, *given)
    ran = run(*words, "--shop", NAME)
    assert (ran.code, "nobody can say by whom" in ran.err) == (15, True)
    copied_shop.claim_database(settings, (data_dir / "shop_id").read_text())
    ran = run(*words)
    assert (ran.code, "one of them out of the database" in ran.out) == (0, True)
    with EmbeddedServer(there):
        again, found = told(there)
    assert again == log
    assert found.agrees
    assert copied_shop.log_in_books(there) == log


def test_a_database_of_another_shop_is_refused(
    run: Run, copy: Path, elsewhere: Settings, postgres: Postgres
) -> None:
    there = msgspec.structs.replace(elsewhere, database_url=postgres.database())
    migrate(there)
    copied_shop.claim_database(there, "07" * 16)
    given = ("--data-dir", there.data_dir, "--database-url", there.database_url)
    ran = run("restore", copy, *given)
    assert (ran.code, "This database belongs to another shop" in ran.err) == (13, True)


def test_the_old_shop_must_be_said_to_be_gone(run: Run, copy: Path, elsewhere: Settings) -> None:
    words = ("restore", copy, "--data-dir", elsewhere.data_dir)
    silent = run(*words)
    assert silent.code == 15
    assert f"cannot be seen from here: look at {NAME}" in silent.out
    assert f"--shop '{NAME}'" in silent.err
    wrong = run(*words, "--shop", "Moa's")
    assert (wrong.code, f"is called {NAME}, not Moa's" in wrong.err) == (15, True)
    assert not elsewhere.data_dir.exists()


def test_nothing_is_overwritten(run: Run, copy: Path, sold: Settings, tmp_path: Path) -> None:
    ran = run("restore", copy, "--shop", NAME)
    assert (ran.code, "has something in it already" in ran.err) == (15, True)
    again = run("backup", copy)
    assert (again.code, "is there already" in again.err) == (15, True)
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter").touch()
    ran = run("restore", copy, "--data-dir", full, "--shop", NAME)
    assert (ran.code, "Nothing is overwritten" in ran.err) == (15, True)


def test_a_torn_backup_is_not_restored(run: Run, copy: Path, elsewhere: Settings) -> None:
    log = copy / "drops" / DROP / "log"
    log.write_bytes(log.read_bytes()[:-10])
    ran = run("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert (ran.code, f"is torn: drops/{DROP}/log" in ran.err) == (15, True)
    shutil.rmtree(copy)
    ran = run("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert (ran.code, "is no backup: there is no folder" in ran.err) == (15, True)
    assert not elsewhere.data_dir.exists()


def test_only_a_shop_that_runs_is_copied(run: Run, data_dir: Path, tmp_path: Path) -> None:
    ran = run("backup", tmp_path / "copy")
    assert (ran.code, "No shop runs on" in ran.err) == (4, True)
    assert not (tmp_path / "copy").exists()


def test_a_machine_that_keeps_no_shop_makes_no_secret_for_it(
    run: Run, data_dir: Path, server: Server, tmp_path: Path
) -> None:
    for words in (("backup", tmp_path / "copy"), ("reconcile",)):
        ran = run(*words, "--redis-url", server.url)
        assert (ran.code, "keeps no shop" in ran.err) == (1, True)
    assert not data_dir.exists()
    assert not (tmp_path / "copy").exists()


def test_a_restore_that_died_is_begun_again_and_no_other_is(
    run: Run, sold: Settings, copy: Path, tmp_path: Path, server: Server
) -> None:
    """At a server of others: what was written of it stays and is gone on with."""
    new = at_server(tmp_path / "new", server)
    words = ("--data-dir", new.data_dir, "--redis-url", server.url)
    assert run("restore", copy, *words, "--shop", NAME).code == 0

    async def die(store: Store) -> None:
        await store.house.restore(Folder(copy).digest)
        await store.client.delete(*store.keys_of(DROP)[:1])

    with_store(new, die)
    shutil.rmtree(new.data_dir)
    assert run("backup", tmp_path / "other").code == 0
    ran = run("restore", tmp_path / "other", *words)
    assert (ran.code, "The server is half restored" in ran.err) == (15, True)
    shutil.rmtree(new.data_dir, ignore_errors=True)
    assert AGAIN in run("restore", copy, *words).out
    again, found = told(new)
    assert again == told(sold)[0]
    assert found.agrees


def test_what_cannot_be_copied_whole_leaves_nothing(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    """Without SQL there is no backup; with it, the same folder takes one."""
    with keeping(data_dir) as settings:
        ran = run("backup", tmp_path / "copy")
        assert (ran.code, "SQL has not been brought" in ran.err) == (14, True)
        assert list((tmp_path / "copy").iterdir()) == []
        migrate(settings)
        assert run("backup", tmp_path / "copy").code == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": SCHEMA + 1}, "newer version"),
        ({"revision": f"{int(REVISION) + 1:04}"}, "newer version"),
        ({"own_secret": False}, "give it as SECRET_KEY"),
    ],
)
def test_what_cannot_be_restored_here_is_said(
    run: Run, copy: Path, elsewhere: Settings, change: dict[str, object], says: str
) -> None:
    resealed(copy, **change)
    ran = run("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert (ran.code, says in ran.err) == (15, True)


def resealed(copy: Path, **change: object) -> None:
    """The same backup with another word in its list, honestly written."""
    contents = msgspec.structs.replace(Folder(copy).contents, **change)
    (copy / LIST).unlink()
    new = object.__new__(NewFolder)
    new.path, new.files = copy, contents.files
    new.seal(contents)


def test_tables_of_an_older_layout_are_brought_up(
    run: Run, sold: Settings, copy: Path, elsewhere: Settings
) -> None:
    with_store(sold, lambda store: copied_shop.enter(store, sold))
    resealed(copy, revision="0002")
    words = ("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    assert AGAIN in run(*words).out
    assert copied_shop.figures(elsewhere) == copied_shop.figures(sold)
    migrate(elsewhere)


def test_another_secret_or_another_shop_is_refused(
    run: Run, copy: Path, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("restore", copy, "--data-dir", elsewhere.data_dir, "--shop", NAME)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    assert "is not the secret of that shop" in run(*words).err
    monkeypatch.delenv("SECRET_KEY")
    assert "is of another shop" in run(*words, "--shop-id", "07" * 16).err


def at_server(data_dir: Path, server: Server, **more: object) -> Settings:
    return Settings(data_dir=data_dir, redis_url=server.url, **more)  # type: ignore[arg-type]


def test_a_server_with_drops_is_left_alone_and_a_prefix_is_free(
    run: Run, data_dir: Path, server: Server, tmp_path: Path
) -> None:
    """The old shop's claim is there and nobody renews it: nothing is asked."""
    settings = at_server(data_dir, server)
    given = ("--redis-url", server.url)
    copied_shop.first_run(settings)
    with_store(settings, copied_shop.sell)
    assert run("backup", tmp_path / "copy", *given).code == 0
    shop_id = (data_dir / "shop_id").read_text()
    with_store(settings, lambda store: store.house.begin_life(shop_id, ""))
    words = ("restore", tmp_path / "copy", "--data-dir", tmp_path / "new", *given)
    ran = run(*words)
    assert (ran.code, f"has drops already, {DROP} among them" in ran.err) == (15, True)
    shutil.rmtree(tmp_path / "new", ignore_errors=True)
    assert AGAIN in run(*words, "--redis-prefix", "again").out
    old = with_store(settings, lambda store: store.client.hget(store.house.keys.claim, "life"))
    assert old.decode() == (tmp_path / "new" / "life").read_text()
