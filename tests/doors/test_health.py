"""The doors of operators: is it alive, can it sell."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from dropengine import __version__
from dropengine.doors.health import SETTLER_LATE_S
from dropengine.jobs.settle import Settling
from tests.kit import web_process
from tests.kit.freezing import leave_mark
from tests.kit.private_server import Server
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server
web = web_process.web

SETTLING = Settling.name


async def ready(http: httpx2.AsyncClient, status: int = 200) -> dict[str, Any]:
    """What the door says once it says so; it tells what was found, and finds nothing itself."""
    async with asyncio.timeout(LONG_S):
        while (answer := await http.get("/readyz")).status_code != status:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    said: dict[str, Any] = answer.json()
    assert said["ready"] is (status == 200)
    return said


async def test_a_process_that_answers_is_alive_and_a_shop_that_can_sell_is_ready(
    web: WebProcess,
) -> None:
    async with web.http() as http:
        await ready(http)
        alive = (await http.get("/healthz")).json()
        # It runs by itself here: nobody looks after it.
        assert alive == {"ok": True, "pid": os.getpid(), "shop": None}
        answer = await http.get("/readyz")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        said = answer.json()
        assert said["ready"] is True
        assert (said["server"], said["settler"], said["version"]) == ("ok", "ok", __version__)
        # This server keeps nothing on disk, and the page says so.
        forgets = "what was sold is forgotten when the server stops (appendonly no)"
        assert said["durability"] == forgets


async def test_a_durable_server_is_called_durable(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    async with web_process.front(settings(truth.url, tmp_path)) as web, web.http() as http:
        said = (await http.get("/readyz")).json()
        assert said["durability"] == "every acknowledged sale is on disk"
        sale = await web.sale()
        snapshot = (await http.get(f"/api/drops/{sale.drop}")).json()
        assert snapshot["drop"]["durable"] is True
    truth.stop()


async def test_a_shop_without_its_server_is_alive_and_not_ready(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    conf = settings(truth.url, tmp_path, redis_timeout_ms=500)
    async with web_process.front(conf) as web, web.http() as http:
        truth.kill()
        assert (await http.get("/healthz")).status_code == 200
        said = await ready(http, 503)
        assert (said["server"], said["why"]) == ("away", "the server does not answer")
        # Where the server is concerns nobody outside.
        assert str(tmp_path) not in str(said)
        assert (await http.get("/metrics")).status_code == 200
        truth.start()
        await ready(http)
    truth.stop()


async def test_a_shop_whose_settler_is_late_is_not_ready(server: Server, tmp_path: Path) -> None:
    async with (
        web_process.front(settings(server.url, tmp_path, settle_ms=600_000)) as web,
        web.http() as http,
    ):
        jobs = web.runtime.jobs
        await ready(http)
        jobs.round_at[SETTLING] = time.monotonic() - SETTLER_LATE_S - 5
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["settler"] == "late by 15 s"
        metrics = (await http.get("/metrics")).text
        assert "dropengine_settler_age_seconds 15." in metrics


async def test_a_settler_that_has_not_begun_is_not_said_to_be_late(web: WebProcess) -> None:
    async with web.http() as http:
        await ready(http)
        web.runtime.jobs.round_at.pop(SETTLING)
        said = (await http.get("/readyz")).json()
    assert said["settler"] in ("not begun yet", "ok")


async def test_a_frozen_drop_is_an_alarm_and_the_shop_is_ready(web: WebProcess) -> None:
    sale, other = await web.sale(), await web.sale()
    settling = web.runtime.settling
    async with web.http() as http:
        assert (await ready(http))["frozen"] == []
        await leave_mark(sale.store, sale.drop, sale.now)
        await until(lambda: sale.drop in settling.frozen)
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["frozen"]) == (200, [sale.drop])
        alarm = f'dropengine_drop_frozen{{drop="{sale.drop}",why="half"}} 1'
        assert alarm in (await http.get("/metrics")).text.splitlines()
        assert await other.held("ada")


@pytest.fixture
async def truth(tmp_path: Path) -> AsyncIterator[Server]:
    one = Server(tmp_path / "truth", durable=True).start()
    yield one
    one.stop()


@pytest.fixture
async def strict(truth: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    """A web process that nobody allowed a weaker server."""
    conf = msgspec.structs.replace(
        settings(truth.url, tmp_path, redis_timeout_ms=500), accept_weaker=False
    )
    async with web_process.front(conf) as one:
        yield one


STOPPING = [
    ("maxmemory 1", "memory", "memory is full"),
    ("min-replicas-to-write 3", "replicas", "fewer replicas"),
    ("appendonly no", "weaker", "appendonly no"),
    ("appendfsync everysec", "weaker", "about a second"),
    ("appendfsync no", "weaker", "about a second"),
    ("maxmemory-policy allkeys-lru", "weaker", "thrown away"),
    ("maxmemory-policy allkeys-random", "weaker", "thrown away"),
]
"""What is set on a server that runs -> the door's word, and what its sentence says."""


