"""The state machine in trouble: crowds, providers that are silent or late, gaps, restores.

It does all that `Machine` does and counts what it met: `MACHINE_RUNS=2000 MACHINE_STEPS=150` plays
more by hand, prints the counts and fails where something was met by less than one run in a hundred.
What takes several steps one after the other is one rule here: a run draws from some of the rules
only, and many a run is a near copy of another one.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from dropengine import events, outcomes, wire
from dropengine.creator_commands import Cancel, CreatorCommand, Open, Pause, Resume
from dropengine.model import FanId
from dropengine.truth import keys
from dropengine.truth.store import Pointing
from tests.kit.encounters import Encounters
from tests.kit.oracle import Entry, Oracle
from tests.kit.private_server import Server
from tests.kit.sale import Answer
from tests.truth.test_store_machine import (
    FANS,
    PERSONS,
    POOLS,
    TOGETHER,
    USUAL_ORDER,
    Hands,
    Machine,
    nth,
    pick,
)

SETTLED_AT_ONCE = 64
CROWD = [f"fan-{i}" for i in range(72)]
DAYS_MS = 400_000_000
"""Longer than any time that a manifest may give, an offer's 48 hours and a hard stop behind it."""
SHARE = 0.01

Ending = Literal["done", "failed", "by_hand", "given_up"]

DUE = ("holds", "offers", "payments", "coolings")
WANTED = (
    *(f"in a batch: {verb}" for verb in dict.fromkeys(TOGETHER)),
    *(f"{longer} below {shorter}" for shorter, longer in combinations(USUAL_ORDER, 2)),
    "closes no later than it opens",
    *(f"done: {kind}" for kind in ("capture", "void", "refund", "cancel")),
    *(f"failed: {kind}" for kind in ("capture", "void", "refund", "cancel")),
    *(f"{how}: {kind}" for how in ("by_hand", "given_up") for kind in ("capture", "refund")),
    "refund: Refunded, key fresh",
    "refund: Refunded, key used",
    "refund: KeyReused, key used",
    *(f"more than 64 due: {what}" for what in DUE),
    "more than 64 offers at once",
    "more than 64 ended by a cancellation",
    "a provider silent to the hard stop",
    "a provider answers after the deadline",
    *(f"a provider late: {what}" for what in ("sold", "rescued", "voided", "made good")),
    *(f"a gap of days: {what}" for what in ("counted", "an outage")),
    "a restore",
    "a restore forgot holds",
    "a restore forgot orders",
    "a restore forgot what is asked for again",
    "a restore forgot what a charge bought",
    "cancelled after a freeze",
    *(f"adopt: {what}" for what in ("Adopted", "NothingBegun", "LimitReached", "NotAdoptable")),
    *(f"adopt: {what}" for what in ("an offer became a hold", "a hold that is being paid")),
    *(f"adopt: a place ends, {why}" for why in ("merged", "limit")),
    "adopted before: asks under the guest's name",
    "adopted before: a key of the guest again",
    *(f"adopted before: a payment, {what}" for what in ("Paid", "Voided")),
    *(f"in quiet hours: {what}" for what in ("called himself", "refused", "waits", "served after")),
    *(f"taken out: {what}" for what in ("rows", "keys", "holds")),
    *(f"paid again: {what}" for what in ("found by the question", "nobody can any more")),
    *(f"points: {what}" for what in ("pointed", "same", "no_entry", "fixed", "over")),
    *(f"points: some while {what}" for what in ("waiting", "waiting, cooling", "offered")),
    *(f"points: none any more while {what}" for what in ("waiting", "offered")),
    "the boost lane calls",
    "a promise of the line is judged",
    "made good beside his points",
    "a boost call lapses",
    "a second place in the lines of several pools",
)


@dataclass
class Backup:
    """A drop as it was: its raw keys, and what the machine knew."""

    raw: dict[str, bytes | None]
    oracle: Oracle
    pressed: int
    lowered: bool
    in_books: int


