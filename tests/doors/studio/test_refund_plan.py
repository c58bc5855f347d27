"""What a refund gives back, as its page tells it before anybody presses."""

from __future__ import annotations

import pytest

from dropengine.doors.studio.refund_plan import (
    HANDED_OVER,
    NO_AMOUNT,
    NO_UNITS,
    OLDER,
    Plan,
    Wish,
    plan,
)
from dropengine.model import OrderRecord, OrderState

THREE = OrderRecord(
    fan="a",
    pool="pin",
    qty=3,
    amount=1000,
    serials=[4, 5, 6],
    charge="c1",
    state=OrderState.DONE,
    at_ms=1,
    payment="p1",
)


def planned(
    wish: Wish, order: OrderRecord = THREE, *, handed: bool = False, way_left: int = 690
) -> Plan | str:
    return plan(order, wish, handed=handed, way_left=way_left, currency="EUR")


def test_all_of_it_goes_back_with_the_way_where_nothing_else_is_said() -> None:
    assert planned(Wish()) == Plan([4, 5, 6], "line", 1000, 690, 0, 0, False)
    handed = planned(Wish(), handed=True)
    assert isinstance(handed, Plan)
    assert (handed.back, handed.amount) == ("withheld", 1690)


def test_a_unit_gives_back_its_part_rounded_down_and_no_way() -> None:
    assert planned(Wish([5])) == Plan([5], "line", 333, 0, 2, 667, False)
    assert planned(Wish([6, 4])) == Plan([4, 6], "line", 666, 0, 1, 334, False)


def test_an_amount_is_as_it_was_typed() -> None:
    assert planned(Wish([5], None, "2.50")) == Plan([5], "line", 250, 0, 2, 750, True)
    assert planned(Wish([], "", "1,20")) == Plan([], "", 120, 0, 3, 880, True)


@pytest.mark.parametrize(
    ("wish", "handed", "told"),
    [
        (Wish(back="line"), True, HANDED_OVER),
        (Wish([5], ""), False, NO_UNITS),
        (Wish(back=""), False, NO_AMOUNT),
        (Wish(back="", amount="0"), False, NO_AMOUNT),
        (Wish([9]), False, "It has not all of these units any more."),
        (Wish(back="away"), False, "Say where its units go."),
        (Wish(amount="10.01"), False, "The amount is more than is left of this order."),
        (Wish(amount="much"), False, "The amount must be an amount like 24.00."),
    ],
)
def test_what_cannot_be_is_told_by_a_sentence(wish: Wish, handed: bool, told: str) -> None:
    assert planned(wish, handed=handed) == told


def test_what_is_from_before_payments_goes_back_whole() -> None:
    older = OrderRecord("a", "pin", 2, 800, [1, 2], "c1", OrderState.DONE, 1)
    assert planned(Wish([1]), older) == OLDER
    whole = planned(Wish(), older, way_left=0)
    assert isinstance(whole, Plan)
    assert whole.amount == 800
