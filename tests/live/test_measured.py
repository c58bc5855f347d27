"""Numbers that fall into buckets."""

from __future__ import annotations

import pytest

from dropengine.jobs.loop_watch import LoopWatch
from dropengine.live.measured import COMMANDS, SECONDS, Histogram


@pytest.mark.parametrize(
    ("value", "at_most"),
    [
        (0.0, [1, 1, 1, 1]),
        (1.0, [1, 1, 1, 1]),
        (1.1, [0, 1, 1, 1]),
        (4.0, [0, 0, 1, 1]),
        (5, [0, 0, 0, 1]),
    ],
)
def test_a_bucket_counts_what_is_at_most_its_bound(value: float, at_most: list[int]) -> None:
    found = Histogram((1.0, 2.0, 4.0))
    found.observe(value)
    assert list(found.rising()) == at_most
    assert found.sum == value


def test_so_many_at_once_are_so_many() -> None:
    one, other = Histogram(SECONDS), Histogram(SECONDS)
    for _ in range(7):
        one.observe(0.02)
    other.observe(0.02, 7)
    assert list(one.rising()) == list(other.rising())
    assert one.sum == pytest.approx(other.sum)


def test_bounds_rise() -> None:
    for bounds in (SECONDS, COMMANDS):
        assert sorted(set(bounds)) == list(bounds)


async def test_a_loop_that_comes_round_late_is_seen() -> None:
    at = 0.0
    lag = Histogram(SECONDS)
    watch = LoopWatch(lag, clock=lambda: at)
    await watch.round()
    assert list(lag.rising())[-1] == 0
    for late in (0.0, 0.3, 0.02):
        at += watch.every_s + late
        await watch.round()
    assert list(lag.rising())[-1] == 3
    assert lag.sum == pytest.approx(0.32)
