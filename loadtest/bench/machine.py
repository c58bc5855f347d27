"""What the machine did and what it is: CPU time, memory and disk of a process, and a line about the
machine that names neither its paths nor its host."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import resource
import subprocess
import time
from pathlib import Path

from dropengine.processes import embedded_options

PACKAGES = ("uvicorn", "uvloop", "starlette", "msgspec", "redis", "websockets", "picows")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads, user and system, to the nanosecond.

    Linux makes the number of a process's clock from its pid (clock_getcpuclockid).
    """
    return time.clock_gettime((~pid << 3) | 2)


def rss_kib(pid: int) -> int:
    """Resident memory of a process. Raises ProcessLookupError."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


def children(pid: int) -> list[int]:
    """The processes that it started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]


def overflows() -> int:
    """Connections that the kernel dropped so far because a listener did not accept them in time."""
    names, values = (
        line.split()
        for line in Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
        if line.startswith("TcpExt:")
    )
    return int(dict(zip(names, values, strict=True))["ListenOverflows"])


def open_files_wide() -> None:
    """As many open files as this process may have: each socket is one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def about() -> dict[str, str]:
    """The machine and the versions, in words."""
    named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    gib = int(memory[1]) / 2**20 if memory else 0
    cores = len(os.sched_getaffinity(0))
    said = subprocess.run(
        [embedded_options.binary(), "--version"], capture_output=True, text=True, check=True
    )
    valkey = re.search(r"v=(\S+)", said.stdout)
    allocator = embedded_options.allocator() or "malloc"
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return {
        "machine": f"{cores} cores of {named[1] if named else platform.machine()}, {gib:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}; the load generator on the same cores",
        "versions": f"Python {platform.python_version()}, "
        f"Valkey {valkey[1] if valkey else ''} on {allocator}, {packages}",
    }
