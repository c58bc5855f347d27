"""Rows of `audit`: the truth read in parts, at one moment."""

from __future__ import annotations

from dropengine.model import DropId
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def test_the_truth_is_read_whole_when_it_needs_many_parts(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1500}))
    for i in range(1200):
        await sale.held(f"fan-{i}")
    truth = await sale.truth()
    assert len(truth.holds) == len(truth.fans) == len(truth.due) == 1200
    assert truth.drop["seq"] == str(2 + 1200)


async def test_an_empty_part_is_the_last_part(sale: Sale) -> None:
    truth = await sale.truth()
    assert (truth.orders, truth.places, truth.outbox) == ({}, {}, {})


async def test_an_unpublished_drop_has_no_truth(sale: Sale) -> None:
    """The script's NOT_FOUND is the store's None."""
    assert await sale.store.truth(DropId("nowhere")) is None


async def test_every_truth_key_has_a_place_in_the_truth(sale: Sale) -> None:
    truth = await sale.truth()
    assert set(keys.TRUTH) <= set(truth.__struct_fields__)
