"""The nudges of all rooms of a worker: one subscription, which is made anew when it breaks, when it
goes silent, and when it goes on but brings no nudges.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable

import redis.asyncio as redis

from dropengine.live.room import Room
from dropengine.truth import keys
from dropengine.truth.house_keys import HouseKeys

log = logging.getLogger(__name__)

RETRY_S_MAX = 1.0
PING_S = 2.0
"""So often the server is asked whether it still hears us, and so long it may take to answer."""


class Nudges:
    """One subscription of this worker for all its rooms.

    client: a connection of its own without a read timeout. on_break: called after every reconnect,
    because what was published meanwhile is lost. on_house: something of the shop's has changed.
    prefix: before the shop's channels.
    """

    def __init__(
        self,
        client: redis.Redis,
        on_break: Callable[[], None],
        on_house: Callable[[], None],
        prefix: str | None = None,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._on_break = on_break
        self._on_house = on_house
        self._rooms: dict[bytes, Room] = {}
        self._pubsub: redis.client.PubSub | None = None
        self._heard = 0
        self._renewal = asyncio.Event()

    async def add(self, room: Room) -> None:
        channel = keys.nudge(room.drop, self._prefix)
        self._rooms[channel.encode()] = room
        if self._pubsub is not None:
            try:
                await self._pubsub.subscribe(channel)
            except (redis.RedisError, OSError) as error:
                # The reader sees the same fault, connects anew and subscribes to everything.
                log.debug("subscribe: %s", error)

    async def remove(self, room: Room) -> None:
        if self.forget(room) and self._pubsub is not None:
            try:
                await self._pubsub.unsubscribe(keys.nudge(room.drop, self._prefix))
            except (redis.RedisError, OSError) as error:
                log.debug("unsubscribe: %s", error)

    def forget(self, room: Room) -> bool:
        """Wake it no more; false when its name is another's by now."""
        channel = keys.nudge(room.drop, self._prefix).encode()
        if self._rooms.get(channel) is not room:
            return False
        del self._rooms[channel]
        return True

    def renew(self) -> None:
        """News come and no nudges: connect anew."""
        self._renewal.set()

    async def run(self) -> None:
        """Until cancelled. A broken connection is made anew after a short, jittered wait."""
        loop = asyncio.get_running_loop()
        while True:
            self._renewal.clear()
            ways = [loop.create_task(self._listen()), loop.create_task(self._watch())]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                ended = await asyncio.gather(*ways, return_exceptions=True)
                self._pubsub = None
            for fault in ended:
                if isinstance(fault, redis.RedisError | OSError):
                    log.info("nudges: %s", fault)
                elif isinstance(fault, Exception):
                    raise fault
            await asyncio.sleep(random.uniform(0.05, RETRY_S_MAX))

    async def _listen(self) -> None:
        async with self._client.pubsub() as pubsub:
            # It keeps the subscription open while there is no room yet.
            house = HouseKeys(self._prefix).nudge
            await pubsub.subscribe(house)
            # From here on a new room subscribes itself; those that came before follow below.
            self._pubsub = pubsub
            if self._rooms:
                await pubsub.subscribe(*(name.decode() for name in self._rooms))
            self._on_break()
            async for message in pubsub.listen():
                self._heard += 1
                room = self._rooms.get(message["channel"])
                if room is not None and message["type"] == "message":
                    room.nudged += 1
                    room.wake.set()
                elif message["type"] == "message" and message["channel"] == house.encode():
                    self._on_house()

    async def _watch(self) -> None:
        """Return when the connection is good for nothing: it may have been cut where nobody
        tells."""
        while True:
            heard = self._heard
            if self._pubsub is not None:
                await self._pubsub.ping()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_S):
                    await self._renewal.wait()
                log.warning("nudges: news come without them, they are subscribed to anew")
                return
            if self._heard == heard:
                log.warning("nudges: no answer for %g s, they are subscribed to anew", PING_S)
                return
