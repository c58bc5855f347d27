"""The outbox of a drop as it is stored: what is owed outside, and what of it cannot be read.

One entry that cannot be read is set aside: it is shown and counted, and keeps no other waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from dropengine.model import DutyRecord

KINDS = frozenset({"capture", "void", "refund", "lookup"})
UNREADABLE = DutyRecord(kind="unreadable", hold="", charge="", amount=0, at_ms=0)
"""Stands for an entry that cannot be read, where it is compared with what the log says."""
_RECORD = msgspec.msgpack.Decoder(DutyRecord)


class Outbox(NamedTuple):
    """duties: id -> what is owed. set_aside: ids under which something else stands."""

    duties: dict[str, DutyRecord]
    set_aside: list[str]


def read(flat: Sequence[bytes]) -> Outbox:
    """flat: id and record in turn, as the server tells a hash."""
    outbox = Outbox({}, [])
    for name, raw in zip(flat[::2], flat[1::2], strict=True):
        duty_id = name.decode(errors="backslashreplace")
        duty = duty_of(duty_id, raw)
        if duty is None:
            outbox.set_aside.append(duty_id)
        else:
            outbox.duties[duty_id] = duty
    return outbox


def duty_of(duty_id: str, raw: bytes) -> DutyRecord | None:
    """The duty of an entry; None when it is none that could be done and ticked off."""
    try:
        duty = _RECORD.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    of = duty.hold if duty.kind == "lookup" else duty.charge
    return duty if duty.kind in KINDS and duty_id == f"{duty.kind}:{of}" else None