@pytest.mark.parametrize(("set_to", "word", "why"), STOPPING)
async def test_a_shop_that_cannot_sell_is_not_ready_and_says_why(
    strict: WebProcess, set_to: str, word: str, why: str
) -> None:
    client = strict.runtime.store.client
    name, value = set_to.split()
    async with strict.http() as http:
        await ready(http)
        before = (await client.config_get(name))[name]
        await client.config_set(name, value)
        said = await ready(http, 503)
        if word != "weaker":
            # Nearly full is known a moment before, or after, it is tried.
            assert said["server"] == word
        while said["server"] != word or why not in said["why"]:
            said = await ready(http, 503)
        await client.config_set(name, before)
        await ready(http)


@pytest.mark.parametrize(
    "set_to", ["appendonly no", "appendfsync everysec", "maxmemory-policy allkeys-lfu"]
)
async def test_what_is_said_of_durability_is_what_is_true_now(
    strict: WebProcess, set_to: str
) -> None:
    """At the door, in the API, in the page: also while somebody looks on."""
    client = strict.runtime.store.client
    name, value = set_to.split()
    before = (await client.config_get(name))[name]
    sale = await strict.sale()
    where = f"/api/drops/{sale.drop}"
    async with strict.http() as http, strict.watcher(sale.drop) as screen:
        assert (await http.get(where)).json()["drop"]["durable"] is True
        tag = (await http.get(where)).headers["etag"]
        assert "is saved before it tells you" in (await http.get(f"/drops/{sale.drop}")).text
        await client.config_set(name, value)
        await screen.until("snapshot", lambda m: m["drop"]["durable"] is False)
        # Nobody is told that nothing changed.
        told = await http.get(where, headers={"if-none-match": tag})
        assert told.json()["drop"]["durable"] is False
        assert "is saved before it tells you" not in (await http.get(f"/drops/{sale.drop}")).text
        said = (await http.get("/readyz")).json()
        assert said["durability"] != "every acknowledged sale is on disk"
        await client.config_set(name, before)
        await screen.until("snapshot", lambda m: m["drop"]["durable"] is True)


async def test_a_restart_with_other_settings_is_another_promise_and_another_epoch(
    strict: WebProcess, truth: Server
) -> None:
    sale = await strict.sale()
    where = f"/api/drops/{sale.drop}"
    async with strict.http() as http:
        before = (await http.get(where)).json()["drop"]
        truth.kill()
        truth.more["appendfsync"] = "everysec"
        truth.start()
        drop = before
        async with asyncio.timeout(LONG_S):
            while drop["durable"] or drop["epoch"] == before["epoch"]:
                answer = await http.get(where)
                drop = answer.json()["drop"] if answer.is_success else drop
        said = await ready(http, 503)
        assert "about a second" in said["durability"]


async def test_a_frozen_server_makes_nobody_wait_at_the_door(
    strict: WebProcess, truth: Server
) -> None:
    assert truth.process is not None
    async with strict.http() as http:
        await ready(http)
        truth.process.send_signal(signal.SIGSTOP)
        try:
            assert (await ready(http, 503))["server"] == "away"
        finally:
            truth.process.send_signal(signal.SIGCONT)
        await ready(http)


ASKED = [
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"GET /readyz HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET /readyz HTTP/1.0\r\nUser-Agent: probe\r\n\r\n",
    b"HEAD /healthz HTTP/1.0\r\n\r\n",
    b"GET /readyz HTTP/1.1\r\nHost: 10.1.2.3:8000\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: [2001:db8::7]\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: pod-7.shop.internal\r\nConnection: close\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", ASKED)
async def test_probes_and_balancers_are_answered_whatever_they_call_us(
    web: WebProcess, request_bytes: bytes
) -> None:
    async with web.http() as http:
        await ready(http)
    answer = await asked(web, request_bytes)
    assert answer.split()[1] == b"200", answer


async def test_no_other_door_is_opened_to_a_foreign_name(web: WebProcess) -> None:
    for path in (b"/", b"/healthz/", b"/readyz/..", b"/metrics", b"/drops/healthz"):
        answer = await asked(
            web, b"GET %b HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n" % path
        )
        assert answer.split()[1] == b"400", (path, answer)


async def asked(web: WebProcess, request_bytes: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request_bytes)
    answer = await asyncio.wait_for(reader.read(), LONG_S)
    writer.close()
    return answer
