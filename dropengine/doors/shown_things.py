"""What drops show beside their rules, for pages that a crowd asks for: from memory, and from SQL
when that has time.

No page waits for SQL longer than a moment, and while SQL is away pages show what they last knew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from starlette.routing import Route

from dropengine.doors.kept_pictures import KeptPictures
from dropengine.errors import DatabaseAway
from dropengine.people import showcases
from dropengine.people.showcases import NOTHING, Showcase
from dropengine.sql.database import Database

PLACE = "/pictures/"
FRESH_S = 3.0
"""Older than this, and it is asked for anew; what is known is shown meanwhile."""
WAIT_S = 0.25
"""So long waits a page that knows nothing yet."""
DROPS_MAX = 1_000

log = logging.getLogger(__name__)


class ShownThings:
    """One for a process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.pictures = KeptPictures(database, PLACE, "image/webp", showcases.find_file)
        self._known: OrderedDict[str, tuple[float, Showcase]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}

    def routes(self) -> list[Route]:
        """The door of the pictures."""
        return self.pictures.routes()

    async def of(self, drop: str) -> Showcase:
        """What a drop shows, as it was a few seconds ago at most."""
        at_s, found = self._known.get(drop, (None, NOTHING))
        if at_s is None or time.monotonic() - at_s > FRESH_S:
            task = self._asking.get(drop)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._ask(drop))
                self._asking[drop] = task
                task.add_done_callback(lambda _: self._asking.pop(drop, None))
            if at_s is None:
                await asyncio.wait([task], timeout=WAIT_S)
                found = self._known.get(drop, (None, NOTHING))[1]
        return found

    def changed(self, drop: str) -> None:
        """Somebody saved it here: it is asked for anew."""
        self._known.pop(drop, None)

    async def close(self) -> None:
        """Nobody waits any more."""
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, drop: str) -> None:
        known = self._known.get(drop)
        try:
            form, _ = await self._database.read(lambda sql: showcases.find(sql, drop))
            found = showcases.showcase(form)
        except DatabaseAway:
            # Asked again after a while, by whoever comes then.
            found = NOTHING if known is None else known[1]
        self._known[drop] = (time.monotonic(), found)
        self._known.move_to_end(drop)
        while len(self._known) > DROPS_MAX:
            self._known.popitem(last=False)
