"""The crowd plays every mode, and whatever dies while a list is ordered, it is the same list.

`LAUNCH_SEEDS=10 pytest -s --timeout=0 tests/rehearsal/test_modes.py` plays every mode with ten
seeds, and each list again with a worker and with the server killed in the middle of its order: two
web processes, 300 fans. `LAUNCH_FANS` says how many otherwise.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.log.draw.told import sheet_of
from dropengine.manifest.defaults import MODES
from dropengine.rehearsal import rehearse
from dropengine.rehearsal.practice_shop import Victim
from dropengine.rehearsal.rehearse import Rehearsal
from tests.kit.stranger import strangers

SEEDS = int(os.environ.get("LAUNCH_SEEDS") or 0)
FANS = int(os.environ.get("LAUNCH_FANS") or 300)
BACK_S = 40
"""How long a start takes beside other tests is no matter of right here."""


class Case(NamedTuple):
    mode: str
    seed: int
    kill: Victim | None
    fans: int = FANS
    early: bool = False


FEW = (
    Case("lobby", 3, "worker", 40),
    Case("collect", 2, "server", 40),
    Case("draw", 1, None, 40, early=True),
)
"""A rush is played by the tests of the demo."""

EARLY = """
id = "early"
title = "Early"
maker = "Mia"
currency = "EUR"
limit = 1
identity = "verified"
[[cohorts]]
id = "club"
title = "The club"
codes = true
units = 4
[[cohorts]]
id = "friends"
title = "Friends"
listed = true
units = 3
[[items]]
id = "cup"
title = "Cup"
price = 900
cap = 12
"""
"""Two cohorts come before the others."""


def cases() -> list[Case]:
    victims: tuple[Victim | None, ...] = (None, "worker", "server")
    every = [
        Case(mode, seed, kill)
        for seed in range(1, SEEDS + 1)
        for kill in victims
        for mode in MODES
        if kill is None or mode != MODES[0]
    ]
    return every or list(FEW)


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.mode}-{c.seed}-{c.kill or 'nobody'}")
def test_the_crowd_plays_every_mode_and_an_order_outlives_who_made_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: Case
) -> None:
    """No violation: no place that anybody was told is lost, nobody has another than the seal gives,
    and nobody was served before. The order is the one that a stranger makes of the log."""
    report, export = tmp_path / "report.json", tmp_path / "log.ndjson"
    file = tmp_path / "early.toml"
    file.write_text(EARLY, encoding="utf-8")
    wanted = Rehearsal(
        fans=case.fans,
        units=case.fans // 4,
        seed=case.seed,
        mode=case.mode,
        file=str(file) if case.early else None,
        kill=case.kill,
        back_s=BACK_S,
        report=report,
        export=export,
    )
    done = rehearse.run(Settings(web_concurrency=2), wanted)
    told = capsys.readouterr().out
    if SEEDS:
        with capsys.disabled():
            print(f"\n{case}\n{told}")
    assert done == 0, told
    found = json.loads(report.read_bytes())
    assert found["violations"] == []
    assert found["sold"] == case.fans // 4
    if case.mode == MODES[0]:
        return
    assert "alternates have been called up to" in told or "nobody had to be called" in told
    if case.kill is not None:
        assert f"the {case.kill} was killed while the list was ordered" in told
    sheet = sheet_of(export.read_bytes().splitlines())
    assert len(sheet.order) > case.fans // (4 if case.early else 2)
    [his] = strangers([{**msgspec.to_builtins(sheet), "root": "", "order": []}])
    assert (his["root"], his["order"]) == (sheet.root, sheet.order)
