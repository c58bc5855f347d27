"""Out of a freeze again: a drop's records are held against its log, rewritten from it where they
differ, and the drop goes on.

The log is the measure, because it is written first. Where it has a hole itself nobody can say what
is owed to whom: such a drop can only be called off.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterable, AsyncIterator

import msgspec

from dropengine import events, outcomes
from dropengine.creator_commands import Thaw
from dropengine.log.replay import Truth, step
from dropengine.log.replay.compare import Row, differing
from dropengine.model import GIVEN_BACK, DropId, DropState, EntryState, HoldState
from dropengine.truth.audit import ZSETS
from dropengine.truth.networks import around, row_of
from dropengine.truth.outbox import UNREADABLE
from dropengine.truth.record_layouts import stored
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

ROWS_AT_ONCE = 500
HELD = (HoldState.ACTIVE, HoldState.PAYING)
IN_LINE = (EntryState.WAITING, EntryState.OFFERED)

_pack = msgspec.msgpack.Encoder().encode


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one drop. shown: where it stands. events: how many its log has. hole:
    why the log itself is no measure, or ''. rows: what differs from it. set_aside: entries of the
    outbox that cannot be read and that it does not know: they may be somebody's money."""

    shown: Shown
    events: int
    hole: str
    rows: list[Row]
    set_aside: list[str]

    @property
    def agrees(self) -> bool:
        """Do the records say what the log says?"""
        return not self.hole and not self.rows


async def audit(store: Store, drop: DropId) -> Audit | None:
    """Hold a drop's records against its log; None when there is no such drop."""
    shown, stored = await store.show(drop), await store.truth(drop)
    if shown is None or stored is None:
        return None
    log = [line async for line in _up_to(store.log(drop), stored.seq)]
    told, hole = replayed(log)
    if not hole and len(log) < stored.seq:
        hole = f"its log ends with event {len(log)}, the drop had come to {stored.seq}"
    rows = [] if hole else differing(told, stored, await _ran(store, drop, told))
    lost = [row for row in rows if row.told is None and row.kept == UNREADABLE]
    return Audit(
        shown=shown,
        events=len(log),
        hole=hole,
        rows=[row for row in rows if row not in lost],
        set_aside=[row.name for row in lost],
    )


async def _ran(store: Store, drop: DropId, told: Truth) -> int:
    """The drop's own time that its scripts have come to, as far as it is known, ms."""
    # When a script last changed something without an event.
    (mark,) = await store.records(drop, "wake", ["now"])
    return max(int(mark or 0), int(told.drop["at"]))


async def _up_to(lines: AsyncIterable[bytes], last: int) -> AsyncIterator[bytes]:
    """A drop that is not frozen may have gone on since its records were read."""
    left = last
    async for line in lines:
        if left == 0:
            return
        left -= 1
        yield line


