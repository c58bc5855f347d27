"""What happened more than a day ago, in a drop of a test."""

from __future__ import annotations

from dropengine.model import KEPT_MS
from tests.kit.sale import Sale

HOUR_MS = 3_600_000
BEYOND_MS = 60 * HOUR_MS
"""Longer than any hold of a test stands, and a day."""


async def a_day_passes(sale: Sale) -> None:
    """Everything that stands now ends, that is written down, and a day goes by."""
    sale.now += BEYOND_MS
    await sale.settle()
    await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)
    sale.now += KEPT_MS
