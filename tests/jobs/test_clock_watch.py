"""A clock that cannot be trusted sells nothing, and a slow answer is no wrong clock."""

from __future__ import annotations

import asyncio

import pytest

from dropengine import events, outcomes
from dropengine.errors import Unavailable
from dropengine.jobs.clock_watch import ClockWatch, Reading, leapt
from dropengine.model import DropId
from dropengine.truth import keys
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, comes, conf, real
from tests.kit.manifests import manifest
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, until


@pytest.mark.parametrize(
    ("before", "now", "leap"),
    [
        ((0, 0), (0, 0), False),
        ((0, 0), (2_000, 2_000), False),
        ((0, 0), (2_001, 2_001), True),
        ((0, 0), (-2_000, -2_000), False),
        ((0, 0), (-2_001, -2_001), True),
        # A slow answer may hide a leap, but never looks like one.
        ((0, 0), (1_000, 9_000), False),
        ((-8_000, 0), (2_000, 2_000), False),
        ((-8_000, 0), (2_001, 2_001), True),
        ((0, 8_000), (-2_001, 0), False),
        ((0, 8_000), (-9_000, -2_001), True),
        ((0, 9_000), (3_000, 4_000), False),
    ],
)
def test_a_leap_is_what_no_slow_answer_explains(
    before: tuple[int, int], now: tuple[int, int], leap: bool
) -> None:
    assert leapt(Reading(*before), Reading(*now), 2_000) is leap


class Leaping(Store):
    """The real store of a server whose clock can be set."""

    by_ms = 0
    readings = 0

    async def time_ms(self) -> int:
        now = await super().time_ms() + self.by_ms
        self.readings += 1
        return now


@pytest.mark.parametrize("by_ms", [3_600_000, -3_600_000])
async def test_a_clock_that_leaps_pauses_every_live_drop(store: Store, by_ms: int) -> None:
    live = [await real(store, "one"), await real(store, "two")]
    paused = await real(store, "paused")
    await paused.creator("pause")
    waiting = Sale(store, "waiting", now=0)
    await waiting.publish(manifest("waiting"))
    leaping = Leaping(store.client)
    async with at_work(ClockWatch(leaping, conf())):
        await until(lambda: leaping.readings)
        leaping.by_ms = by_ms
        for sale in live:
            await comes(sale, "paused")
            last = (await sale.log())[-1]
            assert isinstance(last, events.Paused)
            assert (last.by, last.why) == ("clock", "the server's clock leapt")
        assert (await paused.words())[-1] == "paused"
        assert await waiting.words() == ["published"]
        # It is said once, and the creator can go on.
        sale = live[0]
        sale.revision = int((await sale.truth()).drop["revision"])
        await sale.creator("resume")
        seen = leaping.readings
        await until(lambda: leaping.readings > seen)
        assert (await sale.truth()).drop["state"] == "live"


async def test_a_leap_is_not_forgotten_while_the_server_is_away(store: Store) -> None:
    class Away1(Leaping):
        away = 1

        async def drops(self) -> list[DropId]:
            if self.by_ms and self.away:
                self.away -= 1
                raise Unavailable("no reply")
            return await super().drops()

    sale = await real(store)
    leaping = Away1(store.client)
    async with at_work(ClockWatch(leaping, conf())):
        await until(lambda: leaping.readings)
        leaping.by_ms = 60_000
        await comes(sale, "paused")
        assert leaping.away == 0


async def waiting(store: Store, ms: int = 3_600_000) -> Sale:
    """It opens by its clock, in real time."""
    sale = Sale(store, "waiting", now=0)
    await sale.publish(manifest("waiting", opens_ms=await store.time_ms() + ms))
    return sale


async def doubted(sale: Sale) -> bool:
    return bool(await sale.store.client.hget(keys.one(sale.drop, "wake"), "doubt") == b"1")


async def comes_to(sale: Sale, word: str) -> None:
    """Until this is the last word of the log."""
    async with asyncio.timeout(LONG_S):
        while (await sale.words())[-1] != word:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def test_a_leap_keeps_drops_from_opening_until_the_clock_agrees_again(store: Store) -> None:
    sale, live = await waiting(store), await real(store, "live")
    by_hand = Sale(store, "by-hand", now=0)
    await by_hand.publish(manifest("by-hand"))
    leaping = Leaping(store.client)
    async with at_work(ClockWatch(leaping, conf(), agree_s=0)):
        await until(lambda: leaping.readings)
        leaping.by_ms = 7_200_000
        await comes(live, "paused")
        assert await doubted(sale)
        assert not await doubted(by_hand)
        seen = leaping.readings
        await until(lambda: leaping.readings > seen)
        assert await doubted(sale), "it does not agree yet"
        leaping.by_ms = 0
        await comes_to(sale, "realigned")
        assert not await doubted(sale)
    event = (await sale.log())[-1]
    assert isinstance(event, events.Realigned)
    assert (event.by, event.why, event.lead) == ("clock", "leap", 0)
    # Nobody doubted these two, and their time goes on.
    assert (await live.words())[-1] == "paused"
    assert await by_hand.words() == ["published"]


async def test_a_clock_is_trusted_only_after_it_agreed_for_a_while(store: Store) -> None:
    sale = await waiting(store)
    leaping = Leaping(store.client)
    watch = ClockWatch(leaping, conf(), agree_s=3600)
    for leaping.by_ms in (0, 7_200_000, 0, 0, 0):
        await watch.round()
    assert await sale.words() == ["published"]
    assert await doubted(sale)


async def test_a_new_time_that_stays_is_for_a_person_to_trust(store: Store) -> None:
    sale = await waiting(store)
    leaping = Leaping(store.client)
    watch = ClockWatch(leaping, conf(), agree_s=0)
    for leaping.by_ms in (0, 7_200_000, 7_200_000, 7_200_000):
        await watch.round()
    assert await doubted(sale)
    assert isinstance(await sale.creator("realign", by="o1"), outcomes.Changed)
    assert not await doubted(sale)


async def test_two_workers_that_saw_the_same_leap_realign_once(store: Store) -> None:
    sale = await waiting(store)
    leaping = Leaping(store.client)
    watches = [ClockWatch(leaping, conf(), agree_s=0) for _ in range(2)]
    for leaping.by_ms in (0, -7_200_000, 0, 0):
        for watch in watches:
            await watch.round()
    assert await sale.words() == ["published", "realigned"]
