"""Leave out of a plan whatever a violation does not need: delta debugging (Zeller, Hildebrandt:
Simplifying and Isolating Failure-Inducing Input, 2002), then smaller steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from tests.kit.night.plan import Step

Fails = Callable[[Sequence[Step]], Awaitable[bool]]


async def shrunk(plan: Sequence[Step], fails: Fails) -> list[Step]:
    """A part of the plan that still fails, of which no step can be left out."""
    left = list(plan)
    size = len(left) // 2
    while size:
        left = await _without_parts(left, size, fails)
        size //= 2
    while True:
        fewer = await _without_parts(left, 1, fails)
        if len(fewer) == len(left):
            return await _simpler(left, fails)
        left = fewer


async def _without_parts(plan: list[Step], size: int, fails: Fails) -> list[Step]:
    """Parts of this size are left out one after the other, from the end: what comes after the
    violation goes first."""
    end = len(plan)
    while end > 0:
        less = plan[: max(end - size, 0)] + plan[end:]
        if less != plan and await fails(less):
            plan = less
        end = min(end - size, len(plan))
    return plan


async def _simpler(plan: list[Step], fails: Fails) -> list[Step]:
    """One unit instead of three, one pool instead of three, the usual instead of the odd."""
    for i, step in enumerate(plan):
        for simple in (
            replace(step, qty=1),
            replace(step, pools=step.pools[:1]),
            replace(step, odd=False),
        ):
            if simple != plan[i] and await fails([*plan[:i], simple, *plan[i + 1 :]]):
                plan = [*plan[:i], simple, *plan[i + 1 :]]
    return plan
