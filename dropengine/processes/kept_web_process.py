"""A web process as its supervisor sees it: started, heard, and started again when it dies."""

import asyncio
import logging
import socket
import subprocess
import time
from collections.abc import Callable

import msgspec

from dropengine.errors import WorkersFailed
from dropengine.processes import parent_pipe
from dropengine.processes.parent_pipe import Assignment, Status
from dropengine.processes.restart_patience import Patience

log = logging.getLogger(__name__)


class KeptWebProcess:
    """One web process, started again as often as it dies."""

    def __init__(
        self,
        number: int,
        assignment: Assignment,
        listening: socket.socket,
        changed: Callable[[], None],
    ) -> None:
        self.up = False
        self._number = number
        self._assignment = assignment
        self._listening = listening
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stop_asked = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process that runs now, or ran last."""
        return self._process.pid if self._process else 0

    async def keep(self) -> None:
        """Run it until `stop`. Raises WorkersFailed when it does not come up any more."""
        patience = Patience()
        # What does not come up on the first try is a mistake in the making of the application.
        ever_up = False
        while not self._stop_asked.is_set():
            begun_s = time.monotonic()
            came_up, code = await self._live()
            if self._stop_asked.is_set():
                return
            ever_up = ever_up or came_up
            wait_s = patience.after(came_up=came_up, lived_s=time.monotonic() - begun_s)
            if wait_s is None or not ever_up:
                raise WorkersFailed(
                    f"Web process {self._number} does not come up: what it says is above."
                )
            log.warning(
                "Web process %d (pid %d) ended with %d and is started again.",
                self._number,
                self.pid,
                code,
            )
            await asyncio.sleep(wait_s)

    async def _live(self) -> tuple[bool, int]:
        """One life, from start to end. Returns whether it came up, and how it ended."""
        # The supervisor keeps the socket: who comes while the process is away waits, unrefused.
        self._process = process = await asyncio.create_subprocess_exec(
            *parent_pipe.command("web_process", f"web-{self._number}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._listening.fileno()],
            # Ctrl-C must reach the supervisor alone: it stops the web first, then the server.
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(self._assignment) + b"\n")
        came_up = False
        while line := await process.stdout.readline():
            status = msgspec.json.decode(line, type=Status)
            if status.fault is not None:
                if not came_up:
                    raise parent_pipe.fault_of(status)
                log.error("Web process %d: %s", self._number, status.fault)
                continue
            came_up = self.up = True
            self._changed()
        self.up = False
        code = await process.wait()
        process.stdin.close()
        return came_up, code

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
