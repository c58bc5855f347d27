"""A shock drop: published and open in one breath, behind the places that it carries over."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from dropengine import outcomes, refusals
from dropengine.creator_commands import Open, opening_key
from dropengine.model import DropId
from dropengine.truth.store import Store

PUBLISHED: Final = 1
"""The revision of a drop that was just published."""
CARRIED_S_MAX: Final = 5.0
CARRIED_AGAIN_S: Final = 0.1
"""So long, and so often, it waits for the places of an earlier drop."""


async def open_at_once(store: Store, drop: DropId, *, by: str, key: str) -> refusals.Refusal | None:
    """Open what was published under this key; None when it is open. Places that are carried over go
    first: for a while it is tried again. Who asks again finishes what was cut off."""
    until = time.monotonic() + CARRIED_S_MAX
    while True:
        outcome = await store.command(drop, Open(), revision=PUBLISHED, by=by, key=opening_key(key))
        if not isinstance(outcome, refusals.NotCarried) or time.monotonic() > until:
            break
        await asyncio.sleep(CARRIED_AGAIN_S)
    if isinstance(outcome, refusals.Already):
        return None
    assert isinstance(outcome, outcomes.Changed | refusals.Refusal), outcome
    return outcome if isinstance(outcome, refusals.Refusal) else None
