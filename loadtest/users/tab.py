"""One tab of a fan's browser: a socket that comes back when it is lost, and the screen it feeds."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import gevent
import msgspec
from gevent.event import AsyncResult, Event
from websocket import WebSocket, WebSocketException, create_connection

from dropengine import wire
from dropengine.rehearsal.fans.client_state import ClientState, as_tick
from loadtest.users.night import Night, NotServed, fault_of, name_of, tell, took

if TYPE_CHECKING:
    from locust.env import Environment

ANSWER_S: Final = 5.0
"""An answer that takes longer is unknown: the same key is sent again on a new socket."""
OPEN_S: Final = 10.0
BACKOFF_S, BACKOFF_S_MAX = 1.0, 30.0
LAG_EVERY_S: Final = 1.0
GONE_FOR_GOOD: Final = range(4500, 5000)

Reply = wire.Done | wire.Refused

_encoder = msgspec.json.Encoder()


class Tab:
    """`screen`: what it shows. `fan`: who it is, as the server says it; '' before its first word.

    host: the shop's origin. cookie: the fan's ticket.
    """

    def __init__(
        self, environment: Environment, night: Night, host: str, cookie: str, draw: random.Random
    ) -> None:
        self.screen = ClientState()
        self.fan = ""
        self._environment = environment
        self._night = night
        self._host = host
        self._cookie = cookie
        self._draw = draw
        self._number = next(night.numbers)
        self._sockets = 0
        self._asked = 0
        self._waiting: dict[int, AsyncResult] = {}
        self._changed = Event()
        self._socket: WebSocket | None = None
        self._lag_told_s = 0.0
        self._orders: set[str] = set()
        self._cut: WebSocket | None = None
        self._tunnel_s = 0.0
        self._reader = gevent.spawn(self._stay_connected)
        night.tabs.add(self)

    def close(self) -> None:
        """Leave the page, and say what it doubts."""
        self._night.tabs.discard(self)
        self._reader.kill()
        self.cut()
        places = self.screen.tally()
        if places.wrong or places.rose:
            self.screen.doubt(f"{places.wrong} places were wrong, {places.rose} rose")
        for sentence in self.screen.faults:
            self._night.history.doubt(self._night.drop, self._number, self._sockets, sentence)

    def cut(self, tunnel_s: float = 0.0) -> None:
        """Lose the connection without a word, like a phone in a tunnel of so many seconds."""
        self._tunnel_s = tunnel_s
        self._cut = self._socket
        if self._socket is not None:
            self._socket.shutdown()

    @property
    def carries(self) -> bool:
        """Is a command on its way?"""
        return bool(self._waiting)

    def wait(self, seconds: float | None = None) -> None:
        """Until the screen shows something new, or the time is over."""
        self._changed.clear()
        self._changed.wait(seconds)

    def until(self, true: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until something is so; False when the time was over before."""
        ends = None if seconds is None else time.monotonic() + seconds
        while not true():
            left = None if ends is None else ends - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.wait(left)
        return True

    def do(self, command: wire.FanCommand) -> Reply:
        """Carry a command to its answer, across lost sockets and an absent server, with one key."""
        history = self._night.history
        self.until(lambda: bool(self.fan))
        operation = history.invoke(self._night.drop, self.fan, command)
        try:
            while True:
                reply = self._ask(command)
                if isinstance(reply, wire.Done):
                    history.ok(operation, reply)
                    return reply
                if reply is not None and reply.code not in ("away", "too_many_requests"):
                    history.fail(operation, reply)
                    return reply
                if reply is not None:
                    pause_s = (reply.retry_ms or 1_000) / 1000
                    gevent.sleep(pause_s * self._draw.uniform(1.0, 1.5))
        finally:
            history.info(operation)

    def _ask(self, command: wire.FanCommand) -> Reply | None:
        """Send a command once. None: the socket was lost or silent, so nothing is known."""
        self.until(lambda: self._socket is not None)
        socket, begun_s = self._socket, time.perf_counter()
        assert socket is not None
        self._asked += 1
        number = self._asked
        answer = self._waiting[number] = AsyncResult()
        try:
            socket.send(_encoder.encode(msgspec.structs.replace(command, id=number)).decode())
            self._changed.set()
            reply: Reply | None = answer.get(timeout=ANSWER_S)
        except (WebSocketException, OSError, gevent.Timeout) as fault:
            # What the fan cut off himself is not the shop's failure.
            if socket is not self._cut:
                silent = NotServed(type(fault).__name__)
                took(self._environment, command.verb, begun_s, fault=silent)
            if socket is self._socket:
                self.cut()
                self.until(lambda: self._socket is not socket)
            return None
        finally:
            self._waiting.pop(number, None)
        if reply is not None:
            name, fault_told = name_of(command, reply), fault_of(reply)
            took(self._environment, name, begun_s, fault=fault_told)
        return reply

    def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                self._open()
                attempt = 0
                self._read()
            except (WebSocketException, OSError):
                pass
            self._lost()
            most = min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** min(attempt, 10))
            gevent.sleep(self._tunnel_s + self._draw.uniform(0, most))
            self._tunnel_s = 0.0
            attempt += 1

    def _open(self) -> None:
        begun_s = time.perf_counter()
        try:
            self._socket = create_connection(
                f"{self._host.replace('http', 'ws', 1)}/drops/{self._night.drop}/live",
                subprotocols=["drop.v1"],
                origin=self._host,
                cookie=self._cookie,
                timeout=OPEN_S,
                enable_multithread=False,
                skip_utf8_validation=True,
            )
        except (WebSocketException, OSError) as fault:
            took(self._environment, "connect", begun_s, fault=fault)
            raise
        took(self._environment, "connect", begun_s)
        self._socket.settimeout(None)
        self._sockets += 1
        self._changed.set()

    def _read(self) -> None:
        assert self._socket is not None
        while True:
            code, data = self._socket.recv_data()
            if code == 1 or code == 2:
                self._hear(data)
            elif code == 8:
                closed = int.from_bytes(data[:2], "big")
                if closed in GONE_FOR_GOOD:
                    self.screen.doubt(f"the socket was closed with {closed}: do not come back")
                    self._lost()
                    gevent.sleep(float("inf"))
                return

    def _lost(self) -> None:
        """What was asked and not answered is unknown."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.shutdown()
        for answer in list(self._waiting.values()):
            answer.set(None)
        self._changed.set()

    def _hear(self, frame: bytes) -> None:
        message = self._night.decode(frame)
        match message:
            case wire.Tick():
                before = self.screen.state
                self.screen.tick(message)
                self._show(message)
                self._tell_lag(message)
                if self.screen.state != before:
                    self._changed.set()
            case wire.You():
                self._heard_of_me(message)
            case wire.Done() | wire.Refused():
                answer = self._waiting.get(message.id)
                if answer is not None:
                    answer.set(message)
            case wire.Snapshot():
                self.screen.snapshot(message)
                self._show(as_tick(message))
                if message.you is None:
                    self.screen.doubt("the ticket of the page was not known at the socket")
                else:
                    self._heard_of_me(message.you)
                self._changed.set()
            case _:
                pass

    def _show(self, tick: wire.Tick) -> None:
        self._night.history.tick(self._night.drop, self._number, self._sockets, tick)

    def _tell_lag(self, tick: wire.Tick) -> None:
        """How old the state is that is shown, once a second: by the clocks of both machines."""
        now_s = time.time()
        if not tick.away and now_s - self._lag_told_s >= LAG_EVERY_S:
            self._lag_told_s = now_s
            tell(self._environment, "tick lag", max(0.0, now_s * 1000 - tick.now))

    def _heard_of_me(self, you: wire.You) -> None:
        if not self.screen.heard_of_me(you):
            return
        self.fan = you.fan
        for order in you.orders:
            if order.id not in self._orders:
                self._orders.add(order.id)
                self._night.history.order(self._night.drop, you.fan, order)
        self._changed.set()
