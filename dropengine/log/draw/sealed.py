"""The sealed list: who takes part with how many tickets, and the Merkle root that fixes it.

The tree is RFC 6962's: SHA-256, a leaf begins with the byte 0, a node with the byte 1, so that none
can be taken for the other. A level is hashed pair by pair; a last one without a partner goes up as
it is, which gives RFC 6962's tree for every size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from dropengine.errors import DrawFault
from dropengine.model import ID_CHARS_MAX, ID_LETTERS

TICKETS_MAX: Final = 100
NONCE_BYTES: Final = 16
NONCE_HEX: Final = re.compile(r"(?:[0-9a-f]{32})?")
"""How a log tells a nonce: 32 hex digits, or nothing."""
ENTRIES_MAX: Final = 1_000_000
_ID: Final = re.compile(rf"[{ID_LETTERS}]{{1,{ID_CHARS_MAX}}}")
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class Entry(NamedTuple):
    """One line of the list. id: of the entry, as the log has it (`e7`). nonce: 16 bytes that the
    entrant's browser chose, or none."""

    id: str
    tickets: int = 1
    nonce: bytes = b""


class Sealed:
    """A list that is fixed, in the order given: that of the joins in the log.

    entries: each id once. root: 32 bytes, SHA-256 of nothing for an empty list. Raises DrawFault,
    which names the entry, for what cannot be sealed.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: Sequence[Entry] = tuple(entries)
        _check(self.entries)
        self._levels = _levels([_leaf(entry) for entry in self.entries])
        self.root: bytes = self._levels[-1][0] if self.entries else sha256().digest()

    def __len__(self) -> int:
        return len(self.entries)

    def proof(self, index: int) -> list[bytes]:
        """That the entry at this place (0 is the first) stands in the list: the hashes beside its
        way to the root, the lowest first. Raises IndexError."""
        if not 0 <= index < len(self.entries):
            raise IndexError(index)
        beside = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                beside.append(level[index ^ 1])
            index >>= 1
        return beside


def is_included(entry: Entry, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Is the entry at this place of a sealed list of this size and root?"""
    if not 0 <= index < size:
        return False
    at, last, beside = index, size - 1, iter(proof)
    here = _leaf(entry)
    while last:
        if at ^ 1 <= last:
            other = next(beside, None)
            if other is None:
                return False
            pair = (other, here) if at & 1 else (here, other)
            here = sha256(_NODE + b"".join(pair)).digest()
        at >>= 1
        last >>= 1
    return next(beside, None) is None and here == root


def _leaf(entry: Entry) -> bytes:
    name = entry.id.encode("ascii")
    return sha256(
        _LEAF
        + len(name).to_bytes(1, "big")
        + name
        + entry.tickets.to_bytes(4, "big")
        + len(entry.nonce).to_bytes(1, "big")
        + entry.nonce
    ).digest()


def _levels(level: list[bytes]) -> list[list[bytes]]:
    """From the leaves to the root; of an empty list its one empty level."""
    levels = [level]
    while len(level) > 1:
        above = [
            sha256(_NODE + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) & 1:
            above.append(level[-1])
        levels.append(above)
        level = above
    return levels


def _check(entries: Sequence[Entry]) -> None:
    if len(entries) > ENTRIES_MAX:
        raise DrawFault(f"the list has {len(entries)} entries, at most {ENTRIES_MAX} can be drawn")
    known: set[str] = set()
    for entry in entries:
        if not _ID.fullmatch(entry.id):
            raise DrawFault(f"{entry.id[:80]!r} is no id of an entry")
        if entry.id in known:
            raise DrawFault(f"{entry.id} stands in the list twice")
        if not 1 <= entry.tickets <= TICKETS_MAX:
            raise DrawFault(
                f"{entry.id} has {entry.tickets} tickets: there are 1 to {TICKETS_MAX} to an entry"
            )
        if len(entry.nonce) not in (0, NONCE_BYTES):
            raise DrawFault(f"{entry.id}: a nonce has {NONCE_BYTES} bytes, or there is none")
        known.add(entry.id)
