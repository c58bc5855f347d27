"""Which calls a person wants, and by which way: all, until he says otherwise. What belongs to his
orders is written to him whatever he wishes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from dropengine.model import DropId, FanId
from dropengine.people import persons
from dropengine.people.tickets import pseudonym
from dropengine.sql.schema.interests import UNWISHED
from dropengine.sql.schema.persons import ERASED, PERSONS


class Wish(StrEnum):
    """What a person can be called for, as he chooses it."""

    REMINDER = "reminder"
    TEN_BEFORE = "ten_before"
    OFFER = "offer"
    HOLD_ENDS = "hold_ends"
    NEWS = "news"


class Way(StrEnum):
    """How he is called."""

    MAIL = "mail"
    PUSH = "push"


Unwished = frozenset[tuple[Wish, Way]]

_OF: Final = {
    "opened": Wish.REMINDER,
    "message": Wish.NEWS,
    "new_drop": Wish.NEWS,
    **{str(wish): wish for wish in Wish if wish is not Wish.NEWS},
}


def wish_of(kind: str) -> Wish | None:
    """Which wish decides over a kind of calls; None for what belongs to an order."""
    return _OF.get(kind)


def unwished(sql: Connection, person: str) -> Unwished:
    """What he does not want."""
    asked = select(UNWISHED.c.kind, UNWISHED.c.way).where(UNWISHED.c.person == person)
    return frozenset((Wish(row.kind), Way(row.way)) for row in sql.execute(asked))


def wants(sql: Connection, person: str, wish: Wish, way: Way) -> bool:
    """Is he called for this by that way?"""
    return (wish, way) not in unwished(sql, person)


def choose(sql: Connection, person: str, none_of: Iterable[tuple[Wish, Way]]) -> None:
    """From now on he wants everything but these. Harmless to repeat, and for who is forgotten."""
    sql.execute(delete(UNWISHED).where(UNWISHED.c.person == person))
    rows = [{"person": person, "kind": str(w), "way": str(by)} for w, by in sorted(set(none_of))]
    if rows and persons.by_id(sql, person) is not None:
        sql.execute(insert(UNWISHED), rows)


def silent(sql: Connection, drop: DropId, wish: Wish) -> frozenset[FanId]:
    """Who in a drop wants no call of this kind on his browsers. They are asked for by name, for no
    list says who somebody is in a drop."""
    off = select(UNWISHED.c.person).where(UNWISHED.c.kind == wish, UNWISHED.c.way == Way.PUSH)
    found = sql.execute(select(PERSONS.c.key, PERSONS.c.normal).where(PERSONS.c.id.in_(off))).all()
    if not found:
        return frozenset()
    names = {row.normal for row in found}
    was = sql.execute(select(ERASED.c.normal, ERASED.c.fan).where(ERASED.c.drop_id == drop))
    before = {FanId(row.fan) for row in was if row.normal in names}
    return frozenset(pseudonym(row.key, drop) for row in found) | before
