"""Simulated creators: they pause, add, withdraw, refund and talk, on purpose at bad moments. The
time of their drops meets an outage and a leap of the clock.

They use the truth as `dropengine drop` does. What they do is drawn from a seed; whether it is
granted is for the scripts to decide, and a refusal is as good an ending as any.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar, TypeVar

import msgspec
from redis.exceptions import RedisError

from dropengine import events, model, outcomes, refusals
from dropengine.creator_commands import (
    Add,
    CreatorCommand,
    Message,
    Pause,
    Realign,
    Reschedule,
    Resume,
    Withdraw,
)
from dropengine.errors import Unavailable
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.truth import keys
from dropengine.truth.store import Store

T = TypeVar("T")

INSIST_S_MAX = 60.0
INSIST_EVERY_S = 0.2

THANKS = Message("The first boxes are packed. Thank you for waiting.")


class Refunds(msgspec.Struct, frozen=True):
    """Give the money of so many orders back, whosever they are."""

    verb: ClassVar[str] = "refund"

    orders: int


class SignIns(msgspec.Struct, frozen=True):
    """So many fans sign in, whoever they are: as persons nobody knew, and every other one as
    somebody who is there already, on another device."""

    verb: ClassVar[str] = "sign_in"

    fans: int


class Trouble(msgspec.Struct, frozen=True):
    """The drop finds the mark of its last script, or of its last change, `ms` away from now, as
    after an outage (before) or a leap of the server's clock that was put right (ahead)."""

    mark: str
    ms: int

    @property
    def verb(self) -> str:
        return "outage" if self.mark == "ran" else "leap"


OUTAGE = Trouble("ran", -60_000)
LEAP = Trouble("now", 1_500)


class Closing(msgspec.Struct, frozen=True):
    """The closing time is moved to so many ms from then on; 0: it is closed by hand."""

    after_ms: int
    verb: ClassVar[str] = Reschedule.verb


class Act(msgspec.Struct, frozen=True):
    """One thing to do `at_ms` after the opening, or before it."""

    at_ms: int
    what: CreatorCommand | Refunds | SignIns | Trouble | Closing


def acts(seed: int, drop: Manifest) -> list[Act]:
    """A busy creator's evening, in order of time. Pure: the same seed gives the same acts."""
    draw = random.Random(f"{seed}/creator/{drop.id.rpartition('-')[0]}")
    pause_ms = draw.randrange(900, 1_800)
    found = [
        Act(draw.randrange(200, 600), THANKS),
        Act(pause_ms, Pause(why="rehearsed")),
        Act(pause_ms + draw.randrange(500, 1_200), Resume()),
    ]
    for item in drop.items:
        for pool in item.pools:
            if pool.withheld:
                half = pool.withheld // 2
                most = Add(pool.id, pool.withheld - half)
                found.append(Act(draw.randrange(2_000, 4_000), most))
                if half:
                    found.append(Act(draw.randrange(4_000, 7_000), Add(pool.id, half)))
            elif draw.random() < 0.6:
                qty = draw.randint(1, 3)
                # Before the opening, in its first moment, or when all is gone: then it is refused.
                at_ms = draw.choice([-1, 0, draw.randrange(10, 5_000)])
                found.append(Act(at_ms, Withdraw(pool.id, qty)))
                found.append(Act(draw.randrange(6_000, 8_000), Add(pool.id, qty)))
    found += [Act(draw.randrange(3_000, 9_000), Refunds(2)) for _ in range(3)]
    found += [Act(draw.randrange(500, 9_000), SignIns(4)) for _ in range(4)]
    found += [Act(draw.randrange(1_000, 6_000), OUTAGE) for _ in range(2)]
    leap_ms = draw.randrange(2_000, 7_000)
    found += [Act(leap_ms, LEAP), Act(leap_ms + 500, Realign())]
    moved_ms = draw.randrange(500, 5_000)
    found += [Act(moved_ms, Closing(3_600_000)), Act(moved_ms + 700, Closing(0))]
    return sorted(found, key=lambda act: act.at_ms)


