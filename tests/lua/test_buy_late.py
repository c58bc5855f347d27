"""What a payment buys that began in time and came after its hold had ended; who stands ahead."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, LOOKUP_MS, item
from tests.kit.sale import Sale

TWO = item("pin", {"pin": 2})
NORTH_SOUTH = item("pin", {"north": 1, "south": 1})


async def agree(sale: Sale) -> None:
    """The referee finds nothing, and the log rebuilds the truth."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert difference(fold(map(events.parse, lines)), await sale.truth()) == []


async def offer_of(sale: Sale, entry: str) -> str:
    found = (await sale.truth()).entries[entry]
    assert found.state == "offered", found
    return found.hold


async def state_of(sale: Sale, entry: str) -> str:
    return (await sale.truth()).entries[entry].state


async def called(sale: Sale, *fans: str, qty: int = 1) -> list[str]:
    """Entries in this order, made in a pause; what is free is offered to them when it ends."""
    await sale.creator("pause")
    entries = [await sale.joined(fan, qty=qty) for fan in fans]
    await sale.creator("resume")
    return entries


async def lose(sale: Sale, fan: str, hold: str) -> str:
    """The hold ends while it is paid for and the provider is silent."""
    await sale.pay(fan, hold)
    sale.now = (await sale.truth()).holds[hold].deadline_ms
    await sale.settle()
    sale.now += LOOKUP_MS
    await sale.settle()
    assert (await sale.truth()).holds[hold].state == "expired"
    return hold


async def cool_off(sale: Sale) -> None:
    sale.now += COOL_MS
    await sale.settle()


async def comes(sale: Sale, hold: str, charge: str = "") -> list[str]:
    """The payment succeeds: how it ended, and the events it made, but the one that closes it."""
    before = len(await sale.words())
    outcome = await sale.succeeded(hold, charge)
    await agree(sale)
    assert isinstance(outcome, outcomes.Paid | outcomes.Voided)
    words = (await sale.words())[before:]
    if isinstance(outcome, outcomes.Voided):
        words[words.index("voided")] = outcome.why
    else:
        # What it bought is said once, behind that.
        words.remove("paid")
        assert "paid" not in words
    return words


@pytest.mark.parametrize("cooled", [False, True])
async def test_the_payers_own_place_is_no_obstacle(make_sale: MakeSale, *, cooled: bool) -> None:
    """A pause keeps the unit from everybody; the place that the hold came from is ready for it."""
    sale = await make_sale(item("pin", {"pin": 1}))
    (entry,) = await called(sale, "ana")
    hold = await lose(sale, "ana", await offer_of(sale, entry))
    await sale.creator("pause")
    if cooled:
        await cool_off(sale)
        assert (await sale.truth()).ready
    assert await comes(sale, hold) == ["rescued", "served"]
    truth = await sale.truth()
    assert (truth.entries[entry].state, truth.places, truth.buying) == ("served", {}, {})
    assert truth.fans["ana"].entries == []


@pytest.mark.parametrize(("line", "ends"), [("ana bo", "rescued"), ("bo ana", "late")])
async def test_a_rescue_overtakes_nobody_who_would_be_called_before_its_entry(
    make_sale: MakeSale, line: str, ends: str
) -> None:
    sale = await make_sale(TWO)
    fans = line.split()
    places = dict(zip(fans, await called(sale, *fans), strict=True))
    await sale.release("bo", await offer_of(sale, places["bo"]))
    await sale.creator("pause")
    hold = await lose(sale, "ana", await offer_of(sale, places["ana"]))
    await cool_off(sale)
    assert len((await sale.truth()).ready) == 2
    assert (await comes(sale, hold))[0] == ends
    await sale.creator("resume")
    assert await state_of(sale, places["bo"]) == "offered"
    await agree(sale)


