"""A log told anew: the oracle carries out the commands that a log tells of, at its times.

A log is lawful exactly when that makes the same log. Written without the referee, so that the two
can be held against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

from dropengine import events, wire
from dropengine.creator_commands import (
    Add,
    Cancel,
    Close,
    Correct,
    CreatorCommand,
    Exempt,
    Message,
    Open,
    Pause,
    Realign,
    Reschedule,
    Restrict,
    Resume,
    Seal,
    Thaw,
    Widen,
    Withdraw,
)
from dropengine.model import QTY_MAX, SCHEMA, FanId
from dropengine.truth.store import CarriedRow, Pointing
from tests.kit.oracle import Oracle

BY_A_FAN = (
    events.Held,
    events.Claimed,
    events.Extended,
    events.PaymentBegun,
    events.Released,
    events.Joined,
    events.Declined,
    events.Left,
    events.Confirmed,
)
OUTAGE_MS = 10_000


class Retold:
    """The oracle beside the log that it should make."""

    def __init__(self, log: Sequence[events.AnyEvent]) -> None:
        self.log = log
        first = log[0]
        assert isinstance(first, events.Published)
        self.oracle = Oracle(first.rules, first.hash, first.by, first.key, first.at)
        self.schema = first.schema
        if self.schema < SCHEMA:
            self.oracle.lower(self.schema)

    @property
    def told(self) -> int:
        return len(self.oracle.log)

    def same(self) -> bool:
        """Everything told so far is as it stands in the log."""
        return self.oracle.log == list(self.log[: self.told])

    def clock(self, e: events.Event) -> int:
        return e.at - self.oracle.lead

    def whole(self) -> bool:
        """Does the oracle make this log, all of it and nothing else?"""
        while self.told < len(self.log):
            before = self.told
            self.go_on(self.log[before])
            if self.told == before or self.told > len(self.log) or not self.same():
                return False
        # The oracle knows the rules of now alone.
        return self.same() and self.schema == SCHEMA

    def go_on(self, e: events.AnyEvent) -> None:
        self.forget_lifting(e)
        # Whether the clock was in doubt the log does not say, but that the drop did not open yet.
        self.oracle.doubted = not (
            isinstance(e, events.Opened | events.LobbyOpened | events.Sealed | events.Widened)
            and e.by == "clock"
        )
        if isinstance(e, events.Exempted):
            # Somebody was refused there, which no event tells.
            self.oracle.crowded[e.network] += 1
        if by_a_fan(e):
            self.batch(e)
        elif isinstance(e, events.ByCreator) and (e.by != "clock" or e.key):
            self.creator(e)
        elif isinstance(e, events.Realigned):
            self.outage(e)
        elif isinstance(e, events.Joined | events.Carried) and getattr(e, "why", "") != "makegood":
            self.carry(self.clock(e))
        elif not self.provider(e):
            self.oracle.settle(self.clock(e))

    def carry(self, clock: int) -> None:
        """A part of an earlier drop's list: who has a place here, then how far it went."""
        rows = []
        for e in self.log[self.told :]:
            if isinstance(e, events.Joined):
                rows.append(CarriedRow(e.of, e.fan, e.qty, e.pools))
                continue
            if isinstance(e, events.Carried):
                # The others had none, wherever they stood.
                nobody = CarriedRow("", "", 1, ["pin"])
                rows += [nobody] * max(0, e.last - e.first + 1 - len(rows))
                named = self.oracle.rules.carried
                self.oracle.carry(named.hash if named else "", e.first, e.of, rows, clock)
            break

    def forget_lifting(self, e: events.AnyEvent) -> None:
        """An older engine goes on until the log says that a newer one took over."""
        if self.schema < SCHEMA:
            self.oracle.schema = self.schema if isinstance(e, events.Lifted) else SCHEMA
            if isinstance(e, events.Lifted):
                self.schema = SCHEMA

    def batch(self, first: events.AnyEvent) -> None:
        """All fans' commands that stand together at one moment, as one batch."""
        self.oracle.catch_up(self.clock(first))
        while self.told < len(self.log) and self.same():
            e = self.log[self.told]
            if e.at != first.at or not by_a_fan(e):
                break
            before = self.told
            for fan, command in self.commands(e):
                self.oracle.command(fan, command)
            if self.told == before:
                break
        self.oracle.serve()

    def commands(self, e: events.AnyEvent) -> list[tuple[str, wire.FanCommand]]:
        after = self.log[self.told + 1] if self.told + 1 < len(self.log) else None
        match e:
            case events.Held():
                return [(e.fan, self.press(e))]
            case events.Offered():
                return [(e.fan, self.calls_himself(e))]
            case events.Claimed():
                if isinstance(after, events.PaymentBegun) and after.key == e.key:
                    return [(e.fan, pay(after))]
                return [(e.fan, wire.Claim(id=0, key=e.key, hold=e.hold))]
            case events.PaymentBegun():
                return [(e.fan, pay(e))]
            case events.Extended():
                return [(e.fan, wire.Extend(id=0, key=e.key, hold=e.hold))]
            case events.Declined(cool=0) if self.leaves(e):
                return [(e.fan, wire.Leave(id=0, key=e.key, entry=e.entry))]
            case events.Released() | events.Declined():
                return [(e.fan, wire.Release(id=0, key=e.key, hold=e.hold))]
            case events.Joined(why="fan"):
                if e.tickets:
                    self.oracle.tickets_of[e.fan] = e.tickets
                join = wire.Join(id=0, key=e.key, pools=e.pools, qty=e.qty, nonce=e.nonce)
                return [(e.fan, join)]
            case events.Left():
                return [(e.fan, wire.Leave(id=0, key=e.key, entry=e.entry))]
            case events.Confirmed():
                return [(e.fan, wire.Confirm(id=0, key=e.key, entry=e.entry))]
        return []

    def leaves(self, e: events.Declined) -> bool:
        """Is this offer given back by whoever gives up his place too?"""
        rest = self.log[self.told + 1 :]
        fate = next((other for other in rest if not isinstance(other, events.LimitFreed)), None)
        return isinstance(fate, events.Left)

    def press(self, e: events.Held) -> wire.FanCommand:
        """A hold comes of a press; where an equal one would be the answer, of a join, or of a press
        for more that says `fewer`."""
        oracle = self.oracle
        equal = any(
            (hold.pool, hold.qty) == (e.pool, e.qty) and not hold.offer
            for hold in oracle.open_holds(e.fan)
        )
        if not equal:
            return wire.Hold(id=0, key=e.key, pool=e.pool, qty=e.qty)
        if oracle.open_entry(e.fan) is not None:
            most = oracle.items[oracle.pools[e.pool].item].most
            return wire.Hold(id=0, key=e.key, pool=e.pool, qty=most, fewer=True)
        return wire.Join(id=0, key=e.key, pools=[e.pool], qty=e.qty)

    def calls_himself(self, e: events.Offered) -> wire.FanCommand:
        """In quiet hours a press is answered so whatever it asks for, unless it is an equal
        hold."""
        oracle = self.oracle
        equal = {
            qty
            for hold in oracle.open_holds(e.fan)
            if hold.pool == e.pool
            for qty in (hold.qty, oracle.asked(hold))
        }
        qty = next(qty for qty in range(1, QTY_MAX + 1) if qty not in equal)
        return wire.Hold(id=0, key=e.key, pool=e.pool, qty=qty)

    def provider(self, e: events.AnyEvent) -> bool:
        """What a provider says, what is done outside, a creator's refund."""
        oracle, clock = self.oracle, self.clock(e)
        match e:
            case events.Sold() | events.Rescued():
                rest = self.log[self.told :]
                paid = next((x for x in rest if isinstance(x, events.Paid)), None)
                if paid is None:
                    return False
                told = (paid.payment, paid.charge, paid.amount, self.currency())
                oracle.succeeded(*told, paid.capture == "done", clock, e.card)
            case events.Voided():
                payment = oracle.payments.get(e.payment)
                right = payment is not None and e.amount == payment.amount
                untold = "XTS" if e.why == "mismatch" and right else self.currency()
                currency = e.currency or untold
                told = (e.payment, e.charge, e.amount, currency)
                oracle.succeeded(*told, e.how == "refund", clock, e.card)
            case events.Mismatched():
                oracle.succeeded(e.payment, e.charge, e.amount, self.currency(), True, clock)
            case events.Unpaid():
                oracle.unpaid(e.payment, clock)
            case events.Refunded() if e.key:
                oracle.refund(e.hold, e.by, e.key, clock, e.why)
            case events.Pointed() if e.why != "makegood":
                row = Pointing(FanId(e.fan), e.book, e.points, e.why)
                oracle.point([row], clock)
            case events.Enrolled():
                oracle.enroll(e.fan, e.cohorts, clock)
            case events.Adopted():
                oracle.adopt(e.guest, e.fan, clock)
            case events.Discharged():
                oracle.discharge(e.duty, e.result, clock)
            case events.Rooted():
                oracle.tell_root(e.root, clock)
            case events.Revealed():
                oracle.reveal(e.value, clock)
            case events.Ordered():
                oracle.give_arrivals(oracle.root, e.n, e.ids, clock)
            case events.Opened() if oracle.state == "ordering":
                oracle.start(clock)
            case _:
                return False
        return True

    def currency(self) -> str:
        return self.oracle.rules.currency

    def outage(self, e: events.Realigned) -> None:
        """Nobody asked since the time that the log goes on from, or the clock was set back before
        and the time stood still."""
        clock = e.at - e.lead
        if e.lead == self.oracle.lead:
            # A clock set back that is asked again at the very same millisecond is no outage.
            return
        self.oracle.ran = min(self.clock(e), clock - OUTAGE_MS)
        self.oracle.settle(clock)
        self.oracle.ran = None

    def creator(self, e: events.ByCreator) -> None:
        command = creators(e)
        clock = self.clock(e)
        if isinstance(e, events.Realigned | events.Resumed | events.Thawed):
            clock = e.at - e.lead
        if isinstance(e, events.Thawed):
            # Something that left no event may have been the last before it.
            self.oracle.changed_at = e.at
            self.oracle.freeze(e.why, clock)
        if command is not None:
            self.oracle.creator(command, e.revision - 1, e.key, e.by, clock)


