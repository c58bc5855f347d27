"""The server's log of changes as a power cut leaves it: shorter, at any byte.

Which bytes had reached the disk is told by the kernel: `strace` looks on as the server writes and
syncs its file.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dropengine.config import Settings

CALL = re.compile(
    r"(?P<at>[\d.]+) (?P<call>write|writev|pwrite64|fdatasync|fsync)"
    r"\(\d+<(?P<path>[^>]*)>.* = (?P<said>\d+) <(?P<took>[\d.]+)>"
)


def newest(settings: Settings) -> Path:
    """The file that an embedded server appends to."""
    logs = settings.data_dir / "server" / "appendonlydir"
    return max(logs.glob("*.incr.aof"), key=lambda path: path.stat().st_mtime_ns)


class Written(NamedTuple):
    """How far the file had come at some moments: s since 1970, and bytes since its beginning."""

    at_s: list[float]
    bytes: list[int]

    def by(self, moment_s: float) -> int:
        """Bytes of which this was so at that moment."""
        place = bisect_right(self.at_s, moment_s)
        return self.bytes[place - 1] if place else 0

    def add(self, at_s: float, size: int) -> None:
        self.at_s.append(at_s)
        self.bytes.append(size)


class Trace:
    """What the server did to its file. `written`: handed to the kernel; `kept`: on disk."""

    def __init__(self, path: Path, before: int) -> None:
        self.written = Written([0.0], [before])
        self.kept = Written([0.0], [before])
        size = before
        for line in path.read_text().splitlines():
            found = CALL.match(line)
            if found is None or not found["path"].endswith(".incr.aof"):
                continue
            done_s = float(found["at"]) + float(found["took"])
            if "sync" in found["call"]:
                # All that was written before the call began is on disk when it has returned.
                self.kept.add(done_s, size)
            else:
                size += int(found["said"])
                self.written.add(done_s, size)


@contextlib.contextmanager
def watching(pid: int, into: Path) -> Iterator[None]:
    """Write down what a server does to its file, until the block ends or the server does.

    Its first thread alone is looked at: what is on disk before an answer is written there, and the
    lines of two threads would cut each other in pieces.
    """
    program = shutil.which("strace")
    if program is None:
        pytest.skip("which bytes are on disk is told by strace, and there is none here")
    calls = "trace=write,writev,pwrite64,fdatasync,fsync"
    line = [program, "-y", "-s", "0", "-ttt", "-T", "-e", calls, "-o", str(into)]
    with subprocess.Popen(
        [*line, "-p", str(pid)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as one:
        assert one.stderr is not None
        said = one.stderr.readline()
        if "attached" not in said:
            one.kill()
            pytest.skip(f"this machine lets nobody look on: {said}")
        try:
            yield
        finally:
            one.terminate()
