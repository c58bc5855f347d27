"""Rows of `close`, and of the closing by the clock."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, START_MS, item
from tests.kit.sale import Sale

CLOSES_MS = START_MS + 60_000


async def test_a_closing_drop_settles_once_nothing_is_held(sale: Sale) -> None:
    hold = await sale.held("ana")
    outcome = await sale.creator("close")
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == "closing"
    assert (await sale.settle()).state == "closing"
    await sale.succeeded(hold)
    assert (await sale.settle()).state == "settled"
    assert (await sale.words())[-3:] == ["sold", "paid", "settled"]


async def test_a_closing_drop_serves_nobody(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.held("ana")
    await sale.joined("bo")
    await sale.creator("close")
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.words())[-2:] == ["expired", "settled"]


@pytest.mark.parametrize("verb", ["pause", "close"])
async def test_what_a_fan_holds_goes_on_in_a_pause_and_while_it_closes(
    make_sale: MakeSale, verb: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}))
    paid, given = await sale.held("ana"), await sale.held("bo")
    await sale.called("cy")
    offer = (await sale.truth()).entries["e1"].hold
    await sale.creator(verb)
    assert isinstance(await sale.claim("cy", offer), outcomes.Claimed)
    assert isinstance(await sale.extend("ana", paid), outcomes.Extended)
    assert isinstance(await sale.pay("ana", paid), outcomes.Paying)
    assert isinstance(await sale.release("bo", given), outcomes.Released)
    assert isinstance(await sale.leave("cy", "e1"), outcomes.Left)


async def test_the_clock_closes_the_drop(make_sale: MakeSale) -> None:
    sale = await make_sale(closes_ms=CLOSES_MS)
    sale.now = CLOSES_MS - 1
    assert isinstance(await sale.hold("ana"), outcomes.Held)
    sale.now += 1
    assert await sale.hold("bo") == refusals.Closed()


async def test_the_clock_closes_a_paused_drop_too(make_sale: MakeSale) -> None:
    sale = await make_sale(closes_ms=CLOSES_MS)
    hold = await sale.held("ana")
    await sale.creator("pause")
    sale.now = CLOSES_MS
    assert (await sale.settle()).state == "closing"
    await sale.succeeded(hold)
    assert (await sale.settle()).state == "settled"


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open", "close"), refusals.Already("settled", "closed", "o1", START_MS)),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_only_an_open_drop_closes(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("close") == refusal
