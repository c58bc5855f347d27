"""By hand, where its SQL is away: nothing is known, and no fan gets an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropengine import errors
from dropengine.config import Settings
from dropengine.payments.by_hand import build
from dropengine.payments.port import Unknown, Unproven
from dropengine.sql.database import Database
from tests.kit.local_provider import SECRET, an_intent


async def test_without_sql_nothing_is_known(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "none")
    database = Database(settings)
    hand = build(settings, SECRET, database)
    try:
        with pytest.raises(errors.Unavailable):
            await hand.begin(an_intent())
        assert isinstance(await hand.lookup("eclipse.p1"), Unknown)
        assert isinstance(await hand.cancel("eclipse.p1"), Unknown)
        assert isinstance(await hand.kept(0), Unknown)
        assert isinstance(await hand.capture("hand-x", 1, "k"), Unknown)
        assert isinstance(hand.parse_webhook([], b""), Unproven)
    finally:
        await database.close()
