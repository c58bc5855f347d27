"""The books: everything there is, counted anew from the records each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from dropengine import events, model, outcomes
from dropengine.log.layouts import KEEPS_REASONS, NUMBERS_CHARGES
from tests.kit.oracle.hours import FIRST_MS, MINUTE, between
from tests.kit.oracle.records import Duty, Entry, Hold, Item, Order, Payment, Pool

Bought = outcomes.Paid | outcomes.Voided
E = TypeVar("E", bound=events.AnyEvent)


class Books:
    """Records, the log, and what they add up to."""

    def __init__(self, rules: events.Rules, digest: str, by: str, key: str, clock: int) -> None:
        self.rules = rules
        self.log: list[events.AnyEvent] = []
        self.at = 0
        self.lead = 0
        """The drop's own time less the server's clock."""
        self.leads: list[tuple[int, int]] = []
        self.ran: int | None = None
        """When a script last left a mark; None where no test began one."""
        self.gap = 0
        self.doubted = False
        self.changed_at = 0
        """when something changed last, with an event or without"""
        self.schema = model.SCHEMA
        self.state = "scheduled"
        self.revision = 1
        self.digest = digest
        self.corrections = 0
        self.pools = {p.id: Pool(p.id, p.item, p.cap, p.withheld) for p in rules.pools}
        self.items = {i.id: Item(i.id, i.cap, i.price, i.limit, i.most) for i in rules.items}
        self.holds: dict[str, Hold] = {}
        self.granted_ever = 0
        """Holds and offers, those too that were taken out since."""
        self.settled_at: list[int] = []
        """Moments by which everything due was settled, as they were written down for `past`."""
        self.orders: dict[str, Order] = {}
        self.payments: dict[str, Payment] = {}
        self.entries: dict[str, Entry] = {}
        self.arrivals = 0
        self.seen: dict[str, int] = {}
        """fan -> seq of his last event"""
        self.ended: dict[str, str] = {}
        """fan -> the hold that ended last without a sale"""
        self.ended_entry: dict[str, str] = {}
        """fan -> the place that ended last without a sale, until he joins again"""
        self.tickets_of: dict[str, int] = {}
        """fan -> with how many tickets he enters a list, 1 where nothing is said"""
        self.madegood: set[str] = set()
        self.answers: dict[tuple[str, str], tuple[Any, str | tuple[object, ...]]] = {}
        """fan and key -> the command and what it made"""
        self.person_of: dict[str, str] = {}
        """guest -> the person who adopted him"""
        self.guests: dict[str, list[str]] = {}
        """person -> the guests whom he adopted"""
        self.bought: dict[str, list[str]] = {}
        """fan -> his orders, those of a guest whom he adopted behind those that he had"""
        self.used_till: dict[str, int] = {}
        """fan -> until when what he began has used up his pace"""
        self.coming: tuple[str, ...] | None = None
        """Where the command comes from that is decided; None: from nowhere that is counted."""
        self.exempt: list[str] = []
        self.crowded: Counter[str] = Counter()
        self.at_domain: dict[str, str] = {}
        """Who takes part -> the mail domain at which he counts (N6)."""
        """Network -> how often somebody was refused because it was full."""
        self.by_creator: dict[tuple[str, str], object] = {(by, key): "publish"}
        """operator and key -> the command"""
        self.last_word = ("published", by)
        self.why: str | None = None
        """The reason of the last pause or cancellation."""
        self.paused_by = ""
        self.froze = ""
        """Why it is frozen, and what it was before."""
        self.was = ""
        self.charges: dict[str, Bought] = {}
        self.number_of: dict[str, str] = {}
        """A charge as the provider calls it -> as the log does."""
        self.outbox: dict[str, Duty] = {}
        self.of_nothing: set[str] = set()
        """Charges that buy nothing and carried nothing."""
        self.offers = 0
        self.unwound = False
        """True once a cancelled drop has forgotten what else was due."""
        self.hours = {"close": rules.closes_ms} if rules.closes_ms else {}
        if rules.opens_ms:
            self.hours["open" if rules.mode == "rush" else "lobby"] = self.begins(rules)
        self.opened_ms = 0
        """When it opened, by the true clock."""
        self.sealed_ms = 0
        """When its list was sealed, by the true clock."""
        self.root = self.value = ""
        """Of the sealed list, and by what it is ordered."""
        self.placed = 0
        """How many of the list have their arrivals."""
        self.carry_looked = self.carried = 0
        """Of an earlier drop's list: how many were looked at, how many have an arrival here."""
        self.carry_of: int | None = None
        self.taken_up: set[str] = set()
        """Pools whose last free unit was taken once."""
        self.first: int | None = None
        """How many offers the first round has come to; None: there is none."""
        self.first_was = False
        """Was there one that is over?"""
        self.won: int | None = None
        """How many offers it came to."""
        self.called_up = 0
        """The largest arrival that a base lane has called."""
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

    @staticmethod
    def begins(rules: events.Rules) -> int:
        """When it opens, or its list does, by the true clock."""
        return rules.opens_ms - (rules.window_ms if rules.mode == "lobby" else 0)

    def listed(self) -> list[Entry]:
        """The list that chance orders, in the order of the joins."""
        return [entry for entry in self.entries.values() if entry.tickets]

    def to_carry(self) -> bool:
        """K2."""
        return self.rules.carried is not None and self.carry_looked != self.carry_of

    def next_hold(self) -> str:
        """T12."""
        self.granted_ever += 1
        return f"h{self.granted_ever}"

    def held(self, pool: str) -> int:
        return sum(h.qty for h in self.holds.values() if h.pool == pool and h.open)

    def offered(self, pool: str) -> int:
        return sum(h.qty for h in self.holds.values() if h.pool == pool and h.open and h.offer)

    def sold(self, pool: str) -> int:
        return sum(o.qty for o in self.orders.values() if o.pool == pool and o.kept)

    def free(self, pool: str) -> int:
        """H9."""
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

    def room(
        self,
        fan: str,
        item: str,
        *,
        orders_alone: bool = False,
        more: Mapping[str, int] | None = None,
    ) -> int:
        """Units of `item` that the fan may still take (H3). more: as if he had those of pools."""
        had = [(o.pool, o.qty) for o in self.kept_orders(fan)]
        had += (more or {}).items()
        if not orders_alone:
            had += [(h.pool, h.qty) for h in self.open_holds(fan)]
        room = self.rules.limit - sum(qty for _, qty in had)
        limit = self.items[item].limit
        if limit > 0:
            room = min(room, limit - sum(q for p, q in had if self.pools[p].item == item))
        return room

    def can_serve(self, fan: str, pools: list[str]) -> bool:
        """Would there be room for the fan in one of these pools if he held nothing?"""
        rooms = [self.room(fan, self.pools[pool].item, orders_alone=True) for pool in pools]
        return any(room >= 1 for room in rooms)

    def line(self, pool: str, lane: int) -> list[Entry]:
        """Entries whose fate is open, in the order in which the lane calls them (L6)."""
        standing = [
            e
            for e in self.entries.values()
            if e.open and e.n and pool in e.pools and (lane == 0 or e.rank)
        ]
        return sorted(standing, key=lambda e: (-e.rank * lane, e.n))

    def place(self, entry: str, pool: str, lane: int = 0) -> int:
        """1 for the head of the lane; the entry must stand in it."""
        return [e.id for e in self.line(pool, lane)].index(entry) + 1

    def ready(self, pool: str) -> list[Entry]:
        return [e for e in self.line(pool, 0) if self.is_ready(e, pool)]

    def is_ready(self, entry: Entry, pool: str) -> bool:
        """L3, E4, K5."""
        lets = self.lets_take(entry.fan, pool) >= 1 and self.share_left(entry, pool) >= 1
        return self.waits(entry, pool) and lets

    def share_left(self, entry: Entry, pool: str) -> int:
        """How many units those whose places were carried over may still be offered (K5)."""
        named = self.rules.carried
        if named is None or not entry.carried or pool in self.taken_up:
            return model.CAP_MAX
        return self.share(pool) - self.of_carried(pool)

    def share(self, pool: str) -> int:
        assert self.rules.carried is not None
        return self.pools[pool].cap * self.rules.carried.share // 100

    def of_carried(self, pool: str) -> int:
        """Units that came of a carried place."""
        came = {h.id: h for h in self.holds.values() if self.is_carried(h.entry)}
        held = sum(h.qty for h in came.values() if h.pool == pool and h.open)
        sold = [o for o in self.orders.values() if o.pool == pool and o.kept and o.id in came]
        return held + sum(o.qty for o in sold)

    def is_carried(self, name: str) -> bool:
        return name in self.entries and self.entries[name].carried > 0

    def lets_take(self, fan: str, pool: str) -> int:
        """What his cohorts let him take."""
        raise NotImplementedError

    def waits(self, entry: Entry, pool: str) -> bool:
        """L3, whatever ceilings there are."""
        return (
            entry.state == "waiting"
            and entry.n > 0
            and entry.cool == 0
            and entry.carried != 1
            and self.room(entry.fan, self.pools[pool].item) >= 1
        )

    def standing_in(self, payment: Payment) -> list[Hold]:
        """Its holds that stand and are in no other one since."""
        holds = (self.holds[name] for name in payment.holds)
        return [hold for hold in holds if hold.open and hold.payment == payment.id]

    def by_hand(self, pool: str) -> int:
        """Units in open payments by hand."""
        return sum(
            hold.qty
            for payment in self.payments.values()
            if payment.open and payment.by_hand
            for hold in self.standing_in(payment)
            if hold.pool == pool
        )

    def away(self, pool: str) -> int:
        """Units out in the world that nobody has bought any more."""
        return sum(len(order.away) for order in self.orders.values() if order.pool == pool)

    def orders_of(self, payment: Payment) -> list[Order]:
        """Those that stand, the oldest first."""
        mine = [self.orders[name] for name in self.bought.get(self.owner(payment.fan), ())]
        return [order for order in mine if order.payment == payment.id and order.kept]

    def kept(self) -> int:
        """What of all that was captured is the shop's, as the records say (INV-10)."""
        failed = {o.payment for o in self.orders.values() if o.state == "capture_failed"}
        return sum(p.kept for p in self.payments.values() if p.id not in failed)

    def owner(self, fan: str) -> str:
        """The person who a guest is now."""
        return self.person_of.get(fan, fan)

    def money(self) -> tuple[int, int, int, int]:
        """Captured, less what was charged back; refunded, given back by hand and given up, as the
        log tells (P14)."""
        captured: dict[str, int] = {}
        kept: dict[str, int] = {}
        charge_of: dict[str, str] = {}
        back = {"done": 0, "by_hand": 0, "given_up": 0}
        lost = 0
        for event in self.log:
            match event:
                case events.Paid():
                    charge_of[event.payment] = event.charge
                    kept[event.payment] = event.kept
                    if event.capture == "done":
                        captured[event.charge] = event.amount
                case (
                    events.Voided(how="refund")
                    | events.Discharged(kind="capture", result="done" | "by_hand")
                ):
                    captured[event.charge] = event.amount
                case events.Mismatched():
                    captured[event.charge] = event.amount
                case events.Refunded() | events.Reduced() if event.payment:
                    kept[event.payment] -= event.amount
                case events.ChargedBack() if charge_of[event.payment] in captured:
                    lost += kept[event.payment]
                    kept[event.payment] = 0
                case events.Discharged(kind="void"):
                    captured.pop(event.charge, None)
                case events.Discharged(kind="refund", result=result) if event.charge in captured:
                    back[result] += event.amount
                case _:
                    pass
        return sum(captured.values()) - lost, back["done"], back["by_hand"], back["given_up"]

    def owe(
        self,
        duty: str,
        hold: str,
        charge: str,
        amount: int,
        at: int,
        currency: str = "",
        payment: str = "",
    ) -> None:
        """Money is to be moved outside, if there is any. currency: another one than the drop's."""
        if amount:
            kind = duty.partition(":")[0]
            self.outbox[duty] = Duty(kind, hold, charge, amount, at, currency, payment)

    def say(self, word: Callable[..., E], /, **fields: object) -> E:
        """T12."""
        event = word(seq=len(self.log) + 1, at=self.at, **fields)
        self.log.append(event)
        if isinstance(event, events.Held | events.Offered | events.Rescued):
            self.taken_up |= {event.pool} if self.free(event.pool) == 0 else set()
        if isinstance(event, events.Swapped):
            self.taken_up |= {event.to} if self.free(event.to) == 0 else set()
        fan = fields.get("fan")
        if isinstance(fan, str):
            self.seen[fan] = event.seq
        return event

    @property
    def seq(self) -> int:
        return len(self.log)

    def begin(self, clock: int) -> None:
        """now = max(the clock and its lead, the last change's time) (T1)."""
        last = self.log[-1].at if self.log else 0
        self.clock, self.last = clock, max(last, self.changed_at)
        self.at = max(clock + self.lead, self.last)

    def happened(self, at: int) -> int:
        """By the true clock: less the lead that was in force then."""
        return at - next((lead for since, lead in self.leads[::-1] if since <= at), 0)

    def calls(self, at: int | None = None) -> bool:
        """Does the line call, now or at another moment of the true clock (L16)?"""
        hours, now = self.rules.calls, self.at - self.lead if at is None else at
        if hours is None or now < self.opened_ms + FIRST_MS:
            return True
        return between(hours.zone, hours.from_ms, hours.to_ms, now // MINUTE)

    def plan_calls(self) -> None:
        """What the hours of the line do next: it stops calling, or calls again."""
        for word in ("calls", "quiet"):
            self.hours.pop(word, None)
        if self.rules.calls is None or self.state not in ("live", "paused"):
            return
        now = self.at - self.lead
        calls, at = self.calls(), max(now, self.opened_ms + FIRST_MS)
        if at > now and not self.calls(at):
            self.hours["quiet"] = at + self.lead
            return
        while self.calls(at) == calls:
            at = (at // MINUTE + 1) * MINUTE
        self.hours["quiet" if calls else "calls"] = at + self.lead

    def move_lead(self) -> int:
        """The drop's own time goes on from where it stands; what is planned means the clock
        (T6, T7)."""
        lead = self.at - self.clock
        if lead != self.lead:
            for word in self.hours:
                self.hours[word] += lead - self.lead
            self.lead = lead
            self.plan_calls()
            self.leads = [*self.leads, (self.at, lead)][-64:]
        self.doubted = False
        return lead

    def lift(self) -> None:
        """The first script of this engine takes over what an older one left."""
        if self.schema < model.SCHEMA:
            self.say(events.Lifted, was=self.schema, schema=model.SCHEMA)
            self.schema = model.SCHEMA

    def could_be_of(self, layout: int) -> bool:
        """Did nothing happen until now that an engine of that layout decides in another way?"""
        if self.payments or any(getattr(e, "basket", 0) for e in self.log):
            return False
        if any(isinstance(e, events.Swapped) for e in self.log) or self.rules.ways:
            return False
        by_hand = any(isinstance(e, events.Discharged) and e.by for e in self.log)
        of_nothing = any(getattr(event, "amount", 1) == 0 for event in self.log)
        later = self.rules.calls is not None or self.rules.randomness is not None
        later = later or bool(self.rules.cohorts) or self.rules.carried is not None
        if self.rules.points_until or any(e.rank or e.lapses for e in self.entries.values()):
            return False
        if later or self.rules.network_most or any(one.card for one in self.orders.values()):
            return False
        named = layout >= NUMBERS_CHARGES or all(ours == of for of, ours in self.number_of.items())
        older = named and not (layout == 1 and self.leads)
        return older and not by_hand and not of_nothing and not self.person_of

    def lower(self, schema: int) -> None:
        """It was an older engine, of this layout, that did all of it until now."""
        self.schema = schema
        if schema < KEEPS_REASONS:
            self.why = None
        for entry in self.entries.values():
            # It did not keep how one was called.
            entry.call = 0
        self.log[0] = msgspec.structs.replace(self.log[0], schema=schema)

    def answer(
        self, fan: str, under: tuple[str, str], body: object, made: str | tuple[object, ...]
    ) -> None:
        """Keep what a key made, for its repeats: a change, even where no event tells it (C1, C4).
        under: whose key it is, and the key."""
        self.answers[under] = (body, made)
        self.changed_at = self.at
        if self.rules.pace:
            self.used_till[fan] = max(self.at, self.used_till.get(fan, 0)) + self.rules.pace_ms

    def too_soon(self, fan: str) -> int:
        """How long this fan must wait before he begins something more, ms (C4)."""
        ahead = (self.rules.pace - 1) * self.rules.pace_ms
        return max(0, self.used_till.get(fan, 0) - self.at - ahead)