@pytest.mark.parametrize(("k", "ends"), [(2, "late"), (5, "rescued")])
async def test_the_boost_lane_stands_ahead_when_it_is_its_turn(
    make_sale: MakeSale, k: int, ends: str
) -> None:
    sale = await make_sale(TWO, k=k)
    lost = await sale.held("max")
    await sale.held("zoe")
    ana, bo, cy = [await sale.joined(fan) for fan in ("ana", "bo", "cy")]
    await sale.release("zoe", "h2")
    hold = await offer_of(sale, ana)
    await sale.pay("ana", hold)
    await lose(sale, "max", lost)
    for entry in (bo, cy):
        await sale.succeeded(await offer_of(sale, entry))
    # No unit is left: max is made good for it, in the boost lane.
    assert await comes(sale, lost) == ["late", "joined"]
    await sale.creator("pause")
    await sale.refund((await sale.truth()).fans["bo"].orders[0])
    await cool_off(sale)
    assert list((await sale.truth()).ready) == ["e1@0", "e4@0", "e4@0+"]
    assert (await sale.truth()).pools["pin"].lane_count == min(2, k - 1)
    assert (await comes(sale, hold))[0] == ends


async def test_a_base_call_that_comes_back_is_owed_and_one_of_the_boost_lane_is_not(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), k=2)
    hold = await lose(sale, "max", await sale.held("max"))
    taken = {fan: await sale.held(fan) for fan in ("xia", "yan", "zoe")}
    ana = await sale.joined("ana")
    assert await comes(sale, hold) == ["late", "joined"]
    await sale.joined("bo")
    counts = []
    for fan, one in taken.items():
        await sale.release(fan, one)
        counts.append((await sale.truth()).pools["pin"].lane_count)
    # Called were ana by the base lane, max by the boost lane, bo by the base lane.
    assert counts == [1, 0, 1]
    await sale.release("max", await offer_of(sale, "e2"))
    await sale.release("ana", await offer_of(sale, ana))
    assert (await sale.truth()).pools["pin"].lane_count == 0
    await sale.release("bo", await offer_of(sale, "e3"))
    # The call before the boost lane's sold nothing either: two base calls come before its next.
    assert (await sale.truth()).pools["pin"].lane_count == -1
    await agree(sale)


@pytest.mark.parametrize(("line", "ends"), [("max moe", "rescued"), ("moe max", "late")])
async def test_who_was_made_good_earlier_stands_ahead_in_both_lanes(
    make_sale: MakeSale, line: str, ends: str
) -> None:
    sale = await make_sale(TWO)
    late = [await lose(sale, fan, await sale.held(fan)) for fan in line.split()]
    taken = await sale.held("zoe")
    await sale.bought("yan")
    for hold in late:
        assert await comes(sale, hold) == ["late", "joined"]
    await sale.release("zoe", taken)
    places = dict(zip(line.split(), ("e1", "e2"), strict=True))
    if line == "moe max":
        await sale.release("moe", await offer_of(sale, places["moe"]))
    hold = await offer_of(sale, places["max"])
    await sale.creator("pause")
    await lose(sale, "max", hold)
    assert len((await sale.truth()).ready) == 2
    assert (await comes(sale, hold))[0] == ends


@pytest.mark.parametrize("fate", ["press", "left", "dormant"])
@pytest.mark.parametrize("fans", [["ana"], ["ana", "bo"], ["bo"]])
async def test_without_an_open_place_everybody_else_who_is_ready_stands_ahead(
    make_sale: MakeSale, fate: str, fans: list[str]
) -> None:
    sale = await make_sale(TWO)
    if fate == "press":
        hold = await lose(sale, "ana", await sale.held("ana"))
    else:
        (entry,) = await called(sale, "ana")
        hold = await lose(sale, "ana", await offer_of(sale, entry))
        if fate == "dormant":
            await cool_off(sale)
            await sale.release("ana", await offer_of(sale, entry))
        else:
            await sale.leave("ana", entry)
        assert await state_of(sale, entry) == fate
    await sale.creator("pause")
    for fan in fans:
        await sale.joined(fan)
    assert len((await sale.truth()).ready) == len(fans)
    words = await comes(sale, hold)
    assert words[0] == ("late" if "bo" in fans else "rescued")
    # What did not make the order is still in line.
    assert "served" not in words


