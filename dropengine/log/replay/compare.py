"""Compare what the log says with what a server stored, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dropengine.log.replay.truth import Truth

SENTENCES_MAX = 20
KEYS = tuple(name for name in Truth.__struct_fields__ if name not in ("news", "leads", "rules"))


def compared(key: str, replayed: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each row of one key that is not the same in both."""
    for row in sorted(replayed.keys() | stored.keys()):
        if row not in stored:
            yield f"{key} {row} is in the log but not stored: {replayed[row]!r}"
        elif row not in replayed:
            yield f"{key} {row} is stored but not in the log: {stored[row]!r}"
        elif replayed[row] != stored[row]:
            yield f"{key} {row} is {stored[row]!r}, the log makes it {replayed[row]!r}"


def difference(replayed: Truth, stored: Truth) -> list[str]:
    """One sentence for each row that differs, at most `SENTENCES_MAX`; none means equal.

    Where the server has dealt with something that writes no event (the end of a cooling), a copy of
    the replayed truth follows it.
    """
    replayed = replayed.copy()
    for member in replayed.due.keys() - stored.due.keys():
        if not member.startswith("h:"):
            replayed.pass_by(member)
    found: list[str] = []
    for name in ("news", "leads"):
        told, kept = getattr(replayed, name), getattr(stored, name)
        if told != kept:
            found.append(f"{name} is {kept!r}, the log makes it {told!r}")
    for key in KEYS:
        found += compared(key, getattr(replayed, key), getattr(stored, key))
    return found[:SENTENCES_MAX]
