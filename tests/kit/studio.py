"""A shop with people in it, and their hands: browsers that sign in, programs with keys.

Test modules take the fixtures they need by name: `server = web_process.server`, `studio =
studio_kit.studio`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import time
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import argon2
import httpx2
import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.people import accounts, api_keys, devices, links, makers, persons
from dropengine.people.links import Kind
from dropengine.people.makers import Maker
from dropengine.people.roles import Role, Scope
from tests.kit.laid_tables import lay
from tests.kit.private_server import Server
from tests.kit.web_process import LONG_S, WebProcess, front, key, settings

API = "/api/studio"
PASSWORD = "a password for every test"
NOBODY_WAITS = {"sign_ins_at_once_max": 1_000, "sign_in_each_ms": 1}

MANIFEST = """\
id = "{drop}"
title = "Night lamp"
maker = "Lamp makers"
currency = "EUR"
limit = 3

[[items]]
id = "pin"
title = "Pin"
cap = 10
price = 1200
"""

_drops = count(1)


def new_drop() -> str:
    """An id that no other test takes."""
    return f"lamp{next(_drops)}x"


class Hand:
    """Somebody at the API: a browser with its cookies, or a program with its key."""

    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self.http = http
        self._url = url

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.http.get(API + path, **more)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, **more: Any
    ) -> httpx2.Response:
        return await self.send("POST", path, body or {}, **more)

    async def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        again: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """A change under a fresh key, or under `again`."""
        named = {"idempotency-key": again or key(), "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        return await self.http.request(
            method, API + path, content=content, headers=named | (headers or {})
        )

    def cookie(self, what: str) -> str:
        """The value of a cookie that this browser keeps: maker, device or challenge."""
        return next((c.value or "" for c in self.http.cookies.jar if what in c.name), "")


class Studio:
    """A web process with SQL, a maker `lamps` and whoever the test needs."""

    def __init__(self, web: WebProcess, lamps: Maker, pots: Maker) -> None:
        self.web = web
        self.lamps = lamps
        self.pots = pots

    @property
    def now_ms(self) -> int:
        return int(time.time() * 1000)

    @contextlib.asynccontextmanager
    async def stranger(self, **headers: str) -> AsyncIterator[Hand]:
        """A browser that nobody has signed in with."""
        async with self.web.http() as http:
            http.headers.update(headers)
            yield Hand(http, self.web.url)

    @contextlib.asynccontextmanager
    async def person(self, name: str, **headers: str) -> AsyncIterator[Hand]:
        """Somebody who has just signed in."""
        async with self.stranger(**headers) as hand:
            answer = await hand.post("/sign-in", {"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield hand

    @contextlib.asynccontextmanager
    async def program(self, secret: str) -> AsyncIterator[Hand]:
        """A program that shows a key."""
        async with httpx2.AsyncClient(
            base_url=self.web.url,
            headers={"authorization": f"Bearer {secret}"},
            trust_env=False,
            timeout=LONG_S,
        ) as http:
            yield Hand(http, self.web.url)

    async def api_key(self, scope: Scope, maker: Maker | None = None) -> str:
        at = (maker or self.lamps).id

        def made(sql: Connection) -> str:
            return api_keys.make(sql, at, f"the {scope}", scope, "ada", self.now_ms)[1]

        return await self.web.runtime.database.write(made)

    async def known(self, name: str) -> str:
        """The cookie of a fan who has just signed in."""
        runtime, now_ms = self.web.runtime, self.now_ms

        def made(sql: Connection) -> str:
            person = persons.make(sql, name, f"{name}@example.org", now_ms)
            device = devices.begin(sql, person.id, "a test", "link", now_ms)
            ticket = runtime.tickets.issue_to(person.key, device.id, now_ms // 1000)
            return f"{runtime.identity.person_cookie}={ticket}"

        return await runtime.database.write(made)

    async def link(self, kind: Kind = Kind.FIRST, **more: str) -> str:
        """The secret of a one-time link."""

        def made(sql: Connection) -> str:
            return links.make(sql, kind, self.now_ms, **more)[1]

        return await self.web.runtime.database.write(made)

    async def publish(self, hand: Hand, drop: str | None = None, maker: Maker | None = None) -> str:
        """A drop of this maker; its id."""
        body = {"manifest": MANIFEST.format(drop=drop or new_drop())}
        answer = await hand.post(f"/makers/{(maker or self.lamps).id}/drops", body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


async def new_draft(hand: Hand, maker: Maker) -> str:
    """A draft of this maker, in which nothing stands yet; its id."""
    answer = await hand.http.post(f"/studio/makers/{maker.id}/drafts", data={"key": key()})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].rpartition("/")[2])


@functools.cache
def password_hash() -> str:
    """Of `PASSWORD`. What a shop makes is slow on purpose, and as slow each time it is checked."""
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


def people(sql: Connection, hashed: str, now_ms: int) -> tuple[Maker, Maker]:
    """Ada owns the lamps, Ben runs them, Cyd looks; Dan owns the pots."""
    lamps = makers.new("lamps", "Lamp makers", "#aa5500", now_ms)
    pots = makers.new("pots", "Potters", "#0055aa", now_ms + 1)
    for maker in (lamps, pots):
        makers.make(sql, maker)
    for name, maker, role in (
        ("ada", lamps, Role.OWNER),
        ("ben", lamps, Role.OPERATOR),
        ("cyd", lamps, Role.VIEWER),
        ("dan", pots, Role.OWNER),
    ):
        accounts.make(sql, f"id-{name}", name, hashed, now_ms)
        makers.join(sql, maker.id, f"id-{name}", role, now_ms)
    return lamps, pots


@contextlib.asynccontextmanager
async def opened(conf: Settings) -> AsyncIterator[Studio]:
    """A studio with these settings, and a secret of its own: tries to sign in are counted under
    names that are made with it."""
    conf = msgspec.structs.replace(conf, secret_key=secrets.token_hex(32))
    lay(conf)
    async with front(conf) as web:
        hashed, now_ms = password_hash(), int(time.time() * 1000)
        lamps, pots = await web.runtime.database.write(lambda sql: people(sql, hashed, now_ms))
        yield Studio(web, lamps, pots)


@pytest.fixture(scope="module")
async def studio(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """One a module: every test has drops of its own. Nobody waits to sign in."""
    folder: Path = tmp_path_factory.mktemp("studio")
    async with opened(settings(server.url, folder, **NOBODY_WAITS)) as one:
        yield one
