"""How a room's frames reach its sockets: a tick is the same bytes for everybody.

Stock is a state: a seat that misses ticks is not behind, it gets the newest. A slow reader never
slows the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from socket import SocketType

from dropengine.config import Settings
from dropengine.live.seat import Frame, Seat
from dropengine.model import FanId
from dropengine.wire import CloseCode

RIDE_S_MAX = 0.2
"""A tick waits no longer than this for the answer that it is to go out with."""


class FanOut:
    """The newest tick, and for each seat how it gets one.

    seats: of the room, which alone changes them. want: makes the room read a fan's state and send
    it. newest: the room's state as it is known now.
    """

    def __init__(
        self,
        seats: dict[Seat, None],
        settings: Settings,
        want: Callable[[FanId], None],
        newest: Callable[[], Frame | None],
    ) -> None:
        self.tick: Frame | None = None
        self._seats = seats
        self._settings = settings
        self._want = want
        self._newest = newest
        self._direct: dict[Seat, SocketType] = {}
        """Seats whose socket takes the next tick's bytes at once."""
        self._socks: list[SocketType] | None = None
        """Those sockets again, until somebody comes or goes."""
        self._asking: dict[Seat, None] = {}
        """The same with a command on its way: the tick may go out with the answer."""
        self._riding: asyncio.TimerHandle | None = None
        self._laggards: dict[Seat, None] = {}

    def send(self, tick: Frame) -> None:
        """The newest state, to every seat that has its snapshot and keeps up."""
        self.tick = tick
        self._write(tick.raw)
        self._let_ride(tick.raw)
        if len(self._direct) + len(self._asking) < len(self._seats):
            for seat in self._seats:
                if seat.sock is None and not seat.fresh:
                    self._offer(seat, tick)

    def everybody(self, sent: Frame) -> None:
        """A frame that is not to be merged away, to every seat."""
        for seat in list(self._seats):
            if not seat.fresh:
                seat.push(sent)

    def _write(self, raw: bytes) -> None:
        """The loop that everything else waits for: one system call a socket, and no object of it is
        touched. Nothing else runs meanwhile, so nobody comes or goes."""
        if self._socks is None:
            self._socks = list(self._direct.values())
        size = len(raw)
        stuck: dict[SocketType, int] = {}
        for sock in self._socks:
            try:
                taken = sock.send(raw)
            except BlockingIOError:
                taken = 0
            except OSError:
                # It is gone; the word of its loss is on the way.
                continue
            if taken < size:
                stuck[sock] = taken
        for seat, sock in list(self._direct.items()) if stuck else ():
            if sock in stuck:
                seat.conn.rest(raw[stuck[sock] :])

    @property
    def slow(self) -> int:
        """Seats whose readers are too slow now."""
        return len(self._laggards)

    def stand_by(self, seat: Seat) -> None:
        """From now on the seat gets ticks."""
        if seat.sock is not None and not seat.wants_tick:
            self._direct[seat] = seat.sock
            self._socks = None

    def stand_back(self, seat: Seat) -> None:
        """No tick for this seat until it is said again; what it was owed is old by then."""
        self._direct.pop(seat, None)
        self._socks = None
        self._asking.pop(seat, None)
        seat.owed = b""

    def leave(self, seat: Seat) -> None:
        """The seat is empty from now on."""
        self.stand_back(seat)
        self._laggards.pop(seat, None)

    def asks(self, seat: Seat) -> None:
        """A command of this seat is on its way; `answered` follows soon, whatever becomes of it."""
        if self._direct.pop(seat, None) is not None:
            self._socks = None
            self._asking[seat] = None

    def answered(self, seat: Seat) -> None:
        """Its answer is pushed next, and takes with it what the seat is owed."""
        if seat in self._asking:
            del self._asking[seat]
            self.stand_by(seat)

    def _let_ride(self, raw: bytes) -> None:
        """A tick for those who await an answer: it waits for that, but not longer than for one tick
        more."""
        late = [seat for seat in self._asking if seat.owed]
        for seat in self._asking:
            seat.owed += raw
        for seat in late:
            seat.pay()
        if self._riding is not None:
            self._riding.cancel()
            self._riding = None
        if self._asking:
            self._riding = asyncio.get_running_loop().call_later(RIDE_S_MAX, self._pay_off)

    def _pay_off(self) -> None:
        """Neither an answer nor another tick came."""
        self._riding = None
        for seat in [seat for seat in self._asking if seat.owed]:
            seat.pay()

    def _offer(self, seat: Seat, tick: Frame) -> None:
        """A tick for a seat whose backlog has to be looked at.

        Never for one that writes at once: its transport tells once that it is full, and not again
        before it has told that it drained.
        """
        if seat.conn.unsent() > self._settings.seat_buffer_bytes_max:
            self.full(seat)
            return
        self.drained(seat)
        seat.conn.push(tick)

    def full(self, seat: Seat) -> None:
        """Its reader is too slow: from now on it only wants the newest tick."""
        self.stand_back(seat)
        if not (seat.wants_tick or seat.gone):
            seat.wants_tick = True
            seat.behind_at = asyncio.get_running_loop().time()
            self._laggards[seat] = None

    def drained(self, seat: Seat) -> None:
        """It reads again: the newest state, and for a fan his whole state, which holds the moves of
        the ticks that it missed."""
        if not seat.wants_tick or seat.gone:
            return
        seat.wants_tick = False
        self._laggards.pop(seat, None)
        if seat.fresh:
            return
        if seat.fan is not None:
            self._want(seat.fan)
        if seat.sock is not None:
            self.stand_by(seat)
            if (newest := self._newest()) is not None:
                seat.push(newest)

    def drain(self) -> None:
        """Those who stay behind go; those who read again get the newest state."""
        now = asyncio.get_running_loop().time()
        for seat in list(self._laggards):
            if now - seat.behind_at > self._settings.seat_behind_ms_max / 1000:
                seat.end(CloseCode.BEHIND, "too far behind")
            elif seat.sock is None and (newest := self._newest()) is not None:
                self._offer(seat, newest)
