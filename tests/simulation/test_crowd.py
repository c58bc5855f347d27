"""A crowd, a maker, a provider, two workers, one of them on a bad line: everything at once, from a
seed.

Real scripts, rooms, batches and talk of sockets; the clock is moved, also backwards. In the end the
referee reads the log, replay rebuilds the truth, and what everybody saw is held against the log.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import msgspec
import pytest
import redis.asyncio as redis

from dropengine import events, model
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.payments.intent_ids import IntentIds
from dropengine.people.tickets import Tickets
from dropengine.rehearsal.history import Recorder, check
from dropengine.truth import connections, scripts
from dropengine.truth.store import Store
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.local_provider import SHOP, local_pay, only
from tests.kit.manifests import (
    COOL_MS,
    HOLD_MS,
    HOUR_MS,
    LOOKUP_MS,
    OFFER_MS,
    PAY_MS,
    TIMES,
    item,
    manifest,
)
from tests.kit.paid_sale import SaleClock
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.seeds import seeds
from tests.kit.simulated_people import Person
from tests.kit.store_on_test_clock import StoreOnTestClock

POOLS = ("pin@north", "pin@south", "lamp")
PEOPLE, TURNS = 24, 200
LONG_S = 20
MOMENTS = (1, COOL_MS, PAY_MS, LOOKUP_MS, HOLD_MS, OFFER_MS)
FAULTS = (Fate.DROP_REPLY, Fate.RESET, Fate.TWICE)
SETTINGS = Settings(tick_ms=0, messages_per_s_max=10_000, ticket_days=365)
SECRET = "a secret of thirty-two characters"


class Fair:
    """One run. `dice` decides everything that no fan decides. longest_ms: nothing lasts longer."""

    def __init__(
        self, sale: Sale, hubs: list[Hub], proxy: FaultProxy, seed: int, longest_ms: int
    ) -> None:
        self.sale = sale
        self.longest_ms = longest_ms
        self.hubs = hubs
        self.proxy = proxy
        self.dice = Random(seed)
        self.history = Recorder()
        tickets = Tickets(SECRET, SETTINGS.ticket_days)
        self.people = [
            Person(seed * PEOPLE + i, sale.drop, POOLS, tickets, self.history)
            for i in range(PEOPLE)
        ]
        self.rooms: list[Room] = []
        self.truth = replay.Truth()
        self.charges = 0

    async def begin(self) -> None:
        for hub in self.hubs:
            room = await hub.room(self.sale.drop)
            assert room is not None
            self.rooms.append(room)
        # From here on nobody looks by himself: the dice say who looks when.
        timers = [t for t in asyncio.all_tasks() if t.get_name() == f"relay of {self.sale.drop}"]
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        for person in self.people:
            person.connect(self.dice.choice(self.rooms))
        await self.still()

    async def look(self, number: int) -> None:
        # A worker whose server does not answer shows the last numbers and looks again later.
        with contextlib.suppress(Unavailable):
            await self.hubs[number].fresh(self.rooms[number])
        await self.still()

    async def still(self) -> None:
        """Until every answer has come and every room has told its fans what it read of them."""
        async with asyncio.timeout(LONG_S):
            for person in self.people:
                while person.waits:
                    person.answered.clear()
                    await person.answered.wait()
            for room in self.rooms:
                while (reading := room.fan_states._reading) is not None:
                    await asyncio.wait({reading})

    def at(self, room: Room) -> list[Person]:
        return [p for p in self.people if p.socket is not None and p.socket.talker.room is room]

    async def read(self) -> None:
        async for line in self.sale.store.log(self.sale.drop, self.truth.seq):
            replay.step(self.truth, events.parse(line))

    async def turn(self) -> None:
        number = self.dice.randrange(2)
        here = self.at(self.rooms[number])
        if self.dice.random() < 0.3:
            for _ in range(self.dice.randint(1, 3)):
                self.proxy.plan(self.dice.choice(FAULTS))
        for person in self.dice.sample(here, min(len(here), self.dice.randint(1, 6))):
            person.act()
            if self.dice.random() < 0.05:
                # The line breaks before the answer, perhaps before the question was sent.
                person.lose()
        await self.still()
        for person in self.people:
            if person.socket is None or self.dice.random() < 0.02:
                person.connect(self.dice.choice(self.rooms))
                await self.still()
        await self.read()
        verbs = {"money": 10, "wait": 4, "look": 8, "maker": 2, "duties": 2, "refund": 1}
        (verb,) = self.dice.choices(list(verbs), list(verbs.values()))
        await getattr(self, f"do_{verb}")()

    async def do_look(self) -> None:
        await self.look(self.dice.randrange(2))

    async def do_money(self) -> None:
        """The provider's word about a payment that began: in time, late, twice, or wrong."""
        began = [name for name, hold in self.truth.holds.items() if hold.began]
        if not began:
            return
        paying = [name for name in began if self.truth.holds[name].state == "paying"]
        hold = self.dice.choice(paying if paying and self.dice.random() < 0.75 else began[-8:])
        if self.dice.random() < 0.9 or not self.charges:
            self.charges += 1
        charge = (
            f"c{self.charges if self.dice.random() < 0.95 else self.dice.randint(1, self.charges)}"
        )
        amount = 1 if self.dice.random() < 0.03 else None
        await self.sale.succeeded(hold, charge, amount=amount, captured=self.dice.random() < 0.3)

    async def do_wait(self) -> None:
        """The server's clock goes on, mostly to a deadline; sometimes it is set back."""
        due = [at for at in self.truth.due.values() if at > self.sale.now]
        fate = self.dice.random()
        turns = [self.truth.due[word] for word in ("calls", "quiet") if word in self.truth.due]
        if fate < 0.1:
            self.sale.now -= self.dice.randint(1, HOLD_MS)
        elif turns and fate < 0.15:
            # To where the hours of the line turn.
            self.sale.now = max(self.sale.now, *turns)
        elif due and fate < 0.7:
            self.sale.now = min(due) + self.dice.choice((-1, 0, 1))
        else:
            self.sale.now += self.dice.choice(MOMENTS)

    async def do_maker(self) -> None:
        match self.dice.choice(("pause", "pause", "add", "withdraw", "message")):
            case "pause":
                paused = self.truth.state == model.DropState.PAUSED
                await self.sale.creator("resume" if paused else "pause")
            case "message":
                await self.sale.creator("message", text="Patience.")
            case verb:
                await self.sale.creator(verb, pool=self.dice.choice(POOLS), qty=1)

    async def do_refund(self) -> None:
        if self.truth.orders:
            # Now and then under a key that refunded another.
            key = self.dice.choice(("", "", "back"))
            await self.sale.refund(self.dice.choice(list(self.truth.orders)), key=key)

    async def do_duties(self) -> None:
        for duty in await self.sale.store.duties(self.sale.drop):
            failed = duty.startswith("capture") and self.dice.random() < 0.1
            await self.sale.discharge(duty, "failed" if failed else "done")

    async def finish(self) -> None:
        """The lines heal, every open question is asked again, and the drop ends."""
        while self.proxy.planned:
            await self.look(1)
        for person in self.people:
            if person.socket is None:
                person.connect(self.dice.choice(self.rooms))
        await self.still()
        # Who could not be read over the bad line is read at his worker's next look.
        for number in (0, 1):
            await self.look(number)
        for _ in range(3):
            for person in self.people:
                person.again()
            await self.still()
        assert not any(person.asked for person in self.people), "a question was never answered"
        await self.read()
        await self.sale.creator("cancel" if self.dice.random() < 0.3 else "close")
        self.sale.now = max(self.sale.now, int(self.truth.drop["at"]))
        for _ in range(4):
            self.sale.now += self.longest_ms
            await self.sale.settle()
            await self.do_duties()
        for number in (0, 1):
            await self.look(number)
            while self.rooms[number].lines.more():
                await self.look(number)

    async def judge(self) -> None:
        log = [line async for line in self.sale.store.log(self.sale.drop)]
        verdict = judge(log, closed=True)
        assert verdict.violations == []
        truth = await self.sale.truth()
        assert replay.difference(replay.fold_lines(log), truth) == []
        seen = self.history.lines()
        told = [events.parse(line) for line in log]
        assert check(seen, self.sale.drop, told, quiet_seq=len(log)) == []
        assert verdict.oversold == verdict.over_limit == verdict.overtaken == 0
        print(
            f"{len(log)} events, {verdict.sold} of {verdict.cap} sold, {verdict.offers} offers,"
            f" {verdict.voided} voided, {sum(self.proxy.struck[fate] for fate in FAULTS)} faults"
        )


