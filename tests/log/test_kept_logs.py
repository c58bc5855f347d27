"""Logs that engines of older layouts wrote are still judged and folded, each by its own rules.

Of each layout: six drops of the state machine, which knows no mercy, and both of a rehearsed night.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dropengine import events
from dropengine.log import replay
from dropengine.log.referee import judge
from tests.kit import older_layouts

KEPT = Path(__file__).parent / "kept"
LOGS = sorted(KEPT.glob("*/*.ndjson"))


@pytest.mark.parametrize("layout", older_layouts.ALL)
def test_every_older_layout_has_logs_of_its_own(layout: int) -> None:
    logs = [log for log in LOGS if log.parent.name == f"layout_{layout}"]
    assert len(logs) == 8
    for log in logs:
        assert f'"schema":{layout},' in log.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}_{log.stem}")
def test_a_log_that_an_older_engine_wrote_is_still_honest(log: Path) -> None:
    lines = log.read_bytes().splitlines()
    assert judge(lines, closed=log.stem.startswith("hard_mix")).violations == []
    truth = replay.fold_lines(lines)
    assert truth.drop["schema"] == log.parent.name.removeprefix("layout_")


def test_a_log_of_three_freezes_is_blamed_for_what_the_engine_did_and_judged_to_its_end() -> None:
    """A change that was written only by half, broken books, a restore: the last is nobody's
    fault."""
    lines = (KEPT / "frozen_thrice.ndjson").read_bytes().splitlines()
    verdict = judge(lines, closed=True)
    assert [one.inv for one in verdict.violations] == ["INV-3", "INV-1"]
    told = [event for event in map(events.parse, lines) if isinstance(event, events.Thawed)]
    assert [event.why for event in told] == ["half", "books", "restore"]
    assert replay.fold_lines(lines).state == verdict.state == "settled"
    # Who sells while it stands still is found out.
    at = next(i for i, line in enumerate(lines) if b'"e":"frozen"' in line) + 1
    sold = [*lines[:at], lines[at - 2].replace(b'"seq":%d' % (at - 1), b'"seq":%d' % (at + 1))]
    assert len(judge(sold).violations) > 2
