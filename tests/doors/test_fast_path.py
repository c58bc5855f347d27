"""A fan's command over HTTP may go three ways, and nobody outside can tell which one it went.

From the connection straight to its batch; past the framework, where a connection cannot do it by
itself; and the long way, through the gate and the routes, which alone says why something is
refused.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from dropengine.doors.fan_api import COMMANDS, _command
from dropengine.doors.fast_path import SHORT_WAY, Asked, _body
from dropengine.doors.rate_limit import whence_of
from dropengine.model import DropId, FanId
from dropengine.people.tickets import pseudonym
from dropengine.truth import scripts
from tests.kit import web_process
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, settings, until

server = web_process.server

WAYS = ("connection", "application", "framework")
DATE = (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT")

_drops = count(1)


class Counted:
    """An application that counts who reaches it."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Any]) -> None:
        self.app = app
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.count += 1
        await self.app(scope, receive, send)


class Line(Protocol):
    """One connection: send these pieces, hear so many answers."""

    async def __call__(self, *pieces: bytes, answers: int = 1) -> bytes: ...


class Way:
    """A web process whose commands go one of the ways, and how many went how far."""

    def __init__(self, web: WebProcess, kind: str) -> None:
        self.runtime = web
        if kind != "connection":
            web.server.lifespan.state.pop(SHORT_WAY)
        if kind == "framework":
            web.app.fast_path = _past  # type: ignore[assignment]
        web.server.server_state.default_headers = [DATE]
        self.application = Counted(web.app)
        web.config.loaded_app = self.application
        self.framework = Counted(web.app.build_middleware_stack())
        web.app.middleware_stack = self.framework

    @asynccontextmanager
    async def line(self, local: str = "127.0.0.1") -> AsyncIterator[Line]:
        """A connection of its own from this address of the machine."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.runtime.port, local_addr=(local, 0)
        )

        async def ask(*pieces: bytes, answers: int = 1) -> bytes:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                # Each piece arrives by itself.
                for _ in range(3):
                    await asyncio.sleep(0)
            async with asyncio.timeout(LONG_S):
                return b"".join([await one_answer(reader) for _ in range(answers)])

        try:
            yield ask
        finally:
            writer.close()

    async def ask(self, *pieces: bytes, answers: int = 1) -> bytes:
        """What is answered to these bytes on a new connection."""
        async with self.line() as line:
            return await line(*pieces, answers=answers)


async def _past(_scope: Scope, receive: Receive, _send: Send) -> Receive:
    return receive


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    """One whole answer, with what may come before it."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):
        return head + await one_answer(reader)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def all_ways(server: Server, folder: Path, **more: Any) -> AsyncIterator[list[Way]]:
    async with AsyncExitStack() as stack:
        yield [
            Way(
                await stack.enter_async_context(
                    web_process.front(settings(server.url, folder, **more))
                ),
                kind,
            )
            for kind in WAYS
        ]


@pytest.fixture(scope="module")
async def ways(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Way]]:
    async with all_ways(server, tmp_path_factory.mktemp("ways")) as these:
        yield these


class Here(NamedTuple):
    """Where a request is sent, and what its fan has there."""

    drop: str
    ticket: str
    hold: str = ""
    entry: str = ""


async def at_home(way: Way, ticket: str) -> Here:
    """A drop in which the fan has a hold and a place in a line; its room is open and up to date."""
    sale = Sale(way.runtime.runtime.store, f"way-{next(_drops):04}", now=0)
    known = way.runtime.runtime.identity.whose(ticket)
    assert known is not None
    fan = pseudonym(known.key, DropId(sale.drop))
    await sale.publish(manifest(sale.drop, item("pin", {"pin": 3, "cap": 1}), limit=3))
    await sale.creator("open")
    await sale.held("ben", "cap")
    hold = await sale.held(fan)
    entry = await sale.joined(fan, "cap")
    await up_to_date(way, sale.drop)
    return Here(sale.drop, ticket, hold, entry)


