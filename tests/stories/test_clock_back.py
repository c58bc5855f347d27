"""The server's clock is set back: what has happened stays, and the log still explains it."""

from __future__ import annotations

from dropengine import events
from dropengine.log import replay
from dropengine.log.referee import judge
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, item


async def test_who_has_cooled_down_stays_ready_when_the_clock_falls_back(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    first = await sale.held("holder")
    await sale.joined("ada")
    await sale.joined("ben")
    await sale.release("holder", first)
    (offer,) = (hold for hold, _ in (await sale.you("ada")).holds)
    await sale.release("ada", offer)
    cooled_ms = sale.now + COOL_MS
    # The unit is ben's now, so the end of ada's cooling is an end without an event.
    sale.now = cooled_ms
    seq = (await sale.settle()).seq
    sale.now = cooled_ms - 1
    (offer,) = (hold for hold, _ in (await sale.you("ben")).holds)
    await sale.release("ben", offer)
    called = [e for e in await sale.log() if e.seq > seq and isinstance(e, events.Offered)]
    assert [(event.fan, event.at) for event in called] == [("ada", cooled_ms)]
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []
