"""Rows of `charged_back`: the provider took money of a payment back for its fan."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.handwritten_logs import PRICE
from tests.kit.manifests import item
from tests.kit.sale import Sale


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    names = ("red", "blue")
    return await make_sale(*(item(name, {name: 3}, most=3) for name in names), limit=3)


async def paid(sale: Sale) -> list[str]:
    holds = [await sale.held("ana", "red", 2), await sale.held("ana", "blue")]
    await sale.pay("ana", *holds)
    assert isinstance(await sale.succeeded("p1", captured=True), outcomes.Paid)
    return holds


async def test_its_orders_are_worth_nothing_and_their_units_stay_sold(sale: Sale) -> None:
    orders = await paid(sale)
    answer = await sale.charged_back("p1", 3 * PRICE)
    assert isinstance(answer, outcomes.ChargedBack)
    truth = await sale.truth()
    rows = [truth.orders[order] for order in orders]
    assert [(row.state, row.amount) for row in rows] == [("charged_back", 0)] * 2
    assert await sale.counts("red") == (1, 0, 2, 0)
    assert truth.fans["ana"].used == 3
    payment = await sale.payment()
    assert (payment.kept, payment.way_kept, payment.state) == (0, 0, "paid")
    event = (await sale.log())[-1]
    assert isinstance(event, events.ChargedBack)
    assert (event.payment, event.amount, event.by) == ("p1", 3 * PRICE, "provider")


async def test_what_was_given_back_before_stays_so(sale: Sale) -> None:
    first, second = await paid(sale)
    await sale.refund(first)
    await sale.charged_back("p1", PRICE)
    truth = await sale.truth()
    assert (truth.orders[first].state, truth.orders[second].state) == (
        "refund_pending",
        "charged_back",
    )


async def test_it_happens_once_under_its_key(sale: Sale) -> None:
    await paid(sale)
    await sale.charged_back("p1", PRICE, key="k")
    assert isinstance(await sale.charged_back("p1", PRICE, key="k"), outcomes.ChargedBack)
    assert await sale.charged_back("p1", 1, key="k") == refusals.KeyReused()
    assert (await sale.words()).count("charged_back") == 1


async def test_what_bought_nothing_is_not_charged_back(sale: Sale) -> None:
    hold = await sale.held("ana", "red")
    await sale.pay("ana", hold)
    assert await sale.charged_back("p1", PRICE) == refusals.NotFound()
    assert await sale.charged_back("p9", PRICE) == refusals.NotFound()
    assert isinstance(await sale.charged_back("p1", -1), refusals.BadMessage)


async def test_its_units_may_be_given_back_for_nothing(sale: Sale) -> None:
    first, _ = await paid(sale)
    await sale.charged_back("p1", 3 * PRICE)
    answer = await sale.refund(first)
    assert isinstance(answer, outcomes.Refunded)
    assert (answer.state, answer.amount) == ("refunded", 0)
    assert await sale.counts("red") == (3, 0, 0, 0)
