"""To watch a drop: a source that looks, and a way to show what it saw, until the drop is over."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TextIO

from rich.console import Console
from rich.live import Live

from dropengine.terminal.night import Night, as_json, in_one_line
from dropengine.terminal.night_screen import NightScreen

DRAWN_S: Final = 0.5
"""The screen also follows its size and the age of the numbers."""
LINE_S: Final = 1.0
LOOK_S: Final = 0.05
ENDS: Final = (signal.SIGTERM, signal.SIGHUP)
HINT: Final = "Ctrl-C ends this; nothing in the shop changes"


class Source(Protocol):
    """Somebody who looks at a drop."""

    async def run(self, night: Night) -> None:
        """Tell `night` what is seen, until the drop is over."""


class Show(Protocol):
    """A way to show a night. every_s: how often."""

    every_s: float

    def show(self) -> None:
        """What is known now."""

    def end(self) -> None:
        """Nothing more comes."""


class Lines:
    """A line a second: for pipes, logs, and terminals that cannot move their cursor."""

    every_s = LINE_S

    def __init__(self, night: Night, out: TextIO, written: Callable[[Night], str]) -> None:
        self._night = night
        self._out = out
        self._written = written

    def show(self) -> None:
        if self._night.sight is not None:
            self._out.write(self._written(self._night) + "\n")
            self._out.flush()

    def end(self) -> None:
        self.show()


class Screen:
    """The whole terminal, which is as it was when this ends; the last state stays on it."""

    every_s = DRAWN_S

    def __init__(self, night: Night, console: Console) -> None:
        self._night = night
        self._console = console
        self._live = Live(
            NightScreen(night, HINT), console=console, screen=True, auto_refresh=False
        )
        self._live.start()

    def show(self) -> None:
        self._live.refresh()

    def end(self) -> None:
        self._live.stop()
        if self._night.sight is not None:
            self._console.print(in_one_line(self._night), markup=False, highlight=False)


def begun(out: TextIO, *, json: bool, once: bool) -> tuple[Night, Show]:
    """A night that nobody has seen yet, and the way to show it that fits where it is shown."""
    night = Night(time.monotonic)
    if json:
        return night, Lines(night, out, lambda seen: as_json(seen).decode())
    console = Console(file=out)
    if once or not console.is_terminal or console.is_dumb_terminal:
        return night, Lines(night, out, in_one_line)
    return night, Screen(night, console)


async def watch(source: Source, night: Night, show: Show, *, once: bool = False) -> int:
    """Until the drop is over (0) or a signal ends it (128 and its number). once: until the first
    whole sight. Raises what the source raises."""
    looking = asyncio.create_task(source.run(night))
    with _signals(looking) as told:
        try:
            while not (looking.done() or told or (once and night.whole)):
                await asyncio.wait({looking}, timeout=LOOK_S if once else show.every_s)
                if not once and not looking.done():
                    show.show()
        finally:
            # First, so that a second Ctrl-C finds the terminal as it was.
            show.end()
            await _ended(looking)
        error = None if looking.cancelled() else looking.exception()
        if error is not None and not told:
            raise error
    return 128 + told[0] if told else 0


async def _ended(looking: asyncio.Task[None]) -> None:
    """Cancelled until it ends: up to Python 3.11 `asyncio.wait_for`, which the server's client
    uses, may swallow one."""
    while not looking.done():
        looking.cancel()
        await asyncio.wait({looking}, timeout=LOOK_S)


@contextlib.contextmanager
def _signals(looking: asyncio.Task[None]) -> Iterator[list[int]]:
    """A signal ends the looking; which ones came. A terminal must never be left as a screen."""
    told: list[int] = []
    loop = asyncio.get_running_loop()

    def hear(number: int) -> None:
        told.append(number)
        looking.cancel()

    for number in ENDS:
        loop.add_signal_handler(number, hear, number)
    try:
        yield told
    finally:
        for number in ENDS:
            loop.remove_signal_handler(number)
