"""Exact places: what a served fan costs with a short and a very long line, and whether every screen
is right when everything happens at once."""

from __future__ import annotations

import asyncio
import random
import time

import msgspec

from dropengine import wire
from dropengine.model import DropId, FanId
from dropengine.rehearsal.fans.client_state import ClientState
from dropengine.truth import keys
from loadtest.bench.acts_on_line import Line
from loadtest.bench.bench import Bench
from loadtest.bench.figures import figure, ratios
from loadtest.bench.measured_shop import POOL, MeasuredShop
from loadtest.bench.pressing_clients import Client, one
from loadtest.bench.watchers import Open, Watchers

LENGTHS = (1_000, 10_000, 100_000)
SEATED = 200
"""Fans with a screen, at the back of the line."""
APART = 10_000
"""Between the numbers of the crowds, so that each has addresses of its own."""
SERVED = 150
"""In one run; five runs never reach those who are seated in the shortest line."""
TICKS_S = 0.5
CAP = 5_000

TURMOIL_FANS = 300
TURMOIL_S = 15.0
QUIET_S = 3.0
OFFER_S, COOL_S = 2, 1
SWITCHES = 4
"""Screens that lose their socket in one round and come back to any worker."""


class Queue:
    """One line of a certain length, kept at it, and the screens of some who stand in it."""

    def __init__(self, shop: MeasuredShop, drop: DropId, length: int, screens: Watchers) -> None:
        self.shop = shop
        self.length = length
        self.screens = screens
        self.line = Line(shop.store, drop)
        self.cpu_us: list[float] = []
        self.bytes: list[float] = []

    async def fill(self, seated: int, first: int) -> None:
        """first: the number of the first screen, which says where they come from."""
        fans = self.shop.fans(self.length, self.line.drop)
        await self.line.join([fan for fan, _ in fans])
        path = f"/drops/{self.line.drop}/live"
        tickets = [ticket for _, ticket in fans[-seated:]]
        opened = await self.screens.open(
            Open(self.shop.host, path, first, seated, tickets=tickets, sync=0)
        )
        assert opened.open == seated, opened
        self.seated = seated

    async def run(self, served: int) -> None:
        """Units for the line, bought at once; then as many new fans as were served, uncounted."""
        await asyncio.sleep(TICKS_S)
        await self.screens.mark()
        before = await self.shop.cost()
        await self.line.add(served)
        await self.line.buy(await self.line.exactly(served))
        await asyncio.sleep(TICKS_S)
        used, seen = await self.shop.cost() - before, await self.screens.seen()
        self.cpu_us.append(1e6 * used.cpu_s / served)
        self.bytes.append(seen.bytes / self.seated / served)
        await self.line.join([fan for fan, _ in self.shop.fans(served, self.line.drop)])


