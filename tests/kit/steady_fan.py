"""A fan who behaves: he presses and gives back, and who sends him away says when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import httpx2

from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.web_process import LONG_S

DROP = DropId("trouble")

_keys = count(1)


class Fan:
    """Over plain HTTP. `told`: how often he was sent away; `done`: how often he had a unit."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.told = 0
        self.done = 0
        self.again = asyncio.Event()
        """Set whenever he was given a unit that he asked for since it was cleared."""

    async def post(self, verb: str, **fields: object) -> httpx2.Response:
        """The answer to one command. `away` is none, and he comes back when he was told to; a
        pause has no such time, and he looks again in a second."""
        key = {"Idempotency-Key": f"trouble-{next(_keys)}"}
        while True:
            answer = await self._http.post(f"/api/drops/{DROP}/{verb}", json=fields, headers=key)
            told = answer.json()
            if answer.is_success or told["code"] not in ("away", "paused"):
                return answer
            if told["code"] == "away":
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) >= 1
            self.told += 1
            await asyncio.sleep(told.get("retry_ms", 1000) / 1000)

    async def held(self) -> str:
        answer = await self.post("hold", pool="pin")
        assert answer.status_code == 200, answer.text
        hold: str = answer.json()["hold"]["id"]
        return hold

    async def goes_on(self) -> None:
        """Takes a unit and gives it back, all the while."""
        while True:
            waited, self.again = self.again, asyncio.Event()
            hold = await self.held()
            self.done += 1
            waited.set()
            assert (await self.post("release", hold=hold)).status_code == 200

    async def gets_one(self) -> None:
        """Until he was given a unit for which he asked only now."""
        await self.again.wait()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[SupervisorProcess, Store]]:
    """A shop that sells twenty pins."""
    shop = SupervisorProcess(settings)
    await asyncio.to_thread(shop.start)
    store = Store(connections.client(shop.running.redis_url))
    try:
        sold = manifest(DROP, item("pin", {"pin": 20}), limit=3, pace=0)
        await store.publish(sold, by="o1", key="publish")
        await store.command(DROP, Open(), revision=1, by="o1", key="open")
        yield shop, store
    finally:
        await store.close()
        await asyncio.to_thread(shop.stop)


@asynccontextmanager
async def fan_of(shop: SupervisorProcess) -> AsyncIterator[Fan]:
    origin = shop.running.url
    async with httpx2.AsyncClient(
        base_url=origin, headers={"origin": origin}, trust_env=False, timeout=LONG_S
    ) as http:
        # A visit to the page gives the ticket that the presses show.
        assert (await http.get(f"/drops/{DROP}")).is_success
        yield Fan(http)
