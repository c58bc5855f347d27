"""Whole sales that the oracle plays by a seed: every kind of event, to the end, in pure Python.

`play(seed)` is one sale from its publishing to the last duty, an honest log. A crowded one lets
most of it happen within one millisecond.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

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
from dropengine.log import draw
from dropengine.manifest import Manifest, digest, rules
from dropengine.model import SCHEMA, FanId
from dropengine.randomness import CommitReveal
from dropengine.truth.store import CarriedRow, Pointing
from tests.kit.manifests import HOUR_MS, START_MS, carrying, early, item, manifest, playing
from tests.kit.oracle import Hold, Oracle
from tests.kit.oracle.drawing import by_chance

FANS = ("ana", "bo", "cy", "di", "eve", "flo", "gus", "hal")
POOLS = ("cup-hill", "cup-port", "pin")
HALL = ("n-hall-hw-hall-h", "w-hall-h")
"""Where everybody is."""
OPENS_MS = START_MS + 1000
CLOSES_MS = START_MS + 3 * 3_600_000
SMALL = (1, 2, 50, 1000, 30_000)
LONG = (61_000, 200_000, 500_000, 1_900_000)
LATER = (1_000_000, 10_000_000, 30_000_000)
OUTAGE_MS = 20_000
END_MS = 10_000_000
STEPS = 70


SECRET = bytes(range(32))


def with_list(text: Manifest, random: Random) -> Manifest:
    """The same drop, but that chance gives out the arrivals."""
    mode = random.choice(("lobby", "collect", "draw"))
    return msgspec.structs.replace(
        text,
        mode=mode,
        window_ms=1_000,
        first_offer_ms=600_000,
        tickets_most=3 if mode == "draw" else 1,
        guests_may_enter=True,
    )


class Player:
    """Plays one drop: what it does next, and when, is the seed's."""

    def __init__(self, seed: int, *, crowded: bool) -> None:
        self.random = Random(f"{seed} {crowded}")
        self.crowded = crowded
        self.by_clock = self.random.random() < 0.4
        self.marked = self.random.random() < 0.3
        self.hours = Random(f"the hours of {seed}").random() < 0.4
        self.now = START_MS
        self.keys = 0
        self.elsewhere = Random(-seed)
        """For what came to these sales later: the others stay as they were."""
        self.cards = Random(f"the cards of {seed}")
        self.charges: list[tuple[str, str, int, bool]] = []
        self.drawn = Random(f"the list of {seed}").random() < 0.3
        text = manifest(
            f"played-{seed}",
            item("cup", {"cup-hill": self.some(1, 3), "cup-port": self.some(1, 3)}, limit=2),
            item("pin", {"pin": self.some(2, 5)}, price=900, withheld={"pin": 1}),
            limit=self.some(2, 4),
            k=self.some(2, 3),
            opens_ms=OPENS_MS if self.by_clock else 0,
            closes_ms=CLOSES_MS if self.by_clock else 0,
            # For three hours it calls anyway; then one hour is quiet, and one calls.
            calls_from_ms=12 * HOUR_MS if self.hours else 0,
            calls_to_ms=13 * HOUR_MS if self.hours else 0,
            # An older engine counted no networks; which sale is one of its, is said below.
            network_most=2 if self.hours else 0,
        )
        if self.drawn:
            text = with_list(text, Random(f"the mode of {seed}"))
        self.carries = Random(f"the places of {seed}").random() < 0.3
        if self.carries:
            text = carrying(text)
        self.cohorts = Random(f"the cohorts of {seed}")
        self.early = self.cohorts.random() < 0.15
        if self.early:
            public_ms = OPENS_MS + self.cohorts.choice((0, 60_000, 3_000_000))
            at = public_ms if self.by_clock and self.cohorts.random() < 0.6 else 0
            text = early(text, at, club=(1, 0, 1), friends=(0, 1, 1))
        self.points = Random(f"the points of {seed}")
        self.plays = self.points.random() < 0.4
        if self.plays:
            text = playing(text, text.identity, self.points.choice(("close", "close", "seal")))
        chance = CommitReveal(draw.commitment_of(SECRET)) if self.drawn else None
        told = rules(text, self.now, chance)
        self.oracle = Oracle(told, digest(text), "o1", "publish", self.now)
        later = self.hours or self.drawn or self.early or self.carries or self.plays
        if self.random.random() < 0.3 and not later:
            self.oracle.lower(SCHEMA - 1)
        if self.marked:
            self.oracle.ran = self.now

    def some(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def move(self, ms: int) -> None:
        self.now += ms
        if self.oracle.ran is not None:
            self.oracle.ran = self.now

    def pass_time(self) -> None:
        if self.random.random() < (0.12 if self.crowded else 0.6):
            self.move(self.random.choice(LONG if self.random.random() < 0.4 else SMALL))

    def to_a_deadline(self) -> None:
        due = sorted(when - self.oracle.lead for when, name in self.oracle.due() if name != "close")
        if due:
            self.move(max(0, self.random.choice(due[:3]) - self.now))
        self.oracle.settle(self.now)

    def creator(self, command: CreatorCommand) -> None:
        by = self.random.choice(("o1", "o2"))
        self.oracle.creator(command, self.oracle.revision, self.key(), by, self.now)

    def command(self) -> tuple[str, wire.FanCommand] | None:
        """What one fan does: mostly something that makes sense now."""
        random, key = self.random, self.key()
        standing = [hold for hold in self.oracle.holds.values() if hold.open]
        match random.choices(("hold", "join", "hold on", "leave"), (3, 3, 8, 1))[0]:
            case "hold":
                pool, qty = random.choice(POOLS), self.some(1, 2)
                pressed = wire.Hold(id=0, key=key, pool=pool, qty=qty, fewer=random.random() < 0.3)
                return random.choice(FANS), pressed
            case "join":
                wanted = random.sample(POOLS, self.some(1, 3))
                return random.choice(FANS), wire.Join(id=0, key=key, pools=wanted, qty=1)
            case "leave":
                line = [entry for entry in self.oracle.entries.values() if entry.open]
                if line:
                    entry = random.choice(line)
                    return entry.fan, wire.Leave(id=0, key=key, entry=entry.id)
            case _:
                if standing:
                    return self.go_on(random.choice(standing), key)
        return None

    def go_on(self, hold: Hold, key: str) -> tuple[str, wire.FanCommand]:
        verbs = ("release", "extend", "claim", "pay")
        verb = self.random.choices(verbs, (3, 2, 4 if hold.offer else 0, 4))[0]
        match verb:
            case "release":
                return hold.fan, wire.Release(id=0, key=key, hold=hold.id)
            case "extend":
                return hold.fan, wire.Extend(id=0, key=key, hold=hold.id)
            case "claim":
                return hold.fan, wire.Claim(id=0, key=key, hold=hold.id)
            case _:
                return hold.fan, wire.Pay(id=0, key=key, holds=[hold.id])

    def batch(self) -> None:
        commands = [self.command() for _ in range(self.some(1, 6 if self.crowded else 2))]
        asked = [command for command in commands if command]
        self.oracle.press(asked, self.now, [HALL] * len(asked))
        if self.oracle.crowded and self.elsewhere.random() < 0.3:
            self.let_in()

    def let_in(self) -> None:
        """The hall is exempt, or no more."""
        exempt = HALL[0] in self.oracle.exempt
        self.creator(Restrict(HALL[0]) if exempt else Exempt(HALL[0]))

    def succeeded(self, hold: Hold, *, more: int = 0) -> None:
        charge, captured = f"c{len(self.charges) + 1}", self.random.random() < 0.4
        payment = self.oracle.payments.get(hold.payment)
        name, amount = hold.id, hold.qty * hold.price
        if payment is not None:
            name, amount = payment.id, payment.amount
        self.charges.append((name, charge, amount, captured))
        # Some lend each other their cards. An older engine counted none.
        card = self.cards.choice(("", "k-one", f"k-{hold.fan}"))
        card = card if self.oracle.schema == SCHEMA else ""
        self.oracle.succeeded(name, charge, amount + more, "EUR", captured, self.now, card)

    def pay(self) -> None:
        paying = [hold for hold in self.oracle.holds.values() if hold.state == "paying"]
        late = [h for h in self.oracle.holds.values() if h.state == "expired" and h.began]
        if late and self.random.random() < 0.5:
            self.succeeded(self.random.choice(late))
        elif paying and self.random.random() < 0.9:
            self.succeeded(self.random.choice(paying), more=self.random.random() < 0.1)
        elif self.oracle.holds:
            self.succeeded(self.random.choice(list(self.oracle.holds.values())))

    def nobody_paid(self) -> None:
        asked = [p.id for p in self.oracle.payments.values() if p.state == "open" and p.looked]
        if asked:
            self.oracle.unpaid(self.random.choice(asked), self.now)

    def capture_less(self) -> None:
        if self.charges:
            hold, charge, amount, _ = self.random.choice(self.charges)
            self.oracle.succeeded(hold, charge, amount - 1, "EUR", True, self.now)

    def discharge(self) -> None:
        if self.oracle.outbox:
            duty = self.random.choice(sorted(self.oracle.outbox))
            failed = duty.startswith("capture") and self.random.random() < 0.2
            self.oracle.discharge(duty, "failed" if failed else "done", self.now)

    def refund(self) -> None:
        kept = [order.id for order in self.oracle.orders.values() if order.kept]
        if kept:
            self.oracle.refund(self.random.choice(kept), "o1", self.key(), self.now)

    def adopt(self) -> None:
        """Somebody signs in, as himself or as somebody who is known."""
        guest = self.random.choice(FANS)
        person = self.random.choice((f"{guest}-in", *FANS))
        self.oracle.adopt(guest, person, self.now)

    def steer(self) -> None:
        later = Reschedule(self.oracle.rules.opens_ms, self.now + self.random.choice(LATER))
        self.creator(
            self.random.choice(
                (
                    *(Pause("a word"), Message("hello"), Add("pin", 1), Withdraw("pin", 1)),
                    *(Realign(), later, Correct(f"{self.random.getrandbits(256):064x}", "{}")),
                )
            )
        )

    def resume(self) -> None:
        if self.oracle.state == "paused":
            self.creator(Resume())

    def enroll(self) -> None:
        """Somebody comes into a cohort, and now and then it is opened to all."""
        fan = self.cohorts.choice(FANS)
        self.oracle.enroll(fan, [self.cohorts.choice(("club", "friends"))], self.now)
        if self.cohorts.random() < 0.05:
            self.creator(Widen())

    def point(self) -> None:
        """Somebody in line has other points than before."""
        line = [entry for entry in self.oracle.entries.values() if entry.open]
        if line and self.plays:
            entry, points = self.points.choice(line), self.points.choice((0, 1, 2, 2, 5))
            why = "friend" if points > entry.points else "taken_back"
            row = Pointing(FanId(entry.fan), entry.book + 1, points, why)
            self.oracle.point([row], self.now)

    def turn(self) -> None:
        """To where the line begins or ends to call."""
        hours = self.oracle.hours
        turns = [hours[word] - self.oracle.lead for word in ("calls", "quiet") if word in hours]
        if turns:
            self.move(max(0, turns[0] - self.now))
            self.oracle.settle(self.now)

    def outage(self) -> None:
        if self.marked and self.random.random() < 0.5:
            self.now += OUTAGE_MS
            self.oracle.settle(self.now)

    def restore(self) -> None:
        """A backup is put back, somebody looks, and what was going on goes on paused."""
        if self.oracle.state != "frozen":
            self.oracle.freeze("restore", self.now)
            self.pass_time()
            self.creator(Thaw(0))

    def enter(self) -> None:
        """Somebody stands in the list, or leaves it, or signs in."""
        fan, wanted = self.random.choice(FANS), self.random.sample(POOLS, self.some(1, 3))
        if self.early:
            self.enroll()
        self.point()
        nonce = f"{self.random.getrandbits(128):032x}" if self.random.random() < 0.7 else ""
        join = wire.Join(id=0, key=self.key(), pools=wanted, qty=1, nonce=nonce)
        self.oracle.tickets_of[fan] = self.some(1, 3)
        self.oracle.press([(fan, join)], self.now)
        line = [entry for entry in self.oracle.entries.values() if entry.open]
        if line and self.random.random() < 0.15:
            entry = self.random.choice(line)
            leave = wire.Leave(id=0, key=self.key(), entry=entry.id)
            self.oracle.press([(entry.fan, leave)], self.now)
        if self.random.random() < 0.1:
            self.adopt()

    def by_chance(self) -> None:
        """The list opens, is sealed and ordered, and then the drop opens."""
        self.oracle.settle(self.now)
        for _ in range(self.some(3, 12)):
            self.pass_time() if not self.by_clock else self.move(self.random.choice((0, 3)))
            self.enter()
        if self.by_clock:
            seals = self.oracle.hours.get("seal", self.now)
            self.move(max(0, seals - self.oracle.lead - self.now))
            self.oracle.settle(self.now)
        else:
            self.creator(Seal())
        oracle = self.oracle
        if oracle.state != "ordering":
            return
        root = draw.Sealed(
            draw.Entry(entry.id, entry.tickets, bytes.fromhex(entry.nonce))
            for entry in oracle.listed()
        ).root
        source = oracle.rules.randomness
        assert source is not None
        oracle.tell_root(root.hex(), self.now)
        oracle.reveal(SECRET.hex(), self.now)
        chance = draw.chance_of(source, root, SECRET, sealed_ms=oracle.sealed_ms)
        right = by_chance(chance, root, oracle.listed())
        size = self.some(1, 5)
        for first in range(1, len(right) + 1, size):
            part = right[first - 1 : first - 1 + size]
            oracle.give_arrivals(root.hex(), oracle.carried + first, part, self.now)
            self.move(self.random.choice((0, 0, 1)))
        oracle.start(self.now)

    def carry(self) -> None:
        """Places of an earlier drop, part by part; some of them nobody's any more."""
        wants: tuple[list[str], ...] = (["pin"], ["cup-hill", "gone", "pin"], ["gone"])
        found = [(fan, self.elsewhere.choice(wants)) for fan in ("", *FANS[:5])]
        rows = [
            CarriedRow(f"e{n}", fan, self.elsewhere.randint(1, 3), pools)
            for n, (fan, pools) in enumerate(found, 4)
        ]
        size = self.elsewhere.randint(1, 4)
        for first in range(1, len(rows) + 1, size):
            part = rows[first - 1 : first - 1 + size]
            self.oracle.carry("ab" * 32, first, len(rows), part, self.now)

    def confirm(self) -> None:
        asked = [entry for entry in self.oracle.entries.values() if entry.carried]
        if asked:
            entry = self.random.choice(asked)
            command = wire.Confirm(id=0, key=self.key(), entry=entry.id)
            self.oracle.press([(entry.fan, command)], self.now)

    def play(self, steps: int = STEPS) -> list[events.AnyEvent]:
        if self.carries:
            self.carry()
        if self.by_clock:
            self.now = OPENS_MS
        else:
            self.creator(Open())
        if self.drawn:
            self.by_chance()
        for fan in FANS if self.early else ():
            self.oracle.enroll(fan, [self.cohorts.choice(("club", "friends"))], self.now)
        doings: dict[Callable[[], None], float] = {
            self.batch: 12,
            self.pay: 4,
            self.discharge: 3,
            self.to_a_deadline: 0.7 if self.crowded else 2.5,
            self.refund: 1,
            self.adopt: 0.5,
            self.steer: 1,
            self.resume: 1.5,
            self.nobody_paid: 0.7,
            self.capture_less: 0.3,
            self.outage: 0.3,
            self.restore: 0.2,
            self.turn: 1 if self.hours else 0,
            self.enroll: 2 if self.early else 0,
            self.confirm: 2 if self.carries else 0,
        }
        for _ in range(steps):
            self.pass_time()
            self.random.choices(list(doings), list(doings.values()))[0]()
            if self.points.random() < 0.15:
                self.point()
        self.end()
        return self.oracle.log

    def end(self) -> None:
        """Close or cancel, let everything end, do every duty."""
        if self.oracle.state in ("live", "paused"):
            if self.random.random() < 0.3:
                self.creator(Cancel())
            elif not self.by_clock or self.random.random() < 0.5:
                self.creator(Close())
        for _ in range(3):
            self.move(END_MS)
            self.oracle.settle(self.now)
        for duty in sorted(self.oracle.outbox):
            self.oracle.discharge(duty, "done", self.now)


def play(seed: int, *, crowded: bool = False, steps: int = STEPS) -> list[events.AnyEvent]:
    return Player(seed, crowded=crowded).play(steps)
