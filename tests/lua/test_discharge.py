"""Rows of `discharge`."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events, outcomes, refusals
from dropengine.truth import keys
from tests.kit.manifests import HOLD_MS
from tests.kit.sale import Sale


@pytest.mark.parametrize(("result", "state"), [("done", "done"), ("failed", "capture_failed")])
async def test_a_capture_is_ticked_off(sale: Sale, result: str, state: str) -> None:
    order = await sale.bought("ana")
    duty = "capture:p1"
    assert await sale.discharge(duty, result) == outcomes.Discharged(duty, 7)
    truth = await sale.truth()
    assert list(truth.outbox) == ["cancel:p1"]
    assert truth.orders[order].state == state
    discharged = (await sale.log())[-1]
    assert isinstance(discharged, events.Discharged)
    assert (discharged.kind, discharged.hold, discharged.result) == ("capture", order, result)
    assert await sale.counts() == (2, 0, 1, 0)


async def test_a_refund_is_ticked_off(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.refund(order)
    await sale.discharge("refund:p1:1")
    assert (await sale.truth()).orders[order].state == "refunded"


async def test_giving_a_second_payment_back_leaves_the_order_alone(sale: Sale) -> None:
    order = await sale.bought("ana")
    await sale.succeeded(order, "c2", captured=True)
    await sale.discharge("refund:c2")
    truth = await sale.truth()
    assert truth.orders[order].state == "capture_pending"
    assert set(truth.outbox) == {"cancel:p1", "capture:p1"}


async def test_a_duty_is_ticked_off_once(sale: Sale) -> None:
    await sale.bought("ana")
    await sale.discharge("capture:p1")
    assert await sale.discharge("capture:p1") == refusals.NotFound()
    assert len(await sale.log()) == 7


async def test_a_question_about_an_open_payment_is_ended_by_its_sale_or_its_end_alone(
    sale: Sale,
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    duty = "cancel:p1"
    assert await sale.discharge(duty) == refusals.NotFound()
    await sale.release("ana", hold)
    assert list((await sale.truth()).outbox) == [duty]
    assert isinstance(await sale.discharge(duty), outcomes.Discharged)
    assert (await sale.truth()).outbox == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe foreign bytes",
        msgspec.msgpack.encode(17),
        msgspec.msgpack.encode(["void"]),
        msgspec.msgpack.encode(["void", "h99", "c9", 1, 1]),
        msgspec.msgpack.encode({"kind": "void"}),
    ],
)
async def test_a_duty_that_cannot_be_read_is_none_and_stays(sale: Sale, raw: bytes) -> None:
    await sale.store.client.hset(keys.one(sale.drop, "outbox"), "void:c9", raw)
    before = await sale.log()
    assert await sale.discharge("void:c9") == refusals.NotFound()
    assert await sale.log() == before
    assert await sale.store.client.hget(keys.one(sale.drop, "outbox"), "void:c9") == raw


@pytest.mark.parametrize("result", ["failed", "refunded", ""])
async def test_only_a_capture_may_fail(sale: Sale, result: str) -> None:
    """What else fails is still owed: a refund that failed is no refund."""
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.succeeded(order, "c2")
    await sale.refund(order)
    before = await sale.log()
    for duty in ("refund:p1:1", "void:c2", "cancel:p1"):
        assert await sale.discharge(duty, result) == refusals.BadMessage("result")
    assert await sale.log() == before
    assert (await sale.truth()).orders[order].state == "refund_pending"
