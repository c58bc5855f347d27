from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dropengine.rehearsal.fans.plans import (
    OPENING_MS,
    Ending,
    Mix,
    OfferAnswer,
    bundle,
    plan,
)

MIXES = st.sampled_from(["plain", "hard"])


@settings(deadline=None)
@given(st.integers(), st.integers(0, 100_000), MIXES, st.integers(1, 4), st.integers(1, 8))
def test_the_same_seed_makes_the_same_person(
    seed: int, number: int, mix: Mix, drops: int, pools: int
) -> None:
    first = plan(seed, number, mix, drops=drops, pools=pools)
    assert plan(seed, number, mix, drops=drops, pools=pools) == first


@settings(deadline=None)
@given(st.integers(), st.integers(0, 100_000), MIXES, st.integers(1, 4), st.integers(1, 8))
def test_nobody_wants_what_no_drop_could_give(
    seed: int, number: int, mix: Mix, drops: int, pools: int
) -> None:
    person = plan(seed, number, mix, drops=drops, pools=pools)
    assert 0 <= person.drop < drops
    assert person.pools
    assert len(set(person.pools)) == len(person.pools)
    assert set(person.pools) <= set(range(pools))
    assert 1 <= person.qty <= (3 if mix == "hard" else 2)
    assert 0 <= person.think <= 1
    assert 0 <= person.answer_think <= 1


def test_another_seed_makes_other_people() -> None:
    assert [plan(1, i, "plain") for i in range(50)] != [plan(2, i, "plain") for i in range(50)]


def test_most_people_press_within_the_opening_second() -> None:
    crowd = [plan(7, i, "plain") for i in range(2_000)]
    at_once = sum(person.early_ms > 0 and person.tap_ms < OPENING_MS for person in crowd)
    assert at_once > 0.6 * len(crowd)


def test_a_crowd_does_everything_that_people_do() -> None:
    crowd = [plan(7, i, "hard", drops=2, pools=6) for i in range(2_000)]
    assert set(Counter(person.ending for person in crowd)) == set(Ending)
    assert set(Counter(person.answer for person in crowd)) == set(OfferAnswer)
    assert {person.drop for person in crowd} == {0, 1}
    assert {person.qty for person in crowd} == {1, 2, 3}
    for habit in ("impatient", "fewer", "twice", "extends", "joins", "again"):
        assert {getattr(person, habit) for person in crowd} == {True, False}, habit
    for habit in ("patience", "breaks_ms"):
        assert {bool(getattr(person, habit)) for person in crowd} == {True, False}, habit
    assert any(person.early_ms < 0 for person in crowd)


def test_some_take_and_pay_several_things_at_once_and_some_think_again() -> None:
    crowd = [bundle(7, i) for i in range(2_000)]
    for habit in ("basket", "all", "together", "unpays"):
        assert {getattr(person, habit) for person in crowd} == {True, False}, habit
    assert sum(person.unpays for person in crowd) < 0.1 * len(crowd)
    assert bundle(7, 1) == bundle(7, 1) != bundle(8, 1)
