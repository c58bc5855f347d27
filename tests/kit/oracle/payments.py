"""What providers say: payments that buy or do not, refunds, and duties done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import structs

from dropengine import events, model, outcomes, refusals
from dropengine.creator_commands import (
    CameBack,
    ChargedBack,
    EndDuty,
    Refund,
    Signature,
    fault_in,
)
from dropengine.log.layouts import NUMBERS_CHARGES
from dropengine.model import OrderState
from tests.kit.oracle.books import Bought
from tests.kit.oracle.clock import Clock
from tests.kit.oracle.records import Duty, Entry, Hold, Item, Order, Payment


class Commanded(NamedTuple):
    """What a maker asked for under a key, and what it came to where that is told again."""

    words: tuple[object, ...]
    n: int = 0
    amount: int = 0


class Planned:
    """What a payment would have so far that wants all or nothing."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.units: dict[str, int] = {}
        """Pool -> free ones."""


class Payments(Clock):
    """Payments and what follows from them."""

    def succeeded(
        self,
        name: str,
        charge: str,
        amount: int,
        currency: str,
        captured: bool,
        clock: int,
        card: str = "",
    ) -> outcomes.PaymentOutcome:
        """P3, P15. charge: as the provider calls it. card: as the drop calls it."""
        if not 0 <= amount <= model.AMOUNT_MAX:
            return refusals.BadMessage("amount")
        known_as = self.number_of.get(charge, "")
        if known_as:
            charge = known_as
            # What was decided stands, whatever is due by now.
            known = self.charges[charge]
            if captured and self.differs(known, charge, amount):
                self.catch_up(clock)
                if self.state == "frozen":
                    return refusals.Frozen()
                self.correct(known, charge, amount)
                self.serve()
            return self.again(known)
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        payment = self.payments.get(name)
        if payment is None:
            return refusals.NotFound()
        charge = self.number(charge)
        if not self.rules.cards or self.state in ("settled", "cancelled"):
            card = ""
        outcome: Bought = self.judge(payment, charge, amount, currency, captured, card)
        self.charges[charge] = outcome
        self.serve()
        return outcome

    def again(self, known: Bought) -> Bought:
        if isinstance(known, outcomes.Paid):
            kept = self.payments[known.payment].kept
            return structs.replace(known, seq=self.seq, kept=kept)
        return structs.replace(known, seq=self.seq)

    def number(self, charge: str) -> str:
        """What a charge is called from now on: its place among all that were told of (P15)."""
        ours = charge
        if self.schema >= NUMBERS_CHARGES:
            place = len(self.charges) + 1
            while (ours := f"c{place}") in self.charges:
                place += 1
        self.number_of[charge] = ours
        return ours

    def differs(self, known: Bought, charge: str, amount: int) -> bool:
        """Is it another amount than a known charge had, where another may still be told?"""
        if isinstance(known, outcomes.Paid):
            payment = self.payments[known.payment]
            # A provider tells what was paid, also where it took a part of it.
            return payment.told is not None and amount not in (payment.told, payment.amount)
        duty = self.outbox.get(f"void:{charge}") or self.outbox.get(f"refund:{charge}")
        if duty is not None:
            return duty.amount != amount
        return charge in self.of_nothing and amount != 0

    def correct(self, known: Bought, charge: str, amount: int) -> None:
        """P10."""
        payment = self.payments[known.payment]
        if isinstance(known, outcomes.Paid):
            self.correct_paid(payment, amount)
        else:
            self.of_nothing.discard(charge)
            if amount == 0:
                self.of_nothing.add(charge)
            names = (f"void:{charge}", f"refund:{charge}")
            void, refund = (self.outbox.pop(name, None) for name in names)
            duty = void or refund
            since = self.at if duty is None else duty.at
            foreign = "" if duty is None else duty.currency
            told = (payment.holds[0], charge, amount, since, foreign, payment.id)
            self.owe(f"refund:{charge}", *told)
        self.say(
            events.Mismatched,
            fan=self.owner(payment.fan),
            hold=payment.holds[0],
            charge=charge,
            amount=amount,
            payment=payment.id,
        )

    def correct_paid(self, payment: Payment, amount: int) -> None:
        """Once. What is less is cut from the orders that stand, from the last to the first, then
        from the way, then from what is owed back; what is over goes to the first of them, or
        back where none stands."""
        assert payment.told is not None
        more, payment.told = amount - payment.told, None
        for duty in (f"capture:{payment.id}", f"void:{payment.charge}"):
            self.outbox.pop(duty, None)
        orders = [self.orders[name] for name in payment.sold]
        standing = [one for one in orders if one.kept and one.state != "charged_back"]
        for order in standing:
            order.state = "capture_failed"
        late = f"refund:{payment.id}:late"
        if more > 0 and standing:
            standing[0].amount += more
            payment.kept += more
        elif more > 0:
            owed = self.outbox.get(late) or Duty(
                "refund", payment.holds[0], payment.charge, 0, self.at, payment=payment.id
            )
            owed.amount += more
            self.outbox[late] = owed
        less = max(0, -more)
        for order in reversed(standing):
            cut = min(less, order.amount)
            order.amount, payment.kept, less = order.amount - cut, payment.kept - cut, less - cut
        cut = min(less, payment.way_kept)
        payment.way_kept, payment.kept = payment.way_kept - cut, payment.kept - cut
        less -= cut
        backs = [f"refund:{payment.id}:{n}" for n in range(payment.backs, 0, -1)]
        for name in (late, *backs):
            duty_of = self.outbox.get(name)
            if duty_of is not None and less:
                less = self.owe_less(name, duty_of, less)

    def owe_less(self, name: str, duty: Duty, less: int) -> int:
        cut = min(less, duty.amount)
        duty.amount -= cut
        if duty.amount == 0:
            del self.outbox[name]
        order = self.orders.get(duty.hold)
        if order is not None and order.state == "refund_pending":
            order.amount = max(0, order.amount - cut)
            order.state = "refund_pending" if duty.amount else "refunded"
        return less - cut

    def by_card(self) -> dict[str, str]:
        """What each card bought, and by which one each order was paid (P16)."""
        if self.state in ("settled", "cancelled"):
            return {}
        mine = [order for order in self.orders.values() if order.kept and order.card]
        units = {
            card: sum(o.qty for o in mine if o.card == card) for card in {o.card for o in mine}
        }
        found = {f"o:{order.id}": order.card for order in mine}
        return found | {card: str(count) for card, count in units.items()}

    def card_full(self, card: str, qty: int) -> bool:
        """P16."""
        mine = [one.qty for one in self.orders.values() if one.kept and one.card == card]
        return card != "" and sum(mine) + qty > self.rules.limit

    def to_be_had(self, payment: Payment) -> bool:
        """Could a charge of it buy anything, as far as its own holds go (P4)?"""
        late = any(self.holds[name].state == "expired" for name in payment.holds)
        return late or bool(self.standing_in(payment))

    def judge(
        self,
        payment: Payment,
        charge: str,
        amount: int,
        currency: str,
        captured: bool,
        card: str,
    ) -> Bought:
        """P1, P2, P4, P5, P6, P7, P16, P19."""
        was_open, holds = payment.open, [self.holds[name] for name in payment.holds]
        why = "ended"
        if (amount, currency) != (payment.amount, self.rules.currency):
            why = "mismatch"
        elif payment.state == "paid" or payment.judged:
            why = "second"
        elif self.state != "cancelled" and self.to_be_had(payment):
            if self.card_full(card, sum(hold.qty for hold in holds)):
                why = "limit"
            else:
                late = any(hold.state == "expired" for hold in holds)
                if sold := self.buy(payment, charge, captured, card):
                    payment.judged = 1 if was_open else 2
                    return self.keep(payment, charge, captured, sold)
                why = "late" if late else "ended"
        if was_open:
            payment.judged = 1
        elif why == "late":
            payment.judged = 2
        told = card if why == "limit" else ""
        self.void(payment, charge, amount, currency, captured, why, told)
        if was_open:
            self.close(payment, "ended")
            self.ask_to_cancel(payment)
        entry = ""
        fan = self.owner(payment.fan)
        if why == "late" and fan not in self.madegood and self.state in ("live", "paused"):
            # For the first hold that was lost.
            entry = self.make_good(next(hold for hold in holds if hold.state == "expired"))
        return outcomes.Voided(payment.id, self.seq, why, entry)

    def close(self, payment: Payment, state: str) -> None:
        """Its holds that stand are bought next, or their fan's to pay anew."""
        standing = self.standing_in(payment)
        payment.state = state
        for hold in standing if state == "ended" else ():
            hold.state, hold.looked = "active", 0
            if payment.by_hand:
                rules = self.rules
                latest = hold.start + 2 * rules.hold_ms + rules.pay_ms
                hold.deadline = min(hold.deadline, latest)

    def buy(self, payment: Payment, charge: str, captured: bool, card: str) -> list[str]:
        """Which orders it makes: its holds in order, by the rules for late payments (P19)."""
        standing = self.standing_in(payment)
        if payment.all and not self.all_to_be_had(payment, standing):
            return []
        if payment.open:
            self.close(payment, "paid")
        sold = []
        for name in payment.holds:
            hold = self.holds[name]
            order: str | None = None
            if hold in standing:
                order = self.sell(hold, payment, name, charge, captured, card)
            elif hold.state == "expired" and name not in self.orders:
                order = self.buy_late(hold, payment, charge, captured, card)
            if order is not None:
                sold.append(order)
        return sold

    def all_to_be_had(self, payment: Payment, standing: list[Hold]) -> bool:
        plan = Planned()
        for name in payment.holds:
            hold = self.holds[name]
            if hold in standing:
                continue
            if hold.state != "expired" or name in self.orders:
                return False
            equal = self.equal_of(hold, payment, plan)
            if equal is not None:
                plan.held.add(equal.id)
                continue
            offer = self.offer_of_its_entry(hold)
            if offer is not None and offer.id in plan.held:
                offer = None
            if not self.could_rescue(hold, offer, plan):
                return False
            plan.units[hold.pool] = plan.units.get(hold.pool, 0) + hold.qty
        return True

    def equal_of(self, hold: Hold, payment: Payment, plan: Planned | None = None) -> Hold | None:
        """Another one of the fan that is the same to him; what he pays for comes last, since
        that money would go back."""
        equals = [
            equal
            for equal in self.open_holds(hold.fan)
            if (equal.pool, equal.qty, equal.price) == (hold.pool, hold.qty, hold.price)
            and equal.payment != payment.id
            and not (plan is not None and equal.id in plan.held)
        ]
        return min(equals, key=lambda e: (e.state == "paying", e.offer)) if equals else None

    def buy_late(
        self, hold: Hold, payment: Payment, charge: str, captured: bool, card: str
    ) -> str | None:
        """P5, P6, P7."""
        equal = self.equal_of(hold, payment)
        if equal is not None:
            return self.sell(equal, payment, hold.id, charge, captured, card)
        offer = self.offer_of_its_entry(hold)
        if self.could_rescue(hold, offer):
            return self.rescue(hold, payment, charge, captured, offer, card)
        return None

    def keep(self, payment: Payment, charge: str, captured: bool, sold: list[str]) -> outcomes.Paid:
        """What of the charge is the shop's: the shares of what was sold, and the way (P20)."""
        way = self.way_amount(payment.way)
        kept = way + sum(self.orders[name].amount for name in sold)
        payment.state, payment.charge, payment.sold = "paid", charge, sold
        payment.kept, payment.way_kept = kept, way
        payment.told = payment.amount if captured else kept
        first, at = payment.holds[0], self.at
        if captured:
            late, over = f"refund:{payment.id}:late", payment.amount - kept
            self.owe(late, first, charge, over, at, payment=payment.id)
        elif kept:
            self.owe(f"capture:{payment.id}", first, charge, kept, at, payment=payment.id)
        else:
            self.owe(f"void:{charge}", first, charge, payment.amount, at, payment=payment.id)
        self.say(
            events.Paid,
            fan=self.owner(payment.fan),
            payment=payment.id,
            charge=charge,
            amount=payment.amount,
            kept=kept,
            way=way,
            capture="done" if captured or not payment.amount else "pending" if kept else "void",
        )
        if payment.amount:
            self.ask_to_cancel(payment)
        return outcomes.Paid(payment.id, self.seq, sold, kept)

    def way_amount(self, name: str) -> int:
        return next((way.amount for way in self.rules.ways if way.id == name), 0)

    def unit_price(self, price: int, way: str) -> int:
        off = next((one.off for one in self.rules.ways if one.id == way), 0)
        return max(0, price - off)

    def offer_of_its_entry(self, hold: Hold) -> Hold | None:
        """What the entry of this hold was called for since, if nobody has taken it."""
        entry = self.entries.get(hold.entry)
        offer = self.holds.get(entry.hold) if entry is not None and entry.open else None
        return offer if offer is not None and offer.open and offer.offer else None

    def could_rescue(self, hold: Hold, offer: Hold | None, plan: Planned | None = None) -> bool:
        if self.state not in ("live", "paused", "closing"):
            return False
        if offer is not None:
            # As if it were back.
            offer.state = "released"
        taken = plan.units.get(hold.pool, 0) if plan else 0
        units = min(
            self.free(hold.pool) - taken,
            self.room(hold.fan, self.pools[hold.pool].item, more=plan.units if plan else {}),
            self.lets_take(hold.fan, hold.pool) - taken,
        )
        if offer is not None:
            offer.state = "active"
        return units >= hold.qty and not self.ahead(hold)

    def ahead(self, hold: Hold) -> bool:
        """Would the line of its pool call somebody else before the entry of this hold?"""
        if self.state == "closing":
            return False
        pool, own = self.pools[hold.pool], self.entries.get(hold.entry)
        if own is None or not own.open:
            return any(entry.fan != hold.fan for entry in self.ready(pool.id))
        base, boost = (
            [
                entry
                for entry in self.line(pool.id, lane)
                if entry is own or (entry.fan != hold.fan and self.is_ready(entry, pool.id))
            ]
            for lane in (0, 1)
        )
        boost_calls = boost and (not base or self.boost_is_next(pool))
        return (boost if boost_calls else base)[0] is not own

    def sell(
        self,
        hold: Hold,
        payment: Payment,
        intent: str,
        charge: str,
        captured: bool,
        card: str,
    ) -> str:
        """L11, P8."""
        hold.state, hold.ended_at = "sold", self.at
        self.leave_payment(hold)
        self.order(events.Sold, hold, payment, intent, charge, captured, card)
        self.served(hold, self.entries.get(hold.entry))
        self.drop_full_entries(hold.fan)
        self.refresh(hold.fan, freed=False)
        return hold.id

    def served(self, hold: Hold, entry: Entry | None) -> None:
        if entry is not None and entry.open:
            self.finish(entry, "served")
            self.say(events.Served, fan=entry.fan, entry=entry.id, n=entry.n)

    def rescue(
        self,
        hold: Hold,
        payment: Payment,
        charge: str,
        captured: bool,
        offer: Hold | None,
        card: str,
    ) -> str:
        entry = self.entries.get(hold.entry)
        if offer is not None and entry is not None:
            told = self.ended.get(hold.fan, "")
            self.give_up(offer, entry, "")
            self.ended[hold.fan] = told
        hold.cohort, _ = self.counts_against(hold.fan, hold.pool, hold.qty)
        self.order(events.Rescued, hold, payment, hold.id, charge, captured, card)
        self.served(hold, entry)
        self.drop_full_entries(hold.fan)
        self.refresh(hold.fan, freed=False)
        return hold.id

    def order(
        self,
        kind: type[events.Sold] | type[events.Rescued],
        hold: Hold,
        payment: Payment,
        intent: str,
        charge: str,
        captured: bool,
        card: str,
    ) -> None:
        amount = self.unit_price(hold.price, payment.way) * hold.qty
        serials = self.serials(self.items[self.pools[hold.pool].item], hold.qty)
        self.orders[hold.id] = Order(
            id=hold.id,
            fan=hold.fan,
            pool=hold.pool,
            qty=hold.qty,
            amount=amount,
            serials=serials,
            charge=charge,
            state="done" if captured or not amount else "capture_pending",
            at=self.at,
            card=card,
            payment=payment.id,
        )
        self.bought.setdefault(hold.fan, []).append(hold.id)
        self.say(
            kind,
            fan=hold.fan,
            hold=hold.id,
            intent=intent,
            pool=hold.pool,
            qty=hold.qty,
            serials=list(serials),
            amount=amount,
            charge=charge,
            capture="done" if captured or not amount else "pending",
            card=card,
            payment=payment.id,
            **({"cohort": hold.cohort} if kind is events.Rescued else {}),
        )

    def serials(self, item: Item, qty: int) -> list[int]:
        """The lowest that came back, then new ones (H10)."""
        again = sorted(item.returned)[:qty]
        item.returned -= set(again)
        fresh = [item.given + 1 + i for i in range(qty - len(again))]
        item.given += len(fresh)
        return again + fresh

    def drop_full_entries(self, fan: str) -> None:
        """Orders that fill the limit end the fan's other entries (L11)."""
        for entry in self.open_entries(fan):
            if not self.can_serve(fan, entry.pools):
                self.finish(entry, "removed")
                self.say(events.Removed, fan=fan, entry=entry.id, n=entry.n, why="limit")

    def void(
        self,
        payment: Payment,
        charge: str,
        amount: int,
        currency: str,
        captured: bool,
        why: str,
        card: str = "",
    ) -> None:
        """P9."""
        how = "refund" if captured else "void"
        foreign = "" if currency == self.rules.currency else currency
        told = (payment.holds[0], charge, amount, self.at, foreign, payment.id)
        self.owe(f"{how}:{charge}", *told)
        if amount == 0:
            self.of_nothing.add(charge)
        self.say(
            events.Voided,
            fan=self.owner(payment.fan),
            hold=payment.holds[0],
            charge=charge,
            amount=amount,
            how=how,
            why=why,
            currency=currency,
            card=card,
            payment=payment.id,
        )

    def make_good(self, hold: Hold) -> str:
        """L15: the entry that stands above all points for it, or ''."""
        fan, entry = hold.fan, self.open_entry(hold.fan)
        if entry is None:
            if not self.can_serve(fan, [hold.pool]):
                return ""
            self.madegood.add(fan)
            return self.join_line(fan, "", hold.qty, [hold.pool], "makegood").id
        self.madegood.add(fan)
        told = {"points": entry.points, "book": entry.book}
        self.rerank(entry, **told, made_good=True)
        self.say(events.Pointed, fan=fan, entry=entry.id, **told, why="makegood")
        return entry.id

    def unpaid(self, name: str, clock: int) -> outcomes.UnpaidOutcome:
        """The provider cancelled it: nobody paid (H8, P21)."""
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        payment = self.payments.get(name)
        if payment is None:
            return refusals.NotFound()
        if not payment.open:
            return refusals.HoldExpired(state=payment.state)
        standing = self.standing_in(payment)
        self.say(events.Unpaid, fan=payment.fan, payment=payment.id)
        self.close(payment, "ended")
        self.outbox.pop(f"cancel:{payment.id}", None)
        for hold in standing:
            if hold.deadline <= self.at:
                self.expire(hold)
        answer = outcomes.Unpaid(payment.id, self.seq)
        self.serve()
        return answer

    def refund(
        self,
        name: str,
        by: str,
        key: str,
        clock: int,
        why: str = "",
        *,
        serials: Sequence[int] = (),
        back: str = "line",
        amount: int | None = None,
    ) -> outcomes.RefundOutcome:
        """C3, P11, P23, P24."""
        if fault := fault_in(Signature(by, key), Refund(name, why)):
            return refusals.BadMessage(fault)
        self.catch_up(clock)
        words = ("refund", name, why, back, amount, tuple(serials))
        known = self.by_creator.get((by, key))
        order = self.orders.get(name)
        if known is not None:
            if not isinstance(known, Commanded) or known.words != words:
                return refusals.KeyReused()
            assert order is not None
            return self.refunded(order, known.n, known.amount)
        if self.state == "frozen":
            return refusals.Frozen()
        if order is None:
            return refusals.NotFound()
        n, gone = 0, 0
        if order.kept:
            if not set(serials) <= set(order.serials) or len(set(serials)) < len(serials):
                return refusals.NotFound()
            if back == "" and (amount is None or serials):
                return refusals.BadMessage("amount alone is what a refund without units has")
            if amount is not None and amount > order.amount:
                return refusals.BadMessage(f"amount must be at most {order.amount}")
            if back == "" and amount is not None:
                n, gone = self.reduce(order, by, key, why, amount)
            else:
                units = [one for one in order.serials if one in serials] if serials else None
                n, gone = self.undo(order, by, key, why, serials=units, back=back, amount=amount)
        self.by_creator[by, key] = Commanded(words, n, gone)
        self.changed_at = self.at
        answer = self.refunded(order, n, gone)
        self.serve()
        return answer

    def refunded(self, order: Order, n: int, amount: int) -> outcomes.Refunded:
        state = OrderState(order.state)
        return outcomes.Refunded(order.id, self.seq, state, order.why, n, amount)

    def reduce(self, order: Order, by: str, key: str, why: str, amount: int) -> tuple[int, int]:
        """Only its share falls (P25)."""
        payment = self.payments[order.payment]
        order.amount -= amount
        order.why = why
        self.pay_back(order, payment, amount, 0)
        self.say(
            events.Reduced,
            fan=order.fan,
            hold=order.id,
            payment=payment.id,
            n=payment.backs,
            amount=amount,
            by=by,
            key=key,
            why=why,
        )
        return payment.backs, amount

    def came_back(
        self, name: str, by: str, key: str, clock: int, *, serials: Sequence[int] = ()
    ) -> outcomes.CameBackOutcome:
        """Units that were handed over and given back are free again (P24)."""
        if fault := fault_in(Signature(by, key), CameBack(name)):
            return refusals.BadMessage(fault)
        self.catch_up(clock)
        words = ("came_back", name, tuple(serials))
        if (known := self.by_creator.get((by, key))) is not None:
            if not isinstance(known, Commanded) or known.words != words:
                return refusals.KeyReused()
            return outcomes.CameBack(name, self.seq)
        if self.state == "frozen":
            return refusals.Frozen()
        order = self.orders.get(name)
        if order is None or not order.away or not set(serials) <= set(order.away):
            return refusals.NotFound()
        units = [one for one in order.away if not serials or one in serials]
        pool = self.pools[order.pool]
        pool.withheld -= len(units)
        order.away = [one for one in order.away if one not in units]
        self.items[pool.item].returned |= set(units)
        self.by_creator[by, key] = Commanded(words)
        self.changed_at = self.at
        self.say(
            events.CameBack,
            fan=order.fan,
            hold=name,
            pool=pool.id,
            qty=len(units),
            serials=units,
            by=by,
            key=key,
        )
        answer = outcomes.CameBack(name, self.seq)
        self.serve()
        return answer

    def charged_back(
        self, name: str, amount: int, by: str, key: str, clock: int
    ) -> outcomes.ChargedBackOutcome:
        """The units stay sold; nothing of the payment is the shop's (P26)."""
        if fault := fault_in(Signature(by, key), ChargedBack(name, amount)):
            return refusals.BadMessage(fault)
        self.catch_up(clock)
        words = ("charged_back", name, amount)
        if (known := self.by_creator.get((by, key))) is not None:
            if not isinstance(known, Commanded) or known.words != words:
                return refusals.KeyReused()
            return outcomes.ChargedBack(name, self.seq)
        if self.state == "frozen":
            return refusals.Frozen()
        payment = self.payments.get(name)
        if payment is None or payment.state != "paid":
            return refusals.NotFound()
        for order in self.orders_of(payment):
            order.amount, order.state = 0, "charged_back"
        payment.kept = payment.way_kept = 0
        self.outbox.pop(f"capture:{name}", None)
        self.by_creator[by, key] = Commanded(words)
        self.changed_at = self.at
        fan = self.owner(payment.fan)
        self.say(events.ChargedBack, fan=fan, payment=name, amount=amount, by=by, key=key)
        answer = outcomes.ChargedBack(name, self.seq)
        self.serve()
        return answer

    def more_time(self, name: str, by: str, key: str, clock: int) -> outcomes.MoreTimeOutcome:
        """Once, and only by hand (P29)."""
        self.catch_up(clock)
        words = ("more_time", name)
        payment = self.payments.get(name)
        if (known := self.by_creator.get((by, key))) is not None:
            if not isinstance(known, Commanded) or known.words != words:
                return refusals.KeyReused()
            assert payment is not None
            return outcomes.MoreTime(name, self.seq, payment.deadline)
        if self.state == "frozen":
            return refusals.Frozen()
        if payment is None or not payment.by_hand:
            return refusals.NotFound()
        if not payment.open or payment.looked:
            return refusals.HoldExpired(state=payment.state)
        if payment.more:
            return refusals.Already(payment.state)
        payment.deadline += self.rules.hand_ms
        payment.more = True
        for hold in self.standing_in(payment):
            hold.deadline = payment.deadline
        self.by_creator[by, key] = Commanded(words)
        self.changed_at = self.at
        fan = payment.fan
        told = {"payment": name, "deadline": payment.deadline}
        self.say(events.MoreTime, fan=fan, **told, by=by, key=key)
        answer = outcomes.MoreTime(name, self.seq, payment.deadline)
        self.serve()
        return answer

    def payment_record(self, payment: Payment) -> model.PaymentRecord:
        return model.PaymentRecord(
            fan=payment.fan,
            holds=list(payment.holds),
            way=payment.way,
            amount=payment.amount,
            currency=self.rules.currency,
            all=int(payment.all),
            provider=payment.provider,
            state=payment.state,
            at_ms=payment.at,
            deadline_ms=payment.deadline,
            looked=payment.looked,
            leaving=int(payment.leaving),
            more=int(payment.more),
            judged=payment.judged,
            charge=payment.charge,
            kept=payment.kept,
            way_kept=payment.way_kept,
            backs=payment.backs,
        )

    def told_payment(self, payment: Payment) -> model.PaymentRecord:
        """As it leaves a worker: in true time."""
        record = self.payment_record(payment)
        record.at_ms = self.happened(payment.at)
        to_come = payment.open and not payment.looked
        record.deadline_ms = (
            payment.deadline - self.lead if to_come else self.happened(payment.deadline)
        )
        record.looked = payment.looked and payment.looked - self.lead
        return record

    def discharge(self, name: str, result: str, clock: int) -> outcomes.DischargeOutcome:
        """P9, P12."""
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        duty = self.owed(name)
        if duty is None:
            return refusals.NotFound()
        if result != "done" and (duty.kind, result) != ("capture", "failed"):
            return refusals.BadMessage("result")
        return self.end_duty(name, duty, result)

    def end_by_hand(
        self, ending: EndDuty, by: str, key: str, clock: int
    ) -> outcomes.EndDutyOutcome:
        """A creator says how a duty ended that the provider does not do (P13)."""
        if why := fault_in(Signature(by, key), ending):
            return refusals.BadMessage(why)
        self.catch_up(clock)
        known = self.by_creator.get((by, key))
        if known is not None:
            return (
                outcomes.Discharged(ending.id, self.seq)
                if known == ending
                else refusals.KeyReused()
            )
        if self.state == "frozen":
            return refusals.Frozen()
        duty = self.owed(ending.id)
        if duty is None:
            return refusals.NotFound()
        self.by_creator[by, key] = ending
        return self.end_duty(ending.id, duty, ending.as_, by=by, key=key, why=ending.why)

    def owed(self, name: str) -> Duty | None:
        """A duty that may be ended: its payment's own end answers a question about one that is
        open."""
        duty = self.outbox.get(name)
        if duty is None or (duty.kind == "cancel" and self.payments[duty.payment].open):
            return None
        return duty

    def about(self, name: str, duty: Duty) -> list[Order]:
        """The orders that end with this duty."""
        if duty.kind == "capture":
            return self.orders_of(self.payments[duty.payment])
        order = self.orders.get(duty.hold)
        if duty.kind != "refund" or order is None or order.charge != duty.charge:
            return []
        late = name == f"refund:{duty.payment}:late"
        others = [
            other
            for word, other in self.outbox.items()
            if word.startswith(f"refund:{duty.payment}:") and word != f"refund:{duty.payment}:late"
        ]
        goes_on = any(other is not duty and other.hold == duty.hold for other in others)
        return [] if late or goes_on else [order]

    def end_duty(self, name: str, duty: Duty, result: str, **signed: str) -> outcomes.Discharged:
        well = result in ("done", "by_hand")
        for order in self.about(name, duty):
            match duty.kind, order.state:
                case "capture", "capture_pending":
                    order.state = "done" if well else "capture_failed"
                case "refund", "refund_pending":
                    order.state = "refunded" if well else "refund_failed"
        del self.outbox[name]
        self.say(
            events.Discharged,
            fan=self.owner(self.holds[duty.hold].fan),
            duty=name,
            kind=duty.kind,
            hold=duty.hold,
            charge=duty.charge,
            amount=duty.amount,
            result=result,
            payment=duty.payment,
            **signed,
        )
        return outcomes.Discharged(name, self.seq)