async def up_to_date(way: Way, drop: str) -> None:
    room = await way.runtime.runtime.hub.room(drop)
    assert room is not None
    await way.runtime.runtime.hub.fresh(room)


def post(
    here: Here,
    verb: str,
    body: bytes | dict[str, Any],
    *more: str,
    who: str | None = None,
    origin: str | None = "http://localhost",
    host: str | None = "localhost",
    path: str = "/api/drops/{}/{}",
    start: str = "POST {} HTTP/1.1",
    length: int | None = -1,
) -> bytes:
    """A request as a browser sends it, but for what is said otherwise. length: -1 for the true
    one, None for no header."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [start.format(path.format(here.drop, verb))]
    lines += [f"host: {host}"] if host is not None else []
    lines += [f"origin: {origin}"] if origin is not None else []
    lines.append(f"cookie: fan={here.ticket}" if who is None else who)
    lines += more
    if length is not None:
        lines.append(f"content-length: {len(text) if length < 0 else length}")
    return "\r\n".join(one for one in lines if one).encode("latin-1") + b"\r\n\r\n" + text


PIN: dict[str, Any] = {"pool": "pin", "key": "k-1"}
CHUNKED = b'12\r\n{"pool":"pin","key\r\n7\r\n":"k-1"}\r\n0\r\n\r\n'

Request = Callable[[Here], bytes]

PLAIN: dict[str, Request] = {
    "hold": lambda h: post(h, "hold", PIN),
    "two units": lambda h: post(h, "hold", {**PIN, "qty": 2, "fewer": True}),
    "all held": lambda h: post(h, "hold", {"pool": "cap", "key": "k-1"}),
    "over the limit": lambda h: post(h, "hold", {**PIN, "qty": 3}),
    "no such pool": lambda h: post(h, "hold", {"pool": "hat", "key": "k-1"}),
    "release": lambda h: post(h, "release", {"hold": h.hold, "key": "k-1"}),
    "release of nothing": lambda h: post(h, "release", {"hold": "h99", "key": "k-1"}),
    "extend": lambda h: post(h, "extend", {"hold": h.hold, "key": "k-1"}),
    "claim": lambda h: post(h, "claim", {"hold": h.hold, "key": "k-1"}),
    "join": lambda h: post(h, "join", {"pools": ["cap"], "key": "k-1"}),
    "leave": lambda h: post(h, "leave", {"entry": h.entry, "key": "k-1"}),
    "key in the header": lambda h: post(h, "hold", {"pool": "pin"}, "Idempotency-Key: k-1"),
    "type and id": lambda h: post(h, "hold", {**PIN, "t": "hold", "id": 7}),
    "a field twice": lambda h: post(h, "hold", b'{"pool":"cap","key":"a","pool":"pin","key":"b"}'),
    "white space": lambda h: post(h, "hold", b' {"pool" : "pin",\n "key":"k-1"} \n'),
    "as long as may be": lambda h: post(h, "hold", json.dumps(PIN).encode().ljust(4096)),
    "bearer": lambda h: post(h, "hold", PIN, who=f"authorization: Bearer {h.ticket}", origin=None),
    "bearer in capitals": lambda h: post(h, "hold", PIN, who=f"Authorization: BEARER  {h.ticket} "),
    "another proof": lambda h: post(h, "hold", PIN, "authorization: Basic x"),
    "many cookies": lambda h: post(h, "hold", PIN, who=f'cookie: a=b; fan="{h.ticket}"; c'),
    "the stronger cookie": lambda h: post(
        h, "hold", PIN, who=f"cookie: fan=x; __Host-fan={h.ticket}"
    ),
    "another type": lambda h: post(h, "hold", PIN, "content-type: text/plain"),
    "many headers": lambda h: post(h, "hold", PIN, *(f"x-{n}: {n}" for n in range(50))),
    "the first of two origins": lambda h: post(h, "hold", PIN, "origin: http://evil.example"),
    "a port of this machine": lambda h: post(
        h, "hold", PIN, host="127.0.0.1:7", origin="http://127.0.0.1:7"
    ),
}
"""What a connection answers by itself."""

SOME_WORK: dict[str, Request] = {
    "pay": lambda h: post(h, "pay", {"holds": [h.hold], "key": "k-1"}),
    "pay for nothing": lambda h: post(h, "pay", {"holds": ["h99", h.hold], "key": "k-1"}),
    "HTTP/1.0": lambda h: post(h, "hold", PIN, start="POST {} HTTP/1.0"),
    "HTTP/1.0, kept alive": lambda h: post(
        h, "hold", PIN, "connection: keep-alive", start="POST {} HTTP/1.0"
    ),
    "the last request": lambda h: post(h, "hold", PIN, "connection: close"),
    "asked before": lambda h: post(h, "hold", PIN, "expect: 100-continue"),
    "a query": lambda h: post(h, "hold", PIN, path="/api/drops/{}/{}?a=b"),
    "letters as numbers": lambda h: post(h, "h%6Fld", PIN),
    "by its whole address": lambda h: post(h, "hold", PIN, path="http://localhost/api/drops/{}/{}"),
}
"""What only the application answers, past its framework."""

TO_EXPLAIN: dict[str, Request] = {
    "no key": lambda h: post(h, "hold", {"pool": "pin"}),
    "a type and an id of its own": lambda h: post(h, "hold", {**PIN, "t": 7, "id": "x"}),
    "key in both": lambda h: post(h, "hold", PIN, "idempotency-key: k-1"),
    "two keys": lambda h: post(h, "hold", PIN, "idempotency-key: k-2"),
    "a bad key": lambda h: post(h, "hold", {"pool": "pin"}, "idempotency-key: a b"),
    "an empty key": lambda h: post(h, "hold", {"pool": "pin", "key": ""}),
    "a line break in the key": lambda h: post(h, "hold", {"pool": "pin", "key": "k\n"}),
    "no body": lambda h: post(h, "hold", b""),
    "no length": lambda h: post(h, "hold", b"", length=None),
    "no JSON": lambda h: post(h, "hold", b"pool=pin"),
    "not UTF-8": lambda h: post(h, "hold", b'{"pool":"\xff"}'),
    "deep": lambda h: post(h, "hold", b'{"pool":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "a field too many": lambda h: post(h, "hold", {**PIN, "fan": "ben"}),
    "a field too few": lambda h: post(h, "release", PIN),
    "a pool twice": lambda h: post(h, "join", {"pools": ["cap", "cap"], "key": "k-1"}),
    "a pool twice, key in the header": lambda h: post(
        h, "join", {"pools": ["cap", "cap"]}, "idempotency-key: k-1"
    ),
    "over-long": lambda h: post(h, "hold", json.dumps(PIN).encode().ljust(4097)),
    "over-long for everybody": lambda h: post(h, "hold", b"", length=10**9),
    "chunked": lambda h: post(h, "hold", CHUNKED, "transfer-encoding: chunked", length=None),
    "no such verb": lambda h: post(h, "open", PIN),
    "the verb in capitals": lambda h: post(h, "Hold", PIN),
    "deeper than a verb": lambda h: post(h, "hold/x", PIN),
    "a slash behind": lambda h: post(h, "hold/", PIN),
    "read, not posted": lambda h: post(h, "hold", b"", start="GET {} HTTP/1.1"),
    "put": lambda h: post(h, "hold", PIN, start="PUT {} HTTP/1.1"),
    "no such drop": lambda h: post(h, "hold", PIN, path="/api/drops/nowhere{0:.0}/{1}"),
    "no drop": lambda h: post(h, "hold", PIN, path="/api/drops//{1}"),
    "another path": lambda h: post(h, "hold", PIN, path="/api/shops/{}/{}"),
    "a page of strangers": lambda h: post(h, "hold", PIN, origin="http://evil.example"),
    "a page of strangers, over-long": lambda h: post(
        h, "hold", b"", origin="http://evil.example", length=10**9
    ),
    "another port": lambda h: post(h, "hold", PIN, origin="http://localhost:1"),
    "no origin": lambda h: post(h, "hold", PIN, origin=None),
    "an empty origin": lambda h: post(h, "hold", PIN, origin=""),
    "a strange name": lambda h: post(h, "hold", PIN, host="evil.example"),
    "nobody": lambda h: post(h, "hold", PIN, who=""),
    "a foreign ticket": lambda h: post(h, "hold", PIN, who="cookie: fan=f1.x.6553f100.AAAA"),
    "a damaged ticket": lambda h: post(h, "hold", PIN, who=f"cookie: fan={h.ticket}A"),
    "a bearer of nothing": lambda h: post(h, "hold", PIN, who="authorization: Bearer x"),
    "two kinds of proof": lambda h: post(h, "hold", PIN, "authorization: Bearer x"),
}
"""What is refused or looked at twice: by the long way, whichever way is there."""

OF_THE_SERVER: dict[str, Request] = {
    "two lengths": lambda h: post(h, "hold", PIN, "content-length: 1"),
    "a length that is none": lambda h: post(h, "hold", PIN, "content-length: x", length=None),
    "no HTTP": lambda h: post(h, "hold", PIN, start="POST {} SMTP/1.1"),
}
"""What no application ever sees."""

REACHED = {
    "connection": [(0, 0), (1, 0), (1, 1)],
    "application": [(1, 0), (1, 0), (1, 1)],
    "framework": [(1, 1)] * 3,
    "server": [(0, 0)] * 3,
}
"""How many reach the application and its framework, for each way that is there."""

TABLE = [
    (name, request, taken)
    for taken, requests in zip(REACHED, (PLAIN, SOME_WORK, TO_EXPLAIN, OF_THE_SERVER), strict=True)
    for name, request in requests.items()
]


def alike(answers: Iterable[bytes]) -> bytes:
    """The one answer that all of them are, but for times, keys and names made up on the way."""
    seen = {
        re.sub(
            rb'\d{13}|"key":"[\w-]{16}"|/pay/local/[^"]+|way-\d{4}',
            lambda found: b"*" * len(found[0]),
            one,
        )
        for one in answers
    }
    assert len(seen) == 1, seen
    return seen.pop()


@pytest.mark.parametrize(
    ("request_of", "taken"), [one[1:] for one in TABLE], ids=[one[0] for one in TABLE]
)
async def test_every_way_gives_the_same_answer_byte_for_byte(
    ways: list[Way], request_of: Request, taken: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, ticket = ways[0].runtime.ticket()
    answers = []
    for way, reached in zip(ways, REACHED[taken], strict=True):
        here = await at_home(way, ticket)
        before = way.application.count, way.framework.count
        answers.append(await way.ask(request_of(here)))
        gone = way.application.count - before[0], way.framework.count - before[1]
        assert gone == reached
    alike(answers)
    assert all(record.name == "uvicorn.error" for record in caplog.records)


@pytest.mark.parametrize("request_of", [*PLAIN.values(), SOME_WORK["pay"]])
async def test_a_repeat_by_its_key_is_answered_alike_by_every_way(
    ways: list[Way], request_of: Request
) -> None:
    """On one drop, asked again and again by whichever way."""
    _, ticket = ways[0].runtime.ticket()
    here = await at_home(ways[0], ticket)
    for way in ways[1:]:
        await up_to_date(way, here.drop)
    await ways[0].ask(request_of(here))
    for way in ways:
        await up_to_date(way, here.drop)
    alike([await way.ask(request_of(here)) for way in (*ways, *ways[::-1])])


async def test_a_request_in_pieces_is_answered_alike(ways: list[Way]) -> None:
    _, ticket = ways[0].runtime.ticket()
    for cut in (1, 20, -len(json.dumps(PIN)), -3):
        answers = []
        for way in ways:
            request = post(await at_home(way, ticket), "hold", PIN)
            answers.append(await way.ask(request[:cut], request[cut:]))
        assert alike(answers).startswith(b"HTTP/1.1 200 ")


async def test_requests_that_come_at_once_are_answered_in_turn(ways: list[Way]) -> None:
    _, ticket = ways[0].runtime.ticket()
    answers = []
    for way in ways:
        here = await at_home(way, ticket)
        block = (
            PLAIN["hold"](here)
            + PLAIN["release"](here)
            + post(here, "hold", b"", start="GET /healthz HTTP/1.1")
            + TO_EXPLAIN["no JSON"](here)
            + PLAIN["all held"](here)
        )
        answers.append(await way.ask(block, answers=5))
    said = alike(answers)
    assert re.findall(rb"HTTP/1.1 (\d+) ", said) == [b"200", b"200", b"200", b"400", b"409"]


async def test_a_network_that_asks_too_often_is_told_alike_and_nobody_is_counted_twice(
    server: Server, tmp_path: Path
) -> None:
    networks = count(1)
    async with all_ways(server, tmp_path, requests_per_s_max=1) as ways:
        _, ticket = ways[0].runtime.ticket()
        for request_of in (PLAIN["hold"], SOME_WORK["pay"], TO_EXPLAIN["no JSON"]):
            refused = []
            for way in ways:
                request = request_of(await at_home(way, ticket))
                local = f"127.0.1.{next(networks)}"
                began = time.monotonic()
                async with way.line(local) as line:
                    answers = [await line(request) for _ in range(10)]
                    assert not any(one.startswith(b"HTTP/1.1 429 ") for one in answers)
                    # What time has filled in again since then, and not one more.
                    while not answers[-1].startswith(b"HTTP/1.1 429 "):
                        assert len(answers) <= 10 + time.monotonic() - began
                        answers.append(await line(request))
                refused.append(answers[-1])
            assert b"retry-after: 1\r\n" in alike(refused)


async def test_a_flood_is_refused_before_its_body_comes(server: Server, tmp_path: Path) -> None:
    async with all_ways(server, tmp_path, requests_per_s_max=1) as ways:
        _, ticket = ways[0].runtime.ticket()
        refused = []
        for way in ways:
            here = await at_home(way, ticket)
            async with way.line() as line:
                async with asyncio.timeout(LONG_S):
                    while not (await line(PLAIN["hold"](here))).startswith(b"HTTP/1.1 429 "):
                        pass
                refused.append(await line(post(here, "hold", b"", length=100)))
        assert alike(refused).startswith(b"HTTP/1.1 429 ")


@asynccontextmanager
async def delayed(
    proxy: FaultProxy, folder: Path
) -> AsyncIterator[tuple[WebProcess, Sale, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Somebody whose press is held up on its way to the server."""
    async with web_process.front(settings(proxy.url, folder)) as web:
        sale = await web.sale()
        await web.runtime.hub.room(sale.drop)
        _, ticket = web.ticket()
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        proxy.plan(Fate.DELAY, holding=scripts.load()["press"].sha)
        writer.write(PLAIN["hold"](Here(sale.drop, ticket)))
        await proxy.strikes(Fate.DELAY)
        # Nothing waits for it but the connection.
        assert not web.server.server_state.tasks
        yield web, sale, reader, writer
        writer.close()


