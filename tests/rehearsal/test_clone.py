"""What is rehearsed is the drop: its units, prices, limit and mode, under another id, quicker."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.manifest import Way
from dropengine.rehearsal.clone import TIMES, clone, for_load
from dropengine.rehearsal.practice_drops import in_mode, shipped
from dropengine.rehearsal.shapes import shaped
from dropengine.rehearsal_report import SHAPES, Shape
from dropengine.truth.as_it_is import withholding

DROP = msgspec.structs.replace(
    shipped("hard-mix-a.toml"), hold_ms=480_000, offer_ms=1_800_000, pay_ms=60_000
)


@pytest.mark.parametrize("minutes", [1, 3, 30])
def test_only_id_times_and_pace_are_another(minutes: int) -> None:
    made = clone(DROP, minutes).manifest
    same = {
        "opens_ms",
        "closes_ms",
        "practice",
        "id",
        "pace",
        "pace_ms",
        "network_most",
        "calls_from_ms",
        "calls_to_ms",
        *TIMES,
    }
    for name in DROP.__struct_fields__:
        if name not in same:
            assert getattr(made, name) == getattr(DROP, name), name
    assert made.id != DROP.id
    assert made.practice
    assert (made.opens_ms, made.closes_ms, made.pace) == (0, 0, 0)


def test_times_are_pressed_together_by_the_factor_that_is_shown_and_never_below_a_second() -> None:
    found = clone(DROP, 3)
    assert found.factor > 1
    for time in found.times:
        own = time.own_s / found.factor
        assert time.rehearsed_s == pytest.approx(min(time.own_s, max(1, own)), abs=0.1), time
    assert found.manifest.hold_ms == 1000 * found.times[0].rehearsed_s


def test_a_drop_that_is_quick_already_stays_as_it_is() -> None:
    quick = msgspec.structs.replace(DROP, **dict.fromkeys(TIMES, 1_000))
    assert clone(quick, 1).factor == 1
    assert clone(quick, 1).manifest.offer_ms == 1_000


def test_its_ways_are_those_of_the_drop_and_nobody_pays_by_hand() -> None:
    stall = Way(
        id="stall",
        kind="pickup",
        title="Stall",
        countries=(),
        nodes=(),
        amount=0,
        off=200,
        from_ms=0,
        until_ms=4_102_444_800_000,
        cash=True,
    )
    drop = msgspec.structs.replace(DROP, ways=(stall,), hand_ms=86_400_000, hand_share=25)
    made = clone(drop, 3).manifest
    assert made.ways == (msgspec.structs.replace(stall, cash=False),)
    assert (made.hand_ms, made.hand_share) == (0, 0)
    assert for_load(made, 10)[0].ways == ()


def test_what_is_withheld_by_now_is_withheld_there() -> None:
    pool = DROP.items[0].pools[0]
    now = withholding(DROP, {pool.id: pool.withheld + 1})
    assert now.items[0].pools[0].withheld == pool.withheld + 1
    assert now.items[1:] == DROP.items[1:]


def test_for_load_everybody_finds_a_unit_and_screens_are_told_as_much_as_before() -> None:
    made = clone(DROP, 3).manifest
    load, pool = for_load(made, 500)
    pools = [one.id for item in load.items for one in item.pools]
    assert pools == [one.id for item in made.items for one in item.pools]
    first = load.items[0].pools[0]
    assert (first.id, first.cap - first.withheld) == (pool, 1_000)
    assert load.items[0].cap == sum(one.cap for one in load.items[0].pools)
    assert load.id != made.id


def test_a_list_is_open_for_seconds_and_under_load_it_is_a_rush() -> None:
    """A night has no week to collect in, and no round of a beacon."""
    draw = msgspec.structs.replace(
        in_mode(DROP, "draw"),
        beacon_round=7,
        carried_from="before",
        carried_hash="ab" * 32,
        carried_share=50,
        public_ms=1_800_000_000_000,
    )
    found = clone(draw, 3)
    made = found.manifest
    assert (made.mode, made.beacon_round, made.tickets_most) == ("draw", 0, draw.tickets_most)
    # Nothing of another drop, and no moment of its own, is waited for.
    assert (made.carried_from, made.carried_hash, made.public_ms) == ("", "", 0)
    assert 0 < made.window_ms <= 10_000
    assert made.first_offer_ms >= made.offer_ms
    shown = {time.name: time.rehearsed_s for time in found.times}
    assert shown["to enter the list"] == made.window_ms / 1000
    load, _ = for_load(made, 10)
    assert (load.mode, load.window_ms, load.first_offer_ms) == ("rush", 0, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_changes_when_people_come_and_not_who_they_are(shape: Shape) -> None:
    burst, other = shaped("burst", 7, 50, 3), shaped(shape, 7, 50, 3)
    assert other == shaped(shape, 7, 50, 3)
    moved = {"early_ms", "breaks_ms"}
    for one, another in zip(burst.people, other.people, strict=True):
        for name in one.__struct_fields__:
            if name not in moved:
                assert getattr(one, name) == getattr(another, name)
    assert other.arrivals_s * 1000 > max(-one.early_ms for one in other.people)
    if shape == "build":
        assert all(one.early_ms < 0 for one in other.people)
    if shape == "storm":
        assert all(one.breaks_ms for one in other.people)
