"""A flash sale in Starlette and redis-py as people write it: one `EVALSHA` per request, over
WebSocket and HTTP, on a database with the same durability. No line, no ticks, no mail.

    python -m loadtest.bench.peers.minimal REDIS_URL

Prints its port. A line N on standard input sends the text of the line before it N times, ten times
a second, to every socket that listens at /watch, one `send_text` each.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator

import redis.asyncio as redis
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from loadtest.bench.peers.sending_instructions import EVERY_S, instructions

CONNECTIONS = 100
KEYS = ("stock", "holds", "due", "fans", "answers", "counter", "log")

HOLD = """
local stock, holds, due, fans, answers, counter, log = unpack(KEYS)
local fan, key, qty = ARGV[1], ARGV[2], tonumber(ARGV[3])
local limit, window_s = tonumber(ARGV[4]), ARGV[5]
local made = redis.call('HGET', answers, fan .. ':' .. key)
if made then return {'held', made} end
if tonumber(redis.call('HGET', fans, fan) or 0) + qty > limit then return {'limit_reached', ''} end
if tonumber(redis.call('GET', stock) or 0) < qty then return {'sold_out', ''} end
redis.call('DECRBY', stock, qty)
local id = 'h' .. redis.call('INCR', counter)
local deadline = redis.call('TIME')[1] + window_s
redis.call('HSET', holds, id, cjson.encode({fan = fan, qty = qty, deadline = deadline}))
redis.call('ZADD', due, deadline, id)
redis.call('HINCRBY', fans, fan, qty)
redis.call('HSET', answers, fan .. ':' .. key, id)
redis.call('XADD', log, '*', 'e', cjson.encode({e = 'held', fan = fan, hold = id, qty = qty}))
return {'held', id}
"""

RELEASE = """
local stock, holds, due, fans, answers, counter, log = unpack(KEYS)
local fan, id = ARGV[1], ARGV[2]
local text = redis.call('HGET', holds, id)
if not text then return {'not_found', ''} end
local hold = cjson.decode(text)
if hold.fan ~= fan or redis.call('ZREM', due, id) == 0 then return {'not_found', ''} end
redis.call('HDEL', holds, id)
redis.call('INCRBY', stock, hold.qty)
redis.call('HINCRBY', fans, fan, -hold.qty)
redis.call('XADD', log, '*', 'e', cjson.encode({e = 'released', fan = fan, hold = id}))
return {'released', id}
"""

STOCK = 100_000
LIMIT = 100
WINDOW_S = 1800


class Sale:
    """The two scripts behind both doors."""

    def __init__(self, url: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=None)
        self.redis = redis.Redis(connection_pool=pool)
        self.hold_sha = self.release_sha = ""
        self.watchers: set[WebSocket] = set()

    async def start(self) -> None:
        await self.redis.set("stock", STOCK)
        self.hold_sha = await self.redis.script_load(HOLD)
        self.release_sha = await self.redis.script_load(RELEASE)

    async def decide(self, fan: str, verb: str, message: dict[str, object]) -> dict[str, object]:
        if verb == "hold":
            args = [fan, str(message["key"]), "1", str(LIMIT), str(WINDOW_S)]
            word, made = await self.redis.evalsha(self.hold_sha, len(KEYS), *KEYS, *args)
        else:
            args = [fan, str(message["hold"])]
            word, made = await self.redis.evalsha(self.release_sha, len(KEYS), *KEYS, *args)
        if word in (b"held", b"released"):
            return {"t": "done", "seq": 0, "hold": {"id": made.decode(), "state": word.decode()}}
        return {"t": "refused", "code": word.decode()}

    async def live(self, websocket: WebSocket) -> None:
        """Commands over a socket: one at a time, each its own call of a script."""
        fan = websocket.cookies["fan"]
        await websocket.accept("drop.v1")
        try:
            while True:
                message = await websocket.receive_json()
                await websocket.send_json(await self.decide(fan, message["t"], message))
        except WebSocketDisconnect:
            pass

    async def watch(self, websocket: WebSocket) -> None:
        """A screen."""
        await websocket.accept("drop.v1")
        self.watchers.add(websocket)
        try:
            await websocket.receive()
        finally:
            self.watchers.discard(websocket)

    async def command(self, request: Request) -> JSONResponse:
        """The same over HTTP."""
        fan = request.cookies["fan"]
        answer = await self.decide(fan, request.path_params["verb"], await request.json())
        return JSONResponse(answer, 200 if answer["t"] == "done" else 409)

    async def tell(self, text: str, times: int) -> None:
        """Send the text to everybody, ten times a second as far as it can."""
        for _ in range(times):
            begun = time.monotonic()
            for watcher in list(self.watchers):
                await watcher.send_text(text)
            await asyncio.sleep(max(0.0, begun + EVERY_S - time.monotonic()))


def main() -> None:
    """Serve on a free port until standard input ends."""
    sale = Sale(sys.argv[1])

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await sale.start()
        listening = asyncio.create_task(instructions(sale.tell, sock.getsockname()[1]))
        yield
        listening.cancel()

    app = Starlette(
        routes=[
            WebSocketRoute("/live", sale.live),
            WebSocketRoute("/watch", sale.watch),
            Route("/api/{verb}", sale.command, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
    sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        timeout_keep_alive=600,
    )
    uvicorn.Server(config).run(sockets=[sock])


if __name__ == "__main__":
    main()
