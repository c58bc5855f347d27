"""A drop's holds, orders and entries, page by page, as creators read them.

Their ids are numbered without a gap, so a page is a range of numbers, read by name: the server
never walks through what is not shown. Times are true times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from dropengine import model
from dropengine.model import DropId
from dropengine.truth import true_time
from dropengine.truth.store import Store

PAGE_MAX = 200
LOOKED_AT_MAX = 4_000
"""So many numbers are looked at for one page: of many holds few became orders."""

R = TypeVar("R", model.HoldRecord, model.OrderRecord, model.EntryRecord)

_KEYS: dict[type[model.Record], tuple[str, str, str]] = {
    model.HoldRecord: ("holds", "h", "holds"),
    model.OrderRecord: ("orders", "h", "holds"),
    model.EntryRecord: ("entries", "e", "arrivals"),
}
"""Record -> its key, the letter of its ids, and the drop's count of them."""


class RecordPage(msgspec.Struct, Generic[R], frozen=True):
    """`rows`: id and record. `after`: where the next page goes on; 0: there is none."""

    rows: list[tuple[str, R]]
    after: int


async def page(store: Store, drop: DropId, kind: type[R], after: int = 0) -> RecordPage[R]:
    """The records whose number is above `after`, in order. Raises Unavailable."""
    key, letter, counter = _KEYS[kind]
    count, raw_leads = await store.records(drop, "drop", [counter, "leads"])
    last = int(count or 0)
    leads = msgspec.msgpack.decode(raw_leads or b"\x90", type=list[tuple[int, int]])
    rows: list[tuple[str, R]] = []
    until = min(last, after + LOOKED_AT_MAX)
    while after < until and len(rows) < PAGE_MAX:
        names = [f"{letter}{n}" for n in range(after + 1, min(until, after + PAGE_MAX) + 1)]
        for name, raw in zip(names, await store.records(drop, key, names), strict=True):
            if len(rows) == PAGE_MAX:
                break
            after += 1
            if raw is not None:
                rows.append((name, _true(msgspec.msgpack.decode(raw, type=kind), leads)))
    return RecordPage(rows, after if after < last else 0)


async def record(store: Store, drop: DropId, kind: type[R], name: str) -> R | None:
    """One of them as it is now, by the drop's own clock. Raises Unavailable."""
    raw = (await store.records(drop, _KEYS[kind][0], [name]))[0]
    return None if raw is None else msgspec.msgpack.decode(raw, type=kind)


async def order_states(store: Store, drop: DropId, orders: Sequence[str]) -> dict[str, str]:
    """Order -> its state now, of those that there are. Raises Unavailable."""
    rows = await store.records(drop, "orders", orders) if orders else []
    return {
        order: msgspec.msgpack.decode(raw, type=model.OrderRecord).state
        for order, raw in zip(orders, rows, strict=True)
        if raw is not None
    }


def _true(record: R, leads: true_time.Leads) -> R:
    match record:
        case model.HoldRecord():
            true_time.hold(record, leads)
        case model.OrderRecord():
            true_time.order(record, leads)
        case model.EntryRecord():
            true_time.entry(record, leads)
    return record
