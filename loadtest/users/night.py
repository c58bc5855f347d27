"""What the users of one locust process share: the drop, the seed, one history, and how what they
did is told to locust's statistics."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
from locust import events

from dropengine import config, wire
from dropengine.rehearsal.history import AnyLine, Recorder
from dropengine.rehearsal.passes import Passes

if TYPE_CHECKING:
    from locust.env import Environment

    from loadtest.users.tab import Tab

FRAMES_KEPT: Final = 64
NO_ANSWERS: Final = frozenset({"away", "frozen", "bad_message"})
"""Refusals that say nothing of the sale: they count as failures."""

_decoder: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


class Night:
    """One run of this process, from locust's start to its stop.

    drop, seed: as asked for. numbers: of fans and of screens. tabs: those that are open.
    """

    def __init__(self) -> None:
        self.drop = ""
        self.seed = 0
        self.history = Recorder()
        self.numbers = itertools.count()
        self.tabs: set[Tab] = set()
        self._frames: dict[str | bytes, wire.ToFanMessage] = {}
        self._person: Callable[[], str] | None = None

    def begin(self, drop: str, seed: int) -> None:
        """Forget the run before."""
        self.drop, self.seed = drop, seed
        self.history, self.numbers = Recorder(), itertools.count()
        self._frames.clear()

    def draw(self, number: int) -> random.Random:
        """What decides for one fan: the same seed makes the same people."""
        return random.Random(f"{self.seed}/{number}")

    def sign_in(self) -> str:
        """A cookie of a person, for a drop that lets no guests act: as the shop of this machine and
        directory would give it (`DROPENGINE_DATA_DIR`)."""
        if self._person is None:
            settings, _ = config.load({}, os.environ, None)
            self._person = Passes(settings).person
        return self._person()

    def decode(self, frame: str | bytes) -> wire.ToFanMessage:
        """A frame's message. A tick is the same text for all: it is decoded for the first."""
        message = self._frames.get(frame)
        if message is None:
            message = _decoder.decode(frame)
            if isinstance(message, wire.Tick):
                if len(self._frames) >= FRAMES_KEPT:
                    del self._frames[next(iter(self._frames))]
                self._frames[frame] = message
        return message


night = Night()


def took(
    environment: Environment,
    name: str,
    begun_s: float,
    *,
    kind: str = "WS",
    size: int = 0,
    fault: BaseException | None = None,
) -> None:
    """Tell locust of one thing that a user waited for, since `begun_s` (`time.perf_counter`)."""
    took_ms = (time.perf_counter() - begun_s) * 1000
    tell(environment, name, took_ms, kind=kind, size=size, fault=fault)


def tell(
    environment: Environment,
    name: str,
    took_ms: float,
    *,
    kind: str = "WS",
    size: int = 0,
    fault: BaseException | None = None,
) -> None:
    """One row of locust's statistics."""
    environment.events.request.fire(
        request_type=kind,
        name=name,
        response_time=took_ms,
        response_length=size,
        exception=fault,
        context={},
    )


class NotServed(Exception):
    """An answer that is none: the shop could not decide."""


def fault_of(reply: wire.Done | wire.Refused) -> NotServed | None:
    """Refusals are answers, as long as somebody decided."""
    if isinstance(reply, wire.Refused) and reply.code in NO_ANSWERS:
        return NotServed(reply.code)
    return None


def name_of(command: wire.FanCommand, reply: wire.Done | wire.Refused) -> str:
    """The row of an answer: refusals have rows of their own."""
    return command.verb if isinstance(reply, wire.Done) else f"{command.verb} {reply.code}"


def told_apart(lines: list[AnyLine], worker: int) -> list[AnyLine]:
    """The history of one process of several, with numbers that no other one uses."""
    first = worker << 40
    apart: list[AnyLine] = []
    for line in lines:
        changed: dict[str, Any] = {}
        for field in ("op", "viewer"):
            if hasattr(line, field):
                changed[field] = first + getattr(line, field)
        apart.append(msgspec.structs.replace(line, **changed))
    return apart


@events.test_start.add_listener
def _begin(environment: Environment, **_: object) -> None:
    options = environment.parsed_options
    if options is not None:
        night.begin(options.drop, options.seed)
