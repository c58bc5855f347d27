"""A till by hand, whose maker sends back when he likes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.sql.database import Database
from tests.kit.laid_tables import lay
from tests.kit.maker_by_hand import MakerByHand
from tests.kit.webhook_receiver import Clock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    one = Database(settings)
    yield one
    await one.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hand(database: Database, clock: Clock) -> MakerByHand:
    return MakerByHand(database, clock)