async def test_a_place_that_the_payer_was_made_good_with_is_no_obstacle(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(TWO)
    first = await lose(sale, "ana", await sale.held("ana"))
    order = await sale.bought("bo", qty=2)
    assert await comes(sale, first) == ["late", "joined"]
    await sale.creator("pause")
    await sale.refund(order)
    # Called and lost again, by way of that place.
    await sale.creator("resume")
    (second,) = (await sale.truth()).fans["ana"].holds
    await lose(sale, "ana", second)
    await sale.creator("pause")
    await sale.joined("ana")
    await cool_off(sale)
    assert len((await sale.truth()).ready) == 2
    words = await comes(sale, second)
    assert words[:2] == ["rescued", "served"]


@pytest.mark.parametrize("origin", ["press", "line"])
@pytest.mark.parametrize(("close", "ends"), [(True, "rescued"), (False, "late")])
async def test_in_a_closing_drop_nobody_stands_ahead(
    make_sale: MakeSale, origin: str, *, close: bool, ends: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), limit=1)
    bo, *places = await called(sale, "bo", *["ana"] * (origin == "line"))
    hold = await offer_of(sale, places[0]) if places else await sale.held("ana")
    await sale.release("bo", await offer_of(sale, bo))
    # While cy is asked about his payment the drop is not settled.
    for fan, one in (("cy", await sale.held("cy")), ("ana", hold)):
        await sale.pay(fan, one)
    await sale.creator("pause")
    sale.now = (await sale.truth()).holds[hold].deadline_ms
    await sale.settle()
    await sale.unpaid(hold)
    if close:
        await sale.creator("close")
    assert f"{bo}@0" in (await sale.truth()).ready
    words = await comes(sale, hold)
    assert words[0] == ends
    assert ("served" in words) == (origin == "line" and close)


async def called_again(sale: Sale, *behind: str) -> tuple[str, str, str]:
    """ana's hold of the north is lost; her place was called again, to the south, since bo had the
    north by then. He gave it back. The lost hold, the place, the offer."""
    held = {fan: await sale.held(fan, pool) for fan, pool in (("zoe", "north"), ("yan", "south"))}
    entry = await sale.joined("ana", "north", "south")
    for fan in behind:
        await sale.joined(fan, "south")
    await sale.release("zoe", held["zoe"])
    await sale.pay("yan", held["yan"])
    hold = await offer_of(sale, entry)
    await sale.pay("ana", hold)
    await sale.succeeded(held["yan"])
    await lose(sale, "ana", hold)
    bo = await sale.held("bo", "north")
    await cool_off(sale)
    await sale.refund(held["yan"])
    offer = await offer_of(sale, entry)
    assert (await sale.truth()).holds[offer].pool == "south"
    await sale.release("bo", bo)
    return hold, entry, offer


@pytest.mark.parametrize("behind", [[], ["cy"]])
async def test_an_offer_of_the_place_goes_back_for_a_rescue(
    make_sale: MakeSale, behind: list[str]
) -> None:
    sale = await make_sale(NORTH_SOUTH, limit=1)
    hold, entry, offer = await called_again(sale, *behind)
    words = await comes(sale, hold)
    # What came back goes to the line in the same script.
    assert words == ["declined", "rescued", "served", *["offered"] * len(behind)]
    declined = next(e for e in (await sale.log())[::-1] if isinstance(e, events.Declined))
    assert (declined.hold, declined.entry, declined.key, declined.cool) == (offer, entry, "", 0)
    truth = await sale.truth()
    assert truth.fans["ana"].used == 1
    assert truth.entries[entry].state == "served"
    # Nobody is told of an offer that he gave back: he did not.
    assert (await sale.you("ana")).holds == []


