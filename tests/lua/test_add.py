"""Rows of `add`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


@pytest.fixture
async def spare(make_sale: MakeSale) -> Sale:
    """Three pins, two of them withheld."""
    return await make_sale(item("pin", {"pin": 3}, withheld={"pin": 2}))


async def test_added_units_are_free(spare: Sale) -> None:
    assert isinstance(await spare.creator("add", pool="pin", qty=1), outcomes.Changed)
    assert await spare.counts() == (2, 0, 0, 1)
    added = (await spare.log())[-1]
    assert isinstance(added, events.Added)
    assert (added.pool, added.qty) == ("pin", 1)


async def test_added_units_go_to_the_line_first(spare: Sale) -> None:
    await spare.held("ana")
    await spare.joined("bo")
    await spare.creator("add", pool="pin", qty=2)
    assert (await spare.words())[-2:] == ["added", "offered"]
    assert await spare.counts() == (1, 2, 0, 0)


async def test_no_more_is_added_than_was_withheld(spare: Sale) -> None:
    await spare.held("ana")
    outcome = await spare.creator("add", pool="pin", qty=3)
    assert outcome == refusals.TooFew(free=0, held=1, sold=0, withheld=2)


async def test_an_unknown_pool_is_not_found(spare: Sale) -> None:
    assert await spare.creator("add", pool="cap", qty=1) == refusals.NotFound()


@pytest.mark.parametrize(
    ("verb", "refusal"), [("close", refusals.Closed()), ("cancel", refusals.Cancelled())]
)
async def test_what_is_over_gets_no_stock(
    spare: Sale, verb: str, refusal: refusals.Refusal
) -> None:
    await spare.creator(verb)
    assert await spare.creator("add", pool="pin", qty=1) == refusal
