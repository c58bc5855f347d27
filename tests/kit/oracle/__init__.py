"""The oracle: one drop as slow, plain Python. It keeps records only and counts everything anew.

The scripts keep counters, sets and flags because they must be fast; this package derives all of
those from the holds, orders and entries, so that a counter that drifts or a flag that is stale
shows as a difference. Given the same commands at the same times it predicts each outcome and the
whole log, event for event.
"""

from __future__ import annotations

from tests.kit.oracle.adoption import Adoption
from tests.kit.oracle.books import Bought
from tests.kit.oracle.carrying import Carrying
from tests.kit.oracle.creators import Creators
from tests.kit.oracle.drawing import Drawing
from tests.kit.oracle.past import Past
from tests.kit.oracle.presses import Presses
from tests.kit.oracle.records import Entry, Hold, Order

__all__ = ["Bought", "Entry", "Hold", "Oracle", "Order"]


class Oracle(Presses, Adoption, Creators, Drawing, Carrying, Past):
    """One drop. A command takes the server's clock in ms and answers what the store must answer."""
