"""The line into the truth: arrivals, offers, and how an entry's fate becomes final."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import TWO_LANES
from dropengine.log.replay.holds import end, grant
from dropengine.log.replay.lapse import ADDED, cool
from dropengine.log.replay.truth import Truth, drop_out, keep, stand, stand_all, tell_boost
from dropengine.model import DropState, EntryRecord, EntryState, HoldRecord, HoldState, Lane, Origin

OPEN = (EntryState.WAITING, EntryState.OFFERED)


def _joined(truth: Truth, e: events.Joined) -> None:
    entry = EntryRecord(
        fan=e.fan,
        n=e.n,
        qty=e.qty,
        pools=e.pools,
        lane=e.lane,
        points=e.points,
        state=EntryState.WAITING,
        lapses=0,
        hold="",
        ready=[0] * len(e.pools),
        cool_ms=0,
        key=e.key,
        tickets=e.tickets,
        nonce=e.nonce,
        carried=int(e.why == "carried"),
        made_good=int(e.why == "makegood" and e.lane == Lane.BASE),
    )
    truth.entries[e.entry] = entry
    if e.why == "fan":
        forget_ended(truth, e.fan)
    truth.fans[e.fan].entries.append(e.entry)
    truth.drop["arrivals"] = e.entry[1:]
    if entry.n:
        keep(truth.places, truth, e.entry, entry)
    else:
        _enter(truth, 1)
    if e.why == "makegood":
        _made_good(truth, e.fan, e.entry)
        if entry.lane == Lane.BASE:
            tell_boost(truth, entry, 0)
    stand(truth, e.entry, entry)


def _made_good(truth: Truth, fan: str, name: str) -> None:
    truth.fans[fan].makegood = 1
    # The payment that came too late was written down in the event before this one.
    charge = next(reversed(truth.charges))
    truth.charges[charge] += name


def rank_anew(truth: Truth, name: str, *, points: int, book: int, made_good: int) -> None:
    """An entry has other points, or stands above them: its second place begins, moves or ends."""
    entry = truth.entries[name]
    was = entry.rank
    entry.points, entry.book, entry.made_good = points, book, made_good
    if entry.n:
        keep(truth.places, truth, name, entry)
        if entry.state == EntryState.OFFERED:
            keep(truth.buying, truth, name, entry)
    tell_boost(truth, entry, was)
    stand(truth, name, entry)


def _pointed(truth: Truth, e: events.Pointed) -> None:
    good = e.why == "makegood"
    made_good = int(good) or truth.entries[e.entry].made_good
    rank_anew(truth, e.entry, points=e.points, book=e.book, made_good=made_good)
    if good:
        _made_good(truth, e.fan, e.entry)


def _enter(truth: Truth, more: int) -> None:
    """So many more stand in the list that chance orders."""
    truth.drop["entered"] = str(int(truth.drop["entered"]) + more)


def _confirmed(truth: Truth, e: events.Confirmed) -> None:
    truth.entries[e.entry].carried = 2
    stand_all(truth, e.fan)


def _offered(truth: Truth, e: events.Offered) -> None:
    assert truth.rules is not None
    hold = HoldRecord(
        fan=e.fan,
        pool=e.pool,
        qty=e.qty,
        price=e.price,
        origin=Origin.LINE,
        state=HoldState.ACTIVE,
        start_ms=e.at,
        deadline_ms=e.deadline,
        entry=e.entry,
        claimed=0,
        extended=0,
        began=0,
        looked=0,
        key=e.key,
        cohort=e.cohort,
    )
    grant(truth, e.hold, hold)
    if first := truth.drop.get("first"):
        truth.drop["first"] = str(int(first) + 1)
    truth.pools[e.pool].offered += e.qty
    entry, pool = truth.entries[e.entry], truth.pools[e.pool]
    base = e.call == Lane.BASE
    if base and truth.rules.randomness is not None:
        truth.drop["called"] = str(max(e.n, int(truth.drop.get("called", "0"))))
    adds = base and pool.lane_count < truth.rules.k - 1
    pool.lane_count = pool.lane_count + int(adds) if base else 0
    if truth.schema >= TWO_LANES:
        entry.call = ADDED if adds else int(not base)
    # Whoever is called is not cooling any more, though nothing in the log said when it ended.
    entry.state, entry.hold, entry.cool_ms = EntryState.OFFERED, e.hold, 0
    truth.due.pop(f"e:{e.entry}", None)
    keep(truth.buying, truth, e.entry, entry)
    stand_all(truth, e.fan)


def _come_back(truth: Truth, e: events.Returned, state: HoldState) -> None:
    end(truth, e.hold, state, e.at)
    if e.cool:
        cool(truth, e.entry, e.cool)
    stand_all(truth, e.fan)


def _declined(truth: Truth, e: events.Declined) -> None:
    last = truth.fans[e.fan].last
    _come_back(truth, e, HoldState.RELEASED)
    if not e.key:
        # Nobody gave it back: a payment for an earlier hold of its entry came after all.
        truth.fans[e.fan].last = last


def _lapsed(truth: Truth, e: events.Lapsed) -> None:
    _come_back(truth, e, HoldState.EXPIRED)


def _cooled(truth: Truth, e: events.Cooled) -> None:
    cool(truth, e.entry, e.cool)
    stand_all(truth, e.fan)


def forget_ended(truth: Truth, fan: str) -> None:
    """Of a fan's places only the open ones are told from now on."""
    told = truth.fans[fan].entries
    told[:] = [name for name in told if truth.entries[name].state in OPEN]


