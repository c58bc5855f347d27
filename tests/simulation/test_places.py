"""Exact places on every screen: two workers, two pools, two lanes in which points move people, and
lines that lose what they carry.

Real scripts, real rooms and relays; only the sockets are replaced by `watchers`, which lose ticks,
stand still and come back at the other worker. Every place that any screen ever showed is held
against the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import ClassVar, TypeVar

import pytest
import redis.asyncio as redis

from dropengine import events, model, wire
from dropengine.config import Settings
from dropengine.live import places
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.manifest import Manifest
from dropengine.model import FanId
from dropengine.payments.intent_ids import IntentIds
from dropengine.truth import connections, keys
from dropengine.truth.replies import Pointed
from dropengine.truth.scripts import Script
from dropengine.truth.store import Pointing, Store
from tests.kit.local_provider import SHOP, local_pay, only
from tests.kit.manifests import COOL_MS, HOLD_MS, LOOKUP_MS, OFFER_MS, item, manifest, playing
from tests.kit.paid_sale import SaleClock
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.seeds import seeds
from tests.kit.simulated_watchers import Lane, Listener, Watcher
from tests.kit.store_on_test_clock import StoreOnTestClock
from tests.kit.two_lanes_in_log import Shown, TwoLanes

NORTH, SOUTH = "pin@north", "pin@south"
POOLS = (NORTH, SOUTH)
WATCHERS, OTHERS, STEPS = 20, 20, 160
MOMENTS = (1, COOL_MS, LOOKUP_MS, HOLD_MS, OFFER_MS)
PACE = Settings(tick_ms=0, seat_behind_ms_max=3_600_000)
"""Every look makes a tick, and who stands still is given all the time."""

VERBS = {
    "join": 12,
    "hold": 3,
    "buy": 4,
    "release": 3,
    "claim": 3,
    "leave": 3,
    "pay": 6,
    "late": 6,
    "wait": 3,
    "refund": 3,
    "stock": 1,
    "pause": 1,
    "point": 14,
    "adopt": 1,
}
ALIVE = ("active", "paying")


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so low that a crowd of forty meets them."""
    monkeypatch.setattr(places, "KEPT_MAX", 4)
    monkeypatch.setattr(places, "SENT_MAX", 3)


W = TypeVar("W", bound="World")


def counts(room: Room) -> dict[Lane, int]:
    """How many moves of each lane of each pool the screens of a worker were told of."""
    lanes = ((False, room.lines._base), (True, room.lines._boost))
    return {Lane(boost, pool): line.sent for boost, at in lanes for pool, line in at.items()}