@pytest.mark.parametrize(("limit", "ends"), [(1, "late"), (2, "rescued")])
async def test_what_was_claimed_of_the_place_stays(
    make_sale: MakeSale, limit: int, ends: str
) -> None:
    sale = await make_sale(NORTH_SOUTH, limit=limit)
    hold, entry, offer = await called_again(sale)
    await sale.claim("ana", offer)
    words = await comes(sale, hold)
    assert words[0] == ends
    assert (await sale.truth()).fans["ana"].holds == [offer]
    assert await state_of(sale, entry) == ("served" if ends == "rescued" else "offered")
    # It ends as any hold does; its place, if that is over, does not end once more.
    await sale.release("ana", offer)
    assert ("dormant" in await sale.words()) == (ends == "late")
    await agree(sale)


@pytest.mark.parametrize(("had", "offered", "ends"), [(1, 2, "declined"), (2, 1, "late")])
async def test_the_units_of_the_offer_count_as_if_they_were_back(
    make_sale: MakeSale, had: int, offered: int, ends: str
) -> None:
    sale = await make_sale(TWO, limit=2)
    spare = await sale.held("zoe") if had == 1 else ""
    (entry,) = await called(sale, "ana", qty=2)
    hold = await lose(sale, "ana", await offer_of(sale, entry))
    if offered == 1:
        await sale.bought("bo")
    assert not spare or (await sale.truth()).holds[spare].state == "expired"
    await cool_off(sale)
    offer = await offer_of(sale, entry)
    assert (await sale.truth()).holds[offer].qty == offered
    words = await comes(sale, hold)
    assert words[0] == ends
    truth = await sale.truth()
    assert (hold in truth.orders) == (ends == "declined")
    assert truth.holds[offer].state == ("released" if ends == "declined" else "active")


async def test_a_place_that_ended_stays_as_it_ended(make_sale: MakeSale) -> None:
    sale = await make_sale(TWO)
    (entry,) = await called(sale, "ana")
    hold = await lose(sale, "ana", await offer_of(sale, entry))
    await sale.leave("ana", entry)
    assert await comes(sale, hold) == ["rescued"]
    assert await state_of(sale, entry) == "left"


async def equals(sale: Sale, *kinds: str) -> tuple[str, dict[str, str]]:
    """A lost hold of ana, and equal holds that she has now: paying, offer, active."""
    hold = await lose(sale, "ana", await sale.held("ana"))
    found: dict[str, str] = {}
    if "paying" in kinds:
        found["paying"] = await sale.held("ana")
        await sale.pay("ana", found["paying"])
    if "active" in kinds:
        joined = await sale.join("ana")
        assert isinstance(joined, outcomes.Held)
        found["active"] = joined.id
    if "offer" in kinds:
        (entry,) = await called(sale, "ana")
        found["offer"] = await offer_of(sale, entry)
    return hold, found


@pytest.mark.parametrize(
    ("kinds", "bought"),
    [
        ("paying", "paying"),
        ("offer", "offer"),
        ("active", "active"),
        ("paying offer", "offer"),
        ("paying active", "active"),
        ("active offer", "active"),
        ("paying active offer", "active"),
    ],
)
async def test_the_equal_hold_that_costs_the_fan_least_is_bought(
    make_sale: MakeSale, kinds: str, bought: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 5}), limit=5)
    hold, found = await equals(sale, *kinds.split())
    words = await comes(sale, hold)
    # An offer is sold without being claimed, and its place is served.
    assert words == ["sold", *["served"] * (bought == "offer")]
    sold = next(e for e in (await sale.log())[::-1] if isinstance(e, events.Sold))
    assert (sold.hold, sold.intent) == (found[bought], hold)
    assert (await sale.truth()).pools["pin"].offered == ("offer" in kinds and bought != "offer")
    if bought == "paying":
        # Her own payment has nothing left to buy.
        assert await comes(sale, found["paying"], "own") == ["ended"]


@pytest.mark.parametrize("other", ["qty", "pool"])
async def test_what_is_not_equal_is_not_bought(make_sale: MakeSale, other: str) -> None:
    sale = await make_sale(TWO, item("cup", {"cup": 2}), limit=3)
    hold = await lose(sale, "ana", await sale.held("ana"))
    if other == "qty":
        await sale.held("ana", qty=2)
    else:
        await sale.held("ana", "cup")
        await sale.held("bo", qty=2)
    assert (await comes(sale, hold))[0] == "late"
