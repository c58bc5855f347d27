"""Rows of `root`: what stands for the whole sealed list."""

from __future__ import annotations

import pytest

from dropengine import events, refusals
from dropengine.truth.replies import NotSealed, OtherRoot, Rooted
from tests.conftest import MakeSale

ROOT = "ab" * 32


async def test_the_root_is_told_once_whoever_tells_it(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    for _ in range(2):
        assert await sale.store.root(sale.drop, ROOT, clock_ms=sale.now) == Rooted(4)
    told = (await sale.log())[-1]
    assert isinstance(told, events.Rooted)
    assert told.root == ROOT


async def test_another_root_is_refused(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    await sale.store.root(sale.drop, ROOT, clock_ms=sale.now)
    assert await sale.store.root(sale.drop, "cd" * 32, clock_ms=sale.now) == OtherRoot(ROOT)


async def test_before_the_seal_there_is_none(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    assert await sale.store.root(sale.drop, ROOT, clock_ms=sale.now) == NotSealed("lobby")


@pytest.mark.parametrize("root", ["", "ab", "AB" * 32, "g" * 64, "ab" * 33, '"' * 64])
async def test_what_is_no_root_is_refused(make_sale: MakeSale, root: str) -> None:
    sale = await make_sale(mode="lobby")
    await sale.creator("seal")
    outcome = await sale.store.root(sale.drop, root, clock_ms=sale.now)
    assert isinstance(outcome, refusals.BadMessage)
