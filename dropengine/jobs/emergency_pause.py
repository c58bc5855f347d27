"""Pauses every live drop where selling on would do harm, and lets those go on that may by
themselves.

A pause belongs to who paused last. One by a watch over something that comes back ends when that has
been well for a while; one that a creator made, or took over by pausing too, ends by a creator.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable

from dropengine import refusals
from dropengine.creator_commands import CreatorCommand, Pause, Resume
from dropengine.errors import NewerSchema
from dropengine.model import PASSING, DropId, DropState
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

TRIES_MAX = 5
"""How often a drop is paused anew when its creator acts at the same moment."""
WELL_S = 10.0
"""Whatever paused the drops must have been well for so long before they go on."""
AGAIN_S = 60.0
"""A drop that went on is not paused anew so soon, unless it cannot wait."""

DANGER = "danger-"
"""Before the name of a reason: the lease of whoever finds that reason."""
MOMENT_S = 0.001
"""Whoever wants to know that nobody has such a lease takes it for a moment."""


async def pause_every_drop(store: Store, by: str, why: str) -> None:
    """by: the word in the log of sales for what paused it. Raises Unavailable."""
    for drop in await store.drops():
        await _command(store, drop, Pause(why), by, lambda shown: may_pause(shown, by))


def may_pause(shown: Shown, by: str) -> bool:
    """A live drop; and one whose pause would end by itself, though this one must not."""
    if shown.state == DropState.LIVE:
        return True
    return shown.paused_by in PASSING and by not in PASSING


class EmergencyPause:
    """The pauses for one reason that passes. Each round of a watch calls one of the three.

    by, why: as in the log. clock: monotonic, s. While any process of the shop finds any reason to
    pause, none of them lets a drop go on.
    """

    def __init__(
        self, store: Store, by: str, why: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert by in PASSING, f"a pause by {by} does not end by itself"
        self._store = store
        self._by = by
        self._why = why
        self._clock = clock
        self._me = secrets.token_hex(8)
        self._well_at: float | None = None
        self._paused_at: dict[DropId, float] = {}

    async def begin(self, *, at_once: bool) -> None:
        """There is reason to pause. at_once: it cannot wait, not even after a pause just before.

        Raises Unavailable when drops cannot be paused now.
        """
        self._well_at = None
        now = self._clock()
        for drop in await self._store.drops():
            if at_once or now - self._paused_at.get(drop, -AGAIN_S) >= AGAIN_S:
                await _command(self._store, drop, Pause(self._why), self._by, self._pauses)
        await self._lease(self._by, WELL_S)

    async def keep(self) -> None:
        """It is better, but not well: what is paused stays so. Raises Unavailable."""
        self._well_at = None
        await self._lease(self._by, WELL_S)

    async def end(self) -> None:
        """There is no reason to pause any more. Raises Unavailable."""
        now = self._clock()
        if self._well_at is None:
            self._well_at = now
        if now - self._well_at < WELL_S:
            return
        for by in sorted(PASSING):
            if not await self._lease(by, MOMENT_S):
                return
        # Looked at again after as long: a drop may have been paused by a process that is gone.
        self._well_at = now
        for drop in await self._store.drops():
            await _command(self._store, drop, Resume(), self._by, self._paused)
        for drop in [d for d, at in self._paused_at.items() if now - at >= AGAIN_S]:
            del self._paused_at[drop]

    async def _lease(self, by: str, for_s: float) -> bool:
        """False: another process, or another watch of this one, finds a reason to pause."""
        return await self._store.house.lease(DANGER + by, self._me, int(for_s * 1000))

    def _pauses(self, shown: Shown) -> bool:
        if shown.state == DropState.LIVE:
            self._paused_at[DropId(shown.manifest.id)] = self._clock()
            return True
        if self._paused(shown):
            # Another worker was first: it is the same pause.
            self._paused_at.setdefault(DropId(shown.manifest.id), self._clock())
        return False

    def _paused(self, shown: Shown) -> bool:
        return shown.paused_by == self._by


async def _command(
    store: Store, drop: DropId, command: CreatorCommand, by: str, due: Callable[[Shown], bool]
) -> None:
    """Carry it out while it is due; a creator who acts at the same moment is looked at again."""
    # A newer version watches over what it has lifted.
    with contextlib.suppress(NewerSchema):
        for _ in range(TRIES_MAX):
            shown = await store.show(drop)
            if shown is None or not due(shown):
                return
            key = secrets.token_hex(8)
            outcome = await store.command(drop, command, revision=shown.revision, by=by, key=key)
            log.error("%s: %s by the watch over %s: %s", drop, command, by, outcome)
            if not isinstance(outcome, refusals.StaleRevision):
                return
