"""Rows of `publish`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.manifest import rules
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale


async def test_a_published_drop_is_scheduled_and_logged(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    text = manifest(drop, item("pin", {"pin": 3}, withheld={"pin": 1}))
    assert await sale.publish(text) == outcomes.Changed(1, 1, "scheduled")
    (event,) = await sale.log()
    assert isinstance(event, events.Published)
    assert event.rules == rules(text)
    assert await sale.counts() == (2, 0, 0, 1)


async def test_publishing_again_under_the_same_key_answers_the_same(
    store: Store, drop: str
) -> None:
    sale = Sale(store, drop)
    first = await sale.publish(manifest(drop))
    assert await sale.publish(manifest(drop)) == first
    assert len(await sale.log()) == 1


async def test_a_key_publishes_one_manifest(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    await sale.publish(manifest(drop))
    assert await sale.publish(manifest(drop, limit=2)) == refusals.KeyReused()


async def test_an_id_is_published_once(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    await sale.publish(manifest(drop), key="mine")
    outcome = await sale.publish(manifest(drop, limit=2), key="yours")
    assert outcome == refusals.Exists("scheduled", same=False)
    assert len(await sale.log()) == 1


async def test_publishing_the_same_file_again_is_told_from_another(store: Store, drop: str) -> None:
    sale = Sale(store, drop)
    await sale.publish(manifest(drop), key="mine")
    await sale.creator("open")
    assert await sale.publish(manifest(drop), key="yours") == refusals.Exists("live", same=True)
    assert len(await sale.log()) == 2


@pytest.mark.parametrize("limit", [1, 2])
async def test_the_id_of_a_cancelled_drop_stays_taken(store: Store, drop: str, limit: int) -> None:
    sale = Sale(store, drop)
    await sale.publish(manifest(drop, limit=1), key="mine")
    await sale.creator("cancel")
    outcome = await sale.publish(manifest(drop, limit=limit), key="yours")
    assert outcome == refusals.Exists("cancelled", same=limit == 1)
