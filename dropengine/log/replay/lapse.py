"""A lapse, as replay has it: an entry's offer, claimed or not, came back unsold.

Whether the entry is called again, and when, the log says: with the event that ends the offer, or in
`cooled` and `dormant` behind it.
"""

from __future__ import annotations

from dropengine.log.layouts import TWO_LANES
from dropengine.log.replay.truth import Truth, drop_out
from dropengine.model import EntryRecord, EntryState, HoldRecord, Lane, PoolRecord

ADDED = 2
"""`call` of an entry whose call by the base lane added one to the calls of its pool."""


def lapse(truth: Truth, hold_id: str, hold: HoldRecord) -> None:
    """Count one for the entry that was buying with this hold, if one was."""
    entry = truth.entries.get(hold.entry)
    if entry is None or entry.state != EntryState.OFFERED or entry.hold != hold_id:
        return
    entry.lapses += 1
    entry.hold = ""
    pool = truth.pools[hold.pool]
    if truth.schema >= TWO_LANES:
        uncall(pool, entry)
    elif entry.lane == Lane.BASE:
        pool.lane_count = max(pool.lane_count - 1, 0)


def uncall(pool: PoolRecord, entry: EntryRecord) -> None:
    """What its call added to the calls of that pool is taken back."""
    pool.lane_count -= entry.call == ADDED
    entry.call = 0


def cool(truth: Truth, name: str, until_ms: int) -> None:
    """The entry waits again where it was, and is not called before that time."""
    entry = truth.entries[name]
    entry.state, entry.cool_ms = EntryState.WAITING, until_ms
    truth.due[f"e:{name}"] = until_ms
    drop_out(truth.buying, truth, name, entry)
