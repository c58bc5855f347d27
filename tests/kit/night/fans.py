"""Fans: what they do, what they remember, and what each was told."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from dropengine import model, outcomes, refusals, wire
from dropengine.errors import Unavailable
from dropengine.rehearsal.history import Recorder
from tests.kit.night import told
from tests.kit.night.asking import DROP, Asking
from tests.kit.night.plan import FANS, Step
from tests.kit.night.stage import Stage
from tests.kit.sale import Answer


@dataclass
class Fan:
    """What a fan remembers, the newest last."""

    name: str
    holds: list[str] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    costs: dict[str, int] = field(default_factory=dict)
    last: wire.FanCommand | None = None


Wish = tuple[Fan, wire.FanCommand, str]
"""Who wants what, and how that reads."""


class Fans(Asking):
    """They press, wait in line, pay or do not, and ask twice."""

    def __init__(self, stage: Stage, seed: int) -> None:
        super().__init__(stage, seed)
        self.history = Recorder()
        self.fans: dict[str, Fan] = {}

    def fan(self, step: Step) -> Fan:
        return self._fan(step.who)

    def _fan(self, name: str) -> Fan:
        return self.fans.setdefault(name, Fan(name))

    async def press(self, *wishes: Wish) -> None:
        """What fans want at one moment: a worker brings it to the scripts as one batch."""
        for fan, command, _ in wishes:
            fan.last = command
        ops = [self.history.invoke(DROP, fan.name, command) for fan, command, _ in wishes]

        async def question() -> list[Answer]:
            answers = await self.sale.batch(*((fan.name, command) for fan, command, _ in wishes))
            if any(isinstance(answer, refusals.Away) for answer in answers):
                raise Unavailable("away")
            return answers

        answers = await self.ask(question, {(fan.name, command.key) for fan, command, _ in wishes})
        for i, (op, (fan, command, wish), outcome) in enumerate(
            zip(ops, wishes, answers, strict=True)
        ):
            self._note(op, fan, told.answer(op, command, outcome), command.key)
            self._remember(fan, command, outcome)
            also = "and at once " if i else ""
            self._tell(f"{also}{fan.name}", wish, told.in_words(outcome))

    def _note(self, op: int, fan: Fan, reply: wire.Done | wire.Refused, key: str) -> None:
        if isinstance(reply, wire.Done):
            self.history.ok(op, reply)
        elif (fan.name, key) in self.late:
            self.history.info(op)
        else:
            self.history.fail(op, reply)

    def _remember(self, fan: Fan, command: wire.FanCommand, outcome: Answer) -> None:
        match outcome:
            case outcomes.Held(id=hold, hold=record) | outcomes.Claimed(id=hold, hold=record):
                if hold not in fan.holds:
                    fan.holds.append(hold)
                fan.costs[hold] = record.price * record.qty
            case outcomes.Paying(holds=rows):
                for hold, record in rows:
                    if hold not in fan.began:
                        fan.began.append(hold)
                    fan.costs[hold] = record.price * record.qty
            case outcomes.Released(id=hold) if hold in fan.holds:
                fan.holds.remove(hold)
            case outcomes.Joined(id=place) if place not in fan.places:
                fan.places.append(place)
            case outcomes.Left(id=place) if place in fan.places:
                fan.places.remove(place)
            case outcomes.Confirmed():
                self.played.met["a place confirmed"] += 1
            case refusals.HoldExpired():
                # Its page of payment stays open: he may pay for it yet.
                gone = getattr(command, "hold", "")
                fan.holds = [hold for hold in fan.holds if hold != gone]
            case _:
                pass

    async def do_press(self, step: Step) -> None:
        await self.press(self._press(step, self.fan(step)))

    def _press(self, step: Step, fan: Fan) -> Wish:
        command = wire.Hold(0, self.key(), step.pools[0], step.qty, step.odd)
        more = ", or fewer" if step.odd else ""
        return fan, command, f"presses for {step.qty} {step.pools[0]}{more}"

    async def do_join(self, step: Step) -> None:
        nonce = "" if step.odd else f"{self.played.asked:032x}"
        command = wire.Join(0, self.key(), list(step.pools), step.qty, nonce)
        wish = f"joins for {step.qty} of {' or '.join(step.pools)}"
        await self.press((self.fan(step), command, wish))

    async def do_together(self, step: Step) -> None:
        """One gives something back in the very moment in which two others press."""
        place = FANS.index(step.who)
        first, *others = [self._fan(FANS[(place + i) % len(FANS)]) for i in range(3)]
        presses = [self._press(step, fan) for fan in others]
        await self.press(*(self._release(first, hold) for hold in first.holds[-1:]), *presses)

    async def do_claim(self, step: Step) -> None:
        fan = self.fan(step)
        if offer := await self._offer(fan):
            await self.press((fan, wire.Claim(0, self.key(), offer), f"claims {offer}"))
        else:
            await self.do_press(step)

    async def do_release(self, step: Step) -> None:
        fan = self.fan(step)
        hold = await self._offer(fan) if step.odd else ""
        if hold := hold or next(reversed(fan.holds), ""):
            await self.press(self._release(fan, hold))
        else:
            await self.do_join(step)

    def _release(self, fan: Fan, hold: str) -> Wish:
        return fan, wire.Release(0, self.key(), hold), f"gives {hold} back"

    async def do_extend(self, step: Step) -> None:
        fan = self.fan(step)
        for hold in fan.holds[-1:]:
            await self.press((fan, wire.Extend(0, self.key(), hold), f"extends {hold}"))

    async def do_pay(self, step: Step) -> None:
        """Whoever has nothing to pay tries to get something, here and above."""
        fan = self.fan(step)
        if fan.holds:
            hold = fan.holds[-1]
            await self.press((fan, wire.Pay(0, self.key(), [hold]), f"goes to pay {hold}"))
        else:
            await self.do_press(step)

    async def do_leave(self, step: Step) -> None:
        fan = self.fan(step)
        for place in fan.places[-1:]:
            await self.press((fan, wire.Leave(0, self.key(), place), f"leaves {place}"))

    async def do_confirm(self, step: Step) -> None:
        """That a place which was carried over is still wanted; now and then of one that was not."""
        fan = self.fan(step)
        for place in fan.places[-1:] if step.odd else fan.places[:1]:
            await self.press((fan, wire.Confirm(0, self.key(), place), f"confirms {place}"))

    async def do_again(self, step: Step) -> None:
        fan = self.fan(step)
        if fan.last is not None:
            await self.press((fan, fan.last, f"asks once more for {fan.last.key}"))

    async def do_sign_in(self, step: Step) -> None:
        """What he began as a guest becomes his own; now and then two who are known already are
        one. He goes on asking under the name that he had."""
        fan, place = self.fan(step), FANS.index(step.who)
        person = FANS[(place + 1) % len(FANS)] if step.odd else f"{fan.name}.in"
        outcome = await self.ask(lambda: self.sale.adopt(fan.name, person))
        self._tell(fan.name, f"signs in as {person}", told.in_words(outcome))

    async def _offer(self, fan: Fan) -> str:
        """What his newest place was offered, as his screen shows it."""
        if not fan.places:
            return ""
        place = fan.places[-1:]
        (row,) = await self._read(self.store.records, self.sale.drop, "entries", place)
        return msgspec.msgpack.decode(row, type=model.EntryRecord).hold if row else ""
