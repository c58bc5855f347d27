"""The provider's ids of the charges that a stretch of a log tells of, for the copy in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from dropengine import events
from dropengine.model import DropId
from dropengine.truth.charge_ids import TOLD, ChargeIds, Ids

TELLS = (b'{"e":"sold"', b'{"e":"rescued"', b'{"e":"voided"')
LIFTS = b'{"e":"lifted"'


async def told_ids(known: ChargeIds, drop: DropId, lines: Sequence[bytes]) -> Ids:
    """They are there as long as their events: both are written by one script. Of a drop that was
    lifted all charges that were told before have theirs from then on. Raises Unavailable."""
    if any(line.startswith(LIFTS) for line in lines):
        return await known.all(drop)
    told = (events.parse(line) for line in lines if line.startswith(TELLS))
    return await known.of(drop, [event.charge for event in told if isinstance(event, TOLD)])
