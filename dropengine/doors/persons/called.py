"""What a person is told of, and how: of which drops and makers, and which calls he wants."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from dropengine.errors import ManifestError, NewerSchema
from dropengine.mail import outbox
from dropengine.mail.letter import Kind
from dropengine.model import DropId
from dropengine.people import interests, makers, wishes
from dropengine.people.interests import Interest, What
from dropengine.people.makers import Maker
from dropengine.people.persons import Person
from dropengine.people.wishes import Way, Wish
from dropengine.push import followers
from dropengine.push.followers import Follower
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from dropengine.truth.store import Store

OF_LIST = {What.DROP: (Kind.REMINDER, Kind.OPENED), What.MAKER: (Kind.NEW_DROP,)}
"""Letters that come to who is on a list."""


class ToldOf(NamedTuple):
    """One line on his page. `name`: of the drop or the maker. `page`: where it is."""

    what: What
    thing: str
    name: str
    page: str


class Calls(NamedTuple):
    """What stands on his page. `wants`: kind -> the ways that he wants it by."""

    wants: dict[Wish, frozenset[Way]]
    told_of: list[ToldOf]


class Called:
    """Reads, and changes it. Every method raises DatabaseAway."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database

    async def of(self, person: Person) -> Calls:
        """What a person's page says. Raises Unavailable."""

        def asked(sql: Connection) -> tuple[wishes.Unwished, list[Interest], list[Maker]]:
            followed = _followed(sql, person.id)
            known = [makers.by_id(sql, one) for one in followed]
            mine = interests.of_person(sql, person.id)
            return wishes.unwished(sql, person.id), mine, [one for one in known if one]

        none_of, mine, known = await self._database.read(asked)
        wants = {wish: frozenset(way for way in Way if (wish, way) not in none_of) for wish in Wish}
        told_of = [ToldOf(What.MAKER, one.id, one.name, f"/makers/{one.short}") for one in known]
        drops = [one.thing for one in mine if one.what is What.DROP]
        told_of += [
            ToldOf(What.DROP, one, await self._title(one), f"/drops/{one}") for one in drops
        ]
        return Calls(wants, told_of)

    async def _title(self, drop: str) -> str:
        try:
            shown = await self._store.show(DropId(drop))
        except (NewerSchema, ManifestError):
            shown = None
        return drop if shown is None else shown.manifest.title


def end(sql: Connection, person: str, what: What, thing: str) -> None:
    """He is told of it no more, on his browsers neither, and by no letter that waits."""
    interests.end(sql, person, what, thing)
    here = [
        MAILS.c.whose == f"person:{person}",
        MAILS.c.kind.in_(OF_LIST[what]),
        MAILS.c.state.in_(outbox.OPEN),
    ]
    if what is What.MAKER:
        followers.end_of_person(sql, person, thing)
        waiting = outbox.page(sql, *here)
        drops = makers.owners_of(sql, [one.drop for one in waiting])
        here.append(MAILS.c.drop_id.in_([drop for drop, of in drops.items() if of == thing]))
    else:
        here.append(MAILS.c.drop_id == thing)
    outbox.forget(sql, *here)


def _followed(sql: Connection, person: str) -> list[str]:
    """Makers that he follows, by mail or on a browser."""
    mine = [one.thing for one in interests.of_person(sql, person) if one.what is What.MAKER]
    on: list[Follower] = followers.of_person(sql, person)
    return [*dict.fromkeys([*mine, *(one.maker for one in on)])]
