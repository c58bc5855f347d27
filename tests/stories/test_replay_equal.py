"""The fold of the log is the stored truth, and the referee finds nothing, whatever fans and creators do.

Each run plays a few hundred random commands of a small crowd on the real scripts, with the clock in
hand, and prints nothing but its seed when it fails.
"""

from __future__ import annotations

from random import Random

import pytest

from dropengine import model, replay
from dropengine.referee import judge
from dropengine.store import Store
from tests.drops import COOL_MS, HOLD_MS, LOOKUP_MS, OFFER_MS, PAY_MS, item, manifest
from tests.sale import Sale

FANS = [f"f{i}" for i in range(9)]
POOLS = ("pin@north", "pin@south", "lamp")
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
        verbs = ("hold", "join", "pay", "claim", "money", "release", "extend", "leave", "wait")
        rare = ("refund", "discharge", "unpaid", "stock", "pause", "message", "settle")
        verb = self.dice.choice(verbs if self.dice.random() < 0.8 else rare)
        await getattr(self, f"do_{verb}")()
        await self.look()

    async def do_hold(self) -> None:
        dice = self.dice
        pool, qty, fewer = dice.choice(POOLS), dice.randint(1, 3), dice.random() < 0.5
        await self.sale.hold(dice.choice(FANS), pool, qty, fewer=fewer)

    async def do_join(self) -> None:
        pools = self.dice.sample(POOLS, self.dice.randint(1, len(POOLS)))
        await self.sale.join(self.dice.choice(FANS), *pools, qty=self.dice.randint(1, 3))

    async def do_pay(self) -> None:
        await self.sale.pay(*self.any_hold())

    async def do_claim(self) -> None:
        await self.sale.claim(*self.any_hold())

    async def do_release(self) -> None:
        await self.sale.release(*self.any_hold())

    async def do_extend(self) -> None:
        await self.sale.extend(*self.any_hold())

    async def do_leave(self) -> None:
        if self.truth.entries:
            entry = self.dice.choice(list(self.truth.entries))
            await self.sale.leave(self.truth.entries[entry].fan, entry)

    async def do_money(self) -> None:
        """A payment for any hold: early, late, a second one, with a wrong amount, repeated."""
        if not self.truth.holds:
            return
        dice = self.dice
        began = [name for name, hold in self.truth.holds.items() if hold.began]
        hold = dice.choice(began or list(self.truth.holds))
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
        await self.sale.creator("cancel" if self.dice.random() < 0.4 else "close_drop")
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
