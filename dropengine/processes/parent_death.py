"""No process outlives the one that answers for it.

Every child holds a pipe from its parent as its standard input and ends when the pipe does; Linux
adds a signal for the case that the child is too busy to read. The embedded server cannot read such
a pipe, so a small guard stands between: run as a script, this file starts one server, waits beside
it, and takes it along. It imports nothing but the standard library, to start in a few
milliseconds.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

# prctl(2): the signal that the kernel sends to a process when the thread that made it ends.
_PR_SET_PDEATHSIG = 1


def started(pid: int) -> str | None:
    """A mark that tells a process from a later one with the same number; None when it has ended.

    A process that ended and was not yet collected by its parent has ended.
    """
    if sys.platform != "linux":
        return _started_by_ps(pid)
    try:
        # The name in brackets may hold anything; fields are counted from its last bracket.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X", b"x"):
        return None
    return f"{boot}:{fields[19].decode()}"


def _started_by_ps(pid: int) -> str | None:
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    state, _, since = asked.stdout.decode().strip().partition(" ")
    return since.strip() if since and not state.startswith("Z") else None


def alive(pid: int, mark: str) -> bool:
    """Whether exactly this process still runs."""
    return started(pid) == mark


def signal_at_parents_end(parent: int, number: signal.Signals) -> None:
    """Ask Linux for a signal when the parent's thread ends. Elsewhere the pipe alone does it."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError):
            import ctypes

            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        # It ended before the kernel was asked.
        os.kill(os.getpid(), number)


def when_pipe_ends(then: Callable[[], None]) -> None:
    """Call `then` in a thread of its own when the parent lets go of our standard input."""

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):
                pass
        then()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def read_line() -> bytes:
    """The first line of standard input, and not a byte more: the rest of the pipe is its end."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise EOFError("the parent ended before it said what to do")
        line += byte
    return bytes(line)


def write_in_place(path: Path, pid: int, mark: str) -> None:
    """Note a process in a file of fixed length, so that noting it again needs no free disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(handle, json.dumps({"pid": pid, "mark": mark}).ljust(160).encode(), 0)
    finally:
        os.close(handle)


def noted(path: Path) -> tuple[int, str] | None:
    """The process noted in a file: its number and mark. None when there is none."""
    try:
        note = json.loads(path.read_bytes())
        return int(note["pid"]), str(note["mark"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def main() -> None:
    """Start the server that the first line describes, and end with it.

    The line is JSON: `argv`, `environment`, `config` (given to the server on its standard input),
    `log`, `note` (the file that names the server's process), `lock_fd` (kept open by the server as
    long as it lives), `parent`, `stop_s`. The working directory is the server's.
    """
    assignment = json.loads(read_line())
    note = Path(assignment["note"])
    own = os.getpid()

    def before_exec() -> None:
        signal_at_parents_end(own, signal.SIGKILL)
        # Noted by the server itself before it is one: there is never a server without a note.
        with contextlib.suppress(OSError):
            write_in_place(note, os.getpid(), started(os.getpid()) or "")

    with Path(assignment["log"]).open("ab") as log:
        server = subprocess.Popen(
            assignment["argv"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=assignment["environment"],
            pass_fds=[assignment["lock_fd"]],
            process_group=0,
            preexec_fn=before_exec,  # noqa: PLW1509 -- no thread runs here yet
        )
    os.close(assignment["lock_fd"])

    def stop(*_: object) -> None:
        server.terminate()
        last = threading.Timer(assignment["stop_s"], server.kill)
        last.daemon = True
        last.start()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    assert server.stdin is not None
    with contextlib.suppress(BrokenPipeError), server.stdin as config:
        config.write(assignment["config"].encode())
    signal_at_parents_end(assignment["parent"], signal.SIGTERM)
    when_pipe_ends(stop)
    _say({"pid": server.pid})
    code = server.wait()
    # A copy of the server that rewrites its log would keep the lock.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    _say({"ended": code})
    os._exit(0)


def _say(status: dict[str, int]) -> None:
    # Nobody listens any more when it was the parent that died.
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(status).encode() + b"\n")


if __name__ == "__main__":
    main()