def creators(e: events.ByCreator) -> CreatorCommand | None:
    match e:
        case events.Opened() | events.LobbyOpened():
            return Open()
        case events.Sealed():
            return Seal()
        case events.Widened():
            return Widen()
        case events.Paused():
            return Pause(e.why)
        case events.Resumed():
            return Resume()
        case events.Realigned(why="leap"):
            return Realign()
        case events.Added():
            return Add(e.pool, e.qty)
        case events.Withdrawn():
            return Withdraw(e.pool, e.qty)
        case events.Rescheduled():
            return Reschedule(e.opens_ms, e.closes_ms)
        case events.Corrected():
            return Correct(e.hash, "of which the log has the hash alone")
        case events.Exempted():
            return Exempt(e.network)
        case events.Restricted():
            return Restrict(e.network)
        case events.Message():
            return Message(e.text)
        case events.Thawed(why="restore"):
            return Thaw(e.found)
        case events.Closed():
            return Close()
        case events.Cancelled():
            return Cancel(e.why)
    return None


def pay(e: events.PaymentBegun) -> wire.Pay:
    told = {"way": e.way, "provider": e.provider, "all": bool(e.all)}
    return wire.Pay(id=0, key=e.key, holds=e.holds, **told)  # type: ignore[arg-type]


def by_a_fan(e: events.AnyEvent) -> bool:
    if isinstance(e, events.Extended):
        return e.why == "fan"
    if isinstance(e, events.Released):
        return e.by == "fan"
    if isinstance(e, events.Joined):
        return e.why == "fan"
    if isinstance(e, events.Offered):
        return e.key != ""
    return isinstance(e, BY_A_FAN)


def lawful(log: Sequence[events.AnyEvent]) -> bool:
    """Does the oracle make exactly this log of the commands in it?"""
    if not log or not isinstance(log[0], events.Published):
        return False
    try:
        return Retold(log).whole()
    except (KeyError, ValueError):
        return False
