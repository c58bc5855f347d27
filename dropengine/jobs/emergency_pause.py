"""Pauses every live drop where selling on would do harm. Only its creator lets a drop go on."""

from __future__ import annotations

import contextlib
import logging
import secrets

from dropengine import model, refusals
from dropengine.creator_commands import Pause
from dropengine.errors import NewerSchema
from dropengine.model import DropId
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

TRIES_MAX = 5
"""How often a drop is paused anew when its creator acts at the same moment."""


async def pause_every_drop(store: Store, by: str, why: str) -> None:
    """by: the word in the log of sales for what paused it. Raises Unavailable."""
    for drop in await store.drops():
        # A newer version watches over what it has lifted.
        with contextlib.suppress(NewerSchema):
            await _pause(store, drop, by, why)


async def _pause(store: Store, drop: DropId, by: str, why: str) -> None:
    for _ in range(TRIES_MAX):
        shown = await store.show(drop)
        if shown is None or shown.state != model.DropState.LIVE:
            return
        key = secrets.token_hex(8)
        outcome = await store.command(drop, Pause(why), revision=shown.revision, by=by, key=key)
        log.error("%s: paused because %s: %s", drop, why, outcome)
        if not isinstance(outcome, refusals.StaleRevision):
            return
