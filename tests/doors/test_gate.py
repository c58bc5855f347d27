"""Who may come in: by which name the server is called, from which page, how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, key, settings

server = web_process.server
web = web_process.web

EVIL = [
    "http://evil.example",
    "null",
    "",
    "file://",
    "http://127.0.0.1",  # another port of this machine is another program
    "http://127.0.0.1:1",
    "http://127.0.0.1:{port}0",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "http://evil.example:{port}",
    "http://127.0.0.1.evil.example:{port}",
    "http://sub.127.0.0.1:{port}",
    "http://localhost:{port}",  # it was called 127.0.0.1
    "http://127.0.0.1:{port}/",
    "ws://127.0.0.1:{port}",
    "127.0.0.1:{port}",
    "//127.0.0.1:{port}",
    "http://127.0.0.1:{port} http://evil.example",
]

NAMES = [
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "notlocalhost",
    "",
    "[::1",
    "[evil]:80",
    "::1]",
    "127.0.0.1:port",
    "evil.example@127.0.0.1",
    "127.0.0.1/evil",
    "127.0.0.1 evil.example",
    "127.0.0.1:80:80",
    "\u2100.example",
]
"""Names under which a page of strangers could reach us by a DNS entry of its own."""


def press() -> dict[str, object]:
    return {"pool": "pin", "key": key()}


async def post(web: WebProcess, drop: str, headers: dict[str, str]) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=web.url, trust_env=False) as http:
        return await http.post(f"/api/drops/{drop}/hold", json=press(), headers=headers)


@pytest.mark.parametrize("origin", EVIL)
async def test_a_page_of_strangers_can_neither_press_nor_listen(
    web: WebProcess, origin: str
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    theirs = origin.format(port=web.port)
    for proof in ({"cookie": f"fan={ticket}"}, {"authorization": f"Bearer {ticket}"}):
        answer = await post(web, sale.drop, {"origin": theirs, **proof})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_eligible")
    with pytest.raises(InvalidStatus) as denied:
        await web.dial(sale.drop, ticket, origin=None, headers={"Origin": theirs})
    assert denied.value.response.status_code == 403
    assert await sale.counts() == (3, 0, 0, 0)


@pytest.mark.parametrize("spelling", ["http://127.0.0.1:{port}", "HTTP://127.0.0.1:{port}"])
async def test_a_page_of_ours_may(web: WebProcess, spelling: str) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    origin = spelling.format(port=web.port)
    answer = await post(web, sale.drop, {"origin": origin, "cookie": f"fan={ticket}"})
    assert answer.status_code == 200
    async with await web.dial(sale.drop, ticket, origin=origin) as socket:
        assert '"you":{' in str(await socket.recv())


async def test_a_page_that_may_act_under_one_name_may_not_under_another(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    names = [f"{name}:{web.port}" for name in ("127.0.0.1", "localhost")]
    for _ in range(2):
        for host in names:
            for page in names:
                headers = {"host": host, "origin": f"http://{page}", "cookie": f"fan={ticket}"}
                answer = await post(web, sale.drop, headers)
                assert (answer.status_code == 403) is (host != page), (host, page)


async def test_without_an_origin_a_cookie_proves_nothing_and_a_bearer_does(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    answer = await post(web, sale.drop, {"cookie": f"fan={ticket}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in")
    answer = await post(web, sale.drop, {})
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in")
    for empty in ("Bearer", "Basic " + ticket, ticket):
        headers = {"cookie": f"fan={ticket}", "authorization": empty}
        assert (await post(web, sale.drop, headers)).status_code == 403
    answer = await post(web, sale.drop, {"authorization": f"bearer {ticket}"})
    assert answer.status_code == 200


async def test_a_bearer_that_proves_nobody_does_not_lend_its_weight_to_a_cookie(
    web: WebProcess,
) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    headers = {"cookie": f"fan={ticket}", "authorization": "Bearer x"}
    answer = await post(web, sale.drop, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")


async def test_a_socket_without_an_origin_comes_in_only_without_a_cookie(web: WebProcess) -> None:
    sale = await web.sale()
    _, ticket = web.ticket()
    with pytest.raises(InvalidStatus) as denied:
        await web.dial(sale.drop, ticket, origin=None)
    assert denied.value.response.status_code == 403
    with pytest.raises(InvalidStatus):
        await web.dial(sale.drop, origin=None, headers={"Cookie": "other=1"})
    async with await web.dial(sale.drop, origin=None) as socket:
        assert '"you":null' in str(await socket.recv())
    bearer = {"Authorization": f"Bearer {ticket}"}
    async with await web.dial(sale.drop, origin=None, headers=bearer) as socket:
        assert '"you":{' in str(await socket.recv())


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_is_called_by_a_strange_name_says_nothing(
    web: WebProcess, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = name.format(port=web.port)
    for request in (
        "GET /openapi.json HTTP/1.1\r\n",
        (
            "GET /drops/x/live HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        ),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(f"{request}host: {name}\r\n\r\n".encode())
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert b" 400 " in status
    assert caplog.text == ""


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:{port}", "127.0.0.1", "127.9.9.9", "[::1]:1"]
)
async def test_a_name_of_this_machine_is_known(web: WebProcess, name: str) -> None:
    async with httpx2.AsyncClient(base_url=web.url, trust_env=False) as http:
        answer = await http.get("/openapi.json", headers={"host": name.format(port=web.port)})
    assert answer.status_code == 200


@pytest.fixture
async def public(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    """Behind a proxy that people reach as drops.example."""
    conf = settings(
        server.url,
        tmp_path,
        public_url="https://drops.example",
        origins=("https://club.example:8443/",),
    )
    async with web_process.front(conf) as one:
        yield one


async def test_a_public_server_knows_its_names_and_the_origins_it_was_told(
    public: WebProcess,
) -> None:
    sale = await public.sale()
    _, ticket = public.ticket()
    cookie = {"cookie": f"__Host-fan={ticket}", "host": "drops.example"}
    for ours in ("https://drops.example", "https://club.example:8443"):
        answer = await post(public, sale.drop, {**cookie, "origin": ours})
        assert answer.status_code == 200
    for theirs in (
        "https://club.example",
        "https://drops.example.evil.example",
        "https://evil-drops.example",
        "https://a.drops.example",
        "https://drops.example:444",
    ):
        answer = await post(public, sale.drop, {**cookie, "origin": theirs})
        assert answer.status_code == 403, theirs


async def test_looking_needs_no_origin(web: WebProcess) -> None:
    sale = await web.sale()
    async with httpx2.AsyncClient(base_url=web.url, trust_env=False) as http:
        evil = {"origin": "http://evil.example"}
        for path in (f"/api/drops/{sale.drop}", f"/drops/{sale.drop}", "/api/drops", "/healthz"):
            answer = await http.get(path, headers=evil)
            assert answer.status_code == 200
            # And a page of strangers is not given leave to read it.
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT2", "POST"])
async def test_every_unsafe_method_needs_an_origin(web: WebProcess, method: str) -> None:
    async with httpx2.AsyncClient(base_url=web.url, trust_env=False) as http:
        answer = await http.request(method, "/api/drops/x/hold", headers={"origin": "null"})
    # What the parser of requests does not know at all never comes this far.
    assert answer.status_code in (400, 403)


async def test_a_network_that_asks_too_often_is_told_when_to_come_back(
    server: Server, tmp_path: Path
) -> None:
    async with web_process.front(settings(server.url, tmp_path, requests_per_s_max=1)) as web:
        sale = await web.sale()
        _, ticket = web.ticket()
        async with web.http(ticket) as http:
            answers = [await http.get("/healthz") for _ in range(10)]
            assert {answer.status_code for answer in answers} == {200}
            answer = await http.get("/healthz")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
            assert int(answer.headers["retry-after"]) >= 1
            # A provider's word is proven by itself: it is never kept out with the crowd.
            answer = await http.post("/api/pay/webhooks/local", content=b"{}")
            assert answer.status_code == 400
        # And who sits at a socket is no request.
        async with web.fan(sale.drop) as ada:
            assert (await ada.ask("hold", pool="pin"))["t"] == "done"


async def test_an_address_that_a_stranger_tells_is_not_believed(
    server: Server, tmp_path: Path
) -> None:
    async with web_process.front(settings(server.url, tmp_path, requests_per_s_max=1)) as web:
        sale = await web.sale()
        _, ticket = web.ticket()
        async with web.http(ticket) as http:
            pressed, asked = [], []
            for n in range(20):
                other = {"x-forwarded-for": f"192.0.2.{n}", "forwarded": f"for=192.0.2.{n}"}
                body = {"pool": "none", "key": key()}
                way = f"/api/drops/{sale.drop}/hold"
                pressed.append((await http.post(way, json=body, headers=other)).status_code)
                asked.append((await http.get("/healthz", headers=other)).status_code)
    # Whichever way he comes, he is where his bytes come from.
    assert set(pressed) == {404, 429}
    assert set(asked) == {200, 429}
