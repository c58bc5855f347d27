"""The roof: one process is made, started and ended as a whole."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from pathlib import Path

import msgspec
import pytest
import redis.asyncio as redis

from dropengine.app import build
from dropengine.config import Settings
from dropengine.errors import ConfigError, ServerWeaker
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, settings, until

server = web_process.server
web = web_process.web

STOPS = (signal.SIGTERM, signal.SIGINT)


async def clients(client: redis.Redis) -> int:
    """Connections that the server has, without the asker's own."""
    return len(await client.client_list()) - 1


async def test_a_process_leaves_no_task_no_connection_and_no_handler_behind(
    server: Server, tmp_path: Path, client: redis.Redis
) -> None:
    await client.ping()
    before = (await clients(client), len(asyncio.all_tasks()), threading.active_count())
    heard = [signal.getsignal(number) for number in STOPS]
    for _ in range(3):
        async with web_process.front(settings(server.url, tmp_path)) as web:
            sale = await web.sale()
            async with web.fan(sale.drop) as fan, web.http() as http:
                await fan.ask("hold", pool="pin")
                await http.get(f"/drops/{sale.drop}")
            assert [signal.getsignal(number) for number in STOPS] != heard
    gc.collect()
    await until(lambda: len(asyncio.all_tasks()) <= before[1])
    assert (await clients(client), threading.active_count()) == (before[0], before[2])
    assert [signal.getsignal(number) for number in STOPS] == heard


async def test_two_in_one_process_do_not_know_of_each_other(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path)
    async with web_process.front(conf) as one, web_process.front(conf) as two:
        assert one.runtime.hub is not two.runtime.hub
        sale = await one.sale()
        async with one.fan(sale.drop) as here, two.watcher(sale.drop) as there:
            done = await here.ask("hold", pool="pin")
            assert (await there.tick(done["seq"]))["pools"]["pin"]["held"] == 1
            # The ticket of one is good in the other: they have one secret.
            who = one.ticket(sale.drop)
            async with two.fan(sale.drop, who) as fan:
                assert fan.heard[0]["you"]["fan"] == who[0]


async def test_a_server_that_may_forget_is_refused_unless_that_was_accepted(
    server: Server, tmp_path: Path
) -> None:
    strict = msgspec.structs.replace(settings(server.url, tmp_path), accept_weaker=False)
    app = build(strict)
    with pytest.raises(ServerWeaker):
        async with app.router.lifespan_context(app):
            raise AssertionError("it must not come up")


async def test_a_process_comes_up_without_its_server_and_says_that_it_is_away(
    tmp_path: Path,
) -> None:
    """And sells as soon as it is there: it was a worker that died while the server was away."""
    later = Server(tmp_path / "server")
    try:
        async with web_process.front(settings(later.url, tmp_path)) as web, web.http() as http:
            answer = await http.get("/drops/pins")
            assert answer.status_code == 503
            assert "nothing is lost" in answer.text
            later.start()
            sale = await web.sale()
            async with web.fan(sale.drop) as fan:
                assert (await fan.ask("hold", pool="pin"))["t"] == "done"
            assert web.runtime.hub.epoch != ""
    finally:
        later.stop()


def test_a_process_without_a_server_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        build(Settings(data_dir=tmp_path, secret_key=web_process.SECRET))


async def test_what_is_no_door_is_not_found(web: WebProcess) -> None:
    async with web.http() as http:
        for path in ("/nothing", "/api", "/drops", "/api/drops/", "/static/../secret", "/%00"):
            answer = await http.get(path)
            assert answer.status_code in (307, 404), path


async def test_a_body_that_is_too_large_is_refused_by_every_door(web: WebProcess) -> None:
    async with web.http() as http:
        for path in ("/api/pay/webhooks/local", "/pay/local/x", "/api/drops/x/hold", "/nothing"):
            answer = await http.post(path, content=b"x" * 70_000)
            assert answer.status_code == 413, path


async def test_a_whole_purchase_goes_through_one_process(web: WebProcess) -> None:
    """Press, pay on the provider's page, webhook, capture: by the doors alone."""
    sale = await web.sale()
    ada = web.ticket(sale.drop)
    async with web.fan(sale.drop, ada) as fan, web.http(ada[1]) as http:
        hold = (await fan.ask("hold", pool="pin"))["hold"]["id"]
        page = (await fan.ask("pay", holds=[hold]))["pay"][hold]
        assert (await http.get(page)).status_code == 200
        answer = await http.post(page, data={"do": "pay"})
        assert answer.status_code in (200, 303)
        you = await fan.shows("you", lambda m: m["orders"])
        (order,) = you["orders"]
        assert (order["id"], order["serials"], order["amount"]) == (hold, [1], 2400)
        await fan.shows("you", lambda m: m["orders"] and m["orders"][0]["state"] == "done")
        assert not you["holds"]
    # What was bought is asked about once more: nobody can pay it again.
    async with asyncio.timeout(web_process.LONG_S):
        while await sale.store.duties(sale.drop):  # noqa: ASYNC110 - a page may not say
            await asyncio.sleep(0)
