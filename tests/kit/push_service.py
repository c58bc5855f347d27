"""A push service of a test, and the browsers that it carries to: it takes what the shop sends, as
RFC 8030 says, and each browser reads what only its keys can read."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import ssl
from collections.abc import AsyncIterator
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dropengine.model import DropId, FanId
from dropengine.push.subscriptions import Subscription

CREATED: tuple[int, dict[str, str], bytes] = (201, {}, b"")


def text(raw: bytes) -> str:
    """In base64url, as browsers write keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


class Browser:
    """One with keys of its own. endpoint: where the shop reaches it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = secrets.token_bytes(16)
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.p256dh, self.auth = text(point), text(self._secret)

    def reads(self, sealed: bytes) -> Any:
        """What a message for it says."""
        plain = http_ece.decrypt(
            sealed, private_key=self._key, auth_secret=self._secret, version="aes128gcm"
        )
        return json.loads(plain)

    def asks(self, **more: Any) -> dict[str, Any]:
        """What its page sends to be called."""
        keys = {"p256dh": self.p256dh, "auth": self.auth}
        return {"endpoint": self.endpoint, **keys, **more}

    def subscribed(self, drop: str, fan: str, **more: Any) -> Subscription:
        given: dict[str, Any] = {"language": "en", "quiet": False, "since_ms": 1_000} | more
        return Subscription(
            drop=DropId(drop),
            fan=FanId(fan),
            endpoint=self.endpoint,
            p256dh=self.p256dh,
            auth=self.auth,
            **given,
        )


class Message:
    """One request that came. `path`, `headers` in lower case, `body`."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path = path
        self.headers = headers
        self.body = body


class PushService:
    """`answers`: what comes next, status, headers and body, the last of them again and again.
    `silent`: it takes everything and says nothing. `drips`: it says a letter at a time."""

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        self.came: list[Message] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = [CREATED]
        self.silent = False
        self.drips = False
        self.connections = 0
        self.port = 0
        self.heard = asyncio.Event()
        self._certificate = certificate
        self._numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self) -> Browser:
        """A new one, which this service carries to."""
        self._numbers += 1
        return Browser(f"{self.origin}/push/{self._numbers}")

    def read_by(self, browser: Browser) -> list[Any]:
        """What came for a browser, read by it."""
        mine = [one for one in self.came if browser.endpoint.endswith(one.path)]
        return [browser.reads(one.body) for one in mine]

    async def until(self, count: int) -> list[Message]:
        """Wait until so many requests came."""
        async with asyncio.timeout(20):
            while len(self.came) < count:
                self.heard.clear()
                await self.heard.wait()
        return self.came

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[PushService]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._certificate)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        # Told to end it ends, and nobody is told of it.
        gone = (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError)
        with contextlib.suppress(*gone):
            while True:
                await self._answer(reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (one.partition(": ") for one in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.came.append(Message(head[0].split(" ")[1], headers, body))
        self.heard.set()
        if self.silent:
            await asyncio.Event().wait()
        if self.drips:
            writer.write(b"HTTP/1.1 201 Said\r\nContent-Length: 1000000\r\n\r\n")
            while not reader.at_eof():
                writer.write(b"x")
                await asyncio.sleep(0.02)
        status, more, said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        told = {"Content-Length": str(len(said)), **more}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + said)
        await writer.drain()


def vapid(authorization: str) -> tuple[dict[str, Any], str]:
    """The claims of a header `Authorization` whose signature is good, and the key that it names.

    Written apart from what makes them, by RFC 8292 and RFC 7515.
    """
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(one.strip().split("=", 1) for one in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    assert json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    signed = raw(signature)
    r, s = int.from_bytes(signed[:32]), int.from_bytes(signed[32:])
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(parts["k"]))
    key.verify(utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    told: dict[str, Any] = json.loads(raw(claims))
    return told, parts["k"]
