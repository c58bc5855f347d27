"""How the pages write money, moments and lengths: the same words as the scripts, exact."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dropengine import wire
from dropengine.manifest.zones import in_zone

SIGNS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
"""Currencies whose sign everybody reads alike; the others are written by their code."""


def total(pools: Mapping[str, wire.PoolView]) -> dict[str, int]:
    """All pools as one: units made, free, held, of them offered, sold, and entries waiting."""
    names = ("cap", "free", "held", "offered", "sold", "waiting")
    return {name: sum(getattr(pool, name) for pool in pools.values()) for name in names}


def money(amount: int, drop: wire.DropView) -> str:
    """2400 -> `€24.00`, or `CHF 24.00` where a sign is ambiguous: exact, as scripts write it."""
    sign = SIGNS.get(drop.currency, f"{drop.currency}\u00a0")
    if drop.minor_digits == 0:
        return f"{sign}{amount:,}"
    whole, rest = divmod(amount, 10**drop.minor_digits)
    return f"{sign}{whole:,}.{rest:0{drop.minor_digits}d}"


def moment(ms: int, zone: str) -> str:
    """A moment in the drop's own zone: `Fri 16 Jul 2027, 18:00 CEST`."""
    at = in_zone(ms, zone)
    return at.strftime("%a %-d %b %Y, %H:%M %Z") if at else "a time that no calendar has"


def machine(ms: int) -> str:
    """A moment for `<time datetime>`, '' for one that no calendar has."""
    at = in_zone(ms, "UTC")
    return at.isoformat(timespec="seconds") if at else ""


def span(ms: int) -> str:
    """480000 -> `8 minutes`: a length as people say it."""
    seconds = round(ms / 1000)
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}{'s' if seconds != size else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"


def paragraphs(text: str) -> list[str]:
    """A text's paragraphs: what stands between empty lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
