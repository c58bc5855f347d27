"""In a lobby: who joins stands in the list that chance will order, and nobody gets anything yet."""

from __future__ import annotations

from dropengine import events, outcomes, refusals, wire
from dropengine.model import FanId
from dropengine.truth.command_rows import join_row
from tests.conftest import MakeSale
from tests.kit.manifests import item

NONCE = "ab" * 16


async def test_a_join_makes_an_entry_without_an_arrival_and_a_press_is_refused(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="lobby")
    outcome = await sale.join("ada")
    assert isinstance(outcome, outcomes.Joined)
    assert (outcome.id, outcome.entry.n, outcome.entry.ready) == ("e1", 0, [0])
    assert await sale.hold("ada") == refusals.NotOpen()
    truth = await sale.truth()
    assert (truth.places, truth.ready, truth.drop["entered"]) == ({}, {}, "1")


async def test_who_enters_twice_stands_there_once(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="collect")
    await sale.entered("ada", "ada")
    assert (await sale.truth()).drop["entered"] == "1"


async def test_tickets_and_nonce_are_told_and_no_more_tickets_than_the_rules_say(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="draw", tickets_most=3)
    await sale.entered("ada", tickets=2, nonce=NONCE)
    await sale.entered("ben", tickets=9)
    ada, ben = [e for e in await sale.log() if isinstance(e, events.Joined)]
    assert (ada.n, ada.tickets, ada.nonce) == (0, 2, NONCE)
    assert (ben.n, ben.tickets, ben.nonce) == (0, 3, "")


async def test_a_repeat_with_another_nonce_is_another_command(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    told: list[object] = []
    for nonce in (NONCE, NONCE, ""):
        join = wire.Join(id=0, key="k", pools=["pin"], qty=1, nonce=nonce)
        rows = [join_row(FanId("ada"), join, 1)]
        told += await sale.store.press_rows(sale.drop, rows, clock_ms=sale.now)
    assert [type(answer) for answer in told] == [
        *(outcomes.Joined, outcomes.Joined),
        refusals.KeyReused,
    ]


async def test_who_leaves_before_the_seal_is_struck_off(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    ada, _ = await sale.entered("ada", "ben")
    assert isinstance(await sale.leave("ada", ada), outcomes.Left)
    truth = await sale.truth()
    assert (truth.drop["entered"], truth.entries[ada].tickets) == ("1", 0)
    # She may come back, as a new entry.
    assert await sale.entered("ada") == ["e3"]


async def test_who_leaves_after_the_seal_keeps_an_arrival_at_which_nobody_stands(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), mode="lobby")
    ada, ben = await sale.entered("ada", "ben")
    await sale.creator("seal")
    assert isinstance(await sale.leave("ada", ada), outcomes.Left)
    right = await sale.in_order()
    assert sorted(right) == [ada, ben]
    truth = await sale.truth()
    assert truth.entries[ada].n == right.index(ada) + 1
    assert (truth.entries[ada].state, truth.entries[ben].state) == ("left", "offered")


async def test_a_guests_place_in_the_list_becomes_the_persons(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.entered("ada", "pia")
    await sale.adopt("ada", "pia")
    # She entered before as a guest: the later one is struck off.
    truth = await sale.truth()
    assert (truth.drop["entered"], truth.entries["e1"].fan) == ("1", "pia")
    assert truth.entries["e2"].state == "removed"


async def test_of_two_arrivals_that_chance_gave_the_earlier_stays(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}), mode="lobby")
    await sale.entered("ada", "pia", "bo", "cy")
    await sale.creator("seal")
    right = await sale.in_order()
    await sale.adopt("ada", "pia")
    first = next(entry for entry in right if entry in ("e1", "e2"))
    entries = (await sale.truth()).entries
    assert entries[first].state in ("waiting", "offered")
    assert {entries["e1"].state, entries["e2"].state} & {"removed"}


async def test_a_cancelled_lobby_is_over(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.entered("ada")
    assert isinstance(await sale.creator("cancel"), outcomes.Changed)
    sale.now += 10_000_000
    assert (await sale.settle()).state == "cancelled"
    assert (await sale.truth()).due == {}
