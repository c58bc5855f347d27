"""What is counted by network: unpaid holds and open entries, given back once however they end."""

from __future__ import annotations

from typing import Any

import pytest

from dropengine import outcomes, refusals, wire
from dropengine.live.views import tick
from dropengine.log.referee import judge
from dropengine.truth import keys, repair
from dropengine.truth.networks import NetworkNames, Whence
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.counted_networks import beside, counted, exempt, recounted
from tests.kit.freezing import freeze
from tests.kit.manifests import COOL_MS, HOLD_MS, LOOKUP_MS, OFFER_MS, PAY_MS, item
from tests.kit.sale import Sale

HALL: Whence = ("127.0.1.1", "127.0.1.0/24")
NEXT_DOOR = ("127.0.1.2", "127.0.1.0/24")
FAR: Whence = ("127.0.9.9", "127.0.9.0/24")
MOST = 2


async def in_hall(make_sale: MakeSale, pins: int = 20, **rules: int) -> Sale:
    """A drop in which a network may have two things, and everybody is in one hall but fay."""
    sale = await make_sale(item("pin", {"pin": pins}), network_most=MOST, **rules)
    sale.whence = dict.fromkeys(("ana", "bo", "cy", "di", "ed"), HALL) | {"fay": FAR}
    return sale


async def near(sale: Sale) -> int:
    """What the hall counts."""
    rows = await counted(sale)
    name = sale.names.of(HALL)[0]
    return rows.get(name, 0)


async def nothing_left(sale: Sale) -> None:
    assert await beside(sale) == {}
    assert await counted(sale) == {}


