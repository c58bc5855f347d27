"""A web process as its supervisor sees it: started, heard, and started again when it dies."""

import asyncio
import contextlib
import logging
import socket
import subprocess
import time
from collections.abc import Callable

import msgspec

from dropengine.doors.process_table import ProcessRow
from dropengine.errors import WorkersFailed
from dropengine.processes import parent_pipe
from dropengine.processes.parent_pipe import Assignment, Status
from dropengine.processes.restart_patience import Patience
from dropengine.processes.shared_page import SharedPage

log = logging.getLogger(__name__)

FIRST_TRIES = 5
"""At the start of the shop a process that somebody kills is tried so often."""
STILLBORN_S_MAX = 30.0
"""One that does not come up any more is tried again at least this often."""
SILENT_LOOKS_TOLD = 3
SILENT_LOOKS_MAX = 10
STARTING_LOOKS_MAX = 60
"""Looks without a word after which it is called silent; and after which it hangs, if it is up, or
if it is coming up."""


class KeptWebProcess:
    """One web process, started again as often as it dies.

    number: from 1. pages: shared with all of them; that of this number is for its own numbers.
    """

    def __init__(
        self,
        number: int,
        assignment: Assignment,
        listening: socket.socket,
        pages: tuple[SharedPage, ...],
        changed: Callable[[], None],
    ) -> None:
        self.up = False
        self._number = number
        self._assignment = assignment
        self._listening = listening
        self._pages = pages
        self._starts = 0
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._ever_up = False
        self._fault: WorkersFailed | None = None
        self._spoke = False
        """Since the last look."""
        self._silent_looks = 0
        self._stop_asked = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process that runs now, or ran last."""
        return self._process.pid if self._process else 0

    async def keep(self) -> None:
        """Run it until `stop`.

        Raises WorkersFailed when it does not come up at the start of the shop. Later it is tried
        again for ever, as what keeps it from coming up may pass.
        """
        patience = Patience(stillborn_most_s=STILLBORN_S_MAX)
        tries = 0
        while not self._stop_asked.is_set():
            begun_s = time.monotonic()
            came_up, code = await self._live()
            if self._stop_asked.is_set():
                return
            tries += 1
            # Whoever ends by himself at the start has a mistake in the making of the application;
            # a signal came from outside.
            if not self._ever_up and (code >= 0 or tries >= FIRST_TRIES):
                raise self._fault or WorkersFailed(
                    f"Web process {self._number} does not come up: what it says is above."
                )
            wait_s = patience.after(came_up=came_up, lived_s=time.monotonic() - begun_s)
            log.log(
                logging.WARNING if came_up else logging.ERROR,
                "Web process %d (pid %d) %s and is started again%s.",
                self._number,
                self.pid,
                f"ended with {code}" if came_up else f"did not come up (it ended with {code})",
                "" if came_up else f" in {wait_s:g} s, until it does",
            )
            await asyncio.sleep(wait_s)

    async def _live(self) -> tuple[bool, int]:
        """One life, from start to end. Returns whether it came up, and how it ended."""
        self._fault = None
        self._starts += 1
        self._spoke, self._silent_looks = True, 0
        try:
            # The supervisor keeps the socket: who comes while the process is away waits, unrefused.
            self._process = process = await asyncio.create_subprocess_exec(
                *parent_pipe.command("web_process", f"web-{self._number}"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[self._listening.fileno(), *(page.handle for page in self._pages)],
                # Ctrl-C must reach the supervisor alone: it stops the web first, then the server.
                start_new_session=True,
            )
        except OSError as error:
            log.error("Web process %d cannot be started: %s.", self._number, error)
            return False, error.errno or 1
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._assignment) + b"\n")
        came_up = False
        while line := await process.stdout.readline():
            status = _heard(line)
            self._spoke = True
            if status.fault is not None:
                self._fault = parent_pipe.fault_of(status)
                if self._ever_up:
                    log.error("Web process %d: %s", self._number, status.fault)
            elif status.ready:
                came_up = self.up = self._ever_up = True
                self._changed()
        self.up = False
        # What it counted went with it.
        self._pages[self._number].write(b"")
        code = await process.wait()
        process.stdin.close()
        return came_up, code

    @property
    def row(self) -> ProcessRow:
        """How it stands, for whoever asks after the shop's processes."""
        state = "up" if self.up else "starting"
        if self._process is None or self._process.returncode is not None:
            state = "ended"
        elif self._silent_looks >= SILENT_LOOKS_TOLD:
            state = "silent"
        return ProcessRow(self._number, self.pid, state, self._starts, self._silent_looks)

    def look(self) -> bool:
        """One of the supervisor's looks: has it been silent in so many of them, one after the
        other, that it hangs? One that is coming up may take longer."""
        if self._process is None or self._process.returncode is not None:
            return False
        self._silent_looks = 0 if self._spoke else self._silent_looks + 1
        self._spoke = False
        return self._silent_looks >= (SILENT_LOOKS_MAX if self.up else STARTING_LOOKS_MAX)

    def kill(self) -> None:
        """kill -9 for one that hangs: `keep` starts the next."""
        assert self._process is not None, "nothing hangs that was not started"
        log.error(
            "Web process %d (pid %d) hangs, with all connections that it has: it is killed.",
            self._number,
            self.pid,
        )
        self.up = False
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, grace_s: float, at_once: asyncio.Event) -> None:
        """Ask it to close its sockets and end; kill it when it does not, or when told to."""
        self._stop_asked.set()
        self._listening.close()
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        ended = asyncio.ensure_future(process.wait())
        hurry = asyncio.ensure_future(at_once.wait())
        await asyncio.wait((ended, hurry), timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not ended.done():
            log.warning("Web process %d did not end in time and is killed.", self._number)
            process.kill()
        await ended


def _heard(line: bytes) -> Status:
    """What a line says; one that was cut by the process's end says nothing."""
    try:
        return msgspec.json.decode(line, type=Status)
    except msgspec.DecodeError:
        return Status()
