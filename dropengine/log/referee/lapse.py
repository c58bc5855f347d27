"""A lapse, as the referee has it: an entry's offer, claimed or not, came back unsold (INV-11, L9).

The first time the entry keeps its places and cools for the manifest's `cool_seconds`; the second
time it is dormant. A call of the base lane that sold nothing is not counted: what it added is taken
back, before layout 7 one of what was counted since.
"""

from __future__ import annotations

from dropengine.log.layouts import TWO_LANES
from dropengine.log.referee.books import BASE, Books, Entry, Pool

LAPSES_MAX = 2


def lapse(books: Books, entry: Entry, pool: Pool) -> bool:
    """Count one; its fate must follow. pool: whose offer it was. Is the entry called again?"""
    if books.schema >= TWO_LANES:
        pool.calls -= entry.added
        entry.added = False
    elif entry.lane == BASE:
        pool.calls = max(pool.calls - 1, 0)
    entry.lapses += 1
    entry.state = "returning"
    return entry.lapses < LAPSES_MAX
