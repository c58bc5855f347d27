"""Every answer carries its guards, whoever wrote it: the application, a short way or the parser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.web_process import WebProcess, key, settings

server = web_process.server

GUARDS = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
PUBLIC = "https://drops.example"
HEAD = "Host: drops.example\r\nConnection: close\r\n"

HANDSHAKE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nHost: drops.example\r\n"
)
ASKED = {
    "a page": f"GET / HTTP/1.1\r\n{HEAD}\r\n",
    "no page": f"GET /nothing HTTP/1.1\r\n{HEAD}\r\n",
    "a wrong method": f"PUT /api/drops HTTP/1.1\r\n{HEAD}Authorization: Bearer x\r\n\r\n",
    "a list": f"GET /api/drops HTTP/1.1\r\n{HEAD}\r\n",
    "no drop": f"GET /api/drops/none HTTP/1.1\r\n{HEAD}\r\n",
    "a description": f"GET /openapi.json HTTP/1.1\r\n{HEAD}\r\n",
    "health": f"GET /healthz HTTP/1.1\r\n{HEAD}\r\n",
    "no file": f"GET /static/nothing.js HTTP/1.1\r\n{HEAD}\r\n",
    "a strange name": "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "two names": f"GET / HTTP/1.1\r\nHost: drops.example\r\n{HEAD}\r\n",
    "no request": "what is this\r\n\r\n",
    "a large head": f"GET / HTTP/1.1\r\n{HEAD}A: {'x' * 20_000}\r\n\r\n",
    "a late head": "GET / HTTP/1.1\r\nHost: drops.ex",
    "a slash too many": f"GET /drops/none/ HTTP/1.1\r\n{HEAD}\r\n",
    "a socket of strangers": f"GET /drops/none/live HTTP/1.1\r\nOrigin: null\r\n{HANDSHAKE}\r\n",
    "a socket of old": (
        f"GET /drops/none/live HTTP/1.1\r\n{HANDSHAKE.replace('Version: 13', 'Version: 12')}\r\n"
    ),
    "a socket without a key": (
        f"GET /drops/none/live HTTP/1.1\r\n{HANDSHAKE.replace('Key', 'Kez')}\r\n"
    ),
    "a socket": f"GET /drops/none/live HTTP/1.1\r\nOrigin: {PUBLIC}\r\n{HANDSHAKE}\r\n",
}


@pytest.fixture
async def public(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path, public_url=PUBLIC, header_s_max=1)
    async with web_process.front(conf) as one:
        yield one


async def head_of(web: WebProcess, request: str) -> tuple[str, dict[str, str]]:
    """The status line and the headers, names in small letters, that a request is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(request.encode())
    async with asyncio.timeout(web_process.LONG_S):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    writer.close()
    named = (line.partition(": ") for line in lines[1:] if line)
    return lines[0], {name.lower(): value for name, _, value in named}


@pytest.mark.parametrize("asked", ASKED)
async def test_every_answer_has_its_guards(public: WebProcess, asked: str) -> None:
    status, headers = await head_of(public, ASKED[asked])
    assert GUARDS.items() <= headers.items(), status


async def test_a_command_has_them_on_every_way(public: WebProcess) -> None:
    sale = await public.sale()
    _, ticket = public.ticket()
    long = f'{{"pool": "pin", "key": "{key()}", "more": 1}}'
    for body in (f'{{"pool": "pin", "key": "{key()}"}}', long):
        status, headers = await head_of(
            public,
            f"POST /api/drops/{sale.drop}/hold HTTP/1.1\r\n{HEAD}Authorization: Bearer {ticket}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}",
        )
        assert GUARDS.items() <= headers.items(), status


async def test_two_names_are_refused_with_a_sentence(public: WebProcess) -> None:
    for first in ("Host: evil.example", "Host: drops.example", "host: 127.0.0.1"):
        status, _ = await head_of(public, f"GET /healthz HTTP/1.1\r\n{first}\r\n{HEAD}\r\n")
        assert " 400 " in status


async def test_where_a_page_lies_is_told_as_people_reach_it(public: WebProcess) -> None:
    async with httpx2.AsyncClient(base_url=public.url, trust_env=False) as http:
        for path in ("/drops/none/", "/api/drops/", "/healthz/"):
            told = await http.get(path, headers={"host": "drops.example"})
            assert told.headers["location"] == PUBLIC + path.rstrip("/")
