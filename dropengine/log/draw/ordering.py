"""The order of a sealed list: each entry's smallest hash decides, the smallest of all is first.

An entry with w tickets draws w hashes and keeps the smallest, so it is first with the probability
w / sum of all w, and so on among those that are left.
"""

from __future__ import annotations

from hashlib import sha256

from dropengine.errors import DrawFault
from dropengine.log.draw.sealed import TICKETS_MAX, Sealed

CHANCE_BYTES = 32
_FIRST, *_FURTHER = (i.to_bytes(4, "big") for i in range(1, TICKETS_MAX + 1))


def order(sealed: Sealed, chance: bytes) -> list[str]:
    """The ids of all entries, the first of them first: its arrival is 1. chance: the randomness, 32
    bytes (`chance_of`).

    Score of an entry: the smallest SHA-256(chance | root | id | i) over i = 1 .. tickets, i as four
    bytes, the highest first. Ascending; equal scores by the bytes of the id.
    """
    if len(chance) != CHANCE_BYTES:
        raise DrawFault(f"randomness has {CHANCE_BYTES} bytes, these are {len(chance)}")
    begun = chance + sealed.root
    # A sort lets no other thread in before its end: in 256 parts each of them is short.
    parts: list[list[tuple[bytes, str]]] = [[] for _ in range(256)]
    for name, tickets, _ in sealed.entries:
        said = begun + name.encode("ascii")
        score = sha256(said + _FIRST).digest()
        if tickets > 1:
            others = (sha256(said + number).digest() for number in _FURTHER[: tickets - 1])
            score = min(score, *others)
        parts[score[0]].append((score, name))
    return [name for part in parts for _, name in sorted(part)]
