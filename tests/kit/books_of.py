"""Everything that the books hold of a drop, to be compared."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.log.replay import Truth
from dropengine.model import GIVEN_BACK
from dropengine.sql.schema.ledger import COUNTED, CURSORS, DERIVED, ROWS

Books = dict[str, list[dict[str, Any]]]
FATES = {"served", "dormant", "left", "removed"}
ENDS = {
    "sold": {"sold"},
    "released": {"released", "declined"},
    "expired": {"expired", "lapsed", "rescued"},
    "cancelled": {"cancelled"},
    "active": {""},
    "paying": {""},
}
"""What replay calls a hold's state -> how the books may say it ended."""


def books_of(connection: Connection, drop: str) -> Books:
    """Table -> its rows in the order of their keys."""
    found = {}
    for table in (ROWS, CURSORS, COUNTED, *DERIVED):
        asked = sa.select(table).where(table.c.drop_id == drop).order_by(*table.primary_key)
        found[table.name] = [dict(row._mapping) for row in connection.execute(asked)]
    return found


def texts_of(log: list[events.AnyEvent]) -> list[bytes]:
    """The log as scripts would have written it."""
    return [msgspec.json.encode(event) for event in log]


def agree(held: Books, truth: Truth) -> None:
    """The books say what replay, which was written apart from them, makes of the same log."""
    (drop,) = held["ledger_drops"]
    assert (drop["state"], drop["hash"]) == (truth.state, truth.drop["hash"])
    assert drop["layout"] == truth.schema
    assert msgspec.json.decode(drop["rules"], type=events.Rules) == truth.rules
    orders = {row["hold"]: row for row in held["ledger_orders"]}
    assert orders.keys() == truth.orders.keys()
    for name, order in truth.orders.items():
        row = orders[name]
        assert (row["fan"], row["pool"], row["qty"]) == (order.fan, order.pool, order.qty)
        assert (row["amount"], row["charge"]) == (order.amount, order.charge)
        assert row["state"] == order.state
        assert row["refunded_why"] == order.why
        assert row["item"] == truth.pools[order.pool].item
    mine = {
        (truth.pools[order.pool].item, serial): name
        for name, order in truth.orders.items()
        if order.state not in GIVEN_BACK
        for serial in order.serials
    }
    units = {(row["item"], row["serial"]): row["hold"] for row in held["ledger_units"]}
    assert {unit: hold for unit, hold in units.items() if hold} == mine
    given = {f"{item}/{serial:08d}" for (item, serial), hold in units.items() if not hold}
    assert given == truth.returned.keys()
    holds = {row["hold"]: row for row in held["ledger_holds"]}
    assert holds.keys() == truth.holds.keys()
    for name, hold in truth.holds.items():
        assert holds[name]["ended"] in ENDS[hold.state]
        assert (holds[name]["fan"], holds[name]["qty"]) == (hold.fan, hold.qty)
        assert (holds[name]["origin"], holds[name]["entry"]) == (hold.origin, hold.entry)
    entries = {row["entry"]: row for row in held["ledger_entries"]}
    assert entries.keys() == truth.entries.keys()
    for name, entry in truth.entries.items():
        row = entries[name]
        assert (row["n"], row["pools"]) == (entry.n, ",".join(entry.pools))
        assert row["fate"] == (entry.state if entry.state in FATES else "")
