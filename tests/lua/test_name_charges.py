"""Rows of `name_charges`. How ids are lost and found: `tests/truth/test_charge_ids.py`."""

from __future__ import annotations

from dropengine.model import BY_ID
from dropengine.truth import keys
from tests.kit.sale import Sale


async def test_an_id_that_was_lost_is_written_both_ways(sale: Sale) -> None:
    """NAMED."""
    await sale.bought("ana")
    name = keys.one(sale.drop, "charge_ids")
    before = await sale.store.client.hgetall(name)
    await sale.store.client.delete(name)
    assert await sale.store.charge_ids.name(sale.drop, {"c1": "c-h1"}) == 1
    assert await sale.store.client.hgetall(name) == before
    assert set(before) == {b"c1", f"{BY_ID}c-h1".encode()}
    # Again changes nothing.
    assert await sale.store.charge_ids.name(sale.drop, {"c1": "c-h1"}) == 1
    assert await sale.store.client.hgetall(name) == before


async def test_where_there_is_no_drop_nothing_is_named(sale: Sale) -> None:
    """NOT_FOUND."""
    await sale.store.client.delete(*keys.of(sale.drop))
    assert await sale.store.charge_ids.name(sale.drop, {"c1": "c-h1"}) == 0
    assert not await sale.store.client.exists(keys.one(sale.drop, "charge_ids"))
