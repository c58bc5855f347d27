"""A transfer as an EPC QR code: a banking app that reads it has filled in all of it."""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

from dropengine.people.bank_accounts import BankAccount

CURRENCY = "EUR"
"""The code knows no other."""
AMOUNT_MAX = 99_999_999_999
"""In cents, as the code writes it."""


def epc_qr(account: BankAccount, amount: int, currency: str, reference: str) -> Markup:
    """An SVG; '' where no such code can say it."""
    if currency != CURRENCY or not 0 < amount <= AMOUNT_MAX:
        return Markup()
    # Loaded by the first page that shows one.
    from segno import helpers

    code = helpers.make_epc_qr(
        name=account.name,
        iban=account.iban,
        bic=account.bic or None,
        amount=Decimal(amount).scaleb(-2),
        text=reference,
        encoding="utf-8",
    )
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", svgclass="qr", omitsize=True)
    # Ours: all that comes from the account and the reference is the pattern.
    return Markup(drawn)  # noqa: S704
