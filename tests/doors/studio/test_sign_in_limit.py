"""Tries to sign in are counted at the server of the truth, and presses do not wait behind them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from dropengine.doors.paced_tries import AT_ONCE, BUSY_MS
from dropengine.doors.studio.sign_in_limit import SignInLimit
from dropengine.errors import Unavailable
from dropengine.truth.store import Store
from tests.kit.web_process import settings


class SlowHouse:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.house = self
        self.let = asyncio.Event()
        self.asked = 0
        self.most = 0
        self.count = 0

    async def admit(self, *_: object) -> list[int]:
        self.asked += 1
        self.count += 1
        self.most = max(self.most, self.asked)
        try:
            await self.let.wait()
            await asyncio.sleep(0)
        finally:
            self.asked -= 1
        return [0]


def limit(house: SlowHouse) -> SignInLimit:
    conf = settings("unix:///nowhere", Path(), redis_timeout_ms=200)
    return SignInLimit(cast("Store", house), conf, b"secret")


async def test_a_flood_of_tries_leaves_connections_to_presses() -> None:
    house = SlowHouse()
    house.let.set()
    one = limit(house)
    tries = [one.of_network((f"192.0.2.{n}", 1), "challenge") for n in range(50)]
    tries += [one.of_stranger((f"192.0.2.{n}", 1), "ana") for n in range(50)]
    assert set(await asyncio.gather(*tries)) == {0}
    assert house.count == 100
    assert house.most == AT_ONCE


async def test_a_try_behind_a_server_that_hangs_is_told_in_time() -> None:
    house = SlowHouse()
    one = limit(house)
    first = asyncio.ensure_future(one.of_network(("192.0.2.1", 1)))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        rest = await asyncio.gather(*(one.of_network(("192.0.2.2", 1)) for _ in range(20)))
    assert set(rest) == {BUSY_MS}
    house.let.set()
    assert await first == 0
    # Who gave up waiting left nothing behind.
    assert await one.of_network(("192.0.2.3", 1)) == 0


@pytest.mark.parametrize("fault", [Unavailable("away"), RuntimeError()])
async def test_a_try_that_fails_makes_room(fault: Exception) -> None:
    house = SlowHouse()
    one = limit(house)

    async def failing(*_: object) -> list[int]:
        raise fault

    house.admit = failing  # type: ignore[method-assign]
    for _ in range(AT_ONCE + 2):
        with pytest.raises(type(fault)):
            await one.of_network(("192.0.2.1", 1))
