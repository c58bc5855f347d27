"""Persons are called by mail to what is theirs: ten before, with an offer, when it is sold."""

from __future__ import annotations

import time

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.catalogue import CATALOGUES
from dropengine.config import Settings
from dropengine.jobs.ledger.calling_by_mail import CallingByMail
from dropengine.jobs.ledger.projector import Projector
from dropengine.mail import outbox, unsubscribing
from dropengine.mail.letter import Letter
from dropengine.manifest.zones import in_zone
from dropengine.order_number import number_of
from dropengine.people import persons
from dropengine.people.persons import Person
from dropengine.people.wishes import Wish
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import real
from tests.kit.letters import link_in, owed, states
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale
from tests.kit.web_process import SECRET

ADDRESS = "ana@example.org"


@pytest.fixture
def settings(sql_settings: Settings) -> Settings:
    return msgspec.structs.replace(
        sql_settings, secret_key=SECRET, public_url="https://pins.example"
    )


@pytest.fixture
async def ana(database: Database) -> Person:
    return await database.write(lambda sql: persons.make(sql, "ana", ADDRESS, 1))


class Night:
    """A drop, its books, and whom it calls."""

    def __init__(self, store: Store, database: Database, settings: Settings, sale: Sale) -> None:
        self.sale = sale
        self.database = database
        self._projector = Projector(store, database)
        self.calling = CallingByMail(store, database, settings)

    async def read(self) -> list[Letter]:
        """What was done is in the books, and read; the letters that wait."""
        await self._projector.round()
        await self.calling.round()
        return await owed(self.database, ADDRESS)


@pytest.fixture
async def night(store: Store, database: Database, settings: Settings) -> Night:
    return Night(store, database, settings, await real(store, "calls", cap=1, limit=1))


def kinds(letters: list[Letter]) -> list[str]:
    return [one.kind for one in letters]


async def test_at_place_thirty_by_mail_alone(night: Night, ana: Person) -> None:
    """Page closed, the crowd moves: a letter at ten before, one with the offer, its link, paid."""
    sale, me = night.sale, ana.fan(night.sale.drop, {})
    hold = await sale.held("first")
    crowd = [f"c{number}" for number in range(29)]
    entries = [await sale.joined(fan) for fan in crowd]
    await sale.joined(me)
    assert await night.read() == []
    for fan, entry in list(zip(crowd, entries, strict=True))[:19]:
        await sale.leave(fan, entry)
    assert await night.read() == []
    await sale.leave(crowd[19], entries[19])
    [near] = await night.read()
    assert kinds([near]) == ["ten_before"]
    assert link_in(near) == f"/drops/{sale.drop}"
    assert near.unsubscribe
    for fan, entry in list(zip(crowd, entries, strict=True))[20:]:
        await sale.leave(fan, entry)
    await sale.release("first", hold)
    letters = await night.read()
    # It is his turn: that it is soon is said no more.
    assert kinds(letters) == ["offer"]
    [offer] = letters
    assert offer.urgent
    assert offer.until_ms > time.time() * 1000
    mine = offer.about
    await sale.claim(me, mine)
    [ends] = await night.read()
    assert ends.kind == "hold_ends"
    row = await night.database.read(lambda sql: outbox.by_id(sql, ends.id))
    assert row is not None
    assert ends.written_ms < row.next_ms < ends.until_ms
    await sale.pay(me, mine)
    await sale.succeeded(mine)
    [sold] = await night.read()
    assert sold.kind == "sold"
    assert not sold.unsubscribe
    assert await night.read() == [sold]


async def test_whoever_dies_or_comes_after_writes_nothing_twice(
    night: Night, ana: Person, store: Store, settings: Settings
) -> None:
    me = ana.fan(night.sale.drop, {})
    await night.sale.bought(me)
    assert "sold" in kinds(await night.read())
    before = await states(night.database)
    await store.client.delete(store.house.keys.lease(CallingByMail.name))
    night.calling = CallingByMail(store, night.database, settings)
    await night.read()
    assert await states(night.database) == before


async def test_who_wants_none_reads_of_his_orders_alone(night: Night, ana: Person) -> None:
    me = ana.fan(night.sale.drop, {})
    none = unsubscribing.Ending(ana.id, None)
    await night.database.write(lambda sql: unsubscribing.wish(sql, none, letters=False))
    await night.sale.bought(me)
    assert kinds(await night.read()) == ["sold"]


async def test_a_makers_word_reaches_those_who_have_something_and_no_others(
    night: Night, ana: Person
) -> None:
    def stranger(sql: Connection) -> None:
        persons.make(sql, "bo", "bo@example.org", 1)

    await night.database.write(stranger)
    await night.sale.held(ana.fan(night.sale.drop, {}))
    await night.sale.creator("message", text="Colours differ <b>")
    letters = await night.read()
    assert "message" in kinds(letters)
    word = next(one for one in letters if one.kind == "message")
    assert "Colours differ <b>" in word.words
    assert await owed(night.database, "bo@example.org") == []


