"""What a drop did, as far as it decides who got none: a fold of its log that stays small.

Whoever keeps books writes it beside them after each stretch, so that nobody has to read a log from
its beginning to answer one fan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import Struct

from dropengine import events
from dropengine.model import DropState, Lane

LEADS_MAX: Final = 64
"""The newest are kept; what happened before them is told by the drop's own time."""

OF_FANS = (
    *(events.Held, events.Claimed, events.Paying, events.Released, events.Expired),
    *(events.Sold, events.Rescued, events.Voided, events.Refunded),
    *(events.Joined, events.Offered, events.Declined, events.Lapsed),
    *(events.Dormant, events.Left, events.Removed, events.Adopted, events.Confirmed),
)
"""What decides what somebody got; the rest of what is said of fans follows from these."""
_OF_FANS = frozenset(OF_FANS)


def about(event: events.AnyEvent) -> tuple[str, ...]:
    """Whose reason an event may be: its fan, and the guest who became one by it."""
    if type(event) not in _OF_FANS:
        return ()
    if isinstance(event, events.Adopted):
        return event.fan, event.guest
    return (event.fan,)  # type: ignore[union-attr]


class Moment(Struct, frozen=True, array_like=True):
    """An event: `seq` 0 for none, `at` of the drop's own time."""

    seq: int = 0
    at: int = 0


NEVER: Final = Moment()


class PoolCourse(Struct, array_like=True):
    """`gone`: the event that took the last free unit, as long as none is free. `reached`: the call
    of the base lane that went furthest, to the arrival `reached_n`."""

    item: str
    cap: int
    free: int
    gone: Moment = NEVER
    reached_n: int = 0
    reached: Moment = NEVER


class Course(Struct, array_like=True):
    """One drop up to the event `seq`.

    listed: how many stood in the sealed list. gone: the first time after the opening that nothing
    was free anywhere. closed: when nothing could be called any more; `stopped`: why units that were
    free then had not been offered, `paused` or `quiet`, else ''. why: the maker's word for calling
    it off. leads: see `truth/true_time.py`. early: only who is in a cohort may begin
    something yet. behind: so many places that were carried over have the arrivals before those of
    the list.
    """

    seq: int = 0
    at: int = 0
    state: str = DropState.DRAFT
    mode: str = ""
    practice: int = 0
    tickets_most: int = 0
    listed: int = 0
    sealed: Moment = NEVER
    opened: Moment = NEVER
    gone: Moment = NEVER
    closed: Moment = NEVER
    ended: Moment = NEVER
    stopped: str = ""
    free_at_close: dict[str, int] = {}
    why: str = ""
    quiet: bool = False
    leads: list[tuple[int, int]] = []
    pools: dict[str, PoolCourse] = {}
    early: bool = False
    behind: int = 0

    @property
    def over(self) -> bool:
        """Can nobody get a unit any more who has none in his hands?"""
        return self.state in (DropState.SETTLED, DropState.CANCELLED)

    @property
    def units(self) -> int:
        """All that were ever made."""
        return sum(pool.cap for pool in self.pools.values())

    def true(self, at_ms: int) -> int:
        """A time of the log by the true clock."""
        for since_ms, lead_ms in reversed(self.leads):
            if at_ms >= since_ms:
                return at_ms - lead_ms
        return at_ms

    def gone_from(self, pools: Iterable[str]) -> Moment:
        """When the last unit of these was taken; `NEVER` while one is free."""
        every = [self.pools[pool] for pool in pools]
        if any(pool.free for pool in every):
            return NEVER
        return max((pool.gone for pool in every), key=lambda one: one.seq)

    def take(self, event: events.AnyEvent) -> int:
        """The next event. What stands beside it: the event that had left nothing for who joins by
        it, or 0."""
        step = _STEPS.get(type(event))
        self.seq, self.at = event.seq, event.at
        if step is None:
            return 0
        return step(self, event) or 0


def _moment(event: events.Event) -> Moment:
    return Moment(event.seq, event.at)


