"""The rule of exact places, alone: what a tick's moves do to a place, and what a worker keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.live import places
from dropengine.live.places import Lines, Move, apply, apply_boost


@dataclass
class At:
    pool: str
    place: int
    r: int


@dataclass
class Entry:
    n: int
    lane: int = 0
    rank: int = 0


@dataclass
class Fan:
    """What a worker read of a fan: one entry in these lines."""

    entry: Entry
    lines: list[At] = field(default_factory=list)
    second: list[At] = field(default_factory=list)

    @property
    def entries(self) -> Sequence[tuple[str, Entry, list[At]]]:
        return [("e1", self.entry, self.lines)]

    @property
    def boosts(self) -> Sequence[tuple[str, list[At]]]:
        return [("e1", self.second)]


def place_at(n: int, left: Sequence[int], r: int) -> int:
    """Arrival n among 1, 2, 3 ..., once the first r of `left` have gone."""
    return n - sum(other < n for other in left[:r])


@st.composite
def lines(draw: st.DrawFn) -> tuple[int, list[int]]:
    """An arrival, and others of the same line in the order in which their fate became final."""
    n = draw(st.integers(1, 40))
    others = [other for other in range(1, 41) if other != n]
    return n, draw(st.permutations(others))[: draw(st.integers(0, 39))]


@given(lines(), st.data())
def test_a_place_follows_moves_told_in_any_pieces(
    line: tuple[int, list[int]], data: st.DataObject
) -> None:
    n, left = line
    place, r, r0 = place_at(n, left, 0), 0, 0
    while r0 < len(left):
        piece = left[r0 : r0 + data.draw(st.integers(1, 7))]
        # A tick may repeat what was told before it.
        early = data.draw(st.integers(0, min(3, r0)))
        changed = apply(n, place, r, r0 - early, left[r0 - early : r0] + piece)
        assert changed is not None
        assert changed[0] <= place
        place, r = changed
        r0 += len(piece)
        assert (place, r) == (place_at(n, left, r0), r0)


@given(lines(), st.data())
def test_a_place_from_the_middle_of_the_moves_ends_the_same(
    line: tuple[int, list[int]], data: st.DataObject
) -> None:
    n, left = line
    r = data.draw(st.integers(0, len(left)))
    assert apply(n, place_at(n, left, r), r, 0, left) == (place_at(n, left, len(left)), len(left))


def test_moves_missed_before_a_tick_are_noticed() -> None:
    assert apply(9, 9, 3, 4, [1]) is None
    assert apply(9, 9, 4, 4, [1]) == (8, 5)


def test_a_place_newer_than_the_tick_stays_as_it_is() -> None:
    assert apply(9, 2, 7, 3, [1, 2]) == (2, 7)


def told(known: Lines) -> list[dict[str, tuple[int, list[int]]]]:
    """Every tick until nothing is left to tell."""
    ticks = [known.next_tick()]
    while known.more():
        ticks.append(known.next_tick())
    return ticks


def test_moves_are_told_once_and_with_their_number() -> None:
    known = Lines(["north", "south"])
    known.start([("north", 5, 0), ("south", 0, 0)])
    assert known.take([(0, 5, 11), (2, 0, 12), (0, 6, 13)])
    assert known.more()
    assert known.next_tick() == {"north": (5, [11, 13]), "south": (0, [12])}
    assert not known.more()
    assert known.next_tick() == {}
    assert known.sent() == {"north": 7, "south": 1}


def test_what_moves_in_a_boost_lane_is_told_beside_the_base_lanes() -> None:
    known = Lines(["north", "south"])
    known.start([("north", 0, 4), ("south", 0, 0)])
    assert known.take([(3, 0, 11, -1, 2), (0, 0, 12), (1, 4, 12, 5, -1), (3, 1, 11, 2, 3)])
    assert known.next_tick() == {"north": (0, [12])}
    assert known.more()
    moved = {"north": (4, [(12, 5, -1)]), "south": (0, [(11, -1, 2), (11, 2, 3)])}
    assert known.next_boosts() == moved
    assert not known.more()
    assert known.next_boosts() == {}
    assert not known.take([(1, 6, 13, -1, 2)])


Standing = dict[int, int]
"""Arrival -> its rank in a boost lane."""


def boost_place(standing: Standing, n: int) -> int:
    return sorted(standing, key=lambda other: (-standing[other], other)).index(n) + 1


@st.composite
def boosted(draw: st.DrawFn) -> tuple[int, int, list[Move], list[int]]:
    """An arrival that stands in a boost lane at a rank, what others do there, and its place after
    none of it, one move, two ..."""
    n, rank = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    others = st.sampled_from([other for other in range(1, 13) if other != n])
    standing: Standing = draw(st.dictionaries(others, st.integers(1, 4), max_size=8)) | {n: rank}
    moves: list[Move] = []
    found = [boost_place(standing, n)]
    for other, now in draw(st.lists(st.tuples(others, st.sampled_from([-1, 1, 2, 3, 4])))):
        was = standing.pop(other, -1)
        if now > 0:
            standing[other] = now
        moves.append((other, was, now))
        found.append(boost_place(standing, n))
    return n, rank, moves, found


@given(boosted(), st.data())
def test_a_place_in_a_boost_lane_follows_its_moves_from_wherever_it_stands(
    line: tuple[int, int, list[Move], list[int]], data: st.DataObject
) -> None:
    n, rank, moves, found = line
    r = data.draw(st.integers(0, len(moves)))
    r0 = data.draw(st.integers(0, r))
    until = data.draw(st.integers(r0, len(moves)))
    place = max(r, until)
    assert apply_boost(n, rank, found[r], r, r0, moves[r0:until]) == (found[place], place)
    assert apply_boost(n, rank, found[r], r, r + 1, moves[r + 1 :]) is None


def test_where_an_entry_moved_itself_its_place_is_to_be_read() -> None:
    assert apply_boost(9, 2, 3, 5, 4, [(8, 1, 3), (9, 2, 4)]) is None
    assert apply_boost(9, 4, 3, 6, 4, [(8, 1, 3), (9, 2, 4), (7, 5, -1)]) == (2, 7)


def test_moves_that_were_known_already_change_nothing() -> None:
    known = Lines(["north"])
    assert known.take([(0, 0, 11), (0, 1, 12)])
    assert known.take([(0, 0, 11), (0, 1, 12), (0, 2, 13)])
    assert told(known) == [{"north": (0, [11, 12, 13])}]


def test_a_missing_move_is_noticed() -> None:
    known = Lines(["north", "south"])
    assert known.take([(0, 0, 11)])
    assert not known.take([(0, 2, 13)])


def test_a_tick_carries_a_limited_number_and_the_next_ones_the_rest() -> None:
    known = Lines(["north", "south"])
    more = places.SENT_MAX + 3
    assert known.take((0, r, r + 1) for r in range(more))
    assert known.take([(2, 0, 7)])
    ticks = told(known)
    assert [sum(len(left) for _, left in tick.values()) for tick in ticks] == [places.SENT_MAX, 4]
    assert ticks[1] == {
        "north": (places.SENT_MAX, [more - 2, more - 1, more]),
        "south": (0, [7]),
    }


@given(lines(), st.data())
def test_an_older_place_is_brought_up_to_what_the_screens_know(
    line: tuple[int, list[int]], data: st.DataObject
) -> None:
    n, left = line
    known = Lines(["north"])
    assert known.take((0, r, other) for r, other in enumerate(left))
    waits = data.draw(st.booleans(), label="not told yet")
    if not waits:
        told(known)
    r = data.draw(st.integers(0, len(left)))
    fan = Fan(Entry(n), [At("north", place_at(n, left, r), r)])
    assert known.bring_up(fan)
    # A place beyond what was told stays: the screens catch up with it.
    assert fan.lines[0].r == (r if waits else len(left))
    assert fan.lines[0].place == place_at(n, left, fan.lines[0].r)


def test_a_place_older_than_what_is_kept_must_be_read_again() -> None:
    known = Lines(["north"])
    assert known.take((0, r, r + 1) for r in range(places.KEPT_MAX + 1))
    told(known)
    assert not known.bring_up(Fan(Entry(5_000), [At("north", 5_000, 0)]))
    fan = Fan(Entry(5_000), [At("north", 4_999, 1)])
    assert known.bring_up(fan)
    assert fan.lines == [At("north", 5_000 - places.KEPT_MAX - 1, places.KEPT_MAX + 1)]


def test_second_places_are_brought_up_too_and_those_of_who_stands_there_alone() -> None:
    known = Lines(["north"])
    assert known.take([(0, 0, 1), (1, 0, 7, -1, 5), (1, 1, 3, 6, -1)])
    known.next_tick()
    known.next_boosts()
    fan = Fan(Entry(9, rank=4), [At("north", 4, 0)], [At("north", 3, 0)])
    assert known.bring_up(fan)
    assert (fan.lines, fan.second) == ([At("north", 3, 1)], [At("north", 3, 2)])
    alone = Fan(Entry(9, lane=1, rank=1023), [At("north", 4, 1)])
    assert known.bring_up(alone)
    assert alone.lines == [At("north", 4, 2)]
    # Who moved himself is read again.
    assert not known.bring_up(Fan(Entry(7, rank=5), [At("north", 4, 0)], [At("north", 1, 0)]))


def test_an_end_in_a_boost_lane_that_an_older_version_told_was_above_all() -> None:
    known = Lines(["north"])
    assert known.take([(1, 0, 11)])
    assert known.next_boosts() == {"north": (0, [(11, 1023, -1)])}


@pytest.mark.parametrize("removed", [0, 41])
def test_after_a_new_beginning_nothing_before_it_is_known(removed: int) -> None:
    known = Lines(["north"])
    assert known.take([(0, 0, 1)])
    known.start([("north", removed, 0)])
    assert not known.more()
    assert known.sent() == {"north": removed}
    assert known.take([(0, removed, 50)])
    assert told(known) == [{"north": (removed, [50])}]
