"""A clock that cannot be trusted sells nothing, and a slow answer is no wrong clock."""

from __future__ import annotations

import pytest

from dropengine import events
from dropengine.errors import Unavailable
from dropengine.jobs.clock_watch import ClockWatch, Reading, leapt
from dropengine.model import DropId
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import at_work, comes, conf, real
from tests.kit.manifests import manifest
from tests.kit.sale import Sale
from tests.kit.web_process import until


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
