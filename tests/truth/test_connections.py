"""The way past the client library: one request at a time on each connection, each its own reply."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import hiredis
import pytest
import uvloop
from redis.exceptions import RedisError

from dropengine.errors import Broken, Unavailable
from dropengine.model import DropId
from dropengine.truth import connections
from dropengine.truth.connections import Connections
from dropengine.truth.store import Store
from tests.kit.fault_proxy import Fate, FaultProxy
from tests.kit.private_server import Server

TIMEOUT_S = 1.0


def connections_of(url: str, *, count: int = 2, timeout_s: float | None = TIMEOUT_S) -> Connections:
    client = connections.client(url, connections=count, timeout_s=timeout_s)
    return cast("Connections", client.connection_pool)


@pytest.fixture
async def pool(proxy: FaultProxy) -> AsyncIterator[Connections]:
    one = connections_of(proxy.url)
    yield one
    await one.disconnect()


async def each_gets_his_own(pool: Connections) -> None:
    for i in range(5):
        assert await pool.ask("ECHO", str(i)) == str(i).encode()


async def test_a_reply_is_in_bytes_and_as_deep_as_the_server_says_it(
    pool: Connections,
) -> None:
    assert await pool.ask("ECHO", "héllo") == "héllo".encode()
    assert await pool.ask("ECHO", b"\x00\xff\r\n") == b"\x00\xff\r\n"
    assert await pool.ask("EVAL", "return {1, {'a', {ok = 'fine'}}, false}", 0) == [
        1,
        [b"a", b"fine"],
        None,
    ]


async def test_a_reply_of_many_pieces_is_one_reply(pool: Connections) -> None:
    size = 3_000_000
    assert await pool.ask("ECHO", b"x" * size) == b"x" * size
    rows = await pool.ask("EVAL", "local t = {} for i = 1, 50000 do t[i] = i end return t", 0)
    assert rows == list(range(1, 50_001))


async def test_a_refusal_is_a_value_and_the_connection_goes_on(
    pool: Connections, proxy: FaultProxy
) -> None:
    before = proxy.accepted
    refusal = await pool.ask("NOSUCHCOMMAND")
    assert isinstance(refusal, hiredis.ReplyError)
    assert str(refusal).startswith("ERR unknown command")
    assert await pool.ask("ECHO", "on") == b"on"
    assert proxy.accepted == before + 1


async def test_at_most_so_many_connections_and_everybody_gets_his_own_reply(
    pool: Connections, proxy: FaultProxy
) -> None:
    before = proxy.accepted
    words = [f"word {i}" for i in range(200)]
    assert await asyncio.gather(*(pool.ask("ECHO", word) for word in words)) == [
        word.encode() for word in words
    ]
    assert proxy.accepted == before + 2


@pytest.mark.parametrize("fate", [Fate.RESET, Fate.DROP_REPLY])
async def test_a_lost_connection_is_an_error_and_the_next_request_gets_a_new_one(
    pool: Connections, proxy: FaultProxy, fate: Fate
) -> None:
    assert await pool.ask("ECHO", "before") == b"before"
    proxy.plan(fate, command="ECHO")
    with pytest.raises(ConnectionError, match="the connection was lost"):
        await pool.ask("ECHO", "lost")
    assert await pool.ask("ECHO", "after") == b"after"


@pytest.mark.parametrize("fate", [Fate.HANG, Fate.BLACK_HOLE])
async def test_silence_is_an_error_in_time(
    pool: Connections, proxy: FaultProxy, fate: Fate
) -> None:
    proxy.plan(fate, command="ECHO")
    with pytest.raises(TimeoutError, match=r"no whole reply came for 1 s"):
        await pool.ask("ECHO", "silence")
    assert await pool.ask("ECHO", "after") == b"after"


@pytest.mark.parametrize("fate", [Fate.HANG, Fate.BLACK_HOLE, Fate.DELAY_REPLY])
async def test_whoever_waits_for_a_connection_waits_no_longer_than_for_a_reply(
    pool: Connections, proxy: FaultProxy, fate: Fate
) -> None:
    """Every connection is silent: twenty more do not wait for each other."""
    before = proxy.seen["ECHO"]
    proxy.plan(fate, command="ECHO", times=100)
    asked = [pool.ask("ECHO", f"word {i}") for i in range(20)]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in ended} == {TimeoutError}
    # The others gave up while they waited, and were never sent.
    assert proxy.seen["ECHO"] - before < 6


async def test_a_server_that_accepts_and_says_nothing_is_silent_in_time(tmp_path: Path) -> None:
    async def nothing(heard: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        await heard.read()
        out.close()

    mute = await asyncio.start_unix_server(nothing, tmp_path / "mute.sock")
    pool = connections_of(f"unix://{tmp_path / 'mute.sock'}")
    store = Store(connections.client(f"unix://{tmp_path / 'mute.sock'}", timeout_s=TIMEOUT_S))
    try:
        with pytest.raises(TimeoutError):
            await pool.ask("ECHO", "anybody")
        with pytest.raises(Unavailable) as caught:
            await store.time_ms()
        assert caught.value.silent
    finally:
        mute.close()
        await pool.disconnect()
        await store.close()


async def test_a_reply_that_comes_too_late_is_nobodys(pool: Connections, proxy: FaultProxy) -> None:
    proxy.plan(Fate.DELAY_REPLY, command="ECHO")
    with pytest.raises(TimeoutError):
        await pool.ask("ECHO", "late")
    proxy.go()
    await each_gets_his_own(pool)


async def test_one_who_gives_up_leaves_his_reply_to_nobody(
    pool: Connections, proxy: FaultProxy
) -> None:
    proxy.plan(Fate.DELAY_REPLY, command="ECHO")
    asking = asyncio.create_task(pool.ask("ECHO", "mine"))
    await proxy.strikes(Fate.DELAY_REPLY)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    proxy.go()
    await each_gets_his_own(pool)


async def test_a_connection_that_was_cut_while_idle_is_not_used(
    pool: Connections, proxy: FaultProxy
) -> None:
    assert await pool.ask("ECHO", "before") == b"before"
    await proxy.cut()
    # The cut is seen in one of the loop's next turns.
    for _ in range(10):
        await asyncio.sleep(0)
    assert await pool.ask("ECHO", "after") == b"after"


async def test_nobody_there_is_an_error_and_waits_for_nobody(tmp_path: Path) -> None:
    nowhere = connections_of(f"unix://{tmp_path / 'nobody'}", count=1)
    for _ in range(3):
        with pytest.raises((OSError, RedisError)):
            await nowhere.ask("PING")


async def test_what_is_no_reply_ends_the_connection(tmp_path: Path) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (asked := await reader.read(1000)) and b"ECHO" not in asked:
            writer.write(b"+OK\r\n" * asked.count(b"*"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    path = tmp_path / "nonsense"
    async with await asyncio.start_unix_server(nonsense, str(path)):
        pool = connections_of(f"unix://{path}")
        with pytest.raises(ConnectionError, match="no reply"):
            await pool.ask("ECHO", "x")
        await pool.disconnect()


async def test_closing_ends_what_waits(pool: Connections, proxy: FaultProxy) -> None:
    proxy.plan(Fate.HANG, command="ECHO")
    asking = asyncio.create_task(pool.ask("ECHO", "x"))
    await proxy.strikes(Fate.HANG)
    await pool.disconnect()
    with pytest.raises(ConnectionError):
        await asking


async def test_password_and_database_of_the_address_are_used(server: Server) -> None:
    plain = connections_of(server.url)
    await plain.ask("ACL", "SETUSER", "clerk", "on", ">let me in", "~*", "+@all")
    good = connections_of(f"unix://clerk:let%20me%20in@{server.socket}?db=3")
    try:
        assert await good.ask("ACL", "WHOAMI") == b"clerk"
        await good.ask("SET", "n", "3")
        assert await plain.ask("GET", "n") is None
        assert await good.ask("DEL", "n") == 1
        bad = connections_of(f"unix://clerk:wrong@{server.socket}")
        with pytest.raises(RedisError, match="invalid username-password"):
            await bad.ask("PING")
    finally:
        await plain.ask("ACL", "DELUSER", "clerk")
        await asyncio.gather(plain.disconnect(), good.disconnect())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_an_address_with_tls_is_spoken_to_with_tls(server: Server, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", str(key), "-out", str(certificate)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(server.socket))

        async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                to.write(data)
            to.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))

    async with await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context) as tls:
        port = tls.sockets[0].getsockname()[1]
        pool = connections_of(
            f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}", timeout_s=5.0
        )
        assert await pool.ask("ECHO", "x" * 300_000) == b"x" * 300_000
        assert await asyncio.gather(*(pool.ask("ECHO", str(i)) for i in range(50))) == [
            str(i).encode() for i in range(50)
        ]
        await pool.disconnect()


def hears_the_handshake_and_closes(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            one, _ = listener.accept()
            with one:
                heard = b""
                while heard.count(b"SETINFO") < 2 and (more := one.recv(65536)):
                    heard += more
                one.sendall(b"+OK\r\n" * 2)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_server_that_closes_after_the_handshake_is_heard_at_once(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def play(port: int) -> None:
        # While the loop is busy the last reply and the end come in one turn of it.
        async def busy() -> None:
            while True:
                time.sleep(0.01)  # noqa: ASYNC251 - to be busy is the point
                await asyncio.sleep(0)

        work = asyncio.create_task(busy())
        pool = connections_of(f"redis://127.0.0.1:{port}", timeout_s=60)
        for _ in range(3):
            with pytest.raises((ConnectionError, RedisError)):
                await pool.ask("ECHO", "x")
        work.cancel()
        await pool.disconnect()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=hears_the_handshake_and_closes, args=(listener,))
        server.start()
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(asyncio.wait_for(play(listener.getsockname()[1]), 20))
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


async def test_more_than_was_asked_for_is_nobodys_reply(tmp_path: Path) -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.read(1000):
            if b"ECHO" in asked:
                word = asked.split(b"\r\n")[-2]
                reply = b"$%d\r\n%b\r\n" % (len(word), word)
                writer.write(reply * (2 if word == b"first" else 1))
            else:
                writer.write(b"+OK\r\n" * asked.count(b"*"))
        writer.close()

    path = tmp_path / "twice"
    async with await asyncio.start_unix_server(twice, str(path)):
        pool = connections_of(f"unix://{path}")
        with pytest.raises(ConnectionError, match="more came than one reply"):
            await pool.ask("ECHO", "first")
        for word in ("second", "third", "fourth"):
            assert await pool.ask("ECHO", word) == word.encode()
        await pool.disconnect()


async def test_one_that_is_made_while_all_are_closed_is_closed_too(
    pool: Connections, proxy: FaultProxy
) -> None:
    proxy.plan(Fate.DELAY, command="CLIENT")
    asking = asyncio.create_task(pool.ask("ECHO", "x"))
    await proxy.strikes(Fate.DELAY)
    await pool.disconnect()
    proxy.go()
    with pytest.raises((ConnectionError, RedisError)):
        await asking
    assert await pool.ask("ECHO", "again") == b"again"


async def test_what_cannot_be_sent_leaves_everything_as_it_was(
    pool: Connections, proxy: FaultProxy
) -> None:
    for _ in range(3):
        with pytest.raises(TypeError):
            await pool.ask("ECHO", None)  # type: ignore[arg-type]
    assert await pool.ask("ECHO", "x") == b"x"


async def test_a_refused_look_is_as_good_as_no_reply(server: Server) -> None:
    operator = connections_of(server.url)
    await operator.ask("ACL", "SETUSER", "clerk", "on", ">word", "~*", "+@all", "-time")
    store = Store.connect(f"unix://clerk:word@{server.socket}")
    try:
        with pytest.raises(Unavailable, match="the server refuses the clock"):
            await store.time_ms()
        await operator.ask("ACL", "SETUSER", "clerk", "-evalsha")
        with pytest.raises(Broken, match="settle"):
            await store.settle(DropId("nothing"))
    finally:
        await operator.ask("ACL", "DELUSER", "clerk")
        await asyncio.gather(operator.disconnect(), store.close())


async def test_an_address_cannot_change_the_shape_of_replies(server: Server) -> None:
    store = Store.connect(f"{server.url}?protocol=3")
    assert await store.duties(DropId("nothing")) == {}
    await store.close()
