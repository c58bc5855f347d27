"""The outbox of a drop as it is stored: what is owed outside, and what of it cannot be read.

One entry that cannot be read is set aside: it is shown and counted, and keeps no other waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from dropengine.model import STANDING, DutyRecord, HoldRecord
from dropengine.truth import true_time

Ask = Callable[..., Awaitable[Any]]

KINDS = frozenset({"capture", "void", "refund", "lookup"})
UNREADABLE = DutyRecord(kind="unreadable", hold="", charge="", amount=0, at_ms=0)
"""Stands for an entry that cannot be read, where it is compared with what the log says."""
_RECORD = msgspec.msgpack.Decoder(DutyRecord)
_HOLD = msgspec.msgpack.Decoder(HoldRecord)


class Outbox(NamedTuple):
    """duties: id -> what is owed. set_aside: ids under which something else stands. standing: the
    questions whose hold has not ended. waits: the drop was restored, and nobody has compared it
    with the provider yet."""

    duties: dict[str, DutyRecord]
    set_aside: list[str]
    standing: frozenset[str] = frozenset()
    waits: bool = False


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


async def owed(ask: Ask, outbox_key: str, holds_key: str, leads: true_time.Leads) -> Outbox:
    """What stands in a drop's outbox, and which of its questions are about a hold that stands.

    Since when it is owed is told less the present lead: time that does not count has not passed.
    Raises Unavailable.
    """
    outbox = read(await ask("the outbox", "HGETALL", outbox_key))
    for duty in outbox.duties.values():
        duty.at_ms -= true_time.present(leads)
    asked = {duty_id: duty.hold for duty_id, duty in outbox.duties.items() if duty.kind == "lookup"}
    if not asked:
        return outbox
    holds = await ask("the holds", "HMGET", holds_key, *asked.values())
    standing = frozenset(
        duty_id
        for duty_id, raw in zip(asked, holds, strict=True)
        if raw is not None and _HOLD.decode(raw).state in STANDING
    )
    return outbox._replace(standing=standing)
