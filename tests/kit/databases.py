"""SQL for tests: what is promised of it is shown on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.sql.database import Database
from tests.kit import private_postgres
from tests.kit.laid_tables import lay
from tests.kit.private_postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server a session; each test has a database of its own."""
    if private_postgres.programs() is None:
        pytest.skip(f"no PostgreSQL here; {private_postgres.BY_HAND} may name its programs")
    one = Postgres().start()
    yield one
    one.close()


@pytest.fixture(params=["sqlite", "postgres"])
def sql_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Of a shop whose SQL is empty still; it has its tables where a test asks for `database`."""
    laid = "database" in request.fixturenames
    if request.param == "sqlite":
        settings = Settings(data_dir=tmp_path)
        if laid:
            lay(settings)
        yield settings
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.laid() if laid else postgres.database()
    yield Settings(data_dir=tmp_path, database_url=url)
    if laid:
        postgres.give_back(url)


@pytest.fixture
def synced(request: pytest.FixtureRequest, sql_settings: Settings) -> Iterator[None]:
    """What SQL acknowledges is on its disk, as in a shop; most tests do without."""
    if sql_settings.database_url is None:
        yield
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.sync("on")
    yield
    postgres.sync("off")


@pytest.fixture
async def database(sql_settings: Settings) -> AsyncIterator[Database]:
    """With the tables of this version."""
    one = Database(sql_settings)
    yield one
    await one.close()
