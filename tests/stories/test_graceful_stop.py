"""Told to stop with every kind of connection open: what was under way is answered, the others are
let go, and the shop ends within its time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dropengine.creator_commands import Message, Open
from dropengine.model import DropId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import slow_provider, small_shop
from tests.kit.manifests import item, manifest
from tests.kit.raw_socket import TEXT, Line, framed, line, ping
from tests.kit.ways_to_leave import GOODBYE, WAYS, Shop
from tests.kit.web_process import LONG_S

STOP_S = 4
POOLS = ("pin-a", "pin-b", "pin-c", "pin-d")


class Crowd:
    """Connections of every kind at one shop."""

    def __init__(self, shop: SupervisorProcess, store: Store, stack: AsyncExitStack) -> None:
        self.drop = DropId("stop")
        self.shop = Shop(shop.running.port, self.drop)
        self.store = store
        self._stack = stack
        self._ticket = ""

    async def open(self) -> None:
        pins = dict.fromkeys(POOLS, 9)
        sold = manifest(self.drop, item("pin", pins), limit=50, pace=0)
        await self.store.publish(sold, by="o1", key="publish")
        await self.store.command(self.drop, Open(), revision=1, by="o1", key="open")
        base = f"http://127.0.0.1:{self.shop.port}"
        async with httpx2.AsyncClient(base_url=base, trust_env=False) as browser:
            await browser.get(f"/drops/{self.drop}")
            self._ticket = "; ".join(f"{k}={v}" for k, v in browser.cookies.items())

    def says(self, verb: str, body: dict[str, Any], key: str) -> bytes:
        """A command by HTTP."""
        text = json.dumps(body).encode()
        head = f"cookie: {self._ticket}\r\nidempotency-key: stop-{key}\r\n"
        head += f"origin: http://127.0.0.1:{self.shop.port}\r\ncontent-length: {len(text)}\r\n"
        return self.shop.asks(f"/api/drops/{self.drop}/{verb}", head, "POST") + text

    def handshake(self) -> bytes:
        return self.shop.socket(f"cookie: {self._ticket}\r\n")

    async def line(self, said: bytes, until: bytes = b"", *, reads: bool = True) -> Line:
        """One more, which has heard this much."""
        opening = line(self.shop.port, said, takes=None if reads else 4_096)
        one = await self._stack.enter_async_context(opening)
        if until:
            assert until in await one.until(until)
        return one

    async def hold(self, pool: str) -> str:
        said = await (await self.line(self.says("hold", {"pool": pool}, pool))).until(b'"id"')
        hold: str = json.loads(said.partition(b"\r\n\r\n")[2])["hold"]["id"]
        return hold

    async def unread(self) -> None:
        """Whoever reads nothing leaves more behind than anybody takes for him."""
        for n in range(60):
            shown = await self.store.show(self.drop)
            said = Message(text="\u00e9" * 500)
            revision = int(shown.revision)  # type: ignore[union-attr]
            await self.store.command(self.drop, said, revision=revision, by="o1", key=f"m-{n}")


@asynccontextmanager
async def crowd(
    folder: Path, count: int, factory: str = slow_provider.SLOW, **more: Any
) -> AsyncIterator[tuple[SupervisorProcess, Crowd]]:
    conf = small_shop.settings(folder, web_concurrency=count, **{"shutdown_s_max": STOP_S} | more)
    shop = SupervisorProcess(conf, factory=factory)
    await asyncio.to_thread(shop.start)
    store = Store(connections.client(shop.running.redis_url))
    try:
        async with AsyncExitStack() as stack:
            one = Crowd(shop, store, stack)
            await one.open()
            yield shop, one
    finally:
        await store.close()
        await asyncio.to_thread(shop.stop)


def tell(shop: SupervisorProcess) -> None:
    os.kill(shop.running.supervisor_pid, signal.SIGTERM)


def code(said: bytes) -> int:
    """Of the close frame that everything ends with."""
    at = said.rindex(b"\x88")
    assert len(said) == at + 2 + said[at + 1], said[at:]
    return int.from_bytes(said[at + 2 : at + 4], "big")


def ended_well(capfd: pytest.CaptureFixture[str]) -> None:
    """Nobody had to look at a traceback, and no process to be killed when its time was over."""
    log = capfd.readouterr().err
    assert "Traceback" not in log
    assert "did not end in time" not in log


async def all_paying(tab: Line, count: int) -> None:
    """The fan is told that so many of his holds are being paid."""
    said = b""
    while said.rpartition(b'"you"')[2].count(b'"paying"') < count:
        piece = await tab.read()
        assert piece, said[-3000:]
        said += piece


@pytest.mark.parametrize("count", [1, 2])
async def test_what_was_under_way_is_answered_and_the_others_are_let_go(
    tmp_path: Path, count: int, capfd: pytest.CaptureFixture[str]
) -> None:
    async with crowd(tmp_path, count) as (shop, one):
        there = one.shop
        # Silent, or in the middle of what they ask for.
        cut = [
            await one.line(said)
            for said in (
                b"",
                there.page()[:25],
                one.handshake()[:60],
                one.says("hold", {}, "a")[:-1],
            )
        ]
        idle = [
            await one.line(there.asks("/healthz"), b"processes"),
            await one.line(there.stream("HEAD"), b"\r\n\r\n"),
        ]
        stream = await one.line(there.stream(), b'"snapshot"')
        watcher = await one.line(there.socket(), b'"snapshot"')
        tab = await one.line(one.handshake(), b'"snapshot"')
        fan = await one.line(one.handshake(), b'"snapshot"')
        held = [await one.hold(pool) for pool in POOLS[1:]]
        for way in WAYS.values():
            if not way.reads:
                await way.go(there, await one.line(b"", reads=False))
        closing = await one.line(one.handshake(), b"\r\n\r\n", reads=False)
        await one.unread()
        await closing.send(framed(TEXT, b"{}") + ping(1) * 9 + GOODBYE)
        half = one.says("hold", {"pool": POOLS[0]}, "half")
        due = {
            "the rest of a body": await one.line(half[:-5]),
            "a paying page": await one.line(one.says("pay", {"holds": held[:1]}, "pay-0")),
            "a pipeline": await one.line(
                one.says("pay", {"holds": held[1:2]}, "pay-1") + there.page() * 2
            ),
        }
        pay = {"t": "pay", "id": 7, "key": "stop-pay-2", "holds": held[2:3]}
        await fan.send(framed(TEXT, json.dumps(pay).encode()))
        await all_paying(tab, 3)
        tell(shop)
        # By then it stops: who has said half of what he wants still has a moment.
        assert code(await watcher.everything()) == 1012
        await due["the rest of a body"].send(half[-5:])
        for name, asked in due.items():
            said = await asked.everything()
            assert said.count(b"HTTP/1.1 200 ") == (3 if name == "a pipeline" else 1), (name, said)
        assert code(await fan.everything()) == 1012
        assert (await stream.everything()).endswith(b"0\r\n\r\n")
        for silent in (*cut, *idle):
            assert b"HTTP/1.1 2" not in await silent.everything()
        assert await asyncio.to_thread(shop.wait, LONG_S) == 0
    ended_well(capfd)


async def test_whose_answer_does_not_come_in_time_is_told_that_nothing_is_known(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with crowd(tmp_path, 1, slow_provider.SILENT, shutdown_s_max=1) as (shop, one):
        tab = await one.line(one.handshake(), b'"snapshot"')
        held = await one.hold(POOLS[0])
        paying = await one.line(one.says("pay", {"holds": [held]}, "pay-0"))
        behind = await one.line(one.says("pay", {"holds": [held]}, "pay-1") + one.shop.page())
        unread = await one.line(one.shop.page() * 16, reads=False)
        await all_paying(tab, 1)
        tell(shop)
        for asked in (paying, behind):
            said = await asked.everything()
            assert said.startswith(b"HTTP/1.1 503 ")
            assert b'"code":"away"' in said
        assert await asyncio.to_thread(shop.wait, LONG_S) == 0
        await unread.everything()
    ended_well(capfd)


async def test_told_twice_it_ends_at_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with crowd(tmp_path, 2, shutdown_s_max=300) as (shop, one):
        watchers = [await one.line(one.shop.socket(), b'"snapshot"') for _ in range(8)]
        await one.line(one.says("hold", {"pool": POOLS[0]}, "half")[:-5])
        for way in WAYS.values():
            if not way.reads:
                await way.go(one.shop, await one.line(b"", reads=False))
        tell(shop)
        for watcher in watchers:
            assert code(await watcher.everything()) == 1012
        tell(shop)
        assert await asyncio.to_thread(shop.wait, LONG_S) == 0
    assert "Traceback" not in capfd.readouterr().err
