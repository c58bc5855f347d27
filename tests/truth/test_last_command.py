"""When the creator's last command was given, as `already` tells it."""

from __future__ import annotations

import pytest

from dropengine import events, refusals
from dropengine.truth import keys, last_command
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, item
from tests.kit.sale import Sale


@pytest.mark.parametrize("fans", [0, 3])
async def test_already_tells_of_the_last_command_however_much_fans_did_since(
    make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch, fans: int
) -> None:
    monkeypatch.setattr(last_command, "PAGE", 1)
    sale = await make_sale(item("pin", {"pin": 3}))
    await sale.creator("message", by="o2", text='"revision":3}')
    sale.now += 1000
    for i in range(fans):
        await sale.held(f"fan-{i}")
    outcome = await sale.creator("open")
    assert outcome == refusals.Already("live", "message", "o2", START_MS)


async def test_what_lies_too_far_back_has_no_time(
    make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log is not read to its beginning for a word in a sentence."""
    monkeypatch.setattr(last_command, "PAGE", 1)
    monkeypatch.setattr(last_command, "PAGES_MAX", 3)
    sale = await make_sale(item("pin", {"pin": 3}))
    for i in range(2):
        await sale.held(f"fan-{i}")
    assert await sale.creator("open") == refusals.Already("live", "opened", "o1", START_MS)
    await sale.held("one-more")
    assert await sale.creator("open") == refusals.Already("live", "opened", "o1", 0)


async def test_a_command_that_came_meanwhile_is_not_taken_for_the_one_that_decided(
    sale: Sale,
) -> None:
    """The log is read after the script has answered, and may have grown."""
    for i in range(20):
        await sale.creator("message", by="o2", text=f"word {i}")
    last = await last_command.last_command(sale.store._ask, keys.one(sale.drop, "log"), 2)
    assert isinstance(last, events.Opened)
    assert (last.by, last.at) == ("o1", START_MS)
