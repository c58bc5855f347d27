"""What the server's own words say of a sale, a sentence each: for `dropengine doctor`, and for
whoever asks a shop that runs.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from dropengine.jobs.server_watch import NEARLY_FULL_PERCENT
from dropengine.truth.server_check import ServerFacts


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARN = "warn"
    STOP = "stop"
    """It would stop a sale."""


class Finding(Struct, frozen=True):
    """One sentence about one thing."""

    level: Level
    topic: str
    sentence: str


def durability(found: ServerFacts) -> Finding:
    """Whether what was acknowledged survives a power cut."""
    if not found.writes:
        return Finding(
            Level.STOP, "durability", "Its last write to disk failed: look at its disk and its log."
        )
    if found.durable:
        return Finding(
            Level.OK, "durability", "Every sale is on disk before it is answered (fsync always)."
        )
    if not found.appendonly:
        how = "keeps no log and forgets all sales when it stops (appendonly no)"
    else:
        how = f"may lose about a second of sales (appendfsync {found.appendfsync})"
    return Finding(Level.WARN, "durability", f"The server {how}, and this was accepted.")


def memory(found: ServerFacts) -> Finding:
    """Whether the server refuses when it is full, rather than forget or be killed."""
    if found.maxmemory_bytes == 0:
        return Finding(
            Level.WARN,
            "memory",
            "The server has no limit: set maxmemory, or the system may kill it.",
        )
    if found.maxmemory_policy != "noeviction":
        return Finding(
            Level.WARN,
            "memory",
            f"When full, the server forgets who has what to do and who came lately, though no sale "
            f"({found.maxmemory_policy}): set maxmemory-policy noeviction.",
        )
    mib = found.maxmemory_bytes >> 20
    percent = 100 * found.used_memory_bytes // found.maxmemory_bytes
    if percent >= NEARLY_FULL_PERCENT:
        return Finding(
            Level.STOP,
            "memory",
            f"The server's memory is at {percent} % of {mib} MiB, and nothing new begins: "
            f"give it more (maxmemory_mib, or maxmemory of your own server).",
        )
    return Finding(Level.OK, "memory", f"The server takes {mib} MiB at most, then refuses.")
