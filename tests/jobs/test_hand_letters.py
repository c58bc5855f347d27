"""Who has a day left to pay by hand is reminded once, and makers hear once a day what is open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.jobs.hand_letters import HandLetters
from dropengine.model import DropId
from dropengine.payments.by_hand import ByHand
from dropengine.payments.hands import places
from dropengine.payments.hands.one_open import OneOpen
from dropengine.people import account_mails, accounts, makers, persons
from dropengine.people.roles import Role
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from dropengine.truth.store import Store
from tests.kit.laid_tables import lay
from tests.kit.local_provider import SECRET, an_intent
from tests.kit.manifests import HOUR_MS
from tests.kit.paid_sale import SaleClock
from tests.kit.sale_by_ways import HAND_MS, by_ways

DROP = DropId("hand-letters")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[tuple[Settings, Database]]:
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    database = Database(settings)
    yield settings, database
    await database.close()


async def test_reminders_and_lists(store: Store, shop: tuple[Settings, Database]) -> None:
    settings, database = shop
    sale = await by_ways(store, DROP)
    clock = SaleClock(sale)

    def people(sql: sa.Connection) -> persons.Person:
        maker = makers.new("mia", "Mia", "#123456", 1)
        makers.make(sql, maker)
        accounts.make(sql, "id-mia", "mia", "", 1)
        makers.join(sql, maker.id, "id-mia", Role.OWNER, 1)
        secret = account_mails.want(sql, "id-mia", "mia@example.org", sale.now)
        account_mails.confirm(sql, secret, sale.now)
        return persons.make(sql, "ada", "ada@example.org", 1)

    ada = await database.write(people)
    fan = ada.fan(DROP, {})
    hands = OneOpen(store, database, clock=clock)
    job = HandLetters(store, database, settings, hands, now_ms=clock)
    assert await hands.take(DROP, fan, "k1") is None
    hold = await sale.held(fan)
    paying = await sale.pay(fan, hold, way="post", provider="by_hand")
    assert isinstance(paying, outcomes.Paying), paying
    await hands.began(DROP, fan, "k1", paying.id)
    provider = ByHand(database, SECRET, clock=clock)
    await provider.begin(an_intent(paying.id, drop=DROP))

    async def letters() -> list[tuple[str, str]]:
        asked = sa.select(MAILS.c.kind, MAILS.c.reader).order_by(MAILS.c.written_ms, MAILS.c.id)
        return [(r.kind, r.reader) for r in await database.read(lambda s: s.execute(asked).all())]

    await job.round()
    assert await letters() == [("hand_list", "mia@example.org")]
    sale.now += HAND_MS - 24 * HOUR_MS
    for _ in range(2):
        await job.round()
    found = await letters()
    assert found.count(("hand_ends", "ada@example.org")) == 1
    assert found.count(("hand_list", "mia@example.org")) == 2
    sale.now += 25 * HOUR_MS
    await sale.settle()
    await store.unpaid(DROP, paying.id, clock_ms=sale.now)
    await job.round()
    assert await database.read(places.every) == []
