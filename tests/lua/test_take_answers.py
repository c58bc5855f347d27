"""Rows of `take_answers`: a key is remembered until a day after what it made has ended."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals, wire
from dropengine.model import KEPT_MS, DropId, FanId
from dropengine.truth.replies import PartOut
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.long_ago import BEYOND_MS, a_day_passes
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, PAY_MS, item
from tests.kit.sale import Sale


async def take(sale: Sale) -> object:
    return await sale.store.past.take_answers(sale.drop, "0", clock_ms=sale.now)


async def take_holds(sale: Sale) -> object:
    nothing = await sale.store.past.charges_for_nothing(sale.drop)
    return await sale.store.past.take_holds(sale.drop, nothing, "0", clock_ms=sale.now)


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    return await make_sale(item("pin", {"pin": 9}, most=9), limit=9)


async def test_a_key_is_remembered_for_a_day_and_then_it_is_new(sale: Sale) -> None:
    """TAKEN_OUT."""
    await sale.hold("ana", key="k")
    sale.now += BEYOND_MS
    assert await take(sale) == PartOut(0, "0")
    sale.now += 86_399_999
    assert await take(sale) == PartOut(0, "0")
    again = await sale.hold("ana", key="k")
    assert isinstance(again, outcomes.Held)
    assert (again.id, again.hold.state) == ("h1", "expired")
    sale.now += 1
    assert await take(sale) == PartOut(1, "0")
    anew = await sale.hold("ana", key="k")
    assert isinstance(anew, outcomes.Held)
    assert anew.id == "h2"


async def test_the_day_of_a_hold_that_is_asked_about_begins_with_its_hard_stop(sale: Sale) -> None:
    await sale.hold("ana", key="k")
    await sale.pay("ana", "h1")
    sale.now += HOLD_MS + PAY_MS
    await take(sale)
    sale.now += LOOKUP_MS
    await sale.settle()
    sale.now += KEPT_MS - 1
    assert await take(sale) == PartOut(0, "0")
    await take(sale)
    sale.now += KEPT_MS
    assert await take(sale) == PartOut(1, "0")


async def test_every_key_that_was_answered_with_the_hold_leaves(sale: Sale) -> None:
    """Also those of a second tab and of a join."""
    for key in ("k1", "k2", "k3"):
        await sale.hold("ana", key=key)
    await sale.join("bo", "pin", key="k1")
    await a_day_passes(sale)
    assert await take(sale) == PartOut(4, "0")


async def test_keys_of_what_stands_of_places_and_of_creators_are_kept(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), item("cup", {"cup": 1}))
    order = await sale.bought("ana")
    await sale.refund(order, key="refund")
    await sale.creator("pause")
    await sale.join("bo", "pin", key="place")
    await sale.creator("resume")
    await a_day_passes(sale)
    await sale.hold("ana", "cup", key="new")
    await take(sale)
    made = await sale.store.client.hkeys(f"{{{sale.drop}}}:answers")
    fans = {name for name in made if not name.startswith(b"@")}
    assert fans == {b"bo:place", b"ana:new"}
    assert await sale.refund(order, key="refund") == await sale.refund(order, key="refund")
    assert isinstance(await sale.join("bo", "pin", key="place"), outcomes.Joined)


async def test_a_key_whose_hold_left_before_it_is_as_new(sale: Sale) -> None:
    """A hold may leave an hour before its keys are gone through."""
    await sale.hold("ana", key="press")
    await sale.release("ana", "h1")
    await sale.join("ana", "pin", key="join")
    await sale.release("ana", "h2")
    await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    assert await take_holds(sale) == PartOut(2, "0")
    assert await sale.hold("ana", qty=2, key="press") == refusals.KeyReused()
    for verb, made in (("hold", "h4"), ("join", "h5")):
        key = "press" if verb == "hold" else "join"
        answer = await (sale.hold("ana", key=key) if verb == "hold" else sale.join("ana", key=key))
        assert isinstance(answer, outcomes.Held)
        assert answer.id == made
    assert await take(sale) == PartOut(1, "0")


async def test_what_was_pressed_twice_in_one_batch_is_as_new_once(sale: Sale) -> None:
    await sale.hold("ana", key="k")
    await sale.release("ana", "h1")
    await sale.release("ana", await sale.held("ana"))
    await a_day_passes(sale)
    await take_holds(sale)
    press = FanId("ana"), wire.Hold(id=0, key="k", pool="pin", qty=1)
    first, second = await sale.batch(press, press)
    assert isinstance(first, outcomes.Held)
    assert isinstance(second, outcomes.Held)
    assert first.id == second.id == "h3"


async def test_nothing_leaves_a_drop_that_somebody_has_to_look_at(sale: Sale) -> None:
    """FROZEN."""
    await sale.hold("ana", key="k")
    await a_day_passes(sale)
    await freeze(sale)
    assert await take(sale) == refusals.Frozen()
    # An older engine did not keep why.
    await sale.store.client.hdel(f"{{{sale.drop}}}:drop", "froze")
    assert await take(sale) == refusals.Frozen()


async def test_a_drop_that_is_not_there_stays_so(sale: Sale) -> None:
    """NOT_FOUND."""
    assert await take(Sale(sale.store, DropId("nowhere"))) == refusals.NotFound()


async def test_what_is_due_is_settled_first(make_sale: MakeSale) -> None:
    """AGAIN is what `Store` repeats."""
    sale = await make_sale(item("pin", {"pin": 100}), limit=1)
    for n in range(100):
        await sale.held(f"fan-{n}")
    sale.now += BEYOND_MS
    assert await take(sale) == PartOut(0, "0")
    assert (await sale.counts())[:2] == (100, 0)
