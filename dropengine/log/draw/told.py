"""The draw sheet of a log: what it tells of a list, its chance and its order.

Read with the eyes of a stranger: only the fields that `docs/fairness.md` names, of the events that
it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from dropengine.errors import DrawFault
from dropengine.log.draw.sheet import Sheet, SheetEntry
from dropengine.randomness import Source


class Told(NamedTuple):
    """opened: its whole order is told. called_off: it was cancelled before, and nothing more will
    be told."""

    sheet: Sheet
    opened: bool = True
    called_off: bool = False


class _Kind(Struct):
    e: str


class _Published(Struct):
    rules: dict[str, Any]


class _Joined(Struct):
    entry: str
    why: str = ""
    tickets: int = 0
    nonce: str = ""


class _Gone(Struct):
    entry: str


class _Led(Struct):
    """How far the drop's own time is ahead of the true clock from now on."""

    lead: int = 0


class _Sealed(Struct):
    at: int
    entries: int


class _Rooted(Struct):
    root: str


class _Revealed(Struct):
    value: str


class _Ordered(Struct):
    n: int
    ids: list[str]


class _Opened(Struct): ...


class _Cancelled(Struct): ...


_KINDS: dict[str, type[Struct]] = {
    "published": _Published,
    "joined": _Joined,
    "left": _Gone,
    "removed": _Gone,
    "realigned": _Led,
    "resumed": _Led,
    "thawed": _Led,
    "sealed": _Sealed,
    "rooted": _Rooted,
    "revealed": _Revealed,
    "ordered": _Ordered,
    "opened": _Opened,
    "cancelled": _Cancelled,
}
_kind = msgspec.json.Decoder(_Kind).decode
_DECODERS = {e: msgspec.json.Decoder(kind).decode for e, kind in _KINDS.items()}


def sheet_of(log: Iterable[bytes]) -> Sheet:
    """What an exported log tells, as far as it goes. Raises DrawFault where it tells of no sealed
    list, or contradicts itself."""
    return told_of(log).sheet


def told_of(log: Iterable[bytes]) -> Told:
    """The same, and whether more is to come. Raises DrawFault."""
    told = _Telling()
    for number, line in enumerate(log, 1):
        if not line.strip():
            continue
        try:
            if decode := _DECODERS.get(_kind(line).e):
                told.take(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
            raise DrawFault(f"line {number} cannot be read: {fault}") from None
    return Told(told.sheet(), told.opened, told.cancelled and not told.opened)


class _Telling:
    """What was told so far."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._entries: dict[str, SheetEntry] = {}
        self._sealed_ms: int | None = None
        self._lead = 0
        self._root = self._revealed = ""
        self._order: list[str] = []
        self._next = 0
        self.opened = self.cancelled = False

    def take(self, event: Struct) -> None:
        sealed = self._sealed_ms is not None
        match event:
            case _Published(rules=rules):
                source = rules.get("randomness")
                self._source = None if source is None else msgspec.convert(source, Source)
            case _Led(lead=lead):
                self._lead = lead
            case _Joined(why="carried"):
                # It has its arrival already, and those of the list come behind it.
                pass
            case _Joined(entry=entry) if not sealed:
                self._entries[entry] = SheetEntry(entry, event.tickets, event.nonce)
            case _Gone(entry=entry) if not sealed:
                self._entries.pop(entry, None)
            case _Sealed(at=at, entries=entries):
                self._seal(at - self._lead, entries)
            case _Rooted(root=root):
                self._root = root
            case _Revealed(value=value):
                self._revealed = value
            case _Ordered(n=n, ids=ids):
                self._put(n, ids)
            case _Opened():
                self.opened = True
            case _Cancelled():
                self.cancelled = True

    def sheet(self) -> Sheet:
        if self._source is None:
            raise DrawFault("the rules of this drop name no chance: its order is that of time")
        if self._sealed_ms is None and self.cancelled:
            raise DrawFault("this drop was called off before its list was sealed")
        if self._sealed_ms is None:
            raise DrawFault("the list of this drop is not sealed yet")
        return Sheet(
            randomness=self._source,
            entries=list(self._entries.values()),
            sealed_ms=self._sealed_ms,
            root=self._root,
            revealed=self._revealed,
            order=self._order,
        )

    def _seal(self, at_ms: int, entries: int) -> None:
        if self._sealed_ms is not None:
            raise DrawFault("the list is sealed twice")
        if entries != len(self._entries):
            raise DrawFault(f"{entries} entries are sealed, {len(self._entries)} joined and stayed")
        self._sealed_ms = at_ms

    def _put(self, first: int, ids: list[str]) -> None:
        if self._order and first != self._next:
            raise DrawFault(f"the order goes on with arrival {first}, not with {self._next}")
        self._order += ids
        self._next = first + len(ids)
