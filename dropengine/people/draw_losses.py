"""In how many earlier draws of a maker a person went away empty, out of the books."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, or_, select, tuple_

from dropengine.model import DropId, DropState
from dropengine.people import makers
from dropengine.people.persons import Person, Was
from dropengine.sql.schema.ledger import DROPS, ENTRIES, HOLDS

MODE: Final = "draw"
AT_ONCE: Final = 500
"""Drops in one question: engines bound how much one may say."""


def losses(sql: Connection, maker: str, person: Person, was: Was) -> int:
    """Settled draws of this maker in which the person stood in the sealed list and never had a unit
    offered or held; practice does not count. Once his drop's books are as far as its end."""
    drops = _draws(sql, maker)
    return sum(
        len(_empty(sql, person, was, drops[first : first + AT_ONCE]))
        for first in range(0, len(drops), AT_ONCE)
    )


def _draws(sql: Connection, maker: str) -> list[DropId]:
    over = (DROPS.c.mode == MODE, DROPS.c.state == DropState.SETTLED, DROPS.c.practice == 0)
    found = [row.drop_id for row in sql.execute(select(DROPS.c.drop_id).where(*over))]
    owners = makers.owners_of(sql, found)
    return [DropId(drop) for drop in found if owners.get(drop) == maker]


def _empty(sql: Connection, person: Person, was: Was, drops: list[DropId]) -> set[str]:
    """Of these drops, those in which he got nothing."""
    if not drops:
        return set()
    him = [(drop, person.fan(drop, was)) for drop in drops]
    stood = select(ENTRIES.c.drop_id).join(DROPS, DROPS.c.drop_id == ENTRIES.c.drop_id)
    sealed = stood.where(
        tuple_(ENTRIES.c.drop_id, ENTRIES.c.fan).in_(him),
        # The list is fixed before the drop opens: whoever came later or had left was not in it.
        ENTRIES.c.joined_ms < DROPS.c.opened_ms,
        or_(ENTRIES.c.ended_ms == 0, ENTRIES.c.ended_ms >= DROPS.c.opened_ms),
    )
    had = select(HOLDS.c.drop_id).where(tuple_(HOLDS.c.drop_id, HOLDS.c.fan).in_(him))
    return set(sql.execute(sealed).scalars()) - set(sql.execute(had).scalars())
