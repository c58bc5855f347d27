"""What a long run says while it works: a moving line on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.status import Status

PLAIN_EVERY_S = 2.0
"""Without a terminal, a state that keeps changing is written at most this often."""


class Progress:
    """Two voices: `say` for what stays, `now` for a state that the next one replaces."""

    def __init__(
        self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._console = Console(file=self._stream, highlight=False, soft_wrap=True)
        self._clock = clock
        self._begun = clock()
        self._status: Status | None = None
        self._last = ""
        self._last_s = float("-inf")

    def say(self, text: str) -> None:
        """A line that stays, with the seconds since the start before it."""
        self._console.print(f"[dim]{self._since():6.1f} s[/]  {escape(text)}")

    def plain(self, text: str) -> None:
        """Text that stays, exactly as it is: links, tables."""
        self._console.print(escape(text))

    def now(self, text: str) -> None:
        """The present state. Without a terminal not every change is written."""
        if text == self._last:
            return
        if self._console.is_terminal:
            self._last = text
            shown = f"[dim]{self._since():6.1f} s[/]  {escape(text)}"
            if self._status is None:
                self._status = self._console.status(shown)
                self._status.start()
            else:
                self._status.update(shown)
        elif self._clock() - self._last_s >= PLAIN_EVERY_S:
            self._last = text
            self._last_s = self._clock()
            self.say(text)

    def close(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _since(self) -> float:
        return self._clock() - self._begun

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
