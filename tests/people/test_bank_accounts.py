"""Where makers are paid."""

from __future__ import annotations

import pytest

from dropengine.people import bank_accounts
from dropengine.people.bank_accounts import BankAccount

IBAN = "DE89370400440532013000"


def test_what_was_typed_is_read_with_its_spaces() -> None:
    read = bank_accounts.read("  Mia  Muster ", "de89 3704 0044 0532 0130 00", "cobadeffxxx")
    assert read == BankAccount("Mia Muster", IBAN, "COBADEFFXXX")
    assert read.written == "DE89 3704 0044 0532 0130 00"
    assert bank_accounts.read("Mia", "GB82 WEST 1234 5698 7654 32", "").bic == ""


def test_every_single_wrong_character_is_noticed() -> None:
    assert bank_accounts.is_iban(IBAN)
    for at in range(4, len(IBAN)):
        wrong = str((int(IBAN[at]) + 1) % 10)
        assert not bank_accounts.is_iban(IBAN[:at] + wrong + IBAN[at + 1 :])
    assert not bank_accounts.is_iban(IBAN[:-1])


def test_mistakes_are_told_together() -> None:
    with pytest.raises(ValueError, match=r"name.*IBAN.*BIC"):
        bank_accounts.read("", "DE00", "x")
