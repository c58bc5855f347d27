"""The truth of a drop as data: every truth key in records, and who may be called in the line."""

from __future__ import annotations

import msgspec

from dropengine import events
from dropengine.model import (
    GIVEN_BACK,
    POINTS_MAX,
    DropState,
    DutyRecord,
    EntryRecord,
    EntryState,
    FanRecord,
    HoldRecord,
    ItemRecord,
    Lane,
    OrderRecord,
    PaymentRecord,
    PoolRecord,
)

LINE = 2**42
"""Scores of one lane of one pool; see `score`."""


class Truth(msgspec.Struct, kw_only=True):
    """Every truth key of one drop at one moment, by its name in `keys.TRUTH`, in records.

    drop: the fields of the drop hash but the manifest and the packed rules, as text; news as
    (seq, at, text); leads as (at, lead), see `truth/true_time`. rules: kept so that a snapshot can
    be folded on; None in what a server stored.
    """

    drop: dict[str, str] = {}
    news: list[tuple[int, int, str]] = []
    leads: list[tuple[int, int]] = []
    pools: dict[str, PoolRecord] = {}
    items: dict[str, ItemRecord] = {}
    fans: dict[str, FanRecord] = {}
    holds: dict[str, HoldRecord] = {}
    orders: dict[str, OrderRecord] = {}
    entries: dict[str, EntryRecord] = {}
    due: dict[str, int] = {}
    places: dict[str, int] = {}
    ready: dict[str, int] = {}
    buying: dict[str, int] = {}
    returned: dict[str, int] = {}
    sales: dict[str, int] = {}
    charges: dict[str, str] = {}
    outbox: dict[str, DutyRecord] = {}
    payments: dict[str, PaymentRecord] = {}
    rules: events.Rules | None = None

    @property
    def state(self) -> str:
        return self.drop.get("state", DropState.DRAFT)

    @property
    def seq(self) -> int:
        return int(self.drop.get("seq", 0))

    @property
    def schema(self) -> int:
        """The layout in force: of the rules that the next event is to be judged by."""
        return int(self.drop["schema"])

    def room(self, fan: FanRecord, pool: str) -> int:
        """Units of a pool's item that the fan may still take. Needs `rules`."""
        assert self.rules is not None
        item = self.pools[pool].item
        room = self.rules.limit - fan.used
        limit = self.items[item].limit
        if limit:
            mine = [(held.pool, held.qty) for held in map(self.holds.__getitem__, fan.holds)]
            mine += [
                (order.pool, order.qty)
                for order in map(self.orders.__getitem__, fan.orders)
                if order.state not in GIVEN_BACK
            ]
            units = sum(qty for name, qty in mine if self.pools[name].item == item)
            room = min(room, limit - units)
        return max(room, 0)

    def copy(self) -> Truth:
        return msgspec.convert(msgspec.to_builtins(self), Truth)

    def pass_by(self, member: str) -> None:
        """A due thing that writes no event has been dealt with: cooling is over, or a time was for
        nothing."""
        del self.due[member]
        # Once a drop is cancelled nobody is called any more: what was cooling stays as it was.
        if member.startswith("e:") and self.state != DropState.CANCELLED:
            entry = self.entries[member[2:]]
            entry.cool_ms = 0
            stand(self, member[2:], entry)

    def at(self, now_ms: int) -> Truth:
        """The same truth when all that happens without an event by `now_ms` has happened.

        What a deadline of a hold would write into the log is not invented here.
        """
        truth = self.copy()
        for member, due_ms in self.due.items():
            if due_ms <= now_ms and not member.startswith("h:"):
                truth.pass_by(member)
        return truth


def score(truth: Truth, pool: str, entry: EntryRecord, lane: int) -> int:
    """Where an entry stands in `places`, `ready` and `buying`: pool and lane, rank, arrival."""
    rank = entry.rank if lane == Lane.BOOST else 0
    line = truth.pools[pool].index * 2 + lane
    return line * LINE + (POINTS_MAX - rank) * 2**32 + entry.n


def scores(truth: Truth, name: str, entry: EntryRecord, pool: str) -> dict[str, int]:
    """Its members of these sets in the lines of a pool, with their scores."""
    member = f"{name}@{truth.pools[pool].index}"
    found = {member: score(truth, pool, entry, entry.lane)}
    if entry.second:
        found[f"{member}+"] = score(truth, pool, entry, Lane.BOOST)
    return found


def without(members: dict[str, int], truth: Truth, name: str, pool: str) -> None:
    """The entry stands in no line of a pool any more."""
    member = f"{name}@{truth.pools[pool].index}"
    members.pop(member, None)
    members.pop(f"{member}+", None)


CLASS = 128 * LINE
"""In `ready` the fans of each set of cohorts have lines of their own."""


def _class_of(truth: Truth, fan: FanRecord) -> int:
    """A bit for each cohort that he is in."""
    assert truth.rules is not None
    return sum(2**i for i, cohort in enumerate(truth.rules.cohorts) if cohort.id in fan.cohorts)


def stand(truth: Truth, name: str, entry: EntryRecord) -> None:
    """An entry with an arrival is ready wherever its fan has room, while it waits, does not cool
    and need not be confirmed. Whether his cohorts have room as well is asked when the line
    calls."""
    waits = entry.state == EntryState.WAITING and entry.cool_ms == 0 and entry.n > 0
    waits = waits and entry.carried != 1
    fan = truth.fans[entry.fan]
    for i, pool in enumerate(entry.pools):
        ready = waits and truth.room(fan, pool) >= 1
        entry.ready[i] = int(ready)
        without(truth.ready, truth, name, pool)
        if ready:
            start = _class_of(truth, fan) * CLASS
            found = scores(truth, name, entry, pool)
            truth.ready |= {member: start + score for member, score in found.items()}


def stand_all(truth: Truth, fan: str) -> None:
    """The fan's room has changed: so may the readiness of all his entries."""
    for name in truth.fans[fan].entries:
        stand(truth, name, truth.entries[name])


def keep(members: dict[str, int], truth: Truth, name: str, entry: EntryRecord) -> None:
    """Into `places` or `buying`, in the line of each of its pools."""
    for pool in entry.pools:
        without(members, truth, name, pool)
        members |= scores(truth, name, entry, pool)


def drop_out(members: dict[str, int], truth: Truth, name: str, entry: EntryRecord) -> None:
    """Out of `places` or `buying`."""
    for pool in entry.pools:
        without(members, truth, name, pool)


def tell_boost(truth: Truth, entry: EntryRecord, was: int) -> None:
    """A move in the boost lane of each of its pools, if its rank there was another."""
    for name in entry.pools if entry.n and entry.rank != was else ():
        pool = truth.pools[name]
        base, boost = pool.removed
        pool.removed = (base, boost + 1)
