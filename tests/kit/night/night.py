"""One night: a plan played against the real scripts, one question at a time, and its judgement.

Whoever asks goes on asking under the same key until he is answered, whatever strikes. In the end
the referee reads the log, replay rebuilds the truth, and what every fan was told is held against
the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from dropengine import events, outcomes
from dropengine.errors import DropEngineError
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.rehearsal import launch
from dropengine.rehearsal.history import check
from dropengine.truth import keys
from dropengine.truth.replies import Carried
from tests.kit.manifests import TIMES
from tests.kit.night import told
from tests.kit.night.asking import DROP, Played
from tests.kit.night.list_workers import ListWorkers
from tests.kit.night.plan import WHENCE, Step, places_before
from tests.kit.two_lanes_in_log import TwoLanes

LATE_STEPS: Final = 3
"""So many steps later a request arrives that was delayed."""


class Night(ListWorkers):
    """`play` it once."""

    async def play(self, plan: Sequence[Step]) -> Played:
        try:
            await self._begin()
            for step in plan:
                await self._step(step)
            await self._end()
            await self._judge()
        except DropEngineError as fault:
            self.played.violations.append(f"{type(fault).__name__} {fault}")
        return self.played

    async def _begin(self) -> None:
        await self.stage.clear()
        if self.rules.network_most:
            self.sale.whence = dict(WHENCE)
        await self.sale.publish(self.rules)
        await self._carry()
        opened = await self.sale.creator("open", key="open")
        stock = ", ".join(f"{p.cap - p.withheld} {p.id}" for i in self.rules.items for p in i.pools)
        most = f", {self.rules.network_most} in each network" if self.rules.network_most else ""
        said = f"opens with {stock}; {self.rules.limit} for each fan{most}"
        self._tell("mia", said, told.in_words(opened))

    async def _carry(self) -> None:
        """Before it opens, in two parts, the first of them twice."""
        rows = places_before(self.played.seed)
        half = len(rows) // 2
        for first, part in ((1, rows[:half]), (1, rows[:half]), (half + 1, rows[half:])):
            if part:
                carried = await self.sale.carry(*part, first=first, of=len(rows))
                assert isinstance(carried, Carried), carried
        for n, row in enumerate(rows, 1):
            self._fan(row.fan).places.append(f"e{n}")
            self.played.met["a place carried over"] += 1
            self._tell(row.fan, f"has a place for {' or '.join(row.pools)}", f"e{n}")

    async def _step(self, step: Step) -> None:
        if step.verb == "trouble":
            await self._trouble(step)
            return
        if self.stage.late or self.late:
            self.late_steps += 1
            if self.late_steps > LATE_STEPS:
                await self._arrive()
        await getattr(self, f"do_{step.verb}")(step)

    async def _trouble(self, step: Step) -> None:
        if step.who != "clock leap":
            self.troubles.append(step)
            return
        self.played.met["clock leap"] += 1
        self.sale.now += step.ms
        self._tell("the clock", f"leaps by {step.ms // 3_600_000} h", "")
        await self.ask(lambda: self.store.doubt_clock(self.sale.drop, clock_ms=self.sale.now))
        if step.odd:
            await self.creator("realign")

    # What the provider says.

    async def do_charged(self, step: Step) -> None:
        """Now and then a second payment of the same hold; one of three is captured already, and
        some are over less than the price."""
        fan = self.fan(step)
        hold = next(reversed(fan.began or fan.holds), "")
        if not hold:
            return
        charge = f"c-{hold}-2" if step.odd and step.qty == 1 else f"c-{hold}"
        amount = 1 if step.odd and step.qty == 3 else fan.costs[hold]
        outcome = await self.ask(
            lambda: self.sale.succeeded(hold, charge, amount=amount, captured=step.qty == 2)
        )
        if isinstance(outcome, outcomes.Paid):
            fan.orders += [one for one in outcome.sold if one not in fan.orders]
            fan.holds = [one for one in fan.holds if one not in outcome.sold]
        said = f"says that {fan.name} paid {amount} for {hold}"
        self._tell("the provider", said, told.in_words(outcome))

    async def do_unpaid(self, step: Step) -> None:
        fan = self.fan(step)
        if fan.began:
            hold = fan.began[-1]
            outcome = await self.ask(lambda: self.sale.unpaid(hold))
            self._tell("the provider", f"says that nobody paid for {hold}", told.in_words(outcome))

    async def do_duties(self, step: Step) -> None:
        for duty in sorted(await self._read(self.store.duties, self.sale.drop)):
            failed = step.odd and duty.startswith("capture")
            result = "failed" if failed else "done"
            outcome = await self.ask(partial(self.sale.discharge, duty, result))
            self._tell("the shop", f"{duty} is {result}", told.in_words(outcome))

    async def do_point(self, step: Step) -> None:
        """What the books of points have; now and then they take it all back."""
        self.books += 1
        points = 0 if step.odd else step.qty
        why = "friend" if points else "taken_back"
        what = await self.ask(partial(self.sale.point, step.who, self.books, points, why))
        self._tell("the books", f"have {points} points of {step.who}", what)

    # What the creator and the clock do.

    async def do_refund(self, step: Step) -> None:
        fan = self.fan(step)
        if fan.orders:
            order, key = fan.orders[-1], self.key()
            outcome = await self.ask(lambda: self.sale.refund(order, key=key))
            self._tell("mia", f"refunds {order} of {fan.name}", told.in_words(outcome))

    async def do_pause(self, _: Step) -> None:
        await self.creator("pause")

    async def do_resume(self, _: Step) -> None:
        await self.creator("resume")

    async def do_add(self, step: Step) -> None:
        await self.creator("add", pool=step.pools[0], qty=1)

    async def do_withdraw(self, step: Step) -> None:
        await self.creator("withdraw", pool=step.pools[0], qty=1)

    async def do_message(self, _: Step) -> None:
        await self.creator("message", text="Patience.")

    async def do_realign(self, _: Step) -> None:
        await self.creator("realign")

    async def do_settle(self, _: Step) -> None:
        outcome = await self.ask(lambda: self.store.settle(self.sale.drop, clock_ms=self.sale.now))
        self._tell("the timer", "settles", told.in_words(outcome))
        await self._look_at_networks()

    async def do_wait(self, step: Step) -> None:
        """To the next deadline, or a thousandth beside it; or for a time."""
        was = self.sale.now
        next_ms = await self._read(self._next_due) if abs(step.ms) <= 1 else 0
        self.sale.now = max(was, next_ms + step.ms) if next_ms else was + step.ms
        if self.sale.now != was:
            self._tell("the clock", f"goes on by {(self.sale.now - was) / 1000:g} s", "")

    async def do_hours(self, _: Step) -> None:
        """To where the line begins or ends to call."""
        turns = await self._read(self._next_turn)
        if turns > self.sale.now:
            self.sale.now = turns
            self.played.met["hours turn"] += 1
            self._tell("the clock", "comes to where the hours of the line turn", "")

    async def _next_turn(self) -> int:
        """By the server's clock; 0 where the line has no hours."""
        drop, control = self.sale.drop, self.stage.control
        found = [await control.zscore(keys.one(drop, "due"), word) for word in ("calls", "quiet")]
        lead = await control.hget(keys.one(drop, "drop"), "lead")
        return max(int(at) - int(lead or 0) if at else 0 for at in found)

    async def _next_due(self) -> int:
        """When the next thing is due, by the server's clock; 0 when nothing is."""
        drop = self.sale.drop
        rows = await self.stage.control.zrange(keys.one(drop, "due"), 0, 0, withscores=True)
        lead = await self.stage.control.hget(keys.one(drop, "drop"), "lead")
        return int(rows[0][1]) - int(lead or 0) if rows else 0

    # How it ends.

    async def _end(self) -> None:
        """All troubles are over, the drop closes, and every duty is done."""
        self.troubles.clear()
        await self._arrive()
        await self._open_at_last()
        await self._look_at_networks()
        await self.creator("close")
        head = (await self.sale.truth()).drop
        self.sale.now = max(self.sale.now, int(head["at"]) - int(head.get("lead") or 0))
        for _ in range(4):
            self.sale.now += sum(getattr(self.rules, name) for name in TIMES)
            await self.do_settle(Step("settle"))
            await self.do_duties(Step("duties"))

    async def _judge(self) -> None:
        log = self.played.log = [line async for line in self.store.log(self.sale.drop)]
        verdict = judge(log, closed=True)
        found = [f"{one.inv} {one.sentence}" for one in verdict.violations]
        truth = await self.sale.truth()
        if truth.drop["state"] not in ("settled", "cancelled"):
            found.append(f"END the drop is {truth.drop['state']} when the night is over")
        if not found:
            # What cannot be judged cannot be folded either.
            found += [f"REPLAY {one}" for one in replay.difference(replay.fold_lines(log), truth)]
            found += [f"{one.inv} {one.sentence}" for one in launch.faults(self.sale.drop, log)]
            seen = check(self.history.lines(), DROP, [events.parse(line) for line in log])
            found += [f"{one.inv} {one.sentence}" for one in seen]
            found += [f"LANES {one}" for one in TwoLanes(map(events.parse, log)).over()]
        self.played.violations += found
