"""One room and its relay without timers: it looks when the test says so; screens keep frames."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dropengine import outcomes, refusals
from dropengine.config import Settings
from dropengine.live.measured import Measured
from dropengine.live.relay import Relay
from dropengine.live.room import Room
from dropengine.live.seat import Frame
from dropengine.model import DropId, FanId
from dropengine.payments.intent_ids import IntentIds
from dropengine.truth.replies import ViewReply, YouReply
from dropengine.truth.store import Store
from tests.kit.local_provider import SHOP, local_pay, only
from tests.kit.sale import Sale
from tests.kit.web_process import SECRET, Message, until


class FrameKeeper:
    """The wire under a seat: keeps what comes, when it came, and how it ended.

    sock: a socket that takes bytes past it.
    """

    def __init__(self, sock: socket.SocketType | None = None) -> None:
        self.sock = sock
        self.rests: list[bytes] = []
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.heard: list[Message] = []
        self.backlog = 0
        self.code = 0

    def push(self, frame: Frame) -> None:
        assert not self.code, "nothing may follow the end"
        self.frames.append(frame)
        self.times.append(asyncio.get_running_loop().time())
        self.heard.append(json.loads(frame.text))
        if frame.then is not None:
            self.push(frame.then)

    def rest(self, raw: bytes) -> None:
        self.rests.append(raw)

    def unsent(self) -> int:
        return self.backlog

    def end(self, code: int, _reason: str) -> None:
        self.code = self.code or code

    def all(self, t: str) -> list[Message]:
        return [message for message in self.heard if message["t"] == t]

    def last(self, t: str) -> Message:
        return self.all(t)[-1]

    def place(self, pool: str) -> int:
        """The place that this screen shows: its newest `you`, brought up to date by its ticks."""
        place = r = n = -1
        for message in self.heard:
            you = message["you"] if message["t"] == "snapshot" else message
            if message["t"] in ("snapshot", "you") and you and you["entries"]:
                (entry,) = you["entries"]
                line = next(one for one in entry["lines"] if one["pool"] == pool)
                if line["r"] >= r:
                    n, place, r = entry["n"], line["place"], line["r"]
            elif message["t"] == "tick" and place > 0:
                moves = message.get("lines", {}).get(pool)
                if moves is not None:
                    assert moves["r0"] <= r, "this screen missed a tick"
                    new = moves["left"][r - moves["r0"] :]
                    place -= sum(1 for other in new if other < n)
                    r = max(r, moves["r0"] + len(moves["left"]))
        return place


class Line:
    """A socket that takes bytes at once, and what came out at its other end."""

    def __init__(self) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        self.near = near
        self.screen = FrameKeeper(near)

    def heard(self) -> bytes:
        """What has come since this was asked last."""
        blocks = []
        with contextlib.suppress(BlockingIOError):
            while block := self.far.recv(1 << 16):
                blocks.append(block)
        return b"".join(blocks)

    def stuff(self) -> None:
        """Fill it, so that it takes nothing more."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.near.send(bytes(1 << 12))
        with contextlib.suppress(BlockingIOError):
            while True:
                self.near.send(b"-")

    def close(self) -> None:
        self.near.close()
        self.far.close()


class CountingStore(Store):
    """The real store; it notes which fans are read, and may be told to stop or to fail on the way.

    gate: replies are kept back while it is closed.
    """

    read: list[list[str]]
    replies: int
    gate: asyncio.Event
    faults: list[Exception]
    view_faults: list[Exception]

    @classmethod
    def over(cls, store: Store) -> CountingStore:
        one = cls(store.client)
        one.read, one.replies, one.gate, one.faults = [], 0, asyncio.Event(), []
        one.view_faults = []
        one.gate.set()
        return one

    async def view(
        self, drop: DropId, moves_at: int = 0, mail_at: int = 0, *, clock_ms: int = 0
    ) -> ViewReply | refusals.Frozen | refusals.NotFound:
        if self.view_faults:
            raise self.view_faults.pop()
        return await super().view(drop, moves_at, mail_at, clock_ms=clock_ms)

    async def you(
        self, drop: DropId, fans: Sequence[FanId], *, clock_ms: int = 0
    ) -> YouReply | refusals.Frozen | refusals.NotFound:
        self.read.append(list(fans))
        if self.faults:
            raise self.faults.pop()
        reply = await super().you(drop, fans, clock_ms=clock_ms)
        self.replies += 1
        await self.gate.wait()
        return reply


class RoomByHand:
    """room, relay, store: of one drop, in the test's hands."""

    def __init__(self, sale: Sale, store: CountingStore, room: Room, relay: Relay) -> None:
        self.sale = sale
        self.store = store
        self.room = room
        self.relay = relay

    def screen(self, fan: str | None = None) -> FrameKeeper:
        screen = FrameKeeper()
        self.room.sit(screen, None if fan is None else FanId(fan))
        return screen

    async def seated(self, *fans: str) -> list[FrameKeeper]:
        """Screens that have their snapshot."""
        screens = [self.screen(fan) for fan in fans]
        await until(lambda: all(screen.heard for screen in screens))
        return screens

    async def look(self) -> ViewReply:
        """One look of the relay, and everybody it wants read."""
        view = await self.relay.look()
        assert view is not None
        await self.quiet()
        return view

    async def quiet(self) -> None:
        """Until nobody is being read."""
        await until(lambda: self.room.fan_states._reading is None)

    async def press(self, fan: str, verb: str, *things: str, **more: Any) -> outcomes.PressOutcome:
        """A command that was decided through this worker."""
        outcome: outcomes.PressOutcome = await getattr(self.sale, verb)(fan, *things, **more)
        self.room.fan_states.note(FanId(fan), outcome)
        return outcome


@asynccontextmanager
async def room_by_hand(sale: Sale, folder: Path, **more: Any) -> AsyncIterator[RoomByHand]:
    """The room of a sale; ticks may follow each other at once unless settings say otherwise."""
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    conf = Settings(data_dir=folder, secret_key=SECRET, **({"tick_ms": 0} | more))
    store = CountingStore.over(sale.store)

    async def epoch() -> str:
        return "another run"

    async with local_pay(folder / "book") as pay:
        payments = only(pay)
        intents = IntentIds(SHOP, store)
        room = Room(
            store,
            shown,
            conf,
            epoch="one run",
            durable=True,
            payments=payments,
            intents=intents,
            refused=Counter(),
            measured=Measured(),
            cards=["local"],
        )
        one = RoomByHand(sale, store, room, Relay(store, room, epoch, lambda: None))
        await one.look()
        yield one
        await one.quiet()
