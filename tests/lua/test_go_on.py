"""Rows of `go_on`: a full server finishes what it began."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
import redis.asyncio as redis

from dropengine import outcomes, refusals, wire
from dropengine.errors import Unavailable
from dropengine.truth.store import CarriedRow, Store
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, carrying, item, manifest
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import by_ways

BUFFER_BYTES = 1


@pytest.fixture
async def full(sale: Sale, client: redis.Redis) -> AsyncIterator[Sale]:
    """The sale of a server that gets full when the test calls `fill`."""
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    yield sale
    await client.config_set("maxmemory", before)


async def fill(sale: Sale) -> None:
    await sale.store.client.config_set("maxmemory", BUFFER_BYTES)


async def test_a_full_server_begins_nothing_and_says_away(full: Sale) -> None:
    await fill(full)
    assert await full.hold("ana") == refusals.Away()
    assert await full.join("ana") == refusals.Away()
    assert len(await full.log()) == 2


async def test_what_a_fan_holds_is_paid_extended_and_given_back(full: Sale) -> None:
    paid, given = await full.held("ana"), await full.held("bo")
    await fill(full)
    assert isinstance(await full.extend("ana", paid), outcomes.Extended)
    assert isinstance(await full.pay("ana", paid), outcomes.Paying)
    assert isinstance(await full.release("bo", given), outcomes.Released)
    assert isinstance(await full.succeeded(paid), outcomes.Paid)
    assert isinstance(await full.discharge("capture:p1"), outcomes.Discharged)
    assert isinstance(await full.refund(paid), outcomes.Refunded)


async def test_a_place_of_an_earlier_drop_is_confirmed(full: Sale) -> None:
    sale = Sale(full.store, f"{full.drop}-next")
    await sale.publish(carrying(manifest(sale.drop)))
    await sale.carry(CarriedRow("e5", "ana", 1, ["pin"]))
    await fill(full)
    assert isinstance(await sale.confirm("ana", "e1"), outcomes.Confirmed)
    await sale.creator("cancel")
    assert await sale.confirm("ana", "e1") == refusals.Cancelled()


async def test_in_a_drop_that_closes_nobody_is_asked(full: Sale) -> None:
    sale = Sale(full.store, f"{full.drop}-next")
    await sale.publish(carrying(manifest(sale.drop)))
    await sale.carry(CarriedRow("e5", "ana", 1, ["pin"]))
    await sale.creator("open")
    await sale.creator("close")
    await fill(full)
    assert await sale.confirm("ana", "e1") == refusals.Closed()


async def test_an_offer_is_claimed_and_an_entry_left(full: Sale) -> None:
    buying, waiting = await full.called("ana"), await full.held("di", qty=2)
    queued = await full.joined("bo")
    offer = (await full.truth()).entries[buying].hold
    await fill(full)
    assert isinstance(await full.claim("ana", offer), outcomes.Claimed)
    assert isinstance(await full.leave("bo", queued), outcomes.Left)
    assert isinstance(await full.release("di", waiting), outcomes.Released)


async def test_a_batch_on_a_full_server_is_decided_in_part(full: Sale) -> None:
    hold = await full.held("ana")
    await fill(full)
    answers = await full.batch(
        ("bo", wire.Hold(id=0, key="b", pool="pin", qty=1)),
        ("ana", wire.Pay(id=0, key="a", holds=[hold])),
        ("cy", wire.Join(id=0, key="c", pools=["pin"], qty=1)),
    )
    assert [type(answer) for answer in answers] == [refusals.Away, outcomes.Paying, refusals.Away]


async def test_a_full_server_still_settles_and_can_be_paused_and_closed(full: Sale) -> None:
    hold = await full.held("ana")
    await full.pay("ana", hold)
    await fill(full)
    full.now += HOLD_MS
    await full.settle()
    full.now += LOOKUP_MS
    await full.settle()
    assert (await full.words())[-1] == "expired"
    assert isinstance(await full.creator("pause"), outcomes.Changed)
    assert isinstance(await full.creator("close"), outcomes.Changed)


async def test_a_full_server_publishes_and_opens_nothing(full: Sale) -> None:
    await fill(full)
    with pytest.raises(Unavailable):
        await full.creator("add", pool="pin", qty=1)


async def test_what_has_ended_or_is_anothers_cannot_go_on(sale: Sale) -> None:
    hold = await sale.held("ana")
    sale.now += HOLD_MS
    batch = [["release", "ana", "k", hold], ["claim", "bo", "k", hold]]
    _, _, _, answers = await raw(sale, "go_on", msgspec.msgpack.encode(batch))
    assert answers == [["HOLD_EXPIRED", "expired"], ["NOT_FOUND"]]


async def test_a_cancelled_drop_goes_on_with_nothing(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    hold = await sale.held("ana")
    await sale.creator("cancel")
    _, _, _, answers = await raw(
        sale, "go_on", msgspec.msgpack.encode([["pay", "ana", "k", [hold], "", ["", 0]]])
    )
    assert answers == [["CANCELLED"]]


async def test_a_payment_is_given_up_and_what_is_paid_is_told(full: Sale) -> None:
    """PAYING_ALREADY."""
    hold, other = await full.held("ana"), await full.held("ana", qty=2)
    await full.pay("ana", hold)
    await fill(full)
    assert await full.pay("ana", hold, other) == refusals.Paying("p1")
    assert await full.pay("ana", other, way="post") == refusals.NotFound()
    assert isinstance(await full.unpay("ana", "p1"), outcomes.Unpaying)


async def test_the_rules_of_ways_and_hands_hold_on_a_full_server_too(
    full: Sale, store: Store
) -> None:
    """BAD_MESSAGE and HAND_FULL."""
    sale = await by_ways(store, f"{full.drop}-ways")
    hold = await sale.held("ana", qty=3)
    await fill(full)
    assert isinstance(await sale.pay("ana", hold), refusals.BadMessage)
    assert await sale.pay("ana", hold, way="post", provider="by_hand") == refusals.HandFull(1)
