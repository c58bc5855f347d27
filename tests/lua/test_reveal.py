"""Rows of `reveal`: what the sealed list is ordered by."""

from __future__ import annotations

import pytest

from dropengine import refusals
from dropengine.truth.replies import NotRooted, NotSealed, OtherValue, Revealed
from tests.conftest import MakeSale
from tests.kit.sale import SECRET

ROOT = "ab" * 32


async def test_it_is_revealed_once_after_the_root(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    assert await sale.store.reveal(sale.drop, "ab", clock_ms=sale.now) == NotSealed("lobby")
    await sale.creator("seal")
    value = SECRET.hex()
    assert await sale.store.reveal(sale.drop, value, clock_ms=sale.now) == NotRooted()
    await sale.store.root(sale.drop, ROOT, clock_ms=sale.now)
    for _ in range(2):
        assert await sale.store.reveal(sale.drop, value, clock_ms=sale.now) == Revealed(5)
    assert await sale.store.reveal(sale.drop, "cd", clock_ms=sale.now) == OtherValue(value)
    assert await sale.words() == ["published", "lobby_opened", "sealed", "rooted", "revealed"]


@pytest.mark.parametrize("value", ["", "a", "AB", "ab" * 97, '"}'])
async def test_what_are_no_hex_digits_is_refused(make_sale: MakeSale, value: str) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    outcome = await sale.store.reveal(sale.drop, value, clock_ms=sale.now)
    assert isinstance(outcome, refusals.BadMessage)
