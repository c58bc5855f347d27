"""The supervisor's part in SQL: its tables are there, and of this version, before anybody needs
them; where SQL is away, or another holds it, they are brought there as soon as it lets us."""

from __future__ import annotations

import asyncio
import logging

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.sql import engine
from dropengine.sql.migrate import migrate

log = logging.getLogger(__name__)

START_S = 1.5
"""So long the start of a shop waits for SQL."""
WAIT_MS = 300
"""So long SQL lets us wait for another who holds it: we hear so before the start goes on."""
AGAIN_S = 2.0


class SqlLayout:
    """Tries once at the start, and again until it is done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._trying: asyncio.Task[None] | None = None
        self.done = asyncio.Event()

    async def bring(self) -> None:
        """Try it now. A fault is told, as is a silence, and selling begins without SQL."""
        self._trying = asyncio.create_task(self._try())
        done, _ = await asyncio.wait({self._trying}, timeout=START_S)
        if not done:
            where = engine.place(self._settings)
            log.error(
                "SQL is away: %s has been silent for %g s. Sales go on without it; people and "
                "books wait.",
                where,
                START_S,
            )

    async def keep(self) -> None:
        """Try again until it is done, then for ever do nothing."""
        if self._trying is not None:
            await self._trying
        if not self.done.is_set():
            while not self.done.is_set():
                await asyncio.sleep(AGAIN_S)
                await self._try()
            log.warning("SQL is there: people and books go on.")
        await asyncio.Event().wait()

    async def _try(self) -> None:
        try:
            await asyncio.to_thread(migrate, self._settings, WAIT_MS)
            self.done.set()
        except DatabaseAway as fault:
            log.error("%s Sales go on without it; people and books wait.", fault)
