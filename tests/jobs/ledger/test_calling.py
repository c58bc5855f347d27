"""What happens in a drop is put down for the browsers of whom it concerns, once, whoever dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger import calling
from dropengine.jobs.ledger.calling import Calling
from dropengine.jobs.ledger.projector import Projector
from dropengine.model import FanId
from dropengine.people import persons, wishes
from dropengine.people.persons import Person
from dropengine.people.wishes import Way, Wish
from dropengine.push import outbox, subscriptions
from dropengine.push.outbox import Kind
from dropengine.push.whom import REMIND_MS
from dropengine.sql.database import Database
from dropengine.sql.schema.ledger import ROWS
from dropengine.sql.schema.pushes import PUSHES
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, item, manifest
from tests.kit.push_service import Browser
from tests.kit.sale import Sale

PHONE = Browser("https://push.example/phone")
DESK = Browser("https://push.example/desk")


class Books:
    """The books and who reads in them."""

    def __init__(self, store: Store, database: Database) -> None:
        self.store = store
        self.database = database
        self.projector = Projector(store, database)
        self.now_ms = 0
        self.calling = self.anew()

    def anew(self) -> Calling:
        """Who reads from now on."""
        self.calling = Calling(self.store, self.database, now_ms=lambda: self.now_ms)
        return self.calling

    async def died(self) -> Calling:
        """Another process comes after this one, whose lease is over."""
        leases = [key async for key in self.store.client.scan_iter("*lease:calling*")]
        assert leases
        await self.store.client.delete(*leases)
        return self.anew()

    async def round(self) -> None:
        await self.projector.round()
        await self.calling.round()

    async def call(self, browser: Browser, sale: Sale, fan: str, **more: Any) -> None:
        one = browser.subscribed(sale.drop, fan, **more)
        await self.database.write(lambda sql: subscriptions.keep(sql, one))

    async def owed(self) -> list[tuple[str, str, str, str]]:
        def work(sql: Connection) -> list[tuple[str, str, str, str]]:
            rows = sql.execute(select(PUSHES).order_by(PUSHES.c.written_ms, PUSHES.c.id))
            return [(row.fan, row.kind, row.title, row.body) for row in rows]

        return await self.database.read(work)

    async def kinds(self) -> list[tuple[str, str]]:
        return [(fan, kind) for fan, kind, _, _ in await self.owed()]


@pytest.fixture
async def books(store: Store, database: Database) -> Books:
    await store.client.flushall()
    return Books(store, database)


async def test_of_what_was_before_nobody_is_told(books: Books, sale: Sale) -> None:
    await sale.held("ana")
    await books.round()
    await books.call(PHONE, sale, "ana")
    await books.round()
    assert await books.owed() == []
    await sale.creator("message", text="Back in five minutes.")
    await books.round()
    assert await books.owed() == [("ana", "message", "Test drop", "Back in five minutes.")]


async def test_what_happens_before_the_first_look_is_told(books: Books, sale: Sale) -> None:
    await books.round()
    await books.call(PHONE, sale, "ana")
    await sale.creator("message", text="Soon.")
    await books.round()
    assert await books.kinds() == [("ana", "message")]


async def test_of_what_was_while_nobody_was_called_nobody_is_told(books: Books, sale: Sale) -> None:
    await books.call(PHONE, sale, "ana")
    await books.round()
    browser = PHONE.subscribed(sale.drop, "ana").browser
    await books.database.write(lambda sql: subscriptions.end(sql, sale.drop, FanId("ana"), browser))
    await books.round()
    await sale.creator("message", text="Soon.")
    await books.round()
    await books.call(PHONE, sale, "ben")
    await books.round()
    assert await books.owed() == []
    await sale.creator("message", text="Now.")
    await books.round()
    assert [body for *_, body in await books.owed()] == ["Now."]


async def test_a_place_at_the_head_an_offer_and_what_was_bought(
    books: Books, make_sale: MakeSale
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("holder")
    entries = [await sale.joined(f"fan{n}") for n in range(1, 31)]
    await books.call(PHONE, sale, "fan30", language="de")
    await books.call(DESK, sale, "fan30")
    await books.round()
    for n, entry in enumerate(entries[:29], 1):
        await sale.leave(f"fan{n}", entry)
        await books.round()
    near = {
        "Du bist auf Platz 10 in der Schlange. Bald bist du dran.",
        "You are at place 10 in line. Your turn is near.",
    }
    assert set(await books.owed()) == {("fan30", "ten_before", "Test drop", one) for one in near}
    await sale.release("holder", hold)
    await books.round()
    turn = {"Your turn. Take it before {time}.", "Du bist dran. Nimm es vor {time}."}
    offers = [one for one in await books.owed() if one[1] == "offer"]
    assert set(offers) == {("fan30", "offer", "Test drop", one) for one in turn}
    (offered,) = (await sale.you("fan30")).holds
    await sale.claim("fan30", offered[0])
    await sale.succeeded(offered[0])
    await books.round()
    found = await books.owed()
    assert ("fan30", "sold", "Test drop", "Yours: #1") in found
    assert len(found) == 8
    # What became of it: nothing waits that is no longer so.
    waits = await books.database.read(lambda sql: outbox.due(sql, 10**15))
    assert {one.kind for one in waits} == {Kind.SOLD}


async def test_a_guest_who_became_a_person_is_called_as_that(
    books: Books, make_sale: MakeSale
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("holder")
    await sale.joined("guest")
    await books.call(PHONE, sale, "guest")
    await books.round()
    await sale.adopt("guest", "person")
    await sale.release("holder", hold)
    await books.round()
    assert await books.kinds() == [("person", "offer")]


async def test_only_who_wants_to_is_called(books: Books, make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 5}))
    await books.call(PHONE, sale, "ana")
    await books.round()
    await sale.held("ana")
    await sale.held("bo")
    await books.round()
    assert await books.kinds() == [("ana", "hold_ends")]


async def test_a_drop_reminds_a_while_before_it_opens_who_was_there_before(
    books: Books, make_sale: MakeSale
) -> None:
    opens_ms = 1_900_000_000_000
    sale = await make_sale(opens_ms=opens_ms, opened=False)
    await books.call(PHONE, sale, "ana", since_ms=1)
    await books.call(DESK, sale, "bo", since_ms=opens_ms - REMIND_MS + 1)
    books.now_ms = opens_ms - REMIND_MS - 1
    await books.round()
    assert await books.owed() == []
    books.now_ms += 1
    await books.round()
    await books.round()
    assert await books.owed() == [("ana", "reminder", "Test drop", "Opens at {time}.")]
    await sale.creator("reschedule", opens_ms=opens_ms + 3_600_000, closes_ms=0)
    await books.round()
    assert await books.database.read(lambda sql: outbox.due(sql, opens_ms)) == []


async def test_what_a_hand_opens_is_told_to_who_was_there_before_some_at_a_time(
    books: Books, make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "REMINDED", 1)
    sale = await make_sale(opens_ms=START_MS + 3_600_000, opened=False)
    await books.call(PHONE, sale, "ana", since_ms=1)
    await books.call(DESK, sale, "bo", since_ms=1)
    await books.round()
    await sale.creator("open")
    books.now_ms = START_MS + 1
    await books.round()
    assert len(await books.owed()) == 1
    await (await books.died()).round()
    for _ in range(3):
        await books.round()
    assert sorted(await books.owed()) == [
        (fan, "opened", "Test drop", "It is open now.") for fan in ("ana", "bo")
    ]


async def test_what_opens_as_planned_is_told_to_whom_no_reminder_went(
    books: Books, make_sale: MakeSale
) -> None:
    opens_ms = START_MS + 3_600_000
    sale = await make_sale(opens_ms=opens_ms, opened=False)
    await books.call(PHONE, sale, "ana", since_ms=1)
    books.now_ms = opens_ms - REMIND_MS
    await books.round()
    await books.call(DESK, sale, "bo", since_ms=opens_ms - 1)
    sale.now = books.now_ms = opens_ms + 1
    await sale.held("somebody")
    await books.round()
    assert set(await books.kinds()) == {("ana", "reminder"), ("bo", "opened")}


async def test_a_person_who_wants_no_calls_of_a_kind_has_none_of_it(
    books: Books, make_sale: MakeSale
) -> None:
    sale = await make_sale(item("pin", {"pin": 5}))

    def known(sql: Connection) -> Person:
        ana = persons.make(sql, "ana", "ana@example.org", 1)
        wishes.choose(sql, ana.id, [(Wish.HOLD_ENDS, Way.PUSH), (Wish.OFFER, Way.MAIL)])
        return ana

    ana = await books.database.write(known)
    me = ana.fan(sale.drop, {})
    await books.call(PHONE, sale, me)
    await books.call(DESK, sale, "bo")
    await books.round()
    hold = await sale.held(me)
    await sale.held("bo")
    await sale.succeeded(hold)
    await books.round()
    assert set(await books.kinds()) == {("bo", "hold_ends"), (me, "sold")}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_dies_in_the_middle_leaves_none_out_and_makes_none_twice(
    books: Books, sale: Sale, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    await books.call(PHONE, sale, "ana")
    await books.round()
    await sale.held("ana")
    await books.projector.round()
    write = books.database.write

    async def dies(work: Callable[[Connection], Any]) -> Any:
        if when == "after":
            await write(work)
        raise DatabaseAway("away")

    monkeypatch.setattr(books.database, "write", dies)
    with pytest.raises(DatabaseAway):
        await books.calling.round()
    monkeypatch.setattr(books.database, "write", write)
    await books.calling.round()
    await (await books.died()).round()
    assert await books.kinds() == [("ana", "hold_ends")]


async def test_who_comes_after_goes_on_where_the_calls_end(books: Books, sale: Sale) -> None:
    await books.call(PHONE, sale, "ana")
    await books.round()
    await sale.held("ana")
    await books.round()
    await sale.creator("message", text="Soon.")
    await books.projector.round()
    await (await books.died()).round()
    assert await books.kinds() == [("ana", "hold_ends"), ("ana", "message")]


async def test_a_drop_that_cannot_be_followed_keeps_no_other_from_it(
    books: Books, make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = await make_sale()
    whole = Sale(books.store, f"{broken.drop}-too")
    await whole.publish(manifest(whole.drop))
    await whole.creator("open")
    for sale in (broken, whole):
        await books.call(PHONE, sale, "ana")
    await books.round()
    await books.projector.round()

    def spoil(sql: Connection) -> None:
        sql.execute(update(ROWS).where(ROWS.c.drop_id == broken.drop).values(line=b"{}"))

    await books.database.write(spoil)
    for sale in (broken, whole):
        await sale.held("ana")
    await books.projector.round()
    await (await books.died()).round()
    assert await books.kinds() == [("ana", "hold_ends")]
