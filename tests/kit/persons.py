"""Fans who are known: their browsers, and the letters they sign in by.

Test modules take the fixtures they need by name: `server = web_process.server`, `shop =
persons.shop`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest
from sqlalchemy import Connection, select

from dropengine.config import Settings
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from tests.kit.laid_tables import lay
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, WebProcess, front, settings

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"
DESK = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NOBODY_WAITS = {"letters_at_once_max": 100_000, "letter_each_ms": 1}

_CODE = re.compile(r"^(\d{6})$", re.MULTILINE)
_LINK = re.compile(r"https?://\S+(/you/links/\S+)")


class Letter(NamedTuple):
    """What somebody reads. link: the path of its address."""

    to: str
    subject: str
    words: str
    code: str
    link: str


def read(to: str, subject: str, words: str) -> Letter:
    code, link = _CODE.search(words), _LINK.search(words)
    assert code is not None, words
    assert link is not None, words
    return Letter(to, subject, words, code[1], link[1])


async def letters(database: Database, to: str) -> list[Letter]:
    """Those that wait to be sent to an address, the oldest first."""

    def asked(sql: Connection) -> list[Letter]:
        rows = sql.execute(
            select(MAILS).where(MAILS.c.reader == to).order_by(MAILS.c.written_ms, MAILS.c.id)
        )
        return [read(row.reader, row.subject, row.words) for row in rows]

    return await database.read(asked)


async def letter_in(folder: Path, to: str, before: Letter | None = None) -> Letter:
    """The newest that went to an address, in a folder of mails, once one is there. before: one that
    came earlier."""
    async with asyncio.timeout(LONG_S):
        while (found := _in_folder(folder, to)) in (None, before):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)
    assert found is not None
    return found


def _in_folder(folder: Path, to: str) -> Letter | None:
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    for path in reversed(files):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        body = mail.get_body(("plain",))
        if mail["To"] == to and body is not None:
            words = str(body.get_content()).replace("\r\n", "\n")
            return read(to, str(mail["Subject"]), words)
    return None


class Browser:
    """One of somebody's: keeps cookies, sends forms, follows nothing."""

    def __init__(self, http: httpx2.AsyncClient, web: WebProcess) -> None:
        self.http = http
        self.web = web

    async def get(self, path: str, **more: Any) -> httpx2.Response:
        return await self.http.get(path, **more)

    async def send(self, path: str, **fields: str) -> httpx2.Response:
        """A form of a page of ours."""
        return await self.http.post(path, data=fields or {"nothing": ""})

    async def ask(self, address: str, **more: str) -> Letter:
        """Ask for a letter; what came."""
        before = len(await letters(self.web.runtime.database, address))
        answer = await self.send("/you/sign-in", address=address, **more)
        assert answer.status_code == 303, answer.text
        found = await letters(self.web.runtime.database, address)
        assert len(found) == before + 1
        return next(one for one in reversed(found))

    async def sign_in(self, address: str, **more: str) -> httpx2.Response:
        """By the code of a letter."""
        letter = await self.ask(address, **more)
        answer = await self.send("/you/code", code=letter.code)
        assert answer.status_code == 303, answer.text
        assert self.known
        return answer

    def cookie(self, what: str) -> str:
        """The value of a cookie that this browser keeps."""
        found = [c.value or "" for c in self.http.cookies.jar if c.name.startswith(what)]
        return found[0] if found else ""

    @property
    def known(self) -> bool:
        """Does it have a person's ticket?"""
        return self.cookie("person-") != ""

    @property
    def ticket(self) -> Ticket:
        """The one that it shows."""
        text = self.cookie("person-") or self.cookie("fan-")
        found = self.web.runtime.identity.whose(text)
        assert found is not None
        return found

    def fan(self, sale: Sale) -> FanId:
        """Who he is in a drop."""
        shown = self.web.runtime.hub.rooms.get(DropId(sale.drop))
        rule = shown.manifest.identity if shown is not None else "guest"
        found = self.ticket.fan(DropId(sale.drop), rule)
        assert found is not None
        return found

    async def press(self, sale: Sale, verb: str = "hold", **body: Any) -> httpx2.Response:
        """A command over HTTP."""
        given = {"pool": "pin"} if verb == "hold" and not body else body
        return await self.http.post(f"/api/drops/{sale.drop}/{verb}", json=given)

    async def you(self, sale: Sale) -> dict[str, Any]:
        """His whole state there."""
        answer = await self.get(f"/api/drops/{sale.drop}/you")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


class Shop:
    """A web process with SQL in which fans can sign in."""

    def __init__(self, web: WebProcess) -> None:
        self.web = web

    @contextlib.asynccontextmanager
    async def browser(
        self, agent: str = DESK, at: WebProcess | None = None
    ) -> AsyncIterator[Browser]:
        """A new one, of nobody yet."""
        web = at or self.web
        async with httpx2.AsyncClient(
            base_url=web.url,
            headers={"origin": web.url, "user-agent": agent},
            trust_env=False,
            timeout=20,
        ) as http:
            yield Browser(http, web)

    async def sale(self, identity: str = "guest", *, limit: int = 2, cap: int = 10) -> Sale:
        """A drop that is open, with this rule."""
        sale = Sale(self.web.runtime.store, f"known-{secrets.token_hex(5)}", now=0)
        told: Manifest = manifest(sale.drop, item("pin", {"pin": cap}, most=limit), limit=limit)
        await sale.publish(msgspec.structs.replace(told, identity=identity))
        await sale.creator("open")
        return sale


@contextlib.asynccontextmanager
async def opened(conf: Settings) -> AsyncIterator[Shop]:
    """A shop with these settings, and a secret of its own: letters are counted under names that are
    made with it."""
    conf = msgspec.structs.replace(conf, secret_key=secrets.token_hex(32))
    lay(conf)
    async with front(conf) as web:
        yield Shop(web)


@pytest.fixture(scope="module")
async def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """One a module: every test has addresses of its own."""
    folder: Path = tmp_path_factory.mktemp("known")
    async with opened(settings(server.url, folder, **NOBODY_WAITS)) as one:
        yield one


def address(name: str = "ana") -> str:
    """One that no other test has."""
    return f"{name}.{secrets.token_hex(4)}@example.org"
