from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from dropengine import wire
from dropengine.rehearsal.fans.client_state import STUCK_TICKS, ClientState, PlaceInLine

POOL = wire.PoolView(
    item="pin", cap=10, free=4, held=3, sold=3, withheld=0, leased=0, waiting=0, buying=0, offered=0
)


def you(seq: int, *places: tuple[str, int, int, int], lane: str = "base") -> wire.You:
    """A fan's state with entries `(id, n, place, r)` in the line of the pins."""
    entries = [
        wire.EntryView(
            id=entry,
            key="k",
            n=n,
            qty=1,
            lane=lane,
            points=0,
            state="waiting",
            lapses=0,
            cool_ms=0,
            hold="",
            lines=[wire.LinePlace(pool="pin", place=place, r=r, buying=0, latest=0)],
        )
        for entry, n, place, r in places
    ]
    return wire.You(seq=seq, fan="f", used=0, holds=[], entries=entries, orders=[])


def tick(seq: int, moves: wire.Moves | None = None, state: str = "live") -> wire.Tick:
    lines = {} if moves is None else {"pin": moves}
    return wire.Tick(seq=seq, now=seq, state=state, revision=1, pools={"pin": POOL}, lines=lines)


@settings(deadline=None)
@given(st.data())
def test_a_place_is_exact_whatever_was_lost_or_came_late(data: st.DataObject) -> None:
    """A line of 30, fates in any order, ticks cut and lost at will, `you`s that arrive too late."""
    line = list(range(1, 31))
    me = data.draw(st.sampled_from(line))
    leaving = data.draw(st.permutations([n for n in line if n != me]))
    leaving = leaving[: data.draw(st.integers(0, len(leaving)))]

    def place_at(r: int) -> int:
        return me - sum(n < me for n in leaving[:r])

    mine = PlaceInLine(me, place_at(0), 0)
    r0 = 0
    while r0 < len(leaving):
        size = data.draw(st.integers(1, 5))
        moves = wire.Moves(r0=r0, left=leaving[r0 : r0 + size])
        r0 += len(moves.left)
        if data.draw(st.booleans(), label="lost"):
            continue
        if not mine.moved(moves):
            at = data.draw(st.integers(r0, len(leaving)), label="answered at")
            mine.told(place_at(at), at)
        elif data.draw(st.booleans(), label="told"):
            at = data.draw(st.integers(0, len(leaving)), label="told at")
            mine.told(place_at(at), at)
        assert mine.place == place_at(mine.r)
    assert mine.wrong == 0
    assert mine.rose == 0


def test_a_wrong_place_is_counted_once() -> None:
    mine = PlaceInLine(9, 5, 0)
    mine.told(4, 0)
    mine.moved(wire.Moves(r0=0, left=[1]))
    mine.told(3, 1)
    assert (mine.checked, mine.wrong, mine.rose) == (2, 1, 0)


def test_a_place_that_rises_is_counted() -> None:
    mine = PlaceInLine(9, 5, 0)
    mine.told(6, 0)
    assert (mine.wrong, mine.rose) == (1, 1)


def test_a_place_told_ahead_of_the_moves_is_checked_when_they_come() -> None:
    mine = PlaceInLine(9, 5, 0)
    mine.told(2, 2)
    assert mine.checked == 0
    mine.moved(wire.Moves(r0=0, left=[1, 20]))
    assert (mine.checked, mine.wrong) == (1, 1)


def test_missed_moves_are_asked_for() -> None:
    screen = ClientState()
    screen.heard_of_me(you(5, ("e1", 9, 5, 0)))
    assert screen.tick(tick(6, wire.Moves(r0=3, left=[4])))
    screen.heard_of_me(you(7, ("e1", 9, 2, 4)))
    assert not screen.tick(tick(8, wire.Moves(r0=4, left=[5])))
    assert screen.places["e1", "pin"].place == 1


def test_an_older_word_about_me_is_dropped() -> None:
    screen = ClientState()
    assert screen.heard_of_me(you(7))
    assert not screen.heard_of_me(you(6))
    assert screen.you is not None
    assert screen.you.seq == 7


def test_a_boost_place_may_rise_and_is_not_checked() -> None:
    screen = ClientState()
    screen.heard_of_me(you(7, ("e1", 9, 5, 0), lane="boost"))
    screen.heard_of_me(you(8, ("e1", 9, 6, 0), lane="boost"))
    assert screen.tally().checked == 0


def test_counts_of_entries_that_are_gone_are_kept() -> None:
    screen = ClientState()
    screen.heard_of_me(you(7, ("e1", 9, 5, 0)))
    screen.heard_of_me(you(8, ("e1", 9, 4, 0)))
    screen.heard_of_me(you(9))
    assert screen.tally().wrong == 1


def test_a_tick_that_goes_back_is_doubted() -> None:
    screen = ClientState()
    screen.tick(tick(6))
    screen.tick(tick(5))
    assert screen.faults_count == 1
    assert screen.seq == 6


def test_stock_that_does_not_add_up_is_doubted() -> None:
    screen = ClientState()
    broken = wire.PoolView(
        item="pin",
        cap=10,
        free=-1,
        held=3,
        sold=8,
        withheld=0,
        leased=0,
        waiting=0,
        buying=0,
        offered=0,
    )
    screen.tick(wire.Tick(seq=1, now=1, state="live", revision=1, pools={"pin": broken}))
    assert screen.faults_count == 1


def test_more_offered_than_held_is_doubted() -> None:
    screen = ClientState()
    broken = msgspec.structs.replace(POOL, offered=4)
    screen.tick(wire.Tick(seq=1, now=1, state="live", revision=1, pools={"pin": broken}))
    assert screen.faults_count == 1


def a_screen_that_was_told_of_a_later_place() -> ClientState:
    screen = ClientState()
    screen.heard_of_me(you(1, ("e1", 9, 9, 0)))
    screen.heard_of_me(you(2, ("e1", 9, 7, 2)))
    return screen


def test_a_place_that_no_move_ever_reaches_is_doubted_once() -> None:
    screen = a_screen_that_was_told_of_a_later_place()
    for seq in range(2, 2 * STUCK_TICKS):
        screen.tick(tick(seq))
    assert screen.faults == ["the moves never brought e1 to the place told for pin"]


def test_moves_that_come_late_are_no_fault() -> None:
    screen = a_screen_that_was_told_of_a_later_place()
    for seq in range(2, STUCK_TICKS):
        screen.tick(tick(seq))
    screen.tick(tick(STUCK_TICKS, wire.Moves(r0=0, left=[1, 2])))
    for seq in range(STUCK_TICKS, 3 * STUCK_TICKS):
        screen.tick(tick(seq))
    assert screen.faults == []
    assert screen.tally().checked == 1
