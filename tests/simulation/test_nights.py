"""Compressed nights: fans, a maker, timers, payments, the clock and every fault, from a seed.

`SIMULATION_SEEDS=500 pytest -s --timeout=0 tests/simulation/test_nights.py` plays 500 nights and
prints how often each fault struck; `SIMULATION_SEED=7` plays one and tells its story. A night in
which something is wrong is told again with as few steps as it needs.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.kit.night.finding import nights, shortest
from tests.kit.night.night import Night
from tests.kit.night.plan import ASKED_MIN, TROUBLES, Step, draw
from tests.kit.night.shrinking import shrunk
from tests.kit.night.stage import stage
from tests.kit.seeds import seeds

NIGHTS = 40
STRUCK_MIN = 20


async def test_whatever_strikes_in_a_night_the_books_agree_in_the_morning() -> None:
    struck: Counter[str] = Counter()
    asked = []
    wanted = seeds(NIGHTS)
    async for one, played in nights(wanted):
        if played.violations:
            pytest.fail(f"SIMULATION_SEED={played.seed}\n{(await shortest(one, played))[1]}")
        struck += played.met
        asked.append(played.asked)
    if len(wanted) == 1:
        print(played)
    print(f"{len(asked)} nights, {sum(asked)} questions, at least {min(asked)} in one; {struck}")
    assert min(asked) >= ASKED_MIN
    if len(wanted) >= NIGHTS:
        met = (*TROUBLES, "a place carried over", "a place confirmed")
        assert {kind for kind in met if struck[kind] < STRUCK_MIN} == set()


@pytest.mark.parametrize("seed", [2, 19])
async def test_the_same_seed_is_the_same_night(seed: int) -> None:
    told = []
    for _ in range(2):
        async with stage() as one:
            played = await Night(one, seed).play(draw(seed))
        told.append((played.story, played.log))
    assert told[0] == told[1]


async def test_every_part_of_a_plan_is_a_plan() -> None:
    """Else a story could not be shrunk by leaving steps out."""
    async with stage() as one:
        for seed in range(5):
            dice = Random(seed)
            part = [step for step in draw(seed) if dice.random() < 0.3]
            assert (await Night(one, seed).play(part)).violations == []


async def test_what_a_violation_does_not_need_is_left_out() -> None:
    needed = [Step("pause"), Step("refund", "bo"), Step("refund", "cy")]
    plan = [*draw(1), needed[0], *draw(2), needed[1], *draw(3), needed[2], *draw(4)]

    async def fails(part: object) -> bool:
        assert isinstance(part, list)
        return all(step in part for step in needed)

    assert await shrunk(plan, fails) == needed
