"""The doors of operators: is it alive, can it sell."""

from __future__ import annotations

import time
from pathlib import Path

from dropengine import __version__
from dropengine.doors.health import SETTLER_LATE_S
from dropengine.jobs.settle import Settling
from tests.kit import web_process
from tests.kit.freezing import leave_mark
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, settings, until

server = web_process.server
web = web_process.web

SETTLING = Settling.name


async def test_a_process_that_answers_is_alive_and_a_shop_that_can_sell_is_ready(
    web: WebProcess,
) -> None:
    await until(lambda: SETTLING in web.runtime.jobs.round_at)
    async with web.http() as http:
        assert (await http.get("/healthz")).text == "ok\n"
        answer = await http.get("/readyz")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        said = answer.json()
        assert said["ready"] is True
        assert (said["server"], said["settler"], said["version"]) == ("ok", "ok", __version__)
        # This server keeps nothing on disk, and the page says so.
        assert said["durability"] == "a power cut may lose about a second of sales"


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
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["server"] == "away"
        # Where the server is concerns nobody outside.
        assert str(tmp_path) not in answer.text
        assert (await http.get("/metrics")).status_code == 200
        truth.start()
        jobs = web.runtime.jobs
        last = jobs.round_at[SETTLING]
        await until(lambda: jobs.round_at[SETTLING] > last)
        assert (await http.get("/readyz")).status_code == 200
    truth.stop()


async def test_a_shop_whose_settler_is_late_is_not_ready(server: Server, tmp_path: Path) -> None:
    async with (
        web_process.front(settings(server.url, tmp_path, settle_ms=600_000)) as web,
        web.http() as http,
    ):
        jobs = web.runtime.jobs
        await until(lambda: SETTLING in jobs.round_at)
        assert (await http.get("/readyz")).status_code == 200
        jobs.round_at[SETTLING] = time.monotonic() - SETTLER_LATE_S - 5
        answer = await http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["settler"] == "late by 15 s"
        metrics = (await http.get("/metrics")).text
        assert "dropengine_settler_age_seconds 15." in metrics


async def test_a_frozen_drop_is_an_alarm_and_the_shop_is_ready(web: WebProcess) -> None:
    sale, other = await web.sale(), await web.sale()
    settling = web.runtime.settling
    async with web.http() as http:
        assert (await http.get("/readyz")).json()["frozen"] == []
        await leave_mark(sale.store, sale.drop, sale.now)
        await until(lambda: sale.drop in settling.frozen)
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["frozen"]) == (200, [sale.drop])
        alarm = f'dropengine_drop_frozen{{drop="{sale.drop}",why="half"}} 1'
        assert alarm in (await http.get("/metrics")).text.splitlines()
        assert await other.held("ada")
