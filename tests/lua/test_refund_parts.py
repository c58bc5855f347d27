"""Rows of `refund` of some units, of an amount, and of orders of one payment."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.model import OrderState
from tests.conftest import MakeSale
from tests.kit.handwritten_logs import PRICE
from tests.kit.manifests import item
from tests.kit.sale import Sale

PENDING, REFUNDED, DONE = OrderState.REFUND_PENDING, OrderState.REFUNDED, OrderState.DONE


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    names = ("red", "blue")
    return await make_sale(*(item(name, {name: 9}, most=9) for name in names), limit=9)


async def paid(sale: Sale, *units: tuple[str, int], captured: bool = True) -> list[str]:
    """The orders of one payment of ana's."""
    holds = [await sale.held("ana", pool, qty) for pool, qty in units]
    assert isinstance(await sale.pay("ana", *holds), outcomes.Paying)
    outcome = await sale.succeeded("p1", captured=captured)
    assert isinstance(outcome, outcomes.Paid), outcome
    return holds


async def test_some_units_go_to_the_line_with_their_part_of_the_money(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 3))
    answer = await sale.refund(order, 2)
    assert isinstance(answer, outcomes.Refunded)
    assert (answer.state, answer.n, answer.amount) == (DONE, 1, PRICE)
    truth = await sale.truth()
    record = truth.orders[order]
    assert (record.qty, record.serials, record.amount) == (2, [1, 3], 2 * PRICE)
    assert truth.returned == {"red/00000002": 0}
    assert truth.fans["ana"].used == 2
    assert await sale.counts("red") == (7, 0, 2, 0)
    duty = truth.outbox["refund:p1:1"]
    assert (duty.kind, duty.hold, duty.amount, duty.payment) == ("refund", order, PRICE, "p1")
    payment = await sale.payment()
    assert (payment.kept, payment.backs) == (2 * PRICE, 1)
    event = (await sale.log())[-1]
    assert isinstance(event, events.Refunded)
    assert (event.qty, event.serials, event.amount, event.payment) == (1, [2], PRICE, "p1")
    assert (event.back, event.n, event.way) == ("line", 1, 0)


async def test_a_part_is_rounded_down_and_the_last_unit_gets_the_rest(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}, price=100, most=3), limit=3)
    hold = await sale.held("ana", "pin", 3)
    await sale.pay("ana", hold)
    await sale.succeeded("p1", captured=True)
    await sale.refund(hold, back="", amount=100)
    told = [await sale.refund(hold, serial) for serial in (1, 2, 3)]
    amounts = [answer.amount for answer in told if isinstance(answer, outcomes.Refunded)]
    assert amounts == [66, 67, 67]
    assert (await sale.payment()).kept == 0