async def test_who_is_erased_is_called_no_more(night: Night, ana: Person) -> None:
    me = ana.fan(night.sale.drop, {})
    assert await night.read() == []
    await night.database.write(lambda sql: persons.erase(sql, ana, [], 2))
    await night.database.write(lambda sql: persons.make(sql, "bo", "bo@example.org", 1))
    await night.sale.bought(me)
    assert await night.read() == []


async def test_who_comes_back_is_called_where_he_goes_on_as_he_was(
    night: Night, ana: Person
) -> None:
    me = ana.fan(night.sale.drop, {})
    await night.read()
    trace = persons.Trace(night.sale.drop, me)
    await night.database.write(lambda sql: persons.erase(sql, ana, [trace], 2))
    await night.database.write(lambda sql: persons.make(sql, ana.normal, ADDRESS, 3))
    await night.sale.bought(me)
    assert "sold" in kinds(await night.read())


async def test_a_drop_that_is_cancelled_calls_nobody_to_a_turn(night: Night, ana: Person) -> None:
    me = ana.fan(night.sale.drop, {})
    hold = await night.sale.held("first")
    await night.sale.joined(me)
    await night.sale.release("first", hold)
    assert kinds(await night.read()) == ["offer"]
    await night.sale.creator("cancel")
    assert "offer" not in kinds(await night.read())
    counts = await night.database.read(outbox.counts)
    assert counts[outbox.MailState.OVER] == 1


@pytest.mark.parametrize("wish", [None, Wish.NEWS])
def test_an_address_that_ends_letters_is_nobody_elses(wish: Wish | None) -> None:
    secret = b"x" * 32
    text = unsubscribing.token(secret, "a1", wish)
    assert unsubscribing.ending(secret, text) == unsubscribing.Ending("a1", wish)
    for wrong in (text[:-1], f"b1{text[2:]}", text + "A", "", "a1.", text.replace("a1", "a1.a1")):
        assert unsubscribing.ending(secret, wrong) is None
    assert unsubscribing.ending(secret, text.replace("a1.", "a1.offer.")) is None
    assert unsubscribing.ending(b"y" * 32, text) is None


@pytest.mark.parametrize(
    ("language", "zone", "says"),
    [
        ("en", "", "before {weekday} {day} {month} {year}, {clock} UTC"),
        ("de", "Asia/Kathmandu", "vor {weekday}, {day}. {month} {year}, {clock} UTC+5:45"),
        ("en", "No/Where", "before {weekday} {day} {month} {year}, {clock} UTC"),
    ],
)
async def test_a_letter_tells_times_by_its_readers_clocks_in_his_language_and_names_the_zone(
    night: Night, ana: Person, language: str, zone: str, says: str
) -> None:
    def known(sql: Connection) -> None:
        persons.speaks(sql, ana.id, language)
        persons.lives(sql, ana.id, zone)

    await night.database.write(known)
    me = ana.fan(night.sale.drop, {})
    hold = await night.sale.held("first")
    await night.sale.joined(me)
    await night.sale.release("first", hold)
    [offer] = await night.read()
    assert offer.kind == "offer"
    there = zone if zone == "Asia/Kathmandu" else "UTC"
    at = in_zone(offer.until_ms, there)
    assert at is not None
    say = CATALOGUES[language]
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    when = says.format(
        weekday=say.weekdays[at.weekday()],
        day=at.day,
        month=say.months[at.month - 1],
        year=at.year,
        clock=clock,
    )
    assert (when if there == "UTC" else f"{when} ({there})") in offer.words


@pytest.mark.parametrize(
    ("language", "order", "paid", "back"),
    [
        ("en", "Order", "You paid €1,234.50.", "You get €1,234.50 back."),
        (
            "de",
            "Bestellung",
            "Du hast 1.234,50\u00a0€ bezahlt.",
            "Du bekommst 1.234,50\u00a0€ zurück.",
        ),
    ],
)
async def test_a_letter_of_an_order_says_its_number_and_what_was_paid_as_its_language_writes_it(
    store: Store, night: Night, ana: Person, language: str, order: str, paid: str, back: str
) -> None:
    def known(sql: Connection) -> None:
        persons.speaks(sql, ana.id, language)

    await night.database.write(known)
    sale = Sale(store, "dear", now=0)
    await sale.publish(manifest("dear", item("pin", {"pin": 1}, price=123_450)))
    await sale.creator("open")
    me = ana.fan(sale.drop, {})
    hold = await sale.bought(me)
    [sold] = [one for one in await night.read() if one.kind == "sold"]
    assert paid in sold.words
    assert f"\n\n{order} {number_of(hold)}\n\n" in sold.words
    await sale.refund(hold)
    [refund] = [one for one in await night.read() if one.kind == "refund"]
    assert back in refund.words
    assert f"\n\n{order} {number_of(hold)}\n\n" in refund.words
