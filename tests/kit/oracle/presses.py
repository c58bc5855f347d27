"""What fans do: press, claim, release, extend, pay, join and leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import structs

from dropengine import events, model, outcomes, refusals, wire
from dropengine.truth.replies import Pointed
from dropengine.truth.store import Pointing, PointReply
from tests.kit.oracle.line import ADDED
from tests.kit.oracle.networks import Names
from tests.kit.oracle.payments import Payments
from tests.kit.oracle.records import BY_HAND, Entry, Hold, Payment, Pool

Phase = refusals.NotOpen | refusals.Paused | refusals.Closed | refusals.Cancelled | refusals.Frozen
NotHad = refusals.LimitReached | refusals.AllHeld | refusals.SoldOut | refusals.CohortFull
G = TypeVar("G", bound=outcomes.HoldGranted)
J = TypeVar("J", bound=outcomes.EntryGranted)


class Presses(Payments):
    """Fans' commands."""

    def press(
        self,
        commands: Sequence[tuple[str, wire.FanCommand]],
        clock: int,
        whence: Sequence[Names | None] | None = None,
    ) -> list[outcomes.PressOutcome]:
        """One batch: a command sees what those before it did; the line is called at the end
        (T5)."""
        self.catch_up(clock)
        kept = [self.kept_under(fan, command.key) for fan, command in commands]
        answers = []
        for i, (fan, command) in enumerate(commands):
            self.coming = whence[i] if whence else None
            answers.append(self.command(fan, command, kept[i]))
        self.serve()
        return [self.as_it_ended(answer) for answer in answers]

    def as_it_ended(self, answer: outcomes.PressOutcome) -> outcomes.PressOutcome:
        """A batch is answered when all of it is decided: with the records as they are then."""
        match answer:
            case outcomes.HoldGranted():
                return structs.replace(answer, hold=self.as_told(answer.id))
            case outcomes.EntryGranted():
                return structs.replace(answer, entry=self.told_entry(self.entries[answer.id]))
            case outcomes.Paying():
                record = self.told_payment(self.payments[answer.id])
                holds = [(name, self.as_told(name)) for name, _ in answer.holds]
                return structs.replace(answer, payment=record, holds=holds)
            case outcomes.Unpaying():
                record = self.told_payment(self.payments[answer.id])
                return structs.replace(answer, payment=record)
            case outcomes.Basketed():
                had = [(place, name, self.as_told(name)) for place, name, _ in answer.had]
                return structs.replace(answer, had=had)
            case _:
                return answer

    def as_told(self, name: str) -> model.HoldRecord:
        hold = self.holds[name]
        return structs.replace(self.told_hold(hold), state=self.ended_as(hold))

    def kept_under(self, asks: str, key: str) -> tuple[str, str]:
        """Whose key it is, and the key: of a person also what his guests asked under it (A4)."""
        person = self.person_of.get(asks, asks)
        names = [asks, person, *self.guests.get(person, ())]
        return next(((name, key) for name in names if (name, key) in self.answers), (person, key))

    def command(
        self, asks: str, command: wire.FanCommand, under: tuple[str, str] | None = None
    ) -> outcomes.PressOutcome:
        """under: whose key it was when the batch began, and the key."""
        fan = self.person_of.get(asks, asks)
        under = under or self.kept_under(asks, command.key)
        was = self.seen.get(fan, 0)
        match command:
            case wire.Hold():
                return self.hold(fan, command, was, under)
            case wire.Join():
                return self.join(fan, command, was, under)
            case wire.Leave():
                return self.leave(fan, command, was)
            case wire.Confirm():
                return self.confirm(fan, command, was)
            case wire.Pay():
                return self.pay(fan, command, was)
            case wire.Unpay():
                return self.unpay(fan, command, was)
            case wire.Basket():
                return self.basket(fan, command, was, under)
            case wire.Swap():
                return self.swap(fan, command, was, under)
            case wire.Claim() | wire.Release() | wire.Extend():
                return self.own_hold(fan, command.hold, command, was)
        raise AssertionError(command)

    def repeated(self, under: tuple[str, str], body: object) -> str | refusals.KeyReused | None:
        known = self.answers.get(under)
        if known is None:
            return None
        body_then, made = known
        if body_then != body:
            return refusals.KeyReused()
        # What was taken out is not answered with (C8).
        assert isinstance(made, str)
        return made if made in self.holds or made in self.entries else None

    def hold(
        self, fan: str, command: wire.Hold, was: int, under: tuple[str, str]
    ) -> outcomes.PressOutcome:
        """H1, H2, H4, L4, L17."""
        body = ("hold", command.pool, command.qty, command.fewer)
        match self.repeated(under, body):
            case refusals.KeyReused() as reused:
                return reused
            case str() as made:
                return self.granted(outcomes.Held, self.holds[made], was)
            case None:
                pass
        pool = self.pools.get(command.pool)
        if pool is None:
            return refusals.NotFound()
        refusal: outcomes.PressOutcome | None = self.phase(joining=False)
        if refusal := refusal or self.not_eligible(fan):
            return refusal
        if wait := self.too_soon(fan):
            return refusals.TooManyRequests(retry_ms=wait)
        qty = command.qty
        for equal in self.open_holds(fan):
            if equal.pool == pool.id and qty in (equal.qty, self.asked(equal)) and not equal.offer:
                self.answer(fan, under, body, equal.id)
                return self.granted(outcomes.Held, equal, was)
        named = self.named(pool) if self.free(pool.id) > 0 and not self.calls() else None
        if named is not None and named[0].fan == fan:
            # L17.
            called = self.offer(named[0], pool.id, named[1], command.key)
            self.claim(called, command.key)
            self.answer(fan, under, body, called.id)
            return self.granted(outcomes.Held, called, was)
        units = self.units_of_press(fan, pool, qty, command.fewer)
        if not isinstance(units, int):
            return units
        return self.set_aside(fan, command, under, body, pool, units, was)

    def units_of_press(
        self, fan: str, pool: Pool, qty: int, fewer: bool, ready: bool | None = None
    ) -> int | NotHad:
        """How many units of a pool one gets who presses for so many."""
        item, room = self.items[pool.item], self.room(fan, pool.item)
        if qty > item.most:
            return refusals.LimitReached(room=min(room, item.most))
        if room < qty:
            if not (fewer and room >= 1):
                return refusals.LimitReached(room=room)
            qty = room
        free, held = self.free(pool.id), self.held(pool.id)
        if self.ready(pool.id) if ready is None else ready:
            return refusals.AllHeld(free=0, held=held)
        if free < qty:
            if fewer and free >= 1:
                qty = free
            elif free == 0 and held == 0:
                return refusals.SoldOut()
            else:
                return refusals.AllHeld(free=free, held=held)
        _, most = self.counts_against(fan, pool.id, qty)
        if most < qty and not (fewer and most >= 1):
            return refusals.CohortFull(most, self.rules.public_ms)
        return most

    def asked(self, hold: Hold) -> int:
        """How many units the command wanted that made the hold; it may have got fewer."""
        match self.answers.get((hold.begun_by or hold.fan, hold.key)):
            case (("hold", _, int(qty), _), made) | (("join", _, int(qty), *_), made):
                return qty if made == hold.id else hold.qty
            case (("basket", _, wants), tuple(rows)) if hold.id in rows:
                return int(wants[rows.index(hold.id)][1])
        return hold.qty

    def set_aside(
        self,
        fan: str,
        command: wire.Hold | wire.Join,
        under: tuple[str, str],
        body: object,
        pool: Pool,
        qty: int,
        was: int,
    ) -> outcomes.Held | refusals.NetworkFull | refusals.DomainFull:
        if full := self.network_full() or self.domain_full(fan):
            return full
        hold = self.new_hold(fan, command.key, pool, qty)
        self.answer(fan, under, body, hold.id)
        self.say_held(hold, command.key, 0)
        return self.granted(outcomes.Held, hold, was)

    def new_hold(self, fan: str, key: str, pool: Pool, qty: int) -> Hold:
        hold = self.hold_of(self.next_hold(), fan, key, pool, qty)
        self.holds[hold.id] = hold
        self.takes_part(fan)
        return hold

    def hold_of(self, name: str, fan: str, key: str, pool: Pool, qty: int) -> Hold:
        return Hold(
            id=name,
            fan=fan,
            pool=pool.id,
            qty=qty,
            price=self.items[pool.item].price,
            origin="press",
            start=self.at,
            deadline=self.at + self.rules.hold_ms,
            key=key,
            networks=self.counts_at(),
            cohort=self.counts_against(fan, pool.id, qty)[0],
        )

    def say_held(self, hold: Hold, key: str, basket: int) -> None:
        self.say(
            events.Held,
            fan=hold.fan,
            key=key,
            hold=hold.id,
            pool=hold.pool,
            qty=hold.qty,
            price=hold.price,
            deadline=hold.deadline,
            cohort=hold.cohort,
            basket=basket,
        )
        self.refresh(hold.fan, freed=False)

    def phase(self, *, joining: bool) -> Phase | None:
        """T9."""
        match self.state:
            case "lobby" if joining:
                return None
            case "scheduled" | "lobby" | "ordering":
                return refusals.NotOpen()
            case "paused":
                return None if joining else refusals.Paused()
            case "closing" | "settled":
                return refusals.Closed()
            case "cancelled":
                return refusals.Cancelled()
            case "frozen":
                return refusals.Frozen()
            case _:
                return None

    def stopped(self) -> refusals.Cancelled | refusals.Frozen | None:
        """Why nothing goes on. A pause and the closing take nothing from who holds something."""
        match self.state:
            case "cancelled":
                return refusals.Cancelled()
            case "frozen":
                return refusals.Frozen()
            case _:
                return None

    def own_hold(
        self,
        fan: str,
        name: str,
        command: wire.Claim | wire.Release | wire.Extend,
        was: int,
    ) -> outcomes.PressOutcome:
        """H5."""
        hold = self.holds.get(name)
        if hold is None or hold.fan != fan:
            return refusals.NotFound()
        if isinstance(command, wire.Release) and hold.state == "released":
            return self.granted(outcomes.Released, hold, was)
        if isinstance(command, wire.Claim) and hold.origin != "line":
            return refusals.NotFound()
        stopped = self.stopped()
        if stopped is not None:
            return stopped
        if not hold.open:
            return refusals.HoldExpired(state=self.ended_as(hold))
        match command:
            case wire.Claim():
                if not hold.claimed:
                    self.claim(hold, command.key)
                return self.granted(outcomes.Claimed, hold, was)
            case wire.Release():
                self.release(hold, command.key)
                return self.granted(outcomes.Released, hold, was)
            case wire.Extend():
                if hold.offer:
                    return refusals.NotFound()
                if not hold.extended and not hold.looked:
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
                    if hold.state == "paying":
                        payment = self.payments[hold.payment]
                        payment.deadline = min(h.deadline for h in self.standing_in(payment))
                return self.granted(outcomes.Extended, hold, was)

    def claim(self, hold: Hold, key: str) -> None:
        """L8."""
        hold.claimed = True
        hold.start = self.at
        hold.deadline = self.at + self.rules.hold_ms
        self.say(events.Claimed, fan=hold.fan, key=key, hold=hold.id, deadline=hold.deadline)

    def release(self, hold: Hold, key: str) -> None:
        """H7."""
        if hold.offer:
            self.give_back(hold, events.Declined, key=key)
        else:
            self.end(hold, "released")
            self.say_released(hold, key=key, by="fan")
            self.after_claimed(hold)

    def pay(self, fan: str, command: wire.Pay, was: int) -> outcomes.PressOutcome:
        """One payment for some holds, by a way (P17, P18)."""
        holds = [self.holds.get(name) for name in command.holds]
        mine = [hold for hold in holds if hold is not None and hold.fan == fan]
        if len(mine) < len(holds) or len(set(command.holds)) < len(holds):
            return refusals.NotFound()
        if (stopped := self.stopped()) is not None:
            return stopped
        for hold in mine:
            if not hold.open:
                return refusals.HoldExpired(state=self.ended_as(hold))
        named = [hold.payment for hold in mine if hold.state == "paying"]
        if named:
            payment = self.payments[named[0]]
            if set(payment.holds) == set(command.holds):
                return self.granted_payment(payment, was)
            return refusals.Paying(payment.id)
        if refusal := self.unfit_way(command.way, mine) or self.hand_full(command, mine):
            return refusal
        for hold in mine:
            if hold.offer:
                self.claim(hold, command.key)
        return self.granted_payment(self.begin_paying(fan, command, mine), was)

    def unfit_way(self, name: str, holds: list[Hold]) -> outcomes.PressOutcome | None:
        ways = {way.id: way for way in self.rules.ways}
        if not name:
            missing = refusals.BadMessage("way is missing: this drop has some")
            return missing if ways else None
        if name not in ways:
            return refusals.NotFound()
        nodes = [hold.pool.partition("@")[2] for hold in holds]
        there = ways[name].nodes
        beside = there and any(node and node not in there for node in nodes)
        return refusals.NotFound() if beside else None

    def until(self, way: str) -> int:
        """When what is picked up by a way is there for the last time, by the drop's own time."""
        named = next((one for one in self.rules.ways if one.id == way), None)
        is_pickup = named is not None and named.kind == "pickup" and named.until_ms
        return named.until_ms + self.lead if named is not None and is_pickup else 0

    def hand_full(self, command: wire.Pay, holds: list[Hold]) -> outcomes.PressOutcome | None:
        """P28."""
        rules = self.rules
        if command.provider not in BY_HAND:
            return None
        if not rules.hand_ms or (command.provider == "cash" and self.until(command.way) <= self.at):
            return refusals.NotFound()
        for hold in holds:
            wanted = sum(one.qty for one in holds if one.pool == hold.pool)
            most = max(1, self.pools[hold.pool].cap * rules.hand_share // 100)
            room = max(0, most - self.by_hand(hold.pool))
            if wanted > room:
                return refusals.HandFull(room)
        return None

    def begin_paying(self, fan: str, command: wire.Pay, holds: list[Hold]) -> Payment:
        """H6, P18, P27."""
        way = next((one.amount for one in self.rules.ways if one.id == command.way), 0)
        off = next((one.off for one in self.rules.ways if one.id == command.way), 0)
        payment = Payment(
            id=f"p{len(self.payments) + 1}",
            fan=fan,
            holds=list(command.holds),
            way=command.way,
            amount=way + sum(hold.qty * max(0, hold.price - off) for hold in holds),
            all=command.all,
            provider=command.provider,
            at=self.at,
        )
        self.payments[payment.id] = payment
        told: dict[str, object] = {
            "payment": payment.id,
            "holds": payment.holds,
            "way": payment.way,
        }
        told |= {"amount": payment.amount, "all": int(payment.all)}
        provider = payment.provider
        self.say(events.PaymentBegun, fan=fan, key=command.key, **told, provider=provider)
        for hold in holds:
            hold.began, hold.state, hold.payment = True, "paying", payment.id
            hold.deadline = self.payable_until(hold, payment)
            self.say(events.Paying, fan=fan, key=command.key, hold=hold.id, deadline=hold.deadline)
        payment.deadline = min(hold.deadline for hold in holds)
        return payment

    def payable_until(self, hold: Hold, payment: Payment) -> int:
        rules = self.rules
        if payment.provider == "by_hand":
            return self.at + rules.hand_ms
        if payment.provider == "cash":
            return max(hold.deadline, self.until(payment.way))
        latest = hold.start + 2 * rules.hold_ms + rules.pay_ms
        return max(hold.deadline, min(self.at + rules.pay_ms, latest))

    def granted_payment(self, payment: Payment, was: int) -> outcomes.Paying:
        holds = [(name, self.told_hold(self.holds[name])) for name in payment.holds]
        record = self.told_payment(payment)
        return outcomes.Paying(payment.id, record, holds, self.seq, was)

    def unpay(self, fan: str, command: wire.Unpay, was: int) -> outcomes.PressOutcome:
        """Its provider is asked to cancel it, and may be paid until he has (P22)."""
        payment = self.payments.get(command.payment)
        if payment is None or self.owner(payment.fan) != fan:
            return refusals.NotFound()
        if payment.open and not payment.leaving:
            if (stopped := self.stopped()) is not None:
                return stopped
            payment.leaving = True
            self.ask_to_cancel(payment)
            self.say(events.Unpaying, fan=fan, key=command.key, payment=payment.id)
        return outcomes.Unpaying(payment.id, self.told_payment(payment), self.seq, was)

    def basket(
        self, fan: str, command: wire.Basket, was: int, under: tuple[str, str]
    ) -> outcomes.PressOutcome:
        """Several presses under one key (H12)."""
        wants = tuple((tuple(want.pools), want.qty, want.fewer) for want in command.wants)
        body = ("basket", command.all, wants)
        known = self.answers.get(under)
        if known is not None:
            if known[0] != body:
                return refusals.KeyReused()
            made = known[1]
            assert isinstance(made, tuple)
            if all(one in self.holds for one in made if isinstance(one, str)):
                return self.basketed(self.number_of_basket(made, command.key), made, was)
        refusal: outcomes.PressOutcome | None = self.phase(joining=False)
        if refusal := refusal or self.not_eligible(fan):
            return refusal
        if wait := self.too_soon(fan):
            return refusals.TooManyRequests(retry_ms=wait)
        if command.all and (lost := self.lost_with(fan, command.wants)) is not None:
            return outcomes.Basketed(0, [], lost, self.seq, was)
        number, rows = 0, list[object]()
        for want in command.wants:
            taken = [row for row in rows if isinstance(row, str)]
            found = self.decide_want(fan, want, taken)
            if isinstance(found, tuple):
                number = number or self.granted_ever + 1
                hold = self.new_hold(fan, command.key, *found)
                self.say_held(hold, command.key, number)
                rows.append(hold.id)
            else:
                rows.append(found)
        if any(isinstance(row, str) for row in rows):
            self.answer(fan, under, body, tuple(rows))
        return self.basketed(number, tuple(rows), was)

    def number_of_basket(self, made: tuple[object, ...], key: str) -> int:
        told = [e for e in self.log if isinstance(e, events.Held) and e.hold in made]
        return next((e.basket for e in told if e.basket and e.key == key), 0)

    def basketed(self, number: int, rows: tuple[object, ...], was: int) -> outcomes.Basketed:
        had, missing = [], []
        for place, row in enumerate(rows):
            if isinstance(row, str):
                had.append((place, row, self.told_hold(self.holds[row])))
            else:
                missing.append((place, row))
        return outcomes.Basketed(number, had, missing, self.seq, was)  # type: ignore[arg-type]

    def lost_with(
        self, fan: str, wants: Sequence[wire.Want]
    ) -> list[tuple[int, outcomes.Missed]] | None:
        """Of a basket that wants all of it: why each want is not had, or None where all can be."""
        rows = list[str | outcomes.Missed]()
        for want in wants:
            found = self.decide_want(fan, want, [row for row in rows if isinstance(row, str)])
            if isinstance(found, tuple):
                # As if it were held.
                hold = self.hold_of(f"?{len(rows)}", fan, "", *found)
                self.holds[hold.id] = hold
                rows.append(hold.id)
            else:
                rows.append(found)
        for name in [name for name in self.holds if name[0] == "?"]:
            del self.holds[name]
        if all(isinstance(row, str) for row in rows):
            return None
        had = refusals.AllOrNothing()
        return [(place, had if isinstance(row, str) else row) for place, row in enumerate(rows)]

    def decide_want(
        self, fan: str, want: wire.Want, taken: Sequence[str]
    ) -> str | tuple[Pool, int] | outcomes.Missed:
        """The hold that it is already, or of which pool how many units; else why not, as for the
        pool that is liked best."""
        reason: outcomes.Missed | None = None
        for name in want.pools:
            pool = self.pools.get(name)
            if pool is None:
                reason = reason or refusals.NotFound()
                continue
            for equal in self.open_holds(fan):
                same = equal.pool == name and want.qty in (equal.qty, self.asked(equal))
                if same and not equal.offer and equal.id not in taken:
                    return equal.id
            units = self.units_of_press(fan, pool, want.qty, want.fewer)
            if isinstance(units, int):
                full = self.network_full() or self.domain_full(fan)
                return full or (pool, units)
            reason = reason or units
        assert reason is not None
        return reason

    def swap(
        self, fan: str, command: wire.Swap, was: int, under: tuple[str, str]
    ) -> outcomes.PressOutcome:
        """As many units of another pool for those of a hold (H13)."""
        body = ("swap", command.hold, command.pool)
        match self.repeated(under, body):
            case refusals.KeyReused() as reused:
                return reused
            case str() as made:
                return self.granted(outcomes.Swapped, self.holds[made], was)
            case None:
                pass
        hold, to = self.holds.get(command.hold), self.pools.get(command.pool)
        if hold is None or hold.fan != fan or to is None:
            return refusals.NotFound()
        if not hold.open:
            return refusals.HoldExpired(state=self.ended_as(hold))
        if hold.offer:
            return refusals.NotFound()
        if hold.state == "paying":
            return refusals.Paying(hold.payment)
        if hold.pool == to.id:
            return self.granted(outcomes.Swapped, hold, was)
        refusal: outcomes.PressOutcome | None = self.phase(joining=False)
        if refusal := refusal or self.not_eligible(fan):
            return refusal
        if wait := self.too_soon(fan):
            return refusals.TooManyRequests(retry_ms=wait)
        if self.items[to.item].price != hold.price:
            return refusals.OtherPrice(self.items[to.item].price)
        ready, qty = bool(self.ready(to.id)), hold.qty
        hold.qty = 0
        units = self.units_of_press(fan, to, qty, fewer=False, ready=ready)
        hold.qty = qty
        if not isinstance(units, int):
            return units
        of_share = self.rules.carried is not None and to.id not in self.taken_up
        came = qty if of_share and self.is_carried(hold.entry) else 0
        if came and self.of_carried(to.id) + came > self.share(to.id):
            return refusals.AllHeld(free=self.free(to.id), held=self.held(to.id))
        entry = self.entry_of(hold)
        if entry is not None:
            self.pools[hold.pool].calls -= entry.call == ADDED
            entry.call = 0
        before = hold.pool
        hold.cohort, _ = self.counts_against(fan, to.id, qty)
        hold.pool = to.id
        self.answer(fan, under, body, hold.id)
        self.say(
            events.Swapped,
            fan=fan,
            key=command.key,
            hold=hold.id,
            pool=before,
            to=to.id,
            qty=qty,
            cohort=hold.cohort,
        )
        self.refresh(fan, freed=True)
        return self.granted(outcomes.Swapped, hold, was)

    def join(
        self, fan: str, command: wire.Join, was: int, under: tuple[str, str]
    ) -> outcomes.PressOutcome:
        """L1, L2."""
        nonce = (command.nonce,) if command.nonce else ()
        body = ("join", tuple(command.pools), command.qty, *nonce)
        match self.repeated(under, body):
            case refusals.KeyReused() as reused:
                return reused
            case str() as made if made in self.holds:
                return self.granted(outcomes.Held, self.holds[made], was)
            case str() as made:
                return self.granted_entry(outcomes.Joined, self.entries[made], was)
            case None:
                pass
        if any(pool not in self.pools for pool in command.pools):
            return refusals.NotFound()
        refusal: outcomes.PressOutcome | None = self.phase(joining=True)
        if refusal := refusal or self.not_eligible(fan):
            return refusal
        if wait := self.too_soon(fan):
            return refusals.TooManyRequests(retry_ms=wait)
        if standing := self.open_entry(fan):
            self.answer(fan, under, body, standing.id)
            return self.granted_entry(outcomes.Joined, standing, was)
        for pool in command.pools:
            most = self.items[self.pools[pool].item].most
            if command.qty > most:
                return refusals.LimitReached(room=most)
        for name in command.pools if self.state == "live" else ():
            liked = self.pools[name]
            _, qty = self.counts_against(
                fan, name, min(command.qty, self.free(name), self.room(fan, liked.item))
            )
            if qty >= 1 and not self.ready(name):
                return self.set_aside(fan, command, under, body, liked, qty, was)
        if not self.can_serve(fan, command.pools):
            return refusals.LimitReached(room=0)
        if full := self.network_full() or self.domain_full(fan):
            return full
        entry = self.join_line(
            *(fan, command.key, command.qty, command.pools, "fan"),
            *(self.tickets_of.get(fan, 1), command.nonce),
        )
        entry.networks = self.counts_at()
        self.takes_part(fan)
        self.answer(fan, under, body, entry.id)
        return self.granted_entry(outcomes.Joined, entry, was)

    def point(self, rows: Sequence[Pointing], clock: int) -> PointReply:
        """G1."""
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        told = [self.point_one(row) for row in rows]
        return Pointed(self.seq, told)

    def enroll(self, fan: str, cohorts: Sequence[str], clock: int) -> outcomes.EnrollOutcome:
        """E1."""
        self.catch_up(clock)
        answer = self.enrolled(fan, cohorts)
        if isinstance(answer, outcomes.Enrolled):
            self.serve()
        return answer

    def leave(self, fan: str, command: wire.Leave, was: int) -> outcomes.PressOutcome:
        """L12."""
        entry = self.entries.get(command.entry)
        if entry is None or entry.fan != fan:
            return refusals.NotFound()
        if not entry.open:
            if entry.state == "left":
                return self.granted_entry(outcomes.Left, entry, was)
            return refusals.NotFound()
        stopped = self.stopped()
        if stopped is not None:
            return stopped
        hold = self.holds.get(entry.hold)
        if hold is not None and hold.offer:
            self.give_up(hold, entry, command.key)
        self.finish(entry, "left")
        self.say(events.Left, fan=fan, key=command.key, entry=entry.id, n=entry.n)
        return self.granted_entry(outcomes.Left, entry, was)

    def confirm(self, fan: str, command: wire.Confirm, was: int) -> outcomes.PressOutcome:
        """K4."""
        entry = self.entries.get(command.entry)
        if entry is None or entry.fan != fan or not entry.carried or not entry.open:
            return refusals.NotFound()
        if (stopped := self.stopped()) is not None:
            return stopped
        if self.state in ("closing", "settled"):
            return refusals.Closed()
        if entry.carried == 1:
            entry.carried = 2
            self.say(events.Confirmed, fan=fan, key=command.key, entry=entry.id)
            self.refresh(fan, freed=False)
        return self.granted_entry(outcomes.Confirmed, entry, was)

    def ended_as(self, hold: Hold) -> str:
        """A hold that its payment rescued is told as what it became."""
        return "sold" if hold.id in self.orders else hold.state

    def granted(self, kind: type[G], hold: Hold, was: int) -> G:
        return kind(hold.id, self.told_hold(hold), self.seq, was)

    def granted_entry(self, kind: type[J], entry: Entry, was: int) -> J:
        return kind(entry.id, self.told_entry(entry), self.seq, was)

    def told_hold(self, hold: Hold) -> model.HoldRecord:
        """As it leaves a worker: in true time."""
        record = self.hold_record(hold)
        record.start_ms = self.happened(hold.start)
        to_come = hold.open and not hold.looked
        record.deadline_ms = hold.deadline - self.lead if to_come else self.happened(hold.deadline)
        record.looked = hold.looked and hold.looked - self.lead
        return record

    def told_entry(self, entry: Entry) -> model.EntryRecord:
        record = self.entry_record(entry)
        record.cool_ms = entry.cool and entry.cool - self.lead
        return record

    def hold_record(self, hold: Hold) -> model.HoldRecord:
        return model.HoldRecord(
            fan=hold.recorded or hold.fan,
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
            looked=hold.looked,
            key=hold.key,
            begun_by=hold.begun_by,
            cohort=hold.cohort,
            payment=hold.payment,
        )

    def entry_record(self, entry: Entry) -> model.EntryRecord:
        return model.EntryRecord(
            fan=entry.recorded or entry.fan,
            n=entry.n,
            qty=entry.qty,
            pools=list(entry.pools),
            lane=0,
            points=entry.points,
            state=entry.state,
            lapses=entry.lapses,
            hold=entry.hold,
            ready=list(entry.ready),
            cool_ms=entry.cool,
            key=entry.key,
            tickets=entry.tickets,
            nonce=entry.nonce,
            carried=entry.carried,
            book=entry.book,
            made_good=int(entry.made_good),
            call=entry.call,
        )