class World:
    """A sale, two workers, watchers at either, and others who only press."""

    verbs: ClassVar[Mapping[str, int]] = VERBS

    def __init__(
        self,
        sale: Sale,
        store: StoreOnTestClock,
        hubs: list[Hub],
        *,
        dice: Random,
        watchers: int = WATCHERS,
        others: int = OTHERS,
        bad: float = 0.5,
    ) -> None:
        """bad: how many of the lines lose ticks."""
        self.sale = sale
        self.store = store
        self.hubs = hubs
        self.dice = dice
        self.rooms: list[Room] = []
        self.listeners: list[Listener] = []
        # Each line has dice of its own: whose frame comes first must not change the run.
        self.watchers = [Watcher(f"w{i}", Random(dice.randbytes(8))) for i in range(watchers)]
        self.fans = [str(w.fan) for w in self.watchers] + [f"o{i}" for i in range(others)]
        self.bad = bad
        self.book = itertools.count(1)
        self.rows: list[Pointing] = []
        self.truth = replay.Truth()
        self.trims = 0
        self.calm = False

    async def begin(self) -> None:
        for hub in self.hubs:
            room = await hub.room(self.sale.drop)
            assert room is not None
            self.rooms.append(room)
            self.listeners.append(Listener(room))
        # From here on nobody looks by himself: the dice say who looks when.
        timers = [t for t in asyncio.all_tasks() if t.get_name() == f"relay of {self.sale.drop}"]
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        for watcher in self.watchers:
            await self.reconnect(watcher)
        await self.still()

    async def look(self, number: int, *, one_tick: bool = False) -> None:
        """One worker reads the newest state, makes its ticks and reads whom it must."""
        room, listener = self.rooms[number], self.listeners[number]
        sent = counts(room)
        standing = [(watcher, watcher.stands_in()) for watcher in self.at(room)]
        listener.told.clear()
        await self.hubs[number].fresh(room)
        await self.still()
        while room.lines.more() and not one_tick:
            await self.hubs[number].fresh(room)
            await self.still()
        moved = {line: r - sent[line] for line, r in counts(room).items() if r != sent[line]}
        # Moves that no tick told, because the server had them no more, are missed by all.
        untold = {line for line, count in moved.items() if listener.told[line] != count}
        for watcher, lines in standing:
            assert watcher.call is not None
            # Who stands still may yet hear of a line that he does not know of now.
            watcher.gaps += bool(moved if watcher.call.jammed else untold & lines)

    async def still(self) -> None:
        """Until every room has told its fans what it wanted to read of them, and who pays where
        he pays: a provider answers when it likes."""
        for room in self.rooms:
            states = room.fan_states
            while busy := [task for task in (states._reading, *states._paying) if task]:
                await asyncio.wait(busy)

    def at(self, room: Room) -> list[Watcher]:
        return [w for w in self.watchers if w.call is not None and w.call.room is room]

    async def reconnect(self, watcher: Watcher) -> None:
        watcher.connect(self.dice.choice(self.rooms))
        assert watcher.call is not None
        watcher.call.loses = not self.calm and self.dice.random() < self.bad

    async def ask(self) -> None:
        """Who missed moves asks, over the socket or over HTTP."""
        for number, room in enumerate(self.rooms):
            for watcher in self.at(room):
                call = watcher.call
                if not watcher.asking or call is None or call.jammed:
                    continue
                if self.dice.random() < 0.5:
                    room.greet(call.seat, watcher.fan)
                    await self.still()
                    continue
                you = await self.hubs[number].you(room, watcher.fan)
                if not self.calm and self.dice.random() < 0.5:
                    # The answer is slow: a tick overtakes it.
                    await self.look(number)
                watcher.told(you)
                watcher.answered()

    async def fault(self) -> None:
        dice = self.dice
        fate = dice.random()
        if fate < 0.15:
            await self.reconnect(dice.choice(self.watchers))
        elif fate < 0.25:
            call = dice.choice(self.watchers).call
            assert call is not None
            if call.jammed:
                call.flow()
            else:
                call.jammed = True
        elif fate < 0.35:
            for name in ("moves", "mail"):
                stream = keys.one(self.sale.drop, name)
                await self.store.client.xtrim(stream, maxlen=1, approximate=False)
            self.trims += 1
        elif fate < 0.42:
            for room in self.rooms:
                room.fan_out.drain()
                await self.still()
        await self.still()

    async def read(self) -> None:
        seq = self.truth.seq
        async for line in self.sale.store.log(self.sale.drop, seq):
            replay.step(self.truth, events.parse(line))

    def hold(self, *states: str, unclaimed: bool = False) -> tuple[str, str] | None:
        found = [
            (hold.fan, name)
            for name, hold in self.truth.holds.items()
            if hold.state in states and (not unclaimed or (hold.entry and not hold.claimed))
        ]
        return self.dice.choice(found) if found else None

    async def act(self) -> None:
        (verb,) = self.dice.choices(list(self.verbs), list(self.verbs.values()))
        await getattr(self, f"do_{verb}")()

    def joining(self) -> wire.Join:
        pools = self.dice.choice(((NORTH,), (SOUTH,), (NORTH, SOUTH), (SOUTH, NORTH)))
        return wire.Join(0, self.sale.key(), list(pools), self.dice.randint(1, 2))

    async def do_join(self) -> None:
        await self.sale.press(self.dice.choice(self.fans), self.joining())

    async def do_hold(self) -> None:
        await self.sale.hold(self.dice.choice(self.fans), self.dice.choice(POOLS))

    async def do_buy(self) -> None:
        if found := self.hold("active"):
            await self.sale.succeeded(found[1], captured=True)

    async def do_release(self) -> None:
        if found := self.hold(*ALIVE):
            await self.sale.release(*found)

    async def do_claim(self) -> None:
        if found := self.hold("active", unclaimed=True):
            await self.sale.claim(*found)

    async def do_leave(self) -> None:
        still = [(e.fan, name) for name, e in self.truth.entries.items() if e.state == "waiting"]
        if still:
            await self.sale.leave(*self.dice.choice(still))

    async def do_pay(self) -> None:
        if found := self.hold("active"):
            await self.sale.pay(*found)

    async def do_late(self) -> None:
        late = [
            name
            for name, hold in self.truth.holds.items()
            if hold.state == "expired" and hold.began and f"c-{name}" not in self.truth.charges
        ]
        if late:
            await self.sale.succeeded(self.dice.choice(late), captured=True)

    async def do_wait(self) -> None:
        due = [at for at in self.truth.due.values() if at > self.sale.now]
        if due and self.dice.random() < 0.7:
            self.sale.now = min(due) + self.dice.choice((-1, 0, 1))
        else:
            self.sale.now += self.dice.choice(MOMENTS)

    async def do_refund(self) -> None:
        kept = [name for name, order in self.truth.orders.items() if order.state == "done"]
        if kept:
            await self.sale.refund(self.dice.choice(kept))

    async def do_stock(self) -> None:
        verb = self.dice.choice(("add", "withdraw"))
        await self.sale.creator(verb, pool=self.dice.choice(POOLS), qty=1)

    async def do_pause(self) -> None:
        paused = self.truth.state == model.DropState.PAUSED
        await self.sale.creator("resume" if paused else "pause")

    async def do_point(self) -> None:
        """Up and down, for who stands in line and who does not; now and then what was told before
        is told once more."""
        if self.rows and self.dice.random() < 0.1:
            rows = self.dice.sample(self.rows, 1)
        else:
            fans = self.dice.sample(self.fans, self.dice.randint(1, 6))
            rows = [
                Pointing(FanId(fan), next(self.book), points, "friend" if points else "taken_back")
                for fan in fans
                for points in (self.dice.choice((0, 0, 1, 1, 2, 3, 9)),)
            ]
            self.rows += rows
        await self.give(rows)

    async def give(self, rows: list[Pointing]) -> None:
        reply = await self.sale.store.point(self.sale.drop, rows, clock_ms=self.sale.now)
        assert isinstance(reply, Pointed), reply

    async def do_adopt(self) -> None:
        """Somebody who watches, or one of the others, signs in as another."""
        await self.sale.adopt(*self.dice.sample(self.fans, 2))

    async def play(self) -> None:
        for _ in range(STEPS):
            for _ in range(self.dice.randint(1, 3)):
                await self.act()
                await self.read()
            await self.fault()
            for number in range(2):
                if self.dice.random() < 0.4:
                    await self.look(number, one_tick=self.dice.random() < 0.5)
            if self.dice.random() < 0.7:
                await self.ask()
        await self.come_to_rest()

    async def come_to_rest(self) -> None:
        """The lines heal, one more comes into each lane and leaves it, and all is told."""
        self.calm = True
        for watcher in self.watchers:
            assert watcher.call is not None
            watcher.call.loses = False
            watcher.call.flow()
        for room in self.rooms:
            room.fan_out.drain()
            await self.still()
        await self.read()
        if self.truth.state != model.DropState.PAUSED:
            await self.sale.creator("pause")
        entry = await self.sale.joined("sentinel", *POOLS)
        await self.give([Pointing(FanId("sentinel"), 1, 1, "friend")])
        for number in range(2):
            await self.look(number)
        await self.sale.leave("sentinel", entry)
        await self.sale.creator("resume")
        for number in range(2):
            await self.look(number)
        await self.ask()

    async def wrong(self) -> tuple[TwoLanes, list[str]]:
        """What the line promised and did not keep, and what screens showed that was not so."""
        lanes = TwoLanes(await self.sale.log())
        shown = {at for watcher in self.watchers for at in watcher.seen}
        boosts = {at for watcher in self.watchers for at in watcher.seen_boost}
        return lanes, [
            *lanes.over(),
            *lanes.wrong_in_base(shown),
            *lanes.wrong_in_boost(boosts),
            *(sentence for watcher in self.watchers for sentence in watcher.rose),
        ]

    async def judge(self) -> TwoLanes:
        """Nothing that was ever shown was wrong, in the end everybody knows the present, and every
        promise of the line was kept."""
        await self.read()
        lanes, wrong = await self.wrong()
        assert wrong == []
        last: set[Shown] = set()
        for watcher in self.watchers:
            assert watcher.asked <= watcher.gaps + watcher.reconnects
            row = await self.sale.you(str(watcher.fan))
            here = {
                (name, at.pool): (at.place, at.r)
                for name, entry, lines in row.entries
                if entry.lane == 0
                for at in lines
            }
            assert {which: (h.place, h.r) for which, h in watcher.places.items()} == here
            boost = {
                (name, at.pool): (at.place, at.r) for name, lines in row.boosts for at in lines
            }
            assert {which: (at.place, at.r) for which, at in watcher.boost.items()} == boost
            for (name, pool), (place, r) in here.items():
                last.add(Shown(pool, self.truth.entries[name].n, r, place))
        assert lanes.wrong_in_base(last) == []
        log = [line async for line in self.sale.store.log(self.sale.drop)]
        assert judge(log).violations == []
        return lanes