async def test_a_network_has_no_more_unpaid_holds_than_it_may(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    await sale.held("ana")
    await sale.held("bo")
    before = await sale.truth()
    refused = await sale.hold("cy")
    assert refused == refusals.NetworkFull(sale.names.of(HALL)[0], MOST)
    assert await sale.truth() == before
    await sale.held("fay")
    assert await counted(sale) == recounted(await beside(sale))


async def test_places_in_line_count_as_holds_do(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale, pins=1)
    await sale.held("fay")
    await sale.joined("ana")
    await sale.joined("bo")
    assert isinstance(await sale.join("cy"), refusals.NetworkFull)
    assert isinstance(await sale.hold("cy"), refusals.AllHeld)
    assert await near(sale) == MOST


async def test_who_asks_again_for_what_he_has_is_answered(make_sale: MakeSale) -> None:
    """Repeats and second tabs begin nothing."""
    sale = await in_hall(make_sale)
    first = await sale.hold("ana", key="once")
    await sale.held("bo")
    assert isinstance(await sale.hold("ana", key="once"), type(first))
    assert isinstance(await sale.hold("ana"), outcomes.Held)
    assert await near(sale) == MOST


async def test_the_wider_network_may_have_four_times_as_much(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    for i in range(4 * MOST):
        sale.whence[f"fan-{i}"] = (f"127.0.1.{i + 10}", HALL[1])
        await sale.held(f"fan-{i}")
    wide = sale.names.of(HALL)[1]
    assert await sale.hold("ana") == refusals.NetworkFull(wide, 4 * MOST)
    await sale.held("fay")


async def test_a_batch_sees_its_own_counts(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    answers = await sale.batch(
        *((fan, wire.Hold(0, sale.key(), "pin", 1)) for fan in ("ana", "bo", "cy", "di", "fay"))
    )
    granted = [isinstance(one, outcomes.Held) for one in answers]
    assert granted == [True, True, False, False, True]
    assert await counted(sale) == recounted(await beside(sale))


async def test_what_is_given_back_in_a_batch_is_free_at_once(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    hold = await sale.held("ana")
    await sale.held("bo")
    answers = await sale.batch(
        ("ana", wire.Release(0, sale.key(), hold)), ("cy", wire.Hold(0, sale.key(), "pin", 1))
    )
    assert [type(one) for one in answers] == [outcomes.Released, outcomes.Held]
    assert await near(sale) == MOST


async def released(sale: Sale, hold: str) -> None:
    await sale.release("ana", hold)
    await sale.release("ana", hold)


async def paid(sale: Sale, hold: str) -> None:
    await sale.succeeded(hold)
    await sale.succeeded(hold)
    await sale.succeeded(hold, "another")


async def ran_out(sale: Sale, _: str) -> None:
    sale.now += HOLD_MS
    await sale.settle()


async def rescued(sale: Sale, hold: str) -> None:
    await sale.pay("ana", hold)
    sale.now += HOLD_MS + PAY_MS
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert await near(sale) == 0
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)


async def found_unpaid(sale: Sale, hold: str) -> None:
    await sale.pay("ana", hold)
    sale.now += HOLD_MS + PAY_MS
    await sale.settle()
    assert await near(sale) == 1
    await sale.unpaid(hold)


async def refunded(sale: Sale, hold: str) -> None:
    await sale.succeeded(hold)
    await sale.refund(hold)


@pytest.mark.parametrize("way", [released, paid, ran_out, rescued, found_unpaid, refunded])
async def test_every_way_out_of_a_hold_gives_it_back_once(make_sale: MakeSale, way: Any) -> None:
    sale = await in_hall(make_sale)
    hold = await sale.held("ana")
    assert await near(sale) == 1
    await way(sale, hold)
    await nothing_left(sale)


async def offered(make_sale: MakeSale) -> tuple[Sale, str, str]:
    """The only unit is offered to ana, who stands in line."""
    sale = await in_hall(make_sale, pins=1)
    hold = await sale.held("fay")
    entry = await sale.joined("ana")
    await sale.release("fay", hold)
    (offer,) = (await sale.you("ana")).record.holds
    assert await near(sale) == 1
    return sale, entry, offer


async def left(sale: Sale, entry: str, _: str) -> None:
    await sale.leave("ana", entry)
    await sale.leave("ana", entry)


async def served(sale: Sale, _: str, offer: str) -> None:
    await sale.claim("ana", offer)
    assert await near(sale) == 1
    await sale.succeeded(offer)


async def lapsed_twice(sale: Sale, _: str, __: str) -> None:
    sale.now += OFFER_MS
    await sale.settle()
    assert await near(sale) == 1
    sale.now += COOL_MS
    await sale.settle()
    sale.now += OFFER_MS
    await sale.settle()


async def left_with_the_unit(sale: Sale, entry: str, offer: str) -> None:
    """Whoever leaves the line keeps what he has taken: that counts in the place of his place."""
    await sale.claim("ana", offer)
    await sale.leave("ana", entry)
    assert list(await beside(sale)) == [offer]
    assert await near(sale) == 1
    await sale.release("ana", offer)


async def bought_elsewhere(sale: Sale, _: str, offer: str) -> None:
    await sale.pay("ana", offer)
    await sale.succeeded(offer)


@pytest.mark.parametrize("way", [left, served, lapsed_twice, left_with_the_unit, bought_elsewhere])
async def test_every_way_out_of_the_line_gives_it_back_once(make_sale: MakeSale, way: Any) -> None:
    sale, entry, offer = await offered(make_sale)
    await way(sale, entry, offer)
    await nothing_left(sale)


async def test_who_has_all_he_may_is_removed_and_counts_no_more(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale, pins=2, limit=1)
    hold = await sale.held("ana")
    other = await sale.held("fay")
    await sale.joined("ana")
    assert await near(sale) == 2
    await sale.succeeded(hold)
    await sale.release("fay", other)
    await nothing_left(sale)


async def test_a_guest_who_becomes_a_person_counts_as_before(make_sale: MakeSale) -> None:
    """Of his two places one ends, and what he holds stays counted where it was begun."""
    sale = await in_hall(make_sale, pins=2)
    sale.whence["fay"] = FAR
    others = [await sale.held("di"), await sale.held("fay")]
    await sale.joined("ana")
    await sale.joined("fay")
    assert len(await beside(sale)) == 4
    await sale.adopt("ana", "fay")
    assert len(await beside(sale)) == 3
    assert await counted(sale) == recounted(await beside(sale))
    await sale.release("di", others[0])
    assert await counted(sale) == recounted(await beside(sale))


async def test_an_offer_that_a_merged_place_had_stays_counted(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale, pins=1)
    hold = await sale.held("fay")
    await sale.joined("bo")
    await sale.joined("ana")
    first = await sale.truth()
    assert len(first.entries) == 2
    await sale.release("fay", hold)
    (offer,) = (await sale.you("bo")).record.holds
    # ana's place is the later one; bo's has the offer and stays.
    await sale.adopt("bo", "ana")
    assert await counted(sale) == recounted(await beside(sale))
    await sale.claim("ana", offer)
    await sale.succeeded(offer)
    await nothing_left(sale)


async def test_all_of_it_is_deleted_with_its_key_when_the_drop_is_settled(
    make_sale: MakeSale,
) -> None:
    sale = await in_hall(make_sale)
    await sale.held("ana")
    await sale.held("bo")
    await sale.hold("cy")
    await sale.creator("close")
    names = [keys.one(sale.drop, name) for name in ("networks", "crowded")]
    assert await sale.store.client.exists(*names) == 2
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.truth()).drop["state"] == "settled"
    assert await sale.store.client.exists(*names) == 0
    assert isinstance(await sale.hold("cy"), refusals.Closed)
    assert await sale.store.client.exists(*names) == 0


async def test_all_of_it_is_deleted_when_the_drop_is_cancelled(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    await sale.held("ana")
    await sale.bought("bo")
    await sale.creator("cancel")
    await sale.settle()
    names = [keys.one(sale.drop, name) for name in ("networks", "crowded")]
    assert await sale.store.client.exists(*names) == 0


async def test_where_no_network_is_counted_nothing_is_written(make_sale: MakeSale) -> None:
    sale = await make_sale()
    sale.whence = {"ana": HALL}
    hold = await sale.held("ana")
    await sale.release("ana", hold)
    assert await sale.store.client.exists(keys.one(sale.drop, "networks")) == 0


async def test_two_workers_count_by_one_key(make_sale: MakeSale) -> None:
    """Whoever comes with a key of his own is told the drop's (OTHER_KEY), and counts by it."""
    sale = await in_hall(make_sale)
    other = Sale(sale.store, sale.drop, sale.now)
    other.whence = sale.whence
    assert other.names.key != sale.names.key
    await sale.held("ana")
    await other.press("bo", wire.Hold(0, "other", "pin", 1))
    assert other.names.key == sale.names.key
    assert isinstance(await sale.hold("cy"), refusals.NetworkFull)
    assert await near(sale) == MOST


async def test_no_name_of_a_network_is_the_same_in_two_drops(make_sale: MakeSale) -> None:
    sale = await in_hall(make_sale)
    await sale.held("ana")
    assert Sale(sale.store, "other").names.of(HALL) != sale.names.of(HALL)
    assert all("127.0" not in str(row) for row in await sale.store.fields(sale.drop, "networks"))


async def full(make_sale: MakeSale) -> tuple[Sale, str]:
    """The hall is full, and its name."""
    sale = await in_hall(make_sale)
    await sale.held("ana")
    await sale.held("bo")
    refused = await sale.hold("cy")
    assert isinstance(refused, refusals.NetworkFull)
    return sale, refused.network


async def test_a_venue_is_let_in_with_one_command_and_held_back_with_another(
    make_sale: MakeSale,
) -> None:
    sale, hall = await full(make_sale)
    assert isinstance(await sale.creator("exempt", network=hall), outcomes.Changed)
    await sale.held("cy")
    await sale.held("di")
    assert await near(sale) == MOST
    assert isinstance(await sale.creator("restrict", network=hall), outcomes.Changed)
    assert await exempt(sale) == []
    assert isinstance(await sale.hold("ed"), refusals.NetworkFull)
    assert (await sale.words())[-1] == "restricted"
    assert await counted(sale) == recounted(await beside(sale))


async def test_what_is_exempt_does_not_fill_the_network_around_it(make_sale: MakeSale) -> None:
    sale, hall = await full(make_sale)
    await sale.creator("exempt", network=hall)
    for i in range(4 * MOST):
        sale.whence[f"fan-{i}"] = HALL
        await sale.held(f"fan-{i}")
    assert sum((await counted(sale)).values()) == 2 * MOST
    sale.whence["gus"] = NEXT_DOOR
    await sale.held("gus")
    assert await counted(sale) == recounted(await beside(sale))


async def test_the_wider_network_may_be_exempt_too(make_sale: MakeSale) -> None:
    """Then each network in it still has no more than its own."""
    sale = await in_hall(make_sale)
    for i in range(4 * MOST):
        sale.whence[f"fan-{i}"] = (f"127.0.1.{i + 10}", HALL[1])
        await sale.held(f"fan-{i}")
    refused = await sale.hold("ana")
    assert isinstance(refused, refusals.NetworkFull)
    await sale.creator("exempt", network=refused.network)
    await sale.held("ana")
    await sale.held("bo")
    assert isinstance(await sale.hold("cy"), refusals.NetworkFull)


async def test_exempt_again_is_so_already_and_unknown_names_are_not_found(
    make_sale: MakeSale,
) -> None:
    sale, hall = await full(make_sale)
    assert isinstance(await sale.creator("restrict", network=hall), refusals.Already)
    await sale.creator("exempt", network=hall)
    assert isinstance(await sale.creator("exempt", network=hall), refusals.Already)
    assert isinstance(await sale.creator("exempt", network="n" + "x" * 15), refusals.NotFound)
    assert isinstance(await sale.creator("exempt", network="n" + "x" * 6), refusals.BadMessage)
    await sale.creator("cancel")
    for verb in ("exempt", "restrict"):
        assert isinstance(await sale.creator(verb, network=hall), refusals.Cancelled)


async def test_everybody_at_the_drop_hears_which_networks_have_been_let_in(
    make_sale: MakeSale,
) -> None:
    """Whoever was refused there may press again."""
    sale, hall = await full(make_sale)
    told = []
    for verb in ("exempt", "restrict"):
        await sale.creator(verb, network=hall)
        view = await sale.store.view(sale.drop, clock_ms=sale.now)
        assert isinstance(view, ViewReply)
        shown = await sale.store.show(sale.drop)
        assert shown is not None
        told.append((view.exempt, tick(shown.manifest, view).exempt))
    assert told == [([hall], [hall]), ([], [])]


async def test_no_more_than_64_networks_are_exempt(make_sale: MakeSale) -> None:
    sale, hall = await full(make_sale)
    crowded = keys.one(sale.drop, "crowded")
    for i in range(64):
        name = f"n{i:015}"
        await sale.store.client.hset(crowded, name, 1)
        assert isinstance(await sale.creator("exempt", network=name), outcomes.Changed)
    assert isinstance(await sale.creator("exempt", network=hall), refusals.BadMessage)


async def test_the_maker_sees_which_networks_were_full(make_sale: MakeSale) -> None:
    sale, hall = await full(make_sale)
    await sale.hold("di")
    (crowd,) = await sale.store.glances.crowds(sale.drop)
    assert (crowd.network, crowd.open, crowd.refused, crowd.around, crowd.exempt) == (
        *(hall, MOST, 2),
        *(False, False),
    )
    await sale.creator("exempt", network=hall)
    (crowd,) = await sale.store.glances.crowds(sale.drop)
    assert crowd.exempt


async def test_after_a_repair_the_counts_begin_anew_from_what_stands(make_sale: MakeSale) -> None:
    sale, hall = await full(make_sale)
    await sale.creator("exempt", network=hall)
    networks = keys.one(sale.drop, "networks")
    gone = await sale.held("cy")
    await sale.release("cy", gone)
    wanted = await sale.store.fields(sale.drop, "networks")
    # As a commit that ended half-way may leave them.
    await sale.store.client.hset(networks, mapping={hall[8:]: f"{hall}9", gone: hall, "e7": hall})
    await freeze(sale)
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    outcome = await repair.thaw(sale.store, found, by="o1", key="thaw", clock_ms=sale.now)
    assert isinstance(outcome, outcomes.Changed)
    assert await sale.store.fields(sale.drop, "networks") == wanted


def of_firm(fans: tuple[str, ...]) -> dict[str, Whence]:
    """Colleagues, each at home."""
    return {fan: (f"127.0.{n}.1", f"127.0.{n}.0/24", "firm") for n, fan in enumerate(fans)}


async def test_so_many_persons_of_one_mail_domain_take_part_and_the_next_once_it_is_let_in(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), domain_most=2)
    sale.names = NetworkNames(networks=False, domains=True)
    sale.whence = of_firm(("ana", "bo", "cy", "di")) | {"fay": FAR}
    firm = sale.names.domain(sale.whence["ana"])
    held = [await sale.held("ana"), await sale.held("bo")]
    refused = refusals.DomainFull(firm, 2)
    assert await sale.join("cy", "pin") == refused
    # Others come in, whoever takes part goes on, and a place that was given back stays counted.
    assert isinstance(await sale.join("fay", "pin"), outcomes.Joined)
    await sale.release("ana", held[0])
    assert isinstance(await sale.join("ana", "pin"), outcomes.Joined)
    assert await sale.join("cy", "pin") == refused
    # What was written half-way is mended from who takes part.
    networks = keys.one(sale.drop, "networks")
    await sale.store.client.hset(networks, mapping={firm: "9"})
    await freeze(sale)
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    thawed = await repair.thaw(sale.store, found, by="o1", key="thaw", clock_ms=sale.now)
    assert isinstance(thawed, outcomes.Changed)
    sale.revision = thawed.revision
    await sale.creator("resume")
    rows = await sale.store.fields(sale.drop, "networks")
    assert rows == {
        "key": rows["key"],
        firm: b"2",
        "p:ana": firm.encode(),
        "p:bo": firm.encode(),
    }
    (crowd,) = await sale.store.glances.crowds(sale.drop)
    assert (crowd.network, crowd.open, crowd.refused, crowd.domain) == (firm, 2, 2, True)
    await sale.creator("exempt", network=firm)
    assert isinstance(await sale.join("cy", "pin"), outcomes.Joined)
    await sale.creator("restrict", network=firm)
    assert await sale.join("di", "pin") == refusals.DomainFull(firm, 2)
    found_wrong = judge([line async for line in sale.store.log(sale.drop)]).violations
    assert [one.inv for one in found_wrong] == ["INV-3"], "but for the freeze"
    await sale.creator("cancel")
    assert await sale.store.fields(sale.drop, "networks") == {}


async def test_in_a_list_who_comes_once_his_domain_is_let_in_stands_there_like_everybody(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(
        item("pin", {"pin": 1}),
        opened=False,
        domain_most=1,
        mode="lobby",
    )
    sale.names = NetworkNames(networks=False, domains=True)
    sale.whence = of_firm(("ana", "bo"))
    await sale.creator("open")
    assert isinstance(await sale.join("ana", "pin"), outcomes.Joined)
    full = await sale.join("bo", "pin")
    assert isinstance(full, refusals.DomainFull)
    await sale.creator("exempt", network=full.network)
    assert isinstance(await sale.join("bo", "pin"), outcomes.Joined)
    assert len((await sale.sealed()).entries) == 2
