"""Who commands: a word in logs, and a name for those who run the drop."""

from __future__ import annotations

import pytest

from dropengine.errors import DatabaseAway
from dropengine.model import OPERATOR
from dropengine.people import operators
from dropengine.sql.database import Database
from dropengine.truth.operator_names import AGAIN_S, OperatorNames

SECRET = b"a secret of thirty-two characters"


def test_a_word_is_one_persons_of_one_shop_and_says_nothing() -> None:
    word = operators.word(SECRET, "id-ada")
    assert OPERATOR.fullmatch(word)
    assert word == operators.word(SECRET, "id-ada")
    others = {
        operators.word(SECRET, "id-ben"),
        operators.word(b"another shop's secret", "id-ada"),
        operators.word(SECRET, operators.on_machine("id-ada")),
    }
    assert len(others) == 3
    assert word not in others


async def test_a_name_is_the_last_that_was_signed_with(database: Database) -> None:
    word = operators.word(SECRET, "id-ada")
    for name, account in (("ada", "id-ada"), ("ada", "id-ada"), ("ada lopez", "id-ada")):
        await database.write(
            lambda sql, name=name, account=account: operators.remember(sql, word, name, account)  # type: ignore[misc]
        )
    assert await operators.Names(database).all() == {word: "ada lopez"}


class Sql:
    """What is known there, and how often it was asked."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.asked = 0
        self.away = False

    async def all(self) -> dict[str, str]:
        self.asked += 1
        if self.away:
            raise DatabaseAway("it is away")
        return self.known


@pytest.fixture
def sql() -> Sql:
    return Sql({"o1": "ada", "o2": "ben"})


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def names(sql: Sql, clock: list[float]) -> OperatorNames:
    one = OperatorNames(lambda: clock[0])
    one.in_sql = sql.all
    return one


async def test_names_are_asked_for_once(names: OperatorNames, sql: Sql) -> None:
    log = [b'{"e":"opened","by":"o1","key":"k"}', b'{"e":"released","by":"fan"}', b'{"e":"held"}']
    for _ in range(3):
        assert (await names.told_in(log))["o1"] == "ada"
        assert await names.name("o2") == "ben"
    assert sql.asked == 1


async def test_whoever_nobody_knows_is_asked_about_now_and_then(
    names: OperatorNames, sql: Sql, clock: list[float]
) -> None:
    for _ in range(3):
        assert await names.name("o3") == "o3"
    assert sql.asked == 1
    sql.known["o3"] = "cyd"
    clock[0] = AGAIN_S
    assert await names.name("o3") == "cyd"


@pytest.mark.parametrize("by", ["clock", "mia", "", "o1x", "O1"])
async def test_only_words_of_operators_are_asked_about(
    names: OperatorNames, sql: Sql, by: str
) -> None:
    """Logs of older layouts have names."""
    assert await names.name(by) == by
    assert sql.asked == 0


async def test_while_sql_is_away_the_words_are_shown(names: OperatorNames, sql: Sql) -> None:
    sql.away = True
    assert await names.name("o1") == "o1"
    names.in_sql = None
    assert await names.name("o2") == "o2"
