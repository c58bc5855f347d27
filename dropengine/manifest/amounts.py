"""Amounts as people write them, `24.00`, and in minor units, 2400."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,3}))?")


def amount(price: int, digits: int) -> str:
    """2400, 2 -> `24.00`."""
    if digits == 0:
        return str(price)
    whole, rest = divmod(price, 10**digits)
    return f"{whole}.{rest:0{digits}d}"


def minor(text: str, digits: int) -> int:
    """`24.00` -> 2400. Raises ValueError with the end of a sentence."""
    found = _AMOUNT.fullmatch(text)
    if found is None or len(found[2] or "") > digits:
        raise ValueError(f"must be an amount like {amount(24 * 10**digits, digits)}")
    scale: int = 10**digits
    return int(found[1]) * scale + int((found[2] or "").ljust(digits, "0") or "0")