async def test_the_state_of_an_order_waits_for_the_last_of_its_refunds(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    await sale.refund(order, 1)
    await sale.refund(order)
    assert (await sale.truth()).orders[order].state == PENDING
    await sale.discharge("refund:p1:2")
    assert (await sale.truth()).orders[order].state == PENDING
    await sale.discharge("refund:p1:1")
    assert (await sale.truth()).orders[order].state == REFUNDED


async def test_before_its_capture_so_much_less_is_captured(sale: Sale) -> None:
    first, second = await paid(sale, ("red", 2), ("blue", 1), captured=False)
    answer = await sale.refund(first, 1)
    assert isinstance(answer, outcomes.Refunded)
    assert answer.state == OrderState.CAPTURE_PENDING
    outbox = (await sale.truth()).outbox
    assert outbox["capture:p1"].amount == 2 * PRICE
    assert "refund:p1:1" not in outbox
    answer = await sale.refund(second)
    assert isinstance(answer, outcomes.Refunded)
    assert answer.state == REFUNDED
    await sale.discharge("capture:p1")
    truth = await sale.truth()
    assert (truth.orders[first].state, truth.orders[second].state) == (DONE, REFUNDED)
    assert (await sale.payment()).kept == PRICE
    # What was captured is what was told.
    again = await sale.succeeded("p1", "c-p1", amount=PRICE, captured=True)
    assert isinstance(again, outcomes.Paid)
    assert "mismatched" not in await sale.words()


async def test_where_nothing_is_kept_the_provider_lets_go_of_all(sale: Sale) -> None:
    orders = await paid(sale, ("red", 1), ("blue", 1), captured=False)
    for order in orders:
        answer = await sale.refund(order)
        assert isinstance(answer, outcomes.Refunded)
        assert answer.state == REFUNDED
    outbox = (await sale.truth()).outbox
    assert outbox["void:c1"].amount == 2 * PRICE
    assert not any(name.startswith(("capture:", "refund:")) for name in outbox)


async def test_units_that_were_handed_over_are_withheld(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    answer = await sale.refund(order, 1, back="withheld")
    assert isinstance(answer, outcomes.Refunded)
    truth = await sale.truth()
    assert await sale.counts("red") == (7, 0, 1, 1)
    assert (truth.pools["red"].away, truth.orders[order].away) == (1, [1])
    assert truth.returned == {}
    event = (await sale.log())[-1]
    assert isinstance(event, events.Refunded)
    assert event.back == "withheld"


async def test_what_is_out_in_the_world_is_not_added(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    await sale.refund(order, back="withheld")
    assert await sale.creator("add", pool="red", qty=1) == refusals.TooFew(7, 0, 0, 2)
    await sale.creator("withdraw", pool="red", qty=1)
    assert await sale.creator("add", pool="red", qty=2) == refusals.TooFew(6, 0, 0, 3)
    assert isinstance(await sale.creator("add", pool="red", qty=1), outcomes.Changed)


async def test_an_amount_alone_lowers_the_share(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    answer = await sale.refund(order, back="", amount=400, why="scratched", key="k")
    assert isinstance(answer, outcomes.Refunded)
    assert (answer.state, answer.n, answer.amount) == (DONE, 1, 400)
    truth = await sale.truth()
    record = truth.orders[order]
    assert (record.qty, record.amount, record.why) == (2, 2 * PRICE - 400, "scratched")
    assert truth.outbox["refund:p1:1"].amount == 400
    assert (await sale.payment()).kept == 2 * PRICE - 400
    event = (await sale.log())[-1]
    assert isinstance(event, events.Reduced)
    assert (event.hold, event.payment, event.n, event.amount) == (order, "p1", 1, 400)
    assert await sale.refund(order, back="", amount=400, why="scratched", key="k") == answer


async def test_what_a_unit_is_worth_follows_its_reduced_share(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    await sale.refund(order, back="", amount=800)
    answer = await sale.refund(order, 1)
    assert isinstance(answer, outcomes.Refunded)
    assert answer.amount == PRICE - 400


async def test_another_amount_may_go_back_with_units(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    answer = await sale.refund(order, 1, amount=100)
    assert isinstance(answer, outcomes.Refunded)
    assert answer.amount == 100
    assert (await sale.truth()).orders[order].amount == 2 * PRICE - 100
    nothing = await sale.refund(order, amount=0)
    assert isinstance(nothing, outcomes.Refunded)
    assert (nothing.state, nothing.amount, nothing.n) == (REFUNDED, 0, 2)
    assert (await sale.payment()).kept == 2 * PRICE - 100


async def test_what_is_beyond_the_order_is_refused(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 2))
    assert await sale.refund(order, 3) == refusals.NotFound()
    assert await sale.refund(order, 1, 1) == refusals.NotFound()
    for fields in ({"amount": 2 * PRICE + 1}, {"back": "", "amount": 2 * PRICE + 1}, {"back": ""}):
        assert isinstance(await sale.refund(order, **fields), refusals.BadMessage)
    assert isinstance(await sale.refund(order, 1, back="", amount=1), refusals.BadMessage)
    assert isinstance(await sale.refund(order, amount=-1), refusals.BadMessage)
    assert isinstance(await sale.refund(order, back="shelf"), refusals.BadMessage)  # type: ignore[arg-type]
    await sale.refund(order, 1)
    assert await sale.refund(order, 1) == refusals.NotFound()


async def test_a_part_is_given_back_once_under_its_key(sale: Sale) -> None:
    (order,) = await paid(sale, ("red", 3))
    first = await sale.refund(order, 1, key="k")
    assert await sale.refund(order, 1, key="k") == first
    for serials in ((2,), (1, 2), ()):
        assert await sale.refund(order, *serials, key="k") == refusals.KeyReused()
    assert await sale.refund(order, 1, back="withheld", key="k") == refusals.KeyReused()
    assert (await sale.words()).count("refunded") == 1


async def test_a_cancelled_drop_gives_all_of_a_payment_back(sale: Sale) -> None:
    first, second = await paid(sale, ("red", 2), ("blue", 1))
    await sale.refund(first, 1)
    await sale.creator("cancel")
    await sale.settle()
    truth = await sale.truth()
    assert {truth.orders[order].state for order in (first, second)} == {PENDING}
    owed = [duty.amount for duty in truth.outbox.values() if duty.kind == "refund"]
    assert owed == [PRICE] * 3
    assert (await sale.payment()).kept == 0


async def test_a_cancelled_drop_captures_nothing(sale: Sale) -> None:
    await paid(sale, ("red", 2), ("blue", 1), captured=False)
    await sale.creator("cancel")
    await sale.settle()
    outbox = (await sale.truth()).outbox
    assert outbox["void:c1"].amount == 3 * PRICE
    assert not any(name.startswith(("capture:", "refund:")) for name in outbox)


async def test_units_of_a_card_count_until_they_are_given_back(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 9}, most=9), limit=2)
    hold = await sale.held("ana", "pin", 2)
    await sale.pay("ana", hold)
    await sale.succeeded("p1", captured=True, card="visa")
    await sale.refund(hold, 1)
    other = await sale.held("bo", "pin")
    await sale.pay("bo", other)
    assert isinstance(await sale.succeeded("p2", captured=True, card="visa"), outcomes.Paid)
    third = await sale.held("cy", "pin")
    await sale.pay("cy", third)
    refused = await sale.succeeded("p3", captured=True, card="visa")
    assert isinstance(refused, outcomes.Voided)
    assert refused.why == "limit"
    await sale.refund(hold)
    fourth = await sale.held("di", "pin")
    await sale.pay("di", fourth)
    assert isinstance(await sale.succeeded("p4", captured=True, card="visa"), outcomes.Paid)