class Trouble(Machine):
    """Machine, where more goes wrong at once."""

    encounters: ClassVar[Encounters]

    def __init__(self) -> None:
        super().__init__()
        self.backup: Backup | None = None
        self.forgotten: list[tuple[str, wire.FanCommand]] = []
        self.unheard_of: set[str] = set()

    def teardown(self) -> None:
        super().teardown()
        self.encounters.add(self.met)

    # A crowd: more than one script settles, serves or ends at once.

    @precondition(lambda self: self.crowd)
    @rule(verb=st.sampled_from(("hold", "fewer", "join")))
    def a_crowd_comes(self, verb: str) -> None:
        if self.oracle.state == "scheduled":
            self.command(Open(), self.oracle.revision, "o1", self.key())
        self.press(*(self.one_of_many(fan, verb, "pin", 1, 0) for fan in CROWD))

    def a_crowd_is_called(self) -> None:
        """It joins in a pause, when nothing can be had at once."""
        self.command(Pause(), self.oracle.revision, "o1", self.key())
        self.a_crowd_comes("join")
        offers = len(self.offers())
        self.command(Resume(), self.oracle.revision, "o1", self.key())
        self.settle()
        if len(self.offers()) - offers > SETTLED_AT_ONCE:
            self.meets("more than 64 offers at once")

    def a_crowd_begins_to_pay(self) -> None:
        holds = [hold for hold in self.oracle.holds.values() if hold.open and not hold.began]
        self.press(*((hold.fan, self.paying([hold.id])) for hold in holds[:256]))

    def due_as(self, what: str) -> list[int]:
        """When each thing of a kind is due, by the server's clock."""
        due = ((when, member[:2], member[2:]) for when, member in self.oracle.due())
        return [self.own(when) for when, word, name in due if self.kind_of(word, name) == what]

    def kind_of(self, word: str, name: str) -> str:
        if word != "h:":
            return "coolings" if word == "e:" else ""
        hold = self.oracle.holds[name]
        return "offers" if hold.offer else "payments" if hold.state == "paying" else "holds"

    def wait_for(self, what: str) -> None:
        """Until all things of a kind are due at once."""
        due = self.due_as(what)
        if due:
            self.move(max(self.now, *due))
            self.settle()
        if len(due) > SETTLED_AT_ONCE:
            self.meets(f"more than 64 due: {what}")

    @precondition(lambda self: self.crowd)
    @rule(what=st.sampled_from((*DUE, "holds", "coolings")))
    def a_crowd_lets_time_pass(self, what: str) -> None:
        match what:
            case "holds" | "payments":
                self.a_crowd_comes("hold")
            case "offers":
                self.a_crowd_is_called()
            case "coolings":
                self.a_crowd_is_called()
                self.wait_for("offers")
        if what == "payments":
            self.a_crowd_begins_to_pay()
        self.wait_for(what)

    @precondition(lambda self: self.crowd)
    @rule()
    def a_crowd_lets_its_offers_lapse(self) -> None:
        self.a_crowd_is_called()
        self.wait_for("offers")
        self.wait_for("coolings")

    @precondition(lambda self: self.crowd)
    @rule()
    def a_crowd_pays_and_falls_silent(self) -> None:
        self.a_crowd_comes("hold")
        self.a_crowd_begins_to_pay()
        self.wait_for("payments")

    @precondition(lambda self: self.crowd and len(self.oracle.log) > 15)
    @rule(sure=st.integers(0, 2))
    def it_is_cancelled_in_a_crowd(self, sure: int) -> None:
        if sure:
            return
        self.a_crowd_comes("hold")
        things = sum(hold.open for hold in self.oracle.holds.values())
        things += sum(order.kept for order in self.oracle.orders.values())
        if things > SETTLED_AT_ONCE:
            self.command(Cancel("too many"), self.oracle.revision, "o1", self.key())
            self.settle()
            if self.oracle.state == "cancelled":
                self.meets("more than 64 ended by a cancellation")

    @precondition(lambda self: len(self.oracle.log) > 15)
    @rule(why=st.sampled_from(("half", "restore")), sure=st.integers(0, 3))
    def it_is_cancelled_while_it_is_frozen(self, why: str, sure: int) -> None:
        """The one thing that is left where nobody can say what happened."""
        if sure:
            return
        if not self.oracle.froze:
            self.it_freezes(why, sure=True, soon=None, spoiled=set())
        self.command(Cancel(), self.oracle.revision, "o1", self.key())
        self.settle()

    @rule(also=st.sampled_from(TOGETHER), which=nth)
    def offers_are_claimed_together(self, also: str, which: int) -> None:
        if not self.offers():
            self.somebody_is_called(which)
        claims = [("ana", "claim", "pin", 1, nth_offer) for nth_offer in (0, 1)]
        self.press_together([claims[0], ("bo", also, "pin", 2, which), claims[1]])

    def somebody_is_called(self, which: int) -> None:
        """Two join in a pause."""
        self.command(Pause(), self.oracle.revision, "o1", self.key())
        for fan in (FANS[which % len(FANS)], FANS[(which + 1) % len(FANS)]):
            self.join(fan, [POOLS[which % len(POOLS)]], 1)
        self.command(Resume(), self.oracle.revision, "o1", self.key())

    # Points.

    @rule(
        which=nth,
        points=st.sampled_from((1, 1, 3)),
        then=st.sampled_from(("nothing", "comes back", "taken back")),
    )
    def who_has_points_is_called(self, which: int, points: int, then: str) -> None:
        """Some join in a pause, and the last of them has points; what is offered then may come
        back, and the points of who has an offer may be taken back."""
        wanted = [POOLS[which % len(POOLS)], POOLS[(which + 1) % len(POOLS)]]
        self.command(Pause(), self.oracle.revision, "o1", self.key())
        for i in range(3):
            self.join(FANS[(which + i) % len(FANS)], wanted[: 1 + (i > 0)], 1)
        for entry in [entry for entry in self.oracle.entries.values() if entry.open][-1:]:
            self.point([Pointing(FanId(entry.fan), entry.book + 1, points, "friend")])
        self.command(Resume(), self.oracle.revision, "o1", self.key())
        for hold in self.offers():
            fan = self.owner(hold)
            if then == "comes back":
                self.press((fan, wire.Release(id=0, key=self.key(), hold=hold)))
            elif then == "taken back":
                entry = self.oracle.entries[self.oracle.holds[hold].entry]
                row = Pointing(FanId(fan), entry.book + 1, 0, "taken_back")
                self.point([row, row])

    @rule(which=nth)
    def who_was_made_good_has_points(self, which: int) -> None:
        if not self.made_good():
            self.begin_paying_and_fall_silent(which)
            if self.late():
                self.payment_comes_late(which, captured=False)
        for entry in self.made_good():
            self.point([Pointing(FanId(entry.fan), entry.book + 1, 2, "friend")])

    def made_good(self) -> list[Entry]:
        return [entry for entry in self.oracle.entries.values() if entry.open and entry.made_good]

    # A guest becomes a person.

    @rule(which=nth, turned=st.booleans(), resume=st.booleans())
    def two_who_wait_become_one(self, which: int, *, turned: bool, resume: bool) -> None:
        """One of them may have been called."""
        if resume:
            self.somebody_is_called(which)
        else:
            self.command(Pause(), self.oracle.revision, "o1", self.key())
            for i in (which, which + 1):
                self.join(FANS[i % len(FANS)], [POOLS[which % len(POOLS)]], 1)
        pair = [FANS[which % len(FANS)], FANS[(which + 1) % len(FANS)]]
        self.adopt(*(pair[::-1] if turned else pair))

    @rule(which=nth, silent=st.booleans(), captured=st.booleans())
    def who_pays_becomes_a_person(self, which: int, *, silent: bool, captured: bool) -> None:
        """And the payment that he began as a guest comes, in time or late."""
        if silent:
            self.begin_paying_and_fall_silent(which)
        else:
            self.pay(which)
        begun = [one for one in self.oracle.payments.values() if not one.judged]
        if not begun:
            return
        payment = pick(begun[::-1], which)
        self.adopt(payment.fan, PERSONS[0])
        self.pays(payment.id, captured=captured)

    @rule(which=nth)
    def who_waits_becomes_who_bought(self, which: int) -> None:
        """Where his orders fill the limit, the place ends."""
        if not self.oracle.orders:
            self.somebody_buys(which, captured=True)
        kept = [order for order in self.oracle.orders.values() if order.kept]
        if not kept:
            return
        order = pick(kept, which)
        self.command(Pause(), self.oracle.revision, "o1", self.key())
        for guest in FANS:
            if guest not in (order.fan, *self.oracle.person_of):
                self.join(guest, [order.pool], 1)
                self.adopt(guest, order.fan)
                return

    @precondition(lambda self: self.oracle.person_of and self.pressed)
    @rule(which=nth)
    def an_old_tab_asks_again(self, which: int) -> None:
        """Under the guest's name, or with his key under the person's."""
        mine = [one for one in self.pressed if one[0] in self.oracle.person_of]
        if mine:
            guest, command, _ = pick(mine, which // 2)
            fan = self.oracle.person_of[guest] if which % 2 else guest
            if (guest, command.key) in self.oracle.answers:
                self.meets("adopted before: a key of the guest again")
            self.press((fan, command))

    def press(self, *batch: tuple[str, wire.FanCommand]) -> list[Answer]:
        if any(fan in self.oracle.person_of for fan, _ in batch):
            self.meets("adopted before: asks under the guest's name")
        return super().press(*batch)

    # A provider that is silent, or late.

    @rule(which=nth)
    def begin_paying_and_fall_silent(self, which: int) -> None:
        super().begin_paying_and_fall_silent(which)
        if any(hold.looked and hold.state == "expired" for hold in self.oracle.holds.values()):
            self.meets("a provider silent to the hard stop")

    @rule(which=nth, captured=st.booleans())
    def a_provider_answers_after_the_deadline(self, which: int, *, captured: bool) -> None:
        """While it is asked the hold stands, and is bought."""
        self.pay(which)
        paying = [h for h in self.oracle.holds.values() if h.state == "paying" and not h.looked]
        if not paying:
            return
        hold = pick(paying, which)
        self.move(max(self.now, self.own(hold.deadline)))
        self.settle()
        if hold.looked and hold.open:
            self.meets("a provider answers after the deadline")
        self.pays(hold.payment, captured=captured)

    @rule(which=nth, captured=st.booleans())
    def a_payment_comes_late_to_who_pressed_again(self, which: int, *, captured: bool) -> None:
        """It buys the hold that he has by then, if it is an equal one."""
        if not self.late():
            self.begin_paying_and_fall_silent(which)
        if not self.late():
            return
        payment = self.oracle.payments[pick(self.late(), which)]
        for name in payment.holds:
            hold = self.oracle.holds[name]
            self.hold(hold.fan, hold.pool, hold.qty, fewer=False)
        self.payment_comes_late(which, captured)

    @rule(which=nth, more=st.integers(0, 2), captured=st.booleans())
    def what_was_bought_is_paid_again(self, which: int, more: int, *, captured: bool) -> None:
        """And no webhook tells of it: whoever asks about the sale finds what came until then, and
        lets nobody pay any more."""
        if not self.bought():
            self.somebody_buys(which, captured=captured)
        if not self.bought():
            return
        payment = self.oracle.payments[pick(self.bought(), which)]
        asked = f"cancel:{payment.id}"
        if asked not in self.oracle.outbox:
            self.meets("paid again: nobody can any more")
            return
        for _ in range(more):
            self.pays(payment.id, captured=captured)
            charge = self.paid[-1][1]
            if self.oracle.state != "frozen":
                number = self.oracle.number_of[charge]
                assert f"{'refund' if captured else 'void'}:{number}" in self.oracle.outbox
                self.meets("paid again: found by the question")
        self.discharge_one(asked, done=True)

    def somebody_buys(self, which: int, *, captured: bool) -> None:
        """Something that costs, where anything of that can be had."""
        if not self.to_be_bought():
            self.hold(FANS[which % len(FANS)], "cup-hill", 1, fewer=True)
        if self.to_be_bought():
            hold = self.oracle.holds[pick(self.to_be_bought(), which)]
            self.press((hold.fan, self.paying([hold.id])))
            if hold.payment:
                self.pays(hold.payment, captured=captured)

    def to_be_bought(self) -> list[str]:
        return [hold.id for hold in self.oracle.holds.values() if hold.open and hold.price]

    @rule(which=nth, how=st.sampled_from(("done", "failed", "by_hand", "given_up")))
    def a_capture_ends(self, which: int, how: Ending) -> None:
        if not self.owed("capture"):
            self.somebody_buys(which, captured=False)
        self.ends("capture", how)

    @rule(which=nth, how=st.sampled_from(("done", "by_hand", "given_up")))
    def a_refund_ends(self, which: int, how: Ending) -> None:
        if not self.owed("refund"):
            self.somebody_buys(which, captured=True)
            self.refund(which, 2, "o1", "", "line", 0, None)
        self.ends("refund", how)

    def ends(self, kind: str, how: Ending) -> None:
        for duty in self.owed(kind)[:1]:
            if how == "done" or how == "failed":
                self.discharge_one(duty, done=how == "done")
            else:
                self.end_by_hand(duty, how)

    def owed(self, kind: str) -> list[str]:
        return [name for name in sorted(self.oracle.outbox) if name.startswith(f"{kind}:")]

    @precondition(lambda self: self.refunds)
    @rule()
    def the_last_refund_is_sent_again(self) -> None:
        self.refund(0, 1 + 3 * (len(self.refunds) - 1), "o1", "", "line", 0, None)

    def bought(self) -> list[str]:
        """Payments that cost something and bought something."""
        paid = self.oracle.payments.values()
        return [one.id for one in paid if one.state == "paid" and one.amount]

    @rule(kind=st.sampled_from(("capture", "void", "refund", "cancel")), done=st.booleans())
    def a_duty_of_each_kind(self, kind: str, *, done: bool) -> None:
        for duty in self.owed(kind)[:1]:
            self.discharge_one(duty, done=done)

    def succeeded(self, name: str, charge: str, amount: int, currency: str, captured: bool) -> None:
        payment = self.oracle.payments.get(name)
        holds = [self.oracle.holds[one] for one in payment.holds] if payment else []
        late = payment is not None and payment.state == "ended" and not payment.judged
        known, told = charge in self.oracle.number_of, self.oracle.seq
        super().succeeded(name, charge, amount, currency, captured)
        outcome = self.oracle.charges.get(self.oracle.number_of.get(charge, ""))
        rescued = any(isinstance(event, events.Rescued) for event in self.oracle.log[told:])
        guests = any(hold.begun_by or hold.recorded for hold in holds)
        if outcome is not None and not known and guests:
            self.meets(f"adopted before: a payment, {type(outcome).__name__}")
        if charge in self.unheard_of and not known:
            self.meets("a restore forgot what a charge bought")
        match outcome:
            case outcomes.Paid() if late and not known:
                self.meets(f"a provider late: {'rescued' if rescued else 'sold'}")
            case outcomes.Voided(why="late", entry=entry) if not known:
                self.meets("a provider late: made good" if entry else "a provider late: voided")
            case _:
                pass

    # Nobody there for days.

    @rule(sure=st.integers(0, 1))
    def nobody_asks_for_days(self, sure: int) -> None:
        """Where marks are kept it does not count; else everything is over, and asked about."""
        if sure == 0:
            self.pick_hold(0)
            self.now += DAYS_MS
            open_holds = sum(hold.open for hold in self.oracle.holds.values())
            self.settle()
            if open_holds:
                marked = self.oracle.ran is not None
                self.meets(f"a gap of days: {'an outage' if marked else 'counted'}")

    # The truth of an earlier moment comes back.

    @rule()
    def a_backup_is_made(self) -> None:
        raw = self.run(self.dumped())
        oracle = copy.deepcopy(self.oracle)
        in_books = self.run(self.hands.books.cursor(self.drop))
        self.backup = Backup(raw, oracle, len(self.pressed), self.lowered, in_books)

    @precondition(lambda self: self.backup is not None)
    @rule(sure=st.integers(0, 1))
    def the_backup_is_restored(self, sure: int) -> None:
        """Fans and providers know what the shop has forgotten."""
        backup = self.backup
        if sure or backup is None:
            return
        if len(self.oracle.orders) == len(backup.oracle.orders):
            self.somebody_buys(0, captured=True)
        self.run(self.restored(backup.raw))
        self.run(self.hands.books.forget(self.drop, backup.in_books))
        for name, forgot in (
            ("holds", len(self.oracle.holds) > len(backup.oracle.holds)),
            ("orders", len(self.oracle.orders) > len(backup.oracle.orders)),
        ):
            if forgot:
                self.meets(f"a restore forgot {name}")
        self.unheard_of |= self.oracle.number_of.keys() - backup.oracle.number_of.keys()
        self.oracle = copy.deepcopy(backup.oracle)
        self.checked, self.lowered = self.oracle.seq, backup.lowered
        self.forgotten += [(fan, command) for fan, command, _ in self.pressed[backup.pressed :]]
        del self.pressed[backup.pressed :]
        self.meets("a restore")
        self.audit()

    @precondition(lambda self: self.forgotten)
    @rule(which=nth)
    def what_was_forgotten_is_asked_for_again(self, which: int) -> None:
        """It is decided as if it had never been."""
        again = self.forgotten.pop(which % len(self.forgotten))
        self.press(again)
        self.meets("a restore forgot what is asked for again")

    @precondition(lambda self: self.unheard_of)
    @rule(which=nth)
    def a_provider_tells_what_was_forgotten(self, which: int) -> None:
        """Its hold may be another fan's by now, or nobody's."""
        charge = pick(sorted(self.unheard_of), which)
        self.succeeded(*next(paid for paid in self.paid if paid[1] == charge))
        self.unheard_of.discard(charge)

    def command(self, command: CreatorCommand, revision: int, by: str, key: str) -> None:
        before = self.oracle.state
        super().command(command, revision, by, key)
        if (before, self.oracle.state) == ("frozen", "cancelled"):
            self.meets("cancelled after a freeze")

    async def dumped(self) -> dict[str, bytes | None]:
        client: Any = self.hands.client
        return {name: await client.dump(name) for name in keys.of(self.drop)[:-1]}

    async def restored(self, raw: dict[str, bytes | None]) -> None:
        client: Any = self.hands.client
        for name, value in raw.items():
            await client.delete(name)
            if value is not None:
                await client.restore(name, 0, value)


@pytest.fixture
def hands(server: Server) -> Iterator[Hands]:
    pair = Hands(server)
    yield pair
    pair.close()


def test_the_scripts_do_what_the_oracle_says_in_trouble(hands: Hands) -> None:
    Trouble.hands = hands
    Trouble.encounters = Encounters(WANTED)
    runs, steps = (int(os.environ.get(f"MACHINE_{name}", "0")) for name in ("RUNS", "STEPS"))
    run_state_machine_as_test(
        Trouble,
        settings=settings(
            max_examples=runs or 100,
            stateful_step_count=steps or 60,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    if runs:
        print(Trouble.encounters.table())
        assert Trouble.encounters.rare(SHARE) == []
