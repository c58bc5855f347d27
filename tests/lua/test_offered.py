"""What is offered and not claimed is counted beside what is held, and is always a part of it."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import OFFER_MS, item
from tests.kit.sale import Sale
from tests.lua.test_common_rows import pack


@pytest.fixture
async def called(make_sale: MakeSale) -> Sale:
    """Five pins: ana has two in her cart, the line offered two to bo and one to cy."""
    sale = await make_sale(item("pin", {"pin": 5}))
    first = await sale.held("di", qty=3)
    await sale.held("ana", qty=2)
    await sale.joined("bo", qty=2)
    await sale.joined("cy", qty=1)
    await sale.release("di", first)
    assert await counts(sale) == (0, 5, 3)
    return sale


async def counts(sale: Sale) -> tuple[int, int, int]:
    """free, held, offered."""
    pool = (await sale.truth()).pools["pin"]
    return pool.free, pool.held, pool.offered


async def test_an_offer_that_is_claimed_is_only_held(called: Sale) -> None:
    await called.claim("bo", "h3")
    assert await counts(called) == (0, 5, 1)
    await called.claim("bo", "h3")
    assert await counts(called) == (0, 5, 1), "a repeat changes nothing"


async def test_paying_claims_it(called: Sale) -> None:
    await called.pay("bo", "h3")
    assert await counts(called) == (0, 5, 1)


async def test_an_offer_that_is_paid_unclaimed_is_sold(called: Sale) -> None:
    assert isinstance(await called.succeeded("h3"), outcomes.Paid)
    assert await counts(called) == (0, 3, 1)


async def test_an_offer_that_is_declined_goes_on_to_the_next(called: Sale) -> None:
    await called.release("bo", "h3")
    assert await counts(called) == (2, 3, 1)


async def test_leaving_gives_the_offer_back(called: Sale) -> None:
    await called.leave("cy", "e2")
    assert await counts(called) == (1, 4, 2)


async def test_an_offer_that_lapses_is_free(called: Sale) -> None:
    await called.pay("ana", "h2")
    await called.succeeded("h2")
    called.now += OFFER_MS
    await called.settle()
    assert await counts(called) == (3, 0, 0)


async def test_a_drop_that_is_called_off_offers_nothing(called: Sale) -> None:
    await called.creator("cancel")
    await called.settle()
    assert (await counts(called))[1:] == (0, 0)


@pytest.mark.parametrize("offered", [-1, 6], ids=["below nothing", "above what is held"])
async def test_offers_that_cannot_be_freeze_the_drop(called: Sale, offered: int) -> None:
    record = (await called.truth()).pools["pin"]
    record.offered = offered
    await called.store.client.hset(keys.one(called.drop, "pools"), "pin", pack(record))
    assert isinstance(await called.release("ana", "h2"), refusals.Frozen)
