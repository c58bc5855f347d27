"""The fold of the log is the stored truth and the referee finds nothing, whatever anybody does.

Each run plays a few hundred random commands of a small crowd on the real scripts, with the clock in
hand, and prints nothing but its seed when it fails.
"""

from __future__ import annotations

from random import Random

import pytest

from dropengine import model, outcomes, wire
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth.store import Store
from tests.kit.manifests import COOL_MS, HOLD_MS, LOOKUP_MS, OFFER_MS, PAY_MS, item, manifest
from tests.kit.sale import Sale

FANS = [f"f{i}" for i in range(9)]
POOLS = ("pin@north", "pin@south", "lamp")
COMMANDS = ("hold", "join", "pay", "claim", "release", "extend", "leave")
MOMENTS = (1, COOL_MS, PAY_MS, LOOKUP_MS, HOLD_MS, OFFER_MS)


class Crowd:
    """Random commands over the things that exist by now."""

    def __init__(self, sale: Sale, seed: int) -> None:
        self.sale = sale
        self.dice = Random(seed)
        self.truth: replay.Truth = replay.Truth()
        self.charges = 0

    async def look(self) -> None:
        self.truth = replay.fold(await self.sale.log())

    def any_hold(self) -> tuple[str, str]:
        """(fan, hold): mostly one that is alive, sometimes one that ended or somebody else's."""
        alive = [name for name, hold in self.truth.holds.items() if hold.state in ALIVE]
        names = alive if alive and self.dice.random() < 0.85 else list(self.truth.holds)
        if not names:
            return self.dice.choice(FANS), "h1"
        name = self.dice.choice(names)
        owner = self.truth.holds[name].fan
        return (owner if self.dice.random() < 0.95 else self.dice.choice(FANS)), name

    async def step(self) -> None:
        verbs = (*COMMANDS, "money", "wait", "wait", "batch")
        rare = ("refund", "discharge", "unpaid", "stock", "pause", "message", "settle")
        verb = self.dice.choice(verbs if self.dice.random() < 0.8 else rare)
        if verb in COMMANDS:
            await self.sale.press(*self.command(verb))
        else:
            await getattr(self, f"do_{verb}")()
        await self.look()

    def command(self, verb: str) -> tuple[str, wire.FanCommand]:
        """A command of somebody, under a fresh key."""
        dice, key = self.dice, self.sale.key()
        fan = dice.choice(FANS)
        match verb:
            case "hold":
                pool, qty = dice.choice(POOLS), dice.randint(1, 3)
                return fan, wire.Hold(id=0, key=key, pool=pool, qty=qty, fewer=dice.random() < 0.5)
            case "join":
                pools = dice.sample(POOLS, dice.randint(1, len(POOLS)))
                return fan, wire.Join(id=0, key=key, pools=pools, qty=dice.randint(1, 3))
            case "leave":
                entry = dice.choice([*self.truth.entries, "e1"])
                owner = self.truth.entries[entry].fan if entry in self.truth.entries else fan
                return owner, wire.Leave(id=0, key=key, entry=entry)
        fan, hold = self.any_hold()
        match verb:
            case "claim":
                return fan, wire.Claim(id=0, key=key, hold=hold)
            case "release":
                return fan, wire.Release(id=0, key=key, hold=hold)
            case "extend":
                return fan, wire.Extend(id=0, key=key, hold=hold)
            case _:
                return fan, wire.Pay(id=0, key=key, holds=[hold])

    async def do_batch(self) -> None:
        """Several commands in one script; the line is served only after all of them."""
        verbs = [self.dice.choice(COMMANDS) for _ in range(self.dice.randint(2, 7))]
        await self.sale.batch(*[self.command(verb) for verb in verbs])

    async def do_money(self) -> None:
        """A payment for any hold: early, late, a second one, with a wrong amount, repeated."""
        if not self.truth.holds:
            return
        dice = self.dice
        began = [name for name, hold in self.truth.holds.items() if hold.began]
        open_ = [name for name in began if self.truth.holds[name].state == "paying"]
        hold = dice.choice((open_ if dice.random() < 0.6 else began) or list(self.truth.holds))
        if dice.random() < 0.9 or not self.charges:
            self.charges += 1
        charge = f"c{self.charges if dice.random() < 0.9 else dice.randint(1, self.charges)}"
        amount = 1 if dice.random() < 0.05 else None
        await self.sale.succeeded(hold, charge, amount=amount, captured=dice.random() < 0.3)

    async def do_wait(self) -> None:
        """The clock goes on; to a deadline, just before it or just after it, or somewhere."""
        due = [at for at in self.truth.due.values() if at > self.sale.now]
        if due and self.dice.random() < 0.6:
            at = min(due) + self.dice.choice((-1, 0, 1))
        else:
            at = self.sale.now + self.dice.choice(MOMENTS)
        self.sale.now = max(self.sale.now, at)

    async def do_refund(self) -> None:
        if self.truth.orders:
            await self.sale.refund(self.dice.choice(list(self.truth.orders)))

    async def do_discharge(self) -> None:
        if self.truth.outbox:
            duty = self.dice.choice(list(self.truth.outbox))
            failed = duty.startswith("capture") and self.dice.random() < 0.3
            await self.sale.discharge(duty, "failed" if failed else "done")

    async def do_unpaid(self) -> None:
        await self.sale.unpaid(self.any_hold()[1])

    async def do_stock(self) -> None:
        verb = self.dice.choice(("add", "withdraw"))
        await self.sale.creator(verb, pool=self.dice.choice(POOLS), qty=self.dice.randint(1, 2))

    async def do_pause(self) -> None:
        verb = "resume" if self.truth.state == model.DropState.PAUSED else "pause"
        await self.sale.creator(verb)

    async def do_message(self) -> None:
        await self.sale.creator("message", text='A "word" to all\n\u2014 \\ok\\')

    async def do_settle(self) -> None:
        await self.sale.settle()

    async def play_out(self) -> None:
        """Close or cancel, let every deadline pass, do every duty."""
        await self.sale.creator("cancel" if self.dice.random() < 0.4 else "close")
        for _ in range(4):
            self.sale.now += OFFER_MS + HOLD_MS
            await self.sale.settle()
            for duty in await self.sale.store.duties(self.sale.drop):
                await self.sale.discharge(duty)
        await self.look()


