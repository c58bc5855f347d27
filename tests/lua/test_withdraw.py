"""Rows of `withdraw`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.kit.sale import Sale


async def test_withdrawn_units_are_not_for_sale(sale: Sale) -> None:
    assert isinstance(await sale.creator("withdraw", pool="pin", qty=3), outcomes.Changed)
    assert await sale.counts() == (0, 0, 0, 3)
    withdrawn = (await sale.log())[-1]
    assert isinstance(withdrawn, events.Withdrawn)
    assert (withdrawn.pool, withdrawn.qty) == ("pin", 3)
    assert await sale.hold("ana") == refusals.SoldOut()


async def test_what_fans_hold_or_own_is_never_withdrawn(sale: Sale) -> None:
    await sale.bought("ana")
    await sale.held("bo")
    outcome = await sale.creator("withdraw", pool="pin", qty=2)
    assert outcome == refusals.TooFew(free=1, held=1, sold=1, withheld=0)
    assert isinstance(await sale.creator("withdraw", pool="pin", qty=1), outcomes.Changed)


async def test_an_unknown_pool_is_not_found(sale: Sale) -> None:
    assert await sale.creator("withdraw", pool="cap", qty=1) == refusals.NotFound()


@pytest.mark.parametrize(
    ("verb", "refusal"), [("close", refusals.Closed()), ("cancel", refusals.Cancelled())]
)
async def test_what_is_over_loses_no_stock(
    sale: Sale, verb: str, refusal: refusals.Refusal
) -> None:
    await sale.creator(verb)
    assert await sale.creator("withdraw", pool="pin", qty=1) == refusal
