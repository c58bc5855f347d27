"""The oracle: one drop as slow, plain Python. It keeps records only and counts everything anew.

The scripts keep counters, sets and flags because they must be fast; this file derives all of those
from the holds, orders and entries, so that a counter that drifts or a flag that is stale shows as a
difference. Given the same commands at the same times it predicts each outcome and the whole log,
event for event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import structs

from dropengine import events, model, wire

OFFERED_AT_ONCE = 64

OPEN_HOLD = ("active", "paying")
OPEN_ENTRY = ("waiting", "offered")
KEPT_ORDER = ("capture_pending", "capture_failed", "done")

E = TypeVar("E", bound=events.AnyEvent)


@dataclass
class Hold:
    id: str
    fan: str
    pool: str
    qty: int
    price: int
    origin: str
    start: int
    deadline: int
    key: str
    entry: str = ""
    call: int = 0
    state: str = "active"
    claimed: bool = False
    extended: bool = False
    began: bool = False
    looked: bool = False

    @property
    def open(self) -> bool:
        return self.state in OPEN_HOLD

    @property
    def offer(self) -> bool:
        """Given by the line and not taken yet."""
        return self.origin == "line" and not self.claimed


@dataclass
class Order:
    id: str
    fan: str
    pool: str
    qty: int
    amount: int
    serials: list[int]
    charge: str
    state: str
    at: int

    @property
    def kept(self) -> bool:
        return self.state in KEPT_ORDER


@dataclass
class Entry:
    id: str
    fan: str
    n: int
    qty: int
    pools: list[str]
    lane: int
    points: int
    key: str
    state: str = "waiting"
    lapses: int = 0
    hold: str = ""
    cool: int = 0
    ready: list[int] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.state in OPEN_ENTRY


@dataclass
class Duty:
    kind: str
    hold: str
    charge: str
    amount: int
    at: int


@dataclass
class Pool:
    id: str
    item: str
    cap: int
    withheld: int
    calls: int = 0
    """Base calls since the last boost call, at most k - 1."""
    removed: list[int] = field(default_factory=lambda: [0, 0])


@dataclass
class Item:
    id: str
    cap: int
    price: int
    limit: int
    most: int
    given: int = 0
    """The last serial that was given for the first time."""
    returned: set[int] = field(default_factory=set)


class Oracle:
    """One drop. A command takes the server's clock in ms and answers what the store must answer."""

    def __init__(self, rules: events.Rules, digest: str, by: str, key: str, clock: int) -> None:
        self.rules = rules
        self.log: list[events.AnyEvent] = []
        self.at = 0
        self.state = "scheduled"
        self.revision = 1
        self.pools = {p.id: Pool(p.id, p.item, p.cap, p.withheld) for p in rules.pools}
        self.items = {i.id: Item(i.id, i.cap, i.price, i.limit, i.most) for i in rules.items}
        self.holds: dict[str, Hold] = {}
        self.orders: dict[str, Order] = {}
        self.entries: dict[str, Entry] = {}
        self.arrivals = 0
        self.seen: dict[str, int] = {}
        """fan -> seq of his last event"""
        self.ended: dict[str, str] = {}
        """fan -> the hold that ended last without a sale"""
        self.madegood: set[str] = set()
        self.answers: dict[tuple[str, str], tuple[object, str]] = {}
        """fan and key -> the command and what it made"""
        self.by_creator: dict[tuple[str, str], object] = {(by, key): "publish"}
        """operator and key -> the command"""
        self.last_word = ("published", by)
        self.charges: dict[str, Bought] = {}
        self.outbox: dict[str, Duty] = {}
        self.offers = 0
        self.unwound = False
        """True once a cancelled drop has forgotten what else was due."""
        self.hours = {
            word: when
            for word, when in (("open", rules.opens_ms), ("close", rules.closes_ms))
            if when
        }
        self.begin(clock)
        self.say(
            events.Published,
            by=by,
            key=key,
            revision=1,
            schema=model.SCHEMA,
            test=1,
            hash=digest,
            rules=rules,
        )

    # --- What there is, counted. --------------------------------------------------------------

    def held(self, pool: str) -> int:
        return sum(h.qty for h in self.holds.values() if h.pool == pool and h.open)

    def sold(self, pool: str) -> int:
        return sum(o.qty for o in self.orders.values() if o.pool == pool and o.kept)

    def free(self, pool: str) -> int:
        it = self.pools[pool]
        return it.cap - it.withheld - self.held(pool) - self.sold(pool)

    def counts(self) -> dict[str, dict[str, int]]:
        """pool -> free, held, sold, withheld."""
        return {
            p: {
                "free": self.free(p),
                "held": self.held(p),
                "sold": self.sold(p),
                "withheld": pool.withheld,
            }
            for p, pool in self.pools.items()
        }

    def open_holds(self, fan: str) -> list[Hold]:
        return [h for h in self.holds.values() if h.fan == fan and h.open]

    def kept_orders(self, fan: str) -> list[Order]:
        return [o for o in self.orders.values() if o.fan == fan and o.kept]

    def open_entries(self, fan: str) -> list[Entry]:
        return [e for e in self.entries.values() if e.fan == fan and e.open]

    def used(self, fan: str) -> int:
        return sum(h.qty for h in self.open_holds(fan)) + sum(o.qty for o in self.kept_orders(fan))

    def room(self, fan: str, item: str, *, orders_alone: bool = False) -> int:
        """Units of `item` that the fan may still take."""
        had = [(o.pool, o.qty) for o in self.kept_orders(fan)]
        if not orders_alone:
            had += [(h.pool, h.qty) for h in self.open_holds(fan)]
        room = self.rules.limit - sum(qty for _, qty in had)
        limit = self.items[item].limit
        if limit > 0:
            room = min(room, limit - sum(q for p, q in had if self.pools[p].item == item))
        return room

    def line(self, pool: str, lane: int) -> list[Entry]:
        """Entries whose fate is open, in the order in which the lane calls them."""
        standing = [
            e for e in self.entries.values() if e.open and e.lane == lane and pool in e.pools
        ]
        return sorted(standing, key=lambda e: (-e.points, e.n))

    def place(self, entry: str, pool: str) -> int:
        """1 for the head of the line; the entry must stand in it."""
        return [e.id for e in self.line(pool, self.entries[entry].lane)].index(entry) + 1

    def ready(self, pool: str) -> list[Entry]:
        return [e for lane in (0, 1) for e in self.line(pool, lane) if self.is_ready(e, pool)]

    def is_ready(self, entry: Entry, pool: str) -> bool:
        return (
            entry.state == "waiting"
            and entry.cool == 0
            and self.room(entry.fan, self.pools[pool].item) >= 1
        )

    def public_state(self) -> str:
        gone = all(self.free(p) == 0 and self.held(p) == 0 for p in self.pools)
        return "sold_out" if self.state == "live" and gone else self.state

    def money(self) -> tuple[int, int]:
        """Captured and refunded, in minor units, as the log tells it."""
        captured = refunded = 0
        for event in self.log:
            match event:
                case events.Sold() | events.Rescued() if event.capture == "done":
                    captured += event.amount
                case events.Voided(how="refund"):
                    captured += event.amount
                case events.Discharged(kind="capture", result="done"):
                    captured += event.amount
                case events.Discharged(kind="refund", result="done"):
                    refunded += event.amount
                case _:
                    pass
        return captured, refunded

    # --- The log. -----------------------------------------------------------------------------

    def say(self, word: Callable[..., E], /, **fields: object) -> E:
        event = word(seq=len(self.log) + 1, at=self.at, **fields)
        self.log.append(event)
        fan = fields.get("fan")
        if isinstance(fan, str):
            self.seen[fan] = event.seq
        return event

    @property
    def seq(self) -> int:
        return len(self.log)

    # --- Time. --------------------------------------------------------------------------------

    def begin(self, clock: int) -> None:
        """now = max(the clock, the last event's time)."""
        last = self.log[-1].at if self.log else 0
        self.at = max(clock, last)

    def stage(self, clock: int) -> None:
        """What is done before any command: settle all that is due, then serve."""
        self.begin(clock)
        if self.state == "frozen":
            return
        while True:
            self.offers = 0
            while self.settle_one():
                pass
            if self.serve():
                return

    def due(self) -> Iterator[tuple[int, str]]:
        """What the clock will do, as (when, member)."""
        for hold in self.holds.values():
            if hold.open:
                yield hold.deadline, f"h:{hold.id}"
        for entry in self.entries.values():
            if entry.open and entry.cool and not self.unwound:
                yield entry.cool, f"e:{entry.id}"
        for word, when in self.hours.items():
            yield when, word

    def settle_one(self) -> bool:
        """Settle what is due first (ties: the smaller name). False when nothing is due."""
        if self.state == "cancelled":
            return self.unwind()
        now = [(when, member) for when, member in self.due() if when <= self.at]
        if not now:
            return self.settle_drop()
        _, member = min(now)
        match member[:2], member[2:]:
            case "h:", name:
                self.settle_hold(self.holds[name])
            case "e:", name:
                self.entries[name].cool = 0
                self.refresh(self.entries[name].fan, freed=False)
            case _:
                del self.hours[member]
                if member == "open" and self.state == "scheduled":
                    self.by_clock(events.Opened, "live")
                elif member == "close" and self.state in ("live", "paused"):
                    self.by_clock(events.Closed, "closing")
        return True

    def by_clock(self, kind: type[events.Opened] | type[events.Closed], state: str) -> None:
        self.revision += 1
        self.state = state
        self.last_word = ("the clock", "clock")
        self.say(kind, by="clock", key="", revision=self.revision)

    def settle_hold(self, hold: Hold) -> None:
        if hold.offer:
            self.give_back(hold, events.Lapsed)
        elif hold.state == "paying" and not hold.looked:
            hold.looked = True
            hold.deadline = max(hold.deadline + self.rules.lookup_ms, self.at + 1)
            self.outbox[f"lookup:{hold.id}"] = Duty(
                "lookup", hold.id, "", hold.price * hold.qty, self.at
            )
            self.say(
                events.Extended,
                fan=hold.fan,
                key="",
                hold=hold.id,
                deadline=hold.deadline,
                why="lookup",
            )
        else:
            self.expire(hold)

    def settle_drop(self) -> bool:
        """A closing drop settles once nothing is held."""
        if self.state == "closing" and not any(h.open for h in self.holds.values()):
            self.state = "settled"
            self.say(events.Settled)
            return True
        return False

    def unwind(self) -> bool:
        """A cancelled drop ends its holds, the earliest deadline first, then refunds its orders."""
        self.unwound = True
        open_holds = sorted((h.deadline, f"h:{h.id}") for h in self.holds.values() if h.open)
        if open_holds:
            hold = self.holds[open_holds[0][1].removeprefix("h:")]
            self.end(hold, "cancelled")
            self.say_released(hold, key="", by="creator")
            self.refresh(hold.fan, freed=True)
            return True
        for order in self.orders.values():
            if order.kept:
                self.undo(order, by="creator", key="")
                return True
        return False

    # --- Holds. -------------------------------------------------------------------------------

    def end(self, hold: Hold, state: str) -> None:
        hold.state = state
        self.ended[hold.fan] = hold.id

    def expire(self, hold: Hold) -> None:
        self.end(hold, "expired")
        self.say(events.Expired, fan=hold.fan, hold=hold.id, pool=hold.pool, qty=hold.qty)
        self.after_claimed(hold)

    def say_released(self, hold: Hold, key: str, by: str) -> None:
        self.say(
            events.Released,
            fan=hold.fan,
            key=key,
            hold=hold.id,
            pool=hold.pool,
            qty=hold.qty,
            by=by,
        )

    def after_claimed(self, hold: Hold) -> None:
        """A claimed offer came back unsold: its entry waits again once, then sleeps."""
        entry = self.entry_of(hold)
        if entry is not None:
            self.uncall(hold)
            cool = self.wait_again(entry)
            if cool:
                self.say(events.Cooled, fan=entry.fan, entry=entry.id, cool=cool)
            else:
                self.say(events.Dormant, fan=entry.fan, entry=entry.id, n=entry.n)
        self.refresh(hold.fan, freed=True)

    def give_back(
        self, hold: Hold, kind: type[events.Lapsed] | type[events.Declined], **key: str
    ) -> None:
        """An unclaimed offer ends: the entry cools once, then sleeps."""
        entry = self.entry_of(hold)
        assert entry is not None, "an unclaimed offer has its entry"
        self.end(hold, "expired" if kind is events.Lapsed else "released")
        self.uncall(hold)
        cool = self.wait_again(entry)
        self.say(
            kind,
            fan=hold.fan,
            entry=entry.id,
            hold=hold.id,
            pool=hold.pool,
            qty=hold.qty,
            cool=cool,
            **key,
        )
        if not cool:
            self.say(events.Dormant, fan=entry.fan, entry=entry.id, n=entry.n)
        self.refresh(hold.fan, freed=True)

    def entry_of(self, hold: Hold) -> Entry | None:
        """The entry that this hold still stands for."""
        entry = self.entries.get(hold.entry)
        return entry if entry is not None and entry.open and entry.hold == hold.id else None

    def wait_again(self, entry: Entry) -> int:
        """The first unsold offer cools the entry; at the second it sleeps, and 0 is answered."""
        entry.hold = ""
        entry.lapses += 1
        if entry.lapses == 1:
            entry.state = "waiting"
            entry.cool = self.at + self.rules.cool_ms
            return entry.cool
        self.finish(entry, "dormant")
        return 0

    def uncall(self, hold: Hold) -> None:
        """A base call that sold nothing is not counted."""
        if hold.call == 0:
            pool = self.pools[hold.pool]
            pool.calls = max(pool.calls - 1, 0)

    def finish(self, entry: Entry, state: str) -> None:
        entry.state = state
        entry.cool = 0
        entry.ready = [0] * len(entry.pools)
        for pool in entry.pools:
            self.pools[pool].removed[entry.lane] += 1

    # --- The line. ----------------------------------------------------------------------------

    def refresh(self, fan: str, *, freed: bool) -> None:
        """The fan's room changed. `freed`: it grew, which is said when it makes an entry ready."""
        for entry in self.open_entries(fan):
            before = entry.ready
            entry.ready = [int(self.is_ready(entry, pool)) for pool in entry.pools]
            if freed and any(entry.ready) and not any(before):
                self.say(events.LimitFreed, fan=fan, entry=entry.id)

    def join_line(
        self, fan: str, key: str, qty: int, pools: list[str], lane: int, points: int, why: str
    ) -> Entry:
        self.arrivals += 1
        entry = Entry(
            f"e{len(self.entries) + 1}", fan, self.arrivals, qty, list(pools), lane, points, key
        )
        self.entries[entry.id] = entry
        entry.ready = [int(self.is_ready(entry, pool)) for pool in pools]
        self.say(
            events.Joined,
            fan=fan,
            key=key,
            entry=entry.id,
            n=entry.n,
            qty=qty,
            pools=list(pools),
            lane=lane,
            points=points,
            why=why,
        )
        return entry

    def head(self, pool: str, lane: int) -> Entry | None:
        return next((e for e in self.line(pool, lane) if self.is_ready(e, pool)), None)

    def called(self) -> tuple[Entry, str, int] | None:
        """Whom the line calls next, for which pool, in which lane."""
        base: dict[str, Entry] = {}
        boost: dict[str, Entry] = {}
        for pool in self.pools.values():
            if self.free(pool.id) > 0:
                first, best = self.head(pool.id, 0), self.head(pool.id, 1)
                if best is not None and (first is None or pool.calls == self.rules.k - 1):
                    boost[pool.id] = best
                elif first is not None:
                    base[pool.id] = first
        for lane, heads in ((0, base), (1, boost)):
            if heads:
                entry = min(heads.values(), key=lambda e: (-e.points, e.n))
                pool_id = next(p for p in entry.pools if heads.get(p) is entry)
                return entry, pool_id, lane
        return None

    def serve(self) -> bool:
        """The line gets what is free. False when the offers of one script did not suffice."""
        while self.state == "live":
            call = self.called()
            if call is None:
                break
            if self.offers == OFFERED_AT_ONCE:
                return False
            self.offer(*call)
            self.offers += 1
        return True

    def offer(self, entry: Entry, pool_id: str, lane: int) -> None:
        pool = self.pools[pool_id]
        item = self.items[pool.item]
        pool.calls = 0 if lane == 1 else min(pool.calls + 1, self.rules.k - 1)
        hold = Hold(
            id=f"h{len(self.holds) + 1}",
            fan=entry.fan,
            pool=pool_id,
            qty=min(entry.qty, self.free(pool_id), self.room(entry.fan, item.id)),
            price=item.price,
            origin="line",
            start=self.at,
            deadline=self.at + self.rules.offer_ms,
            key="",
            entry=entry.id,
            call=lane,
        )
        self.holds[hold.id] = hold
        entry.state = "offered"
        entry.hold = hold.id
        self.say(
            events.Offered,
            fan=entry.fan,
            entry=entry.id,
            n=entry.n,
            call=lane,
            hold=hold.id,
            pool=pool_id,
            qty=hold.qty,
            price=hold.price,
            deadline=hold.deadline,
        )
        self.refresh(entry.fan, freed=False)

    # --- Fans. --------------------------------------------------------------------------------

    def press(
        self, commands: Sequence[tuple[str, wire.FanCommand]], clock: int
    ) -> list[model.PressOutcome]:
        """One batch: a command sees what those before it did; the line is called at the end."""
        self.stage(clock)
        answers = [self.command(fan, command) for fan, command in commands]
        self.serve()
        return [self.as_it_ended(answer) for answer in answers]

    def as_it_ended(self, answer: model.PressOutcome) -> model.PressOutcome:
        """A batch is answered when all of it is decided: with the records as they are then."""
        match answer:
            case model.HoldGranted():
                return structs.replace(answer, hold=self.hold_record(self.holds[answer.id]))
            case model.EntryGranted():
                return structs.replace(answer, entry=self.entry_record(self.entries[answer.id]))
            case _:
                return answer

    def command(self, fan: str, command: wire.FanCommand) -> model.PressOutcome:
        was = self.seen.get(fan, 0)
        match command:
            case wire.Hold():
                return self.hold(fan, command, was)
            case wire.Join():
                return self.join(fan, command, was)
            case wire.Leave():
                return self.leave(fan, command, was)
            case wire.Pay(holds=[only]):
                return self.own_hold(fan, only, command, was)
            case wire.Claim() | wire.Release() | wire.Extend():
                return self.own_hold(fan, command.hold, command, was)
        raise AssertionError(command)

    def repeated(self, fan: str, key: str, body: object) -> str | model.KeyReused | None:
        known = self.answers.get((fan, key))
        if known is None:
            return None
        return known[1] if known[0] == body else model.KeyReused()

    def hold(self, fan: str, command: wire.Hold, was: int) -> model.PressOutcome:
        body = ("hold", command.pool, command.qty, command.fewer)
        match self.repeated(fan, command.key, body):
            case model.KeyReused() as reused:
                return reused
            case str() as made:
                return self.granted(model.Held, self.holds[made], was)
            case None:
                pass
        pool = self.pools.get(command.pool)
        if pool is None:
            return model.NotFound()
        refusal = self.phase(joining=False)
        if refusal is not None:
            return refusal
        item = self.items[pool.item]
        qty, room = command.qty, self.room(fan, pool.item)
        if qty > item.most:
            return model.LimitReached(room=min(room, item.most))
        for equal in self.open_holds(fan):
            if (equal.pool, equal.qty) == (pool.id, qty) and not equal.offer:
                self.answers[fan, command.key] = (body, equal.id)
                return self.granted(model.Held, equal, was)
        if room < qty:
            if not (command.fewer and room >= 1):
                return model.LimitReached(room=room)
            qty = room
        free, held = self.free(pool.id), self.held(pool.id)
        if self.ready(pool.id):
            return model.AllHeld(free=0, held=held)
        if free < qty:
            if command.fewer and free >= 1:
                qty = free
            elif free == 0 and held == 0:
                return model.SoldOut()
            else:
                return model.AllHeld(free=free, held=held)
        hold = Hold(
            id=f"h{len(self.holds) + 1}",
            fan=fan,
            pool=pool.id,
            qty=qty,
            price=item.price,
            origin="press",
            start=self.at,
            deadline=self.at + self.rules.hold_ms,
            key=command.key,
        )
        self.holds[hold.id] = hold
        self.answers[fan, command.key] = (body, hold.id)
        self.say(
            events.Held,
            fan=fan,
            key=command.key,
            hold=hold.id,
            pool=pool.id,
            qty=qty,
            price=hold.price,
            deadline=hold.deadline,
        )
        self.refresh(fan, freed=False)
        return self.granted(model.Held, hold, was)

    def phase(self, *, joining: bool) -> Phase | None:
        match self.state:
            case "scheduled":
                return model.NotOpen()
            case "paused":
                return None if joining else model.Paused()
            case "closing" | "settled":
                return model.Closed()
            case "cancelled":
                return model.Cancelled()
            case "frozen":
                return model.Frozen()
            case _:
                return None

    def stopped(self) -> model.Cancelled | model.Frozen | None:
        """Why nothing goes on. A pause and the closing take nothing from who holds something."""
        match self.state:
            case "cancelled":
                return model.Cancelled()
            case "frozen":
                return model.Frozen()
            case _:
                return None

    def own_hold(
        self,
        fan: str,
        name: str,
        command: wire.Claim | wire.Release | wire.Extend | wire.Pay,
        was: int,
    ) -> model.PressOutcome:
        hold = self.holds.get(name)
        if hold is None or hold.fan != fan:
            return model.NotFound()
        if isinstance(command, wire.Release) and hold.state == "released":
            return self.granted(model.Released, hold, was)
        if isinstance(command, wire.Claim) and hold.origin != "line":
            return model.NotFound()
        stopped = self.stopped()
        if stopped is not None:
            return stopped
        if not hold.open:
            return model.HoldExpired(state=hold.state)
        match command:
            case wire.Claim():
                if not hold.claimed:
                    self.claim(hold, command.key)
                return self.granted(model.Claimed, hold, was)
            case wire.Release():
                self.release(hold, command.key)
                return self.granted(model.Released, hold, was)
            case wire.Extend():
                if hold.offer:
                    return model.NotFound()
                if not hold.extended:
                    hold.extended = True
                    hold.deadline += self.rules.extend_ms
                    self.say(
                        events.Extended,
                        fan=fan,
                        key=command.key,
                        hold=hold.id,
                        deadline=hold.deadline,
                        why="fan",
                    )
                return self.granted(model.Extended, hold, was)
            case wire.Pay():
                if hold.offer:
                    self.claim(hold, command.key)
                if not hold.began:
                    self.begin_paying(hold, command.key)
                return self.granted(model.Paying, hold, was)

    def claim(self, hold: Hold, key: str) -> None:
        hold.claimed = True
        hold.start = self.at
        hold.deadline = self.at + self.rules.hold_ms
        self.say(events.Claimed, fan=hold.fan, key=key, hold=hold.id, deadline=hold.deadline)

    def release(self, hold: Hold, key: str) -> None:
        if hold.offer:
            self.give_back(hold, events.Declined, key=key)
        else:
            self.end(hold, "released")
            self.say_released(hold, key=key, by="fan")
            self.after_claimed(hold)

    def begin_paying(self, hold: Hold, key: str) -> None:
        rules = self.rules
        hold.began = True
        hold.state = "paying"
        latest = hold.start + 2 * rules.hold_ms + rules.pay_ms
        hold.deadline = max(hold.deadline, min(self.at + rules.pay_ms, latest))
        self.say(events.Paying, fan=hold.fan, key=key, hold=hold.id, deadline=hold.deadline)

    def join(self, fan: str, command: wire.Join, was: int) -> model.PressOutcome:
        body = ("join", tuple(command.pools), command.qty)
        match self.repeated(fan, command.key, body):
            case model.KeyReused() as reused:
                return reused
            case str() as made:
                return self.granted_entry(model.Joined, self.entries[made], was)
            case None:
                pass
        if any(pool not in self.pools for pool in command.pools):
            return model.NotFound()
        refusal = self.phase(joining=True)
        if refusal is not None:
            return refusal
        for entry in self.open_entries(fan):
            if entry.lane == 0:
                self.answers[fan, command.key] = (body, entry.id)
                return self.granted_entry(model.Joined, entry, was)
        for pool in command.pools:
            most = self.items[self.pools[pool].item].most
            if command.qty > most:
                return model.LimitReached(room=most)
        entry = self.join_line(fan, command.key, command.qty, command.pools, 0, 0, "fan")
        self.answers[fan, command.key] = (body, entry.id)
        return self.granted_entry(model.Joined, entry, was)

    def leave(self, fan: str, command: wire.Leave, was: int) -> model.PressOutcome:
        entry = self.entries.get(command.entry)
        if entry is None or entry.fan != fan:
            return model.NotFound()
        if not entry.open:
            if entry.state == "left":
                return self.granted_entry(model.Left, entry, was)
            return model.NotFound()
        stopped = self.stopped()
        if stopped is not None:
            return stopped
        hold = self.holds.get(entry.hold)
        if hold is not None and hold.offer:
            self.end(hold, "released")
            self.uncall(hold)
            entry.hold = ""
            entry.lapses += 1
            self.say(
                events.Declined,
                fan=fan,
                entry=entry.id,
                hold=hold.id,
                pool=hold.pool,
                qty=hold.qty,
                cool=0,
                key=command.key,
            )
            self.refresh(fan, freed=True)
        self.finish(entry, "left")
        self.say(events.Left, fan=fan, key=command.key, entry=entry.id, n=entry.n)
        return self.granted_entry(model.Left, entry, was)

    def granted(self, kind: type[G], hold: Hold, was: int) -> G:
        return kind(hold.id, self.hold_record(hold), self.seq, was)

    def granted_entry(self, kind: type[J], entry: Entry, was: int) -> J:
        return kind(entry.id, self.entry_record(entry), self.seq, was)

    def hold_record(self, hold: Hold) -> model.HoldRecord:
        return model.HoldRecord(
            fan=hold.fan,
            pool=hold.pool,
            qty=hold.qty,
            price=hold.price,
            origin=hold.origin,
            state=hold.state,
            start_ms=hold.start,
            deadline_ms=hold.deadline,
            entry=hold.entry,
            claimed=int(hold.claimed),
            extended=int(hold.extended),
            began=int(hold.began),
            looked=int(hold.looked),
            key=hold.key,
        )

    def entry_record(self, entry: Entry) -> model.EntryRecord:
        return model.EntryRecord(
            fan=entry.fan,
            n=entry.n,
            qty=entry.qty,
            pools=list(entry.pools),
            lane=entry.lane,
            points=entry.points,
            state=entry.state,
            lapses=entry.lapses,
            hold=entry.hold,
            ready=list(entry.ready),
            cool_ms=entry.cool,
            key=entry.key,
        )

    # --- Payments. ----------------------------------------------------------------------------

    def succeeded(
        self, name: str, charge: str, amount: int, currency: str, captured: bool, clock: int
    ) -> model.PaymentOutcome:
        if charge in self.charges:
            # What was decided stands, whatever is due by now.
            return structs.replace(self.charges[charge], seq=self.seq)
        self.stage(clock)
        hold = self.holds.get(name)
        if hold is None:
            return model.NotFound()
        outcome: Bought = self.judge(hold, charge, amount, currency, captured)
        self.charges[charge] = outcome
        self.serve()
        return outcome

    def judge(self, hold: Hold, charge: str, amount: int, currency: str, captured: bool) -> Bought:
        if (amount, currency) != (hold.price * hold.qty, self.rules.currency):
            return self.void(hold, charge, amount, captured, "mismatch")
        if hold.open:
            return self.sell(hold, hold, charge, captured)
        if hold.id in self.orders or hold.state == "sold":
            return self.void(hold, charge, amount, captured, "second")
        if hold.state != "expired" or not hold.began or self.state == "cancelled":
            return self.void(hold, charge, amount, captured, "ended")
        for equal in self.open_holds(hold.fan):
            alike = (equal.pool, equal.qty, equal.price) == (hold.pool, hold.qty, hold.price)
            if alike and not equal.offer:
                return self.sell(equal, hold, charge, captured)
        selling = self.state in ("live", "paused", "closing")
        room = self.room(hold.fan, self.pools[hold.pool].item)
        if (
            selling
            and self.free(hold.pool) >= hold.qty
            and room >= hold.qty
            and not self.ready(hold.pool)
        ):
            return self.rescue(hold, charge, captured)
        return self.void(hold, charge, amount, captured, "late")

    def sell(self, hold: Hold, intent: Hold, charge: str, captured: bool) -> model.Sold:
        hold.state = "sold"
        self.outbox.pop(f"lookup:{hold.id}", None)
        self.order(events.Sold, hold, intent, charge, captured)
        entry = self.entry_of(hold)
        if entry is not None:
            self.finish(entry, "served")
            self.say(events.Served, fan=entry.fan, entry=entry.id, n=entry.n)
        self.drop_full_entries(hold.fan)
        return model.Sold(hold.id, self.seq)

    def rescue(self, hold: Hold, charge: str, captured: bool) -> model.Rescued:
        self.order(events.Rescued, hold, hold, charge, captured)
        self.drop_full_entries(hold.fan)
        self.refresh(hold.fan, freed=False)
        return model.Rescued(hold.id, self.seq)

    def order(
        self,
        kind: type[events.Sold] | type[events.Rescued],
        hold: Hold,
        intent: Hold,
        charge: str,
        captured: bool,
    ) -> None:
        amount = hold.price * hold.qty
        serials = self.serials(self.items[self.pools[hold.pool].item], hold.qty)
        self.orders[hold.id] = Order(
            id=hold.id,
            fan=hold.fan,
            pool=hold.pool,
            qty=hold.qty,
            amount=amount,
            serials=serials,
            charge=charge,
            state="done" if captured else "capture_pending",
            at=self.at,
        )
        if not captured:
            self.outbox[f"capture:{charge}"] = Duty("capture", hold.id, charge, amount, self.at)
        self.say(
            kind,
            fan=hold.fan,
            hold=hold.id,
            intent=intent.id,
            pool=hold.pool,
            qty=hold.qty,
            serials=list(serials),
            amount=amount,
            charge=charge,
            capture="done" if captured else "pending",
        )

    def serials(self, item: Item, qty: int) -> list[int]:
        """The lowest that came back, then new ones."""
        again = sorted(item.returned)[:qty]
        item.returned -= set(again)
        fresh = [item.given + 1 + i for i in range(qty - len(again))]
        item.given += len(fresh)
        return again + fresh

    def drop_full_entries(self, fan: str) -> None:
        """Orders that fill the limit end the fan's other entries."""
        for entry in self.open_entries(fan):
            rooms = [self.room(fan, self.pools[p].item, orders_alone=True) for p in entry.pools]
            if all(room < 1 for room in rooms):
                self.finish(entry, "removed")
                self.say(events.Removed, fan=fan, entry=entry.id, n=entry.n, why="limit")

    def void(self, hold: Hold, charge: str, amount: int, captured: bool, why: str) -> model.Voided:
        how = "refund" if captured else "void"
        self.outbox[f"{how}:{charge}"] = Duty(how, hold.id, charge, amount, self.at)
        self.say(
            events.Voided,
            fan=hold.fan,
            hold=hold.id,
            charge=charge,
            amount=amount,
            how=how,
            why=why,
        )
        entry = ""
        if (
            why == "late"
            and hold.fan not in self.madegood
            and self.state not in ("closing", "settled", "cancelled")
        ):
            self.madegood.add(hold.fan)
            entry = self.join_line(
                hold.fan, "", hold.qty, [hold.pool], 1, model.POINTS_MAX, "makegood"
            ).id
        return model.Voided(hold.id, self.seq, why, entry)

    def unpaid(self, name: str, clock: int) -> model.Expired | model.NotFound | model.HoldExpired:
        """The provider says that nobody paid."""
        self.stage(clock)
        hold = self.holds.get(name)
        if hold is None:
            return model.NotFound()
        if not hold.open:
            return model.HoldExpired(state=hold.state)
        if hold.state != "paying" or not hold.looked:
            return model.NotFound()
        self.expire(hold)
        answer = model.Expired(hold.id, self.seq)
        self.serve()
        return answer

    def refund(self, name: str, by: str, key: str, clock: int) -> model.RefundOutcome:
        self.stage(clock)
        order = self.orders.get(name)
        if order is None:
            return model.NotFound()
        if not order.kept:
            return model.Refunded(order.id, self.seq)
        self.undo(order, by, key)
        answer = model.Refunded(order.id, self.seq)
        self.serve()
        return answer

    def undo(self, order: Order, by: str, key: str) -> None:
        order.state = "refund_pending"
        self.items[self.pools[order.pool].item].returned |= set(order.serials)
        self.outbox.pop(f"capture:{order.charge}", None)
        self.outbox[f"refund:{order.charge}"] = Duty(
            "refund", order.id, order.charge, order.amount, self.at
        )
        self.say(
            events.Refunded,
            fan=order.fan,
            hold=order.id,
            pool=order.pool,
            qty=order.qty,
            serials=list(order.serials),
            amount=order.amount,
            charge=order.charge,
            by=by,
            key=key,
        )
        self.refresh(order.fan, freed=True)

    def discharge(self, name: str, result: str, clock: int) -> model.Discharged | model.NotFound:
        self.stage(clock)
        duty = self.outbox.get(name)
        if duty is None:
            return model.NotFound()
        if (duty.kind, result) == ("refund", "failed"):
            return model.Discharged(name, self.seq)
        del self.outbox[name]
        order = self.orders.get(duty.hold)
        if order is not None and order.charge == duty.charge:
            match duty.kind, result:
                case "capture", "done":
                    order.state = "done"
                case "capture", _:
                    order.state = "capture_failed"
                case "refund", _:
                    order.state = "refunded"
                case _:
                    pass
        self.say(
            events.Discharged,
            fan=self.holds[duty.hold].fan,
            duty=name,
            kind=duty.kind,
            hold=duty.hold,
            charge=duty.charge,
            amount=duty.amount,
            result=result,
        )
        return model.Discharged(name, self.seq)

    # --- Creators. ----------------------------------------------------------------------------

    def creator(
        self, verb: str, revision: int, key: str, by: str, clock: int, **more: object
    ) -> model.CreatorOutcome:
        """verb: open, pause, resume, close, cancel, message, add, withdraw; `more`: its words."""
        self.stage(clock)
        body = (verb, tuple(sorted(more.items())))
        known = self.by_creator.get((by, key))
        if known is not None and known != body:
            return model.KeyReused()
        if known is None:
            refusal = self.may(verb, revision, more)
            if refusal is not None:
                return refusal
            self.by_creator[by, key] = body
            self.carry_out(verb, key, by, more)
            self.serve()
        return model.Done(self.seq, self.revision, self.state)

    def carry_out(self, verb: str, key: str, by: str, more: dict[str, object]) -> None:
        kind, word, state = COMMANDS[verb]
        self.revision += 1
        self.state = state or self.state
        self.last_word = (word, by)
        for hour in OVER.get(verb, ()):
            self.hours.pop(hour, None)
        if verb in ("add", "withdraw"):
            pool, qty = self.pools[str(more["pool"])], int(str(more["qty"]))
            pool.withheld += qty if verb == "withdraw" else -qty
        self.say(kind, by=by, key=key, revision=self.revision, **more)

    def may(self, verb: str, revision: int, more: dict[str, object]) -> model.CreatorOutcome | None:
        if self.state == "frozen" and verb != "cancel":
            return model.Frozen()
        if revision != self.revision:
            return self.stale()
        if self.state not in ALLOWED[verb]:
            match self.state:
                case "scheduled":
                    return model.NotOpen()
                case "paused":
                    return model.Paused()
                case "closing" | "settled":
                    return model.Closed()
                case "cancelled":
                    return model.Cancelled()
                case _:
                    return self.stale()
        if verb in ("add", "withdraw"):
            pool = self.pools.get(str(more["pool"]))
            if pool is None:
                return model.NotFound()
            enough = pool.withheld if verb == "add" else self.free(pool.id)
            if enough < int(str(more["qty"])):
                return model.TooFew(**self.counts()[pool.id])
        return None

    def stale(self) -> model.StaleRevision:
        what, by = self.last_word
        return model.StaleRevision(self.revision, self.state, what, by)

    def settle(self, clock: int) -> None:
        self.stage(clock)


