"""Forgets who erased people were, who was in cohorts, and who came by whose link, once the drops
concerned are over."""

from __future__ import annotations

from typing import Final

from dropengine.people import cohorts, game_data, persons
from dropengine.sql.database import Database

EVERY_S: Final = 60.0


class Forgetting:
    """Harmless to repeat, by any number of processes."""

    name = "forgetting"
    every_s = EVERY_S

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> None:
        """Raises DatabaseAway: what is over is over in the next round too."""
        if await self._database.read(persons.any_over):
            await self._database.write(persons.forget_over)
        if await self._database.read(cohorts.any_over):
            await self._database.write(cohorts.forget_over)
        if await self._database.read(game_data.any_over):
            await self._database.write(game_data.forget_over)
