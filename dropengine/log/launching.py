"""A list that chance orders, as a log tells of it while it grows: its seal, what it waits for, the
head of its order, and how the first round goes. One more look at events that are not many.
"""

from __future__ import annotations

import re
from typing import Final

from dropengine import events
from dropengine.randomness import BeaconRound, Source

HEAD: Final = 20
"""So many of the order are shown."""
ORDERED: Final = "ordered"
OF_OFFERS: Final = frozenset({"offered", "claimed", "sold", "lapsed", "declined"})
"""Events of a crowd that tell how the first round goes."""
TAKEN: Final = "taken"
_BECOMES: Final = {"claimed": TAKEN, "sold": TAKEN, "lapsed": "lapsed", "declined": "declined"}
"""What an event makes of an offer that nobody has answered."""
_HOLD = re.compile(rb'"hold":"([^"]+)"')
_N = re.compile(rb'"n":([0-9]+)')
_CALL = re.compile(rb'"call":([01])')
_IDS = re.compile(rb'"([^"]+)"')


class Launch:
    """Feed it what `Running` reads. Times are the drop's own.

    sealed_at: 0 while it is not. root, revealed: '' while they are not told. placed: how many have
    their arrivals; carried: so many stand before them, over from an earlier drop. head: the first
    entries of the order. called: the highest arrival that was called. over: the first round is.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sealed_at = 0
        self.entries = 0
        self.root = ""
        self.revealed = ""
        self.placed = 0
        self.carried = 0
        self.head: list[str] = []
        self.called = 0
        self.over = False
        self._answered: dict[bytes, str] = {}

    def told(self, event: events.AnyEvent) -> None:
        """An event that is read whole."""
        match event:
            case events.Carried():
                self.carried = event.n
            case events.Sealed():
                self.sealed_at, self.entries = event.at, event.entries
            case events.Rooted():
                self.root = event.root
            case events.Revealed():
                self.revealed = event.value
            case events.Allotted():
                self.over = True

    def seen(self, kind: str, text: bytes) -> None:
        """One of `OF_OFFERS`, or a part of the order."""
        if kind == ORDERED:
            self._ordered(text)
        elif hold := _HOLD.search(text):
            if kind == "offered":
                self._offered(hold[1], text)
            elif self._answered.get(hold[1]) == "":
                self._answered[hold[1]] = _BECOMES[kind]

    def round_counts(self) -> dict[str, int]:
        """Offers of the first round, by how they were answered: taken, lapsed, declined, '' not
        yet."""
        found = {"": 0, TAKEN: 0, "lapsed": 0, "declined": 0}
        for how in self._answered.values():
            found[how] += 1
        return found

    def waits_for(self, lead_ms: int) -> tuple[int, int]:
        """The round of the beacon that orders it, and when that is due (ms, UTC); 0 and 0 for a
        secret, or while it is not sealed. lead_ms: in force at the seal."""
        if not self.sealed_at or not isinstance(self.source, BeaconRound):
            return 0, 0
        chain = self.source.known()
        if chain is None:
            return self.source.round, 0
        number = chain.round_for(self.source.round, self.sealed_at - lead_ms)
        return number, chain.due_ms(number)

    def _ordered(self, text: bytes) -> None:
        first = _N.search(text)
        if first is None:
            return
        ids = _IDS.findall(text[text.index(b'"ids":') + len('"ids":') :])
        self.placed = int(first[1]) + len(ids) - 1 - self.carried
        if len(self.head) < HEAD:
            self.head += [one.decode() for one in ids[: HEAD - len(self.head)]]

    def _offered(self, hold: bytes, text: bytes) -> None:
        number, lane = _N.search(text), _CALL.search(text)
        # A place in the boost lane says nothing of how far the order was called.
        if number is not None and lane is not None and lane[1] == b"0":
            self.called = max(self.called, int(number[1]))
        if not self.over:
            self._answered[hold] = ""
