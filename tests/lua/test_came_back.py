"""Rows of `came_back`: units that were given back after they were handed over."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.log.referee import judge
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    return await make_sale(item("pin", {"pin": 3}, most=3), limit=3)


async def away(sale: Sale, qty: int = 2) -> str:
    """An order whose units are all out in the world."""
    hold = await sale.held("ana", "pin", qty)
    await sale.pay("ana", hold)
    await sale.succeeded("p1", captured=True)
    await sale.refund(hold, back="withheld")
    return hold


async def test_what_came_back_is_free_with_its_serial(sale: Sale) -> None:
    order = await away(sale)
    assert await sale.counts() == (1, 0, 0, 2)
    answer = await sale.came_back(order, 2)
    assert isinstance(answer, outcomes.CameBack)
    truth = await sale.truth()
    assert await sale.counts() == (2, 0, 0, 1)
    assert (truth.pools["pin"].away, truth.orders[order].away) == (1, [1])
    assert truth.returned == {"pin/00000002": 0}
    event = (await sale.log())[-1]
    assert isinstance(event, events.CameBack)
    assert (event.hold, event.pool, event.qty, event.serials) == (order, "pin", 1, [2])
    assert isinstance(await sale.came_back(order), outcomes.CameBack)
    truth = await sale.truth()
    assert (truth.pools["pin"].away, truth.orders[order].away) == (0, [])
    assert await sale.counts() == (3, 0, 0, 0)


async def test_it_goes_to_the_line(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    order = await away(sale, 1)
    await sale.joined("bo")
    await sale.came_back(order)
    assert (await sale.words())[-2:] == ["came_back", "offered"]


async def test_it_comes_back_once_under_its_key(sale: Sale) -> None:
    order = await away(sale)
    await sale.came_back(order, 1, key="k")
    assert isinstance(await sale.came_back(order, 1, key="k"), outcomes.CameBack)
    assert await sale.came_back(order, 2, key="k") == refusals.KeyReused()
    assert (await sale.words()).count("came_back") == 1


async def test_what_is_not_out_does_not_come_back(sale: Sale) -> None:
    order = await away(sale)
    for serials in ((3,), (1, 1), (1, 3)):
        assert await sale.came_back(order, *serials) == refusals.NotFound()
    assert await sale.came_back("h9") == refusals.NotFound()
    await sale.came_back(order)
    assert await sale.came_back(order) == refusals.NotFound()


async def test_who_signs_it_is_no_job_of_the_shop(sale: Sale) -> None:
    order = await away(sale)
    assert isinstance(await sale.came_back(order, by="clock"), refusals.BadMessage)


async def test_it_comes_back_when_the_drop_is_over_too(sale: Sale) -> None:
    order = await away(sale)
    await sale.creator("close")
    await sale.settle()
    assert isinstance(await sale.came_back(order), outcomes.CameBack)


async def test_its_log_is_honest(sale: Sale) -> None:
    await sale.came_back(await away(sale))
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