def finish(truth: Truth, name: str, state: EntryState, *, told: bool = True) -> None:
    """The entry's fate is final: it leaves all its lines and everybody behind it moves up. One
    that ended without a sale is told until its fan joins again, unless he stands in line by
    another."""
    entry = truth.entries[name]
    drop_out(truth.places, truth, name, entry)
    drop_out(truth.buying, truth, name, entry)
    if not entry.n and truth.state == DropState.LOBBY:
        # It is struck off the list.
        entry.tickets = 0
        _enter(truth, -1)
    for pool_name in entry.pools if entry.n else ():
        pool = truth.pools[pool_name]
        base, boost = pool.removed
        pool.removed = (base + (entry.lane == Lane.BASE), boost + (entry.rank > 0))
    truth.due.pop(f"e:{name}", None)
    if state == EntryState.SERVED or not told:
        truth.fans[entry.fan].entries.remove(name)
    else:
        forget_ended(truth, entry.fan)
    entry.state, entry.cool_ms = state, 0
    stand(truth, name, entry)


def _served(truth: Truth, e: events.Served) -> None:
    finish(truth, e.entry, EntryState.SERVED)


def _dormant(truth: Truth, e: events.Dormant) -> None:
    finish(truth, e.entry, EntryState.DORMANT)


def _left(truth: Truth, e: events.Left) -> None:
    finish(truth, e.entry, EntryState.LEFT)


def _removed(truth: Truth, e: events.Removed) -> None:
    finish(truth, e.entry, EntryState.REMOVED, told=e.why != "merged")
    if e.why == "merged":
        _merged(truth, e.fan, truth.entries[e.entry])


def _merged(truth: Truth, fan: str, gone: EntryRecord) -> None:
    """Of two places of a person the one that stays has what either had of points."""
    for name in truth.fans[fan].entries:
        own = truth.entries[name]
        if own.state in OPEN and own.lane == Lane.BASE:
            rank_anew(
                *(truth, name),
                points=max(own.points, gone.points),
                book=max(own.book, gone.book),
                made_good=max(own.made_good, gone.made_good),
            )


def _limit_freed(truth: Truth, e: events.LimitFreed) -> None:
    stand(truth, e.entry, truth.entries[e.entry])


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Joined: _joined,
    events.Pointed: _pointed,
    events.Confirmed: _confirmed,
    events.Offered: _offered,
    events.Declined: _declined,
    events.Lapsed: _lapsed,
    events.Cooled: _cooled,
    events.Served: _served,
    events.Dormant: _dormant,
    events.Left: _left,
    events.Removed: _removed,
    events.LimitFreed: _limit_freed,
}
