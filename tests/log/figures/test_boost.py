"""How much later the boost lane made the base lane: the figure equals lines that are really called
again without it."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest

from dropengine.log.figures.boost import Later, later
from dropengine.log.figures.tally import Hold
from tests.kit.seeds import seeds


class Night(NamedTuple):
    """arrivals: when each came, in order. calls: when a unit was free. points: of each."""

    arrivals: list[int]
    calls: list[int]
    points: list[int]


def night(random: Random) -> Night:
    arrivals = sorted(random.randrange(200) for _ in range(40))
    points = [random.choice((0, 0, 0, 1, 5)) for _ in arrivals]
    return Night(arrivals, sorted(random.randrange(10, 260) for _ in range(30)), points)


def called(one: Night, k: int) -> list[Hold]:
    """The line of one pool: whom it calls. k: every which call is of the boost lane, 0 for none."""
    found, waiting, base = [], set(range(len(one.arrivals))), 0
    for at in one.calls:
        here = [n for n in sorted(waiting) if one.arrivals[n] <= at]
        boosted = sorted((-one.points[n], n) for n in here if one.points[n])
        boost = bool(k and boosted and base == k - 1)
        if here:
            n = boosted[0][1] if boost else here[0]
            waiting.remove(n)
            base = 0 if boost else min(base + 1, k - 1)
            found.append(Hold("pin", 1, at, offer=True, entry=f"e{n}", n=n, lane=int(boost)))
    return found


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_base_call_is_as_much_later_as_the_same_line_without_boost_shows(k: int) -> None:
    moved = 0
    for seed in seeds(60):
        one = night(Random(seed))
        without = called(one, 0)
        place = {hold.entry: at for at, hold in enumerate(without)}
        real = called(one, k)
        shown = []
        for at, hold in enumerate(real):
            if not hold.lane:
                then = place[hold.entry]
                shown.append(Later(at - then, hold.at_ms - without[then].at_ms))
        assert [*later(real)] == shown
        assert {early.offers for early in later(without)} == {0}
        moved += sum(bool(early.offers) for early in shown)
    assert moved


def test_who_was_passed_over_is_later_by_what_came_after_that_alone() -> None:
    def offered(n: int, at: int, lane: int = 0) -> Hold:
        return Hold("pin", 1, at, offer=True, entry=f"e{n}", n=n, lane=lane)

    # e1 could not be called when e2 was; then the boost lane put e9 before it.
    log = [offered(8, 1, 1), offered(2, 2), offered(9, 3, 1), offered(1, 4)]
    assert [*later(log)] == [Later(1, 1), Later(1, 1)]
