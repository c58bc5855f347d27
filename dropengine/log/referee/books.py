"""The referee's own bookkeeping: what a reader of the event table knows after each event.

It shares no code with the scripts nor with `replay`: the three were written apart so that a mistake
in one of them shows. The line is kept in heaps, so that a judgement costs O(log n) an event.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from dropengine.events import Rules
from dropengine.log.draw import Sealed
from dropengine.log.layouts import TWO_LANES
from dropengine.log.referee.hours import calls_at, turns_after
from dropengine.log.referee.records import (
    BASE,
    BOOST,
    Duty,
    Entry,
    Fan,
    Hold,
    Item,
    Judgement,
    Order,
    Owed,
    Payment,
    Pool,
)
from dropengine.log.referee.report import VIOLATIONS_KEPT, Violation
from dropengine.model import POINTS_MAX

__all__ = [
    "BASE",
    "BOOST",
    "Books",
    "Entry",
    "Fan",
    "Hold",
    "Item",
    "Judgement",
    "Order",
    "Owed",
    "Payment",
    "Pool",
]


CARRIED = 1 << 16
"""Above every class."""


class Books:
    """Everything one log says so far. `blame` writes a violation down; judging goes on after it."""

    def __init__(self) -> None:
        self.rules: Rules | None = None
        self.schema = 0
        """The layout of the engine that decided this event: its rules are those to judge by."""
        self.state, self.before_frozen = "draft", ""
        self.paused_by = ""
        self.revision = 0
        self.lead = 0
        """The drop's own time less the true clock, ms."""
        self.closes_ms = self.opened_at = 0
        self.opened_ms = 0
        """When it opened, by the true clock."""
        self.turns_at = sys.maxsize
        """When the line begins or ends to call next, as it was told, by the drop's own time; never
        where it calls at all hours."""
        self.hash = ""
        self.corrections = 0
        self.arrivals = 0
        """Entries that joined."""
        self.listed: dict[str, Entry] = {}
        """The list that chance orders."""
        self.seals_ms = self.sealed_ms = 0
        """When it is to be sealed, and was, by the true clock."""
        self.sealed: Sealed | None = None
        self.root = ""
        self.revealed = False
        self.right_order: list[str] = []
        """What the seal and what was revealed make of it."""
        self.placed = 0
        """The last arrival that was given out for one of them."""
        self.carried = self.carry_looked = 0
        """How many arrivals those have who were carried over, and how many of their list were
        looked at."""
        self.carry_of: int | None = None
        """How many stand in it, once that is told."""
        self.carried_from: set[str] = set()
        """Entries of the earlier drop that have a place here."""
        self.first: int | None = None
        """The offers of the first round, while it lasts."""
        self.cohorts: list[str] = []
        """In the manifest's order."""
        self.early = False
        """Is the drop not open to all yet?"""
        self.exempt: set[str] = set()
        """Networks that may have as much as they like."""
        self.cards: dict[str, int] = {}
        """Card -> units that it bought and that were not paid back."""
        self.restored = False
        self.line = 0
        self.seq = 0
        self.at = 0
        self.pools: dict[str, Pool] = {}
        self.items: dict[str, Item] = {}
        self.fans: dict[str, Fan] = {}
        self.holds: dict[str, Hold] = {}
        self.orders: dict[str, Order] = {}
        self.sales: deque[str] = deque()
        """The orders as they were sold."""
        self.entries: dict[str, Entry] = {}
        self.by_ordinal: list[Entry] = []
        self.charges: dict[str, str] = {}
        self.captured_of, self.refunded_of = dict[str, int](), dict[str, int]()
        self.by_hand_of, self.given_up_of = dict[str, int](), dict[str, int]()
        self.charged_back_of: dict[str, int] = {}
        self.short_of: dict[str, int] = {}
        """What went back, or was given up, of a charge beyond what was captured of it."""
        self.payments: dict[str, Payment] = {}
        self.judging: Judgement | None = None
        """What a charge buys, while it is being told."""
        self.unpaid: set[str] = set()
        """Holds that the cancelling of their payment, just told, leaves past their deadline."""
        self.outbox: dict[str, Duty] = {}
        self.keys: dict[tuple[str, str], str] = {}
        """Who and key -> the hold that it made, or ''."""
        self.adopted: dict[str, str] = {}
        """Guest -> the person who adopted him."""
        self.owed: list[Owed] = []
        self.deadlines: list[tuple[int, str]] = []
        self.cooling: list[tuple[int, int]] = []
        self.violations: list[Violation] = []
        self.count: dict[str, int] = dict.fromkeys(COUNTS, 0)
        self.in_demand: dict[str, Pool] = {}
        """Pools for which somebody is ready."""
        self.batch = 0
        """Fans' commands that one script may have decided since the line was served last."""
        self.command = ("", "")
        """Fan and key of the last of them."""
        self.settled_now = 0
        """What was due and is settled, at this moment; the same for offers."""
        self.offered_now = 0
        self.follows = False
        """The event at hand is one that the event before it asked for."""

    def blame(self, inv: str, sentence: str) -> None:
        self.count["violations"] += 1
        if len(self.violations) < VIOLATIONS_KEPT:
            drop = self.rules.id if self.rules else ""
            self.violations.append(
                Violation(inv=inv, seq=self.seq, sentence=sentence, line=self.line, drop=drop)
            )

    def fan(self, fan: str) -> Fan:
        found = self.fans.get(fan)
        if found is None:
            found = self.fans[fan] = Fan(fan)
        return found

    def pool_named(self, pool: str) -> Pool | None:
        found = self.pools.get(pool)
        if found is None:
            self.blame("INV-15", f"no pool {pool!r} was published")
        return found

    def hold_of(self, hold: str, fan: str) -> Hold | None:
        """The fan's own hold, or None with the blame written down."""
        found = self.holds.get(hold)
        if found is None:
            self.blame("INV-9", f"hold {hold} was never granted")
        elif found.fan.id != fan:
            self.blame("INV-15", f"hold {hold} is {found.fan.id}'s, not {fan}'s")
            return None
        return found

    def entry_of(self, entry: str, fan: str) -> Entry | None:
        found = self.entries.get(entry)
        if found is None:
            self.blame("INV-11", f"entry {entry} never joined the line")
        elif found.fan.id != fan:
            self.blame("INV-15", f"entry {entry} is {found.fan.id}'s, not {fan}'s")
            return None
        return found

    def room(self, fan: Fan, item: Item) -> int:
        """Units of the item that the fan may still take (H3); below zero when he has too many."""
        assert self.rules is not None
        room = self.rules.limit - fan.used
        if item.limit:
            room = min(room, item.limit - fan.used_of.get(item.id, 0))
        return room

    def room_by_orders(self, fan: Fan, item: Item) -> int:
        assert self.rules is not None
        room = self.rules.limit - fan.bought
        if item.limit:
            room = min(room, item.limit - fan.bought_of.get(item.id, 0))
        return room

    def take(self, fan: Fan, item: Item, qty: int) -> None:
        """`qty` more (or fewer, when negative) units count against the fan's limit; of room that
        makes an entry ready he is told (L13)."""
        fan.used += qty
        fan.used_of[item.id] = fan.used_of.get(item.id, 0) + qty
        for entry in fan.line:
            was = any(entry.ready)
            self.stand(entry)
            if qty < 0 and not was and any(entry.ready):
                because = f"{fan.id} has room again"
                self.owed.append(Owed(("limitfreed",), entry.id, "INV-6", because))

    def buy(self, fan: Fan, item: Item, qty: int) -> None:
        fan.bought += qty
        fan.bought_of[item.id] = fan.bought_of.get(item.id, 0) + qty

    def stand(self, entry: Entry) -> None:
        """Bring the entry's readiness in each of its lines up to date (L3)."""
        waits = entry.state == "waiting" and entry.cool == 0 and entry.n > 0
        waits = waits and not entry.asked
        was_of, entry.of_class = entry.of_class, self.class_of(entry.fan)
        same_class, same_rank = was_of == entry.of_class, entry.stood == entry.rank
        entry.stood = entry.rank
        for i, pool in enumerate(entry.pools):
            ready, was_ready = waits and self.room(entry.fan, pool.item) >= 1, entry.ready[i]
            if ready == was_ready and (not ready or (same_class and same_rank)):
                continue
            anew = not (was_ready and same_class)
            entry.ready[i] = ready
            if ready:
                pool.ready += not was_ready
                self.in_demand[pool.id] = pool
                base, boost = pool.lanes.setdefault(self.line_of(entry), ([], []))
                if entry.lane == BASE and anew:
                    heappush(base, (0, entry.n, entry.ordinal, i))
                if entry.rank:
                    heappush(boost, (POINTS_MAX - entry.rank, entry.n, entry.ordinal, i))
            else:
                pool.ready -= 1
                if not pool.ready:
                    del self.in_demand[pool.id]

    def cool(self, entry: Entry, until: int) -> None:
        entry.cool = until
        heappush(self.cooling, (until, entry.ordinal))

    def thaw(self, now: int) -> None:
        """Entries whose cooling is over by now may be called again (L10); in a cancelled drop
        nobody is (T11)."""
        if self.state in ("cancelled", "frozen"):
            return
        while self.cooling and self.cooling[0][0] <= now:
            until, ordinal = heappop(self.cooling)
            entry = self.by_ordinal[ordinal]
            if entry.cool == until:
                self.settled_now += 1
                entry.cool = 0
                self.stand(entry)

    @staticmethod
    def in_base(fan: Fan) -> Entry | None:
        """The fan's entry in the base lane whose fate is open."""
        return next((entry for entry in fan.line if entry.lane == BASE), None)

    def close_entry(self, entry: Entry, state: str) -> None:
        entry.state, entry.cool = state, 0
        self.stand(entry)
        if entry in entry.fan.line:
            entry.fan.line.remove(entry)

    def head(self, pool: Pool, lane: int) -> Entry | None:
        """The first of one lane of a pool that may be called now."""
        first: tuple[int, int, int, int] | None = None
        for of_class in self.classes_in(pool):
            heap = pool.lanes[of_class][lane]
            while heap:
                entry = self.by_ordinal[heap[0][2]]
                if self.stands_as(heap[0], lane) and self.line_of(entry) == of_class:
                    first = heap[0] if first is None else min(first, heap[0])
                    break
                heappop(heap)
        return None if first is None else self.by_ordinal[first[2]]

    def stands_as(self, one: tuple[int, int, int, int], lane: int) -> bool:
        """Is an entry still ready where it was put into a lane, at the rank that it had there?"""
        behind, _, ordinal, i = one
        entry = self.by_ordinal[ordinal]
        return entry.ready[i] and (lane == BASE or behind == POINTS_MAX - entry.rank)

    def class_of(self, fan: Fan) -> int:
        """In which cohorts he is: a bit for each."""
        if not fan.cohorts:
            return 0
        return sum(1 << i for i, cohort in enumerate(self.cohorts) if cohort in fan.cohorts)

    def counts_against(self, pool: Pool, of_class: int, qty: int) -> tuple[str, int]:
        """Which cohort so many units count against that a fan of this class takes, and how many of
        them he may take (E3)."""
        if not self.early:
            return "", qty
        best, most = "", 0
        for i, cohort in enumerate(self.cohorts):
            units = min(qty, pool.ceilings[cohort] - pool.counted[cohort])
            if of_class >> i & 1 and units > most:
                best, most = cohort, units
        return best, most

    def classes_in(self, pool: Pool) -> list[int]:
        """The classes of fans whom their cohorts, and the share of carried places, let take a
        unit."""
        found = [*pool.lanes]
        if pool.share is not None and pool.carried >= pool.share:
            found = [one for one in found if one < CARRIED]
        if not self.early:
            return found
        return [one for one in found if self.counts_against(pool, one % CARRIED, 1)[1]]

    @staticmethod
    def line_of(entry: Entry) -> int:
        """Which line of each lane it stands in: by its class, carried places in lines of their
        own (K5)."""
        return entry.of_class + CARRIED * entry.carried

    def first_ready(self, pool: Pool) -> Entry | None:
        return self.head(pool, BASE) or self.head(pool, BOOST)

    def named(self, pool: Pool) -> tuple[Entry, int] | None:
        """Whom this pool would call next, and in which lane (L6, G3)."""
        assert self.rules is not None
        base, boost = self.head(pool, BASE), self.head(pool, BOOST)
        if boost is not None and (base is None or self.boost_is_next(pool)):
            return boost, BOOST
        return None if base is None else (base, BASE)

    def boost_is_next(self, pool: Pool) -> bool:
        """Does the boost lane call if somebody is ready there? Not in the first round (D8)."""
        assert self.rules is not None
        first = self.first is not None and self.schema >= TWO_LANES
        return pool.calls >= self.rules.k - 1 and not first

    def pick(self) -> tuple[Entry, Pool, int] | None:
        """Who must be called now, to which pool and by which lane (L6); None when nobody can be.

        Every pool with a free unit and somebody ready names its lane by its own counter. Among the
        pools that name the base lane the smallest arrival goes first, else the best of the boost
        lanes (highest rank, then smallest arrival). He gets the first pool of his list at which he
        is the head.
        """
        named: dict[str, tuple[Entry, int]] = {}
        best: tuple[int, int, int] | None = None
        chosen: Entry | None = None
        for pool in self.in_demand.values():
            head = self.named(pool) if pool.free > 0 else None
            if head is None:
                continue
            entry, lane = named[pool.id] = head
            rank = (lane, -entry.rank if lane == BOOST else 0, entry.n)
            if best is None or rank < best:
                best, chosen = rank, entry
        if best is None or chosen is None:
            return None
        for pool in chosen.pools:
            if named.get(pool.id) == (chosen, best[0]):
                return chosen, pool, best[0]
        raise AssertionError("a head stands in no pool of its own list")

    def owe_outside(
        self, kind: str, name: str, hold: str, charge: str, amount: int, payment: str = ""
    ) -> None:
        self.outbox[f"{kind}:{name}"] = Duty(kind, hold, charge, amount, payment)

    def payment_of(self, payment: str, fan: str) -> Payment | None:
        """The fan's own payment, or None with the blame written down."""
        found = self.payments.get(payment)
        if found is None:
            self.blame("INV-10", f"payment {payment} was never begun")
        elif found.fan.id != fan:
            self.blame("INV-15", f"payment {payment} is {found.fan.id}'s, not {fan}'s")
            return None
        return found

    def set_deadline(self, hold: Hold, deadline: int) -> None:
        hold.deadline = deadline
        heappush(self.deadlines, (deadline, hold.id))

    def overdue(self, now: int) -> Hold | None:
        """The hold alive the longest past its deadline, or None."""
        while self.deadlines:
            deadline, name = self.deadlines[0]
            hold = self.holds[name]
            if not hold.alive or hold.deadline != deadline:
                heappop(self.deadlines)
            elif deadline <= now:
                return hold
            else:
                return None
        return None

    def first_due(self) -> Hold | None:
        """The hold alive with the earliest deadline, or None."""
        return self.overdue(sys.maxsize)

    def first_sale(self) -> str:
        """The first order that stands, '' when none does."""
        while self.sales and not self.orders[self.sales[0]].stands:
            self.sales.popleft()
        return self.sales[0] if self.sales else ""

    @property
    def closes_at(self) -> int:
        """When the drop closes by its own time (T7); never, unless its rules say so."""
        return self.closes_ms + self.lead if self.closes_ms else sys.maxsize

    @property
    def calls(self) -> bool:
        """Does the line call at this moment (L16)?"""
        hours = self.rules.calls if self.rules else None
        return hours is None or calls_at(hours, self.opened_ms, self.at - self.lead)

    def plan_calls(self) -> None:
        """The hours of the line from this moment on."""
        hours = self.rules.calls if self.rules else None
        if hours is not None and self.state in ("live", "paused"):
            turns = turns_after(hours, self.opened_ms, self.at - self.lead)
            self.turns_at = turns + self.lead

    @property
    def to_carry(self) -> bool:
        """Are places of an earlier drop still to be carried over (K2)?"""
        named = self.rules is not None and self.rules.carried is not None
        return named and self.carry_looked != self.carry_of

    def alive(self) -> Iterator[Hold]:
        return (hold for hold in self.holds.values() if hold.alive)


COUNTS = (
    "violations",
    "fans",
    "holds",
    "expired",
    "released",
    "offers",
    "offers_claimed",
    "offers_lapsed",
    "joined",
    "orders",
    "rescued",
    "voided",
    "refunds",
    "over_limit",
    "overtaken",
    "log_gaps",
    "late_ms_max",
    "oversold",
)
"""What a verdict counts as the events go by."""
