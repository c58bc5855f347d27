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
