"""What the audit read of a drop's keys, as the truth that a log can be held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dropengine import model
from dropengine.log.replay import Truth
from dropengine.model import HoldState, Origin
from dropengine.truth.outbox import UNREADABLE, duty_of

RECORDS: dict[str, type] = {
    "pools": model.PoolRecord,
    "items": model.ItemRecord,
    "fans": model.FanRecord,
    "holds": model.HoldRecord,
    "orders": model.OrderRecord,
    "entries": model.EntryRecord,
}
ZSETS = ("due", "places", "ready", "buying", "returned", "sales")
NOT_FROM_THE_LOG = (b"manifest", b"rules", b"news", b"leads", b"paused_by")
"""Fields of a drop that are compared elsewhere or have a place of their own in the truth; and
`paused_by`, which a drop that was paused before it was kept does not have."""
LEADS = msgspec.msgpack.Decoder(list[tuple[int, int]])
NEWS = msgspec.msgpack.Decoder(list[tuple[int, int, str]])


def assembled(parts: Mapping[str, Mapping[bytes, bytes]]) -> Truth:
    """parts: each truth key by its name -> its fields, or its members and their scores, in
    bytes."""
    drop = {k.decode(): v for k, v in parts["drop"].items() if k not in NOT_FROM_THE_LOG}
    values: dict[str, Any] = {"drop": {k: v.decode() for k, v in drop.items()}}
    values["news"] = NEWS.decode(parts["drop"][b"news"])
    values["leads"] = LEADS.decode(parts["drop"].get(b"leads", b"\x90"))
    for name, record in RECORDS.items():
        decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(record)
        values[name] = {k.decode(): decoder.decode(v) for k, v in parts[name].items()}
    rows = [(k.decode(errors="backslashreplace"), v) for k, v in parts["outbox"].items()]
    values["outbox"] = {name: duty_of(name, v) or UNREADABLE for name, v in rows}
    for name in ZSETS:
        values[name] = {k.decode(): int(float(v)) for k, v in parts[name].items()}
    values["charges"] = {k.decode(): v.decode() for k, v in parts["charges"].items()}
    if int(values["drop"]["schema"]) == 1:
        _count_what_layout_1_did_not_keep(values)
    return Truth(**values)


def _count_what_layout_1_did_not_keep(values: dict[str, Any]) -> None:
    """The same that the scripts do when they lift the drop (`lua/lib/lift.lua`)."""
    values["drop"]["lead"] = "0"
    for hold in values["holds"].values():
        if hold.state == HoldState.ACTIVE and hold.origin == Origin.LINE and not hold.claimed:
            values["pools"][hold.pool].offered += hold.qty
