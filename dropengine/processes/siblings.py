"""What a web process knows of the others of its shop on this machine: the pages that they share."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from dropengine.doors.process_table import ProcessRow, ProcessTable
from dropengine.processes.shared_page import SharedPage


class NotedTable(Struct, frozen=True):
    """What the supervisor writes on its page. looked_at: of the monotonic clock, which all
    processes of a machine share."""

    supervisor: int
    looked_at: float
    processes: list[ProcessRow]


class SharedPages:
    """The pages of one shop, as one of its web processes sees them.

    pages: the supervisor's, then one for each web process. number: of this one, from 1.
    """

    def __init__(self, pages: Sequence[SharedPage], number: int) -> None:
        self._pages = pages
        self.number = number

    def table(self) -> ProcessTable | None:
        """What the supervisor saw last; None before its first look."""
        words = self._pages[0].read()
        if not words:
            return None
        noted = msgspec.json.decode(words, type=NotedTable)
        looked_s = max(0.0, time.monotonic() - noted.looked_at)
        return ProcessTable(noted.supervisor, round(looked_s, 3), noted.processes)

    def numbers(self) -> dict[int, bytes]:
        """The last numbers of each of the others that lives, by its own."""
        others = (at for at in range(1, len(self._pages)) if at != self.number)
        return {at: words for at in others if (words := self._pages[at].read())}

    def note(self, numbers: bytes) -> None:
        """What this process tells the others."""
        self._pages[self.number].write(numbers)