def _published(course: Course, e: events.Published) -> None:
    rules = e.rules
    course.state, course.mode, course.practice = DropState.SCHEDULED, rules.mode, rules.practice
    course.tickets_most, course.early = rules.tickets_most, bool(rules.cohorts)
    course.pools = {
        pool.id: PoolCourse(pool.item, pool.cap, pool.cap - pool.withheld) for pool in rules.pools
    }


def _move(course: Course, e: events.Event, pool_id: str, units: int) -> None:
    """So many more are free."""
    pool = course.pools[pool_id]
    pool.free += units
    if units > 0:
        pool.gone = NEVER
    elif pool.free == 0:
        pool.gone = _moment(e)
        nothing = not any(one.free for one in course.pools.values())
        if nothing and course.opened.seq and not course.gone.seq:
            course.gone = _moment(e)


def _taken(course: Course, e: Any) -> None:
    _move(course, e, e.pool, -e.qty)


def _given(course: Course, e: Any) -> None:
    _move(course, e, e.pool, e.qty)


def _offered(course: Course, e: events.Offered) -> None:
    _move(course, e, e.pool, -e.qty)
    pool = course.pools[e.pool]
    if e.call == Lane.BASE and e.n > pool.reached_n:
        pool.reached_n, pool.reached = e.n, _moment(e)


def _joined(course: Course, e: events.Joined) -> int:
    return course.gone_from(e.pools).seq if course.opened.seq else 0


def _sealed(course: Course, e: events.Sealed) -> None:
    course.state, course.sealed, course.listed = DropState.ORDERING, _moment(e), e.entries


def _opened(course: Course, e: events.Opened) -> None:
    course.state, course.opened = DropState.LIVE, _moment(e)


def _carried(course: Course, e: events.Carried) -> None:
    course.behind = e.n


def _widened(course: Course, _: events.Widened) -> None:
    course.early = False


def _becomes(state: DropState) -> Callable[[Course, events.Event], None]:
    def step(course: Course, _: events.Event) -> None:
        course.state = state

    return step


def _lead(course: Course, e: events.Resumed | events.Realigned | events.Thawed) -> None:
    if e.lead != (course.leads[-1][1] if course.leads else 0):
        course.leads = [*course.leads, (e.at, e.lead)][-LEADS_MAX:]


def _resumed(course: Course, e: events.Resumed) -> None:
    course.state = DropState.LIVE
    _lead(course, e)


def _thawed(course: Course, e: events.Thawed) -> None:
    course.state = e.state
    _lead(course, e)


def _closed(course: Course, e: events.Closed) -> None:
    paused = course.state == DropState.PAUSED
    course.stopped = "paused" if paused else "quiet" if course.quiet else ""
    course.free_at_close = {name: pool.free for name, pool in course.pools.items() if pool.free}
    course.state, course.closed = DropState.CLOSING, _moment(e)


def _cancelled(course: Course, e: events.Cancelled) -> None:
    course.state, course.ended, course.why = DropState.CANCELLED, _moment(e), e.why


def _settled(course: Course, e: events.Settled) -> None:
    course.state, course.ended = DropState.SETTLED, _moment(e)


def _hours(quiet: bool) -> Callable[[Course, events.Event], None]:
    def step(course: Course, _: events.Event) -> None:
        course.quiet = quiet

    return step


_STEPS: dict[type[events.Event], Callable[[Course, Any], int | None]] = {
    events.Published: _published,
    events.LobbyOpened: _becomes(DropState.LOBBY),
    events.Sealed: _sealed,
    events.Opened: _opened,
    events.Widened: _widened,
    events.Carried: _carried,
    events.Paused: _becomes(DropState.PAUSED),
    events.Frozen: _becomes(DropState.FROZEN),
    events.Resumed: _resumed,
    events.Realigned: _lead,
    events.Thawed: _thawed,
    events.Added: _given,
    events.Withdrawn: _taken,
    events.Closed: _closed,
    events.Cancelled: _cancelled,
    events.Settled: _settled,
    events.Calling: _hours(False),
    events.Quiet: _hours(True),
    events.Held: _taken,
    events.Rescued: _taken,
    events.Offered: _offered,
    events.Released: _given,
    events.Expired: _given,
    events.Declined: _given,
    events.Lapsed: _given,
    events.Refunded: _given,
    events.Joined: _joined,
}
