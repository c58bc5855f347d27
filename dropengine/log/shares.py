"""How units come to those who buy them, while a log grows: by a press, by the list that chance
ordered, by the line behind it, by points, or by what an entry was given besides.

The report tells the same of a whole log (`log/figures`).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

PRESS: Final = "press"
LIST: Final = "list"
LINE: Final = "line"
MAKE_GOOD: Final = "make-good"
CARRIED: Final = "carried"
BOOST: Final = "boost"
OF_SHARES: Final = frozenset(
    {"held", "offered", "sold", "rescued", "refunded", "joined", "pointed"}
)
"""Events that tell of it."""

_HOLD = re.compile(rb'"hold":"([^"]+)"')
_QTY = re.compile(rb'"qty":([0-9]+)')
_N = re.compile(rb'"n":([0-9]+)')
MADE_GOOD: Final = b'"why":"makegood"'
_COHORT = re.compile(rb'"cohort":"([^"]+)"')
_ENTRY = re.compile(rb'"entry":"([^"]+)"')
_CALL = re.compile(rb'"call":([01])')


class Shares:
    """Feed it `OF_SHARES`. `units`: way -> units of orders that were not refunded; `cohorts`: the
    same by the cohort that they count against."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.cohorts: Counter[str] = Counter()
        self._cohorts: dict[bytes, str] = {}
        self._ways: dict[bytes, str] = {}
        """Hold -> its way, of those that were offered."""
        self._made_good: set[bytes] = set()
        """Entries that stand above all points."""

    def seen(self, kind: str, text: bytes, carried: int, placed: int) -> None:
        """carried: so many arrivals are over from an earlier drop; placed: so many behind them
        chance gave out."""
        if kind in ("joined", "pointed"):
            if MADE_GOOD in text and (entry := _ENTRY.search(text)):
                self._made_good.add(entry[1])
            return
        hold = _HOLD.search(text)
        if hold is None:
            return
        if cohort := _COHORT.search(text):
            self._cohorts[hold[1]] = cohort[1].decode()
        elif kind == "rescued":
            # It may count against none by now.
            self._cohorts.pop(hold[1], None)
        if kind == "offered":
            self._ways[hold[1]] = self._way(text, carried, placed)
        elif kind != "held" and (qty := _QTY.search(text)):
            units = -int(qty[1]) if kind == "refunded" else int(qty[1])
            self.units[self._ways.get(hold[1], PRESS)] += units
            if early := self._cohorts.get(hold[1]):
                self.cohorts[early] += units

    def _way(self, text: bytes, carried: int, placed: int) -> str:
        """Whoever is made good and called in his turn came by it as the others did."""
        found, lane, entry = _N.search(text), _CALL.search(text), _ENTRY.search(text)
        if lane is not None and lane[1] == b"1":
            return MAKE_GOOD if entry is None or entry[1] in self._made_good else BOOST
        if found is None:
            return LINE
        number = int(found[1])
        if number <= carried:
            return CARRIED
        return LIST if number <= carried + placed else LINE
