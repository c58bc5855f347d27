"""What a process says again and again is a line a minute, with a count.

A server that is away for an hour must not fill the disk that it needs when it comes back.
"""

import logging
import sys
import time
from collections.abc import Callable, Hashable
from typing import TextIO

TOLD_S = 60.0
KINDS_MAX = 1_000
"""Different lines that are remembered."""


class _Told:
    """A line that was told, and how often it would have been since."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.again = 0


class OncePerMinute(logging.StreamHandler[TextIO]):
    """Writes each line once a minute at most. Two that differ in numbers alone are the same.

    clock: monotonic, s. What is only of use for finding bugs is written each time.
    """

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(stream or sys.stderr)
        self._clock = clock
        self._told: dict[Hashable, _Told] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        if record.levelno < logging.INFO:
            super().emit(record)
            return
        now = self._clock()
        kind = _kind(record)
        told = self._told.get(kind)
        if told is not None and now - told.at < TOLD_S:
            told.again += 1
            return
        if told is not None and told.again:
            record.msg = f"{record.getMessage()} (and {told.again} times since the last time)"
            record.args = None
        if told is None and len(self._told) >= KINDS_MAX:
            self._told = {k: one for k, one in self._told.items() if now - one.at < TOLD_S}
            if len(self._told) >= KINDS_MAX:
                self._told.clear()
        self._told[kind] = _Told(now)
        super().emit(record)


def _kind(record: logging.LogRecord) -> Hashable:
    """What makes two lines the same: who says what of whom, whatever the numbers in it."""
    args = record.args if isinstance(record.args, tuple) else (record.args,)
    words = tuple(str(arg) for arg in args if not isinstance(arg, int | float))
    where = None
    if record.exc_info and record.exc_info[0] is not None:
        kind, _, trace = record.exc_info
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = (kind, trace and (trace.tb_frame.f_code.co_filename, trace.tb_lineno))
    return record.name, record.levelno, str(record.msg), words, where
