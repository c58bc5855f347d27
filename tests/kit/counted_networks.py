"""What a drop's networks count, read from its scratch and counted anew from what stands beside each
hold and entry."""

from __future__ import annotations

from collections import Counter

import msgspec

from dropengine.truth.networks import AROUND, around, counts_in
from tests.kit.sale import Sale

EVERYTHING = ("key", "exempt")
CARDS = "ko"
"""What cards bought, and by which one an order was paid."""


async def counted(sale: Sale) -> dict[str, int]:
    """Network -> the unpaid holds and open entries that it counts."""
    rows = await sale.store.fields(sale.drop, "networks")
    wide = {name: counts_in(at.decode()) for name, at in rows.items() if name[0] == AROUND}
    return {name: count for counts in wide.values() for name, count in counts.items()} | {
        name: sum(counts.values()) for name, counts in wide.items()
    }


async def beside(sale: Sale) -> dict[str, str]:
    """Hold or entry -> the networks at which it counts."""
    rows = await sale.store.fields(sale.drop, "networks")
    return {
        name: at.decode()
        for name, at in rows.items()
        if name[0] not in (AROUND, *CARDS) and name not in EVERYTHING
    }


async def exempt(sale: Sale) -> list[str]:
    """The networks that are exempt."""
    rows = await sale.store.fields(sale.drop, "networks")
    return msgspec.msgpack.decode(rows["exempt"], type=list[str]) if "exempt" in rows else []


def recounted(at: dict[str, str]) -> dict[str, int]:
    """What must be counted when this stands beside holds and entries."""
    return dict(Counter([*at.values(), *map(around, at.values())]))
