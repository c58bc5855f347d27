"""Group commit over the real server: one batch on its way, everything else in the next."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest

from dropengine import model, outcomes, refusals, wire
from dropengine.live.batcher import Answer, Batcher, weight
from dropengine.live.measured import Measured
from dropengine.model import DropId, FanId
from dropengine.truth import connections
from dropengine.truth.command_rows import Row, command_row
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item
from tests.kit.sale import Sale


def press(fan: str, key: str = "k", pool: str = "pin", qty: int = 1) -> Row:
    return command_row(FanId(fan), wire.Hold(0, key, pool, qty))


@pytest.fixture
async def far(proxy: FaultProxy) -> AsyncIterator[Store]:
    """A store behind the fault proxy."""
    client = connections.client(proxy.url)
    yield Store(client)
    await client.aclose(close_connection_pool=True)


def over(store: Store, sale: Sale, *, batch_max: int = 256, queue_max: int = 1000) -> Batcher:
    return Batcher(store, sale.drop, Measured(), batch_max=batch_max, queue_max=queue_max)


def words(answers: Sequence[Answer]) -> list[str]:
    return [model.snake(type(answer).__name__) for answer in answers]


async def sent(proxy: FaultProxy, count: int) -> None:
    """Until so many scripts have reached the proxy; each turn lets it read what is there."""
    async with asyncio.timeout(10):
        while proxy.seen["EVALSHA"] < count:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)


async def warm(far: Store, sale: Sale) -> None:
    """The script is known to the server, so that one batch is one request."""
    await far.press(sale.drop, [])


async def test_what_comes_while_a_batch_is_on_its_way_is_one_batch_more(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale)
    proxy.plan(Fate.DELAY)
    asked = [asyncio.create_task(batcher.ask(press("f0")))]
    await sent(proxy, before + 1)
    asked += [asyncio.create_task(batcher.ask(press(f"f{i}"))) for i in range(1, 100)]
    # Whatever the tasks can do without the server, they have done after this.
    await asyncio.sleep(0)
    assert proxy.seen["EVALSHA"] == before + 1
    proxy.go()
    answers = await asyncio.gather(*asked)
    assert proxy.seen["EVALSHA"] == before + 2
    assert words(answers) == ["held"] * 3 + ["all_held"] * 97


async def test_a_batch_carries_so_many_holds_however_they_are_grouped(
    far: Store, proxy: FaultProxy, make_sale: MakeSale
) -> None:
    sale = await make_sale(item("pin", {"pin": 9}), item("mug", {"mug": 9}))
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale, batch_max=4)

    def basket(fan: str, wants: int) -> Row:
        wanted = [wire.Want(["pin" if i % 2 else "mug"], i // 2 + 1) for i in range(wants)]
        return command_row(FanId(fan), wire.Basket(0, "k", wanted))

    assert [weight(row) for row in (press("f"), basket("f", 3))] == [1, 3]
    rows = [press("a"), basket("b", 3), basket("c", 3), press("d"), press("e"), basket("f", 6)]
    answers = await asyncio.gather(*(batcher.ask(row) for row in rows))
    # 1 + 3, 3 + 1, 1, and one that is larger than a batch goes alone.
    assert proxy.seen["EVALSHA"] == before + 4
    assert words(answers) == ["held", "basketed", "basketed", "held", "held", "basketed"]


async def test_a_batch_has_a_limit_and_the_order_is_that_of_asking(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale, batch_max=4)
    answers = await asyncio.gather(*(batcher.ask(press(f"f{i}")) for i in range(10)))
    assert words(answers) == ["held"] * 3 + ["all_held"] * 7
    assert proxy.seen["EVALSHA"] == before + 3


async def test_one_bad_element_is_refused_alone(store: Store, sale: Sale) -> None:
    batcher = over(store, sale)
    rows = [
        press("ada"),
        press("ben", pool="no-such-pool"),
        press("cleo", qty=100),
        command_row(FanId("dan"), wire.Release(0, "k", "h77")),
        press("ada", qty=2),
        press("eve"),
    ]
    answers = await asyncio.gather(*(batcher.ask(row) for row in rows))
    assert words(answers) == [
        "held",
        "not_found",
        "limit_reached",
        "not_found",
        "key_reused",
        "held",
    ]


async def test_a_lost_reply_is_repeated_once_and_counted_once(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    proxy.plan(Fate.DROP_REPLY)
    answer = await over(far, sale).ask(press("ada"))
    assert isinstance(answer, outcomes.Held)
    assert await sale.counts() == (2, 1, 0, 0)
    assert proxy.struck[Fate.DROP_REPLY] == 1


async def test_a_reply_lost_twice_is_away_and_the_key_tells_later_what_became_of_it(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale)
    proxy.plan(Fate.DROP_REPLY, times=2)
    answers = await asyncio.gather(batcher.ask(press("ada")), batcher.ask(press("ben")))
    assert [*answers] == [refusals.Away(retry_ms=1000)] * 2
    assert proxy.seen["EVALSHA"] == before + 2
    again = await asyncio.gather(batcher.ask(press("ada")), batcher.ask(press("ben")))
    assert words(again) == ["held", "held"]
    assert await sale.counts() == (1, 2, 0, 0)


async def test_a_batch_that_reached_the_server_twice_is_counted_once(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    proxy.plan(Fate.TWICE)
    assert isinstance(await over(far, sale).ask(press("ada", qty=2)), outcomes.Held)
    assert await sale.counts() == (1, 2, 0, 0)


async def test_a_press_whose_sender_left_before_sending_never_happens(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher, here, told = over(far, sale), {"ben", "cleo"}, list[str]()
    proxy.plan(Fate.DELAY)
    first = asyncio.create_task(batcher.ask(press("ada")))
    await sent(proxy, before + 1)
    for fan in ("ben", "cleo"):
        batcher.submit(press(fan), lambda _, f=fan: told.append(f), lambda f=fan: f not in here)  # type: ignore[misc]
    here.remove("ben")
    proxy.go()
    await first
    # The next one goes with or after those two.
    assert isinstance(await batcher.ask(press("dan")), outcomes.Held)
    assert told == ["cleo"]
    assert {hold.fan for hold in (await sale.truth()).holds.values()} == {"ada", "cleo", "dan"}


async def test_one_who_leaves_after_sending_has_pressed_all_the_same(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale)
    proxy.plan(Fate.DELAY)
    ada = asyncio.create_task(batcher.ask(press("ada")))
    ben = asyncio.create_task(batcher.ask(press("ben")))
    await sent(proxy, before + 1)
    ada.cancel()
    await asyncio.gather(ada, return_exceptions=True)
    proxy.go()
    assert isinstance(await ben, outcomes.Held)
    assert {hold.fan for hold in (await sale.truth()).holds.values()} == {"ada", "ben"}


async def test_a_full_queue_refuses_with_a_time_to_come_back(
    far: Store, proxy: FaultProxy, sale: Sale
) -> None:
    await warm(far, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(far, sale, queue_max=5)
    proxy.plan(Fate.DELAY)
    first = asyncio.create_task(batcher.ask(press("f0")))
    await sent(proxy, before + 1)
    told: list[Answer] = []
    for i in range(1, 9):
        batcher.submit(press(f"f{i}"), told.append)
    assert told == [refusals.TooManyRequests(retry_ms=1000)] * 3
    proxy.go()
    await first
    assert isinstance(await batcher.ask(press("f0")), outcomes.Held)
    assert len(told) == 8


async def test_one_answer_that_cannot_be_told_keeps_nobody_waiting(
    store: Store, sale: Sale, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Answer) -> None:
        raise RuntimeError("a bug in a reply")

    batcher = over(store, sale)
    batcher.submit(press("ada"), broken)
    assert isinstance(await batcher.ask(press("ben")), outcomes.Held)
    assert isinstance(await batcher.ask(press("cleo")), outcomes.Held)
    assert "a bug in a reply" in caplog.text


async def test_a_batch_that_cannot_be_decided_is_answered_and_the_next_one_goes_on(
    store: Store, sale: Sale, caplog: pytest.LogCaptureFixture
) -> None:
    batcher = over(store, sale)
    # No door lets such a row through; the script fails on it before it has written anything.
    nonsense: Row = ("no such verb", FanId("ada"), "k", "x")
    with caplog.at_level(logging.CRITICAL):
        answers = await asyncio.gather(batcher.ask(nonsense), batcher.ask(press("ben")))
    assert [*answers] == [refusals.Away(retry_ms=1000)] * 2
    assert isinstance(await batcher.ask(press("ben")), outcomes.Held)


async def test_a_drop_that_is_not_there_is_not_found(store: Store) -> None:
    batcher = Batcher(store, DropId("nowhere"), Measured(), batch_max=8, queue_max=8)
    assert isinstance(await batcher.ask(press("ada")), refusals.NotFound)


@pytest.fixture
async def hasty(proxy: FaultProxy) -> AsyncIterator[Store]:
    """A store behind the fault proxy that waits only for a moment."""
    client = connections.client(proxy.url, timeout_s=0.3)
    yield Store(client)
    await client.aclose(close_connection_pool=True)


@pytest.mark.parametrize("fate", [Fate.HANG, Fate.BLACK_HOLE])
async def test_who_waits_behind_a_batch_without_a_reply_is_told_when_its_time_is_over(
    hasty: Store, proxy: FaultProxy, sale: Sale, fate: Fate
) -> None:
    await warm(hasty, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(hasty, sale)
    proxy.plan(fate)
    first = asyncio.create_task(batcher.ask(press("ada")))
    await sent(proxy, before + 1)
    behind = [asyncio.create_task(batcher.ask(press(f"f{i}"))) for i in range(20)]
    assert await asyncio.gather(*behind) == [refusals.Away(retry_ms=1000)] * 20
    # They were never sent. The batch itself was repeated, and the server is there again.
    assert isinstance(await first, outcomes.Held)
    assert proxy.seen["EVALSHA"] == before + 2
    assert {hold.fan for hold in (await sale.truth()).holds.values()} == {"ada"}
    assert isinstance(await batcher.ask(press("ben")), outcomes.Held)


async def test_who_waits_behind_a_batch_that_lost_its_connection_is_decided(
    hasty: Store, proxy: FaultProxy, sale: Sale
) -> None:
    """The server is there: nobody is turned away for one connection."""
    await warm(hasty, sale)
    before = proxy.seen["EVALSHA"]
    batcher = over(hasty, sale)
    proxy.plan(Fate.DROP_REPLY)
    first = asyncio.create_task(batcher.ask(press("ada")))
    await sent(proxy, before + 1)
    assert isinstance(await batcher.ask(press("ben")), outcomes.Held)
    assert isinstance(await first, outcomes.Held)


async def test_a_burst_sells_each_unit_once(store: Store, make_sale: MakeSale) -> None:
    sale = await make_sale(item("pin", {"pin": 100}))
    workers = [over(store, sale, batch_max=16), over(store, sale, batch_max=16)]
    asks = [workers[i % 2].ask(press(f"f{i}")) for i in range(500)]
    answers = words(await asyncio.gather(*asks))
    assert (answers.count("held"), answers.count("all_held")) == (100, 400)
    assert await sale.counts() == (0, 100, 0, 0)
