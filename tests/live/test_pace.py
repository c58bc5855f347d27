"""How fast commands were decided: what several workers counted adds up."""

from __future__ import annotations

from dropengine.live.measured import SECONDS, Histogram
from dropengine.live.pace import EACH_MS, STRETCHES, Pace, refused, together, within

NOW = 100 * EACH_MS


def worker(*moments: tuple[int, float, int]) -> Pace:
    """(ms before now, seconds, times)."""
    pace, seen = Pace(), Histogram(SECONDS)
    for before, took, times in moments:
        seen.observe(took, times)
        pace.note(NOW - before, seen)
    return pace


def test_stretches_of_several_workers_add_up() -> None:
    one = worker((2 * EACH_MS, 0.02, 5), (0, 0.002, 98))
    two = worker((0, 0.3, 2))
    found = together(NOW, [one.stretches(NOW), two.stretches(NOW)])
    assert len(found.commands) == STRETCHES
    assert found.from_ms == NOW - (STRETCHES - 1) * EACH_MS
    assert found.commands[-3:] == [5, 0, 100]
    assert found.half_ms[-3:] == [25.0, 0.0, 2.5]
    assert found.most_ms[-1] == 500.0


def test_what_is_older_than_a_quarter_of_an_hour_goes() -> None:
    pace = worker((STRETCHES * EACH_MS, 0.01, 3), (0, 0.01, 1))
    assert sum(sum(counts) for counts in pace.stretches(NOW).values()) == 1
    # Also when nothing came since.
    assert pace.stretches(NOW + STRETCHES * EACH_MS) == {}


def test_nothing_is_kept_where_nothing_was_decided() -> None:
    pace = Pace()
    for at in range(10):
        pace.note(NOW + at, Histogram(SECONDS))
    assert pace.stretches(NOW) == {}


def test_what_took_longer_than_every_bound_is_told_as_the_last() -> None:
    counts = [0] * len(SECONDS) + [4]
    assert within(counts, 0.5) == SECONDS[-1] * 1000


def test_refusals_of_all_workers_are_summed_the_most_frequent_first() -> None:
    assert refused([{"all_held": 2, "paused": 1}, {"all_held": 3}]) == {"all_held": 5, "paused": 1}
