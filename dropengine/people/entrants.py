"""Who stands in a list that chance orders: persons or guests, out of the books. A log calls both
alike, and who a person is there stands in no list: it is made of his key.
"""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from dropengine.model import DropId
from dropengine.people.tickets import pseudonym
from dropengine.sql.schema.ledger import DROPS, ENTRIES
from dropengine.sql.schema.persons import ERASED, PERSONS


def persons_in(sql: Connection, drop: DropId) -> set[str]:
    """Who every person of the shop is, or would be, in a drop; those too who erased themselves, as
    long as that is kept."""
    keys = sql.execute(select(PERSONS.c.key)).scalars()
    was = sql.execute(select(ERASED.c.fan).where(ERASED.c.drop_id == drop)).scalars()
    return {pseudonym(bytes(key), drop) for key in keys} | {*was}


def entrants(sql: Connection, drop: DropId) -> tuple[int, int]:
    """Persons and guests in the list as it stands, or as it was sealed."""
    opened_ms = sql.execute(select(DROPS.c.opened_ms).where(DROPS.c.drop_id == drop)).scalar() or 0
    asked = select(ENTRIES.c.fan).where(
        *(ENTRIES.c.drop_id == drop, ENTRIES.c.why == "fan"),
        or_(ENTRIES.c.fate == "", ENTRIES.c.n > 0),
    )
    if opened_ms:
        # Whoever joined later has no part in it.
        asked = asked.where(ENTRIES.c.joined_ms < opened_ms)
    fans = sql.execute(asked).scalars().all()
    known = persons_in(sql, drop)
    persons = sum(fan in known for fan in fans)
    return persons, len(fans) - persons
