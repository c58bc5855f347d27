"""Out of a freeze again: the records are held against the log, rewritten from it, and the drop goes
on as the log tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from dropengine import outcomes, wire
from dropengine.errors import Broken
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.truth import keys, record_layouts, repair
from dropengine.truth.repair import Audit
from dropengine.truth.store import CarriedRow, Store
from tests.conftest import MakeSale
from tests.kit.freezing import forbid, freeze, restore, weak_store
from tests.kit.manifests import COOL_MS, HOLD_MS, OFFER_MS, carrying, item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.lua.test_common_rows import tamper

refused = pytest.mark.parametrize("command", ["xadd", "zadd", "zrem", "publish", "hdel"])


@pytest.fixture
async def weak(server: Server, client: Any) -> AsyncIterator[Store]:
    async with weak_store(server, client) as one:
        yield one


@pytest.fixture
async def busy(make_sale: MakeSale) -> Sale:
    """Orders, holds, somebody in line; a screen has armed the nudge."""
    sale = await make_sale(item("pin", {"pin": 4}))
    await sale.bought("ana")
    await sale.bought("eva")
    await sale.held("bo")
    await sale.held("fay")
    await sale.joined("cy")
    await sale.joined("di")
    await sale.store.view(sale.drop, clock_ms=sale.now)
    return sale


async def two_deadlines_pass(sale: Sale) -> None:
    sale.now += HOLD_MS
    await sale.settle()


ACTS: dict[str, Callable[[Sale], Awaitable[object]]] = {
    "a hold is given back and the line is served": lambda sale: sale.release("bo", "h3"),
    "a payment": lambda sale: sale.succeeded("h3"),
    "a refund": lambda sale: sale.refund("h1"),
    "a duty that was done": lambda sale: sale.discharge("capture:p1"),
    "a place that is given up": lambda sale: sale.leave("cy", "e1"),
    "another who joins": lambda sale: sale.join("gus"),
    "two deadlines": two_deadlines_pass,
    "a pause": lambda sale: sale.creator("pause", why="lunch"),
    "a message": lambda sale: sale.creator("message", text="Hello."),
    "the end": lambda sale: sale.creator("close"),
    "calling it off": lambda sale: sale.creator("cancel"),
}


async def audited(sale: Sale) -> Audit:
    found = await repair.audit(sale.store, sale.drop)
    assert found is not None
    return found


async def brought_back(sale: Sale) -> Audit:
    """Repair and thaw; what was found at first."""
    first = await audited(sale)
    rewritten = await repair.rewrite(sale.store, first)
    second = await audited(sale)
    assert second.agrees, [row.sentence for row in second.rows]
    outcome = await repair.thaw(
        sale.store, second, by="o1", key="thaw", rewritten=rewritten, clock_ms=sale.now
    )
    assert isinstance(outcome, outcomes.Changed)
    sale.revision = outcome.revision
    return first


async def check(sale: Sale) -> list[str]:
    """The records are what the log says; what the referee blames."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []
    return [one.inv for one in judge(lines).violations]


@refused
@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
async def test_whatever_was_written_by_half_the_log_alone_makes_it_whole(
    busy: Sale,
    weak: Store,
    client: Any,
    command: str,
    act: Callable[[Sale], Awaitable[object]],
) -> None:
    await forbid(client, command)
    strong, busy.store = busy.store, weak
    try:
        await act(busy)
    except Broken:
        pass
    else:
        pytest.skip(f"it needs no {command}")
    busy.store = strong
    await busy.settle()
    await brought_back(busy)
    assert await check(busy) == ["INV-3"]
    if (await busy.settle()).state == "paused":
        await busy.creator("resume")
    busy.now += HOLD_MS
    while (await busy.settle()).next_ms:
        busy.now += HOLD_MS
    assert await check(busy) == ["INV-3"]


