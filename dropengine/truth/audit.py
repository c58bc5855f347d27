"""What the audit read of a drop's keys, as the truth that a log can be held against."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from dropengine import model
from dropengine.errors import Unavailable
from dropengine.log.replay import Truth
from dropengine.model import DropId, HoldState, Origin
from dropengine.truth import keys
from dropengine.truth.outbox import UNREADABLE, duty_of
from dropengine.truth.record_layouts import pool_record

RECORDS: dict[str, type] = {
    "pools": model.PoolRecord,
    "items": model.ItemRecord,
    "fans": model.FanRecord,
    "holds": model.HoldRecord,
    "orders": model.OrderRecord,
    "entries": model.EntryRecord,
    "payments": model.PaymentRecord,
}
ZSETS = ("due", "places", "ready", "buying", "returned", "sales")
NOT_FROM_THE_LOG = (
    *(b"manifest", b"rules", b"calls", b"randomness", b"news", b"leads", b"paused_by"),
    *(b"versions", b"taken"),
    *(b"mark", b"froze", b"was"),
)
"""Fields of a drop that are compared elsewhere or have a place of their own in the truth;
`paused_by`, which a drop that was paused before it was kept does not have; and what tells that a
drop froze, which needs no event."""
WITHOUT_EVENT = (b"half", b"restore")
"""Why a drop froze without an event: to its log it still is what it was."""
LEADS = msgspec.msgpack.Decoder(list[tuple[int, int]])
NEWS = msgspec.msgpack.Decoder(list[tuple[int, int, str]])


Once = Callable[[str, Sequence[str], Sequence[bytes | str | int]], Awaitable[Any]]
"""(script, keys, arguments) -> its reply: how one script is asked."""


async def at_one_moment(
    once: Once, drop: DropId, attempts: int, prefix: str | None = None
) -> Truth | None:
    """All truth keys at one moment, for the audit and for `replay`; None when there is no such
    drop. prefix: before all names of the shop.

    Read in parts; when anything changed meanwhile it is read again, at most `attempts` times.
    """
    for _ in range(attempts):
        moments: set[bytes] = set()
        parts: dict[str, dict[bytes, bytes]] = {}
        for name in keys.TRUTH:
            found = await _part(once, drop, prefix, name, moments)
            if found is None:
                return None
            parts[name] = found
        if len(moments) == 1:
            return assembled(parts)
    raise Unavailable(f"{drop}: it changes faster than it can be read; ask when it is quiet")


async def _part(
    once: Once, drop: DropId, prefix: str | None, name: str, moments: set[bytes]
) -> dict[bytes, bytes] | None:
    rows: dict[bytes, bytes] = {}
    cursor: bytes | str = "0"
    names = [keys.one(drop, part, prefix) for part in ("drop", "due", name)]
    while True:
        word, *reply = await once("audit", names, (cursor,))
        if word == b"NOT_FOUND":
            return None
        moment, cursor, flat = reply
        moments.add(moment)
        rows.update(zip(flat[::2], flat[1::2], strict=True))
        if cursor == b"0":
            return rows


def assembled(parts: Mapping[str, Mapping[bytes, bytes]]) -> Truth:
    """parts: each truth key by its name -> its fields, or its members and their scores, in bytes.
    A drop that froze without an event is in the state that it was in."""
    drop = {k.decode(): v for k, v in parts["drop"].items() if k not in NOT_FROM_THE_LOG}
    values: dict[str, Any] = {"drop": {k: v.decode() for k, v in drop.items()}}
    if parts["drop"].get(b"froze") in WITHOUT_EVENT:
        values["drop"]["state"] = parts["drop"][b"was"].decode()
    values["news"] = NEWS.decode(parts["drop"][b"news"])
    values["leads"] = LEADS.decode(parts["drop"].get(b"leads", b"\x90"))
    for name, record in RECORDS.items():
        decode: Callable[[bytes], Any] = msgspec.msgpack.Decoder(record).decode
        if record is model.PoolRecord:
            decode = pool_record
        values[name] = {k.decode(): decode(v) for k, v in parts.get(name, {}).items()}
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
