"""The manifest of a drop: the rules that are published, hashed and never changed afterwards."""

from __future__ import annotations

from dropengine.manifest.canonical import canonical, digest, from_canonical, rules
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.manifest import Item, Manifest, Pool, with_opening
from dropengine.manifest.parse import parse

__all__ = [
    "MINOR_DIGITS",
    "Item",
    "Manifest",
    "Pool",
    "canonical",
    "digest",
    "from_canonical",
    "parse",
    "rules",
    "with_opening",
]
