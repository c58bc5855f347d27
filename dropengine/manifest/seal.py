"""When a list that chance orders is sealed, and which round of the beacon may order it. Pure."""

from __future__ import annotations

from dropengine.manifest.manifest import Manifest
from dropengine.randomness import LATE_MS, Chain


def sealed_at(mode: str, window_ms: int, opens_ms: int) -> int:
    """When the list of a drop that opens so is sealed; 0: it is opened by hand (ms, UTC)."""
    if not opens_ms:
        return 0
    return opens_ms + (0 if mode == "lobby" else window_ms)


def first_round(chain: Chain, seals_ms: int) -> int:
    """The first round of a chain that may order a list which is sealed at this moment."""
    return chain.first_from(seals_ms + LATE_MS)


def fault_in_round(drop: Manifest, chain: Chain) -> str:
    """What is wrong with the round that a drop names, as the end of a sentence, or ''."""
    if not (drop.beacon_round and drop.opens_ms and drop.window_ms):
        return ""
    first = first_round(chain, sealed_at(drop.mode, drop.window_ms, drop.opens_ms))
    if drop.beacon_round >= first:
        return ""
    return f"must be {first} or later: it is to come after the seal"


def opening_for(mode: str, window_ms: int, seals_ms: int) -> int:
    """The opening by which a list is sealed at this moment."""
    return seals_ms - (0 if mode == "lobby" else window_ms)
