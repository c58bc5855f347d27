"""Each figure that stands on the log equals the one that is computed by hand from its export."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dropengine import events
from dropengine.log.figures import LOG, figures
from tests.conftest import MakeSale
from tests.kit.books_of import texts_of
from tests.kit.figures_by_hand import ByHand
from tests.kit.manifests import item
from tests.kit.played_logs import play
from tests.kit.seeds import seeds

KEPT = sorted((Path(__file__).parents[1] / "kept").glob("*/machine*.ndjson"))


def computed(log: list[events.AnyEvent]) -> dict[str, object]:
    found = figures(log)
    assert {figure.stands_on for figure in found} == {LOG}
    return {figure.name: dict(figure.values) for figure in found}


@pytest.mark.parametrize("crowded", [False, True])
def test_figures_of_a_sale_equal_those_by_hand(crowded: bool) -> None:
    told: Counter[str] = Counter()
    for seed in seeds(25):
        log = play(seed, crowded=crowded)
        found = computed(log)
        assert found == ByHand(texts_of(log)).figures()
        for figure in figures(log):
            told[figure.name] += any(figure.values.values())
    # None of them was compared while it was empty alone.
    del told["time_to_sell_out"]
    # In these few sales hardly anybody pays for what the line offers, and keeps it.
    told.pop("served_by_lane", None)
    assert min(told.values()) > 0, told


async def test_the_time_to_sell_out_ends_when_the_last_unit_is_sold_for_the_first_time(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 2}), item("cup", {"cup": 1}))
    opened = sale.now
    paid: list[str] = []
    for pool in ("pin", "pin", "cup"):
        sale.now += 1000
        paid.append(await sale.held(f"fan{len(paid)}", pool))
    sale.now += 500
    for hold in paid:
        await sale.succeeded(hold, amount=None)
    sold_out = sale.now
    sale.now += 1000
    await sale.refund(paid[0])
    await sale.succeeded(await sale.held("late"))
    lines = [text async for text in sale.store.log(sale.drop)]
    found = computed([events.parse(line) for line in lines])
    assert found["time_to_sell_out"] == {"": sold_out - opened}
    assert found == ByHand(lines).figures()


@pytest.mark.parametrize("log", KEPT, ids=lambda log: f"{log.parent.name}_{log.stem}")
def test_figures_of_older_logs_equal_those_by_hand(log: Path) -> None:
    lines = log.read_bytes().splitlines()
    assert computed([events.parse(line) for line in lines]) == ByHand(lines).figures()


@pytest.mark.parametrize("length", [1, 2, 9])
def test_a_sale_that_has_hardly_begun_has_figures_too(length: int) -> None:
    log = play(4)[:length]
    assert computed(log) == ByHand(texts_of(log)).figures()


def test_every_figure_says_what_it_is() -> None:
    for figure in figures(play(4)):
        assert figure.says.endswith(".")
        assert figure.unit
