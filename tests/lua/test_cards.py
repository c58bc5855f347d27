"""A limit is one of each card too, where the provider tells them apart."""

from __future__ import annotations

from dropengine import events, outcomes
from dropengine.log.referee import judge
from dropengine.truth.networks import card_name
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale


async def cards(sale: Sale) -> dict[str, int]:
    rows = await sale.store.fields(sale.drop, "networks")
    return {name: int(count) for name, count in rows.items() if name[0] == "k" and name != "key"}


async def test_one_card_buys_no_more_for_many_than_one_person_may_have(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 9}), limit=2)
    bought = [await sale.held(f"f{n}") for n in range(2)]
    third = await sale.held("f2")
    for hold in bought:
        assert isinstance(await sale.succeeded(hold, card="visa"), outcomes.Paid)
    voided = await sale.succeeded(third, "c-first", card="visa")
    assert isinstance(voided, outcomes.Voided)
    assert voided.why == "limit"
    # It goes back, what is held stays held, and is paid anew by another card.
    assert "void:c3" in await sale.store.duties(sale.drop)
    await sale.pay("f2", third)
    assert isinstance(await sale.succeeded(third, "c-other", card="master"), outcomes.Paid)
    # Said again, it is answered the same.
    again = await sale.succeeded(third, "c-first", card="visa")
    assert isinstance(again, outcomes.Voided)
    assert again.why == "limit"
    assert sorted((await cards(sale)).values()) == [1, 2]

    # What was paid back counts no more; of a card that nobody knows nothing is counted.
    await sale.refund(bought[0])
    fourth, fifth = await sale.held("f3"), await sale.held("f4")
    assert isinstance(await sale.succeeded(fourth, card="visa"), outcomes.Paid)
    assert isinstance(await sale.succeeded(fifth), outcomes.Paid)
    key = (await sale.store.fields(sale.drop, "networks"))["key"].decode()
    named = [e.card for e in await sale.log() if isinstance(e, events.Sold)]
    assert named == [card_name(key, "visa")] * 2 + [
        card_name(key, "master"),
        card_name(key, "visa"),
        "",
    ]
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    # A log in which that card bought once more, or was turned away for nothing, is blamed.
    forged = [line.replace(named[2].encode(), named[0].encode()) for line in lines]
    assert {one.inv for one in judge(forged).violations} == {"INV-6"}
    idle = [line.replace(b'"limit":2', b'"limit":3') for line in lines]
    assert "INV-10" in {one.inv for one in judge(idle).violations}

    # With the key goes whatever could tell whose card it was.
    await sale.creator("close")
    await sale.settle()
    assert await sale.store.fields(sale.drop, "networks") == {}


async def test_a_card_that_is_full_rescues_nothing_and_the_next_one_may(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), limit=1)
    assert isinstance(await sale.succeeded(await sale.held("a"), card="visa"), outcomes.Paid)
    late = await sale.held("b")
    await sale.pay("b", late)
    sale.now += 10_000_000
    await sale.settle()
    await sale.unpaid(late)
    sale.now += 10_000_000
    await sale.settle()
    voided = await sale.succeeded(late, "c-visa", card="visa")
    assert isinstance(voided, outcomes.Voided)
    assert (voided.why, voided.entry) == ("limit", "")
    assert isinstance(await sale.succeeded(late, "c-own", card="own"), outcomes.Paid)
    assert judge([line async for line in sale.store.log(sale.drop)]).violations == []
