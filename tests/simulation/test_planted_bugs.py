"""Nights find what nobody thought of: a bug is planted in the scripts, and a night has to fail.

`EVERY_ROW=yes` plants all of them. Each story is short enough to be read: `-s` prints it.
"""

from __future__ import annotations

import pytest

from tests.kit.cuts import mutilated
from tests.kit.night.finding import nights, shortest
from tests.kit.night.planted_bugs import PLANTED
from tests.kit.rows import rows

NIGHTS_MAX = 200
STEPS_MAX = 12


@pytest.mark.parametrize("bug", rows(PLANTED, (1, -1)))
async def test_a_planted_bug_is_found_and_told_in_a_few_steps(bug: str) -> None:
    async for one, played in nights(range(NIGHTS_MAX), mutilated(PLANTED[bug])):
        if played.violations:
            plan, told = await shortest(one, played)
            print(f"{bug}: night {played.seed}, {len(plan)} steps\n{told}")
            assert told.violations
            assert len(plan) <= STEPS_MAX
            return
    pytest.fail(f"{NIGHTS_MAX} nights do not notice that {bug}")
