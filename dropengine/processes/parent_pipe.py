"""The line between a process and the child that it started.

One assignment on standard input, then silence until the pipe ends; a status a line back on standard
output, and while its loop turns a word of life a second.
"""

import contextlib
import logging
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from dropengine.config import Settings
from dropengine.errors import DropEngineError, WorkersFailed
from dropengine.processes.repeated_lines import OncePerMinute

# The package may be imported from where it stands, without being installed: its folder goes last,
# and -P keeps whatever lies in the working directory out. What is imported stays: the collector,
# which would look through it again and again, begins when it is all there.
_BOOT = (
    "import gc, sys; gc.disable(); sys.path.append(sys.argv[1]); "
    "from dropengine.{1} import {0}; gc.enable(); {0}.main()"
)


class Assignment(Struct, frozen=True, kw_only=True):
    """What a parent writes on a child's standard input, in one line."""

    settings: msgspec.Raw
    parent: int
    factory: str = ""
    protocol: str = ""
    listen_fd: int = -1
    worker: int = 0
    take_over: bool = False
    page_fds: tuple[int, ...] = ()
    """Shared pages: what the supervisor sees, then the numbers of each web process and of
    the ledger's; that alone for the ledger's."""


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a child answers on its standard output, a line each."""

    ready: bool = False
    alive: bool = False
    """Its loop still turns: said once a second from `ready` on."""
    fault: str | None = None
    exit_code: int = 1


def command(entry: str, title: str, folder: str = "processes") -> list[str]:
    """The command line of a child that runs `main` of a module; `title` is for those who list."""
    root = Path(__file__).parent.parent.parent
    return [sys.executable, "-P", "-c", _BOOT.format(entry, folder), os.fspath(root), title]


def fault_of(status: Status) -> WorkersFailed:
    """The fault of a child, with its own sentence and its own exit code."""
    fault = WorkersFailed(status.fault)
    fault.exit_code = status.exit_code
    return fault


class ParentPipe:
    """The pipe to the parent. Whatever else is printed goes to standard error instead."""

    def __init__(self) -> None:
        self._pipe = os.dup(1)
        os.dup2(2, 1)

    def say(self, status: Status) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, msgspec.json.encode(status) + b"\n")

    def say_alive(self) -> None:
        """A parent that has not listened for long does not hold its child up."""
        _, room, _ = select.select([], [self._pipe], [], 0)
        if room:
            self.say(Status(alive=True))


def or_report(pipe: ParentPipe, work: Callable[[], None]) -> None:
    """Do the work; a fault goes to the parent as a sentence and an exit code."""
    try:
        work()
    except DropEngineError as fault:
        pipe.say(Status(fault=str(fault), exit_code=fault.exit_code))
        sys.exit(fault.exit_code)


def log_to_stderr(settings: Settings, who: str) -> None:
    """One line per event on standard error, with the time and the process; what repeats is a line
    a minute."""
    logging.basicConfig(
        format=f"%(asctime)s %(levelname)s {who}: %(message)s",
        level=logging.WARNING,
        handlers=[OncePerMinute()],
    )
    logging.getLogger("dropengine").setLevel(settings.log_level.upper())