async def test_a_command_on_its_way_is_answered_before_the_process_ends(
    proxy: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with delayed(proxy, tmp_path) as (web, _, reader, _):
        stopping = asyncio.create_task(web.stop())
        await until(lambda: web.server.server_state.connections)
        await asyncio.sleep(0)
        proxy.go()
        async with asyncio.timeout(LONG_S):
            answer = await one_answer(reader)
            assert await reader.read() == b""
            await stopping
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close\r\n" in answer
    assert caplog.text == ""


async def test_who_leaves_does_not_take_his_command_with_him(
    proxy: FaultProxy, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with delayed(proxy, tmp_path) as (web, sale, _, writer):
        writer.transport.abort()
        await until(lambda: not web.server.server_state.connections)
        proxy.go()
        room = await web.runtime.hub.room(sale.drop)
        assert room is not None
        await until(lambda: not room.batcher.flying)
        assert await sale.counts() == (2, 1, 0, 0)
    assert caplog.text == ""


async def test_a_request_behind_a_command_waits_for_its_turn(
    proxy: FaultProxy, tmp_path: Path
) -> None:
    async with delayed(proxy, tmp_path) as (_, _, reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        await writer.drain()
        proxy.go()
        async with asyncio.timeout(LONG_S):
            assert b'"t":"done"' in await one_answer(reader)
            assert b'"t":"done"' not in await one_answer(reader)
            assert await reader.read() == b""


async def test_behind_a_proxy_the_address_that_it_tells_is_the_one_that_counts(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(server.url, tmp_path, forwarded_allow_ips=("127.0.0.1",), requests_per_s_max=1)
    async with web_process.front(conf) as web:
        # No connection may take its peer for the fan.
        assert SHORT_WAY not in web.server.lifespan.state
        sale = await web.sale()
        await web.runtime.hub.room(sale.drop)
        _, ticket = web.ticket()
        async with web.http(ticket) as http:
            where, body = f"/api/drops/{sale.drop}/hold", {"pool": "pin", "key": "k-1"}
            for network in ("192.0.2.1", "192.0.2.2"):
                headers = {"x-forwarded-for": network}
                for _ in range(10):
                    assert (await http.post(where, json=body, headers=headers)).status_code == 200


fields = st.dictionaries(
    st.sampled_from(
        [*"tx", "id", "key", "pool", "qty", "fewer", "hold", "holds", "pools", "entry"]
    ),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 200),
        st.floats(),
        st.sampled_from(["", "a", "b", "hold", "k-1", "a b", "k\n", "\u0000", "é", "a" * 65]),
        st.lists(st.sampled_from(["a", "b", ""]), max_size=3),
    ),
)


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.one_of(st.binary(max_size=60), fields.map(lambda one: json.dumps(one).encode())),
    st.sampled_from([None, b"a", b"b", b"", b"a b", b"\xff"]),
)
@example("hold", b'{"pool":"a","pool":"b","key":"a","key":"b"}', None)
@example("hold", b'{"pool":"a","qty":1.0,"key":"a"}', None)
@example("hold", b'{"pool":"a","qty":1e0,"key":"a"}', None)
@example("hold", b'{"p\\u006fol":"a","key":"a"}', None)
@example("join", b'{"pools":["a","a"]}', b"a")
@example("hold", b'\xef\xbb\xbf{"pool":"a","key":"a"}', None)
@example("hold", b'{"pool":"a","key":"a"}\x00', None)
def test_what_is_read_on_the_short_way_reads_the_same_on_the_long_one(
    verb: str, body: bytes, key: bytes | None
) -> None:
    """The short way may give up; it must never understand something else."""
    kind = COMMANDS[verb]
    room: Any = None
    short = Asked(room, FanId("ada"), _body(kind), key, whence_of(None)).command(body)
    if short is not None:
        long = _command(kind, body, None if key is None else key.decode("latin-1"))
        assert type(short).__name__ == type(long).__name__
        known = msgspec.structs.asdict(short)
        assert known | {"id": 0} == msgspec.structs.asdict(long)


def test_the_short_way_reads_every_kind_of_command() -> None:
    """The guard of the test above: it would hold as well if nothing were ever read."""
    room: Any = None
    bodies: dict[str, dict[str, Any]] = {
        "hold": {"pool": "a"},
        "claim": {"hold": "a"},
        "release": {"hold": "a"},
        "extend": {"hold": "a"},
        "pay": {"holds": ["a"]},
        "join": {"pools": ["a"]},
        "leave": {"entry": "a"},
    }
    for verb, more in bodies.items():
        body = json.dumps({"key": "k", **more}).encode()
        command = Asked(room, FanId("ada"), _body(COMMANDS[verb]), None, whence_of(None)).command(
            body
        )
        assert isinstance(command, COMMANDS[verb])
