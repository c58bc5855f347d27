"""A drop's rows are read page by page, each once and in order, in true time."""

from __future__ import annotations

import pytest

from dropengine import model
from dropengine.truth import record_pages
from dropengine.truth.record_pages import R, page
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def ids(sale: Sale, kind: type[R]) -> list[str]:
    """Every row of a kind, page by page."""
    found, after = [], -1
    while after:
        one = await page(sale.store, sale.drop, kind, max(after, 0))
        found += [name for name, _ in one.rows]
        after = one.after
    return found


@pytest.mark.parametrize("most", [1, 2, 3, 100])
async def test_every_row_is_read_once_whatever_the_page(
    make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(record_pages, "PAGE_MAX", most)
    sale = await make_sale(item("pin", {"pin": 7}), item("mug", {"mug": 1}))
    for fan in "abcde":
        await sale.held(fan, "pin")
    await sale.bought("f", "pin")
    await sale.bought("g", "pin")
    assert await ids(sale, model.HoldRecord) == [f"h{n}" for n in range(1, 8)]
    assert await ids(sale, model.OrderRecord) == ["h6", "h7"]
    one = await page(sale.store, sale.drop, model.EntryRecord)
    assert (one.rows, one.after) == ([], 0)


async def test_a_page_says_where_to_go_on_also_when_nothing_was_found(
    make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_pages, "PAGE_MAX", 2)
    monkeypatch.setattr(record_pages, "LOOKED_AT_MAX", 4)
    sale = await make_sale(item("pin", {"pin": 7}))
    for fan in "abcde":
        await sale.held(fan, "pin")
    await sale.bought("f", "pin")
    first = await page(sale.store, sale.drop, model.OrderRecord)
    assert (first.rows, first.after) == ([], 4)
    assert await ids(sale, model.OrderRecord) == ["h6"]


async def test_the_line_is_read_in_the_order_of_arrival(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.held("a", "pin")
    for fan in "bcd":
        await sale.joined(fan, "pin")
    one = await page(sale.store, sale.drop, model.EntryRecord)
    assert [(name, row.fan, row.n) for name, row in one.rows] == [
        ("e1", "b", 1),
        ("e2", "c", 2),
        ("e3", "d", 3),
    ]


async def test_of_a_drop_that_is_none_there_are_no_rows(sale: Sale) -> None:
    one = await page(sale.store, model.DropId("nowhere"), model.HoldRecord)
    assert (one.rows, one.after) == ([], 0)
