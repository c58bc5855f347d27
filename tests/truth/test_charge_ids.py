"""What the provider calls the charges that a log numbers: told twice, lost in part, found again."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes
from dropengine.log.layouts import NUMBERS_CHARGES
from dropengine.log.referee import judge
from dropengine.model import BY_ID
from dropengine.truth import charge_ids, keys, repair
from tests.conftest import MakeSale
from tests.kit import older_layouts
from tests.kit.freezing import freeze
from tests.kit.manifests import item
from tests.kit.sale import Sale


def key(sale: Sale) -> str:
    return keys.one(sale.drop, "charge_ids")


async def paid(sale: Sale, *named: tuple[str, str]) -> list[str]:
    """(fan, what the provider calls his charge): holds that were bought."""
    holds = []
    for fan, charge in named:
        holds.append(await sale.held(fan))
        assert isinstance(await sale.succeeded(holds[-1], charge), outcomes.Paid)
    return holds


async def test_charges_are_numbered_as_the_drop_hears_of_them(sale: Sale) -> None:
    (hold,) = await paid(sale, ("ana", "ch_x"))
    await sale.succeeded(hold, "ch_second")
    log = await sale.log()
    told = [event.charge for event in log if isinstance(event, charge_ids.TOLD)]
    assert told == ["c1", "c2"]
    assert set(await sale.store.duties(sale.drop)) == {
        "capture:p1",
        "cancel:p1",
        "void:c2",
    }
    assert await sale.store.charge_ids.all(sale.drop) == {"c1": "ch_x", "c2": "ch_second"}
    assert await sale.store.charge_ids.missing(sale.drop) == {}


async def test_what_a_provider_calls_as_we_call_another_is_no_other(sale: Sale) -> None:
    """Its `c2` is our c1: the words are alike and mean two things."""
    first, second = await paid(sale, ("ana", "c2"), ("ben", "c1"))
    truth = await sale.truth()
    assert truth.charges == {
        "c1": f"paid|p1|{first}|2400",
        "c2": f"paid|p2|{second}|2400",
    }
    again = await sale.succeeded(first, "c2")
    assert isinstance(again, outcomes.Paid)
    assert again.sold == [first]
    assert len((await sale.truth()).charges) == 2


async def test_a_charge_that_is_not_known_is_not_judged_while_an_id_is_lost(sale: Sale) -> None:
    """It may be the one that bought the pin: as a second payment it would go back."""
    (hold,) = await paid(sale, ("ana", "ch_x"))
    other = await sale.held("ben")
    await sale.store.client.delete(key(sale))
    before = await sale.log()
    for told in ((hold, "ch_x"), (other, "ch_y")):
        assert await sale.succeeded(*told) == outcomes.Unnamed()
    assert await sale.log() == before
    assert await sale.store.charge_ids.missing(sale.drop) == {"c1": f"paid|p1|{hold}|2400"}
    assert await sale.store.charge_ids.name(sale.drop, {"c1": "ch_x"}) == 1
    assert isinstance(await sale.succeeded(hold, "ch_x"), outcomes.Paid)
    assert isinstance(await sale.succeeded(other, "ch_y"), outcomes.Paid)
    assert await sale.store.charge_ids.all(sale.drop) == {"c1": "ch_x", "c2": "ch_y"}


@pytest.mark.parametrize("lost", ["c1", f"{BY_ID}ch_x"])
async def test_one_way_alone_is_lost_too(sale: Sale, lost: str) -> None:
    (hold,) = await paid(sale, ("ana", "ch_x"))
    await sale.store.client.hdel(key(sale), lost)
    assert await sale.store.charge_ids.missing(sale.drop) == {"c1": f"paid|p1|{hold}|2400"}
    assert await sale.succeeded(hold, "ch_z") == outcomes.Unnamed()


@pytest.mark.parametrize(
    "ids", [{"c3": "ch_z"}, {"c1": "ch_z"}, {"c2": "ch_x"}], ids=["no charge", "another", "taken"]
)
async def test_only_what_is_missing_is_written(sale: Sale, ids: dict[str, str]) -> None:
    """NAMED: of charges there are, by ids that nobody else has."""
    await paid(sale, ("ana", "ch_x"), ("ben", "ch_y"))
    await sale.store.client.hdel(key(sale), "c2", f"{BY_ID}ch_y")
    assert await sale.store.charge_ids.name(sale.drop, ids) == 0
    assert await sale.store.charge_ids.all(sale.drop) == {"c1": "ch_x"}


async def test_nothing_is_named_in_a_drop_that_is_not_there(sale: Sale) -> None:
    """NOT_FOUND."""
    await sale.store.client.delete(*keys.of(sale.drop))
    assert await sale.store.charge_ids.name(sale.drop, {"c1": "ch_x"}) == 0


@pytest.mark.parametrize("layout", range(1, NUMBERS_CHARGES))
async def test_a_drop_from_before_keeps_its_names_and_numbers_what_is_new(
    make_sale: MakeSale, layout: int
) -> None:
    """Whoever pays after the shop was renewed is numbered behind what was told before, past names
    that look like a number."""
    sale = await make_sale(item("pin", {"pin": 9}))
    (first,) = await paid(sale, ("ana", "c1"))
    await older_layouts.lowered(sale.store.client, sale.drop, layout)
    assert await sale.store.charge_ids.all(sale.drop) == {"c1": "c1"}
    assert await sale.store.charge_ids.missing(sale.drop) == {}
    again = await sale.succeeded(first, "c1")
    assert isinstance(again, outcomes.Paid)
    assert again.sold == [first]
    (second,) = await paid(sale, ("ben", "ch_y"))
    assert await sale.store.charge_ids.all(sale.drop) == {"c1": "c1", "c2": "ch_y"}
    assert isinstance(await sale.succeeded(first, "ch_new"), outcomes.Voided)
    assert {*(await sale.store.duties(sale.drop))} == {
        *("capture:p1", "capture:p2", "void:c3"),
        *("cancel:p1", "cancel:p2"),
    }
    assert (await sale.truth()).orders[second].charge == "c2"
    log = [line async for line in sale.store.log(sale.drop)]
    assert judge(log).violations == []
    told = charge_ids.told_by_ids(map(events.parse, log))
    assert told == {"c1": "c1"}


async def test_a_number_is_no_name_that_an_older_layout_has_given(sale: Sale) -> None:
    """Its provider called the first charge `c2`: the second number is free, not that one."""
    (first,) = await paid(sale, ("ana", "ch_x"))
    client, drop = sale.store.client, sale.drop
    truth = await sale.truth()
    order = truth.orders[first]
    order.charge = "c2"
    await client.delete(key(sale), keys.one(drop, "charges"), keys.one(drop, "outbox"))
    await client.hset(keys.one(drop, "charges"), "c2", f"sold|{first}")
    await client.hset(keys.one(drop, "drop"), "schema", 4)
    await paid(sale, ("ben", "ch_y"))
    assert set((await sale.truth()).charges) == {"c2", "c3"}
    assert await sale.store.charge_ids.all(drop) == {"c2": "c2", "c3": "ch_y"}


async def test_repairing_a_drop_leaves_what_no_log_tells(sale: Sale) -> None:
    (hold,) = await paid(sale, ("ana", "ch_x"))
    await freeze(sale)
    await sale.store.client.hdel(keys.one(sale.drop, "charges"), "c1")
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    await repair.rewrite(sale.store, found)
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    await repair.thaw(sale.store, found, by="o1", key="thaw", clock_ms=sale.now)
    assert isinstance(await sale.succeeded(hold, "ch_x"), outcomes.Paid)
    assert await sale.store.charge_ids.missing(sale.drop) == {}
