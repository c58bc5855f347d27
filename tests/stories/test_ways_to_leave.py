"""Connections that leave, stay silent or do not read: everything is given back, and a buyer beside
them notices nothing.

WAYS_TO_LEAVE: how many connections a round has, 2,000 by hand. UNREAD: how many sockets never read,
10,000 by hand.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx2
import pytest

from dropengine.config import Settings
from dropengine.creator_commands import Message, Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.raw_socket import line
from tests.kit.rows import rows
from tests.kit.ways_to_leave import WAYS, Shop

ALL = int(os.environ.get("WAYS_TO_LEAVE") or 2 * len(WAYS))
OVER_S = 10.0 if ALL >= 2_000 else 0.5
UNREAD = int(os.environ.get("UNREAD") or 60)
UNREAD_S = 2 if UNREAD < 2_000 else 20
ADDRESSES = 20
SHORT: dict[str, Any] = {
    **dict.fromkeys(("header_s_max", "body_s_max", "answer_s_max", "keep_alive_s"), 2),
    **dict.fromkeys(("ping_s", "pong_s_max"), 2),
    "seat_behind_ms_max": 2_000,
    "seat_buffer_bytes_max": 4_096,
}
LIMIT = 3
OF_THREE = dict.fromkeys(
    ("heads_max", "http_per_network_max", "sockets_per_network_max", "streams_max"), LIMIT
)
GOODBYE_S = 10
"""A socket has so long for its half of a goodbye: the longest time of all."""

Counts = dict[str, int]


class Round:
    """One shop and those who come to it."""

    def __init__(self, shop: Shop, store: Store) -> None:
        self.shop = shop
        self.store = store
        self.waits_s: list[float] = []
        self.most_of_one = 0
        self.most_kib = 0
        base = f"http://127.0.0.1:{shop.port}"
        address = httpx2.AsyncHTTPTransport(local_address="127.0.0.99")
        self.http = httpx2.AsyncClient(
            base_url=base, headers={"origin": base}, transport=address, timeout=20
        )

    async def counts(self) -> Counts:
        while True:
            try:
                told: Counts = (await self.http.get("/counts")).json()
            except httpx2.TransportError:
                # Its head was the oldest of too many.
                continue
            self.most_of_one = max(self.most_of_one, told["of_one"])
            self.most_kib = max(self.most_kib, told["kib"])
            return told

    async def until(self, so: Callable[[Counts], bool], within_s: float = 3 * GOODBYE_S) -> Counts:
        async with asyncio.timeout(within_s):
            while not so(told := await self.counts()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
            return told

    async def buyer(self) -> None:
        """Presses and gives back, all the while."""
        loop = asyncio.get_running_loop()
        way = f"/api/drops/{self.shop.drop}"
        n = 0
        while True:
            n += 1
            begun = loop.time()
            made = await self.http.post(
                f"{way}/hold", json={"pool": "pin"}, headers={"Idempotency-Key": f"{id(self)}-{n}"}
            )
            self.waits_s.append(loop.time() - begun)
            assert made.status_code == 200, made.text
            hold = made.json()["hold"]["id"]
            key = {"Idempotency-Key": f"{id(self)}-back-{n}"}
            await self.http.post(f"{way}/release", json={"hold": hold}, headers=key)
            await self.counts()
            await asyncio.sleep(0.05)

    async def news(self) -> None:
        """So much is told that who does not read falls behind."""
        for n in range(1 << 30):
            said = Message(text="\u00e9" * 500)
            drop = DropId(self.shop.drop)
            revision = int((await self.store.show(drop)).revision)  # type: ignore[union-attr]
            await self.store.command(drop, said, revision=revision, by="o1", key=f"{id(self)}-{n}")
            await asyncio.sleep(0.02)

    async def everybody(self) -> None:
        """Each way in turn, until all have come; who stays is waited for until he has gone."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            beside = [group.create_task(self.buyer()), group.create_task(self.news())]
            async with asyncio.TaskGroup() as crowd:
                for n in range(ALL):
                    way = list(WAYS.values())[n % len(WAYS)]
                    one = await stack.enter_async_context(
                        line(
                            self.shop.port,
                            local=f"127.0.0.{2 + n % ADDRESSES}",
                            takes=None if way.reads else 4_096,
                        )
                    )
                    crowd.create_task(way.go(self.shop, one))
                    await asyncio.sleep(OVER_S / ALL)
            # Of all these connections none is left but the buyer's own.
            await self.until(lambda told: told["connections"] <= 2 and not told["seats"])
            for task in beside:
                task.cancel()


