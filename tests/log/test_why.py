"""Everybody who got none is told why: one reason, and the log bears it out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dropengine import events
from dropengine.log.replay import fold
from dropengine.log.why import GOT_NONE, Code
from tests.kit.played_logs import STEPS, play
from tests.kit.reasons import Books, judge

KEPT = sorted((Path(__file__).parent / "kept").rglob("*.ndjson"))
NOBODY = "somebody-who-never-came"
MEETS = frozenset(Code) - {Code.SHARE_USED}
"""What some hundred played sales come to."""


def test_each_fan_of_each_sale_has_the_reason_that_his_records_bear_out() -> None:
    met: Counter[Code] = Counter()
    for seed in range(150):
        # A short one ends before everybody had a turn.
        log = play(seed, crowded=seed % 2 == 0, steps=5 if seed % 3 == 0 else STEPS)
        # Also while it goes on, at some moment.
        for end in (len(log), len(log) * 2 // 3):
            told, truth = log[:end], fold(log[:end])
            books = Books(told)
            for fan in [*truth.fans, NOBODY]:
                reason = books.why(fan)
                judge(reason, fan, truth, told)
                assert [step.seq for step in reason.chain] == sorted(
                    {step.seq for step in reason.chain}
                )
                assert reason.helps or reason.code not in GOT_NONE
                met[reason.code] += 1
    assert met.keys() >= MEETS, MEETS - met.keys()


def test_sales_of_before_tell_it_too() -> None:
    for path in KEPT:
        log = [events.parse(line) for line in path.read_bytes().splitlines()]
        books, truth = Books(log), fold(log)
        for fan in truth.fans:
            judge(books.why(fan), fan, truth, log)
