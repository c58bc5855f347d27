"""The manifest of a drop: the rules that are published, hashed and never changed afterwards."""

from __future__ import annotations

from dropengine.manifest.canonical import canonical, digest, from_canonical, rules
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.manifest import Item, Manifest, Pool, showable, with_opening
from dropengine.manifest.parse import parse
from dropengine.manifest.toml_tables import ID, ID_RULE, fault_in_drop_id, short

__all__ = [
    "ID",
    "ID_RULE",
    "MINOR_DIGITS",
    "Item",
    "Manifest",
    "Pool",
    "canonical",
    "digest",
    "fault_in_drop_id",
    "from_canonical",
    "parse",
    "rules",
    "short",
    "showable",
    "with_opening",
]
