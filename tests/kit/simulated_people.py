"""Simulated fans before the real talk of a socket: they act on what their screens show, and
remember."""

from __future__ import annotations

import asyncio
import time
from random import Random

import msgspec

from dropengine import wire
from dropengine.live.room import Room
from dropengine.live.seat import Frame
from dropengine.live.talk import Talker
from dropengine.model import DropId
from dropengine.people.tickets import Ticket, Tickets, pseudonym
from dropengine.rehearsal.history import Recorder

UNKNOWN = ("away", "too_many_requests")

_heard: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


class Asked:
    """A command under way. `answers`: how many are still to come on the socket it went out on."""

    __slots__ = ("answers", "frame", "op")

    def __init__(self, op: int, frame: bytes) -> None:
        self.op = op
        self.frame = frame
        self.answers = 0


class Socket:
    """One open socket of a person."""

    sock = None

    def __init__(self, person: Person, room: Room, number: int) -> None:
        self.person = person
        self.number = number
        self.open = True
        self.talker = Talker(room, self, person.whose, person.whose(person.ticket))

    def push(self, frame: Frame) -> None:
        part: Frame | None = frame
        while part is not None and self.open:
            self.person.hear(_heard.decode(part.text), self)
            part = part.then

    def rest(self, raw: bytes) -> None:
        raise AssertionError("it takes whole frames")

    def unsent(self) -> int:
        return 0

    def end(self, code: int, reason: str, /) -> None:
        raise AssertionError(f"a socket was closed with {code}: {reason}")

    def lose(self) -> None:
        """Gone without a word; what was on its way to us is lost."""
        self.open = False
        self.talker.lost()


class Person:
    """One fan: presses, waits in line, pays or does not, clicks twice, loses his line."""

    def __init__(
        self, number: int, drop: str, pools: tuple[str, ...], tickets: Tickets, history: Recorder
    ) -> None:
        self.number = number
        self.drop = drop
        self.pools = pools
        self.tickets = tickets
        made, self.ticket = tickets.issue(int(time.time()))
        self.fan = pseudonym(made.key, DropId(drop))
        self.history = history
        self.dice = Random(number)
        self.socket: Socket | None = None
        self.you: wire.You | None = None
        self.asked: dict[int, Asked] = {}
        self.answered = asyncio.Event()
        self._sent = 0
        self._sockets = 0
        self._orders: set[str] = set()

    def whose(self, ticket: str) -> Ticket | None:
        """What a ticket says, as the doors find it."""
        return self.tickets.read(ticket, int(time.time()))

    def connect(self, room: Room) -> None:
        if self.socket is not None:
            self.lose()
        self._sockets += 1
        self.you = None
        self.socket = Socket(self, room, self._sockets)

    def lose(self) -> None:
        if self.socket is not None:
            self.socket.lose()
        self.socket = None
        for asked in self.asked.values():
            asked.answers = 0
        self.answered.set()

    @property
    def waits(self) -> bool:
        """Is an answer to come?"""
        return any(asked.answers for asked in self.asked.values())

    def hear(self, message: wire.ToFanMessage, socket: Socket) -> None:
        match message:
            case wire.Snapshot(you=you):
                self._sees(you)
            case wire.You():
                self._sees(message)
            case wire.Tick():
                self.history.tick(self.drop, self.number, socket.number, message)
            case wire.Done(id=number):
                if asked := self._answer(number):
                    self.history.ok(asked.op, message)
                    del self.asked[number]
            case wire.Refused(id=number, code=code):
                asked = self._answer(number)
                if asked is not None and code not in UNKNOWN:
                    self.history.fail(asked.op, message)
                    del self.asked[number]
            case _:
                pass

    def _answer(self, number: int) -> Asked | None:
        """The second answer to a double click finds nothing: it was answered."""
        self.answered.set()
        asked = self.asked.get(number)
        if asked is not None:
            asked.answers -= 1
        return asked

    def _sees(self, you: wire.You | None) -> None:
        if you is None or (self.you is not None and you.seq < self.you.seq):
            return
        self.you = you
        for order in you.orders:
            if order.id not in self._orders:
                self._orders.add(order.id)
                self.history.order(self.drop, self.fan, order)

    def act(self) -> None:
        """One more thing, on the screen that he has. Nothing without a line."""
        if self.socket is None or self.you is None:
            return
        unknown = [asked for asked in self.asked.values() if not asked.answers]
        if unknown and self.dice.random() < 0.7:
            self._send(self.dice.choice(unknown))
            return
        command = self._wish(self.you)
        if command is not None:
            self._begin(command)

    def again(self) -> None:
        """Ask once more about everything that nobody has answered."""
        for asked in list(self.asked.values()):
            self._send(asked)

    def _wish(self, you: wire.You) -> wire.FanCommand | None:
        dice = self.dice
        self._sent += 1
        number, key = self._sent, f"k{self._sent}"
        if you.holds and dice.random() < 0.8:
            hold = dice.choice(you.holds)
            words = (
                ("claim", "release", "")
                if not hold.claimed and hold.origin == "line"
                else ("pay", "pay", "extend", "release", "")
            )
            match dice.choice(words):
                case "claim":
                    return wire.Claim(number, key, hold.id)
                case "release":
                    return wire.Release(number, key, hold.id)
                case "extend":
                    return wire.Extend(number, key, hold.id)
                case "pay":
                    return wire.Pay(number, key, [hold.id])
                case _:
                    return None
        if you.entries and dice.random() < 0.1:
            return wire.Leave(number, key, dice.choice(you.entries).id)
        if dice.random() < 0.5:
            return wire.Hold(
                number, key, dice.choice(self.pools), dice.randint(1, 3), dice.random() < 0.3
            )
        pools = dice.sample(self.pools, dice.randint(1, len(self.pools)))
        return wire.Join(number, key, pools, dice.randint(1, 3))

    def _begin(self, command: wire.FanCommand) -> None:
        op = self.history.invoke(self.drop, self.fan, command)
        asked = Asked(op, msgspec.json.encode(command))
        self.asked[command.id] = asked
        self._send(asked)
        if self.dice.random() < 0.1:
            # A double click.
            self._send(asked)

    def _send(self, asked: Asked) -> None:
        assert self.socket is not None
        asked.answers += 1
        self.socket.talker.receive(asked.frame)
