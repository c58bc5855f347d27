"""Fans who press on command: each holds a unit and gives it back, in turn, on a socket of his own.

The pace is the caller's, not the server's: a press that was due while nobody was free to make it
counts as late from the moment it was due, so a shop that is slow cannot hide it by being asked
less.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from dropengine.rehearsal.fans.client_socket import ClientSocket, dial
from dropengine.rehearsal.history.checks import percentile

AT_ONCE: Final = 64
OPEN_S: Final = 20.0
TURN_S: Final = 0.004
"""What is due is sent this often."""
DRAIN_S: Final = 3.0
"""Answers that are out at the end of a pace may take so long; then they count as lost."""
HOLD: Final = re.compile(rb'"hold":\{"id":"([^"]+)"')
DONE: Final = b'{"t":"done"'
REFUSED: Final = b'{"t":"refused"'
CODE: Final = re.compile(rb'"code":"([a-z_]+)"')


class Paced(NamedTuple):
    """What a pace came to. did: answers a second. lost: presses without an answer, and refused
    ones."""

    did: float
    p50_ms: float
    p99_ms: float
    lost: int


class Presser:
    """One of them. due_s: when the press that is out was due, monotonic; 0: none is out."""

    __slots__ = ("due_s", "hold", "socket")

    def __init__(self) -> None:
        self.socket: ClientSocket | None = None
        self.hold = b""
        self.due_s = 0.0


class Pressers:
    """All of them, in one loop. refused: by code. frames, bytes: what came to them."""

    def __init__(self, host: str, drop: str, pool: str, cookie: str) -> None:
        self._host = host.rstrip("/")
        self._url = f"{self._host.replace('http', 'ws', 1)}/drops/{drop}/live"
        self._cookie = cookie
        self._press = b'{"t":"hold","id":1,"key":"%%b","pool":"%b"}' % pool.encode()
        self._give = b'{"t":"release","id":2,"key":"%b","hold":"%b"}'
        self._name = secrets.token_hex(4).encode()
        self._keys = 0
        self._idle: deque[Presser] = deque()
        self._due: deque[float] = deque()
        self._all: list[Presser] = []
        self._again = False
        self._from_s = float("inf")
        self.waits_us: list[int] = []
        self.answered = 0
        self.lost = 0
        self.refused: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """Those whose socket is open."""
        return sum(one.socket is not None and one.socket.open for one in self._all)

    async def arrive(self, tickets: Sequence[str]) -> None:
        """One for each ticket. Raises OSError when one is not let in."""
        doors = asyncio.Semaphore(AT_ONCE)

        async def arrived(ticket: str) -> None:
            one = Presser()
            async with doors:
                one.socket = await dial(
                    self._url,
                    origin=self._host,
                    cookie=f"{self._cookie}={ticket}",
                    hear=lambda frame: self._heard(one, frame),
                    lost=lambda _: self._gone(one),
                    within_s=OPEN_S,
                )
            self._all.append(one)
            self._idle.append(one)

        coming = [asyncio.create_task(arrived(ticket)) for ticket in tickets]
        try:
            await asyncio.gather(*coming)
        finally:
            for one in coming:
                one.cancel()
            await asyncio.gather(*coming, return_exceptions=True)

    async def pace(self, per_s: float, seconds: float, warm_s: float) -> Paced:
        """So many presses a second, counted after `warm_s`."""
        self._clear()
        begun = time.monotonic()
        self._from_s = begun + warm_s
        sent = 0
        while (now := time.monotonic()) - begun < warm_s + seconds:
            wanted = int((now - begun) * per_s)
            # Each is due at its own moment, however many moments one turn of the loop covers.
            self._due.extend(begun + (n + 1) / per_s for n in range(sent, wanted))
            sent = wanted
            self._send_due(now)
            await asyncio.sleep(TURN_S)
        took_s = time.monotonic() - self._from_s
        did = self.answered / took_s
        await self._drained()
        return self._paced(did)

    async def flat_out(self, seconds: float) -> Paced:
        """Everybody presses at the same moment, and again at once after each answer."""
        self._clear()
        begun = self._from_s = time.monotonic()
        self._again = True
        self._due.extend([begun] * len(self._idle))
        self._send_due(begun)
        await asyncio.sleep(seconds)
        self._again = False
        did = self.answered / (time.monotonic() - begun)
        await self._drained()
        return self._paced(did)

    def leave(self) -> None:
        """They go without a word."""
        for one in self._all:
            if one.socket is not None:
                one.socket.cut()

    def _clear(self) -> None:
        self.waits_us = []
        self.answered = self.lost = 0
        self._due.clear()

    def _paced(self, did: float) -> Paced:
        waits = sorted(self.waits_us)
        return Paced(did, percentile(waits, 50) / 1000, percentile(waits, 99) / 1000, self.lost)

    async def _drained(self) -> None:
        """What is out comes home; what is due and was never sent waited in vain."""
        for _ in range(int(DRAIN_S / TURN_S)):
            if not any(one.due_s for one in self._all):
                break
            await asyncio.sleep(TURN_S)
        now = time.monotonic()
        unsent = [due for due in self._due if due >= self._from_s]
        unheard = [one.due_s for one in self._all if one.due_s >= self._from_s]
        self.lost += sum(bool(one.due_s) for one in self._all)
        self.waits_us += [int((now - due) * 1e6) for due in (*unsent, *unheard)]
        self._due.clear()
        self._from_s = float("inf")

    def _send_due(self, now: float) -> None:
        while self._due and self._idle and self._due[0] <= now:
            one = self._idle.popleft()
            if one.socket is None or not one.socket.open:
                continue
            self._send(one, self._due.popleft())

    def _send(self, one: Presser, due_s: float) -> None:
        assert one.socket is not None
        self._keys += 1
        key = b"%b-%d" % (self._name, self._keys)
        one.due_s = due_s
        one.socket.send(self._give % (key, one.hold) if one.hold else self._press % key)

    def _heard(self, one: Presser, frame: bytes) -> None:
        if frame.startswith(DONE):
            made = None if one.hold else HOLD.search(frame)
            one.hold = b"" if made is None else made[1]
        elif frame.startswith(REFUSED):
            code = CODE.search(frame)
            self.refused["?" if code is None else code[1].decode()] += 1
            self.lost += 1
            one.hold = b""
        else:
            return
        now, due_s = time.monotonic(), one.due_s
        one.due_s = 0.0
        if due_s >= self._from_s:
            self.answered += 1
            self.waits_us.append(int((now - due_s) * 1e6))
        self._idle.append(one)
        if self._again:
            self._due.append(now)
        self._send_due(now)

    def _gone(self, one: Presser) -> None:
        one.socket = None
        if one.due_s:
            one.due_s = 0.0
            self.lost += 1
