"""Rows of `duty`: a creator ends what the provider does not do."""

from __future__ import annotations

from typing import Literal

import pytest

from dropengine import events, outcomes, refusals
from dropengine.creator_commands import EndDuty
from dropengine.log.referee import Verdict, judge
from dropengine.log.replay import difference, fold_lines
from dropengine.truth import keys
from tests.kit.manifests import HOLD_MS
from tests.kit.sale import Sale

PRICE = 2400
How = Literal["by_hand", "given_up"]


async def verdict(sale: Sale) -> Verdict:
    """Nothing is owed once it cannot be paid, the log is honest, and it rebuilds the truth."""
    await sale.discharge("cancel:p1")
    lines = [line async for line in sale.store.log(sale.drop)]
    found = judge(lines)
    assert found.violations == []
    truth = await sale.truth()
    assert truth.outbox == {}
    assert difference(fold_lines(lines), truth) == []
    return found


async def refunded(sale: Sale) -> str:
    """An order that was captured and is to be given back."""
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.refund(order)
    return order


async def test_a_refund_that_a_person_made_is_one(sale: Sale) -> None:
    order = await refunded(sale)
    duty = "refund:p1:1"
    outcome = await sale.end_duty(duty, "by_hand", "by transfer")
    ended = (await sale.log())[-1]
    assert outcome == outcomes.Discharged(duty, ended.seq)
    assert isinstance(ended, events.Discharged)
    assert (ended.result, ended.by, ended.why) == ("by_hand", "o1", "by transfer")
    assert (await sale.truth()).orders[order].state == "refunded"
    found = await verdict(sale)
    assert (found.captured_minus_refunded, found.by_hand, found.given_up) == (PRICE, PRICE, 0)
    assert found.orders_total == 0


async def test_a_refund_that_was_given_up_is_never_called_refunded(sale: Sale) -> None:
    order = await refunded(sale)
    await sale.end_duty("refund:p1:1", "given_up")
    assert (await sale.truth()).orders[order].state == "refund_failed"
    found = await verdict(sale)
    assert (found.captured_minus_refunded, found.by_hand, found.given_up) == (PRICE, 0, PRICE)
    assert found.orders_total == 0
    # Its unit is somebody else's by now, and the order has ended.
    assert await sale.counts() == (3, 0, 0, 0)
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    assert (await sale.truth()).outbox == {}
    assert (await sale.you("ana")).record.used == 0
    assert len([await sale.held("ana", qty=3)]) == 1


@pytest.mark.parametrize(("how", "state"), [("by_hand", "done"), ("given_up", "capture_failed")])
async def test_a_capture_ends_too(sale: Sale, how: How, state: str) -> None:
    order = await sale.bought("ana")
    await sale.end_duty("capture:p1", how)
    assert (await sale.truth()).orders[order].state == state
    found = await verdict(sale)
    assert found.captured == found.orders_total == (PRICE if state == "done" else 0)


@pytest.mark.parametrize("how", ["by_hand", "given_up"])
@pytest.mark.parametrize("captured", [False, True])
async def test_a_second_payment_that_cannot_be_given_back_ends(
    sale: Sale, how: How, captured: bool
) -> None:
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.succeeded(order, "c2", captured=captured)
    await sale.end_duty("refund:c2" if captured else "void:c2", how)
    assert (await sale.truth()).orders[order].state == "done"
    found = await verdict(sale)
    kept = PRICE if captured else 0
    assert (found.by_hand, found.given_up) == ((kept, 0) if how == "by_hand" else (0, kept))
    assert found.orders_total == PRICE


@pytest.mark.parametrize("how", ["by_hand", "given_up"])
async def test_a_question_about_a_payment_that_ended_ends_and_about_an_open_one_does_not(
    sale: Sale, how: How
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    assert await sale.end_duty("cancel:p1", how) == refusals.NotFound()
    await sale.release("ana", hold)
    assert isinstance(await sale.end_duty("cancel:p1", how), outcomes.Discharged)
    await verdict(sale)


async def test_the_same_key_again_is_the_same_command_and_another_is_not(sale: Sale) -> None:
    await refunded(sale)
    duty = "refund:p1:1"
    first = await sale.end_duty(duty, "given_up", "gone", key="k")
    assert await sale.end_duty(duty, "given_up", "gone", key="k") == first
    assert await sale.end_duty(duty, "by_hand", "gone", key="k") == refusals.KeyReused()
    assert await sale.end_duty(duty, "given_up", "lost", key="k") == refusals.KeyReused()
    assert await sale.creator("pause", key="k") == refusals.KeyReused()
    assert await sale.end_duty(duty, "given_up", "gone") == refusals.NotFound()
    await verdict(sale)


async def test_it_names_its_duty_so_no_revision_is_asked_or_raised(sale: Sale) -> None:
    await refunded(sale)
    before = (await sale.truth()).drop
    await sale.creator("pause")
    await sale.end_duty("refund:p1:1", "by_hand")
    after = (await sale.truth()).drop
    assert int(after["revision"]) == int(before["revision"]) + 1
    assert after["what"] == "paused"


@pytest.mark.parametrize("state", ["settled", "cancelled"])
async def test_what_is_owed_by_a_drop_that_is_over_ends_too(sale: Sale, state: str) -> None:
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.creator("cancel" if state == "cancelled" else "close")
    assert (await sale.settle()).state == state
    await sale.refund(order)
    await sale.end_duty("refund:p1:1", "given_up")
    assert (await verdict(sale)).given_up == PRICE


async def test_a_frozen_drop_waits_for_its_thaw(sale: Sale) -> None:
    await refunded(sale)
    await sale.store.client.hset(keys.one(sale.drop, "drop"), "state", "frozen")
    assert await sale.end_duty("refund:p1:1", "by_hand") == refusals.Frozen()


async def test_who_commands_and_what_for_has_bounds(sale: Sale) -> None:
    await refunded(sale)
    before = await sale.log()
    for ending in (
        EndDuty("refund c", "by_hand"),
        EndDuty("refund:p1:1", "done"),  # type: ignore[arg-type]
        EndDuty("refund:p1:1", "by_hand", "w" * 501),
    ):
        outcome = await sale.store.end_duty(sale.drop, ending, by="o1", key="k")
        assert isinstance(outcome, refusals.BadMessage)
    assert await sale.log() == before


async def test_a_refund_given_up_whose_charge_is_corrected_later_stays_as_it_is(
    sale: Sale,
) -> None:
    order = await refunded(sale)
    await sale.end_duty("refund:p1:1", "given_up")
    await sale.succeeded(order, f"c-{order}", amount=1200, captured=True)
    assert (await sale.truth()).orders[order].state == "refund_failed"
    assert (await verdict(sale)).given_up == PRICE
