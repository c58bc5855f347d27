"""The process that keeps the books, as its supervisor sees it: started when the shop is open, and
again as often as it ends. No sale waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import time
from collections.abc import Callable

import msgspec

from dropengine.processes import parent_pipe
from dropengine.processes.parent_pipe import Assignment
from dropengine.processes.restart_patience import Patience
from dropengine.processes.shared_page import SharedPage

log = logging.getLogger(__name__)

AGAIN_S_MAX = 30.0
SILENT_S_MAX = 60.0
"""It speaks once a second. Silent for so long it hangs, and is killed; no sale waits meanwhile."""
ENDING_S_MAX = 2.0
"""One that says no more may take so long to be gone."""


class KeptLedger:
    """page: for its numbers. changed: called when it was started."""

    def __init__(
        self, assignment: Assignment, page: SharedPage, changed: Callable[[], None]
    ) -> None:
        self._assignment = assignment
        self._page = page
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self.shop_open = asyncio.Event()
        """Until then it would only make the start slower."""

    @property
    def pid(self) -> int | None:
        """The process that runs now, or ran last."""
        return self._process.pid if self._process else None

    async def keep(self) -> None:
        """Run it until cancelled, and then until `stop`."""
        await self.shop_open.wait()
        patience = Patience(stillborn_most_s=AGAIN_S_MAX)
        while True:
            begun_s = time.monotonic()
            came_up, code = await self._live()
            wait_s = patience.after(came_up=came_up, lived_s=time.monotonic() - begun_s)
            log.warning(
                "The ledger's process ended with %s and is started again in %g s.", code, wait_s
            )
            await asyncio.sleep(wait_s)

    async def _live(self) -> tuple[bool, int]:
        """One life. Returns whether it came up, and how it ended."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *parent_pipe.command("ledger_process", "ledger"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[self._page.handle],
                start_new_session=True,
            )
        except OSError as error:
            return False, error.errno or 1
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._assignment) + b"\n")
        self._changed()
        came_up = await _heard(process.stdout)
        code = await _ended(process, ENDING_S_MAX)
        self._page.write(b"")
        return came_up, code

    async def stop(self, grace_s: float) -> None:
        """Ask it to end; kill it when it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _heard(words: asyncio.StreamReader) -> bool:
    """Listen until its end, or until it is silent for too long. Whether it said anything."""
    came_up = False
    with contextlib.suppress(TimeoutError):
        while True:
            # Python 3.11's `wait_for` forgets that it was cancelled where a word comes with it.
            async with asyncio.timeout(SILENT_S_MAX):
                if not await words.readline():
                    break
            came_up = True
    return came_up


async def _ended(process: asyncio.subprocess.Process, most_s: float) -> int:
    """How it ended; one that has not after so long hangs, and is killed.

    Not killed at once: Python before 3.13 looks after a process before it signals it, and so takes
    the code of one that is dead already from whoever waits for it.
    """
    try:
        async with asyncio.timeout(most_s):
            return await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
