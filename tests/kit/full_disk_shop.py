"""A shop on a small disk that becomes full at once, and a fan who goes on buying: run by itself."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from dropengine.config import Settings
from tests.kit.own_disk import fill, lay_over
from tests.kit.steady_fan import DROP, Fan, fan_of, opened
from tests.kit.two_workers import judged
from tests.kit.web_process import LONG_S

SIZE_MIB, LEAST_MIB = 96, 16


async def is_sent_away(fan: Fan) -> None:
    told = fan.told
    async with asyncio.timeout(LONG_S):
        while fan.told == told:  # noqa: ASYNC110 - he tells nobody
            await asyncio.sleep(0.01)


async def night(folder: Path) -> None:
    """Says how long after there was room again the fan had a unit, s."""
    settings = Settings(
        data_dir=folder,
        port=0,
        local_pay=True,
        web_concurrency=1,
        disk_free_mib_min=LEAST_MIB,
        maxmemory_mib=64,
        log_level="error",
        requests_per_s_max=100_000,
    )
    async with opened(settings) as (shop, store):
        async with fan_of(shop) as fan, asyncio.TaskGroup() as group:
            going = group.create_task(fan.goes_on())
            await fan.gets_one()
            ballast = fill(folder)
            await is_sent_away(fan)
            ballast.unlink()
            since = time.monotonic()
            await asyncio.wait_for(fan.gets_one(), LONG_S)
            print(f"{time.monotonic() - since:.2f}")
            going.cancel()
        await judged(store, DROP)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    lay_over(place, SIZE_MIB)
    asyncio.run(night(place))