def small(drop: str) -> Manifest:
    """Few units, and points for friends."""
    stock = item("pin", {NORTH: 4, SOUTH: 3}, most=2, withheld={SOUTH: 1})
    return playing(manifest(drop, stock, limit=2, k=3), "guest")


@contextlib.asynccontextmanager
async def world(
    server: Server,
    client: redis.Redis,
    text: Manifest,
    book: Path,
    make: Callable[[Sale, StoreOnTestClock, list[Hub]], W],
    loaded: dict[str, Script] | None = None,
) -> AsyncIterator[W]:
    """It begins with the opening of the drop. loaded: scripts that lack a guard."""
    sale = Sale(Store(client, loaded), text.id)
    await sale.publish(text)
    await sale.creator("open")
    store = StoreOnTestClock(client, SaleClock(sale), loaded)
    nudges = connections.client(server.url, timeout_s=None, connections=1)
    async with local_pay(book, clock=SaleClock(sale)) as local:
        payments = only(local)
        intents = IntentIds(SHOP, store)
        hubs = [
            Hub(store, PACE, payments, intents, nudges, epoch="e", durable=True) for _ in range(2)
        ]
        one = make(sale, store, hubs)
        try:
            await one.begin()
            yield one
        finally:
            for hub in hubs:
                await hub.close()
            await nudges.aclose(close_connection_pool=True)


@pytest.mark.parametrize("seed", seeds(6))
async def test_every_place_that_any_screen_shows_is_the_true_one_and_never_rises(
    server: Server,
    client: redis.Redis,
    drop: str,
    tmp_path: Path,
    tight: None,
    seed: int,
) -> None:
    print(f"SIMULATION_SEED={seed}")
    make = partial(World, dice=Random(seed))
    async with world(server, client, small(drop), tmp_path / "book", make) as one:
        await one.play()
        lanes = await one.judge()
        asked = sum(w.asked for w in one.watchers)
        lost = sum(w.gaps for w in one.watchers)
        shown = sum(len(w.seen) for w in one.watchers)
        boosts = sum(len(w.seen_boost) for w in one.watchers)
        print(f"{shown} places, {boosts} boost places, {asked} questions, {lost} gaps")
        print(f"{one.trims} trims, {lanes.judged} promises")
        assert min(shown, boosts, lanes.judged) > 20
        assert lost > 0
