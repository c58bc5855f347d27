"""Play nights until something is wrong, and say with how little it goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from dropengine.truth.scripts import Script
from tests.kit.night.asking import Played
from tests.kit.night.night import Night
from tests.kit.night.plan import Step, draw
from tests.kit.night.shrinking import shrunk
from tests.kit.night.stage import Stage, stage

NIGHTS_ON_A_STAGE = 25
"""A server that dies reads everything again that its file has of the nights before."""


async def nights(
    seeds: Sequence[int], loaded: Mapping[str, Script] | None = None
) -> AsyncIterator[tuple[Stage, Played]]:
    """Each seed's night, and where it was played."""
    for start in range(0, len(seeds), NIGHTS_ON_A_STAGE):
        async with stage(loaded) as one:
            for seed in seeds[start : start + NIGHTS_ON_A_STAGE]:
                yield one, await Night(one, seed).play(draw(seed))


async def shortest(one: Stage, found: Played) -> tuple[Sequence[Step], Played]:
    """As few steps as still break one of the same invariants, and how they are played."""

    async def fails(plan: Sequence[Step]) -> bool:
        played = await Night(one, found.seed).play(plan)
        return bool(played.broken & found.broken)

    plan = await shrunk(draw(found.seed), fails)
    return plan, await Night(one, found.seed).play(plan)
