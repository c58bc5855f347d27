"""Amounts as people write them."""

import pytest

from dropengine.manifest.amounts import amount, minor


@pytest.mark.parametrize(
    ("text", "digits", "price"),
    [("24.00", 2, 2400), ("24", 2, 2400), ("24,5", 2, 2450), ("500", 0, 500), ("1.234", 3, 1234)],
)
def test_an_amount_is_read_in_minor_units(text: str, digits: int, price: int) -> None:
    assert minor(text, digits) == price
    assert minor(amount(price, digits), digits) == price


@pytest.mark.parametrize(("text", "digits"), [("24.005", 2), ("1.0", 0), ("-1", 2), ("", 2)])
def test_what_is_none_is_refused(text: str, digits: int) -> None:
    with pytest.raises(ValueError, match="must be an amount like 24"):
        minor(text, digits)
