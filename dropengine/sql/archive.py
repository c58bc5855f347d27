"""Drops that left the server of the truth: pages and logs of them are read here, and what a late
payment or a refund needs is brought back from here.

Nothing asks before the truth has said that it knows no such drop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import Broken, DatabaseAway, Unavailable
from dropengine.log.replay import fold_lines
from dropengine.model import DropId, FanId
from dropengine.sql import charge_ids, engine
from dropengine.sql.database import Database, Work
from dropengine.sql.log_rows import LogRows, Reads
from dropengine.sql.schema.archive import ARCHIVED, FANS
from dropengine.truth import replies
from dropengine.truth.copies import Copies
from dropengine.truth.house import House
from dropengine.truth.replies import Shown, ViewReply, YouReply, YouRow

BEYOND = 2**53
"""Behind every event: SQL may know more than when a drop left, of a shop that was restored."""
ANYBODY = ""
"""The row of everybody who has none of his own."""

_SHOWN = msgspec.msgpack.Decoder(list[bytes | None])
_VIEW: msgspec.msgpack.Decoder[ViewReply] = msgspec.msgpack.Decoder(ViewReply)
_YOU: msgspec.msgpack.Decoder[YouRow] = msgspec.msgpack.Decoder(YouRow)
_NOT_TOLD = msgspec.msgpack.Decoder(dict[str, bytes])
_ANSWERS = msgspec.msgpack.Decoder(dict[bytes, bytes])
pack = msgspec.msgpack.Encoder().encode


class OpenedForEach:
    """A database for who asks once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def read(self, work: Work[Any]) -> Any:
        """See `Database.read`."""
        return await self._within(lambda database: database.read(work))

    async def write(self, work: Work[Any]) -> Any:
        """See `Database.write`."""
        return await self._within(lambda database: database.write(work))

    async def _within(self, ask: Callable[[Database], Awaitable[Any]]) -> Any:
        if self._settings.database_url is None and not engine.path(self._settings).exists():
            raise DatabaseAway(f"{self._settings.data_dir} has no SQL.")
        database = Database(self._settings)
        try:
            return await ask(database)
        finally:
            await database.close()


class Archive:
    """What `Store.archive` asks. Every method raises `Unavailable` while SQL, which has it, is
    away."""

    def __init__(self, database: Reads) -> None:
        self._database = database
        self._coming_back: dict[DropId, asyncio.Lock] = {}

    async def shown(self, drop: DropId) -> Shown:
        """See `Store.show`."""
        return replies.shown(_SHOWN.decode(await self._column(drop, "shown")))

    async def view(self, drop: DropId) -> ViewReply:
        """See `Store.view`: nothing of it moves any more but the clock."""
        view = _VIEW.decode(await self._column(drop, "view"))
        # When it comes back its moves and letters are numbered from the start.
        return msgspec.structs.replace(view, now_ms=_now_ms(), moves_end=0, mail_end=0)

    async def standing(self, drop: DropId) -> int:
        """Orders that were not refunded."""
        return int(await self._column(drop, "standing"))

    async def you(self, drop: DropId, fans: Sequence[FanId]) -> YouReply:
        """See `Store.you`."""
        asked = sa.select(FANS.c.fan, FANS.c.you).where(
            FANS.c.drop_id == drop, FANS.c.fan.in_([ANYBODY, *fans])
        )
        found = dict(await self._read(lambda sql: [tuple(row) for row in sql.execute(asked)]))
        rows = [_YOU.decode(found.get(fan) or found[ANYBODY]) for fan in fans]
        for row, fan in zip(rows, fans, strict=True):
            row.fan = fan
        return YouReply(_now_ms(), int(await self._column(drop, "seq")), [], rows)

    async def texts(self, drop: DropId, after: int) -> AsyncIterator[bytes]:
        """The texts of the events with seq > after."""
        async for text in self._texts(drop, after, int(await self._column(drop, "seq"))):
            yield text

    async def _texts(self, drop: DropId, after: int, until: int) -> AsyncIterator[bytes]:
        try:
            async for text in LogRows(self._database).texts(drop, after, until):
                yield text
        except DatabaseAway as fault:
            raise _away(fault) from fault

    async def bring_back(self, house: House, copies: Copies, drop: DropId) -> None:
        """Put a drop back as its log makes it. Any worker may, also when another one does, or died
        over it; within one the second waits for the first."""
        async with self._coming_back.setdefault(drop, asyncio.Lock()):
            seq, _, _ = await copies.fields(drop)
            if not seq:
                await self._bring_back(house, copies, drop)

    async def _bring_back(self, house: House, copies: Copies, drop: DropId) -> None:
        asked = sa.select(ARCHIVED).where(ARCHIVED.c.drop_id == drop)
        row = await self._read(lambda sql: sql.execute(asked).mappings().one())
        lines = [text async for text in self._texts(drop, 0, BEYOND)]
        if len(lines) < row["seq"]:
            raise Broken(f"{drop}: the books have {len(lines)} of its {row['seq']} events")
        truth = await asyncio.to_thread(fold_lines, lines)
        await house.list_back(drop, row["listed_ms"])
        not_told, answers = _NOT_TOLD.decode(row["not_told"]), _ANSWERS.decode(row["answers"])
        ids = await self._read(lambda sql: charge_ids.known(sql, drop))
        await copies.bring_back(drop, lines, truth, not_told, answers, ids, frozen=False)
        # Who archives may have found it half here, and listed it as left.
        await house.list_back(drop, row["listed_ms"])
        back = sa.update(ARCHIVED).where(ARCHIVED.c.drop_id == drop).values(back_ms=_now_ms())
        with contextlib.suppress(DatabaseAway):
            # It is there; this only keeps it from leaving again at once.
            await self._database.write(lambda sql: sql.execute(back))

    async def _column(self, drop: DropId, name: str) -> Any:
        asked = sa.select(ARCHIVED.c[name]).where(ARCHIVED.c.drop_id == drop)
        return await self._read(lambda sql: sql.execute(asked).scalar_one())

    async def _read(self, work: Callable[[Connection], Any]) -> Any:
        try:
            return await self._database.read(work)
        except DatabaseAway as fault:
            raise _away(fault) from fault


def _away(fault: DatabaseAway) -> Unavailable:
    return Unavailable(f"what is archived stands in SQL: {fault}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
