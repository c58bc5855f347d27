"""A guest becomes a person."""

from __future__ import annotations

import re
from typing import Literal

from dropengine import events, outcomes, refusals
from dropengine.model import ID_CHARS_MAX, ID_LETTERS
from tests.kit.oracle.payments import Payments

GUESTS_MAX = 3


class Adoption(Payments):
    """All that is the one's becomes the other's."""

    def adopt(self, guest: str, person: str, clock: int) -> outcomes.AdoptOutcome:
        """A2."""
        for what, name in (("guest", guest), ("person", person)):
            if not re.fullmatch(f"[{ID_LETTERS}]{{1,{ID_CHARS_MAX}}}", name):
                return refusals.BadMessage(what)
        if guest == person:
            return refusals.BadMessage("guest and person are one")
        self.catch_up(clock)
        match self.person_of.get(guest):
            case str() as known if known == person:
                return outcomes.Adopted(self.seq)
            case str():
                return refusals.NotAdoptable("anothers")
        if person in self.person_of or self.guests.get(guest):
            return refusals.NotAdoptable("chain")
        if guest not in self.seen:
            return outcomes.NothingBegun()
        if self.state == "frozen":
            return refusals.Frozen()
        if len(self.guests.get(person, ())) == GUESTS_MAX:
            return refusals.NotAdoptable("too_many")
        if self.too_much(guest, person):
            return refusals.LimitReached(0, self.what_he_has(guest), self.what_he_has(person))
        moves = {
            "holds": [hold.id for hold in self.open_holds(guest)],
            "orders": list(self.bought.get(guest, ())),
            "entries": [entry.id for entry in self.open_entries(guest)],
        }
        self.take_over(guest, person)
        self.say(events.Adopted, fan=person, guest=guest, **moves)
        self.seen[guest] = self.seq
        self.merge_entries(person)
        self.drop_full_entries(person)
        self.refresh(person, freed=False)
        answer = outcomes.Adopted(self.seq)
        self.serve()
        return answer

    def too_much(self, guest: str, person: str) -> bool:
        """Would one who has what both have be beyond a limit (A1)?"""
        had: list[tuple[str, int]] = []
        for fan in (guest, person):
            had += [(self.pools[one.pool].item, one.qty) for one in self.open_holds(fan)]
            had += [(self.pools[one.pool].item, one.qty) for one in self.kept_orders(fan)]
        return sum(qty for _, qty in had) > self.rules.limit or any(
            0 < item.limit < sum(qty for name, qty in had if name == item.id)
            for item in self.items.values()
        )

    def what_he_has(self, fan: str) -> tuple[refusals.Had, ...]:
        def word(offer: bool) -> Literal["offer", "hold"]:
            return "offer" if offer else "hold"

        holds = [refusals.Had(h.id, h.pool, h.qty, word(h.offer)) for h in self.open_holds(fan)]
        mine = [self.orders[name] for name in self.bought.get(fan, ())]
        orders = [refusals.Had(o.id, o.pool, o.qty, "order") for o in mine if o.kept]
        return (*holds, *orders)

    def take_over(self, guest: str, person: str) -> None:
        """A1, A4, A5."""
        for hold in self.holds.values():
            if hold.fan == guest:
                hold.fan = person
                if hold.open:
                    hold.begun_by = guest
                    self.pay_as(hold.payment, person)
                else:
                    hold.recorded = hold.recorded or guest
        for order in self.orders.values():
            if order.fan == guest:
                order.fan = person
                self.pay_as(order.payment, person)
        for entry in self.entries.values():
            if entry.fan == guest:
                entry.fan = person
                if not entry.open:
                    entry.recorded = entry.recorded or guest
        self.bought.setdefault(person, []).extend(self.bought.pop(guest, []))
        for last in (self.ended, self.ended_entry):
            if guest in last:
                last.setdefault(person, last[guest])
                del last[guest]
        if guest in self.madegood:
            self.madegood.remove(guest)
            self.madegood.add(person)
        if self.used_till.get(guest, 0) > self.used_till.get(person, 0):
            self.used_till[person] = self.used_till[guest]
        both = {*self.own(guest), *self.own(person)}
        self.cohorts_of.pop(guest, None)
        if both:
            self.cohorts_of[person] = both
        self.guests.setdefault(person, []).append(guest)
        self.person_of[guest] = person

    def pay_as(self, name: str, person: str) -> None:
        if name:
            self.payments[name].fan = person

    def merge_entries(self, person: str) -> None:
        """A3, G5."""
        base = self.open_entries(person)
        # Whoever has no arrival yet comes behind whoever has one.
        base.sort(key=lambda entry: (not entry.n, entry.n))
        for entry in base[1:]:
            hold = self.holds.get(entry.hold)
            if hold is not None and hold.open and hold.offer:
                hold.claimed, hold.start = True, self.at
                hold.deadline = max(hold.deadline, self.at + self.rules.hold_ms)
                self.say(events.Claimed, fan=person, key="", hold=hold.id, deadline=hold.deadline)
            self.finish(entry, "removed", told=False)
            self.rerank(
                base[0],
                points=max(base[0].points, entry.points),
                book=max(base[0].book, entry.book),
                made_good=base[0].made_good or entry.made_good,
            )
            self.say(events.Removed, fan=person, entry=entry.id, n=entry.n, why="merged")
