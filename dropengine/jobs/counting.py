"""Counts what no event tells: who was refused and why, who watched, who came and by which channel.

Every worker counts for itself, in memory, and writes once a minute. A worker that dies takes up to
a minute of it along; nothing can make that anew, and no sale rests on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.errors import DatabaseAway
from dropengine.live.hub import Hub
from dropengine.model import DropId, FanId
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ARRIVALS, COUNTED

CLOSE_S = 1.0
LOOK_S = 5.0
"""Watchers are counted so often; the most of a minute stands for it."""
MINUTE_MS = 60_000
ARRIVALS_MAX = 20_000
"""Arrivals that wait to be written; with so many they are written before the minute is over, and
beyond it they are lost."""
ROWS_MAX = 10_000
"""Rows that wait while SQL is away; beyond it the minutes after are lost."""

REFUSED = "refused"
WATCHERS = "watchers"

_CHANNEL = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_Row = dict[str, Any]


def channel(via: str) -> str:
    """What `?via=` may say: 1 to 32 letters, digits, `_`, `.` and `-`. Anything else is none."""
    return via if _CHANNEL.fullmatch(via) else ""


class Counting:
    """What this worker counts. clock_ms: the true clock."""

    name = "counting"
    every_s = LOOK_S

    def __init__(
        self,
        hub: Hub,
        database: Database,
        *,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._hub = hub
        self._database = database
        self._clock_ms = clock_ms
        self._worker = secrets.token_hex(8)
        self._minute = self._now_minute()
        self._watchers: Counter[DropId] = Counter()
        self._refused: dict[DropId, Counter[str]] = {}
        """As they were when the last minute ended."""
        self._arrivals: dict[tuple[DropId, FanId], tuple[str, int]] = {}
        self._rows: list[_Row] = []
        self._due = False
        """A minute is over whose counts are not written yet."""

    def arrived(self, drop: DropId, fan: FanId, via: str) -> None:
        """A fan's page was opened. Only his first time at a drop counts, whoever notes it."""
        if len(self._arrivals) < ARRIVALS_MAX:
            self._arrivals.setdefault((drop, fan), (channel(via), self._clock_ms()))

    async def round(self) -> None:
        """Raises DatabaseAway: what was counted is kept for the next round."""
        for drop, room in self._hub.rooms.items():
            self._watchers[drop] = max(self._watchers[drop], len(room.seats))
        if self._now_minute() != self._minute:
            self._end_minute()
            self._due = True
        if self._due or len(self._arrivals) >= ARRIVALS_MAX:
            await self._write()
            self._due = False

    async def close(self) -> None:
        """Write what was counted of the minute that is not over, if that takes no time."""
        self._end_minute()
        with contextlib.suppress(DatabaseAway, TimeoutError):
            await asyncio.wait_for(self._write(), CLOSE_S)

    def _now_minute(self) -> int:
        return self._clock_ms() // MINUTE_MS * MINUTE_MS

    def _end_minute(self) -> None:
        found = [(drop, WATCHERS, "", most) for drop, most in self._watchers.items() if most]
        for drop, codes in self._hub.refused.items():
            before = self._refused.get(drop, Counter())
            found += [(drop, REFUSED, code, count) for code, count in (codes - before).items()]
            self._refused[drop] = codes.copy()
        self._watchers.clear()
        for drop, what, name, count in found[: ROWS_MAX - len(self._rows)]:
            self._rows.append(
                {
                    "drop_id": drop,
                    "minute_ms": self._minute,
                    "worker": self._worker,
                    "what": what,
                    "name": name,
                    "count": count,
                }
            )
        self._minute = self._now_minute()

    async def _write(self) -> None:
        rows, arrivals = [*self._rows], dict(self._arrivals)
        came = [
            {"drop_id": drop, "fan": fan, "via": via, "at_ms": at_ms}
            for (drop, fan), (via, at_ms) in arrivals.items()
        ]
        if rows or came:
            await self._database.write(functools.partial(_enter, rows=rows, came=came))
        # Only now: what SQL may not have heard of is told again, and told twice it is the same.
        del self._rows[: len(rows)]
        for key in arrivals:
            del self._arrivals[key]


def _enter(connection: Connection, rows: Sequence[_Row], came: Sequence[_Row]) -> None:
    for table, new in ((COUNTED, rows), (ARRIVALS, came)):
        if new:
            connection.execute(_once(connection, table), list(new))


def _once(connection: Connection, table: Table) -> Any:
    """What stands there already stays."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()
