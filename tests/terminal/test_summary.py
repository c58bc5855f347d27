"""Money at a terminal: people act by it, so no sum may look larger than it is."""

from __future__ import annotations

import pytest

from dropengine.log.referee import judge
from dropengine.terminal import summary
from tests.kit.handwritten_logs import a_rush, text


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        (2400, "EUR", "24.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-150, "EUR", "-1.50 EUR"),
        (2400, "JPY", "2400 JPY"),
        (2400, "KWD", "2.400 KWD"),
        (0, "", "0 "),
    ],
)
def test_money_is_told_in_its_currency(amount: int, currency: str, told: str) -> None:
    assert summary.money(amount, currency) == told


def test_a_verdict_tells_its_sums_as_people_pay_them() -> None:
    told = summary.of_verdict(judge(text(a_rush().log)))
    sums = [line.split() for line in told.splitlines() if line.endswith("EUR")]
    assert [line[-2] for line in sums] == ["72.00", "0.00", "0.00", "72.00"]
