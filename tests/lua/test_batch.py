"""A batch of `press`: its reading, and the bytes that it writes."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals, wire
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale

REPACK = "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))"


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 256])
async def test_a_batch_of_any_size_is_answered_one_by_one(make_sale: MakeSale, count: int) -> None:
    sale = await make_sale(item("pin", {"pin": 300}))
    answers = await sale.batch(
        *((f"fan{i}", wire.Hold(0, f"k{i}", "pin", 1)) for i in range(count))
    )
    assert [o.hold.fan for o in answers if isinstance(o, outcomes.Held)] == [
        f"fan{i}" for i in range(count)
    ]
    assert await sale.counts() == (300 - count, count, 0, 0)


async def test_commands_of_different_lengths_share_a_batch(make_sale: MakeSale) -> None:
    pools = {f"pool{n}": 1 for n in range(16)}
    sale = await make_sale(item("pin", pools), limit=20)
    hold, *_ = [await sale.held("ana", pool) for pool in pools]
    joined, released, held, unknown = await sale.batch(
        ("bo", wire.Join(0, "k-2", list(pools), 1)),
        ("ana", wire.Release(0, "k-1", hold)),
        ("cy", wire.Hold(0, "k-3", "pool0", 1)),
        ("di", wire.Leave(0, "k-4", "e99")),
    )
    assert isinstance(released, outcomes.Released)
    assert isinstance(joined, outcomes.Joined)
    assert joined.entry.pools == list(pools)
    # The line is served at the batch's end: an outcome tells the entry as it stands then.
    assert joined.entry.state == "offered"
    assert held == refusals.AllHeld(free=0, held=0)
    assert unknown == refusals.NotFound()


async def test_the_hold_in_an_outcome_is_as_the_batch_left_it(sale: Sale) -> None:
    hold = await sale.held("ana")
    extended, paying = await sale.batch(
        ("ana", wire.Extend(0, "k-1", hold)), ("ana", wire.Pay(0, "k-2", [hold]))
    )
    assert isinstance(extended, outcomes.Extended)
    assert isinstance(paying, outcomes.Paying)
    assert (extended.seq, paying.seq) == (4, 6)
    assert extended.hold == paying.holds[0][1] == (await sale.truth()).holds[hold]


async def test_a_hold_that_ends_in_its_own_batch_is_told_as_ended(sale: Sale) -> None:
    press = wire.Hold(0, "k-1", "pin", 1)
    held, repeat, released, bystander = await sale.batch(
        ("ana", press),
        ("ana", press),
        ("ana", wire.Release(0, "k-2", "h1")),
        ("bo", wire.Hold(0, "k-3", "pin", 1)),
    )
    assert isinstance(held, outcomes.Held)
    assert isinstance(repeat, outcomes.Held)
    assert isinstance(released, outcomes.Released)
    assert held.hold == repeat.hold == released.hold == (await sale.truth()).holds["h1"]
    assert held.hold.state == "released"
    assert isinstance(bystander, outcomes.Held)
    assert bystander.hold.state == "active"


async def test_who_guesses_an_id_does_not_hide_the_hold_that_gets_it(sale: Sale) -> None:
    *guesses, ana, bo, extended, paying = await sale.batch(
        ("mal", wire.Release(0, "k-1", "h1")),
        ("mal", wire.Release(0, "k-2", "h2")),
        ("ana", wire.Hold(0, "k-3", "pin", 1)),
        ("bo", wire.Hold(0, "k-4", "pin", 1)),
        ("ana", wire.Extend(0, "k-5", "h1")),
        ("ana", wire.Pay(0, "k-6", ["h1"])),
    )
    assert guesses == [refusals.NotFound(), refusals.NotFound()]
    holds = (await sale.truth()).holds
    assert isinstance(extended, outcomes.Extended)
    assert isinstance(paying, outcomes.Paying)
    assert isinstance(ana, outcomes.Held)
    assert isinstance(bo, outcomes.Held)
    assert ana.hold == extended.hold == paying.holds[0][1] == holds["h1"]
    assert bo.hold == holds["h2"]


async def test_a_repeat_and_an_end_in_one_batch_tell_the_same_hold(sale: Sale) -> None:
    await sale.hold("ana", key="k-1")
    repeat, released = await sale.batch(
        ("ana", wire.Hold(0, "k-1", "pin", 1)), ("ana", wire.Release(0, "k-2", "h1"))
    )
    assert isinstance(repeat, outcomes.Held)
    assert isinstance(released, outcomes.Released)
    assert repeat.hold == released.hold


async def test_a_hold_of_this_batch_answers_a_second_press_of_its_fan(sale: Sale) -> None:
    press = wire.Hold(0, "k-1", "pin", 1)
    first, repeat, other_key, other_body = await sale.batch(
        ("ana", press),
        ("ana", press),
        ("ana", wire.Hold(0, "k-2", "pin", 1)),
        ("ana", wire.Hold(0, "k-1", "pin", 2)),
    )
    assert isinstance(first, outcomes.Held)
    again = outcomes.Held(first.id, first.hold, first.seq, first.seq)
    assert (repeat, other_key, other_body) == (again, again, refusals.KeyReused())
    assert await sale.counts() == (2, 1, 0, 0)


@pytest.mark.parametrize("length", [1, 31, 32, 64])
async def test_what_is_joined_from_parts_is_what_the_server_would_pack(
    make_sale: MakeSale, length: int
) -> None:
    sale = await make_sale(item("pin", {f"pin{n}": 5 for n in range(18)}), limit=40)
    fan, key = "f" * length, "k" * length
    for n in range(18):
        assert isinstance(
            await sale.hold(fan, f"pin{n}", key=key[1:] + "xyz"[n % 3] + str(n)), outcomes.Held
        )
        await _check(sale)
    await sale.batch(
        (fan, wire.Release(0, key, "h1")),
        (fan, wire.Extend(0, key, "h2")),
        (fan, wire.Pay(0, key, ["h3"])),
        ("bo", wire.Hold(0, key, "pin1", 3)),
    )
    await _check(sale)


async def _check(sale: Sale) -> None:
    for kind in ("fans", "holds"):
        for raw in (await sale.store.client.hgetall(keys.one(sale.drop, kind))).values():
            assert await sale.store.client.eval(REPACK, 0, raw) == raw
