"""Small changes of many people share transactions, and no faults."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, func, select

from dropengine.model import DropId, FanId
from dropengine.people import game_fans
from dropengine.people.many_at_once import TOGETHER_MOST, ManyAtOnce
from dropengine.sql.database import Database
from dropengine.sql.schema.game import GAME_FANS
from tests.kit import databases

postgres = databases.postgres
sql_settings = databases.sql_settings
database = databases.database

DROP = DropId("pin")


async def test_a_crowd_writes_in_a_few_transactions_and_one_fault_is_its_own(
    database: Database,
) -> None:
    many = ManyAtOnce(database)
    transactions = set[int]()

    async def comes(name: int) -> str:
        def work(sql: Connection) -> str:
            transactions.add(id(sql.get_transaction()))
            one = game_fans.enter(sql, DROP, FanId(f"fan{name}"), 1)
            assert name != 7, "7"
            return one.fan

        return await many.change(work)

    crowd = 2 * TOGETHER_MOST
    found = await asyncio.gather(*map(comes, range(crowd)), return_exceptions=True)
    faults = [one for one in found if isinstance(one, BaseException)]
    assert [str(fault) for fault in faults] == ["7\nassert 7 != 7"]
    assert found[8] == "fan8"
    assert len(transactions) <= 4
    count = select(func.count()).select_from(GAME_FANS)
    assert await database.read(lambda sql: sql.execute(count).scalar()) == crowd - 1
    with pytest.raises(AssertionError, match="7"):
        await comes(7)