def replayed(log: list[bytes]) -> tuple[Truth, str]:
    """The truth that a log makes, and why it is none: the first hole in it, or ''."""
    truth = Truth()
    for number, line in enumerate(log, 1):
        try:
            event = events.parse(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return truth, f"event {number} of its log cannot be read"
        if event.seq != number:
            return truth, f"event {number} is missing from its log"
        try:
            step(truth, event)
        except (LookupError, ValueError, AssertionError):
            return truth, f"event {number} of its log speaks of what was never there"
    if not log:
        return truth, "its log is empty"
    return truth, recounted(truth)


def recounted(truth: Truth) -> str:
    """Count the units of each pool anew from holds and orders, also those that count against
    cohorts and the share of carried places: what does not add up, or ''."""
    held, sold = dict.fromkeys(truth.pools, 0), dict.fromkeys(truth.pools, 0)
    counted: Counter[tuple[str, str]] = Counter()
    carried: Counter[str] = Counter()
    for name, hold in truth.holds.items():
        order = truth.orders.get(name)
        stands = order is not None and order.state not in GIVEN_BACK
        if hold.state in HELD:
            held[hold.pool] += hold.qty
        if hold.state in HELD or stands:
            counted[hold.pool, hold.cohort] += hold.qty
            entry = truth.entries.get(hold.entry)
            carried[hold.pool] += hold.qty if entry is not None and entry.carried else 0
    for order in truth.orders.values():
        if order.state not in GIVEN_BACK:
            sold[order.pool] += order.qty
    cohorts = [] if truth.rules is None else [cohort.id for cohort in truth.rules.cohorts]
    for name, pool in truth.pools.items():
        parts = (pool.free, pool.held, pool.sold, pool.withheld, pool.leased)
        if sum(parts) != pool.cap or min(parts) < 0:
            return f"by its log the units of {name} do not add up"
        if (pool.held, pool.sold) != (held[name], sold[name]):
            return f"by its log {name} counts other units than its holds and orders have"
        if pool.counted != [counted[name, cohort] for cohort in cohorts]:
            return f"by its log {name} counts other units against its cohorts than they have"
        if pool.carried and pool.carried[0] != carried[name]:
            return f"by its log {name} counts other units of carried places than they have"
    return ""


async def rewrite(store: Store, found: Audit) -> int:
    """Make the records of a frozen drop what its log makes them; how many rows. Raises Broken when
    it is not frozen."""
    assert not found.hole, "a log with a hole makes nothing"
    drop = DropId(found.shown.manifest.id)
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in found.rows:
        parts["drop" if row.key in ("news", "leads") else row.key].append(row)
    for part, rows in parts.items():
        kind = "zset" if part in ZSETS else "hash"
        for at in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[at : at + ROWS_AT_ONCE]
            put = [word for row in some if row.told is not None for word in _words(row, found)]
            gone = [row.name for row in some if row.told is None]
            await store.rewrite(drop, part, kind, put, gone)
    return len(found.rows)


def _words(row: Row, found: Audit) -> tuple[bytes | str, bytes | str]:
    """Field and value, or score and member."""
    if row.key in ZSETS:
        return str(row.told), row.name
    if row.key in ("news", "leads"):
        return row.key, _pack(row.told)
    if row.key == "drop" and row.name == "state" and found.shown.state == DropState.FROZEN:
        # It stays frozen until it is thawed.
        return "was", row.told
    return row.name, row.told if isinstance(row.told, str) else stored(row.told)


async def recount_networks(store: Store, drop: DropId) -> None:
    """Make what a frozen drop's networks count what still stands of that which is known to count
    there: a commit that ended half-way may have left it otherwise."""
    rows = await store.fields(drop, "networks")
    truth = await store.truth(drop) if rows else None
    if truth is None:
        return
    persons = {name: at.decode() for name, at in rows.items() if name.startswith("p:")}
    of_domains = {name: str(count) for name, count in Counter(persons.values()).items()}
    kept_apart = persons | of_domains | await _cards(store, drop)
    kept = {name: at.decode() for name, at in rows.items() if name not in ("key", "exempt")}
    known = {name: at for name, at in kept.items() if name[0] in "he"}
    stands: dict[str, str] = {}
    for name, at in known.items():
        entry = truth.entries.get(name)
        if entry is not None and entry.state in IN_LINE:
            stands[name] = at
        else:
            hold = truth.holds.get(name if entry is None else entry.hold)
            if hold is not None and hold.state in HELD:
                stands[name if entry is None else entry.hold] = at
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for network in stands.values():
        counts[around(network)][network] += 1
    wanted = stands | {wide: row_of(count) for wide, count in counts.items()} | kept_apart
    put = [word for name, at in wanted.items() if kept.get(name) != at for word in (name, at)]
    gone = [name for name in kept if name not in wanted]
    for since in range(0, max(len(put), 2 * len(gone)), 2 * ROWS_AT_ONCE):
        some = put[since : since + 2 * ROWS_AT_ONCE]
        left = gone[since // 2 : since // 2 + ROWS_AT_ONCE]
        await store.rewrite(drop, "networks", "hash", some, left)


async def _cards(store: Store, drop: DropId) -> dict[str, str]:
    """What each card bought, and by which one each order was paid, as the log tells it."""
    bought: dict[str, tuple[str, int]] = {}
    async for line in store.log(drop):
        event = events.parse(line)
        if isinstance(event, events.Sale) and event.card:
            bought[event.hold] = (event.card, event.qty)
        elif isinstance(event, events.Refunded):
            bought.pop(event.hold, None)
    units: Counter[str] = Counter()
    for card, qty in bought.values():
        units[card] += qty
    orders = {f"o:{hold}": card for hold, (card, _) in bought.items()}
    return orders | {card: str(count) for card, count in units.items()}


async def thaw(
    store: Store, found: Audit, *, by: str, key: str, rewritten: int = 0, clock_ms: int = 0
) -> outcomes.CreatorOutcome:
    """Let a drop go on whose records agree with its log."""
    assert found.agrees, "what differs is rewritten first"
    drop = DropId(found.shown.manifest.id)
    if found.shown.state == DropState.FROZEN:
        await recount_networks(store, drop)
    return await store.command(
        drop,
        Thaw(rewritten),
        revision=found.shown.revision,
        by=by,
        key=key,
        clock_ms=clock_ms,
    )
