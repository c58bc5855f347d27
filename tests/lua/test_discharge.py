"""Rows of `discharge`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.kit.sale import Sale


@pytest.mark.parametrize(("result", "state"), [("done", "done"), ("failed", "capture_failed")])
async def test_a_capture_is_ticked_off(sale: Sale, result: str, state: str) -> None:
    order = await sale.bought("ana")
    duty = f"capture:c-{order}"
    assert await sale.discharge(duty, result) == outcomes.Discharged(duty, 5)
    truth = await sale.truth()
    assert truth.outbox == {}
    assert truth.orders[order].state == state
    discharged = (await sale.log())[-1]
    assert isinstance(discharged, events.Discharged)
    assert (discharged.kind, discharged.hold, discharged.result) == ("capture", order, result)
    assert await sale.counts() == (2, 0, 1, 0)


async def test_a_refund_is_ticked_off(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.refund(order)
    await sale.discharge(f"refund:c-{order}")
    assert (await sale.truth()).orders[order].state == "refunded"


async def test_giving_a_second_payment_back_leaves_the_order_alone(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.succeeded(order, "c2", captured=True)
    await sale.discharge("refund:c2")
    truth = await sale.truth()
    assert truth.orders[order].state == "capture_pending"
    assert list(truth.outbox) == [f"capture:c-{order}"]


async def test_a_duty_is_ticked_off_once(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.discharge(f"capture:c-{order}")
    assert await sale.discharge(f"capture:c-{order}") == refusals.NotFound()
    assert len(await sale.log()) == 5
