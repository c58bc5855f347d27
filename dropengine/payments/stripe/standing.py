"""How a payment at Stripe stands, in the port's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from dropengine.payments.port import Charged, Declined, Lookup, Nothing, Unknown

if TYPE_CHECKING:
    from stripe import Charge, PaymentIntent, Refund

ON_ITS_WAY = Unknown("a payment is on its way")
DUTY = "duty"
"""The name under which a refund at Stripe says which of our calls made it."""
PAID = ("requires_capture", "succeeded")


def said(metadata: object) -> dict[str, str]:
    """The words that stand beside something at Stripe."""
    # Its library's objects are no mappings.
    told: dict[str, str] = {} if metadata is None else cast("Any", metadata).to_dict()
    return told


def charge_of(payment: PaymentIntent) -> Charge | None:
    """Its charge, where it was asked for with it."""
    charge = payment.latest_charge
    return None if charge is None or isinstance(charge, str) else charge


def card_of(payment: PaymentIntent) -> str:
    """What Stripe calls the card, the same for every payment by it; '' where it is none."""
    charge = charge_of(payment)
    details = None if charge is None else charge.payment_method_details
    card = None if details is None else getattr(details, "card", None)
    return "" if card is None else str(card.fingerprint or "")


def fee_of(payment: PaymentIntent) -> int:
    """What Stripe keeps for itself, where it tells yet, and in the payment's currency."""
    charge = charge_of(payment)
    booked = None if charge is None else charge.balance_transaction
    if booked is None or isinstance(booked, str) or booked.currency != payment.currency:
        return 0
    return int(booked.fee)


def gives_back(refund: Refund) -> bool:
    """Is it money that goes back? One that the payer's bank sent back is not."""
    return refund.status not in ("failed", "canceled")


def returned(payment: PaymentIntent, refunds: Iterable[Refund]) -> int:
    """What went back of what was captured. What a partial capture lets go may stand among the
    refunds, without a word of ours: that was never taken."""
    counted = [one for one in refunds if gives_back(one)]
    let_go = payment.amount - payment.amount_received
    for one in counted:
        if let_go and one.amount == let_go and DUTY not in said(one.metadata):
            counted.remove(one)
            break
    return sum(one.amount for one in counted)


def standing(payment: PaymentIntent, refunds: Sequence[Refund]) -> Lookup:
    """One payment. refunds: all of it, once it was captured."""
    match payment.status:
        case "requires_capture":
            return _charged(payment)
        case "succeeded":
            back = returned(payment, refunds)
            if back >= payment.amount_received:
                return Nothing()
            taken = payment.amount_received
            return msgspec.structs.replace(
                _charged(payment), captured=True, taken=taken, returned=back, fee=fee_of(payment)
            )
        case "canceled":
            return Nothing()
        case "requires_payment_method":
            return Nothing() if payment.last_payment_error is None else Declined()
        case _:
            return ON_ITS_WAY


def together(found: Sequence[Lookup]) -> Lookup:
    """All payments of one intent as one answer: what is kept counts first."""
    charged = [one for one in found if isinstance(one, Charged)]
    waits = any(isinstance(one, Unknown) for one in found)
    if charged:
        return msgspec.structs.replace(charged[0], also=tuple(charged[1:]), pending=waits)
    for kind in (Unknown, Declined):
        for one in found:
            if isinstance(one, kind):
                return one
    return Nothing()


def _charged(payment: PaymentIntent) -> Charged:
    currency = payment.currency.upper()
    return Charged(payment.id, payment.amount, currency, captured=False, card=card_of(payment))
