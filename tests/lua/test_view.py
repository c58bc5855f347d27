"""Rows of `view`: the newest public state, the moves, the mail and the nudge."""

from __future__ import annotations

import redis.asyncio as redis

from dropengine.truth import keys
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, item
from tests.kit.sale import Sale


async def view(sale: Sale, moves: int = 0, mail: int = 0) -> ViewReply:
    reply = await sale.store.view(sale.drop, moves, mail, clock_ms=sale.now)
    assert isinstance(reply, ViewReply)
    return reply


async def test_a_view_counts_every_pool(make_sale: MakeSale) -> None:
    sale = await make_sale(item("cup", {"hill": 2, "port": 1}), item("pin", {"pin": 1}))
    await sale.bought("ana", "hill")
    await sale.held("bo", "port")
    await sale.called("cy", "port", "pin")
    await sale.joined("di", "port")
    rows = {row.id: row for row in (await view(sale)).pools}
    assert [row.free for row in rows.values()] == [1, 0, 0]
    assert [row.held for row in rows.values()] == [0, 1, 1]
    assert [row.offered for row in rows.values()] == [0, 0, 1]
    assert [row.sold for row in rows.values()] == [1, 0, 0]
    assert [row.waiting for row in rows.values()] == [0, 2, 1]
    assert [row.buying for row in rows.values()] == [0, 1, 1]


async def test_a_view_settles_what_is_due(sale: Sale) -> None:
    await sale.held("ana")
    sale.now += HOLD_MS
    assert [row.free for row in (await view(sale)).pools] == [3]


async def test_a_view_shows_what_there_is_while_more_is_due(make_sale: MakeSale) -> None:
    """Screens must not stand still while thousands of holds end in one moment."""
    sale = await make_sale(item("pin", {"pin": 150}))
    for n in range(150):
        await sale.held(f"fan-{n}")
    sale.now += HOLD_MS
    for free in (64, 128, 150, 150):
        seen = await view(sale)
        (row,) = seen.pools
        assert (row.free, row.held) == (free, 150 - free)
        assert seen.seq == len(await sale.log())


async def test_a_view_tells_who_left_the_line_since_the_cursor(sale: Sale) -> None:
    await sale.held("di", qty=3)
    entries = [await sale.joined(fan) for fan in ("ana", "bo", "cy")]
    start = await view(sale)
    await sale.leave("bo", entries[1])
    await sale.leave("ana", entries[0])
    later = await view(sale, start.moves_end, start.mail_end)
    assert [move for _, row in later.moves for move in row] == [(0, 0, 2), (0, 1, 1)]
    assert [fan for _, row in later.mail for fan, _ in row] == ["bo", "ana"]
    assert (later.moves_end - start.moves_end, later.mail_end - start.mail_end) == (2, 2)
    newest = await view(sale, later.moves_end, later.mail_end)
    assert (newest.moves, newest.mail) == ([], [])


async def test_a_view_carries_the_news(sale: Sale) -> None:
    await sale.creator("message", text="soon")
    assert (await view(sale)).news == [(3, sale.now, "soon")]


async def test_the_first_change_after_a_view_nudges_and_only_the_first(
    sale: Sale, client: redis.Redis
) -> None:
    listener = client.pubsub()
    await listener.subscribe(keys.nudge(sale.drop))
    await listener.get_message(timeout=5)
    await view(sale)
    await sale.held("ana")
    await sale.held("bo")
    nudge = await listener.get_message(timeout=5)
    assert nudge is not None
    assert nudge["data"] == b"3"
    await view(sale)
    await sale.held("cy")
    nudge = await listener.get_message(timeout=5)
    assert nudge is not None
    assert nudge["data"] == b"5"
    await listener.aclose()  # type: ignore[no-untyped-call]
