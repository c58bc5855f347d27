"""Drops whose quiet hours begin while a test looks on, by the true clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dropengine.model import DropId
from dropengine.truth import keys
from dropengine.truth.store import Store
from tests.kit.manifests import HOUR_MS

MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS
AFTER_OPENING_MS = 3 * HOUR_MS


def hours_long_over() -> dict[str, int]:
    """Of a manifest in UTC: its line calls for one minute of the day, which was two hours ago."""
    now = datetime.now(UTC)
    from_ms = ((now.hour * 60 + now.minute) * MINUTE_MS - 2 * HOUR_MS) % DAY_MS
    return {"calls_from_ms": from_ms, "calls_to_ms": (from_ms + MINUTE_MS) % DAY_MS}


async def opened_hours_ago(store: Store, drop: DropId) -> None:
    """The drop is made to have been opened so long ago that the clocks count."""
    client: Any = store.client
    await client.hincrby(keys.one(drop, "drop"), "opened", -AFTER_OPENING_MS)
    # Its next script looks which hours these are.
    await client.zadd(keys.one(drop, "due"), {"quiet": await store.time_ms()})
