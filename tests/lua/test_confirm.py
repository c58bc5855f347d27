"""Rows of `confirm` inside `press`."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals, wire
from dropengine.truth.store import CarriedRow, Store
from tests.kit.manifests import carrying, item, manifest
from tests.kit.sale import Sale


@pytest.fixture
async def sale(store: Store, drop: str) -> Sale:
    """Two places were carried over, and the drop is open with two pins."""
    sale = Sale(store, drop)
    await sale.publish(carrying(manifest(drop, item("pin", {"pin": 2}), limit=1), share=100))
    await sale.carry(*(CarriedRow(f"e{n}", fan, 1, ["pin"]) for n, fan in ((5, "ana"), (6, "bo"))))
    await sale.creator("open")
    return sale


async def test_who_confirms_is_called_and_who_does_not_keeps_his_place(sale: Sale) -> None:
    assert (await sale.truth()).places.keys() == {"e1@0", "e2@0"}
    assert isinstance(await sale.hold("cy"), outcomes.Held)
    outcome = await sale.confirm("bo", "e2")
    assert isinstance(outcome, outcomes.Confirmed)
    assert (outcome.entry.carried, outcome.entry.state) == (2, "offered")
    assert (await sale.words())[-2:] == ["confirmed", "offered"]
    assert ((await sale.you("ana")).entries[0][1].carried, await sale.counts()) == (1, (0, 2, 0, 0))


async def test_confirming_again_changes_nothing(sale: Sale) -> None:
    await sale.confirm("bo", "e2")
    told = len(await sale.log())
    assert isinstance(await sale.confirm("bo", "e2"), outcomes.Confirmed)
    assert len(await sale.log()) == told


async def test_in_one_batch_nobody_behind_passes_who_confirms(sale: Sale) -> None:
    await sale.held("cy")
    confirm = wire.Confirm(id=0, key="c", entry="e1")
    press = wire.Hold(id=0, key="h", pool="pin")
    _, refused = await sale.batch(("ana", confirm), ("di", press))
    assert isinstance(refused, refusals.AllHeld)
    assert (await sale.words())[-1] == "offered"


async def test_a_place_that_was_not_carried_over_needs_no_word(sale: Sale) -> None:
    await sale.held("cy")
    await sale.held("di")
    entry = await sale.joined("eve")
    for fan, name in (("eve", entry), ("eve", "e1"), ("ana", "e2"), ("ana", "e99")):
        assert await sale.confirm(fan, name) == refusals.NotFound()
    await sale.leave("ana", "e1")
    assert await sale.confirm("ana", "e1") == refusals.NotFound()


async def test_before_the_opening_and_in_a_pause_it_may_be_said_and_not_when_all_is_over(
    sale: Sale,
) -> None:
    await sale.creator("pause")
    assert isinstance(await sale.confirm("ana", "e1"), outcomes.Confirmed)
    await sale.creator("close")
    assert await sale.confirm("bo", "e2") == refusals.Closed()


async def test_a_cancelled_drop_asks_nobody(sale: Sale) -> None:
    await sale.creator("cancel")
    assert await sale.confirm("bo", "e2") == refusals.Cancelled()
