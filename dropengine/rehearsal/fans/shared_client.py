"""What the people in front of one address share: a loop, an HTTP client, a history."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import msgspec

from dropengine import wire
from dropengine.rehearsal.fans.links import Links
from dropengine.rehearsal.history import Recorder

REQUEST_S = 10.0
DIALS_AT_ONCE = 64
FRAMES_KEPT = 64

_decoder: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


class SharedClient:
    """base_url: the origin of the doors, `http://host:port`. sign_in: makes a person of whoever
    came to a drop for those who are known, by a cookie; None where guests may act.

    money_ms: until then a provider may still speak of a payment (wall clock). stumbles: what went
    wrong in people themselves; it never should.
    """

    def __init__(self, base_url: str, sign_in: Callable[[], str] | None = None) -> None:
        self.base_url = base_url
        self.sign_in = sign_in
        self.live_url = base_url.replace("http", "ws", 1)
        self.history = Recorder()
        self.opened = asyncio.Event()
        """Set by whoever knows that the drop opens: late arrivals count from here."""
        self.doors = asyncio.Semaphore(DIALS_AT_ONCE)
        self.http = httpx2.AsyncClient(
            # People share the client, never a ticket: nothing may be kept in a jar.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            timeout=REQUEST_S,
            limits=httpx2.Limits(max_connections=DIALS_AT_ONCE, max_keepalive_connections=16),
        )
        self.links: defaultdict[str, Links] = defaultdict(Links)
        """Drop -> what its people know of each other's game."""
        self.refusals: Counter[str] = Counter()
        self.reconnects = 0
        self.questions = 0
        self.money_ms = 0.0
        self.stumbles: list[str] = []
        self._waiting_for: list[tuple[float, asyncio.Future[None]]] = []
        self._frames: dict[bytes, wire.ToFanMessage] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let something go on beside the rest, until it ends or the crowd goes home."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def decode(self, frame: bytes) -> wire.ToFanMessage:
        """A frame's message. A tick is the same bytes for all: it is decoded for the first."""
        message = self._frames.get(frame)
        if message is None:
            message = _decoder.decode(frame)
            if isinstance(message, wire.Tick):
                if len(self._frames) >= FRAMES_KEPT:
                    del self._frames[next(iter(self._frames))]
                self._frames[frame] = message
        return message

    async def granted_since(self, moment_s: float) -> None:
        """Wait until a command is granted that was first sent after this moment (monotonic)."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for.append((moment_s, granted))
        await granted

    def granted(self, sent_s: float) -> None:
        """A command that was first sent at this moment was granted."""
        for moment_s, granted in self._waiting_for:
            if sent_s > moment_s and not granted.done():
                granted.set_result(None)

    async def close(self) -> None:
        """Everything that goes on ends. What had no answer by now stays unknown."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.stumbles.append(f"{type(fault).__name__}: {fault}")
