"""A drop as it stands in one moment, for pages that work without scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from dropengine.live.desk import NEXT_MOST, units_of
from dropengine.live.views import shown_state
from dropengine.log.in_words import Terms, terms
from dropengine.log.running import Line, Running
from dropengine.manifest import Manifest
from dropengine.model import DropId, DropState
from dropengine.studio_wire import UnitsView
from dropengine.truth.replies import BEYOND, Ahead, Shown, ViewReply
from dropengine.truth.store import Store

SEALED = b'{"e":"sealed"'
NEWEST = 300
"""So many events are read for the last lines of what happened."""


class Standing(NamedTuple):
    """`orders`: that were not refunded. `worth`: what they were sold for, minor units. `lines`:
    what happened last, the newest first. `doubted`: the server's clock leapt, and it does not open
    by it. `operators`: word -> name, of those who are known."""

    shown: Shown
    view: ViewReply
    ahead: Ahead
    orders: int
    lines: list[Line]
    doubted: bool
    operators: Mapping[str, str]

    @property
    def manifest(self) -> Manifest:
        return self.shown.manifest

    @property
    def state(self) -> str:
        """What people call it: `sold_out` too."""
        return shown_state(self.view)

    @property
    def terms(self) -> Terms:
        return terms(self.manifest, self.operators)

    @property
    def units(self) -> UnitsView:
        return units_of(self.view)

    @property
    def waiting(self) -> int:
        """Places in all lines; who waits for two kinds stands in two."""
        return sum(pool.waiting for pool in self.view.pools)

    @property
    def worth(self) -> int:
        prices = {pool.id: item.price for item in self.manifest.items for pool in item.pools}
        return sum(row.sold * prices[row.id] for row in self.view.pools)

    @property
    def money(self) -> str:
        """`worth` as people read it."""
        return self.terms.money(self.worth)


async def standing(store: Store, drop: DropId) -> Standing | None:
    """None of a drop that is none. Raises Unavailable."""
    shown = await store.show(drop)
    if shown is None:
        return None
    view, ahead, orders, texts, (doubt,) = await asyncio.gather(
        store.view(drop, BEYOND, BEYOND),
        store.glances.ahead(drop, NEXT_MOST),
        store.standing_orders(drop),
        store.newest(drop, NEWEST),
        store.records(drop, "wake", ["doubt"]),
    )
    if not isinstance(view, ViewReply):
        return None
    operators = await store.operators.told_in(texts)
    listed = view.state == DropState.LOBBY or any(text.startswith(SEALED) for text in texts)
    running = Running(terms(shown.manifest, operators), listed=listed)
    running.take(texts)
    return Standing(shown, view, ahead, orders, running.lines, doubt == b"1", operators)
