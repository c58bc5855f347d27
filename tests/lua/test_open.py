"""Rows of `open`, and of the opening by the clock."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, carrying, manifest
from tests.kit.sale import Sale

OPENS_MS = START_MS + 60_000


async def test_the_creator_opens_the_drop(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False)
    assert await sale.creator("open") == outcomes.Changed(2, 2, "live")
    opened = (await sale.log())[-1]
    assert isinstance(opened, events.Opened)
    assert (opened.by, opened.revision) == ("o1", 2)


async def test_places_of_an_earlier_drop_come_first(make_sale: MakeSale, drop: str) -> None:
    sale = Sale((await make_sale()).store, f"{drop}-next")
    await sale.publish(carrying(manifest(sale.drop)))
    assert await sale.creator("open") == refusals.NotCarried(0, 0)
    await sale.carry()
    assert await sale.creator("open") == outcomes.Changed(3, 2, "live")


async def test_opening_by_hand_forgets_the_opening_time(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=OPENS_MS)
    await sale.creator("open")
    sale.now = OPENS_MS
    assert (await sale.settle()).seq == 2


async def test_the_clock_opens_the_drop_once(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=OPENS_MS)
    sale.now = OPENS_MS - 1
    assert (await sale.settle()).state == "scheduled"
    sale.now += 1
    for _ in range(2):
        settled = await sale.settle()
        assert (settled.state, settled.seq) == ("live", 2)
    opened = (await sale.log())[-1]
    assert isinstance(opened, events.Opened)
    assert (opened.by, opened.key, opened.at) == ("clock", "", OPENS_MS)


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        (("pause",), refusals.Paused()),
        (("close",), refusals.Closed()),
        (("cancel",), refusals.Cancelled()),
        ((), refusals.Already("live", "opened", "o1", START_MS)),
    ],
)
async def test_a_drop_opens_once(
    sale: Sale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("open") == refusal


async def test_what_the_clock_opened_is_told_as_the_log_tells_it(make_sale: MakeSale) -> None:
    sale = await make_sale(opened=False, opens_ms=OPENS_MS)
    sale.now = OPENS_MS + 5
    assert (await sale.settle()).state == "live"
    outcome = await sale.creator("open", revision=2)
    assert outcome == refusals.Already("live", "opened", "clock", OPENS_MS + 5)
