"""A drop that an older engine sold from: the first script of this engine takes it over.

What was held, offered and promised stays so; an older engine that still runs somewhere leaves the
drop alone from then on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
import redis.asyncio as redis

from dropengine import events, outcomes, refusals, wire
from dropengine.errors import NewerSchema
from dropengine.log import replay
from dropengine.log.layouts import ASKS_FROM_NOW
from dropengine.log.referee import judge
from dropengine.model import SCHEMA
from dropengine.rehearsal.history import Recorder
from dropengine.truth import keys, scripts
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store
from tests.kit import older_layouts, web_process
from tests.kit.manifests import HOLD_MS, OFFER_MS, item
from tests.kit.private_server import Server
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale
from tests.kit.two_workers import crowd, judged, two_workers
from tests.lua.test_common_rows import ALL, rows, tamper

server = web_process.server


@pytest.fixture(params=older_layouts.ALL)
def layout(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
async def left(client: redis.Redis, layout: int) -> Sale:
    """The drop of that layout's file, a second after its last event."""
    drop = await older_layouts.restored(client, layout)
    sale = Sale(Store(client), drop, now=older_layouts.NOW_MS + 1000)
    sale.revision = int((await sale.truth()).drop["revision"])
    return sale


def older(client: redis.Redis, layout: int) -> Store:
    """A worker that knows that layout and refuses what is above it, as its engine did."""
    guard = scripts.sources()["lib/refuse_newer_schema.lua"]
    assert "> SCHEMA" in guard
    return Store(
        client,
        scripts.load({"lib/refuse_newer_schema.lua": guard.replace("> SCHEMA", f"> {layout}")}),
    )


async def check(sale: Sale, *, closed: bool = False) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines, closed=closed).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


async def test_what_the_older_engine_left_is_read_as_its_log_tells_it(
    left: Sale, layout: int
) -> None:
    """Before anybody lifted it, and without touching it."""
    truth = await left.truth()
    assert truth.drop["schema"] == str(layout)
    assert {name: pool.offered for name, pool in truth.pools.items()} == {
        "cup-hill": 2,
        "cup-port": 0,
        "pin": 1,
    }
    await check(left)
    assert "lifted" not in await left.words()


async def test_the_first_script_takes_the_drop_over_before_it_decides(
    left: Sale, layout: int
) -> None:
    before = await left.truth()
    outcome = await left.hold("new", "cup-port")
    assert isinstance(outcome, refusals.AllHeld)
    truth = await left.truth()
    assert truth.drop["schema"] == str(SCHEMA)
    log = await left.log()
    (lifted,) = [e for e in log if isinstance(e, events.Lifted)]
    assert (lifted.was, lifted.schema) == (layout, SCHEMA)
    assert log[int(before.drop["seq"])] == lifted
    assert {name: truth.holds[name] for name in before.holds} == before.holds
    await check(left)


