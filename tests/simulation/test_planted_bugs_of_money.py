"""Money histories find what nobody thought of: a bug is planted, and one of them has to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.cuts import mutilated
from tests.kit.money.planted_bugs import PLANTED
from tests.kit.money.playing import Wrong, played
from tests.kit.money.tills import TILLS
from tests.kit.private_server import Server

HISTORIES_MAX = 150


@pytest.mark.parametrize("bug", PLANTED)
async def test_a_planted_bug_is_found(
    bug: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = PLANTED[bug]
    planted.patch(monkeypatch)
    loaded, seeds = mutilated(planted.cuts), range(HISTORIES_MAX)
    for till in TILLS:
        try:
            await played(server, tmp_path, till, seeds, loaded, wanted=planted.told)
        except Wrong:
            return
    pytest.fail(f"{HISTORIES_MAX} histories do not notice that {bug}")
