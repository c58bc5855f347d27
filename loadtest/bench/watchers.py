"""Many screens in a process of their own, so that their CPU time is nobody else's: they open, count
what comes, and remember when the newest state came.

Run as a module it is that process: commands and replies are JSON lines on its standard streams.
Sockets are read with bare epoll, because the reader must cost less than any sender it measures.
"""

from __future__ import annotations

import asyncio
import base64
import heapq
import itertools
import os
import random
import re
import select
import socket
import struct
import sys
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from loadtest.bench.figures import percentile
from loadtest.bench.machine import open_files_wide
from loadtest.bench.pressing_clients import bound_socket

READ_BYTES = 1 << 18
OPEN_S_MAX = 90.0
SO_TIMESTAMPNS = 35
"""Linux: each read tells when its bytes came in, whenever it is made."""
SEGMENT_BYTES = 1_448
BACKOFF_S, BACKOFF_S_MAX = 1.0, 30.0
TEXT, CLOSE, PING = 0x81, 0x88, 0x89

_SEQ = re.compile(rb'^\{"t":"(?:tick|snapshot)","seq":(\d+)')


class Open(msgspec.Struct, frozen=True):
    """Open `count` sockets, numbered from `first`.

    tickets: one each, or none. sync: wait for a snapshot of at least this seq (-1: only for the
    handshake). at_once: handshakes on their way. jitter_s: each begins at a random moment within
    it. buffer: receive buffer in bytes, 0 for the system's.
    """

    host: str
    path: str
    first: int
    count: int
    tickets: list[str] = []
    sync: int = -1
    at_once: int = 64
    jitter_s: float = 0.0
    buffer: int = 0


class Opened(msgspec.Struct, frozen=True):
    """seconds: until the last one was open. turned: told to come back later, and did. errors: of
    any other kind, each once."""

    open: int
    seconds: float
    turned: int
    errors: dict[str, int]


class Seen(msgspec.Struct, frozen=True):
    """Since the last `mark`. gap_ms: the shortest and the longest time between two frames of the
    first socket, by the kernel's clock (0: fewer than two)."""

    frames: int
    bytes: int
    gap_ms: tuple[float, float]
    closed: dict[int, int]
    open: int


class Screen:
    """One socket. `times`: (monotonic s, seq) of what it was shown, kept for some of them."""

    __slots__ = ("number", "open", "rest", "said", "seq", "socket", "ticket", "times", "tries")

    def __init__(self, number: int, ticket: str) -> None:
        self.number = number
        self.ticket = ticket
        self.open = False
        self.rest = b""
        self.said = False
        self.seq = -1
        self.tries = 0
        self.times: list[tuple[float, int]] | None = None
        self.socket: socket.socket | None = None


def _is_one_frame(data: bytes) -> bool:
    """Whether these bytes are one whole text frame below 64 KiB and nothing else: nearly always."""
    if len(data) < 2 or data[0] != TEXT:
        return False
    size = data[1]
    if size < 126:
        return len(data) == size + 2
    return size == 126 and len(data) == 4 + int.from_bytes(data[2:4], "big")


