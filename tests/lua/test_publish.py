"""Rows of `publish`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.manifest import Item, Manifest, rules
from dropengine.model import DropId
from dropengine.truth.store import Store
from tests.kit.manifests import START_MS, item, manifest
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


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("opens_ms", {"opens_ms": 10**16}),
        ("opens_ms", {"opens_ms": -1}),
        ("closes_ms", {"closes_ms": 5}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 2**60}),
        ("k", {"k": 101}),
    ],
)
async def test_no_drop_is_published_with_a_number_that_none_may_have(
    store: Store, drop: str, name: str, changed: dict[str, int]
) -> None:
    sale = Sale(store, drop)
    outcome = await sale.publish(manifest(drop, **changed))
    assert isinstance(outcome, refusals.BadMessage)
    assert outcome.why.startswith(f"{name} must be a whole number from ")
    assert await store.show(sale.drop) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("price", item("pin", {"pin": 3}, price=10**9 + 1)),
        ("price", item("pin", {"pin": 3}, price=-1)),
        ("cap", item("pin", {"pin": 100_001})),
        ("most", item("pin", {"pin": 3}, most=101)),
        ("withheld", item("pin", {"pin": 3}, withheld={"pin": 4})),
    ],
)
async def test_an_item_keeps_to_its_bounds(store: Store, drop: str, name: str, wrong: Item) -> None:
    outcome = await Sale(store, drop).publish(manifest(drop, wrong))
    assert isinstance(outcome, refusals.BadMessage)
    assert outcome.why.startswith(f"{name} must ")


@pytest.mark.parametrize(
    ("by", "key", "field"),
    [("o1", 'k"', "key"), ("o1", "", "key"), ("", "k", "by"), ("m\u202ea", "k", "by")],
)
async def test_who_publishes_signs_within_bounds(
    store: Store, drop: str, by: str, key: str, field: str
) -> None:
    outcome = await store.publish(manifest(drop), by=by, key=key)
    assert isinstance(outcome, refusals.BadMessage)
    assert outcome.why.startswith(f"{field} must ")


@pytest.mark.parametrize(
    ("key", "limit"), [("mine", 3), ("yours", 3), ("yours", 2), ("mine", 2)], ids=str
)
async def test_a_drop_is_listed_by_whatever_asks_for_it_again(
    store: Store, drop: str, key: str, limit: int
) -> None:
    """Who published it may have died before it stood in the index, where the jobs find it."""
    sale = Sale(store, drop)
    await sale.publish(manifest(drop), key="mine")
    await store.client.zrem(store.house.keys.drops, drop)
    await sale.publish(manifest(drop, limit=limit), key=key)
    assert sale.drop in await store.drops()


async def test_a_drop_that_is_not_published_is_not_listed(store: Store, drop: str) -> None:
    await Sale(store, drop).publish(manifest(drop, limit=0))
    assert drop not in await store.drops()


async def test_what_is_asked_for_in_the_same_words_is_the_same_command(
    store: Store, drop: str
) -> None:
    """An opening in a minute has another time in a minute."""
    sale = Sale(store, drop)
    first, later = (manifest(drop, opens_ms=START_MS + ms) for ms in (60_000, 61_000))

    async def publish(text: Manifest, asked: str, key: str = "k") -> outcomes.PublishOutcome:
        return await store.publish(
            text, by="o1", key=key, asked=asked, test=True, clock_ms=sale.now
        )

    made = await publish(first, "in a minute")
    assert await publish(later, "in a minute") == made
    assert await publish(first, "in an hour") == refusals.KeyReused()
    assert await publish(first, "in a minute", "other") == refusals.Exists("scheduled", same=True)
    shown = await store.show(sale.drop)
    assert shown is not None
    assert shown.manifest == first


async def test_nothing_is_published_under_the_name_of_the_shops_own_records(store: Store) -> None:
    outcome = await Sale(store, "house").publish(manifest("house"))
    assert isinstance(outcome, refusals.BadMessage)
    assert "must not be house" in outcome.for_operator() + str(outcome)
    assert await store.show(DropId("house")) is None
    assert "house" not in await store.drops()
