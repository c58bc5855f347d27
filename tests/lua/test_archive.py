"""Rows of `archive`: a drop that is over leaves as a whole, and its id stays taken."""

from __future__ import annotations

import pytest

from dropengine import outcomes
from dropengine.model import DropId
from dropengine.truth import keys
from tests.kit.freezing import leave_mark, restore
from tests.kit.sale import Sale


async def at_the_server(sale: Sale) -> list[str]:
    names = keys.of(sale.drop)[:-1]
    return [name for name in names if await sale.store.client.exists(name)]


async def seq(sale: Sale) -> int:
    return (await sale.store.stands(sale.drop))[0]


@pytest.fixture
async def settled(sale: Sale) -> Sale:
    await sale.release("ana", await sale.held("ana"))
    await sale.creator("close")
    await sale.settle()
    return sale


async def test_a_drop_that_is_over_leaves_but_for_a_word(settled: Sale) -> None:
    """ARCHIVED."""
    assert await settled.store.past.archive(settled.drop, await seq(settled))
    assert await at_the_server(settled) == [keys.one(settled.drop, "drop")]
    assert await settled.store.is_archived(settled.drop)
    assert await settled.store.show(settled.drop) is None


async def test_what_is_not_over_stays(sale: Sale) -> None:
    """NOT_NOW: it may be bought."""
    assert not await sale.store.past.archive(sale.drop, await seq(sale))


async def test_what_has_come_further_than_the_books_stays(settled: Sale) -> None:
    """NOT_NOW."""
    assert not await settled.store.past.archive(settled.drop, await seq(settled) - 1)


async def test_what_is_owed_stays(sale: Sale) -> None:
    """NOT_NOW: a payment waits to be captured."""
    await sale.bought("ana")
    await sale.creator("close")
    await sale.settle()
    assert await sale.store.duties(sale.drop)
    assert not await sale.store.past.archive(sale.drop, await seq(sale))


async def test_what_somebody_has_to_look_at_stays(settled: Sale) -> None:
    """NOT_NOW: it was restored; or a commit wrote half of itself."""
    await restore(settled)
    assert not await settled.store.past.archive(settled.drop, await seq(settled))
    await settled.store.client.hset(keys.one(settled.drop, "drop"), "froze", "")
    await leave_mark(settled.store, settled.drop, settled.now)
    assert not await settled.store.past.archive(settled.drop, await seq(settled))


async def test_what_is_due_stays(settled: Sale) -> None:
    """NOT_NOW: somebody settles it first."""
    await settled.store.client.zadd(keys.one(settled.drop, "due"), {"e:e1": 1})
    assert not await settled.store.past.archive(settled.drop, await seq(settled))


async def test_no_such_drop(sale: Sale) -> None:
    """NOT_FOUND; also of one that left already."""
    assert not await sale.store.past.archive(DropId("none"), 1)


async def test_its_id_is_taken_for_good(settled: Sale) -> None:
    """EXISTS, of `publish`."""
    shown = await settled.store.show(settled.drop)
    assert shown is not None
    await settled.store.past.archive(settled.drop, await seq(settled))
    again = await settled.publish(shown.manifest, key="again")
    assert not isinstance(again, outcomes.Changed)
    assert await settled.store.is_archived(settled.drop)
