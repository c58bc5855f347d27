"""What fans do: press, claim, release, extend, pay, join and leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import structs

from dropengine import events, model, outcomes, refusals, wire
from dropengine.truth.replies import Pointed
from dropengine.truth.store import Pointing, PointReply
from tests.kit.oracle.clock import Clock
from tests.kit.oracle.networks import Names
from tests.kit.oracle.records import Entry, Hold, Pool

Phase = refusals.NotOpen | refusals.Paused | refusals.Closed | refusals.Cancelled | refusals.Frozen
G = TypeVar("G", bound=outcomes.HoldGranted)
J = TypeVar("J", bound=outcomes.EntryGranted)


class Presses(Clock):
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
                hold = self.holds[answer.id]
                record = structs.replace(self.told_hold(hold), state=self.ended_as(hold))
                return structs.replace(answer, hold=record)
            case outcomes.EntryGranted():
                return structs.replace(answer, entry=self.told_entry(self.entries[answer.id]))
            case _:
                return answer

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
            case wire.Pay(holds=[only]):
                return self.own_hold(fan, only, command, was)
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
        item = self.items[pool.item]
        qty, room = command.qty, self.room(fan, pool.item)
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
        if qty > item.most:
            return refusals.LimitReached(room=min(room, item.most))
        if room < qty:
            if not (command.fewer and room >= 1):
                return refusals.LimitReached(room=room)
            qty = room
        free, held = self.free(pool.id), self.held(pool.id)
        if self.ready(pool.id):
            return refusals.AllHeld(free=0, held=held)
        if free < qty:
            if command.fewer and free >= 1:
                qty = free
            elif free == 0 and held == 0:
                return refusals.SoldOut()
            else:
                return refusals.AllHeld(free=free, held=held)
        _, most = self.counts_against(fan, pool.id, qty)
        if most < qty and not (command.fewer and most >= 1):
            return refusals.CohortFull(most, self.rules.public_ms)
        qty = most
        return self.set_aside(fan, command, under, body, pool, qty, was)

    def asked(self, hold: Hold) -> int:
        """How many units the command wanted that made the hold; it may have got fewer."""
        match self.answers.get((hold.begun_by or hold.fan, hold.key)):
            case (("hold", _, int(qty), _), made) | (("join", _, int(qty), *_), made):
                return qty if made == hold.id else hold.qty
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
        cohort, _ = self.counts_against(fan, pool.id, qty)
        hold = Hold(
            id=self.next_hold(),
            fan=fan,
            pool=pool.id,
            qty=qty,
            price=self.items[pool.item].price,
            origin="press",
            start=self.at,
            deadline=self.at + self.rules.hold_ms,
            key=command.key,
            networks=self.counts_at(),
            cohort=cohort,
        )
        self.holds[hold.id] = hold
        self.takes_part(fan)
        self.answer(fan, under, body, hold.id)
        self.say(
            events.Held,
            fan=fan,
            key=command.key,
            hold=hold.id,
            pool=pool.id,
            qty=qty,
            price=hold.price,
            deadline=hold.deadline,
            cohort=cohort,
        )
        self.refresh(fan, freed=False)
        return self.granted(outcomes.Held, hold, was)

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
        command: wire.Claim | wire.Release | wire.Extend | wire.Pay,
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
                return self.granted(outcomes.Extended, hold, was)
            case wire.Pay():
                if hold.offer:
                    self.claim(hold, command.key)
                if not hold.began:
                    self.begin_paying(hold, command.key)
                return self.granted(outcomes.Paying, hold, was)

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

    def begin_paying(self, hold: Hold, key: str) -> None:
        """H6."""
        rules = self.rules
        hold.began = True
        hold.state = "paying"
        latest = hold.start + 2 * rules.hold_ms + rules.pay_ms
        hold.deadline = max(hold.deadline, min(self.at + rules.pay_ms, latest))
        self.say(events.Paying, fan=hold.fan, key=key, hold=hold.id, deadline=hold.deadline)

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
            began=2 if hold.judged else int(hold.began),
            looked=hold.looked,
            key=hold.key,
            begun_by=hold.begun_by,
            cohort=hold.cohort,
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
