"""Stripe's word, proven by its signature over the raw bytes and its time, and read.

Its own library checks the signature; it believes words from the future, we do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from dropengine.model import DropId
from dropengine.payments.port import Ignored, Notice, Unproven

if TYPE_CHECKING:
    from types import ModuleType

HEADER = b"stripe-signature"
TOLERANCE_S = 300
_TIME = re.compile(rb"(?:^|,)t=([0-9]{1,12})(?:,|$)")

Kind = Literal["authorized", "captured", "declined"]
KINDS: dict[str, Kind] = {
    "payment_intent.amount_capturable_updated": "authorized",
    "payment_intent.succeeded": "captured",
    "payment_intent.payment_failed": "declined",
}
"""What of all that Stripe tells is about a payment of ours; `checkout.session.completed` says only
that a page is done."""


class _Told(msgspec.Struct):
    id: str
    amount: int = 0
    currency: str = ""
    metadata: dict[str, str] = {}


class _Data(msgspec.Struct):
    object: _Told


class _Event(msgspec.Struct):
    id: str
    data: _Data


class _Type(msgspec.Struct):
    id: str
    type: str


def read(
    stripe: ModuleType,
    secrets: Sequence[str],
    shop: str,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    now_s: int,
) -> Notice | Ignored | Unproven:
    """What is told; nothing to a shop is what another shop of the same account was paid. secrets:
    while one is being replaced there are two."""
    found = [value for name, value in headers if name.lower() == HEADER]
    if len(found) != 1:
        return Unproven("duplicate_header" if found else "missing_header")
    (signature,) = found
    when = _TIME.search(signature)
    if when is None:
        return Unproven("bad_timestamp")
    if abs(now_s - int(when[1])) > TOLERANCE_S:
        return Unproven("stale")
    if not any(_proves(stripe, secret, signature, body) for secret in secrets):
        return Unproven("bad_signature")
    try:
        told = msgspec.json.decode(body, type=_Type)
        kind = KINDS.get(told.type)
        if kind is None:
            return Ignored()
        payment = msgspec.json.decode(body, type=_Event).data.object
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Unproven("bad_body", signed=True)
    said = payment.metadata
    if said.get("shop") != shop:
        return Ignored()
    notice = Notice(
        event=told.id,
        kind=kind,
        intent=said.get("intent", ""),
        drop=DropId(said.get("drop", "")),
        payment=said.get("payment", ""),
        charge="" if kind == "declined" else payment.id,
        amount=payment.amount,
        currency=payment.currency.upper(),
        captured=kind == "captured",
    )
    try:
        return msgspec.convert(msgspec.to_builtins(notice), Notice)
    except msgspec.ValidationError:
        return Unproven("bad_body", signed=True)


def _proves(stripe: ModuleType, secret: str, signature: bytes, body: bytes) -> bool:
    try:
        header, payload = signature.decode("ascii"), body.decode()
        # The time was judged by our own clock.
        stripe.WebhookSignature.verify_header(payload, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
