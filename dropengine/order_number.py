"""An order's number as a person says it: the digits of its hold, and one more that finds slips.

Holds are counted, so without that digit every slip of the tongue would be somebody else's order.
"""

from __future__ import annotations

import re

_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
"""H. M. Damm's quasigroup (2004): one wrong digit, or two neighbours changed about, are found."""

_ORDER = re.compile(r"h([0-9]+)")
_NUMBER = re.compile(r"([0-9]{1,18})[- ]([0-9])")


def number_of(order: str) -> str:
    """`h1027` -> `1027-6`. An order that is named otherwise is called by its name."""
    found = _ORDER.fullmatch(order)
    return f"{found[1]}-{_check(found[1])}" if found else order


def order_of(said: str) -> str:
    """The order that a person names, by its number or by its id; '' for a number that none has."""
    found = _NUMBER.fullmatch(said.strip())
    if found is None:
        return said
    return f"h{found[1]}" if _check(found[1]) == found[2] else ""


def _check(digits: str) -> str:
    """The digit that leads the row of all before it back to 0: each row has its 0 in its own
    column."""
    row = "0"
    for digit in digits:
        row = _DAMM[int(row)][int(digit)]
    return row