async def insist(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the same again while the truth is away: it is done once. Raises Unavailable."""
    deadline = time.monotonic() + INSIST_S_MAX
    while True:
        try:
            return await ask()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(INSIST_EVERY_S)


class Operator:
    """Someone with the right to run one drop."""

    def __init__(self, store: Store, drop: DropId, name: str, *, seed: int = 0) -> None:
        self.outcomes: Counter[str] = Counter()
        self._store = store
        self._drop = drop
        self._name = name
        self._draw = random.Random(f"{seed}/{drop}/{name}")

    async def play(self, wanted: list[Act]) -> None:
        """Do all of it, each at its time from now."""
        begun = time.monotonic()
        for act in wanted:
            await asyncio.sleep(max(0.0, act.at_ms / 1000 - (time.monotonic() - begun)))
            await self.do(act)

    async def do(self, act: Act) -> None:
        """One act, whatever becomes of it."""
        if isinstance(act.what, Trouble):
            await insist(partial(self._meet, act.what))
            self.outcomes[act.what.verb] += 1
            return
        if isinstance(act.what, SignIns):
            for number, guest in enumerate(await self._some_guests(act.what.fans)):
                known = await self._some_guests(1) if number % 2 else []
                person = FanId(known[0] if known else secrets.token_urlsafe(16))
                adopt = partial(self._store.adopt, self._drop, guest, person)
                self._count(act.what.verb, await insist(adopt))
            return
        if not isinstance(act.what, Refunds):
            what = act.what
            command = await self._moved(what) if isinstance(what, Closing) else what
            self._count(what.verb, await self.command(command))
            return
        for order in await self._some_orders(act.what.orders):
            key = secrets.token_hex(8)
            refund = partial(self._store.refund, self._drop, order, by=self._name, key=key)
            self._count(act.what.verb, await insist(refund))

    async def command(self, command: CreatorCommand) -> outcomes.CreatorOutcome:
        """Carry one command to its end; when somebody was faster, the drop is looked at again."""
        while True:
            shown = await insist(partial(self._store.show, self._drop))
            assert shown is not None, self._drop
            send = partial(
                self._store.command,
                self._drop,
                command,
                revision=shown.revision,
                by=self._name,
                key=secrets.token_hex(8),
            )
            outcome = await insist(send)
            if not isinstance(outcome, refusals.StaleRevision):
                return outcome

    async def _moved(self, closing: Closing) -> Reschedule:
        shown = await insist(partial(self._store.show, self._drop))
        assert shown is not None, self._drop
        at = await insist(self._store.time_ms) + closing.after_ms if closing.after_ms else 0
        return Reschedule(shown.opens_ms, at)

    async def _meet(self, trouble: Trouble) -> None:
        at = await self._store.time_ms() + trouble.ms
        try:
            await self._store.client.hset(
                keys.one(self._drop, "wake", self._store.prefix), trouble.mark, at
            )
        except (RedisError, OSError) as fault:
            raise Unavailable(f"no reply to a mark: {fault}") from fault

    async def _some_orders(self, count: int) -> list[str]:
        """Orders that stand, as the log tells."""
        lines = await insist(self._read_log)
        standing: set[str] = set()
        for line in lines:
            match events.parse(line):
                case events.Sold(hold=hold) | events.Rescued(hold=hold):
                    standing.add(hold)
                case events.Refunded(hold=hold):
                    standing.discard(hold)
        return self._draw.sample(sorted(standing), min(count, len(standing)))

    async def _some_guests(self, count: int) -> list[FanId]:
        """Fans who have begun something and did not sign in yet, as the log tells."""
        guests: dict[FanId, None] = {}
        for line in await insist(self._read_log):
            match events.parse(line):
                case events.Held(fan=fan) | events.Joined(fan=fan):
                    guests[FanId(fan)] = None
                case events.Adopted(guest=guest, fan=person):
                    guests.pop(FanId(guest), None)
                    guests.pop(FanId(person), None)
        return self._draw.sample([*guests], min(count, len(guests)))

    async def _read_log(self) -> list[bytes]:
        return [line async for line in self._store.log(self._drop)]

    def _count(self, verb: str, outcome: object) -> None:
        self.outcomes[f"{verb} {model.snake(type(outcome).__name__)}"] += 1
