"""The referee's own bookkeeping: what a reader of the event table knows after each event.

It shares no code with the scripts nor with `replay`: the three were written apart so that a mistake
in one of them shows. The line is kept in heaps, so that a judgement costs O(log n) an event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from dropengine.events import Rules
from dropengine.log.referee.report import VIOLATIONS_KEPT, Violation
from dropengine.model import POINTS_MAX

BASE, BOOST = 0, 1


@dataclass(slots=True)
class Item:
    """`given`: serials out with unrefunded orders. `back`: a heap of those that came back.
    `serial`: the last one given for the first time."""

    id: str
    cap: int
    price: int
    limit: int
    most: int
    serial: int = 0
    given: set[int] = field(default_factory=set)
    back: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Pool:
    """`calls`: base calls since the last boost call. `lanes`: per lane a heap of those who may be
    called, cleaned when it is looked at. `ready`: how many stand there now."""

    id: str
    item: Item
    cap: int
    free: int
    withheld: int
    held: int = 0
    sold: int = 0
    calls: int = 0
    ready: int = 0
    lanes: tuple[list[tuple[int, int, int, int]], list[tuple[int, int, int, int]]] = field(
        default_factory=lambda: ([], [])
    )

    def conserves(self) -> bool:
        return (
            self.free + self.held + self.sold + self.withheld == self.cap
            and self.free >= 0
            and self.held >= 0
            and self.sold >= 0
            and self.withheld >= 0
        )


@dataclass(slots=True)
class Fan:
    """`used`: units in holds, offers and unrefunded orders; `bought`: in unrefunded orders alone;
    the same per item. `line`: entries whose fate is open. `begun_till`: until when what he began
    has used up his pace, ms."""

    id: str
    used: int = 0
    bought: int = 0
    used_of: dict[str, int] = field(default_factory=dict)
    bought_of: dict[str, int] = field(default_factory=dict)
    line: list[Entry] = field(default_factory=list)
    madegood: bool = False
    begun_till: int = 0


@dataclass(slots=True)
class Hold:
    """`state`: active, paying, sold, released, expired or cancelled."""

    id: str
    fan: Fan
    pool: Pool
    qty: int
    price: int
    start: int
    deadline: int
    entry: Entry | None = None
    claimed: bool = False
    extended: bool = False
    looked: bool = False
    began: bool = False
    judged: bool = False
    """A payment was judged after its end: no other of the same intent may be."""
    state: str = "active"

    @property
    def alive(self) -> bool:
        return self.state in ("active", "paying")

    @property
    def unclaimed(self) -> bool:
        return self.entry is not None and not self.claimed

    def equals(self, other: Hold) -> bool:
        return self.fan is other.fan and self.pool is other.pool and self.qty == other.qty


@dataclass(slots=True)
class Order:
    """`state`: one of `model.OrderState`."""

    hold: str
    fan: Fan
    pool: Pool
    qty: int
    serials: list[int]
    amount: int
    charge: str
    state: str

    @property
    def stands(self) -> bool:
        return self.state in ("capture_pending", "capture_failed", "done")


@dataclass(slots=True)
class Entry:
    """`state`: waiting, offered, returning (its hold came back, its fate follows), selling (its
    hold was sold, `served` follows), served, dormant, left, removed. `ready`: per pool of its list.
    """

    id: str
    fan: Fan
    n: int
    qty: int
    pools: list[Pool]
    lane: int
    points: int
    ordinal: int
    state: str = "waiting"
    lapses: int = 0
    hold: str = ""
    cool: int = 0
    ready: list[bool] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "offered", "returning", "selling")


@dataclass(slots=True)
class Duty:
    kind: str
    hold: str
    charge: str
    amount: int


@dataclass(slots=True)
class Owed:
    """An event that must follow at once: one of `kinds` about `who`, an entry or a late payer."""

    kinds: tuple[str, ...]
    who: str
    inv: str
    because: str


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
        self.closes_ms = 0
        self.arrivals = 0
        self.line = 0
        self.seq = 0
        self.at = 0
        self.pools: dict[str, Pool] = {}
        self.items: dict[str, Item] = {}
        self.fans: dict[str, Fan] = {}
        self.holds: dict[str, Hold] = {}
        self.orders: dict[str, Order] = {}
        self.entries: dict[str, Entry] = {}
        self.by_ordinal: list[Entry] = []
        self.charges: dict[str, str] = {}
        self.captured_of, self.refunded_of = dict[str, int](), dict[str, int]()
        self.by_hand_of, self.given_up_of = dict[str, int](), dict[str, int]()
        self.outbox: dict[str, Duty] = {}
        self.keys: set[tuple[str, str]] = set()
        self.owed: list[Owed] = []
        self.deadlines: list[tuple[int, str]] = []
        self.cooling: list[tuple[int, int]] = []
        self.violations: list[Violation] = []
        self.count: dict[str, int] = dict.fromkeys(COUNTS, 0)
        self.fresh = False
        """Only settling and serving was seen since the time moved: a script is about to decide."""
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
        """Units of the item that the fan may still take; below zero when he has too many."""
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
        """`qty` more (or fewer, when negative) units count against the fan's limit."""
        fan.used += qty
        fan.used_of[item.id] = fan.used_of.get(item.id, 0) + qty
        for entry in fan.line:
            self.stand(entry)

    def buy(self, fan: Fan, item: Item, qty: int) -> None:
        fan.bought += qty
        fan.bought_of[item.id] = fan.bought_of.get(item.id, 0) + qty

    def stand(self, entry: Entry) -> None:
        """Bring the entry's readiness in each of its lines up to date."""
        waits = entry.state == "waiting" and entry.cool == 0
        for i, pool in enumerate(entry.pools):
            ready = waits and self.room(entry.fan, pool.item) >= 1
            if ready == entry.ready[i]:
                continue
            entry.ready[i] = ready
            if ready:
                pool.ready += 1
                points = POINTS_MAX - entry.points if entry.lane == BOOST else 0
                heappush(pool.lanes[entry.lane], (points, entry.n, entry.ordinal, i))
            else:
                pool.ready -= 1

    def cool(self, entry: Entry, until: int) -> None:
        entry.cool = until
        heappush(self.cooling, (until, entry.ordinal))

    def thaw(self, now: int) -> None:
        """Entries whose cooling is over by now may be called again."""
        while self.cooling and self.cooling[0][0] <= now:
            until, ordinal = heappop(self.cooling)
            entry = self.by_ordinal[ordinal]
            if entry.cool == until:
                entry.cool = 0
                self.stand(entry)

    def close_entry(self, entry: Entry, state: str) -> None:
        entry.state, entry.cool = state, 0
        self.stand(entry)
        if entry in entry.fan.line:
            entry.fan.line.remove(entry)

    def head(self, pool: Pool, lane: int) -> Entry | None:
        """The first of one lane of a pool that may be called now."""
        heap = pool.lanes[lane]
        while heap:
            entry = self.by_ordinal[heap[0][2]]
            if entry.ready[heap[0][3]]:
                return entry
            heappop(heap)
        return None

    def first_ready(self, pool: Pool) -> Entry | None:
        return self.head(pool, BASE) or self.head(pool, BOOST)

    def pick(self) -> tuple[Entry, Pool, int] | None:
        """Who must be called now, to which pool and by which lane; None when nobody can be.

        Every pool with a free unit and somebody ready names its lane by its own counter. Among the
        pools that name the base lane the smallest arrival goes first, else the best of the boost
        lanes (most points, then smallest arrival). He gets the first pool of his list at which he
        is the head.
        """
        assert self.rules is not None
        named: dict[str, tuple[Entry, int]] = {}
        best: tuple[int, int, int] | None = None
        chosen: Entry | None = None
        for pool in self.pools.values():
            if pool.free <= 0 or pool.ready <= 0:
                continue
            base, boost = self.head(pool, BASE), self.head(pool, BOOST)
            if boost is not None and (base is None or pool.calls >= self.rules.k - 1):
                entry, lane, rank = boost, BOOST, (BOOST, -boost.points, boost.n)
            elif base is not None:
                entry, lane, rank = base, BASE, (BASE, 0, base.n)
            else:
                continue
            named[pool.id] = (entry, lane)
            if best is None or rank < best:
                best, chosen = rank, entry
        if best is None or chosen is None:
            return None
        for pool in chosen.pools:
            if named.get(pool.id) == (chosen, best[0]):
                return chosen, pool, best[0]
        raise AssertionError("a head stands in no pool of its own list")

    def owe_outside(self, kind: str, name: str, hold: str, charge: str, amount: int) -> None:
        self.outbox[f"{kind}:{name}"] = Duty(kind, hold, charge, amount)

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