async def test_a_pause_that_the_older_engine_took_has_its_reason_in_the_log_alone(
    client: redis.Redis, sale: Sale
) -> None:
    await sale.creator("pause", why="Lunch")
    await older_layouts.lowered(client, sale.drop, 1)
    await check(sale)
    view = await sale.store.view(sale.drop, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    assert (view.state, view.why) == ("paused", "")
    await check(sale)
    for verb in ("resume", "pause"):
        await sale.creator(verb)
    await sale.creator("cancel", why="The box is lost")
    assert (await sale.truth()).drop["why"] == "The box is lost"
    await check(sale)


async def test_what_it_offered_is_claimed_lapses_and_is_called_off(left: Sale) -> None:
    truth = await left.truth()
    offers = {h: hold for h, hold in truth.holds.items() if hold.state == "active" and hold.entry}
    flo, jon = (
        next(h for h, hold in offers.items() if hold.fan == fan and not hold.claimed)
        for fan in ("flo", "jon")
    )
    await left.claim("flo", flo)
    await check(left)
    assert (await left.truth()).pools["cup-hill"].offered == 0
    await left.release("jon", jon)
    await check(left)
    left.now += OFFER_MS + HOLD_MS
    await left.settle()
    await check(left)
    await left.creator("cancel")
    left.now += OFFER_MS
    await left.settle()
    for duty in await left.store.duties(left.drop):
        await left.discharge(duty)
    assert all(pool.offered == 0 for pool in (await left.truth()).pools.values())
    await check(left, closed=True)


async def test_an_older_worker_leaves_it_alone_while_two_newer_ones_go_on(
    left: Sale, client: redis.Redis, layout: int
) -> None:
    one, two, old = left.store, Store(client), older(client, layout)
    await left.settle()
    assert (await left.truth()).drop["schema"] == str(SCHEMA)
    for now in (left.now, left.now + HOLD_MS):
        with pytest.raises(NewerSchema, match=f"is kept in layout {SCHEMA}"):
            await old.settle(left.drop, clock_ms=now)
        for store in (one, two):
            left.store, left.now = store, now
            await left.hold(f"fan-{now}-{store is one}", "pin", fewer=True)
            await left.settle()
    assert (await left.words()).count("lifted") == 1
    await check(left)


@rows(ALL)
async def test_whichever_script_comes_first_lifts_it_once(
    left: Sale, verb: str, args: tuple[object, ...]
) -> None:
    await raw(left, verb, *args)
    await raw(left, verb, *args)
    assert (await left.words()).count("lifted") == 1
    await check(left)


async def test_a_drop_that_is_over_is_lifted_too(
    sale: Sale, client: redis.Redis, layout: int
) -> None:
    await sale.bought("ana")
    await sale.creator("close")
    await sale.settle()
    await older_layouts.lowered(client, sale.drop, layout)
    assert (await sale.settle()).state == "settled"
    await sale.refund("h1")
    assert (await sale.words())[-3:] == ["settled", "lifted", "refunded"]
    await check(sale)


async def test_a_frozen_drop_stays_frozen_and_can_be_called_off(
    sale: Sale, client: redis.Redis, layout: int
) -> None:
    await sale.held("di")
    await tamper(sale)
    sale.now += HOLD_MS
    await raw(sale, "settle")
    await older_layouts.lowered(client, sale.drop, layout)
    for _ in range(2):
        assert (await sale.settle()).state == "frozen"
    assert (await sale.words())[-2:] == ["frozen", "lifted"]
    outcome = await sale.creator("cancel")
    assert isinstance(outcome, outcomes.Changed)
    await sale.settle()
    assert (await sale.words())[-2:] == ["cancelled", "released"]


async def test_broken_books_of_the_older_engine_are_seen_when_it_is_lifted(
    sale: Sale, client: redis.Redis, layout: int
) -> None:
    await tamper(sale)
    await older_layouts.lowered(client, sale.drop, layout)
    assert await raw(sale, "settle") == ["FROZEN"]
    assert (await sale.settle()).state == "frozen"
    assert (await sale.words())[-2:] == ["frozen", "lifted"]


async def test_it_is_lifted_in_the_middle_of_a_rush_at_one_of_two_workers(
    server: Server, tmp_path: Path, layout: int
) -> None:
    async with two_workers(server.url, tmp_path) as (one, two):
        sale = await one.sale(item("pin", {"pin": 12}))
        history = Recorder()
        async with crowd([one.url, two.url], sale.drop, 30, history) as fans:
            await asyncio.gather(*(fan.hold() for fan in fans[:10]))
            await older_layouts.lowered(one.runtime.store.client, sale.drop, layout)
            answers = await asyncio.gather(*(fan.hold() for fan in fans[10:]))
            assert sum(isinstance(answer, wire.Done) for answer in answers) == 2
        _, log = await judged(one.runtime.store, sale.drop, history)
    assert [type(e) for e in log].count(events.Lifted) == 1


async def test_the_time_in_which_the_engine_was_exchanged_does_not_count(
    sale: Sale, client: redis.Redis
) -> None:
    await client.hset(keys.one(sale.drop, "wake"), "ran", sale.now)
    hold = await sale.held("ana")
    await older_layouts.lowered(client, sale.drop, SCHEMA - 1)
    sale.now += HOLD_MS
    assert (await sale.settle()).state == "live"
    assert (await sale.words())[-2:] == ["realigned", "lifted"]
    assert (await sale.truth()).holds[hold].state == "active"
    await check(sale)


async def test_a_payment_that_an_older_engine_asks_about_keeps_its_hard_stop(
    sale: Sale, client: redis.Redis, layout: int
) -> None:
    hold = await sale.held("ana")
    await sale.pay("ana", hold)
    sale.now += HOLD_MS
    await sale.settle()
    record = (await sale.truth()).holds[hold]
    hard_stop = record.looked
    if layout < ASKS_FROM_NOW:
        record.deadline_ms, record.looked = hard_stop, 1
    await client.hset(keys.one(sale.drop, "holds"), hold, msgspec.msgpack.encode(record))
    await older_layouts.lowered(client, sale.drop, layout)
    answer = await sale.extend("ana", hold)
    assert isinstance(answer, outcomes.Extended)
    assert answer.hold.looked == hard_stop
    assert (await sale.words())[-2:] == ["extended", "lifted"]
    await check(sale)
    sale.now = hard_stop - 1
    await sale.settle()
    assert await sale.counts() == (2, 1, 0, 0)
    sale.now = hard_stop
    await sale.settle()
    # It ends by the rules of now: somebody may still be paying.
    assert list((await sale.truth()).outbox) == [f"lookup:{hold}"]
    await check(sale)
