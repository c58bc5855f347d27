"""What costs nothing: no script owes anybody a movement of no money (INV-10)."""

from __future__ import annotations

import pytest

from dropengine import events, model, outcomes
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, item
from tests.kit.sale import Sale


@pytest.fixture
async def free(make_sale: MakeSale) -> Sale:
    return await make_sale(item("pin", {"pin": 2}, price=0), limit=2)


async def owes_nothing(sale: Sale) -> None:
    """No duty that moves money stands, and referee and replay agree with the truth."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    truth = await sale.truth()
    assert difference(fold(map(events.parse, lines)), truth) == []
    assert {duty.kind for duty in truth.outbox.values()} <= {"cancel"}


@pytest.mark.parametrize("captured", [False, True])
async def test_what_costs_nothing_is_not_captured_and_not_refunded(
    free: Sale, *, captured: bool
) -> None:
    hold = await free.held("ana")
    assert isinstance(await free.succeeded(hold, "c1", captured=captured), outcomes.Paid)
    sold, paid = (await free.log())[-2:]
    assert isinstance(sold, events.Sold)
    assert isinstance(paid, events.Paid)
    assert (paid.kept, paid.capture) == (0, "done")
    assert (sold.amount, sold.capture) == (0, "done")
    assert (await free.truth()).orders[hold].state == "done"
    await owes_nothing(free)
    assert isinstance(await free.refund(hold), outcomes.Refunded)
    assert (await free.truth()).orders[hold].state == "refunded"
    assert await free.counts() == (2, 0, 0, 0)
    await owes_nothing(free)


async def test_a_cancelled_drop_gives_nothing_back_for_nothing(free: Sale) -> None:
    for fan in ("ana", "bo"):
        await free.bought(fan)
    await free.creator("cancel")
    await free.settle()
    truth = await free.truth()
    assert {order.state for order in truth.orders.values()} == {"refunded"}
    assert await free.counts() == (2, 0, 0, 0)
    await owes_nothing(free)
    lines = [line async for line in free.store.log(free.drop)]
    assert judge(lines, closed=True).violations == []


@pytest.mark.parametrize("captured", [False, True])
async def test_a_second_and_a_late_payment_of_nothing_owe_nothing(
    free: Sale, *, captured: bool
) -> None:
    hold = await free.bought("ana")
    second = await free.succeeded(hold, "c2", captured=captured)
    assert isinstance(second, outcomes.Voided)
    assert second.why == "second"
    lost = await free.held("bo")
    await free.pay("bo", lost)
    for pause_ms in (HOLD_MS, LOOKUP_MS):
        free.now += pause_ms
        await free.settle()
    await free.held("cy")
    late = await free.succeeded(lost, "c3", captured=captured)
    assert isinstance(late, outcomes.Voided)
    assert late.why == "late"
    assert late.entry
    assert await free.succeeded(lost, "c3", captured=captured) == late
    await owes_nothing(free)


async def test_a_payment_of_nothing_for_what_costs_something_owes_nothing(sale: Sale) -> None:
    hold = await sale.held("ana")
    outcome = await sale.succeeded(hold, "c1", amount=0, captured=True)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "mismatch"
    await owes_nothing(sale)


@pytest.mark.parametrize("bought", ["nothing", "an order", "a refunded order"])
async def test_what_was_told_as_nothing_and_captured_all_the_same_goes_back(
    free: Sale, bought: str
) -> None:
    hold = await free.bought("ana")
    charge, number, name = f"c-{hold}", "c1", "refund:p1:late"
    if bought == "nothing":
        charge, number, name = "c-second", "c2", "refund:c2"
        await free.succeeded(hold, charge)
    if bought == "a refunded order":
        await free.refund(hold)
    for _ in range(3):
        await free.succeeded(hold, charge, amount=700, captured=True)
    assert (await free.words()).count("mismatched") == 1
    if bought == "an order":
        assert (await free.truth()).orders[hold].state == "capture_failed"
        await free.refund(hold)
        name = "refund:p1:1"
    duty = model.DutyRecord("refund", hold, number, 700, free.now, payment="p1")
    assert await free.store.duties(free.drop) == {name: duty}
    await free.discharge(name)
    for amount in (700, 0):
        await free.succeeded(hold, charge, amount=amount, captured=True)
    assert (await free.words()).count("mismatched") == 1
    await owes_nothing(free)


@pytest.mark.parametrize("first", ["sold", "refunded", "voided"])
async def test_of_what_was_captured_as_nothing_nothing_goes_back(sale: Sale, first: str) -> None:
    hold = await sale.bought("ana")
    charge = f"c-{hold}"
    if first == "voided":
        charge = "c2"
        await sale.succeeded(hold, charge)
        await sale.discharge("capture:p1")
    if first == "refunded":
        await sale.refund(hold)
        await sale.discharge("void:c1")
    await sale.succeeded(hold, charge, amount=0, captured=True)
    if first == "sold":
        await sale.refund(hold)
    if first != "voided":
        assert (await sale.truth()).orders[hold].state == "refunded"
    await owes_nothing(sale)
