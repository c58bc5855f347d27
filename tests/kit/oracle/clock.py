"""The clock: what time alone does to a drop, and how holds end."""

from __future__ import annotations

from collections.abc import Iterator

from dropengine import events, model
from tests.kit.oracle.line import Line
from tests.kit.oracle.records import Duty, Entry, Hold, Order, Payment

WAIT = ("open", "lobby", "seal", "widen")
"""Not while the clock is in doubt."""


class Clock(Line):
    """Settles what is due, the earliest first, before anything is decided."""

    def catch_up(self, clock: int) -> None:
        """What is done before any command: settle all that is due, then serve (T3, T4)."""
        self.begin(clock)
        self.notice_outage()
        if self.state == "frozen" and self.schema < model.SCHEMA:
            # It is lifted at the moment at which it stands still.
            self.at = self.last
        self.lift()
        if self.state == "frozen":
            return
        while True:
            self.offers = 0
            while self.settle_one():
                pass
            if self.serve():
                return

    def notice_outage(self) -> None:
        """Ten seconds and more without a script do not count, while something goes on (T6)."""
        ran = self.ran
        if ran is None or self.state in ("settled", "cancelled", "frozen"):
            return
        silent = self.clock - ran
        if silent >= 1000 or silent < 0:
            self.ran = self.clock
        if silent >= 10_000:
            self.gap = self.clock
            if self.state not in ("scheduled", "lobby", "ordering"):
                self.at = max(ran + self.lead, self.last)
                self.revision += 1
                self.last_word = ("the clock", "clock")
                self.say(
                    events.Realigned,
                    by="clock",
                    key="",
                    revision=self.revision,
                    lead=self.move_lead(),
                    why="outage",
                )

    def opens(self) -> bool:
        """May it open by the clock? Not in doubt, nor just after a while without scripts (T8)."""
        return not self.doubted and not 0 <= self.clock - self.gap < 5000

    def comes(self, member: str) -> bool:
        """T8, K2."""
        if member in ("open", "lobby") and self.to_carry():
            return False
        return member not in WAIT or self.opens()

    def due(self) -> Iterator[tuple[int, str]]:
        """What the clock will do, as (when, member)."""
        for hold in self.holds.values():
            if hold.open:
                yield hold.until, f"h:{hold.id}"
        for entry in self.entries.values():
            if entry.open and entry.cool and not self.unwound:
                yield entry.cool, f"e:{entry.id}"
        for word, when in self.hours.items():
            yield when, word

    def settle_one(self) -> bool:
        """Settle what is due first (ties: the smaller name). False when nothing is due (T2, T3)."""
        if self.state == "cancelled":
            return self.unwind()
        now = [
            (when, member) for when, member in self.due() if when <= self.at and self.comes(member)
        ]
        if not now:
            return self.settle_drop()
        _, member = min(now)
        self.changed_at = self.at
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
                elif member == "lobby" and self.state == "scheduled":
                    self.by_clock(events.LobbyOpened, "lobby")
                elif member == "seal" and self.state == "lobby":
                    self.by_clock(events.Sealed, "ordering")
                elif member == "widen" and self.state in ("live", "paused"):
                    self.widen()
                    self.by_clock(events.Widened, self.state)
                elif member == "close" and self.state in ("live", "paused"):
                    self.by_clock(events.Closed, "closing")
                elif member in ("calls", "quiet"):
                    self.turn()
        return True

    def by_clock(
        self,
        kind: type[
            events.Opened | events.Closed | events.LobbyOpened | events.Sealed | events.Widened
        ],
        state: str,
    ) -> None:
        self.revision += 1
        self.state = state
        self.last_word = ("the clock", "clock")
        if kind is events.Opened:
            self.begin_calls()
            self.plan_close()
            self.plan_widening()
        elif kind is not events.Widened:
            self.plan_calls()
        if state == "closing":
            self.hours.pop("widen", None)
        more = {}
        if state == "lobby":
            more["seals"] = self.plan_seal()
        elif state == "ordering":
            more["entries"] = self.seal_list()
        self.say(kind, by="clock", key="", revision=self.revision, **more)

    def plan_seal(self) -> int:
        """The list opens; when it is sealed (D1)."""
        rules = self.rules
        seals = rules.opens_ms + self.lead + (0 if rules.mode == "lobby" else rules.window_ms)
        if not rules.opens_ms or seals <= self.at:
            seals = self.at + rules.window_ms
        self.hours.pop("lobby", None)
        self.hours["seal"] = seals
        return seals

    def seal_list(self) -> int:
        """D3: how many stand in it."""
        self.hours.pop("seal", None)
        self.sealed_ms = self.at - self.lead
        self.placed = self.carried
        return len(self.listed())

    def turn(self) -> None:
        """L16: what holds now is told, also where both turns passed unseen."""
        self.plan_calls()
        word = "quiet" if self.calls() else "calls"
        self.say(events.Calling if self.calls() else events.Quiet, until=self.hours[word])

    def begin_calls(self) -> None:
        self.opened_ms = self.at - self.lead
        self.plan_calls()

    def plan_close(self) -> None:
        """It opens: what passed before is still to come if the clock was wrong then (T8)."""
        close = self.rules.closes_ms + self.lead
        if self.rules.closes_ms and close > self.at:
            self.hours["close"] = close

    def settle_hold(self, hold: Hold) -> None:
        """H8."""
        payment = self.payments.get(hold.payment)
        if hold.offer:
            self.give_back(hold, events.Lapsed)
        elif payment is not None and payment.open and not payment.looked:
            self.ask(payment)
        else:
            self.expire(hold)

    def ask(self, payment: Payment) -> None:
        """It is silent: its provider is asked to cancel it (H8, P21)."""
        payment.looked = self.at + max(1, self.rules.lookup_ms)
        for one in self.standing_in(payment):
            one.looked = payment.looked
        self.ask_to_cancel(payment)
        self.say(events.Asked, fan=payment.fan, payment=payment.id, deadline=payment.looked)

    def settle_drop(self) -> bool:
        """A closing drop settles once nothing is held (T10)."""
        if self.state == "closing" and not any(h.open for h in self.holds.values()):
            self.state = "settled"
            self.say(events.Settled)
            return True
        return False

    def unwind(self) -> bool:
        """A cancelled drop ends its holds, the earliest deadline first, then refunds its orders
        (T11)."""
        if any(member.startswith("e:") for _, member in self.due()):
            # They are forgotten, which no event tells.
            self.changed_at = self.at
        self.unwound = True
        open_holds = sorted((h.until, f"h:{h.id}") for h in self.holds.values() if h.open)
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

    def ask_to_cancel(self, payment: Payment) -> None:
        name, first = f"cancel:{payment.id}", payment.holds[0]
        self.outbox[name] = Duty("cancel", first, "", payment.amount, self.at, payment=payment.id)

    def end(self, hold: Hold, state: str) -> None:
        hold.state, hold.ended_at = state, self.at
        self.leave_payment(hold)
        self.ended[hold.fan] = hold.id

    def leave_payment(self, hold: Hold) -> None:
        """With its last hold an open payment has ended; money may still come."""
        payment = self.payments.get(hold.payment)
        if payment is not None and payment.open and not self.standing_in(payment):
            payment.state = "ended"
            self.ask_to_cancel(payment)

    def expire(self, hold: Hold) -> None:
        """H7."""
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
        """A claimed offer came back unsold: its entry waits again once, then sleeps (L9)."""
        entry = self.entry_of(hold)
        if entry is not None:
            cool = self.lapse(hold, entry)
            if cool:
                self.say(events.Cooled, fan=entry.fan, entry=entry.id, cool=cool)
            else:
                self.say(events.Dormant, fan=entry.fan, entry=entry.id, n=entry.n)
        self.refresh(hold.fan, freed=True)

    def give_back(
        self, hold: Hold, kind: type[events.Lapsed] | type[events.Declined], **key: str
    ) -> None:
        """An unclaimed offer ends: the entry cools once, then sleeps (L9, L10)."""
        entry = self.entry_of(hold)
        assert entry is not None, "an unclaimed offer has its entry"
        self.end(hold, "expired" if kind is events.Lapsed else "released")
        cool = self.lapse(hold, entry)
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

    def give_up(self, offer: Hold, entry: Entry, key: str) -> None:
        """An offer goes back because its entry ends."""
        self.end(offer, "released")
        self.lapse(offer, entry, leaving=True)
        self.say(
            events.Declined,
            fan=entry.fan,
            entry=entry.id,
            hold=offer.id,
            pool=offer.pool,
            qty=offer.qty,
            cool=0,
            key=key,
        )
        self.refresh(entry.fan, freed=True)

    def entry_of(self, hold: Hold) -> Entry | None:
        """The entry that this hold still stands for."""
        entry = self.entries.get(hold.entry)
        return entry if entry is not None and entry.open and entry.hold == hold.id else None

    def undo(
        self,
        order: Order,
        by: str,
        key: str,
        why: str = "",
        *,
        serials: list[int] | None = None,
        back: str = "line",
        amount: int | None = None,
    ) -> tuple[int, int]:
        """P11: units of an order are given back, all that are left where none are named. Which
        refund of its payment it is, and how much goes back."""
        serials = list(order.serials if serials is None else serials)
        whole, payment = len(serials) == order.qty, self.payments[order.payment]
        if amount is not None:
            part = amount
        elif whole:
            part = order.amount
        else:
            part = order.amount * len(serials) // order.qty
        order.why = why
        if whole:
            order.amount = part
            order.state = "refunded"
        else:
            order.amount -= part
            order.serials = [one for one in order.serials if one not in serials]
            order.qty -= len(serials)
        if back == "line":
            self.items[self.pools[order.pool].item].returned |= set(serials)
        else:
            self.pools[order.pool].withheld += len(serials)
            order.away += serials
        way = 0 if self.orders_of(payment) else payment.way_kept
        owed = self.pay_back(order, payment, part + way, way)
        if whole and owed:
            order.state = "refund_pending"
        self.say(
            events.Refunded,
            fan=order.fan,
            hold=order.id,
            pool=order.pool,
            qty=len(serials),
            serials=serials,
            amount=part + way,
            charge=order.charge,
            by=by,
            key=key,
            why=why,
            payment=payment.id,
            back=back,
            n=payment.backs,
            way=way,
        )
        self.refresh(order.fan, freed=True)
        return payment.backs, part + way

    def pay_back(self, order: Order, payment: Payment, amount: int, way: int) -> bool:
        """Less of a payment is kept; is that to be given back? What is not captured yet is not."""
        payment.backs += 1
        payment.kept -= amount
        payment.way_kept -= way
        if amount == 0:
            return False
        capture = self.outbox.get(f"capture:{payment.id}")
        if capture is None:
            duty = f"refund:{payment.id}:{payment.backs}"
            self.owe(duty, order.id, payment.charge, amount, self.at, payment=payment.id)
            return True
        capture.amount = payment.kept
        if payment.told is not None:
            payment.told = payment.kept
        if payment.kept == 0:
            del self.outbox[f"capture:{payment.id}"]
            told = (payment.holds[0], payment.charge, payment.amount, self.at)
            self.owe(f"void:{payment.charge}", *told, payment=payment.id)
        return False

    def settle(self, clock: int) -> None:
        self.catch_up(clock)
