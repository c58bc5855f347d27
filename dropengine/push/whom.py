"""Whom a stretch of a drop's log calls, and for what. No clock, no SQL: the log alone decides.

The drop's truth is folded along, so that a place is the one that the fan's page shows.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dropengine import events
from dropengine.log.replay import Truth, step
from dropengine.model import STANDING, DropState, EntryState, FanId, Lane
from dropengine.push.outbox import Call, Kind

TEN = 10
"""So near the head of his line a fan is called, once."""
REMIND_MS = 5 * 60_000
"""Before a drop opens."""
WARN_MS = 90_000
"""Before a hold ends."""
NEAR_MS = 3_600_000
OPENED_MS = 3_600_000
"""So long after it opened a drop is news to who asked to be reminded."""
CARRIED_MS = 30 * 24 * 3_600_000
"""So long a place that was carried over may be confirmed, if its drop is not over before."""
KEPT_MS = 24 * 3_600_000
"""So long a call is worth something that has no end of its own."""

_GRANTED = (events.Held, events.Claimed, events.Extended, events.Paying)
_BOUGHT = (events.Sold, events.Rescued)
_BACK = (events.Released, events.Expired, events.Declined, events.Lapsed)
_FATES = (events.Served, events.Dormant, events.Left, events.Removed)
_MOVED = (events.Resumed, events.Realigned, events.Thawed)
_OVER = (events.Cancelled, events.Settled)


class Called(Struct, frozen=True):
    """`fan` None: everybody. `count`: his place, or how many; `serials`, `text`: what is said.
    `amount`: what was paid or goes back, minor units; 0 for nothing. `order`: of which it tells, or
    ''."""

    fan: FanId | None
    call: Call
    at_ms: int = 0
    count: int = 0
    serials: tuple[int, ...] = ()
    text: str = ""
    amount: int = 0
    order: str = ""


class Ended(Struct, frozen=True):
    """What waits to be said of these holds and entries is not said any more; () for all."""

    about: tuple[str, ...]


class Moved(Struct, frozen=True):
    """A guest became a person: whoever called the one calls the other."""

    guest: FanId
    person: FanId


Due = Called | Ended | Moved


class Follower:
    """The log of one drop, followed from its beginning."""

    def __init__(self) -> None:
        self.truth = Truth()
        self._open: Counter[tuple[str, int]] = Counter()
        """Pool and lane -> entries whose fate is not final."""
        self._near: set[str] = set()
        """Entries that are near the head, or joined there."""
        self._opened_ms = 0
        """By the true clock."""
        self._stirred: set[str] = set()
        """Pools whose line moved in this stretch."""

    @property
    def seq(self) -> int:
        """The last event that was read."""
        return self.truth.seq

    @property
    def opens_ms(self) -> int:
        """When the drop opens, by the true clock; 0 for not, or by hand."""
        opens_ms = self.truth.due.get("open", 0)
        scheduled = self.truth.state == DropState.SCHEDULED
        return opens_ms - self._lead if scheduled and opens_ms else 0

    def reminder(self) -> Called | None:
        """What everybody is told a while before the drop opens."""
        opens_ms = self.opens_ms
        if not opens_ms:
            return None
        from_ms = opens_ms - REMIND_MS
        call = Call(f"opens-{opens_ms}", Kind.REMINDER, "opens", from_ms, opens_ms, from_ms)
        return Called(None, call, at_ms=opens_ms)

    def opened(self) -> Called | None:
        """What everybody is told for a while after the drop opened, unless the reminder was."""
        opened_ms = self._opened_ms
        if self.truth.state != DropState.LIVE or not opened_ms:
            return None
        call = Call("opened", Kind.OPENED, "opened", opened_ms, opened_ms + OPENED_MS)
        return Called(None, call)

    @property
    def opened_by_itself(self) -> str:
        """The reminder after which nobody needs to hear that it is open; '' where a hand opened
        it."""
        rules = self.truth.rules
        planned_ms = 0 if rules is None else rules.opens_ms
        return f"opens-{planned_ms}" if 0 < planned_ms <= self._opened_ms else ""

    def follow(self, stretch: Sequence[events.AnyEvent]) -> list[Due]:
        """What these events call for, in their order."""
        found: list[Due] = []
        self._stirred.clear()
        for event in stretch:
            self._count(event)
            step(self.truth, event)
            found += self._of(event)
        found += self._near_the_head(stretch[-1].at if stretch else 0)
        return found

    @property
    def _lead(self) -> int:
        return int(self.truth.drop.get("lead", 0))

    def _count(self, event: events.AnyEvent) -> None:
        """Where an entry begins in its lines, that one leaves them, when the drop opened. Before it
        is folded."""
        if isinstance(event, events.Opened):
            self._opened_ms = event.at - self._lead
        elif isinstance(event, events.Joined):
            lines = [(pool, event.lane) for pool in event.pools]
            self._open.update(lines)
            if min(self._open[line] for line in lines) <= TEN:
                self._near.add(event.entry)
        elif isinstance(event, _FATES):
            entry = self.truth.entries[event.entry]
            if entry.state in (EntryState.WAITING, EntryState.OFFERED):
                self._open.subtract((pool, entry.lane) for pool in entry.pools)
                self._stirred.update(entry.pools)

    def _of(self, event: events.AnyEvent) -> Iterator[Due]:
        match event:
            case events.Offered():
                yield Ended((event.entry,))
                yield self._until(event.fan, event.hold, Kind.OFFER, event.at, event.deadline)
            case events.Extended(why="lookup"):
                # His time is over and his bank is asked: there is nothing that he could do.
                yield Ended((event.hold,))
            case _ if isinstance(event, _GRANTED):
                yield Ended((event.hold,))
                yield self._until(event.fan, event.hold, Kind.HOLD_ENDS, event.at, event.deadline)
            case _ if isinstance(event, _BOUGHT):
                yield Ended((event.hold,))
                sold = self._said(event, event.fan, f"sold-{event.hold}", Kind.SOLD, event.serials)
                yield replace(sold, amount=event.amount, order=event.hold)
            case events.Refunded():
                back = self._said(event, event.fan, f"refund-{event.hold}", Kind.REFUND)
                yield replace(back, amount=event.amount, order=event.hold)
            case events.Message():
                yield self._said(event, None, f"message-{event.seq}", Kind.MESSAGE, (), event.text)
            case events.Joined(why="carried"):
                at_ms = event.at - self._lead
                until_ms = at_ms + CARRIED_MS
                name = f"carried-{event.entry}"
                call = Call(name, Kind.CARRIED, event.entry, at_ms, until_ms)
                yield Called(FanId(event.fan), call, count=event.n)
            case events.Confirmed():
                yield Ended((event.entry,))
            case _ if isinstance(event, _BACK):
                yield Ended((event.hold,))
            case _ if isinstance(event, _FATES):
                yield Ended((event.entry,))
            case events.Rescheduled() | events.Opened():
                yield Ended(("opens",))
            case _ if isinstance(event, _MOVED):
                yield from self._again(event.at)
            case events.Adopted():
                yield Moved(FanId(event.guest), FanId(event.fan))
            case _ if isinstance(event, _OVER):
                yield Ended(())
            case _:
                pass

    def _until(self, fan: str, hold: str, kind: Kind, at: int, deadline: int) -> Called:
        """A call that is good to a deadline, which stands in its id: an offer at once, a hold a
        while before it ends."""
        until_ms = deadline - self._lead
        from_ms = until_ms - WARN_MS if kind is Kind.HOLD_ENDS else 0
        name = f"{kind}-{hold}-{until_ms}"
        call = Call(name, kind, hold, at - self._lead, until_ms, from_ms)
        return Called(FanId(fan), call, at_ms=until_ms)

    def _said(
        self,
        event: events.AnyEvent,
        fan: str | None,
        name: str,
        kind: Kind,
        serials: Iterable[int] = (),
        text: str = "",
    ) -> Called:
        at_ms = event.at - self._lead
        call = Call(name, kind, "", at_ms, at_ms + KEPT_MS)
        who = None if fan is None else FanId(fan)
        return Called(who, call, serials=tuple(serials), text=text)

    def _again(self, at: int) -> Iterator[Due]:
        """Every deadline moved with the drop's own time."""
        for hold, record in self.truth.holds.items():
            if record.state in STANDING:
                offer = record.entry != "" and not record.claimed
                kind = Kind.OFFER if offer else Kind.HOLD_ENDS
                if kind is Kind.HOLD_ENDS:
                    yield Ended((hold,))
                    yield self._until(record.fan, hold, kind, at, record.deadline_ms)

    def _near_the_head(self, at: int) -> Iterator[Due]:
        """Who came within ten of the head of a line while it moved."""
        for pool in sorted(self._stirred):
            for place, name in enumerate(self._first(pool), 1):
                entry = self.truth.entries[name]
                if name in self._near or entry.state != EntryState.WAITING or entry.carried == 1:
                    continue
                self._near.add(name)
                at_ms = at - self._lead
                call = Call(f"near-{name}", Kind.TEN_BEFORE, name, at_ms, at_ms + NEAR_MS)
                yield Called(FanId(entry.fan), call, count=place)

    def _first(self, pool: str) -> list[str]:
        """The entries at the head of a line, as places count them."""
        index = f"@{self.truth.pools[pool].index}"
        entries = self.truth.entries
        line = (
            (entries[name].n, name)
            for name, _, at in (member.rpartition("@") for member in self.truth.places)
            if f"@{at}" == index and entries[name].lane == Lane.BASE
        )
        return [name for _, name in heapq.nsmallest(TEN, line)]