Phase = model.NotOpen | model.Paused | model.Closed | model.Cancelled | model.Frozen
Bought = model.Sold | model.Rescued | model.Voided
G = TypeVar("G", bound=model.HoldGranted)
J = TypeVar("J", bound=model.EntryGranted)

COMMANDS: dict[str, tuple[Callable[..., events.AnyEvent], str, str | None]] = {
    "open": (events.Opened, "opened", "live"),
    "pause": (events.Paused, "paused", "paused"),
    "resume": (events.Resumed, "resumed", "live"),
    "close": (events.Closed, "closed", "closing"),
    "cancel": (events.Cancelled, "cancelled", "cancelled"),
    "message": (events.Message, "message", None),
    "add": (events.Added, "added", None),
    "withdraw": (events.Withdrawn, "withdrawn", None),
}
"""A command: its event, the name of the event, and the state it leads to; None: it stays."""

OVER: dict[str, tuple[str, ...]] = {
    "open": ("open",),
    "close": ("close",),
    "cancel": ("open", "close"),
}
"""Times of the drop that mean nothing after a command."""

ALLOWED: dict[str, tuple[str, ...]] = {
    "open": ("scheduled",),
    "pause": ("live",),
    "resume": ("paused",),
    "close": ("live", "paused"),
    "cancel": ("scheduled", "live", "paused", "closing", "frozen"),
    "message": ("scheduled", "live", "paused", "closing"),
    "add": ("scheduled", "live", "paused"),
    "withdraw": ("scheduled", "live", "paused"),
}
