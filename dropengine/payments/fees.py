"""What providers keep for themselves, as they tell it once a payment was captured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId
from dropengine.payments.port import Kept
from dropengine.sql.database import Database
from dropengine.sql.schema.fees import FEES


class Fees:
    """Keeps in SQL what a round over all that is kept tells anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[tuple[DropId, str], int] = {}
        """Drop and charge -> the fee that SQL has."""

    async def note(self, provider: str, kept: Sequence[Kept], now_ms: int) -> None:
        """Harmless to repeat. Raises DatabaseAway."""
        told = {(row["drop_id"], row["charge"]): row for row in _rows(provider, kept, now_ms)}
        new = [row for at, row in told.items() if self._noted.get(at) != row["fee"]]
        if not new:
            return
        await self._database.write(lambda sql: _write(sql, new))
        self._noted |= {(row["drop_id"], row["charge"]): row["fee"] for row in new}


def _rows(provider: str, kept: Iterable[Kept], now_ms: int) -> Iterator[dict[str, Any]]:
    for one in kept:
        for paid in (one.paid, *one.paid.also):
            if paid.fee:
                yield {
                    "drop_id": one.drop,
                    "charge": paid.charge,
                    "payment": one.payment,
                    "provider": provider,
                    "fee": paid.fee,
                    "at_ms": now_ms,
                }


def _write(sql: Connection, rows: Sequence[dict[str, Any]]) -> None:
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(FEES)
    newest = made.on_conflict_do_update(
        index_elements=[FEES.c.drop_id, FEES.c.charge], set_={"fee": made.excluded.fee}
    )
    sql.execute(newest, rows)