@contextlib.asynccontextmanager
async def fair(
    server: Server, client: redis.Redis, proxy: FaultProxy, drop: str, book: Path, seed: int
) -> AsyncIterator[Fair]:
    sale = Sale(Store(client), drop)
    stock = (
        item("pin", {"pin@north": 6, "pin@south": 5}, withheld={"pin@south": 2}),
        item("lamp", {"lamp": 4}, price=9900, limit=1),
    )
    # It begins at 08:00 and calls for three hours; then for one of a day.
    hours = {"calls_from_ms": 12 * HOUR_MS, "calls_to_ms": 13 * HOUR_MS} if seed % 3 else {}
    text = manifest(drop, *stock, limit=3, k=3, pace=6, pace_ms=20_000, **hours)
    if seed % 2:
        dice = Random(seed)
        text = msgspec.structs.replace(
            text, **{name: dice.choice(ms) for name, ms in TIMES.items()}
        )
    await sale.publish(text)
    await sale.creator("open")
    for script in scripts.load().values():
        await client.script_load(script.text)
    bad = connections.client(proxy.url)
    nudges = connections.client(server.url, timeout_s=None, connections=1)
    async with local_pay(book, clock=SaleClock(sale)) as local:
        payments = only(local)
        stores = [StoreOnTestClock(line, SaleClock(sale)) for line in (client, bad)]
        hubs = [
            Hub(
                store,
                SETTINGS,
                payments,
                IntentIds(SHOP, store),
                nudges,
                epoch="e",
                durable=True,
            )
            for store in stores
        ]
        one = Fair(sale, hubs, proxy, seed, sum(getattr(text, name) for name in TIMES))
        try:
            await one.begin()
            yield one
        finally:
            for person in one.people:
                person.lose()
            for hub in hubs:
                await hub.close()
            await nudges.aclose(close_connection_pool=True)
            await bad.aclose(close_connection_pool=True)


@pytest.mark.parametrize("seed", seeds(5))
async def test_whatever_a_crowd_a_maker_and_bad_lines_do_the_books_agree(
    server: Server,
    client: redis.Redis,
    proxy: FaultProxy,
    drop: str,
    tmp_path: Path,
    seed: int,
) -> None:
    print(f"SIMULATION_SEED={seed}")
    async with fair(server, client, proxy, drop, tmp_path / "book", seed) as one:
        for _ in range(TURNS):
            await one.turn()
        await one.finish()
        await one.judge()
