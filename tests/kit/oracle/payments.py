"""What providers say: payments that buy or do not, refunds, and duties done."""

from __future__ import annotations

from msgspec import structs

from dropengine import events, model, outcomes, refusals
from dropengine.creator_commands import EndDuty, Refund, Signature, fault_in
from dropengine.log.layouts import NUMBERS_CHARGES
from dropengine.model import OrderState
from tests.kit.oracle.books import Bought
from tests.kit.oracle.clock import Clock
from tests.kit.oracle.records import Duty, Hold, Item, Order


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
            if captured and self.told(known.hold, charge) not in (None, amount):
                self.catch_up(clock)
                if self.state == "frozen":
                    return refusals.Frozen()
                self.correct(known.hold, charge, amount)
                self.serve()
            return structs.replace(known, seq=self.seq)
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        hold = self.holds.get(name)
        if hold is None:
            return refusals.NotFound()
        charge = self.number(charge)
        if not self.rules.cards or self.state in ("settled", "cancelled"):
            card = ""
        outcome: Bought = self.judge(hold, charge, amount, currency, captured, card)
        self.charges[charge] = outcome
        self.serve()
        return outcome

    def number(self, charge: str) -> str:
        """What a charge is called from now on: its place among all that were told of (P15)."""
        ours = charge
        if self.schema >= NUMBERS_CHARGES:
            place = len(self.charges) + 1
            while (ours := f"c{place}") in self.charges:
                place += 1
        self.number_of[charge] = ours
        return ours

    def told(self, name: str, charge: str) -> int | None:
        """The amount of a known charge, where another may still be told."""
        order = self.orders.get(name)
        if order is not None and order.charge == charge:
            over = self.corrected(order) or order.state == "refund_failed"
            over = over or (order.state == "refunded" and order.amount > 0)
            return None if over else order.amount
        duty = self.outbox.get(f"void:{charge}") or self.outbox.get(f"refund:{charge}")
        if duty is not None:
            return duty.amount
        return 0 if charge in self.of_nothing else None

    def corrected(self, order: Order) -> bool:
        """The provider captured another amount than the order costs."""
        hold = self.holds[order.id]
        return order.amount != hold.price * hold.qty

    def correct(self, name: str, charge: str, amount: int) -> None:
        """P10."""
        order = self.orders.get(name)
        bought = order is not None and order.charge == charge
        self.of_nothing.discard(charge)
        if order is not None and bought:
            order.amount = amount
            self.outbox.pop(f"capture:{charge}", None)
        elif amount == 0:
            self.of_nothing.add(charge)
        void, refund = (self.outbox.pop(f"{kind}:{charge}", None) for kind in ("void", "refund"))
        duty = void or refund
        if order is not None and bought and order.kept:
            order.state = "capture_failed"
        else:
            since = self.at if duty is None else duty.at
            foreign = "" if duty is None else duty.currency
            self.owe("refund", name, charge, amount, since, foreign)
            if order is not None and bought:
                order.state = "refund_pending" if amount else "refunded"
        fan = self.holds[name].fan
        self.say(events.Mismatched, fan=fan, hold=name, charge=charge, amount=amount)

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

    def judge(
        self, hold: Hold, charge: str, amount: int, currency: str, captured: bool, card: str
    ) -> Bought:
        """P1, P2, P4, P5, P6, P7, P16."""
        if (amount, currency) != (hold.price * hold.qty, self.rules.currency):
            return self.void(hold, charge, amount, currency, captured, "mismatch")
        if hold.open and self.card_full(card, hold.qty):
            return self.void(hold, charge, amount, currency, captured, "limit", card)
        if hold.open:
            return self.sell(hold, hold, charge, captured, card)
        if hold.judged or hold.state == "sold":
            return self.void(hold, charge, amount, currency, captured, "second")
        if hold.state != "expired" or not hold.began or self.state == "cancelled":
            return self.void(hold, charge, amount, currency, captured, "ended")
        if self.card_full(card, hold.qty):
            return self.void(hold, charge, amount, currency, captured, "limit", card)
        hold.judged = True
        equals = [
            equal
            for equal in self.open_holds(hold.fan)
            if (equal.pool, equal.qty, equal.price) == (hold.pool, hold.qty, hold.price)
        ]
        if equals:
            # One that he pays for comes last: that money would go back.
            equal = min(equals, key=lambda equal: (equal.state == "paying", equal.offer))
            return self.sell(equal, hold, charge, captured, card)
        offer = self.offer_of_its_entry(hold)
        if self.could_rescue(hold, offer):
            return self.rescue(hold, charge, captured, offer, card)
        return self.void(hold, charge, amount, currency, captured, "late")

    def offer_of_its_entry(self, hold: Hold) -> Hold | None:
        """What the entry of this hold was called for since, if nobody has taken it."""
        entry = self.entries.get(hold.entry)
        offer = self.holds.get(entry.hold) if entry is not None and entry.open else None
        return offer if offer is not None and offer.open and offer.offer else None

    def could_rescue(self, hold: Hold, offer: Hold | None) -> bool:
        if self.state not in ("live", "paused", "closing"):
            return False
        if offer is not None:
            # As if it were back.
            offer.state = "released"
        units = min(
            self.free(hold.pool),
            self.room(hold.fan, self.pools[hold.pool].item),
            self.lets_take(hold.fan, hold.pool),
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
        self, hold: Hold, intent: Hold, charge: str, captured: bool, card: str
    ) -> outcomes.Sold:
        """L11, P8."""
        hold.state, hold.ended_at = "sold", self.at
        if hold.began and hold.price:
            self.ask_provider(hold)
        else:
            self.outbox.pop(f"lookup:{hold.id}", None)
        self.order(events.Sold, hold, intent, charge, captured, card)
        entry = self.entry_of(hold)
        if entry is not None:
            self.finish(entry, "served")
            self.say(events.Served, fan=entry.fan, entry=entry.id, n=entry.n)
        self.drop_full_entries(hold.fan)
        return outcomes.Sold(hold.id, self.seq)

    def rescue(
        self, hold: Hold, charge: str, captured: bool, offer: Hold | None, card: str
    ) -> outcomes.Rescued:
        entry = self.entries.get(hold.entry)
        if offer is not None and entry is not None:
            told = self.ended.get(hold.fan, "")
            self.give_up(offer, entry, "")
            self.ended[hold.fan] = told
        hold.cohort, _ = self.counts_against(hold.fan, hold.pool, hold.qty)
        self.order(events.Rescued, hold, hold, charge, captured, card)
        if entry is not None and entry.open:
            self.finish(entry, "served")
            self.say(events.Served, fan=entry.fan, entry=entry.id, n=entry.n)
        self.drop_full_entries(hold.fan)
        self.refresh(hold.fan, freed=False)
        return outcomes.Rescued(hold.id, self.seq)

    def order(
        self,
        kind: type[events.Sold] | type[events.Rescued],
        hold: Hold,
        intent: Hold,
        charge: str,
        captured: bool,
        card: str,
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
            state="done" if captured or not amount else "capture_pending",
            at=self.at,
            card=card,
        )
        self.bought.setdefault(hold.fan, []).append(hold.id)
        if not captured:
            self.owe("capture", hold.id, charge, amount, self.at)
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
            capture="done" if captured or not amount else "pending",
            card=card,
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
        hold: Hold,
        charge: str,
        amount: int,
        currency: str,
        captured: bool,
        why: str,
        card: str = "",
    ) -> outcomes.Voided:
        """P9, L15."""
        how = "refund" if captured else "void"
        foreign = "" if currency == self.rules.currency else currency
        self.owe(how, hold.id, charge, amount, self.at, foreign)
        if amount == 0:
            self.of_nothing.add(charge)
        self.say(
            events.Voided,
            fan=hold.fan,
            hold=hold.id,
            charge=charge,
            amount=amount,
            how=how,
            why=why,
            currency=currency,
            card=card,
        )
        entry = ""
        if (
            why == "late"
            and hold.fan not in self.madegood
            and self.state not in ("closing", "settled", "cancelled")
        ):
            entry = self.make_good(hold)
        return outcomes.Voided(hold.id, self.seq, why, entry)

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
        """The provider says that nobody paid (H8)."""
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        hold = self.holds.get(name)
        if hold is None:
            return refusals.NotFound()
        if not hold.open:
            return refusals.HoldExpired(state=hold.state)
        if hold.state != "paying" or not hold.looked:
            return refusals.NotFound()
        self.expire(hold)
        answer = outcomes.Expired(hold.id, self.seq)
        self.serve()
        return answer

    def refund(
        self, name: str, by: str, key: str, clock: int, why: str = ""
    ) -> outcomes.RefundOutcome:
        """C3, P11."""
        if fault := fault_in(Signature(by, key), Refund(name, why)):
            return refusals.BadMessage(fault)
        self.catch_up(clock)
        known = self.by_creator.get((by, key))
        if known is not None and known != Refund(name, why):
            return refusals.KeyReused()
        if known is not None:
            ended = self.orders[name]
            return outcomes.Refunded(name, self.seq, OrderState(ended.state), ended.why)
        if self.state == "frozen":
            return refusals.Frozen()
        order = self.orders.get(name)
        if order is None:
            return refusals.NotFound()
        self.by_creator[by, key] = Refund(name, why)
        self.changed_at = self.at
        if order.kept:
            self.undo(order, by, key, why)
        answer = outcomes.Refunded(order.id, self.seq, OrderState(order.state), order.why)
        self.serve()
        return answer

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
        """A duty that may be ended: its hold's own end answers a question about one that stands."""
        duty = self.outbox.get(name)
        if duty is None or (duty.kind == "lookup" and self.holds[duty.hold].open):
            return None
        return duty

    def end_duty(self, name: str, duty: Duty, result: str, **signed: str) -> outcomes.Discharged:
        del self.outbox[name]
        order = self.orders.get(duty.hold)
        well = result in ("done", "by_hand")
        if order is not None and order.charge == duty.charge:
            if duty.kind == "capture":
                order.state = "done" if well else "capture_failed"
            elif duty.kind == "refund":
                order.state = "refunded" if well else "refund_failed"
        self.say(
            events.Discharged,
            fan=self.holds[duty.hold].fan,
            duty=name,
            kind=duty.kind,
            hold=duty.hold,
            charge=duty.charge,
            amount=duty.amount,
            result=result,
            **signed,
        )
        return outcomes.Discharged(name, self.seq)
