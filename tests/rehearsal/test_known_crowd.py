"""A crowd of people, where no guest may act: a rehearsal signs their tickets by its own secret."""

from __future__ import annotations

import json
from pathlib import Path

from dropengine.config import Settings
from dropengine.log import referee
from dropengine.rehearsal import rehearse
from dropengine.rehearsal.rehearse import Rehearsal

MANIFEST = Path(__file__).parent.parent.parent / "examples" / "eclipse-pin.toml"


def test_a_drop_for_those_who_are_known_is_rehearsed_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(f'identity = "verified"\n{MANIFEST.read_text()}')
    wanted = Rehearsal(
        file=str(file),
        fans=40,
        units=8,
        seed=7,
        report=tmp_path / "report.json",
        export=tmp_path / "log.ndjson",
    )
    assert rehearse.run(Settings(), wanted) == 0
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["sold"] == report["cap"] == 8
    assert report["over_limit"] == report["overtaken"] == 0
    with (tmp_path / "log.ndjson").open("rb") as log:
        assert referee.judge(log, closed=True).honest
