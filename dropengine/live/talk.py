"""The talk of one socket: what a fan says, and the answers to it.

Nothing waits here: a frame is read, a command is queued for its batch, and the answer is pushed
when the batch comes back. A message that cannot be read is refused; too many of them end the
socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from dropengine import outcomes, refusals, wire
from dropengine.live import paying
from dropengine.live.answers import done_in, refused_in
from dropengine.live.batcher import Answer
from dropengine.live.room import Room
from dropengine.live.seat import Conn, Frame, frame
from dropengine.live.weighing import Weighing
from dropengine.model import FanId
from dropengine.outcomes import HoldGranted
from dropengine.people.tickets import Ticket
from dropengine.truth.command_rows import command_row
from dropengine.truth.networks import Whence
from dropengine.wire import CloseCode

Whose = Callable[[str], Ticket | None]
"""What a ticket says, or None when it is not good here: who somebody is, the doors know."""


class Talker:
    """One socket's talk. `ticket`: what came with the handshake; `whose`: for that of a `hello`.
    `place`: where its fan is."""

    __slots__ = (
        "_budget",
        "_burst",
        "_place",
        "_rate",
        "_when",
        "_whence",
        "_whose",
        "room",
        "seat",
    )

    def __init__(
        self,
        room: Room,
        conn: Conn,
        whose: Whose,
        ticket: Ticket | None,
        place: Whence | None = None,
    ) -> None:
        self.room = room
        self._whose = whose
        self._place = place
        self._whence = self._of(ticket)
        self._rate = float(room.settings.messages_per_s_max)
        self._burst = 2 * self._rate
        self._budget = self._burst
        self._when = time.monotonic()
        self.seat = room.sit(conn, room.fan(ticket))
        self.seat.by = ticket.name if ticket is not None else ""

    def _of(self, ticket: Ticket | None) -> Whence | None:
        """Where he comes from who shows it here."""
        return self._place if self._place is None or ticket is None else ticket.whence(self._place)

    def lost(self) -> None:
        self.room.leave(self.seat)

    def full(self) -> None:
        """The socket's reader is too slow."""
        self.room.fan_out.full(self.seat)

    def drained(self) -> None:
        """It keeps up again."""
        self.room.fan_out.drained(self.seat)

    def _within(self) -> bool:
        """One more frame: is that still within the rate? If not, the socket ends."""
        self._budget -= 1
        if self._budget >= 0:
            return True
        # What was earned is counted only here, where it matters.
        now = time.monotonic()
        self._budget += min(self._burst, (now - self._when) * self._rate)
        self._when = now
        if self._budget < 0:
            self.seat.end(CloseCode.FLOOD, "too many messages")
            return False
        return True

    def count(self) -> None:
        """A frame that is no message counts all the same."""
        self._within()

    def receive(self, text: bytes) -> None:
        """One frame. Commands go into the next batch."""
        if not self._within():
            return
        try:
            message = wire.parse(text)
        except ValueError as error:
            if wire.is_text(text):
                self._refuse(0, refusals.BadMessage(str(error)))
            else:
                self.seat.end(CloseCode.NO_TEXT, "text is UTF-8")
            return
        if isinstance(message, wire.Command):
            self._command(message)
        elif isinstance(message, wire.Hello):
            self._hello(message.ticket)
        else:
            now_ms = round(time.time() * 1000 + self.room.skew_ms)
            self.seat.push(frame(wire.Pong(message.id, message.c, now_ms)))

    def _hello(self, ticket: str | None) -> None:
        fan = self.seat.fan
        if ticket is not None:
            shown = self._whose(ticket)
            if shown is None:
                self.seat.end(CloseCode.BAD_TICKET, "this ticket is not good here")
                return
            fan, self.seat.by = self.room.fan(shown), shown.name
            self._whence = self._of(shown)
        self.room.greet(self.seat, fan)

    def _command(self, command: wire.FanCommand) -> None:
        fan = self.seat.fan
        if fan is None:
            self._refuse(command.id, refusals.SignIn())
            return
        if isinstance(command, wire.Pay):
            _keep(self._pay(fan, command))
            return
        if fault := command.fault():
            self._refuse(command.id, refusals.BadMessage(fault))
            return
        room = self.room
        room.fan_out.asks(self.seat)
        if isinstance(command, wire.Join) and room.weighing is not None:
            _keep(self._weighed(room.weighing, fan, command))
            return
        reply = partial(self.answer, fan, command.id)
        room.batcher.submit(command_row(fan, command), reply, self._gone, self._whence)

    async def _weighed(self, weighing: Weighing, fan: FanId, join: wire.Join) -> None:
        """Into the list of a draw, with as many tickets as are his."""
        row = await weighing.row(fan, join, self.seat.by)
        if isinstance(row, refusals.Away):
            self.answer(fan, join.id, row)
            return
        reply = partial(self.answer, fan, join.id)
        self.room.batcher.submit(row, reply, self._gone, self._whence)

    async def _pay(self, fan: FanId, command: wire.Pay) -> None:
        """Leaving has no effect on it: what was begun is to be paid or ended."""
        answer = await paying.begin(self.room, fan, command.id, command)
        if isinstance(answer, refusals.Refusal):
            self._refuse(command.id, answer)
        else:
            self.seat.push(frame(answer))

    def _gone(self) -> bool:
        return self.seat.gone

    def answer(self, fan: FanId, message_id: int, outcome: Answer) -> None:
        """Push the answer to one command, and what it changed to every screen of the fan."""
        room = self.room
        room.fan_out.answered(self.seat)
        if isinstance(outcome, HoldGranted):
            hold = room.pages.text(outcome.id, outcome.hold)
            text = wire.done(message_id, outcome.seq, hold)
            you = room.fan_states.note(fan, outcome, self.seat, hold)
        elif isinstance(outcome, refusals.Refusal):
            self._refuse(message_id, outcome)
            return
        else:
            assert not isinstance(outcome, outcomes.Paying), "it is answered with its page"
            text = wire.encode(done_in(room, message_id, outcome))
            you = room.fan_states.note(fan, outcome, self.seat)
        self.seat.push(Frame(text, you))

    def _refuse(self, message_id: int, outcome: refusals.Refusal) -> None:
        self.room.refused[outcome.code] += 1
        self.seat.push(frame(refused_in(self.room, message_id, outcome)))


_TASKS: set[asyncio.Task[None]] = set()
"""asyncio keeps only weak references to running tasks."""


def _keep(work: Coroutine[Any, Any, None]) -> None:
    """Let it go on by itself."""
    task = asyncio.get_running_loop().create_task(work)
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)