@pytest.mark.parametrize("command", ["zadd", "zrem"])
async def test_a_repeat_of_what_the_log_tells_makes_nothing_more(
    busy: Sale, weak: Store, client: Any, command: str
) -> None:
    await busy.release("bo", "h3")
    await busy.leave("cy", "e1")
    await busy.leave("di", "e2")
    await forbid(client, command)
    strong, busy.store = busy.store, weak
    press = wire.Hold(id=0, key="mine", pool="pin", qty=1)
    try:
        await busy.press("gus", press)
    except Broken:
        busy.store = strong
        await busy.settle()
        await brought_back(busy)
        await busy.creator("resume")
    busy.store = strong
    count = len((await busy.truth()).holds)
    outcome = await busy.press("gus", press)
    assert isinstance(outcome, outcomes.Held)
    assert len((await busy.truth()).holds) == count


async def test_broken_books_are_shown_by_their_fields_and_put_right(busy: Sale) -> None:
    await tamper(busy)
    await busy.release("bo", "h3")
    found = await brought_back(busy)
    assert [row.sentence for row in found.rows] == ["pools pin: free is 1, the log makes it 0"]
    assert (await busy.log())[-1].found == 1  # type: ignore[union-attr]
    assert await check(busy) == ["INV-1"]


async def test_records_of_every_key_are_rewritten(busy: Sale, client: Any) -> None:
    """Lost, changed, and made up."""
    await busy.refund("h2")
    await busy.creator("message", text="Hello.")
    before = await busy.truth()
    await freeze(busy)
    for name in keys.TRUTH[1:]:
        key = keys.one(busy.drop, name)
        if (await client.type(key)) == b"zset":
            (member, *_) = await client.zrange(key, 0, 0)
            await client.zrem(key, member)
            await client.zadd(key, {f"h:h99{name}": 7})
        elif await client.exists(key):
            (field, *_) = await client.hkeys(key)
            await client.hdel(key, field)
    head = keys.one(busy.drop, "drop")
    await client.hset(head, mapping={"arrivals": 99, "news": b"\x90", "hash": "none"})
    found = await audited(busy)
    assert {row.key for row in found.rows} >= {"drop", "news", "pools", "fans", "holds", "due"}
    await brought_back(busy)
    after = await busy.truth()
    assert await check(busy) == ["INV-3"]
    for name in keys.TRUTH[1:]:
        assert getattr(after, name) == getattr(before, name), name


async def test_a_drop_that_goes_on_can_be_audited(busy: Sale) -> None:
    found = await audited(busy)
    assert found.agrees
    assert (found.shown.froze, found.events) == ("", len(await busy.log()))
    assert await repair.audit(busy.store, type(busy.drop)("nowhere")) is None


async def without(client: Any, sale: Sale, entry: int) -> None:
    name = keys.one(sale.drop, "log")
    (row, *_) = (await client.xrange(name))[entry:]
    await client.xdel(name, row[0])


async def put_last(client: Any, sale: Sale, text: bytes) -> None:
    """Another text where the last event stood."""
    name = keys.one(sale.drop, "log")
    ((entry, _),) = await client.xrevrange(name, count=1)
    await client.xdel(name, entry)
    last = entry.split(b"-")[0]
    await client.xadd(name, {"e": text.replace(b"SEQ", last)}, id=last + b"-1")


STRANGE = b'{"e":"expired","seq":SEQ,"at":1,"fan":"x","hold":"h99","pool":"pin","qty":1}'

HOLES: dict[str, tuple[Callable[[Any, Sale], Awaitable[None]], str]] = {
    "an event in the middle": (lambda c, s: without(c, s, 2), "is missing from its log"),
    "its beginning": (lambda c, s: without(c, s, 0), "event 1 is missing"),
    "its end": (lambda c, s: without(c, s, -1), "the drop had come to"),
    "all of it": (lambda c, s: c.delete(keys.one(s.drop, "log")), "its log is empty"),
    "a line that is none": (lambda c, s: put_last(c, s, b"{"), "cannot be read"),
    "a line about nothing": (lambda c, s: put_last(c, s, STRANGE), "never there"),
}


