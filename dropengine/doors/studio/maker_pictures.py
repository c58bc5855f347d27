"""Makers' pictures: what somebody sends is drawn anew, and everybody sees it."""

from __future__ import annotations

import asyncio

from dropengine.doors.kept_pictures import KeptPictures
from dropengine.people import pictures
from dropengine.sql.database import Database

PLACE = "/makers/pictures/"


class MakerPictures(KeptPictures):
    """One is drawn at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, PLACE, "image/png", pictures.find)
        self._drawing = asyncio.Semaphore(1)

    async def drawn(self, sent: bytes) -> bytes | None:
        """What somebody sends, drawn anew beside the loop; None for no picture."""
        async with self._drawing:
            return await asyncio.to_thread(pictures.drawn, sent)
