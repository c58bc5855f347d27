"""The copy in SQL of what providers call the charges of drops."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId
from dropengine.sql.log_rows import Reads
from dropengine.sql.schema.charges import CHARGE_IDS


class CopiedIds:
    """`of` is what `ChargeIds.in_sql` asks."""

    def __init__(self, database: Reads) -> None:
        self._database = database

    async def of(self, drop: DropId) -> dict[str, str]:
        """Charge -> the provider's id. Raises DatabaseAway."""
        found: dict[str, str] = await self._database.read(lambda sql: known(sql, drop))
        return found


def known(sql: Connection, drop: str) -> dict[str, str]:
    """Charge -> the provider's id, of all of a drop that are there."""
    asked = sa.select(CHARGE_IDS.c.charge, CHARGE_IDS.c.provider_id)
    rows = sql.execute(asked.where(CHARGE_IDS.c.drop_id == drop))
    return {row.charge: row.provider_id for row in rows}


def copy(sql: Connection, drop: str, ids: Mapping[str, str]) -> None:
    """What the truth says counts: after a restore a number may be another charge's."""
    if not ids:
        return
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(CHARGE_IDS)
    newest = made.on_conflict_do_update(
        index_elements=[CHARGE_IDS.c.drop_id, CHARGE_IDS.c.charge],
        set_={"provider_id": made.excluded.provider_id},
    )
    rows = [
        {"drop_id": drop, "charge": charge, "provider_id": provider_id}
        for charge, provider_id in ids.items()
    ]
    sql.execute(newest, rows)


def forget_others(sql: Connection, drop: str, charges: Collection[str]) -> None:
    """A restored drop knows these charges; what SQL knows of later ones is of another life."""
    for charge in known(sql, drop).keys() - set(charges):
        here = (CHARGE_IDS.c.drop_id == drop, CHARGE_IDS.c.charge == charge)
        sql.execute(sa.delete(CHARGE_IDS).where(*here))
