"""Sums of money by provider, and a journal that is balanced whatever happened."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dropengine.jobs.ledger.money import COLUMNS, Back, Fee, Paid, journal, sheet, sums

WHOLE = Paid("p1", "local", 5490, 3090, 690, 5490, 1, 0, 0, "collected", [])
AMOUNTS = st.integers(0, 10_000)


def test_what_could_not_be_had_went_back_and_is_no_sale() -> None:
    (of,) = sums([WHOLE])
    assert (of.collected, of.refunded, of.kept) == (5490, 2400, 3090)
    rows = {(one.document, one.account): one for one in journal([WHOLE])}
    assert rows["p1", "sales"].credit == 2400
    assert rows["p1", "ways"].credit == 690
    assert rows["p1:late", "owed to fans"].debit == 2400


def test_a_refund_is_out_of_the_sales_and_its_way() -> None:
    back = Back(1, 3090, 690, 2, sent=False)
    gone = Paid("p1", "local", 3090, 0, 0, 3090, 1, 0, 0, "collected", [back])
    (of,) = sums([gone])
    assert (of.refunded, of.unsent, of.kept) == (3090, 3090, 0)


def test_a_fee_is_its_providers_also_where_nothing_was_bought() -> None:
    asked = [Fee("p1", "local", 71, 4), Fee("p9", "stripe", 25, 5)]
    local, stripe = sums([WHOLE], asked)
    assert (local.kept, local.fees) == (3090, 71)
    assert (stripe.payments, stripe.fees) == (0, 25)
    rows = [row for row in journal([], asked) if row.document == "p9:fee"]
    assert [(row.account, row.debit, row.credit) for row in rows] == [
        ("fees", 25, 0),
        ("provider stripe", 0, 25),
    ]


@given(
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
    st.lists(st.tuples(AMOUNTS, AMOUNTS), max_size=3),
    st.lists(AMOUNTS, max_size=3),
)
def test_every_document_is_balanced(
    kept: int,
    way: int,
    takes: int,
    disputed: int,
    given: list[tuple[int, int]],
    kept_by_it: list[int],
) -> None:
    backs = [Back(n, amount + of, of, 2, sent=True) for n, (amount, of) in enumerate(given)]
    one = Paid("p1", "", takes, kept, way, takes, 1, disputed, 3, "collected", backs)
    fees = [Fee(f"p{n}", "", fee, 4) for n, fee in enumerate(kept_by_it)]
    left: Counter[str] = Counter()
    for row in journal([one], fees):
        assert row.debit >= 0 <= row.credit
        left[row.document] += row.debit - row.credit
    assert set(left.values()) == {0}


def test_no_cell_of_the_journal_is_a_formula() -> None:
    lines = sheet([("=1", "+1", "@a", "0.00", "0.00", "EUR", "-x")]).splitlines()
    assert lines[0] == ",".join(f'"{name}"' for name in COLUMNS)
    assert lines[1] == '"\'=1","\'+1","\'@a","0.00","0.00","EUR","\'-x"'
