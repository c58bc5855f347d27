"""Early access into the truth: who is in which cohort, and how many units count against each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import HoldRecord


def count(truth: Truth, hold: HoldRecord, qty: int) -> None:
    """So many units more, or fewer, count against the cohort that a hold counts against."""
    if hold.cohort:
        assert truth.rules is not None
        place = [cohort.id for cohort in truth.rules.cohorts].index(hold.cohort)
        truth.pools[hold.pool].counted[place] += qty
    _count_carried(truth, hold, qty)


def _count_carried(truth: Truth, hold: HoldRecord, qty: int) -> None:
    """Of what came of a carried place it counts against their share, which is over once the last
    free unit was taken."""
    pool, entry = truth.pools[hold.pool], truth.entries.get(hold.entry)
    if pool.carried and entry is not None and entry.carried:
        pool.carried[0] += qty
    if qty > 0 and pool.free == 0:
        pool.carried = []


def _enrolled(truth: Truth, e: events.Enrolled) -> None:
    assert truth.rules is not None
    fan = truth.fans[e.fan]
    fan.cohorts = in_order(truth, {*fan.cohorts, *e.cohorts})
    stand_all(truth, e.fan)


def in_order(truth: Truth, cohorts: set[str]) -> list[str]:
    """As the manifest has them."""
    assert truth.rules is not None
    return [cohort.id for cohort in truth.rules.cohorts if cohort.id in cohorts]


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {events.Enrolled: _enrolled}
