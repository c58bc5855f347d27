"""When a list that chance orders is sealed, and which round of the beacon may order it. Pure."""

from __future__ import annotations

from dropengine.randomness import LATE_MS, QUICKNET


def sealed_at(mode: str, window_ms: int, opens_ms: int) -> int:
    """When the list of a drop that opens so is sealed; 0: it is opened by hand (ms, UTC)."""
    if not opens_ms:
        return 0
    return opens_ms + (0 if mode == "lobby" else window_ms)


def first_round(seals_ms: int) -> int:
    """The first round of quicknet that may order a list which is sealed at this moment."""
    return QUICKNET.first_from(seals_ms + LATE_MS)


def opening_for(mode: str, window_ms: int, seals_ms: int) -> int:
    """The opening by which a list is sealed at this moment."""
    return seals_ms - (0 if mode == "lobby" else window_ms)
