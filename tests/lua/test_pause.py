"""Rows of `pause`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, START_MS, item
from tests.kit.sale import Sale


async def test_a_pause_says_why(sale: Sale) -> None:
    outcome = await sale.creator("pause", why='a "word"')
    assert outcome == outcomes.Changed(3, 3, "paused")
    paused = (await sale.log())[-1]
    assert isinstance(paused, events.Paused)
    assert paused.why == 'a "word"'


async def test_the_reason_is_told_as_long_as_the_pause_lasts(sale: Sale) -> None:
    for verb, told in (("pause", "Lunch"), ("resume", ""), ("pause", ""), ("close", "")):
        await sale.creator(verb, **({"why": told} if verb == "pause" else {}))  # type: ignore[arg-type]
        view = await sale.store.view(sale.drop, clock_ms=sale.now)
        assert isinstance(view, ViewReply)
        assert view.why == told


async def test_a_pause_gives_nothing_to_the_line(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.held("ana")
    await sale.joined("bo")
    await sale.creator("pause")
    sale.now += HOLD_MS
    await sale.settle()
    assert (await sale.words())[-1] == "expired"
    assert await sale.counts() == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open", "pause"), refusals.Already("paused", "paused", "mia", START_MS)),
        (("open", "close"), refusals.Closed()),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_only_a_live_drop_pauses(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("pause") == refusal
