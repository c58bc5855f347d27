"""Which of a shop's web processes a connection came to: the system decides it, and tells here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

LISTENERS = Path("/proc/net/tcp")


def worker_at(shop_port: int, own_port: int, pids: Iterable[int]) -> int:
    """The process at the other end of a connection from `own_port` of this machine."""
    ends = f":{shop_port:04X}", f":{own_port:04X}"
    for row in LISTENERS.read_text().splitlines()[1:]:
        _, here, there, *rest = row.split()
        if (here[-5:], there[-5:]) == ends:
            return next(pid for pid in pids if f"socket:[{rest[6]}]" in _open(pid))
    raise AssertionError(f"no connection from {own_port} to {shop_port}")


def _open(pid: int) -> set[str]:
    return {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
