"""What the book says of intents that were begun before several holds were paid for at once."""

from __future__ import annotations

import msgspec

from dropengine.model import DropId
from dropengine.payments.port import Intent, Line, Notice


class _Terms(msgspec.Struct, kw_only=True):
    """An intent of one hold."""

    id: str
    drop: DropId
    hold: str
    title: str
    what: str
    qty: int
    amount: int
    currency: str
    minor_digits: int
    deadline_ms: int
    zone: str
    back: str
    language: str = ""


class _Word(msgspec.Struct):
    """What a notice of one calls its hold."""

    hold: str


def intent(terms: bytes) -> Intent:
    """The terms of an intent as they are kept, of whatever time."""
    try:
        return msgspec.json.decode(terms, type=Intent)
    except msgspec.ValidationError:
        old = msgspec.json.decode(terms, type=_Terms)
    unit_amount = old.amount // max(1, old.qty)
    return Intent(
        id=old.id,
        drop=old.drop,
        payment=old.hold,
        title=old.title,
        lines=(Line(old.what, old.qty, unit_amount, old.amount),),
        amount=old.amount,
        currency=old.currency,
        minor_digits=old.minor_digits,
        deadline_ms=old.deadline_ms,
        zone=old.zone,
        back=old.back,
        language=old.language,
    )


def notice(body: bytes) -> Notice:
    """A webhook's body, also one that was written then. Raises msgspec.MsgspecError and what its
    decoder raises else."""
    try:
        return msgspec.json.decode(body, type=Notice)
    except msgspec.ValidationError:
        said = msgspec.json.decode(body)
        if not isinstance(said, dict) or "payment" in said:
            raise
        return msgspec.convert({**said, "payment": msgspec.convert(said, _Word).hold}, Notice)