@asynccontextmanager
async def opened(**more: Any) -> AsyncIterator[Round]:
    with tempfile.TemporaryDirectory(prefix="drop-") as folder:
        conf = Settings(
            local_pay=True,
            data_dir=Path(folder),
            port=0,
            disk_free_mib_min=16,
            requests_per_s_max=100_000,
            tickets_at_once_max=0,
            **SHORT | more,
        )
        shop = SupervisorProcess(conf, factory="tests.kit.counting_shop:build")
        await asyncio.to_thread(shop.start)
        store = Store(connections.client(shop.running.redis_url))
        try:
            drop = DropId("left")
            sold = manifest(drop, item("pin", {"pin": 50}), limit=3, pace=0)
            await store.publish(sold, by="o1", key="publish")
            await store.command(drop, Open(), revision=1, by="o1", key="open")
            one = Round(Shop(shop.running.port, drop), store)
            # A visit to the page gives the ticket that the presses show.
            assert (await one.http.get(f"/drops/{drop}")).status_code == 200
            yield one
            await one.http.aclose()
        finally:
            await store.close()
            await asyncio.to_thread(shop.stop)


@pytest.mark.parametrize("limits", rows([{}, OF_THREE], [1]))
async def test_whatever_connections_do_all_of_it_is_given_back(
    limits: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened(**limits) as one:
        # What the first of each kind makes once stays; what each of them made is gone.
        await one.everybody()
        first = await one.counts()
        await one.everybody()
        # A task of the shop's own may run while one looks.
        await one.until(
            lambda told: told["files"] <= first["files"] and told["tasks"] <= first["tasks"] + 1
        )
        told = await one.counts()
        assert told["kib"] < 1.1 * first["kib"]
        # Nor did any of it lie here meanwhile.
        assert one.most_kib < 1.2 * first["kib"]
        if limits:
            # As sockets, as streams, as others, and before their heads are whole.
            assert one.most_of_one <= 4 * LIMIT
        wait_ms = 1000 * quantiles(one.waits_s, n=100)[98]
        print(f"{ALL} a round, a press waits {wait_ms:.1f} ms (p99): {first}, {told}")
        print(f"at most {one.most_kib} KiB")
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    print(out)


async def test_sockets_that_never_read_keep_nobody_from_buying() -> None:
    room = {"sockets_max": UNREAD + LIMIT, "seat_behind_ms_max": UNREAD_S * 1_000}
    alone = {"sockets_per_network_max": UNREAD, "handshakes_per_s_max": 100_000}
    # Who answers no ping would go before he is behind.
    patient = {"ping_s": 60, "pong_s_max": 60}
    within_s = UNREAD_S + 3 * GOODBYE_S
    async with opened(**room, **alone, **patient) as one, AsyncExitStack() as stack:
        for n in range(UNREAD):
            local = f"127.0.0.{2 + n % ADDRESSES}"
            said = one.shop.socket()
            await stack.enter_async_context(line(one.shop.port, said, local=local, takes=4_096))
        await one.until(lambda told: told["seats"] == UNREAD)
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(one.buyer()), group.create_task(one.news())]
            # Each is behind by the same news, and none is kept for ever.
            told = await one.until(lambda told: not told["seats"], within_s)
            for task in beside:
                task.cancel()
        wait_ms = 1000 * quantiles(one.waits_s, n=100)[98]
        print(f"{UNREAD} never read; {len(one.waits_s)} presses wait {wait_ms:.1f} ms: {told}")
