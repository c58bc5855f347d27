"""The machine under a rehearsal: what each process uses, what is left, and who goes first.

Linux tells it in `/proc`; elsewhere `ps` is asked.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from dropengine.rehearsal_report import ProcessLoad

NICER_BY: Final = 10
"""Whoever sells on the same machine goes first."""
ON_LINUX: Final = sys.platform == "linux"


class Used(NamedTuple):
    """cpu_s: CPU seconds since it began, all its threads."""

    cpu_s: float
    rss_kib: int


def used(pid: int) -> Used | None:
    """What a process used so far; None when it has ended."""
    if not ON_LINUX:
        return _used_by_ps(pid)
    try:
        # The name in brackets may hold anything; fields are counted from its last bracket.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    return Used(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") // 1024)


def _used_by_ps(pid: int) -> Used | None:
    asked = subprocess.run(
        ["ps", "-o", "time=,rss=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    told = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):([\d.]+)\s+(\d+)", asked.stdout.strip())
    if told is None:
        return None
    days, hours, minutes, seconds, rss = (float(part or 0) for part in told.groups())
    return Used(((days * 24 + hours) * 60 + minutes) * 60 + seconds, int(rss))


Pids = Callable[[], Mapping[str, Iterable[int]]]
"""Processes by what people call them, as they are now."""
OTHERS: Final = "others"
"""Everybody else on this machine."""


class Loads:
    """What processes use between two looks. pids: asked at each look: some are started late."""

    def __init__(self, pids: Pids) -> None:
        self._pids = pids
        self._before = self._cpu_s()
        self._busy_s = busy_s()
        self._at_s = time.monotonic()

    def _cpu_s(self) -> dict[int, float]:
        pids = [pid for some in self._pids().values() for pid in some]
        return {pid: one.cpu_s for pid in pids if (one := used(pid)) is not None}

    def look(self) -> list[ProcessLoad]:
        """Since the last look, and all others together where the machine tells."""
        now, busy = time.monotonic(), busy_s()
        passed_s, cpu_s = max(0.001, now - self._at_s), self._cpu_s()
        told, ours = [], 0.0
        for name, pids in self._pids().items():
            took = sum(max(0.0, cpu_s.get(pid, 0.0) - self._before.get(pid, 0.0)) for pid in pids)
            ours += took
            told.append(ProcessLoad(name, round(took / passed_s, 2), self.rss_kib(name) // 1024))
        if busy is not None and self._busy_s is not None:
            others = max(0.0, busy - self._busy_s - ours) / passed_s
            told.append(ProcessLoad(OTHERS, round(others, 2), 0))
        self._before, self._busy_s, self._at_s = cpu_s, busy, now
        return told

    def rss_kib(self, name: str) -> int:
        """Memory of the processes of one name, now."""
        found = (used(pid) for pid in self._pids().get(name, ()))
        return sum(one.rss_kib for one in found if one is not None)


def busy_s() -> float | None:
    """CPU seconds of the whole machine in which somebody worked; None where nobody tells."""
    with contextlib.suppress(OSError):
        first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()[1:]
        user, nice, system, _idle, _waiting, irq, soft = (int(word) for word in first[:7])
        return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")
    return None


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if ON_LINUX else os.cpu_count() or 1


def memory_free_mib() -> int | None:
    """What may be used without pushing anything out; None where nobody tells."""
    with contextlib.suppress(OSError):
        told = Path("/proc/meminfo").read_text(encoding="ascii")
        if (found := re.search(r"MemAvailable:\s*(\d+)", told)) is not None:
            return int(found[1]) // 1024
    return None


def about() -> tuple[str, str]:
    """The machine, and the versions, in a line each that names neither host nor path."""
    model = platform.machine()
    with contextlib.suppress(OSError):
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if (named := re.search(r"model name\s*:\s*(.+)", told)) is not None:
            model = named[1]
    count = cores()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return (
        f"{count} core{'s' if count > 1 else ''} of {model}, {system}",
        f"Python {platform.python_version()}",
    )


def go_last(pid: int) -> None:
    """Let everybody else of this machine go before a process.

    Where Linux shares the processor by sessions, the nice value of a process counts only among
    those of its session; so the session's own is set as well.
    """
    with contextlib.suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, pid) < NICER_BY:
            os.setpriority(os.PRIO_PROCESS, pid, NICER_BY)
    # Refused within a tenth of a second of the last one, without privilege: then tried once more.
    for _ in range(2):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(NICER_BY), encoding="ascii")
        except BlockingIOError:
            time.sleep(0.15)
        except OSError:
            return
        else:
            return
