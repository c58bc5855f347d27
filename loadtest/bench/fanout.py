"""One frame to thousands of screens: CPU time of the sender per delivery, ours beside four others.

All send the same bytes ten times a second to readers of the same kind. The sockets of a size stay
when the next larger one is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from dropengine.model import DropId
from loadtest.bench.bench import Bench
from loadtest.bench.figures import figure, ratios
from loadtest.bench.machine import cpu_s
from loadtest.bench.measured_shop import MeasuredShop
from loadtest.bench.peer_processes import (
    FRAMES_PER_S,
    PeerProcess,
    broadcast,
    minimal,
    nchan,
    sendloop,
)
from loadtest.bench.pressing_clients import Client, one
from loadtest.bench.watchers import Open, Watchers

SIZES = (1_000, 5_000, 10_000)
RUN_S = 1.0
LAST_FRAME_S = 0.3
"""After the last frame was sent, all have read it."""
ANSWER_S_MAX = 10.0
LOOKS = 500
BEYOND = 10**12
"""A cursor behind every row: only the state is asked for."""
FAN = 100_000
"""The number of the fan who makes the drop change, away from the screens' addresses."""

OURS, LOOP = "ours", "C send loop"
SEND_TEXT, BROADCAST, NCHAN = "one send_text each", "websockets.broadcast", "nginx + nchan"
WORDS = {SEND_TEXT: "send_text", BROADCAST: "broadcast", NCHAN: "nchan"}
LIMITS = {SEND_TEXT: "<= 0.65", NCHAN: "< 1"}


class Pulse:
    """A fan who holds and releases in turn, so that the drop has a new state at every tick."""

    def __init__(self, fan: Client) -> None:
        self.fan = fan
        self.answered = asyncio.Event()
        self.tick = b""
        self._key = 0

    @classmethod
    async def begin(cls, shop: MeasuredShop, drop: str) -> Pulse:
        _, ticket = shop.fans(1)[0]
        pulse: Pulse | None = None

        def heard(client: Client, text: bytes) -> None:
            if pulse is not None:
                pulse.heard(client, text)

        fan = await one(shop.host, f"/drops/{drop}/live", heard, FAN, ticket)
        pulse = cls(fan)
        return pulse

    def heard(self, fan: Client, text: bytes) -> None:
        if text.startswith(b'{"t":"tick"'):
            self.tick = text
        elif text.startswith(b'{"t":"done"'):
            fan.hold = b"" if fan.hold else text.partition(b'"hold":{"id":"')[2].partition(b'"')[0]
            self.answered.set()

    async def beat(self, seconds: float) -> None:
        """Change the state ten times a second."""
        for _ in range(round(seconds * FRAMES_PER_S)):
            self.answered.clear()
            self._key += 1
            self.fan.press(b"pulse-%d" % self._key)
            async with asyncio.timeout(ANSWER_S_MAX):
                await self.answered.wait()
            await asyncio.sleep(1 / FRAMES_PER_S)


class Contender:
    """One sender, and the process that reads what it sends."""

    def __init__(
        self,
        readers: Watchers,
        door: tuple[str, str, bool],
        cpu_s: Callable[[], float],
        tell: Callable[[float], Awaitable[None]],
    ) -> None:
        self.readers = readers
        self.host, self.path, self.speaks_first = door
        self.cpu_s = cpu_s
        self.tell = tell
        self.sockets = 0
        self.us: list[float] = []

    async def grow(self, sockets: int) -> None:
        opened = await self.readers.open(
            Open(
                self.host,
                self.path,
                self.sockets,
                sockets - self.sockets,
                sync=0 if self.speaks_first else -1,
            )
        )
        assert opened.open == sockets - self.sockets, f"{self.host}: {opened}"
        self.sockets = sockets
        self.us = []

    async def run(self, seconds: float) -> None:
        await self.tell(0.1)
        await asyncio.sleep(LAST_FRAME_S)
        await self.readers.mark()
        before = self.cpu_s()
        await self.tell(seconds)
        await asyncio.sleep(LAST_FRAME_S)
        used, seen = self.cpu_s() - before, await self.readers.seen()
        assert seen.frames >= self.sockets, f"{self.host}: {seen.frames} frames arrived"
        self.us.append(1e6 * used / seen.frames)


async def _tell(peer: PeerProcess, pulse: Pulse, seconds: float) -> None:
    await peer.tell(pulse.tick, round(seconds * FRAMES_PER_S))


async def fanout(bench: Bench) -> None:
    """Ours through a real drop whose state changes ten times a second."""
    async with contextlib.AsyncExitStack() as stack:
        shop = await stack.enter_async_context(bench.shop())
        drop = await shop.drop(1000)
        pulse = await Pulse.begin(shop, drop)
        contenders = {
            OURS: Contender(
                await stack.enter_async_context(Watchers()),
                (shop.host, f"/drops/{drop}/live", True),
                shop.worker_s,
                pulse.beat,
            )
        }
        await pulse.beat(0.5)

        async def add(name: str, peer: PeerProcess) -> None:
            readers = await stack.enter_async_context(Watchers())
            door = (peer.host, peer.path, False)
            contenders[name] = Contender(readers, door, peer.cpu_s, partial(_tell, peer, pulse))

        async def add_if_there(name: str, peer: AbstractAsyncContextManager[PeerProcess]) -> None:
            try:
                await add(name, await stack.enter_async_context(peer))
            except FileNotFoundError as error:
                bench.say(f"{name} is skipped: {error}")

        # The floor right after ours: the machine's speed changes within seconds.
        await add_if_there(LOOP, sendloop())
        await add(SEND_TEXT, (await stack.enter_async_context(minimal()))[0])
        await add(BROADCAST, await stack.enter_async_context(broadcast()))
        await add_if_there(NCHAN, nchan(2 * SIZES[-1]))
        for size in SIZES:
            await _one_size(bench, contenders, bench.size(size))
        bench.figures["server_us_per_look"] = figure([await _look_us(shop, drop)])
        bench.figures["tick_bytes"] = figure([len(pulse.tick) + 4.0])
        pulse.fan.leave()


async def _look_us(shop: MeasuredShop, drop: DropId) -> float:
    """CPU of the database when a worker asks for the newest state, which it does once a tick."""
    before = cpu_s(shop.server)
    for _ in range(LOOKS):
        await shop.store.view(drop, BEYOND, BEYOND)
    return 1e6 * (cpu_s(shop.server) - before) / LOOKS


async def _one_size(bench: Bench, contenders: dict[str, Contender], size: int) -> None:
    for name, contender in contenders.items():
        bench.now(f"{size} sockets of {name}")
        await contender.grow(size)
    for turn in range(bench.rounds):
        for name, contender in contenders.items():
            bench.now(f"{size} sockets, run {turn + 1} of {bench.rounds}: {name}")
            await contender.run(bench.seconds(RUN_S))
    us = {name: contender.us for name, contender in contenders.items()}
    ours, floor = us.pop(OURS), us.pop(LOOP, [])
    bench.figures[f"us_per_delivery_{size}"] = figure(ours, floor=floor, peers=us)
    promised = size >= SIZES[1]
    if floor:
        against = ratios(ours, floor)
        bench.figures[f"times_c_loop_{size}"] = figure(against, "<= 1.3" if promised else None)
    for name, runs in us.items():
        target = LIMITS.get(name) if promised else None
        bench.figures[f"times_{WORDS[name]}_{size}"] = figure(ratios(ours, runs), target)