async def places(bench: Bench) -> None:
    """Cost first, then the run in which nothing stands still."""
    served = bench.size(SERVED)
    queues: list[Queue] = []
    async with bench.shop() as shop:
        screens = [Watchers() for _ in LENGTHS]
        for length, its in zip(LENGTHS, screens, strict=True):
            length = bench.size(length)
            bench.now(f"{length} fans stand in line")
            await its.__aenter__()
            drop = await shop.drop(CAP, withheld=CAP)
            queues.append(Queue(shop, drop, length, its))
            await queues[-1].fill(min(bench.size(SEATED), length // 2), len(queues) * APART)
        for turn in range(bench.rounds):
            for queue in queues:
                bench.now(f"run {turn + 1} of {bench.rounds}: {queue.length} in line")
                await queue.run(min(served, queue.length // 2))
        for its in screens:
            await its.__aexit__()
    for queue in queues:
        bench.figures[f"cpu_us_per_served_of_{queue.length}"] = figure(queue.cpu_us)
        bench.figures[f"bytes_per_served_of_{queue.length}"] = figure(queue.bytes)
    short, long = queues[0], queues[-1]
    bench.figures["times_cpu_longest_to_shortest"] = figure(
        ratios(long.cpu_us, short.cpu_us), "<= 1.5"
    )
    bench.figures["times_bytes_longest_to_shortest"] = figure(
        ratios(long.bytes, short.bytes), "<= 1.5"
    )
    await _turmoil(bench)


class Seat:
    """A fan's page: it follows its place by what it is told, and asks when it missed moves."""

    def __init__(self, shop: MeasuredShop, drop: DropId, number: int, ticket: str) -> None:
        self.screen = ClientState()
        self.sockets = 0
        self.asked = 0
        self._shop = shop
        self._drop = drop
        self._number = number
        self._ticket = ticket
        self._client: Client | None = None

    async def connect(self) -> None:
        """A new socket, at whatever worker the system chooses."""
        if self._client is not None:
            self._client.leave()
        self.sockets += 1
        mine = self.sockets

        def heard(client: Client, text: bytes) -> None:
            if mine == self.sockets:
                self._heard(client, _decoder.decode(text))

        path = f"/drops/{self._drop}/live"
        self._client = await one(self._shop.host, path, heard, self._number, self._ticket)

    def _heard(self, client: Client, message: wire.ToFanMessage) -> None:
        if isinstance(message, wire.Snapshot):
            self.screen.snapshot(message)
        elif isinstance(message, wire.Tick):
            if self.screen.tick(message):
                self.asked += 1
                client.say(b'{"t":"hello"}')
        elif isinstance(message, wire.You):
            self.screen.heard_of_me(message)

    def leave(self) -> None:
        if self._client is not None:
            self._client.leave()


_decoder: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


async def _turmoil(bench: Bench) -> None:
    """Two workers; joins, offers, purchases, lapses, departures, trimmed rows and lost sockets; at
    the end every screen must show what the truth says, and none may ever have been wrong."""
    random_ = random.Random(7)
    async with bench.shop(2) as shop:
        drop = await shop.drop(CAP, withheld=CAP, offer_s=OFFER_S, cool_s=COOL_S)
        line = Line(shop.store, drop)
        fans = shop.fans(bench.size(TURMOIL_FANS) * 2, drop)
        # Every second one of the line is watched.
        await line.join([fan for fan, _ in fans])
        watched = fans[1::2]
        seats = [Seat(shop, drop, i, ticket) for i, (_, ticket) in enumerate(watched)]
        bench.now(f"{len(seats)} screens while everything happens")
        await asyncio.gather(*(seat.connect() for seat in seats))
        ended = time.monotonic() + bench.seconds(TURMOIL_S)
        while time.monotonic() < ended:
            await _round(shop, line, random_)
            switching = random_.sample(seats, SWITCHES)
            await asyncio.gather(*(seat.connect() for seat in switching))
        await asyncio.sleep(OFFER_S + COOL_S + QUIET_S)
        wrong, checked, rose = await _compare(shop, drop, watched, seats)
        for seat in seats:
            seat.leave()
    bench.say(
        f"{checked} places checked; screens asked {sum(seat.asked for seat in seats)} times; "
        f"{sum(seat.sockets for seat in seats)} sockets"
    )
    bench.figures["wrong_places"] = figure([float(wrong)], "<= 0")
    bench.figures["risen_places"] = figure([float(rose)], "<= 0")
    bench.figures["places_checked"] = figure([float(checked)])


async def _round(shop: MeasuredShop, line: Line, random_: random.Random) -> None:
    """A tenth of a second of a busy line."""
    await line.join([fan for fan, _ in shop.fans(random_.randrange(12), line.drop)])
    if random_.random() < 0.5:
        await line.add(random_.randrange(1, 5))
    offers = await line.offers()
    random_.shuffle(offers)
    # Half buy, a quarter give the offer back; the rest let its window pass.
    half, rest = offers[: len(offers) // 2], offers[len(offers) // 2 :]
    await line.buy(half)
    await line.decline(rest[: len(rest) // 2])
    waiting = [fan for fan in line.entries if fan not in {fan for fan, _ in offers}]
    await line.leave(random_.sample(waiting, min(2, len(waiting))))
    if random_.random() < 0.1:
        for stream in ("moves", "mail"):
            await shop.store.client.xtrim(keys.one(line.drop, stream), maxlen=0, approximate=False)
    await asyncio.sleep(random_.uniform(0.02, 0.15))


async def _compare(
    shop: MeasuredShop, drop: DropId, watched: list[tuple[FanId, str]], seats: list[Seat]
) -> tuple[int, int, int]:
    """Wrong, checked and risen places: on the way, and now against the truth itself."""
    truth = await shop.store.truth(drop)
    assert truth is not None
    order = sorted(truth.places, key=lambda member: truth.places[member])
    place_of = {member.partition("@")[0]: place for place, member in enumerate(order, 1)}
    entry_of = {entry.fan: name for name, entry in truth.entries.items() if name in place_of}
    wrong = checked = rose = 0
    for (fan, _), seat in zip(watched, seats, strict=True):
        tally = seat.screen.tally()
        wrong, checked, rose = wrong + tally.wrong, checked + tally.checked, rose + tally.rose
        entry = entry_of.get(fan)
        shown = {key: place.place for key, place in seat.screen.places.items()}
        expected = {(entry, POOL): place_of[entry]} if entry is not None else {}
        checked += 1
        wrong += shown != expected
    return wrong, checked, rose
