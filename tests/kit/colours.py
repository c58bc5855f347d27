"""A drop of four colours of one price, and two ways to come by them."""

from __future__ import annotations

import msgspec

from dropengine.manifest import Manifest
from dropengine.manifest.ways import Way
from tests.kit.manifests import item, manifest

COLOURS = {"red": 1, "blue": 9, "green": 9, "white": 1}
"""Of some there is only one: who comes too late for it waits."""
POST = Way(
    id="post",
    kind="ship",
    title="Post, insured",
    countries=("DE", "AT"),
    nodes=(),
    amount=690,
    off=0,
    from_ms=0,
    until_ms=0,
    cash=False,
)
STALL = msgspec.structs.replace(
    POST, id="stall", kind="pickup", title="At our stall", countries=(), amount=0, off=200
)


def colours(**of: int) -> Manifest:
    """of: how many there are of a colour, where it is not nine."""
    several = manifest("a", *(item(name, {name: of.get(name, 9)}) for name in COLOURS), limit=4)
    return msgspec.structs.replace(several, ways=(POST, STALL))


def scarce() -> Manifest:
    """With colours that only one can have."""
    return colours(**COLOURS)
