"""A guest's payment comes after its hold had ended and after he had become a person."""

from __future__ import annotations

import pytest

from dropengine import outcomes
from dropengine.log.replay import difference, fold
from dropengine.model import OrderState
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, PAY_MS
from tests.kit.sale import Sale


@pytest.fixture
async def rescued(sale: Sale) -> str:
    """The order of the person pia, paid for by the guest ana."""
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    for silent_ms in (HOLD_MS + PAY_MS, LOOKUP_MS):
        sale.now += silent_ms
        await sale.settle()
    assert isinstance(await sale.adopt("ana", "pia"), outcomes.Adopted)
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    return hold


async def test_its_capture_ends_the_persons_order(sale: Sale, rescued: str) -> None:
    await sale.discharge("capture:p1")
    truth = await sale.truth()
    assert truth.orders[rescued].state == OrderState.DONE
    assert difference(fold(await sale.log()), truth) == []


async def test_a_lost_dispute_takes_the_persons_money(sale: Sale, rescued: str) -> None:
    assert isinstance(await sale.charged_back("p1", 2400), outcomes.ChargedBack)
    truth = await sale.truth()
    assert truth.orders[rescued].state == OrderState.CHARGED_BACK
    assert difference(fold(await sale.log()), truth) == []
