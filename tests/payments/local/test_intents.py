"""Intents: their price stays, and a cancelled one takes no payment any more."""

from __future__ import annotations

import pytest

from dropengine import errors
from dropengine.payments.local import LocalPay
from dropengine.payments.port import Charged
from tests.kit.local_provider import an_intent, chosen


async def test_an_intent_cannot_change_its_price(pay: LocalPay) -> None:
    await pay.begin(an_intent(amount=2400))
    with pytest.raises(errors.Broken):
        await pay.begin(an_intent(amount=2399))
    await chosen(pay, "pay")
    paid = await pay.lookup("eclipse.h1")
    assert isinstance(paid, Charged)
    assert paid.amount == 2400