ALIVE = ("active", "paying")


async def check(sale: Sale, *, closed: bool = False) -> None:
    log = [line async for line in sale.store.log(sale.drop)]
    verdict = judge(log, closed=closed)
    assert not verdict.violations, verdict.violations
    assert replay.difference(replay.fold_lines(log), await sale.truth()) == []


async def crowd(store: Store, drop: str, seed: int) -> Crowd:
    sale = Sale(store, drop)
    items = (
        item("pin", {"pin@north": 4, "pin@south": 3}, withheld={"pin@south": 2}, limit=2),
        item("lamp", {"lamp": 3}, price=9900),
    )
    await sale.publish(manifest(drop, *items, limit=4))
    await sale.creator("open")
    one = Crowd(sale, seed)
    await one.look()
    return one


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_a_crowd_does_the_log_rebuilds_the_truth(
    store: Store, drop: str, seed: int
) -> None:
    one = await crowd(store, drop, seed)
    for number in range(260):
        await one.step()
        if number % 20 == 19:
            await check(one.sale)
    await one.play_out()
    await check(one.sale, closed=True)


async def test_hundreds_of_things_due_at_once_are_settled_and_served_in_order(
    store: Store, drop: str
) -> None:
    """More is due, and more can be offered, than one script does: nobody gets in between."""
    sale = Sale(store, drop)
    await sale.publish(manifest(drop, item("pin", {"pin": 300}), limit=3))
    await sale.creator("open")
    fans = [f"f{i}" for i in range(300)]
    presses = [(fan, wire.Hold(id=0, key="press", pool="pin")) for fan in fans]
    for start in range(0, 300, 100):
        await sale.batch(*presses[start : start + 100])
    waiting = [f"w{i}" for i in range(200)]
    for start in range(0, 200, 100):
        joins = [wire.Join(id=0, key="join", pools=["pin"]) for _ in range(100)]
        await sale.batch(*zip(waiting[start : start + 100], joins, strict=True))
    sale.now += HOLD_MS
    assert isinstance(await sale.hold("late"), outcomes.Held), "a hundred units are left over"
    await check(sale)
    assert [row.fan for row in (await sale.truth()).holds.values()].count("late") == 1
    sale.now += OFFER_MS
    await sale.creator("close")
    await sale.settle()
    await check(sale, closed=True)