@pytest.mark.parametrize(("hole", "said"), list(HOLES.values()), ids=list(HOLES))
async def test_a_log_with_a_hole_is_no_measure_and_the_drop_can_be_called_off(
    busy: Sale, client: Any, hole: Callable[[Any, Sale], Awaitable[None]], said: str
) -> None:
    await tamper(busy)
    await busy.release("bo", "h3")
    await hole(client, busy)
    found = await audited(busy)
    assert not found.agrees
    assert said in found.hole
    for refused_here in (
        repair.rewrite(busy.store, found),
        repair.thaw(busy.store, found, by="o1", key="k"),
    ):
        with pytest.raises(AssertionError):
            await refused_here
    assert isinstance(await busy.creator("cancel"), outcomes.Changed)
    assert (await busy.settle()).state == "cancelled"
    assert {"void:c1", "void:c2"} <= set(await busy.store.duties(busy.drop))


async def test_money_that_cannot_be_read_stays_where_it_is(busy: Sale, client: Any) -> None:
    await client.hset(keys.one(busy.drop, "outbox"), "void:c9", b"foreign bytes")
    await freeze(busy)
    found = await brought_back(busy)
    assert found.set_aside == ["void:c9"]
    assert (await busy.store.outbox(busy.drop)).set_aside == ["void:c9"]


async def test_counts_that_a_log_itself_does_not_keep_are_no_measure(busy: Sale) -> None:
    truth = replay.fold(await busy.log())
    assert repair.recounted(truth) == ""
    truth.pools["pin"].held += 1
    assert "do not add up" in repair.recounted(truth)
    truth.pools["pin"].sold -= 1
    assert "counts other units" in repair.recounted(truth)


async def test_what_counts_against_cohorts_and_carried_places_is_counted_again(
    make_sale: MakeSale, store: Store, drop: str
) -> None:
    early = await make_sale(item("pin", {"pin": 9}), cohorts={"club": 4}, public_ms=0)
    await early.enroll("ana", "club")
    await early.refund(await early.bought("ana"))
    await early.bought("ana")
    truth = replay.fold(await early.log())
    assert (truth.pools["pin"].counted, repair.recounted(truth)) == ([1], "")
    truth.pools["pin"].counted = [2]
    assert "other units against its cohorts" in repair.recounted(truth)

    sale = Sale(store, f"{drop}-carried")
    await sale.publish(carrying(manifest(sale.drop, item("pin", {"pin": 4})), share=50))
    await sale.carry(CarriedRow("e3", "ana", 1, ["pin"]))
    await sale.confirm("ana", "e1")
    await sale.creator("open")
    truth = replay.fold(await sale.log())
    assert (truth.pools["pin"].carried, repair.recounted(truth)) == ([1, 2], "")
    truth.pools["pin"].carried = [0, 2]
    assert "other units of carried places" in repair.recounted(truth)


async def test_what_the_scripts_are_handed_are_the_bytes_themselves(busy: Sale) -> None:
    record = record_layouts.stored((await busy.truth()).pools["pin"])
    stored = await busy.store.client.hget(keys.one(busy.drop, "pools"), "pin")
    assert record == stored


async def test_a_drop_whose_refund_was_given_up_comes_back_like_any(busy: Sale) -> None:
    """Its order has ended, though its money has not gone back."""
    await busy.discharge("capture:p1")
    await busy.refund("h1")
    await busy.end_duty("refund:p1:1", "given_up")
    await tamper(busy)
    await busy.release("bo", "h3")
    found = await repair.audit(busy.store, busy.drop)
    assert found is not None
    assert found.hole == ""
    assert (await busy.truth()).orders["h1"].state == "refund_failed"


@pytest.mark.parametrize("how", [freeze, restore])
@pytest.mark.parametrize("cooled", [False, True], ids=["cooling", "cooled"])
async def test_what_was_cooling_when_a_drop_froze_is_cooling_when_it_is_called_off(
    busy: Sale, how: Callable[[Sale], Awaitable[None]], *, cooled: bool
) -> None:
    await busy.release("bo", "h3")
    busy.now += OFFER_MS
    await busy.settle()
    if cooled:
        busy.now += COOL_MS
        await busy.settle()
    await how(busy)
    busy.now += COOL_MS
    await busy.creator("cancel")
    assert (await audited(busy)).rows == []