class Watch:
    """The process: all its screens, and one loop over their sockets."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.screens: dict[int, Screen] = {}
        self.by_number: dict[int, Screen] = {}
        self.frames = 0
        self.bytes = 0
        self.closed: Counter[int] = Counter()
        self.gaps: list[float] = []
        self.came_at = 0.0
        self.probe = -1
        self.sampled: list[Screen] = []
        self.now = 0.0
        # How far an `open` has come.
        self.wanted = Open("", "", 0, 0)
        self.later: list[tuple[float, int]] = []
        self.shaking = 0
        self.in_sync = 0
        self.turned = 0
        self.errors: Counter[str] = Counter()

    def open(self, wanted: Open) -> Opened:
        begun = time.monotonic()
        self.wanted, self.in_sync, self.turned, self.errors = wanted, 0, 0, Counter()
        self.later = [
            (begun + random.uniform(0, wanted.jitter_s), wanted.first + i)
            for i in range(wanted.count)
        ]
        heapq.heapify(self.later)
        for i in range(wanted.count):
            number = wanted.first + i
            self.by_number[number] = Screen(number, wanted.tickets[i] if wanted.tickets else "")
        while self.in_sync < wanted.count and time.monotonic() - begun < OPEN_S_MAX:
            now = time.monotonic()
            while self.later and self.later[0][0] <= now and self.shaking < wanted.at_once:
                self._dial(self.by_number[heapq.heappop(self.later)[1]])
            self.turn(0.02)
        return Opened(self.in_sync, time.monotonic() - begun, self.turned, dict(self.errors))

    def _dial(self, screen: Screen) -> None:
        host, _, port = self.wanted.host.partition(":")
        made = bound_socket(screen.number)
        if self.wanted.buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.wanted.buffer)
            # On a loopback of 64 KiB segments the sender's kernel would keep megabytes for it.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        made.connect_ex((host, int(port)))
        screen.socket = made
        screen.open = screen.said = False
        screen.rest = b""
        self.screens[made.fileno()] = screen
        self.shaking += 1
        self.poll.register(made.fileno(), select.EPOLLOUT)

    def _say_hello(self, fd: int, screen: Screen) -> None:
        assert screen.socket is not None
        host = self.wanted.host
        cookie = f"Cookie: fan={screen.ticket}\r\n" if screen.ticket else ""
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {self.wanted.path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: drop.v1\r\nSec-WebSocket-Key: {key}\r\n{cookie}\r\n"
        )
        try:
            screen.socket.send(request.encode())
        except OSError as error:
            self._failed(fd, screen, type(error).__name__)
            return
        screen.said = True
        self.poll.modify(fd, select.EPOLLIN)

    def _shaken(self, fd: int, screen: Screen, data: bytes) -> None:
        head, end, rest = (screen.rest + data).partition(b"\r\n\r\n")
        screen.rest = head
        if not end:
            return
        status = head.split(b" ", 2)[1].decode()
        if status != "101":
            self._failed(fd, screen, status)
            return
        screen.rest, screen.open = b"", True
        screen.tries = 0
        self.shaking -= 1
        if self.wanted.sync < 0:
            self.in_sync += 1
        if rest:
            self._cut_up(screen, rest)

    def _failed(self, fd: int, screen: Screen, why: str) -> None:
        """A handshake came to nothing: 503 means come back, with full jitter."""
        self.shaking -= 1
        self._drop(fd, screen)
        if why == "503":
            self.turned += 1
        else:
            self.errors[why] += 1
        most = min(BACKOFF_S_MAX, BACKOFF_S * 2.0**screen.tries)
        screen.tries += 1
        heapq.heappush(self.later, (time.monotonic() + random.uniform(0, most), screen.number))

    def _drop(self, fd: int, screen: Screen) -> None:
        assert screen.socket is not None
        self.poll.unregister(fd)
        screen.socket.close()
        screen.socket = None
        screen.open = False
        del self.screens[fd]

    def turn(self, timeout_s: float) -> None:
        """One round over everything that has come."""
        screens, read = self.screens, os.read
        for fd, event in self.poll.poll(timeout_s, 1024):
            screen = screens.get(fd)
            if screen is None:
                continue
            if not screen.said:
                self._say_hello(fd, screen)
                continue
            try:
                data = self._stamped(screen) if fd == self.probe else read(fd, READ_BYTES)
            except OSError as error:
                data = b""
                if not screen.open:
                    self._failed(fd, screen, type(error).__name__)
                    continue
            if not data or event & select.EPOLLERR:
                self._ended(fd, screen)
            elif screen.open:
                self.bytes += len(data)
                if not screen.rest and _is_one_frame(data):
                    self.frames += 1
                    if screen.times is not None or screen.seq < max(0, self.wanted.sync):
                        self._text(screen, data[2 if data[1] < 126 else 4 :])
                else:
                    self._cut_up(screen, data)
            else:
                self._shaken(fd, screen, data)

    def _stamped(self, screen: Screen) -> bytes:
        assert screen.socket is not None
        data, ancillary, _, _ = screen.socket.recvmsg(READ_BYTES, 64)
        came_at = 0.0
        for _, kind, raw in ancillary:
            # Of anything but one whole short frame the time would be that of its last part.
            if kind == SO_TIMESTAMPNS and _is_one_frame(data):
                seconds, nanos = struct.unpack("ll", raw[:16])
                came_at = seconds + nanos / 1e9
        if self.came_at and came_at:
            self.gaps.append(came_at - self.came_at)
        self.came_at = came_at
        return data

    def _cut_up(self, screen: Screen, data: bytes) -> None:
        """Any bytes: frames whole and in parts, pings and goodbyes."""
        data = screen.rest + data
        while len(data) >= 2:
            size, head = data[1] & 0x7F, 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, head = int.from_bytes(data[2:10], "big"), 10
            if len(data) < head + size:
                break
            payload, kind = data[head : head + size], data[0]
            data = data[head + size :]
            if kind == TEXT:
                self.frames += 1
                self._text(screen, payload)
            elif kind == PING and screen.socket is not None:
                screen.socket.send(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            elif kind == CLOSE:
                self.closed[int.from_bytes(payload[:2], "big") or 1005] += 1
                screen.seq = -2
        screen.rest = data

    def _text(self, screen: Screen, text: bytes) -> None:
        found = _SEQ.match(text)
        if found is None:
            return
        seq = int(found[1])
        if screen.seq < self.wanted.sync <= seq:
            self.in_sync += 1
        screen.seq = max(seq, screen.seq)
        if screen.times is not None:
            screen.times.append((time.monotonic(), seq))

    def _ended(self, fd: int, screen: Screen) -> None:
        if not screen.open:
            self._failed(fd, screen, "closed")
            return
        if screen.seq != -2:
            self.closed[1006] += 1
        self._drop(fd, screen)

    def mark(self, sample_every: int) -> None:
        """Count from here; one in `sample_every` screens remembers when it was shown what."""
        self.frames = self.bytes = 0
        self.gaps, self.came_at = [], 0.0
        for screen in self.sampled:
            screen.times = None
        self.sampled = []
        if sample_every:
            self.sampled = [s for s in self.screens.values() if s.number % sample_every == 0]
            for screen in self.sampled:
                screen.times = []
            first = min(self.by_number.values(), key=lambda s: s.number).socket
            if first is not None and first.fileno() != self.probe:
                first.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                self.probe = first.fileno()

    def seen(self) -> Seen:
        gaps = [gap * 1000 for gap in self.gaps] or [0.0]
        closed = dict(self.closed)
        return Seen(self.frames, self.bytes, (min(gaps), max(gaps)), closed, len(self.screens))

    def late(self, acks: list[tuple[float, int]]) -> list[float]:
        """ms from each acknowledged command to the screen that shows it: p50, p99, and of how
        many. What had not come yet is not counted."""
        waits = []
        for screen in self.sampled:
            times = screen.times or []
            seqs = list(itertools.accumulate((seq for _, seq in times), max))
            for at, seq in acks:
                i = bisect_left(seqs, seq)
                if i < len(times):
                    waits.append(max(0.0, times[i][0] - at) * 1000)
        if not waits:
            return [0.0, 0.0, 0.0]
        return [percentile(waits, 0.5), percentile(waits, 0.99), float(len(waits))]

    def cut(self) -> None:
        """All sockets are gone at once, as when a network fails."""
        self.probe = -1
        for fd, screen in list(self.screens.items()):
            self._drop(fd, screen)
        self.closed.clear()

    def stall(self) -> None:
        """Read nothing any more."""
        for fd in self.screens:
            self.poll.unregister(fd)

    def drain(self) -> None:
        """Read again."""
        for fd in self.screens:
            self.poll.register(fd, select.EPOLLIN)

    def run(self) -> None:
        """Until standard input ends."""
        commands: dict[str, Callable[[Any], object]] = {
            "open": lambda given: self.open(msgspec.convert(given, Open)),
            "mark": self.mark,
            "seen": lambda _: self.seen(),
            "late": self.late,
            "cut": lambda _: self.cut(),
            "stall": lambda _: self.stall(),
            "drain": lambda _: self.drain(),
        }
        orders = select.poll()
        orders.register(0, select.POLLIN | select.POLLHUP)
        # The screens' epoll can itself be polled: so one wait serves both.
        orders.register(self.poll.fileno(), select.POLLIN)
        while True:
            ready = dict(orders.poll())
            if self.poll.fileno() in ready:
                self.turn(0)
            if 0 in ready:
                line = sys.stdin.buffer.readline()
                if not line:
                    return
                name, given = msgspec.json.decode(line)
                answer = msgspec.json.encode(commands[name](given))
                sys.stdout.buffer.write(answer + b"\n")
                sys.stdout.buffer.flush()


class Watchers:
    """The parent's side of such a process. Use it as an async context manager."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Watchers:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtest.bench.watchers",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _ask(self, name: str, given: object = None) -> bytes:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode((name, given)) + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            raise ChildProcessError("the process of the screens ended")
        return line

    async def open(self, wanted: Open) -> Opened:
        return msgspec.json.decode(await self._ask("open", wanted), type=Opened)

    async def mark(self, sample_every: int = 0) -> None:
        await self._ask("mark", sample_every)

    async def seen(self) -> Seen:
        return msgspec.json.decode(await self._ask("seen"), type=Seen)

    async def late(self, acks: Sequence[tuple[float, int]]) -> tuple[float, float, int]:
        """p50 and p99 in ms, and the number of waits they are of."""
        p50, p99, count = msgspec.json.decode(await self._ask("late", acks), type=list[float])
        return p50, p99, int(count)

    async def cut(self) -> None:
        await self._ask("cut")

    async def stall(self) -> None:
        await self._ask("stall")

    async def drain(self) -> None:
        await self._ask("drain")


if __name__ == "__main__":
    open_files_wide()
    Watch().run()
