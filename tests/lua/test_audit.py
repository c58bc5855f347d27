"""Rows of `audit`: the truth read in parts, at one moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
import redis.asyncio as redis

from dropengine.log.replay import Truth
from dropengine.model import DropId
from dropengine.truth import keys
from dropengine.truth.audit import at_one_moment
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, OFFER_MS, START_MS, item
from tests.kit.raw_replies import raw
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


async def torn(
    sale: Sale, after: str, change: Callable[[], Awaitable[object]]
) -> tuple[Truth, int]:
    """The truth, read while something changes it once, after the part of that name was read; and
    how many parts it took."""
    parts: list[str] = []

    async def once(verb: str, names: Sequence[str], args: Sequence[bytes | str | int]) -> object:
        reply = await sale.store._once(verb, names, args)
        parts.append(names[-1])
        if parts.count(keys.one(sale.drop, after)) == 1 and names[-1] == keys.one(sale.drop, after):
            await change()
        return reply

    truth = await at_one_moment(once, sale.drop, 5)
    assert truth is not None
    return truth, len(parts)


async def cooling(sale: Sale, fans: int) -> list[str]:
    """Entries of so many fans that cool until the same moment, which comes next."""
    await sale.creator("pause")
    entries = [await sale.joined(f"fan-{i}") for i in range(fans)]
    await sale.creator("resume")
    sale.now += OFFER_MS
    while (await sale.truth()).entries[entries[-1]].lapses == 0:
        await sale.settle()
    # Nobody is called at the end of it, which would be told.
    await sale.creator("pause")
    sale.now += COOL_MS
    return entries


@pytest.mark.parametrize("after", keys.TRUTH[:-1])
async def test_what_the_end_of_a_cooling_tears_is_read_again(
    make_sale: MakeSale, after: str
) -> None:
    """It leaves no event, so the log is as long as before."""
    sale = await make_sale(item("pin", {"pin": 1}))
    (entry,) = await cooling(sale, 1)
    truth, parts = await torn(sale, after, sale.settle)
    assert truth == await sale.truth()
    assert parts >= len(keys.TRUTH)
    assert bool(truth.entries[entry].cool_ms) == (f"e:{entry}" in truth.due)


async def test_many_coolings_that_end_at_one_moment_are_not_mixed_up(make_sale: MakeSale) -> None:
    """More than one script does at once: the clock stands still between them."""
    sale = await make_sale(item("pin", {"pin": 100}), opened=False)
    await sale.creator("open")
    await sale.creator("pause")
    entries = [await sale.joined(f"fan-{i}") for i in range(100)]
    await sale.creator("resume")
    await sale.settle()
    sale.now += OFFER_MS
    await sale.settle()
    at = sale.now
    await sale.creator("pause")
    sale.now = at + COOL_MS
    assert (await raw(sale, "settle"))[0] == "AGAIN"

    async def one_round_more() -> None:
        await raw(sale, "settle")

    truth, parts = await torn(sale, "entries", one_round_more)
    assert parts > len(keys.TRUTH)
    assert [truth.entries[entry].cool_ms for entry in entries] == [0] * 100
    assert truth.due == {}


async def test_a_time_that_was_for_nothing_is_not_read_in_halves(make_sale: MakeSale) -> None:
    """A drop that closes before it was opened drops that time without an event."""
    sale = await make_sale(opened=False, closes_ms=START_MS + 60_000)
    sale.now += 60_000
    truth, parts = await torn(sale, "due", sale.settle)
    assert parts == 2 * len(keys.TRUTH)
    assert truth == await sale.truth()


async def test_the_truth_is_read_at_a_full_server(sale: Sale, client: redis.Redis) -> None:
    await sale.held("ana")
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    await client.config_set("maxmemory", 1)
    try:
        truth, shown = await sale.truth(), await sale.store.show(sale.drop)
        log, hold = await sale.log(), await sale.store.hold(sale.drop, "h1")
        outbox = await sale.store.outbox(sale.drop)
    finally:
        await client.config_set("maxmemory", before)
    assert len(truth.holds) == 1
    assert (shown is None, len(log), hold is None, outbox.duties) == (False, 3, False, {})
