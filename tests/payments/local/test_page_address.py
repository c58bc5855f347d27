"""The address of a payer's page: whoever has it may pay, and nobody can guess it."""

from __future__ import annotations

from dropengine.payments.local import LocalPay
from dropengine.payments.port import Declined
from tests.kit.local_provider import chosen


async def test_a_page_whose_seal_is_not_ours_does_not_exist(pay: LocalPay) -> None:
    page = await chosen(pay, "decline")
    assert await pay.bill(page) is not None
    for wrong in ("", "eclipse.p1", page[:-1], page + "A", page.replace("p1", "p2"), "é." + page):
        assert await pay.bill(wrong) is None
        assert await pay.act(wrong, "pay") is None
    assert await pay.lookup("eclipse.p1") == Declined()
