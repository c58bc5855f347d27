"""What fans said of their orders in SQL: kept by the order, remembered for the next one, a person's
when a guest becomes one, and gone without a trace when he erases himself. On SQLite and on
PostgreSQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.asked import NAME, NOTE, ORDER, Asks, of_receiver
from dropengine.people import answers, receivers
from dropengine.people.receivers import GIFT, Meant, Receiver, Tokens
from dropengine.sql.database import Database
from dropengine.sql.schema.answers import ANSWERS, RECEIVED_ANSWERS, RECEIVERS, REMEMBERED
from tests.kit import databases

sql_settings, database, postgres = databases.sql_settings, databases.database, databases.postgres

ADA, BO = answers.whose_key(b"ada"), answers.whose_key(b"bo")
HOME = {
    (ORDER, NAME): "Ada Lovelace",
    (ORDER, "city"): "London",
    (1, NOTE): "For Byron",
}
MEANT = Meant(1, 17, GIFT, "Anna", "Ada")


def given(sql: Connection, hold: str = "h1", whose: str = ADA) -> Receiver:
    made = receivers.make(sql, "lamp", hold, MEANT, whose, 5)
    assert made is not None
    return made


async def test_each_field_is_a_row_of_its_own(database: Database) -> None:
    def work(sql: Connection) -> None:
        assert answers.save(sql, "lamp", "h1", HOME, ADA, 1)
        assert answers.save(sql, "lamp", "h1", {(ORDER, "city"): "Paris"}, ADA, 2)
        assert answers.save(sql, "lamp", "h2", {(ORDER, "city"): "Rome"}, BO, 3)
        assert answers.of_order(sql, "lamp", "h1").answers == {
            **HOME,
            (ORDER, "city"): "Paris",
        }
        assert answers.of_orders(sql, "lamp").keys() == {"h1", "h2"}
        assert answers.of_order(sql, "other", "h1").answers == {}

    await database.write(work)


async def test_what_was_said_last_is_remembered_and_what_was_taken_back_is_not(
    database: Database,
) -> None:
    def work(sql: Connection) -> None:
        answers.save(sql, "lamp", "h1", HOME, ADA, 1)
        assert answers.remembered(sql, ADA) == {NAME: "Ada Lovelace", "city": "London"}
        answers.save(sql, "lamp", "h1", {(ORDER, "city"): ""}, ADA, 2)
        assert answers.remembered(sql, ADA) == {NAME: "Ada Lovelace"}
        assert answers.remembered(sql, BO) == {}

    await database.write(work)


async def test_a_guest_who_becomes_a_person_keeps_what_he_said(database: Database) -> None:
    def work(sql: Connection) -> None:
        answers.save(sql, "lamp", "h1", HOME, ADA, 1)
        given(sql)
        answers.save(sql, "other", "h9", {(ORDER, "city"): "Rome"}, BO, 2)
        answers.adopt(sql, ADA, BO)
        assert answers.remembered(sql, BO) == {NAME: "Ada Lovelace", "city": "Rome"}
        assert answers.remembered(sql, ADA) == {}
        told = answers.export(sql, BO)
        assert {one["order"] for one in told["orders"]} == {"h1", "h9"}
        assert answers.export(sql, ADA) == {"remembered": {}, "orders": []}

    await database.write(work)


async def test_who_erases_himself_leaves_none_of_it(database: Database) -> None:
    def work(sql: Connection) -> None:
        answers.save(sql, "lamp", "h1", HOME, ADA, 1)
        # Said before anybody knew that it was he, and never handed on.
        answers.save(sql, "lamp", "h2", HOME, "somebody", 1)
        answers.save(sql, "lamp", "h3", HOME, BO, 1)
        open_one, taken = given(sql, "h1"), given(sql, "h2", "somebody")
        receivers.take(sql, taken.id, {NAME: "Anna Isabella"}, 9)
        answers.erase(sql, ADA, [("lamp", "h2")])
        assert answers.of_orders(sql, "lamp").keys() == {"h2", "h3"}
        left = answers.of_order(sql, "lamp", "h2")
        assert left.answers == {}
        # Who receives it said so of himself: that stays his.
        assert [one.answers for one in left.receivers] == [{NAME: "Anna Isabella"}]
        assert receivers.find(sql, open_one.id) is None
        for table in (ANSWERS, REMEMBERED, RECEIVERS, RECEIVED_ANSWERS):
            for row in sql.execute(sa.select(table).where(sa.true())):
                if "h3" not in row and BO not in row:
                    assert not {"Ada Lovelace", "London", "Anna", "Ada", ADA} & {*row}, row

    await database.write(work)


async def test_what_is_locked_is_not_changed_by_two_at_once(database: Database) -> None:
    def work(sql: Connection) -> None:
        answers.save(sql, "lamp", "h1", HOME, ADA, 1)
        answers.lock(sql, "lamp", "h1", "ben", 7)
        answers.lock(sql, "lamp", "h1", "cyd", 8)
        assert not answers.save(sql, "lamp", "h1", {(ORDER, "city"): "Paris"}, ADA, 9)
        told = answers.of_order(sql, "lamp", "h1")
        assert (told.locked_ms, told.locked_by) == (7, "ben")
        assert told.answers[ORDER, "city"] == "London"
        answers.unlock(sql, "lamp", "h1")
        assert answers.save(sql, "lamp", "h1", {(ORDER, "city"): "Paris"}, ADA, 10)

    await database.write(work)


async def test_a_link_is_made_of_the_secret_of_the_shop_and_stands_nowhere(
    database: Database,
) -> None:
    tokens, others = Tokens(b"one secret"), Tokens(b"another secret")
    made = await database.write(given)
    token = tokens.of(made.id)
    assert tokens.read(token) == made.id
    assert others.read(token) == ""
    rows = await database.read(lambda sql: [*sql.execute(sa.select(RECEIVERS))])
    assert all(token.partition(".")[2] not in str(row) for row in rows)


@pytest.mark.parametrize("sent", [True, False])
def test_a_receiver_is_asked_for_no_more_than_is_needed(sent: bool) -> None:
    asks = Asks(address="required", phone="optional", note="required", note_chars=9)
    fields = [field for field, _ in of_receiver(asks, sent=sent).fields()]
    assert fields == (["name", "lines", "postal", "city", "country", "phone"] if sent else ["name"])
    assert of_receiver(None, sent=sent).missing(0, {}) == [(ORDER, NAME)]
