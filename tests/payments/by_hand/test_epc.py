from __future__ import annotations

from dropengine.payments.by_hand.epc import AMOUNT_MAX, epc_qr
from dropengine.people.bank_accounts import BankAccount

ACCOUNT = BankAccount("Mia Müller", "DE89370400440532013000", "")


def test_a_transfer_in_euros_has_a_code_and_no_other() -> None:
    code = epc_qr(ACCOUNT, 2400, "EUR", "KXHD-3RTM")
    assert code.startswith("<svg")
    assert "style" not in code
    assert code != epc_qr(ACCOUNT, 2401, "EUR", "KXHD-3RTM")
    for amount, currency in ((2400, "CHF"), (0, "EUR"), (AMOUNT_MAX + 1, "EUR")):
        assert epc_qr(ACCOUNT, amount, currency, "KXHD-3RTM") == ""
