"""The peers and floors as processes: started, told to send, measured, ended by their pid."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import redis.asyncio as redis

from dropengine.processes import embedded_options
from loadtest.bench.machine import children, cpu_s

PEERS = Path(__file__).parent / "peers"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
"""Where Debian's package `libnginx-mod-nchan` puts it."""
START_S_MAX = 10.0
MINIMAL = "starlette + redis-py"
"""What the minimal peer is called in the results."""
FRAMES_PER_S = 10

NGINX = """
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile {files};
pid {folder}/pid;
error_log {folder}/error.log crit;
load_module {module};
events {{ worker_connections {files}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /tell {{
            nchan_publisher http;
            nchan_channel_id bench;
            nchan_message_buffer_length 1;
        }}
        location = /watch {{
            nchan_subscriber websocket;
            nchan_channel_id bench;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"""


class PeerProcess:
    """A process that serves screens at `path`. `pids`: whose CPU time is its own."""

    def __init__(self, port: int, path: str, pids: list[int]) -> None:
        self.host = f"127.0.0.1:{port}"
        self.path = path
        self.pids = pids
        self.process: asyncio.subprocess.Process | None = None

    def cpu_s(self) -> float:
        return sum(map(cpu_s, self.pids))

    async def tell(self, text: bytes, times: int) -> None:
        """Send a text to every screen so many times, ten times a second as far as it can."""
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"%d %b\n" % (times, text))
        await self.process.stdin.drain()
        assert await self.process.stdout.readline() == b"done\n"


class Nchan(PeerProcess):
    """nginx with nchan is told over HTTP, once for each frame."""

    async def tell(self, text: bytes, times: int) -> None:
        where, _, port = self.host.partition(":")
        reader, writer = await asyncio.open_connection(where, int(port))
        for _ in range(times):
            begun = time.monotonic()
            writer.write(
                b"POST /tell HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b"
                % (len(text), text)
            )
            head = await reader.readuntil(b"\r\n\r\n")
            size = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            await reader.readexactly(int(size))
            await asyncio.sleep(max(0.0, begun + 1 / FRAMES_PER_S - time.monotonic()))
        writer.close()


@contextlib.asynccontextmanager
async def _piped(*command: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """A process that says its port first and ends with its standard input."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S_MAX):
            port = int(await process.stdout.readline())
        yield process, port
    finally:
        process.stdin.close()
        await process.wait()


class Valkey:
    """A database of its own for a peer or a floor, as durable as ours."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid
        self.client = redis.Redis.from_url(url, protocol=2)


@contextlib.asynccontextmanager
async def valkey() -> AsyncIterator[Valkey]:
    """The embedded server's own binary, settings and allocator: `appendfsync always`."""
    with tempfile.TemporaryDirectory(prefix="dropengine-bench-") as folder:
        path = Path(folder) / "server.sock"
        (Path(folder) / "server.conf").write_text(
            embedded_options.config(4096, path), encoding="utf-8"
        )
        process = await asyncio.create_subprocess_exec(
            *(embedded_options.binary(), "server.conf"),
            cwd=folder,
            env=embedded_options.environment(embedded_options.allocator()),
            stdout=asyncio.subprocess.DEVNULL,
        )
        one = Valkey(f"unix://{path}", process.pid)
        try:
            async with asyncio.timeout(START_S_MAX):
                await _until_it_answers(one.client)
            yield one
        finally:
            await one.client.aclose()
            process.terminate()
            await process.wait()


async def _until_it_answers(client: redis.Redis) -> None:
    while True:
        try:
            await client.ping()
        except (redis.RedisError, OSError):
            await asyncio.sleep(0.02)
        else:
            return


@contextlib.asynccontextmanager
async def minimal() -> AsyncIterator[tuple[PeerProcess, Valkey]]:
    """Starlette and redis-py, with a database of its own."""
    async with valkey() as database:
        command = (sys.executable, "-m", "loadtest.bench.peers.minimal", database.url)
        async with _piped(*command) as (process, port):
            peer = PeerProcess(port, "/watch", [process.pid])
            peer.process = process
            yield peer, database


@contextlib.asynccontextmanager
async def broadcast() -> AsyncIterator[PeerProcess]:
    """`websockets.broadcast`."""
    async with _piped(sys.executable, "-m", "loadtest.bench.peers.broadcast") as (process, port):
        peer = PeerProcess(port, "/watch", [process.pid])
        peer.process = process
        yield peer


@contextlib.asynccontextmanager
async def sendloop() -> AsyncIterator[PeerProcess]:
    """The C loop, compiled now. Raises FileNotFoundError when there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("there is no C compiler here")
    with tempfile.TemporaryDirectory(prefix="dropengine-bench-") as folder:
        binary = f"{folder}/sendloop"
        compiling = await asyncio.create_subprocess_exec(
            compiler, "-O2", "-o", binary, os.fspath(PEERS / "sendloop.c")
        )
        if await compiling.wait():
            raise FileNotFoundError("the C compiler here does not compile")
        async with _piped(binary) as (process, port):
            peer = PeerProcess(port, "/watch", [process.pid])
            peer.process = process
            yield peer


@contextlib.asynccontextmanager
async def nchan(sockets: int) -> AsyncIterator[PeerProcess]:
    """nginx with nchan and one worker. Raises FileNotFoundError when it is not installed."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None or not os.access(NCHAN, os.R_OK):
        raise FileNotFoundError("libnginx-mod-nchan is not installed")
    with tempfile.TemporaryDirectory(prefix="dropengine-bench-") as folder:
        port = free_port()
        text = NGINX.format(
            folder=folder,
            port=port,
            module=NCHAN,
            files=sockets + 1000,
            user="user root;" if os.geteuid() == 0 else "",
        )
        (Path(folder) / "nginx.conf").write_text(text, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            binary, "-e", f"{folder}/error.log", "-p", folder, "-c", f"{folder}/nginx.conf"
        )
        try:
            await until_open(port)
            # The socket listens before the worker is there.
            while not (workers := children(process.pid)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            yield Nchan(port, "/watch", workers)
        finally:
            process.terminate()
            await process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


async def until_open(port: int) -> None:
    """Wait until somebody listens. Raises TimeoutError."""
    async with asyncio.timeout(START_S_MAX):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
