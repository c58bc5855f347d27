"""Promises of what events of payments mean for the books."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from dropengine import events
from dropengine.jobs.ledger.derive import Known, Order, Payment, derive
from dropengine.model import OrderState
from dropengine.sql.schema.ledger import ORDERS, PAYMENTS, REFUNDS

DROP = "night"


def known(state: str = OrderState.DONE) -> Known:
    """A payment of two orders, 3000 and 1500, and 500 for its way."""
    return Known(
        layout=8,
        orders={
            "h1": Order("c1", state, "pin", 2, 3000, "p1", 5),
            "h2": Order("c1", state, "mug", 1, 1500, "p1", 6),
        },
        payments={"p1": Payment("c1", 5000, 500, 5000)},
    )


def changed(table: Table, *told: events.AnyEvent, of: Known) -> dict[str, dict[str, Any]]:
    """Row -> its columns that these events change, by the name after the drop's id."""
    found: dict[str, dict[str, Any]] = {}
    for changes, columns, rows in derive(DROP, told, of).changes():
        if changes is table:
            for row in rows:
                values = dict(zip(columns, row, strict=False))
                found.setdefault(row[len(columns) + 1], {}).update(values)
    return found


def refunded(hold: str, qty: int, amount: int, way: int = 0, n: int = 1) -> events.Refunded:
    return events.Refunded(
        seq=9, at=1, fan="di", hold=hold, pool="pin", qty=qty, amount=amount, charge="c1",
        serials=[], by="ada", key="k", why="", payment="p1", n=n, way=way,
    )  # fmt: skip


def discharged(duty: str, result: str = "done") -> events.Discharged:
    return events.Discharged(
        seq=10, at=2, fan="di", hold="h1", duty=duty, kind=duty.partition(":")[0], charge="c1",
        amount=0, result=result, payment="p1", by="", key="", why="",
    )  # fmt: skip


def test_a_unit_given_back_leaves_an_order_of_the_others() -> None:
    one = changed(ORDERS, refunded("h1", 1, 1500), of=known())
    assert one["h1"] == {"state": OrderState.DONE, "qty": 1, "amount": 1500}


def test_the_last_units_end_an_order_which_is_refunded_once_all_is_sent() -> None:
    of = known()
    told = (refunded("h1", 1, 1500), refunded("h1", 1, 1500, n=2))
    assert changed(ORDERS, *told, of=of)["h1"]["state"] == OrderState.REFUND_PENDING
    assert "h1" not in changed(ORDERS, discharged("refund:p1:1"), of=of)
    ticked = changed(ORDERS, discharged("refund:p1:2"), of=of)
    assert ticked["h1"]["state"] == OrderState.REFUNDED


def test_what_was_not_captured_yet_is_captured_less_and_nothing_is_sent() -> None:
    of = known(OrderState.CAPTURE_PENDING)
    sheet = derive(DROP, [refunded("h2", 1, 1500)], of)
    assert of.orders["h2"].state == OrderState.REFUNDED
    assert of.payments["p1"] == Payment("c1", 3500, 500, 3500)
    rows = dict(sheet.new())
    assert rows[REFUNDS][0][-2:] == (0, 0)


def test_a_capture_ends_for_all_orders_of_its_payment() -> None:
    of = known(OrderState.CAPTURE_PENDING)
    found = changed(ORDERS, discharged("capture:p1"), of=of)
    assert {row["state"] for row in found.values()} == {OrderState.DONE}
    assert set(found) == {"h1", "h2"}


def test_a_lost_dispute_leaves_orders_that_are_worth_nothing() -> None:
    of = known()
    lost = events.ChargedBack(seq=9, at=1, fan="di", payment="p1", amount=5000, by="ada", key="k")
    assert changed(PAYMENTS, lost, of=of)["p1"]["charged_back"] == 5000
    assert {one.state for one in of.orders.values()} == {OrderState.CHARGED_BACK}
    assert {one.amount for one in of.orders.values()} == {0}


def test_a_smaller_capture_cuts_shares_from_the_last_order_to_the_first() -> None:
    of = known()
    less = events.Mismatched(
        seq=9, at=1, fan="di", hold="h1", charge="c1", amount=3200, payment="p1"
    )
    derive(DROP, [less], of)
    assert [one.amount for one in of.orders.values()] == [2700, 0]
    assert of.payments["p1"] == Payment("c1", 3200, 500, 3200)
