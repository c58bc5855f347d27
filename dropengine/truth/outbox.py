"""The outbox of a drop as it is stored: what is owed outside, and what of it cannot be read.

One entry that cannot be read is set aside: it is shown and counted, and keeps no other waiting.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from dropengine.model import STANDING, DutyRecord, HoldRecord, PaymentRecord, PaymentState
from dropengine.truth import true_time

Ask = Callable[..., Awaitable[Any]]

KINDS = frozenset({"capture", "void", "refund", "lookup", "cancel"})
QUESTIONS = frozenset({"lookup", "cancel"})
"""Duties that ask about what stands: its end answers them."""
UNREADABLE = DutyRecord(kind="unreadable", hold="", charge="", amount=0, at_ms=0)
"""Stands for an entry that cannot be read, where it is compared with what the log says."""
_RECORD = msgspec.msgpack.Decoder(DutyRecord)
_HOLD = msgspec.msgpack.Decoder(HoldRecord)
_PAYMENT = msgspec.msgpack.Decoder(PaymentRecord)


class Outbox(NamedTuple):
    """duties: id -> what is owed. set_aside: ids under which something else stands. standing: the
    questions whose payment is open, or whose hold has not ended. waits: the drop was restored, and
    nobody has compared it with the provider yet."""

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
    if duty.kind not in KINDS or not duty_id.startswith(f"{duty.kind}:"):
        return None
    of = duty_id.removeprefix(f"{duty.kind}:")
    if duty.payment and of.partition(":")[0] == duty.payment:
        return duty
    return duty if of == (duty.hold if duty.kind == "lookup" else duty.charge) else None


async def owed(
    ask: Ask, outbox_key: str, holds_key: str, payments_key: str, leads: true_time.Leads
) -> Outbox:
    """What stands in a drop's outbox, and which of its questions are about what stands.

    Since when it is owed is told less the present lead: time that does not count has not passed.
    Raises Unavailable.
    """
    outbox = read(await ask("the outbox", "HGETALL", outbox_key))
    for duty in outbox.duties.values():
        duty.at_ms -= true_time.present(leads)
    standing = set()
    for duty_id, raw in await _asked(ask, "holds", holds_key, "lookup", outbox.duties):
        if _HOLD.decode(raw).state in STANDING:
            standing.add(duty_id)
    for duty_id, raw in await _asked(ask, "payments", payments_key, "cancel", outbox.duties):
        if _PAYMENT.decode(raw).state == PaymentState.OPEN:
            standing.add(duty_id)
    return outbox._replace(standing=frozenset(standing))


async def _asked(
    ask: Ask, what: str, key: str, kind: str, duties: dict[str, DutyRecord]
) -> list[tuple[str, bytes]]:
    """Each question of this kind with the record that it is about, as it is kept."""
    of = {
        duty_id: duty.hold if kind == "lookup" else duty.payment
        for duty_id, duty in duties.items()
        if duty.kind == kind
    }
    if not of:
        return []
    rows = await ask(f"the {what}", "HMGET", key, *of.values())
    return [(duty_id, raw) for duty_id, raw in zip(of, rows, strict=True) if raw is not None]
