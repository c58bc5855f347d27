"""Where something breaks is found, whatever it is that breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dropengine.rehearsal.load.search import Search


def climbed(search: Search, breaks_at: float) -> list[float]:
    """What it tries of something that holds below `breaks_at`."""
    tried = []
    while (height := search.next) is not None:
        tried.append(height)
        search.heard(height, held=height < breaks_at)
    return tried


def test_it_doubles_until_it_breaks_and_then_looks_in_between() -> None:
    search = Search(100, 10_000, factor=2, halvings=3)
    assert climbed(search, 900) == [100, 200, 400, 800, 1600, 1200, 1000, 900]
    assert search.held == 800


def test_it_goes_no_higher_than_it_may() -> None:
    search = Search(100, 500, factor=2, halvings=3)
    assert climbed(search, float("inf")) == [100, 200, 400, 500]
    assert (search.held, search.broke) == (500, None)


def test_what_never_holds_ends_too() -> None:
    search = Search(100, 500, factor=2, halvings=2)
    assert climbed(search, 0) == [100, 50, 25]
    assert search.held == 0


@given(st.floats(60, 60_000), st.integers(2, 6))
def test_what_held_lies_below_what_broke_and_as_near_as_it_was_halved(
    breaks_at: float, halvings: int
) -> None:
    search = Search(50, 64_000, factor=2, halvings=halvings)
    climbed(search, breaks_at)
    assert search.broke is not None
    assert search.held < breaks_at <= search.broke
    # The gap was as wide as what held before it.
    assert search.broke - search.held <= search.broke / 2**halvings
