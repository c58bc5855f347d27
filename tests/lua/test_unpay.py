"""Rows of `unpay` inside `press`."""

from __future__ import annotations

from dropengine import outcomes, refusals
from tests.kit.manifests import HOLD_MS
from tests.kit.sale import Sale


async def test_whoever_wants_to_pay_no_more_waits_for_his_provider(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    outcome = await sale.unpay("ana", "p1")
    assert isinstance(outcome, outcomes.Unpaying)
    assert (outcome.payment.state, outcome.payment.leaving) == ("open", 1)
    truth = await sale.truth()
    assert truth.holds[hold].state == "paying"
    assert truth.outbox["cancel:p1"].amount == 2400
    assert (await sale.words())[-1] == "unpaying"


async def test_a_repeat_changes_nothing(sale: Sale) -> None:
    await sale.pay("ana", await sale.held("ana"))
    first = await sale.unpay("ana", "p1")
    assert isinstance(first, outcomes.Unpaying)
    again = await sale.unpay("ana", "p1")
    assert again == outcomes.Unpaying("p1", first.payment, first.seq, first.seq)


async def test_it_may_be_paid_until_its_provider_has_ended_it(sale: Sale) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    await sale.unpay("ana", "p1")
    assert isinstance(await sale.succeeded("p1"), outcomes.Paid)
    told = await sale.unpay("ana", "p1")
    assert isinstance(told, outcomes.Unpaying)
    assert told.payment.state == "paid"


async def test_its_holds_are_paid_anew_once_it_is_ended(sale: Sale) -> None:
    first, second = await sale.held("ana"), await sale.held("ana", qty=2)
    await sale.pay("ana", first, second)
    await sale.unpay("ana", "p1")
    assert await sale.pay("ana", second) == refusals.Paying("p1")
    await sale.unpaid("p1")
    assert isinstance(await sale.pay("ana", second), outcomes.Paying)
    assert (await sale.payment("p2")).holds == [second]


async def test_at_the_deadline_it_is_asked_about_as_any(sale: Sale) -> None:
    await sale.pay("ana", await sale.held("ana"))
    await sale.unpay("ana", "p1")
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.words())[-1] == "asked"


async def test_another_fan_finds_no_payment(sale: Sale) -> None:
    await sale.pay("ana", await sale.held("ana"))
    assert await sale.unpay("bo", "p1") == refusals.NotFound()
    assert await sale.unpay("ana", "p2") == refusals.NotFound()


async def test_a_cancelled_drop_ends_every_payment_itself(sale: Sale) -> None:
    await sale.pay("ana", await sale.held("ana"))
    await sale.creator("cancel")
    await sale.settle()
    told = await sale.unpay("ana", "p1")
    assert isinstance(told, outcomes.Unpaying)
    assert told.payment.state == "ended"
