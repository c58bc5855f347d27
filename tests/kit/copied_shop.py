"""A small shop that sold something, and what must be the same of it after a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa

from dropengine import data_directory
from dropengine.config import Settings
from dropengine.jobs.ledger import books, report
from dropengine.jobs.ledger.projector import Projector
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.sql import claim, engine
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import COUNTED
from dropengine.truth.store import Store
from tests.kit.laid_tables import lay
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale

DROP = "pin"
T = TypeVar("T")


def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Something done at the server of a shop that runs."""

    async def done() -> T:
        url = settings.redis_url or EmbeddedServer(settings).url
        store = Store.connect(url, settings.redis_prefix)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(done())


def first_run(settings: Settings) -> None:
    """What a supervisor makes at its first start."""
    data_directory.secret(settings)
    data_directory.shop_id(settings)
    lay(settings)


async def sell(store: Store) -> None:
    """Something of everything: bought, held, given back, waiting, commanded."""
    sale = Sale(store, DROP, now=0)
    await sale.publish(manifest(DROP, item("pin", {"pin": 4}), limit=2))
    await sale.creator("open")
    await sale.bought("ana")
    await sale.refund(await sale.bought("ben"))
    await sale.held("cleo")
    hold = await sale.held("dan")
    await sale.pay("dan", hold)
    await sale.release("eve", await sale.held("eve"))
    await sale.creator("message", text="Two are left.")


async def count(settings: Settings) -> None:
    """A worker wrote down what it counted."""
    database = Database(settings)
    row = {"drop_id": DROP, "minute_ms": 60_000, "worker": "w", "what": "refused"}
    await database.write(
        lambda sql: sql.execute(sa.insert(COUNTED), row | {"name": "sold_out", "count": 7})
    )
    await database.close()


def claim_database(settings: Settings, shop: str) -> None:
    """A shop sold with this database, and is gone."""
    one = engine.connect(settings)
    with engine.transaction(one, writes=True) as connection:
        claim.begin_life(connection, shop, "", "http://old")
    one.dispose()


async def enter(store: Store, settings: Settings) -> None:
    """The books are brought to where the log ends."""
    database = Database(settings)
    await Projector(store, database).round()
    await database.close()


def figures(settings: Settings) -> report.Report | None:
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            return report.report(connection, DROP)
    finally:
        one.dispose()


def log_in_books(settings: Settings) -> list[bytes]:
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            return list(books.lines(connection, DROP))
    finally:
        one.dispose()


def rows_of(settings: Settings, table: sa.Table) -> int:
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            asked = sa.select(sa.func.count()).select_from(table)
            return int(connection.execute(asked).scalar_one())
    finally:
        one.dispose()
