"""Rows of `ahead` (AHEAD): whom the lines call next, and what ends soon."""

from __future__ import annotations

from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import item


async def test_the_next_of_each_line_and_the_nearest_ends(
    store: Store, make_sale: MakeSale
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), item("mug", {"mug": 1}), limit=9)
    for fan, pool in (("a", "pin"), ("b", "pin"), ("c", "mug")):
        await sale.hold(fan, pool)
        sale.now += 1000
    for fan, pools in (("d", ["pin"]), ("e", ["mug", "pin"]), ("f", ["pin"])):
        await sale.join(fan, *pools)
    found = await store.glances.ahead(sale.drop, 2)
    assert [(line, entry.n) for line, _, entry in found.waiting] == [(0, 1), (0, 2), (2, 2)]
    assert [hold.fan for _, hold in found.ends] == ["a", "b"]
    assert found.ends[0][1].deadline_ms < found.ends[1][1].deadline_ms


async def test_of_no_drop_there_is_nothing(store: Store) -> None:
    found = await store.glances.ahead("no-such-drop", 5)  # type: ignore[arg-type]
    assert (found.waiting, found.ends) == ([], [])
