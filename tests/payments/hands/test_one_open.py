"""One payment by hand of a person at a maker, and 90 days for who lets one lapse."""

from __future__ import annotations

import asyncio

import pytest

from dropengine import outcomes, refusals
from dropengine.model import DropId, FanId
from dropengine.payments.hands import places
from dropengine.payments.hands.one_open import ASKED_MS, OneOpen
from dropengine.payments.hands.places import BARRED_MS, Place
from dropengine.people import persons
from dropengine.people.persons import Person
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.paid_sale import SaleClock
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import HAND_MS, by_ways

ONE = DropId("hands-one")
TWO = DropId("hands-two")


@pytest.fixture
async def ada(database: Database) -> Person:
    return await database.write(lambda sql: persons.make(sql, "ada", "ada@example.org", 1))


def fans(person: Person) -> tuple[FanId, FanId]:
    return person.fan(ONE, {}), person.fan(TWO, {})


async def places_of(database: Database) -> list[Place]:
    return await database.read(places.every)


async def begun(sale: Sale, one_open: OneOpen, fan: FanId, key: str) -> str:
    assert await one_open.take(sale.drop, fan, key) is None
    hold = await sale.held(fan)
    paying = await sale.pay(fan, hold, way="post", provider="by_hand")
    assert isinstance(paying, outcomes.Paying), paying
    await one_open.began(sale.drop, fan, key, paying.id)
    return paying.id


async def test_a_person_has_one_open_also_in_another_drop(
    store: Store, database: Database, ada: Person
) -> None:
    one_open = OneOpen(store, database, clock=lambda: 1)
    here, there = fans(ada)
    assert await one_open.take(ONE, here, "k1") is None
    # The same command comes again, another one waits.
    assert await one_open.take(ONE, here, "k1") is None
    assert await one_open.take(TWO, there, "k2") == refusals.HandOpen("", ONE)
    assert await one_open.take(TWO, FanId("somebody"), "k3") is None
    await one_open.free(ONE, here, "k1")
    taken = [one_open.take(TWO, there, f"k{n}") for n in range(4, 9)]
    answers = await asyncio.gather(*taken)
    assert answers.count(None) == 1


async def test_the_end_of_the_payment_frees_the_place(
    store: Store, database: Database, ada: Person
) -> None:
    sale = await by_ways(store, ONE)
    one_open = OneOpen(store, database, clock=SaleClock(sale))
    here, there = fans(ada)
    payment = await begun(sale, one_open, here, "k1")
    assert await one_open.take(TWO, there, "k2") == refusals.HandOpen(payment, ONE)
    await sale.unpay(here, payment)
    await store.unpaid(ONE, payment, clock_ms=sale.now)
    assert await one_open.take(TWO, there, "k3") is None


async def test_who_lets_one_lapse_may_not_choose_it_for_90_days(
    store: Store, database: Database, ada: Person
) -> None:
    sale = await by_ways(store, ONE)
    clock = SaleClock(sale)
    one_open = OneOpen(store, database, clock=clock)
    here, there = fans(ada)
    payment = await begun(sale, one_open, here, "k1")
    record = await store.payment(ONE, payment)
    assert record is not None
    sale.now += HAND_MS + 1
    await sale.settle()
    await store.unpaid(ONE, payment, clock_ms=sale.now)
    until_ms = record.deadline_ms + BARRED_MS
    for key in ("k2", "k3"):
        assert await one_open.take(TWO, there, key) == refusals.HandBarred(until_ms)
    assert await places_of(database) == []
    sale.now = until_ms
    assert await one_open.take(TWO, there, "k4") is None
    await database.write(lambda sql: places.lift_bars(sql, until_ms))


async def test_a_place_that_was_left_behind_is_found_out_about(
    store: Store, database: Database, ada: Person
) -> None:
    sale = await by_ways(store, ONE)
    clock = SaleClock(sale)
    one_open = OneOpen(store, database, clock=clock)
    here, there = fans(ada)
    # The script was never asked.
    assert await one_open.take(ONE, here, "k1") is None
    sale.now += ASKED_MS
    assert await one_open.take(ONE, here, "k2") is None
    # It was, and nobody noted its answer.
    hold = await sale.held(here)
    paying = await sale.pay(here, hold, way="post", provider="by_hand")
    assert isinstance(paying, outcomes.Paying), paying
    sale.now += ASKED_MS
    assert await one_open.take(TWO, there, "k3") == refusals.HandOpen("", ONE)
    (place,) = await places_of(database)
    assert place.payment == paying.id
