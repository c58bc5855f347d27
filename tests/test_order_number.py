"""The number of an order: said by a person, heard by another."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dropengine.order_number import number_of, order_of

counted = st.integers(1, 10**15).map(lambda n: f"h{n}")


@given(counted)
def test_a_number_leads_back_to_its_order(order: str) -> None:
    said = number_of(order)
    assert order_of(said) == order
    assert order_of(f" {said.replace('-', ' ')} ") == order
    assert not set(said) - set("0123456789-")


@given(counted, st.data())
def test_one_wrong_digit_is_nobodys_order(order: str, data: st.DataObject) -> None:
    said = number_of(order)
    at = data.draw(st.integers(0, len(said) - 1).filter(lambda at: said[at] != "-"))
    wrong = data.draw(st.sampled_from("0123456789"))
    assume(wrong != said[at])
    assert order_of(f"{said[:at]}{wrong}{said[at + 1 :]}") == ""


@given(counted, st.data())
def test_two_digits_changed_about_are_nobodys_order(order: str, data: st.DataObject) -> None:
    digits = number_of(order).replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 2))
    a, b = digits[at], digits[at + 1]
    assume(a != b)
    turned = f"{digits[:at]}{b}{a}{digits[at + 2 :]}"
    assert order_of(f"{turned[:-1]}-{turned[-1]}") == ""


@pytest.mark.parametrize("name", ["h", "paid-1", "h1x", "", "ħ1"])
def test_an_order_that_is_named_otherwise_is_called_by_its_name(name: str) -> None:
    assert number_of(name) == name
    assert order_of(name) == name
