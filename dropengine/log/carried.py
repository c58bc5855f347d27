"""Who waited in vain: the list of a drop's entries that may be carried over into the next one.

Read with the eyes of a stranger, from the exported log alone, as `docs/fairness.md` tells it. The
manifest of the next drop names the hash of this list: a log that makes another one is not the one
that it spoke of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dropengine.errors import CarriedFault

BEGINS = "dropengine/carried/1"
"""The first word of what is hashed, before the drop's id."""


class Waiting(Struct, frozen=True):
    """A place in line at which nobody was served. n: its arrival."""

    entry: str
    fan: str
    n: int
    qty: int
    pools: tuple[str, ...]


class Carriable(Struct, frozen=True):
    """The list of a drop: the smallest arrival first."""

    drop: str
    entries: tuple[Waiting, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of the list, 64 hex digits."""
        lines = [f"{BEGINS} {self.drop}\n"]
        lines += [
            f"{one.entry} {one.fan} {one.n} {one.qty} {','.join(one.pools)}\n"
            for one in self.entries
        ]
        return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()


class _Kind(Struct):
    e: str


class _Rules(Struct):
    id: str


class _Published(Struct):
    rules: _Rules


class _Joined(Struct):
    entry: str
    fan: str
    n: int
    qty: int
    pools: tuple[str, ...]
    why: str


class _Ordered(Struct):
    n: int
    ids: list[str]


class _Adopted(Struct):
    fan: str
    entries: list[str]


class _Confirmed(Struct):
    entry: str


class _Ended(Struct):
    entry: str


class _Settled(Struct):
    pass


_KINDS: dict[str, type[Struct]] = {
    "published": _Published,
    "joined": _Joined,
    "ordered": _Ordered,
    "adopted": _Adopted,
    "confirmed": _Confirmed,
    "settled": _Settled,
    **dict.fromkeys(("served", "dormant", "left", "removed"), _Ended),
}
_kind = msgspec.json.Decoder(_Kind).decode
_DECODERS = {e: msgspec.json.Decoder(kind).decode for e, kind in _KINDS.items()}


def carriable(log: Iterable[bytes]) -> Carriable:
    """The list that a log makes, at the moment at which its drop settled. Raises CarriedFault where
    it did not settle, or contradicts itself."""
    told = _Told()
    for number, line in enumerate(log, 1):
        if not line.strip():
            continue
        try:
            decode = _DECODERS.get(_kind(line).e)
            over = decode is not None and told.take(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as fault:
            raise CarriedFault(f"line {number} of its log cannot be read: {fault}") from None
        if over:
            return told.list()
    raise CarriedFault("its log does not tell that it is settled")


class _Told:
    """What was told so far."""

    def __init__(self) -> None:
        self._drop = ""
        self._waiting: dict[str, Waiting] = {}
        self._asked: set[str] = set()
        """Carried over into this drop, and not confirmed in it: nobody carries them further."""

    def take(self, event: Struct) -> bool:
        """One event more; is that the end? Raises KeyError for an entry that is not there."""
        waiting = self._waiting
        match event:
            case _Published(rules=rules):
                self._drop = rules.id
            case _Joined(entry=entry):
                waiting[entry] = Waiting(entry, event.fan, event.n, event.qty, event.pools)
                if event.why == "carried":
                    self._asked.add(entry)
            case _Ordered(n=first, ids=ids):
                for n, entry in enumerate(ids, first):
                    # Whoever left meanwhile has an arrival at which nobody stands.
                    if entry in waiting:
                        waiting[entry] = replace(waiting[entry], n=n)
            case _Adopted(fan=fan, entries=entries):
                for entry in entries:
                    waiting[entry] = replace(waiting[entry], fan=fan)
            case _Confirmed(entry=entry):
                self._asked.remove(entry)
            case _Ended(entry=entry):
                del waiting[entry]
        return isinstance(event, _Settled)

    def list(self) -> Carriable:
        """The smallest arrival first."""
        kept = (one for one in self._waiting.values() if one.entry not in self._asked)
        return Carriable(self._drop, tuple(sorted(kept, key=lambda one: one.n)))


def fault_in_carried(old: Carriable, log: Iterable[bytes]) -> str:
    """What another drop's log tells of the places that it took from `old` and that is not so, as a
    sentence; '' for nothing. Raises CarriedFault where it cannot be read."""
    check = _Check(old)
    for number, line in enumerate(log, 1):
        try:
            event = msgspec.json.decode(line) if line.strip() else {"e": ""}
            if fault := check.take(event):
                return fault
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError) as fault:
            raise CarriedFault(f"line {number} of the log cannot be read: {fault}") from None
    return ""


class _Check:
    """How far the list was carried over."""

    def __init__(self, old: Carriable) -> None:
        self._old = old
        self._places = {one.entry: place for place, one in enumerate(old.entries)}
        self._at = -1
        self._pools: set[str] = set()

    def take(self, event: dict[str, Any]) -> str:
        """One event more: what is wrong with it. Raises KeyError and TypeError."""
        old = self._old
        if event["e"] == "published":
            rules = event["rules"]
            self._pools = {pool["id"] for pool in rules["pools"]}
            named = rules.get("carried")
            if not named or (named["of"], named["hash"]) != (old.drop, old.hash):
                return f"its rules do not name the list of {old.drop}, whose hash is {old.hash}"
        elif event["e"] == "carried" and event["of"] != len(old.entries):
            return f"the list has {len(old.entries)} entries, not {event['of']}"
        elif event["e"] == "joined" and event["why"] == "carried":
            return self._carried(event)
        return ""

    def _carried(self, event: dict[str, Any]) -> str:
        place = self._places.get(event["of"], -1)
        if place <= self._at:
            return f"{event['of']} is not in the list, or comes out of its turn"
        self._at, one = place, self._old.entries[place]
        if event["pools"] != [pool for pool in one.pools if pool in self._pools]:
            return f"{event['of']} is carried over with other wishes than it had"
        return f"{event['of']} is carried over for more" if event["qty"] > one.qty else ""
