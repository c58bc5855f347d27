"""Rows of `resume`."""

from __future__ import annotations

import pytest

from dropengine import outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, START_MS, item


async def test_the_line_is_served_before_any_newcomer(make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    await sale.held("ana")
    await sale.joined("bo")
    await sale.creator("pause")
    sale.now += HOLD_MS
    outcome = await sale.creator("resume")
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == "live"
    assert (await sale.words())[-2:] == ["resumed", "offered"]
    assert await sale.hold("cy") == refusals.AllHeld(free=0, held=1)


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open",), refusals.Already("live", "opened", "o1", START_MS)),
        (("open", "close"), refusals.Closed()),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_only_a_paused_drop_resumes(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("resume") == refusal
