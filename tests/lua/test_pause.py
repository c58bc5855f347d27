"""Rows of `pause`."""

from __future__ import annotations

import re

import pytest

from dropengine import events, model, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.truth import scripts
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
        (("open", "pause"), refusals.Already("paused", "paused", "o1", START_MS)),
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


@pytest.mark.parametrize("watch", sorted(model.PASSING))
async def test_a_pause_that_would_end_by_itself_is_taken_over(sale: Sale, watch: str) -> None:
    await sale.creator("pause", by=watch, why="for a while")
    await sale.creator("message", text="We are back soon.")
    outcome = await sale.creator("pause", why="for good")
    assert isinstance(outcome, outcomes.Changed)
    assert await sale.words() == ["published", "opened", "paused", "message", "paused"]
    # From now on it is the maker's, for the watch and for another maker.
    assert isinstance(await sale.creator("resume", by=watch), refusals.StaleRevision)
    assert isinstance(await sale.creator("pause", by="o2"), refusals.Already)
    assert isinstance(await sale.creator("pause", by=watch), refusals.Already)
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert difference(fold(map(events.parse, lines)), await sale.truth()) == []


@pytest.mark.parametrize("by", ["clock", "o1"])
@pytest.mark.parametrize("watch", sorted(model.PASSING))
async def test_a_watch_ends_a_pause_of_its_own_alone(sale: Sale, watch: str, by: str) -> None:
    await sale.creator("pause", by=by)
    refused = await sale.creator("resume", by=watch)
    assert refused == refusals.StaleRevision(sale.revision, "paused", "paused", by)
    (other,) = model.PASSING - {watch}
    await sale.creator("resume")
    await sale.creator("pause", by=other)
    assert isinstance(await sale.creator("resume", by=watch), refusals.StaleRevision)
    assert isinstance(await sale.creator("pause", by=watch), refusals.Already)
    assert isinstance(await sale.creator("resume", by=other), outcomes.Changed)


def test_the_scripts_and_the_model_agree_on_who_passes() -> None:
    text = scripts.sources()["creator/passes.lua"]
    assert set(re.findall(r"by == '(\w+)'", text)) == model.PASSING
