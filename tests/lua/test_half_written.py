"""A commit that ended half-way, because the server refused a command in its middle, is seen by the
next script: the drop is frozen, and nothing more is sold on what cannot be trusted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from dropengine import outcomes, refusals
from dropengine.errors import Broken
from dropengine.log.referee import judge
from dropengine.truth import keys, repair
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.freezing import forbid, weak_store
from tests.kit.manifests import HOLD_MS, item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.lua.test_common_rows import tamper

in_the_middle = pytest.mark.parametrize("command", ["xadd", "zadd", "zrem", "publish"])
while_publishing = pytest.mark.parametrize("command", ["xadd", "zadd", "publish"])


@pytest.fixture
async def weak(server: Server, client: Any) -> AsyncIterator[Store]:
    """A worker whose user at the server may not do everything; tests say what."""
    async with weak_store(server, client) as one:
        yield one


@pytest.fixture
async def busy(make_sale: MakeSale) -> Sale:
    """An order, a hold, somebody in line; a screen has armed the nudge."""
    sale = await make_sale(item("pin", {"pin": 2}))
    await sale.bought("ana")
    await sale.held("bo")
    await sale.joined("cy")
    await sale.store.view(sale.drop, clock_ms=sale.now)
    return sale


async def tried(sale: Sale, weak: Store, client: Any, command: str) -> None:
    """bo gives his unit back and cy is called, at a worker that may not do this."""
    await forbid(client, command)
    strong, sale.store = sale.store, weak
    with pytest.raises(Broken):
        await sale.release("bo", "h2")
    sale.store = strong


@in_the_middle
async def test_the_next_script_freezes_the_drop_without_a_word_in_the_log(
    busy: Sale, weak: Store, client: Any, command: str
) -> None:
    await tried(busy, weak, client, command)
    before = await busy.log()
    assert (await busy.settle()).state == "frozen"
    head = await client.hgetall(keys.one(busy.drop, "drop"))
    assert (head[b"froze"], head[b"was"], head[b"mark"]) == (b"half", b"live", b"0")
    assert await busy.log() == before
    assert int(head[b"seq"]) == len(before)
    assert await busy.hold("di") == refusals.Frozen()
    assert await busy.pay("ana", "h1") == refusals.Frozen()
    lines = [line async for line in busy.store.log(busy.drop)]
    # Nobody was called any more: that is missing at its end, and nothing before it is wrong.
    wrong = [one for one in judge(lines).violations if one.line]
    assert wrong == [], "what was logged is honest"


@in_the_middle
async def test_it_can_be_called_off(busy: Sale, weak: Store, client: Any, command: str) -> None:
    await tried(busy, weak, client, command)
    await busy.settle()
    assert isinstance(await busy.creator("cancel"), outcomes.Changed)
    busy.now += HOLD_MS
    assert (await busy.settle()).state == "cancelled"


async def test_what_was_done_by_half_is_not_done_again_when_it_is_called_off(
    busy: Sale, weak: Store, client: Any
) -> None:
    """Though nobody repaired it: h2 had ended, and is not ended anew."""
    await busy.pay("bo", "h2")
    await tried(busy, weak, client, "zrem")
    await busy.settle()
    assert isinstance(await busy.creator("cancel"), outcomes.Changed)
    assert (await busy.settle()).state == "cancelled"
    assert await told(busy, "released", "h2") == 1
    assert await told(busy, "refunded", "h1") == 1
    assert {"cancel:p1", "void:c1"} <= (await busy.store.duties(busy.drop)).keys()
    assert await blamed(busy) == ["INV-3"], "for the half, which is the engine's fault"
    assert await rows_that_differ(busy) <= {"outbox"}, "h2 is asked about since now"


@pytest.mark.parametrize("command", ["zadd", "zrem"])
async def test_what_was_sold_by_half_is_refunded_when_it_is_called_off(
    busy: Sale, weak: Store, client: Any, command: str
) -> None:
    """Its payment, told again, is known."""
    await forbid(client, command)
    strong, busy.store = busy.store, weak
    with pytest.raises(Broken):
        await busy.succeeded("h2")
    busy.store = strong
    await busy.settle()
    assert isinstance(await busy.creator("cancel"), outcomes.Changed)
    await busy.settle()
    assert await told(busy, "refunded", "h2") == 1
    assert await told(busy, "released", "h2") == 0
    assert isinstance(await busy.succeeded("h2"), outcomes.Paid)
    duties = set(await busy.store.duties(busy.drop))
    assert duties == {"cancel:p1", "void:c1", "cancel:p2", "void:c2"}
    assert await blamed(busy) == ["INV-3"]


async def test_what_was_offered_by_half_comes_back_when_it_is_called_off(
    busy: Sale, weak: Store, client: Any
) -> None:
    await tried(busy, weak, client, "zadd")
    await busy.settle()
    assert isinstance(await busy.creator("cancel"), outcomes.Changed)
    await busy.settle()
    assert await told(busy, "released", "h3") == 1
    assert await busy.counts() == (2, 0, 0, 0)
    assert await blamed(busy) == ["INV-3"]


async def told(sale: Sale, kind: str, hold: str) -> int:
    """How often the log says this of a hold."""
    return sum(
        type(event).__name__.lower() == kind and getattr(event, "hold", "") == hold
        for event in await sale.log()
    )


async def blamed(sale: Sale) -> list[str]:
    return [one.inv for one in judge([line async for line in sale.store.log(sale.drop)]).violations]


async def rows_that_differ(sale: Sale) -> set[str]:
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    return {row.key for row in found.rows}


async def test_what_a_cancelled_drop_owes_is_told_once(
    busy: Sale, weak: Store, client: Any
) -> None:
    await busy.creator("cancel")
    await forbid(client, "zrem")
    strong, busy.store = busy.store, weak
    with pytest.raises(Broken):
        await busy.settle()
    busy.store = strong
    for _ in range(2):
        assert (await busy.settle()).state == "cancelled"
    assert await told(busy, "released", "h2") == await told(busy, "refunded", "h1") == 1
    assert "void:c1" in await busy.store.duties(busy.drop)
    assert await blamed(busy) == []


async def test_what_a_cancelled_drop_owes_still_goes_back(
    busy: Sale, weak: Store, client: Any
) -> None:
    await busy.creator("cancel")
    await forbid(client, "zrem")
    strong, busy.store = busy.store, weak
    with pytest.raises(Broken):
        await busy.settle()
    busy.store = strong
    assert (await busy.settle()).state == "cancelled"
    assert "void:c1" in await busy.store.duties(busy.drop)
    assert isinstance(await busy.discharge("void:c1"), outcomes.Discharged)


async def test_who_may_not_even_begin_to_write_leaves_nothing_behind(
    busy: Sale, weak: Store, client: Any
) -> None:
    before = await busy.truth()
    await tried(busy, weak, client, "hset")
    assert await busy.truth() == before
    assert (await busy.settle()).state == "live"
    assert isinstance(await busy.release("bo", "h2"), outcomes.Released)


@while_publishing
async def test_a_drop_that_was_published_by_half_sells_nothing(
    drop: str, weak: Store, client: Any, command: str
) -> None:
    await forbid(client, command)
    sale = Sale(weak, drop)
    text = manifest(drop, item("pin", {"pin": 2}), opens_ms=sale.now + 1)
    with pytest.raises(Broken):
        await sale.publish(text)
    sale.store = Store(client)
    sale.now += HOLD_MS
    assert (await sale.settle()).state == "frozen"
    sale.revision = 1
    assert isinstance(await sale.creator("cancel"), outcomes.Changed)
    assert (await sale.settle()).state == "cancelled"


async def test_broken_books_say_from_which_state_they_froze_the_drop(
    busy: Sale, client: Any
) -> None:
    await busy.creator("pause")
    await tamper(busy)
    await busy.release("bo", "h2")
    head = await client.hgetall(keys.one(busy.drop, "drop"))
    assert (head[b"state"], head[b"froze"], head[b"was"]) == (b"frozen", b"books", b"paused")
    assert head[b"mark"] == b"0"


async def test_time_does_not_fall_behind_the_moment_of_the_half(
    busy: Sale, weak: Store, client: Any
) -> None:
    """Even where the log knows nothing of it."""
    busy.now += 1000
    await tried(busy, weak, client, "xadd")
    busy.now -= 1000
    assert (await busy.settle()).now_ms == busy.now + 1000


async def test_a_whole_commit_leaves_no_mark(busy: Sale, client: Any) -> None:
    await busy.release("bo", "h2")
    assert await client.hget(keys.one(busy.drop, "drop"), "mark") == b"0"
    assert (await busy.settle()).state == "live"
