"""Points of a person for his maker's earlier drops: those in which he bought, and those in whose
line he got none. He is looked up when he comes, out of the books."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from dropengine.manifest import Collectors
from dropengine.model import DropId, FanId
from dropengine.people import cohorts, makers, points_book
from dropengine.people.persons import Person, Was
from dropengine.sql.schema.ledger import DROPS

BOUGHT, MISSED = "bought", "missed"
DROPS_MOST: Final = 500
"""The newest of a maker's: engines bound how much one question may say."""


def collect(
    sql: Connection,
    drop: DropId,
    rules: Collectors,
    person: Person,
    was: Was,
    fan: FanId,
    now_ms: int,
) -> None:
    """What he has not been given yet, the earliest drop first, up to what the rules allow. In one
    transaction that nobody else changes people in; a repeat is harmless."""
    known = points_book.of_source(sql, drop, fan, points_book.COLLECTOR)
    left = rules.most - sum(known.values())
    if left <= 0:
        return
    earlier = _earlier(sql, drop)
    bought = cohorts.bought_in(sql, person, was, {*earlier})
    missed = cohorts.stood_in(sql, person, was, {*earlier}) - bought
    for one in earlier:
        how, worth = "", 0
        if one in bought:
            how, worth = BOUGHT, rules.bought
        elif one in missed:
            how, worth = MISSED, rules.missed
        worth = min(worth, left)
        # What he missed and bought later after all is one drop.
        had = any(f"{way}:{one}" in known for way in (BOUGHT, MISSED))
        if worth <= 0 or had:
            continue
        source = points_book.COLLECTOR
        if points_book.give(sql, drop, fan, source, f"{how}:{one}", worth, now_ms):
            left -= worth


def _earlier(sql: Connection, drop: DropId) -> list[DropId]:
    """Drops of this maker that were real, the first one first."""
    maker = makers.owners_of(sql, [drop]).get(drop)
    asked = select(DROPS.c.drop_id).where(DROPS.c.practice == 0, DROPS.c.drop_id != drop)
    newest = asked.order_by(DROPS.c.published_ms.desc(), DROPS.c.drop_id).limit(DROPS_MOST)
    found = [DropId(one) for one in sql.execute(newest).scalars()]
    owners = makers.owners_of(sql, [*found])
    return [one for one in reversed(found) if maker is not None and owners.get(one) == maker]
