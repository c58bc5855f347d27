"""Small changes of many people, as they come: what came while one transaction ran is the next
one, so that a crowd which comes at once costs a few writes to a disk and not one each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection

from dropengine.errors import DatabaseAway
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database, Work

T = TypeVar("T")

TOGETHER_MOST: Final = 200
WAITING_MOST: Final = 5_000
"""With one more SQL counts as away: whoever asked asks again."""


class _Asked(NamedTuple):
    work: Work[Any]
    answer: asyncio.Future[Any]


class ManyAtOnce:
    """Each work sees what those before it wrote, and one that fails undoes nothing but itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: list[_Asked] = []
        self._working: asyncio.Task[None] | None = None

    async def change(self, work: Work[T]) -> T:
        """What it says when all it wrote is on disk. Raises DatabaseAway, and what it raises."""
        if len(self._asked) >= WAITING_MOST:
            raise DatabaseAway("SQL is away: too much waits for it.")
        loop = asyncio.get_running_loop()
        one = _Asked(work, loop.create_future())
        self._asked.append(one)
        if self._working is None or self._working.done():
            self._working = loop.create_task(self._work())
        found: T = await one.answer
        return found

    async def _work(self) -> None:
        while self._asked:
            some, self._asked = self._asked[:TOGETHER_MOST], self._asked[TOGETHER_MOST:]
            try:
                found = await change(self._database, lambda sql, some=some: _done(sql, some))  # type: ignore[misc]
            except Exception as fault:  # noqa: BLE001 - each of them raises it
                found = [fault] * len(some)
            for one, result in zip(some, found, strict=True):
                if one.answer.done():
                    # Whoever asked has gone.
                    continue
                if isinstance(result, Exception):
                    one.answer.set_exception(result)
                else:
                    one.answer.set_result(result)


def _done(sql: Connection, some: Sequence[_Asked]) -> list[Any]:
    found: list[Any] = []
    for one in some:
        try:
            with sql.begin_nested():
                found.append(one.work(sql))
        except Exception as fault:  # noqa: BLE001 - who asked for it raises it, and no other
            found.append(fault)
    return found
