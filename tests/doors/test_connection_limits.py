"""Every connection has an end, a limit and a count, in whatever state it is."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dropengine.doors.connection_limits import PIPELINED_MAX, UnfinishedHeads
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.raw_socket import Line, handshake, line
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> object:
    """Whatever a client sends, nobody is called to look at a traceback."""
    yield
    assert [one for one in caplog.records if one.exc_info or one.levelname == "ERROR"] == []


@asynccontextmanager
async def shop(server: Server, folder: Path, **more: Any) -> AsyncIterator[WebProcess]:
    short: dict[str, Any] = {
        "header_s_max": 1,
        "body_s_max": 1,
        "answer_s_max": 1,
        "keep_alive_s": 1,
        "header_bytes_max": 16_384,
    }
    async with web_process.front(settings(server.url, folder, **short | more)) as one:
        yield one


@pytest.fixture(scope="module")
async def web(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    async with shop(server, tmp_path_factory.mktemp("limits")) as one:
        yield one


def counts(web: WebProcess) -> tuple[int, int, int, int]:
    """Connections of which uvicorn knows, unfinished heads, open HTTP connections, tasks."""
    kind: Any = web.config.http_protocol_class
    state = web.server.server_state
    return len(state.connections), len(kind.heads), kind.open.open, len(state.tasks)


async def gone(web: WebProcess) -> None:
    await until(lambda: counts(web) == (0, 0, 0, 0))


def get(web: WebProcess, path: str = "/healthz", more: str = "", version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\nhost: 127.0.0.1:{web.port}\r\n{more}\r\n".encode()


def post(web: WebProcess, more: str) -> bytes:
    return (
        f"POST /api/drops/x/hold HTTP/1.1\r\nhost: 127.0.0.1:{web.port}\r\n"
        f"origin: {web.url}\r\n{more}\r\n"
    ).encode()


def test_what_is_done_in_our_own_words_is_all_that_uvicorn_does() -> None:
    text = inspect.getsource(HttpToolsProtocol.handle_websocket_upgrade)
    assert set(re.findall(r"(?:self|protocol)\.(\w+)", text)) == {
        *("logger", "client", "connections", "scope", "url", "config", "server_state", "app_state"),
        *("ws_protocol_class", "transport", "connection_made", "data_received"),
    }


async def test_one_head_too_many_and_the_oldest_goes(server: Server, tmp_path: Path) -> None:
    async with (
        shop(server, tmp_path, heads_max=3, header_s_max=20, keep_alive_s=20) as web,
        AsyncExitStack() as stack,
    ):
        # One that has asked already is no unfinished head, however long it is silent.
        idle = await stack.enter_async_context(line(web.port, get(web)))
        await idle.until(b"ok")
        begun = [b"", b"GET", get(web)[:-2], b"", b"POST /", b""]
        lines: list[Line] = []
        for n, said in enumerate(begun):
            lines.append(await stack.enter_async_context(line(web.port, said)))
            await until(lambda n=n: counts(web)[1] == min(n + 1, 3))  # type: ignore[misc]
        for old in lines[:3]:
            assert (await old.everything()).startswith(b"HTTP/1.1 503 ")
        for n, new in enumerate(lines[3:]):
            await new.send(get(web)[len(begun[3 + n]) :] if n != 1 else b"healthz HTTP/1.1\r\n\r\n")
            assert await new.until(b"\r\n\r\n")
        await idle.send(get(web))
        assert b"200" in await idle.until(b"ok")


def test_who_goes_for_another_is_the_one_that_had_the_most_time() -> None:
    went: list[str] = []

    class One:
        def __init__(self, name: str) -> None:
            self.name = name

        def give_way(self) -> None:
            went.append(self.name)

    heads = UnfinishedHeads(2)
    a, b, c, d = (One(name) for name in "abcd")
    for one in (a, b, c):
        heads.enter(one)
    heads.leave(b)
    heads.leave(b)
    heads.enter(d)
    assert (went, len(heads)) == (["a"], 2)


HALF = {
    "half a body": "content-length: 10\r\n",
    "half a chunk": "transfer-encoding: chunked\r\n",
    "waiting to be asked for its body": "content-length: 10\r\nexpect: 100-continue\r\n",
}


@pytest.mark.parametrize("how", [*HALF, "silent after its answer"])
async def test_from_its_head_on_a_connection_counts_for_its_network(
    server: Server, tmp_path: Path, how: str
) -> None:
    long = {"body_s_max": 20, "keep_alive_s": 20}
    async with (
        shop(server, tmp_path, http_per_network_max=2, **long) as web,
        AsyncExitStack() as stack,
    ):
        begun = get(web) if how not in HALF else post(web, HALF[how]) + b"5\r\nab"
        ones = [await stack.enter_async_context(line(web.port, begun)) for _ in range(2)]
        await until(lambda: counts(web)[2] == 2)
        async with line(web.port, get(web)) as third:
            assert (await third.everything()).startswith(b"HTTP/1.1 429 ")
        async with line(web.port, get(web), local="127.0.0.2") as elsewhere:
            assert b" 200 " in await elsewhere.until(b"ok")
        ones[0].reset()
        await until(lambda: counts(web)[2] == 1)
        async with line(web.port, get(web)) as third:
            assert b" 200 " in await third.until(b"ok")


async def test_a_worker_has_so_many_connections(server: Server, tmp_path: Path) -> None:
    async with (
        shop(server, tmp_path, http_max=2, keep_alive_s=20) as web,
        AsyncExitStack() as stack,
    ):
        for n in (2, 3):
            one = await stack.enter_async_context(line(web.port, get(web), local=f"127.0.0.{n}"))
            await one.until(b"ok")
        async with line(web.port, get(web)) as third:
            said = await third.everything()
            assert said.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after" in said


async def test_behind_a_proxy_it_counts_for_the_network_that_the_proxy_names(
    server: Server, tmp_path: Path
) -> None:
    conf = {"forwarded_allow_ips": ("127.0.0.1",), "keep_alive_s": 20}
    async with (
        shop(server, tmp_path, http_per_network_max=2, sockets_per_network_max=1, **conf) as web,
        AsyncExitStack() as stack,
    ):

        def named(who: str) -> bytes:
            return get(web, more=f"x-forwarded-for: {who}\r\n")

        ones = [await stack.enter_async_context(line(web.port)) for _ in range(3)]
        for one in ones[:2]:
            await one.send(named("203.0.113.7"))
            assert b" 200 " in await one.until(b"ok")
        # The same connection carries somebody else's request, and counts as his from then on.
        await ones[0].send(named("198.51.100.1, 203.0.113.8"))
        assert b" 200 " in await ones[0].until(b"ok")
        await ones[2].send(named("203.0.113.7"))
        assert b" 200 " in await ones[2].until(b"ok")
        await ones[0].send(named("203.0.113.7"))
        assert b" 429 " in await ones[0].until(b"network.")
        # Who is no proxy names nobody.
        async with line(web.port, named("203.0.113.7"), local="127.0.0.2") as liar:
            assert b" 200 " in await liar.until(b"ok")
        sale = await web.sale()
        asks = [
            handshake(web, sale.drop, f"x-forwarded-for: 203.0.113.{n}\r\norigin: {web.url}\r\n")
            for n in (9, 9, 8)
        ]
        heard = []
        for ask in asks:
            one = await stack.enter_async_context(line(web.port, ask))
            heard.append((await one.until(b"\r\n\r\n"))[9:12])
        assert heard == [b"101", b"503", b"101"]


COOKIES = "cookie: " + "a" * 9_000 + "\r\n"
MANY = "".join(f"x-{n}: {n}\r\n" for n in range(130))
REFUSED: dict[str, tuple[str, str]] = {
    "nine kilobytes of cookies": (COOKIES, "431"),
    "a hundred and thirty headers": (MANY, "431"),
    "more than all may be": ("".join(f"x-{n}: {'b' * 2_000}\r\n" for n in range(9)), "431"),
    "a line one byte too long": (f"x: {'b' * (8_192 - 4)}\r\n", "431"),
    "a body": ("content-length: 1\r\n", "400"),
    "no body, said aloud": ("content-length: 0\r\n", "400"),
    "a chunked body": ("transfer-encoding: chunked\r\n", "400"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_handshake_that_only_one_parser_takes_is_refused(
    web: WebProcess, what: str
) -> None:
    more, status = REFUSED[what]
    sale = await web.sale()
    async with line(web.port, handshake(web, sale.drop, more)) as one:
        assert (await one.everything()).startswith(f"HTTP/1.1 {status} ".encode())
    await gone(web)


@pytest.mark.parametrize(
    "first",
    [
        b"POST /drops/x/live HTTP/1.1",
        b"HEAD /drops/x/live HTTP/1.1",
        b"GET /drops/x/live HTTP/1.0",
        b"GET /drops/\xff\xfe/live HTTP/1.1",
        b"GET /drops/" + b"x" * 9_000 + b"/live HTTP/1.1",
    ],
)
async def test_a_handshake_begins_as_handshakes_do(web: WebProcess, first: bytes) -> None:
    said = handshake(web, "x")
    async with line(web.port, first + said[said.index(b"\r\n") :]) as one:
        assert (await one.everything())[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431")
    await gone(web)


@pytest.mark.parametrize(("more", "status"), [(COOKIES, "431"), (MANY, "431"), ("", "200")])
async def test_one_limit_for_heads_holds_for_all_requests(
    web: WebProcess, more: str, status: str
) -> None:
    async with line(web.port, get(web, more=more)) as one:
        assert (await one.until(b"\r\n\r\n")).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("key", ["", "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"])
async def test_a_handshake_that_the_library_refuses_ends_too(web: WebProcess, key: str) -> None:
    said = handshake(web, "x").replace(b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"")
    async with line(web.port, said[:-2] + (key * 2).encode() + b"\r\n") as one:
        assert (await one.everything()).startswith(b"HTTP/1.1 4")
    await gone(web)


async def test_no_handshake_while_an_answer_is_owed(web: WebProcess) -> None:
    sale = await web.sale()
    for before in (get(web, f"/drops/{sale.drop}/events"), get(web), post(web, "")):
        async with line(web.port, before + handshake(web, sale.drop)) as one:
            assert b" 101 " not in await one.everything()
    await gone(web)


async def test_what_was_refused_breaks_no_stop(server: Server, tmp_path: Path) -> None:
    async with shop(server, tmp_path) as web, AsyncExitStack() as stack:
        sale = await web.sale()
        for more, _ in REFUSED.values():
            await stack.enter_async_context(line(web.port, handshake(web, sale.drop, more)))
        async with web.watcher(sale.drop) as watcher:
            stopping = asyncio.create_task(web.stop())
            assert await watcher.closed() == 1012
            async with asyncio.timeout(LONG_S):
                await stopping


CHUNKED = "transfer-encoding: chunked\r\n"
FLOODS = {
    "endless trailers": b"0\r\n" + b"".join(b"t%d: x\r\n" % n for n in range(40_000)),
    "one endless trailer": b"0\r\nt: " + b"x" * 400_000,
    "an endless trailer's name": b"0\r\n" + b"t" * 400_000,
    "an endless chunk extension": b"1;" + b"x" * 400_000,
    "a byte a chunk": b"1\r\nx\r\n" * 60_000,
    "an endless size": b"0" * 400_000,
}


@pytest.mark.parametrize("what", FLOODS)
async def test_what_stands_beside_a_body_is_no_longer_than_a_head(
    web: WebProcess, what: str
) -> None:
    flood = FLOODS[what]
    async with line(web.port, post(web, CHUNKED)) as one:
        took = 0
        for at in range(0, len(flood), 1_000):
            await one.send(flood[at : at + 1_000])
            await asyncio.sleep(0)
            if not counts(web)[0]:
                took = at
                break
        assert 0 < took < len(flood) // 2
    await gone(web)


async def test_a_body_in_small_pieces_with_a_trailer_is_a_body(web: WebProcess) -> None:
    sale = await web.sale()
    said = b'{"pool":"pin","qty":1}'
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in said) + b"0\r\n"
    who = f"cookie: fan={web.ticket()[1]}\r\nidempotency-key: piecemeal\r\n"
    head = post(web, CHUNKED + who).replace(b"/x/", f"/{sale.drop}/".encode())
    for trailer in (b"", b"x-trailer: 1\r\n", b"idempotency-key: another\r\n"):
        async with line(web.port, head + body + trailer + b"\r\n") as one:
            answer = await one.until(b"}")
            assert b" 200 " in answer
            # What comes behind the body is no header of the request.
            assert b'"key":"piecemeal"' in answer


async def test_so_many_requests_wait_for_one_and_no_more(web: WebProcess) -> None:
    async with line(web.port, get(web) * (PIPELINED_MAX + 1)) as one:
        said = b""
        while said.count(b" 200 ") < PIPELINED_MAX + 1:
            piece = await one.read()
            assert piece
            said += piece
    async with line(web.port, get(web) * 5_000) as one:
        assert (await one.everything()).count(b" 200 ") <= PIPELINED_MAX + 1
    await gone(web)


@asynccontextmanager
async def deaf(web: WebProcess) -> AsyncIterator[Line]:
    """A connection that asks for much and reads nothing of it: its answers are stuck here."""
    web.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    sale = await web.sale()
    async with line(web.port, takes=4_096) as one:
        while not stuck(web):
            await one.send(get(web, f"/drops/{sale.drop}"))
            await until(lambda: counts(web)[3])
            await until(lambda: stuck(web) or not counts(web)[3])
        yield one


def stuck(web: WebProcess) -> bool:
    return any(one.transport.get_write_buffer_size() for one in web.server.server_state.connections)


@pytest.mark.parametrize("last", ["silence", "close", "1.0", "garbage", "half a head", "fin"])
async def test_who_takes_no_answer_is_cut_off_and_counted_until_then(
    server: Server, tmp_path: Path, last: str
) -> None:
    long = {"answer_s_max": 2, "header_s_max": 2}
    async with shop(server, tmp_path, http_per_network_max=1, **long) as web, deaf(web) as one:
        if last == "fin":
            one.end.shutdown(socket.SHUT_WR)
        else:
            words = {
                "silence": b"",
                "close": get(web, more="connection: close\r\n"),
                "1.0": get(web, version="1.0"),
                "garbage": b"\x16\x03\x01 nothing\r\n\r\n",
                "half a head": get(web)[:20],
            }
            await one.send(words[last])
        # While its bytes are here it has its place.
        async with line(web.port, get(web)) as other:
            assert b" 429 " in await other.everything()
        assert counts(web)[2] == 1
        await gone(web)
        async with line(web.port, get(web)) as other:
            assert b" 200 " in await other.until(b"ok")


async def test_a_server_that_stops_waits_for_no_half_request(
    server: Server, tmp_path: Path
) -> None:
    conf = {"body_s_max": 60, "header_s_max": 60, "shutdown_s_max": 2}
    async with shop(server, tmp_path, **conf) as web, AsyncExitStack() as stack:
        for half in (b"", get(web)[:9], post(web, HALF["half a body"]) + b"5\r\nab"):
            await stack.enter_async_context(line(web.port, half))
        await until(lambda: counts(web)[3] == 1)
        await web.stop()
        assert counts(web)[:2] == (0, 0)
