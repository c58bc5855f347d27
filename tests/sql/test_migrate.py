"""A shop's tables are made, and brought up to date, once and by one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.sql import engine
from dropengine.sql.database import Database
from dropengine.sql.migrate import MIGRATIONS, migrate, revision
from dropengine.sql.schema import METADATA, REVISION


def ask(settings: Settings, statement: str, **values: object) -> list[tuple[object, ...]]:
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=True) as connection:
            found = connection.execute(sa.text(statement), values)
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        one.dispose()


def test_the_revisions_make_just_the_tables_of_the_schema(sql_settings: Settings) -> None:
    migrate(sql_settings)
    one = engine.connect(sql_settings)
    with engine.transaction(one, writes=False) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    one.dispose()


def test_a_table_that_no_revision_makes_is_seen(sql_settings: Settings) -> None:
    """The comparison itself, seen failing."""
    migrate(sql_settings)
    ask(sql_settings, "DROP TABLE counted")
    one = engine.connect(sql_settings)
    with engine.transaction(one, writes=False) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        ((what, table),) = compare_metadata(context, METADATA)
        assert (what, table.name) == ("add_table", "counted")
    one.dispose()


def test_the_schema_names_the_newest_revision() -> None:
    setup = Config()
    setup.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(setup).get_current_head() == REVISION


def test_doing_it_again_changes_nothing(sql_settings: Settings) -> None:
    migrate(sql_settings)
    ask(sql_settings, "INSERT INTO ledger_cursors VALUES ('pin', 7)")
    migrate(sql_settings)
    assert ask(sql_settings, "SELECT * FROM ledger_cursors") == [("pin", 7)]


def test_many_at_once_make_the_tables_once(sql_settings: Settings) -> None:
    program = (
        "import sys, msgspec\n"
        "from dropengine import config\n"
        "from dropengine.sql.migrate import migrate\n"
        "migrate(config.from_json(sys.argv[1].encode()))\n"
    )
    raw = msgspec.json.encode(sql_settings, enc_hook=str)
    line = [sys.executable, "-c", program, raw.decode()]
    at_once = [subprocess.Popen(line, stderr=subprocess.PIPE) for _ in range(4)]
    words = [one.communicate()[1] for one in at_once]
    assert [one.returncode for one in at_once] == [0] * 4, words
    one = engine.connect(sql_settings)
    with engine.transaction(one, writes=False) as connection:
        assert revision(connection) == REVISION
    one.dispose()


async def test_nothing_is_asked_of_tables_of_another_version(sql_settings: Settings) -> None:
    migrate(sql_settings)
    change = "UPDATE alembic_version SET version_num = :to"
    ask(sql_settings, change, to="9999")
    with pytest.raises(DatabaseAway, match="newer version"):
        migrate(sql_settings)
    database = Database(sql_settings)
    with pytest.raises(DatabaseAway, match="newer version"):
        await database.read(lambda _: None)
    # Once it is put right the same worker goes on.
    ask(sql_settings, change, to=REVISION)
    assert await database.read(lambda _: 1) == 1
    await database.close()


async def test_nothing_is_asked_before_the_tables_are_there(sql_settings: Settings) -> None:
    database = Database(sql_settings)
    with pytest.raises(DatabaseAway, match="not been brought"):
        await database.read(lambda _: None)
    migrate(sql_settings)
    assert await database.read(lambda _: 1) == 1
    await database.close()


def test_nobody_else_can_read_the_file(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "100%(here)s")
    settings.data_dir.mkdir()
    before = os.umask(0)
    try:
        migrate(settings)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in settings.data_dir.iterdir()]
    assert modes == [0o600] * len(modes) != []
