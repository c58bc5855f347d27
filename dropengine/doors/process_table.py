"""The other processes of this machine's shop, as the doors ask for them.

Whoever runs a web process puts them into the state of its lifespan; an application that runs by
itself has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from dropengine.doors.prometheus import Sample

SIBLINGS: Final = "dropengine.siblings"
"""In the state: what this process knows of the others."""
NUMBERS: Final = "dropengine.numbers"
"""In the state: this process's own numbers, for the others."""

HEARS: Final = "dropengine.hears"
"""In the state: who wants to know the others before any request comes."""

Numbers = Callable[[], bytes]
_samples = msgspec.json.Decoder(list[Sample])


class ProcessRow(Struct, frozen=True):
    """One web process as its supervisor sees it. `state`: up, starting, silent, or ended; `starts`:
    how often it was started; `silent_looks`: looks of the supervisor since it last spoke."""

    process: int
    pid: int
    state: str
    starts: int
    silent_looks: int


class ProcessTable(Struct, frozen=True):
    """`supervisor`: its process. `looked_s`: seconds since it last looked."""

    supervisor: int
    looked_s: float
    processes: list[ProcessRow]


class Siblings(Protocol):
    """What a process knows of the others of its shop on this machine. number: its own, from 1."""

    @property
    def number(self) -> int: ...
    def table(self) -> ProcessTable | None:
        """What the supervisor saw last; None before its first look."""

    def numbers(self) -> dict[int, bytes]:
        """The last numbers of each of the others, by its own."""


def siblings_of(scope: Mapping[str, Any]) -> Siblings | None:
    """Those of the process that answers this request."""
    found: Siblings | None = scope.get("state", {}).get(SIBLINGS)
    return found


def samples_of(siblings: Siblings | None) -> dict[int, list[Sample]]:
    """The last numbers of each of the others, by its own."""
    others = {} if siblings is None else siblings.numbers()
    return {number: _samples.decode(words) for number, words in others.items()}
