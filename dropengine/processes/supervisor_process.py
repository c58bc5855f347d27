"""A supervisor in a process of its own, for who runs a shop beside other work.

It ends with the process that started it: it holds a pipe from it.
"""

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from dropengine import config
from dropengine.config import Settings
from dropengine.errors import WorkersFailed
from dropengine.processes import parent_death, parent_pipe
from dropengine.processes.parent_pipe import Assignment, ParentPipe, Status
from dropengine.processes.supervisor import FACTORY, PROTOCOL, Running, Supervisor, serve


class _News(Status, frozen=True, kw_only=True, omit_defaults=True):
    """A status of the supervisor: where the shop is now."""

    running: Running | None = None


class SupervisorProcess:
    """A shop that runs beside this process and ends with it: for `demo`, and for rehearsals.

    Any thread may use it. `running` is where it is and which processes it has now.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        take_over: bool = False,
        factory: str = FACTORY,
        protocol: str = PROTOCOL,
    ) -> None:
        self._settings = settings
        self._take_over = take_over
        self._factory = factory
        self._protocol = protocol
        self._process: subprocess.Popen[bytes] | None = None
        self._running: Running | None = None
        self._fault: WorkersFailed | None = None
        self._said = threading.Condition()
        self._ended = False

    @property
    def running(self) -> Running:
        """The newest state; before the first, an error of the caller."""
        with self._said:
            assert self._running is not None, "not started"
            return self._running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Running:
        """Return when people can come in. Raises WorkersFailed with the child's exit code."""
        assert self._process is None, "started already"
        self._process = process = subprocess.Popen(
            parent_pipe.command("supervisor_process", "supervisor"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assignment = Assignment(
            settings=msgspec.Raw(config.to_json(self._settings)),
            parent=os.getpid(),
            factory=self._factory,
            protocol=self._protocol,
            take_over=self._take_over,
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(assignment) + b"\n")
            process.stdin.flush()
        threading.Thread(target=self._hear, args=(process,), daemon=True).start()
        with self._said:
            self._said.wait_for(lambda: self._running or self._ended)
            if self._running is not None:
                return self._running
        code = self.stop()
        fault = self._fault or WorkersFailed("The supervisor ended before anybody could come in.")
        fault.exit_code = code or fault.exit_code
        raise fault

    def until(self, holds: Callable[[Running], bool], timeout_s: float) -> Running:
        """Wait for news that satisfies `holds`, like a process that was started again.

        Raises TimeoutError, and WorkersFailed when the supervisor ends first.
        """
        with self._said:
            found = self._said.wait_for(
                lambda: self._ended or (self._running is not None and holds(self._running)),
                timeout_s,
            )
            if not found:
                raise TimeoutError(f"no such news in {timeout_s} s")
            if self._running is None or not holds(self._running):
                raise self._fault or WorkersFailed("The supervisor ended.")
            return self._running

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait until it ends by itself; its exit code. Raises TimeoutError."""
        assert self._process is not None, "not started"
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as fault:
            raise TimeoutError(f"the supervisor still runs after {timeout_s} s") from fault

    def stop(self) -> int:
        """Close the sockets, stop everything, and return the exit code. Harmless twice."""
        process = self._process
        if process is None:
            return 0
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        return process.wait()

    def kill(self) -> None:
        """kill -9, for rehearsals of the worst."""
        assert self._process is not None, "not started"
        self._process.kill()
        self.stop()

    def _hear(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        try:
            with process.stdout as said:
                for line in said:
                    news = msgspec.json.decode(line, type=_News)
                    with self._said:
                        self._running = news.running or self._running
                        if news.fault is not None:
                            self._fault = parent_pipe.fault_of(news)
                        self._said.notify_all()
        finally:
            with self._said:
                self._ended = True
                self._said.notify_all()


def main() -> None:
    """A process that `SupervisorProcess` started: serve until its pipe ends."""
    assignment = msgspec.json.decode(parent_death.read_line(), type=Assignment)
    settings = config.from_json(bytes(assignment.settings))
    pipe = ParentPipe()
    parent_pipe.log_to_stderr(settings, "supervisor")

    def tell(now: Running) -> None:
        pipe.say(_News(running=now))

    def work() -> None:
        one = Supervisor(
            settings,
            tell,
            assignment.factory,
            assignment.protocol,
            take_over=assignment.take_over,
        )
        asyncio.run(serve(one, with_parent=True))

    parent_pipe.or_report(pipe, work)
