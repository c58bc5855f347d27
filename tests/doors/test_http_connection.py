"""Whoever dawdles or floods is refused by the connection, and nobody else notices."""

import asyncio
import inspect
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dropengine import wire
from dropengine.config import Settings
from dropengine.doors.fast_path import Asked, _body
from dropengine.doors.http_connection import CommandInHand
from dropengine.doors.rate_limit import whence_of
from dropengine.model import FanId
from dropengine.processes.supervisor import Running
from dropengine.processes.supervisor_process import SupervisorProcess


@pytest.fixture(scope="module")
def shop() -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory(prefix="drop-") as name,
        SupervisorProcess(
            Settings(
                local_pay=True,
                data_dir=Path(name),
                port=0,
                disk_free_mib_min=16,
                header_bytes_max=4096,
                header_s_max=1,
                body_s_max=1,
                keep_alive_s=2,
            ),
            factory="tests.kit.small_app:build",
        ) as one,
    ):
        yield one.running


@pytest.fixture
def line(shop: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", shop.port), timeout=20) as one:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield one


def everything(line: socket.socket) -> bytes:
    """All that comes until the other side has closed."""
    said = b""
    try:
        while piece := line.recv(65_536):
            said += piece
    except ConnectionResetError:
        # It closed with something of ours unread.
        pass
    return said


def answer(line: socket.socket) -> bytes:
    """The body of one short answer, on a connection that stays open."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += line.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), said
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += line.recv(length - len(body))
    return body


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("connection_made", ["transport"]),
        ("connection_lost", ["exc"]),
        ("data_received", ["data"]),
        ("on_message_begin", []),
        ("on_headers_complete", []),
        ("on_body", ["body"]),
        ("on_message_complete", []),
        ("on_response_complete", []),
        ("send_400_response", ["msg"]),
        ("_start_asgi_task", ["cycle", "app"]),
    ],
)
def test_the_methods_that_are_overridden_and_called_are_there(
    method: str, arguments: list[str]
) -> None:
    found = inspect.signature(getattr(HttpToolsProtocol, method)).parameters
    assert list(found) == ["self", *arguments]


def test_a_command_in_hand_has_all_that_uvicorn_looks_for_in_a_request() -> None:
    room: Any = None
    cycle = CommandInHand(Asked(room, FanId("ada"), _body(wire.Hold), None, whence_of(None)))
    looked_for = set(re.findall(r"cycle\.(\w+)", inspect.getsource(HttpToolsProtocol)))
    assert {"response_complete", "keep_alive", "body"} < looked_for
    assert [name for name in looked_for if not hasattr(cycle, name)] == []


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("on_message_begin", {"url", "expect_100_continue", "headers", "scope"}),
        ("on_response_complete", {"timeout_keep_alive_task"}),
    ],
)
def test_what_is_done_in_our_own_words_is_all_that_uvicorn_does(
    method: str, names: set[str]
) -> None:
    text = inspect.getsource(getattr(HttpToolsProtocol, method))
    assert set(re.findall(r"self\.(\w+)(?:: \w+)? = ", text)) == names


HEAD = b"POST /size HTTP/1.1\r\nhost: x\r\n"


def test_a_request_may_arrive_in_any_pieces(line: socket.socket) -> None:
    body = b"x" * 60_000
    request = HEAD + b"content-length: 60000\r\n\r\n" + body
    blank = request.index(b"\r\n\r\n")
    for cut in (blank + 1, blank + 2, blank + 3, blank + 4, len(request)):
        for piece in (request[:cut], request[cut:]):
            line.sendall(piece)
        assert answer(line) == b"60000"


def test_two_requests_in_one_piece_get_two_answers(line: socket.socket) -> None:
    line.sendall((HEAD + b"content-length: 2\r\n\r\nab") * 2 + b"GET /pid HTTP/1.0\r\n\r\n")
    said = everything(line)
    assert said.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    "flood",
    [
        b"a: " + b"b" * 5_000 + b"\r\n\r\n",
        b"".join(b"a%d: b\r\n" % n for n in range(600)) + b"\r\n",
        b"endless: " + b"b" * 200_000,
    ],
)
def test_headers_without_measure_are_refused(line: socket.socket, flood: bytes) -> None:
    line.sendall(HEAD)
    try:
        for n in range(0, len(flood), 1_000):
            line.sendall(flood[n : n + 1_000])
    except (BrokenPipeError, ConnectionResetError):
        pass
    said = everything(line)
    assert said.startswith(b"HTTP/1.1 431") or said == b""


def test_too_much_header_in_one_piece_is_refused_by_name(line: socket.socket) -> None:
    line.sendall(HEAD + b"a: " + b"b" * 5_000 + b"\r\n\r\n")
    assert everything(line).startswith(b"HTTP/1.1 431 ")


def test_a_long_address_counts_as_headers(line: socket.socket) -> None:
    line.sendall(b"GET /pid?" + b"q" * 5_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert everything(line).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("begun", [b"", b"GET", HEAD])
def test_headers_that_do_not_arrive_end_the_connection(line: socket.socket, begun: bytes) -> None:
    line.sendall(begun)
    assert everything(line).startswith(b"HTTP/1.1 408 ")


def test_the_second_request_of_a_connection_has_its_own_time(line: socket.socket) -> None:
    line.sendall(HEAD + b"content-length: 1\r\n\r\n1")
    assert answer(line) == b"1"
    line.sendall(HEAD)
    assert everything(line).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("noise", [b"", b"\r\n"])
def test_a_connection_that_asks_nothing_more_is_ended(line: socket.socket, noise: bytes) -> None:
    line.sendall(HEAD + b"content-length: 1\r\n\r\n1")
    assert answer(line) == b"1"
    line.sendall(noise)
    assert everything(line) == b""


def test_a_request_that_was_answered_early_has_an_end_too(line: socket.socket) -> None:
    body = b"x" * 100
    line.sendall(b"POST /pid HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n")
    said = b""
    while not said.endswith(b"Method Not Allowed"):
        said += line.recv(65_536)
    line.sendall(body)
    assert everything(line) == b""


def test_a_body_that_does_not_arrive_ends_the_connection(line: socket.socket) -> None:
    line.sendall(HEAD + b"content-length: 10\r\n\r\nhalf")
    assert everything(line) == b""


def test_garbage_is_still_a_bad_request(line: socket.socket) -> None:
    line.sendall(b"\x16\x03\x01 no http at all\r\n\r\n")
    assert everything(line).startswith(b"HTTP/1.1 400 ")


def test_a_socket_outlives_the_time_for_headers(shop: Running) -> None:
    async def story() -> None:
        url = shop.url.replace("http", "ws", 1) + "/sit"
        async with websockets.connect(url, proxy=None) as seat:
            assert int(await seat.recv()) in shop.worker_pids
            # A dawdler who comes later is closed for his time: ours is longer over.
            reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await (await seat.ping())

    asyncio.run(story())
