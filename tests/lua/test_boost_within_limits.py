"""The boost lane keeps every other limit: the share of carried places, ceilings of cohorts, quiet
hours, a limit that is used up; points come and go whatever an entry is doing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from dropengine import events, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold_lines
from dropengine.truth.store import CarriedRow, Store
from tests.kit.manifests import CALLS, COOL_MS, HOUR_MS, carrying, early, item, manifest, playing
from tests.kit.sale import Sale
from tests.kit.two_lanes_in_log import TwoLanes


@pytest.fixture
async def sale(store: Store, drop: str) -> AsyncIterator[Sale]:
    """Whatever was tried, the log tells the same as the truth, and every promise was kept."""
    one = Sale(store, drop)
    yield one
    log = [line async for line in store.log(one.drop)]
    assert judge(log).violations == []
    assert difference(fold_lines(log), await one.truth()) == []
    assert TwoLanes(await one.log()).over() == []


async def opened(sale: Sale, cap: int = 3, limit: int = 3, **hours: int) -> None:
    text = manifest(sale.drop, item("pin", {"pin": cap}), k=2, limit=limit)
    await sale.publish(playing(msgspec.structs.replace(text, **hours), "guest"))
    await sale.creator("open")


async def called(sale: Sale) -> list[tuple[str, int]]:
    """Entry and lane of each call."""
    return [(e.entry, e.call) for e in await sale.log() if isinstance(e, events.Offered)]


async def test_who_was_carried_over_has_no_more_than_their_share_by_his_points(sale: Sale) -> None:
    text = playing(manifest(sale.drop, item("pin", {"pin": 4}), k=2), "guest")
    await sale.publish(carrying(text, share=25))
    rows = [CarriedRow(f"e{n}", f"c{n}", 1, ["pin"]) for n in (1, 2)]
    await sale.carry(*rows)
    for n in (1, 2):
        await sale.confirm(f"c{n}", f"e{n}")
    # One of four pins is theirs, and the first of them is called for it.
    await sale.creator("open")
    await sale.creator("pause")
    for fan in ("ana", "bo"):
        await sale.joined(fan)
    await sale.point("c2", 1, 9)
    await sale.point("bo", 1, 1)
    await sale.creator("resume")
    assert await called(sale) == [("e1", 0), ("e4", 1), ("e3", 0)]


async def test_a_ceiling_passes_over_whoever_has_the_most_points(sale: Sale) -> None:
    text = playing(manifest(sale.drop, item("pin", {"pin": 3}), k=2), "guest")
    await sale.publish(early(text, club=1, friends=1))
    for fan, cohort in (("ana", "club"), ("bo", "club"), ("cy", "friends")):
        await sale.enroll(fan, cohort)
    await sale.creator("open")
    await sale.creator("pause")
    for fan, points in (("ana", 1), ("bo", 9), ("cy", 2)):
        await sale.joined(fan)
        await sale.point(fan, 1, points)
    await sale.creator("resume")
    assert await called(sale) == [("e1", 0), ("e3", 1)]
    # He is in another cohort too, whose unit comes back: he is ready there in both of his lanes.
    await sale.enroll("bo", "friends")
    await sale.release("cy", await offer_of(sale, "e3"))
    assert (await called(sale))[2:] == [("e2", 0)]
    await sale.creator("widen")
    assert len(await called(sale)) == 3
    sale.now += COOL_MS
    await sale.settle()
    assert (await called(sale))[3:] == [("e3", 1)]


async def test_at_night_whoever_the_boost_lane_would_call_may_call_himself(sale: Sale) -> None:
    await opened(sale, 2, **CALLS)
    hold = await sale.held("hal", qty=2)
    for fan in ("ana", "bo", "cy"):
        await sale.joined(fan)
    await sale.point("cy", 1, 1)
    # The first is called by day; then it is the boost lane's turn, and nobody is called.
    await sale.release("hal", hold)
    calls = await called(sale)
    assert calls == [("e1", 0), ("e3", 1)]
    for fan, (entry, _) in zip(("ana", "cy"), calls, strict=True):
        (offer,) = [
            e for e in await sale.log() if isinstance(e, events.Offered) and e.entry == entry
        ]
        await sale.claim(fan, offer.hold)
        await sale.succeeded(offer.hold)
    await sale.joined("di")
    await sale.point("di", 1, 1)
    sale.now += 16 * HOUR_MS
    await sale.settle()
    orders = [e.hold for e in await sale.log() if isinstance(e, events.Sold)]
    await sale.refund(orders[0])
    assert isinstance(await sale.hold("di"), refusals.AllHeld)
    assert isinstance(await sale.hold("bo"), outcomes.Held)
    await sale.refund(orders[1])
    assert isinstance(await sale.hold("di"), outcomes.Held)
    assert (await called(sale))[2:] == [("e2", 0), ("e4", 1)]


async def test_points_come_and_go_whatever_his_entry_is_doing(sale: Sale) -> None:
    await opened(sale, 2)
    holds = [(fan, await sale.held(fan)) for fan in ("hal", "ira")]
    for fan in ("ana", "bo", "cy"):
        await sale.joined(fan)
    await sale.point("cy", 1, 5)
    for fan, hold in holds:
        await sale.release(fan, hold)
    assert await called(sale) == [("e1", 0), ("e3", 1)]
    # Taken back while he has the offer of his boost call: it stands, and its end gives no base call
    # back. Given while she has one.
    assert await sale.point("cy", 2, 0, "taken_back") == "pointed"
    await sale.point("ana", 1, 3)
    assert (await sale.you("cy")).boosts == []
    await sale.release("cy", await offer_of(sale, "e3"))
    assert (await called(sale))[2:] == [("e2", 0)]
    await sale.claim("bo", await offer_of(sale, "e2"))
    await sale.point("bo", 1, 7)
    assert [at.place for _, lines in (await sale.you("ana")).boosts for at in lines] == [2]
    # What the call of a base lane added its end takes back: it is the base lane's turn again.
    await sale.release("bo", await offer_of(sale, "e2"))
    await sale.point("bo", 2, 8)
    sale.now += COOL_MS
    await sale.settle()
    assert (await called(sale))[3:] == [("e2", 0)]
    # And who leaves and joins anew stands there without points, until they are told again.
    await sale.creator("pause")
    await sale.leave("ana", "e1")
    await sale.joined("ana")
    assert (await sale.you("ana")).boosts == []
    assert [await sale.point("ana", at, 3) for at in (1, 1)] == ["pointed", "same"]
    await sale.creator("resume")
    # What she was called for first came back unsold too, so the next call is the base lane's.
    assert (await called(sale))[4:] == [("e3", 0)]


async def offer_of(sale: Sale, entry: str) -> str:
    """The hold of the last one."""
    found = [e for e in await sale.log() if isinstance(e, events.Offered) and e.entry == entry]
    return found[-1].hold
