"""Whatever state the server is in: what the door, the doctor, the start, the page and a press say.

The same table stands in docs/settings.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from dropengine.cli import doctor
from dropengine.config import Settings
from dropengine.errors import WorkersFailed
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.old_server import NODE, OLD, old_server
from tests.kit.outages import away
from tests.kit.private_server import Server
from tests.kit.small_shop import shop
from tests.kit.web_process import LONG_S, settings

DOCS = Path(__file__).parent.parent.parent / "docs" / "settings.md"


class State(NamedTuple):
    """What is said in one state of the server."""

    readyz: str
    doctor: str
    """The topic and a word of what would stop a sale; '' where nothing does."""
    serve: int
    """The exit code; 0: it serves."""
    page: int
    press: str


FINE = State("ok", "", 0, 200, "done")
STATES = {
    "fine": FINE,
    "memory full": State("memory", "writing memory", 0, 200, "away"),
    "a replica (READONLY)": State("replica", "server primary", 8, 503, "away"),
    "too few replicas (NOREPLICAS)": State("replicas", "writing replicas", 0, 503, "away"),
    "its disk fails (MISCONF)": State("disk", "writing disk", 0, 503, "away"),
    "appendonly no": State("weaker", "server appendonly", 8, 200, "paused"),
    "appendfsync everysec": State("weaker", "server everysec", 8, 200, "paused"),
    "maxmemory-policy allkeys-lru": State("weaker", "server twice", 8, 200, "paused"),
    "maxmemory-policy volatile-lru": FINE,
    "reading its log (LOADING)": State("loading", "server reading", 4, 503, "away"),
    "gone": State("away", "server answer", 4, 503, "away"),
    "frozen": State("away", "server answer", 4, 503, "away"),
    "a user without a right": State("permission", "server user", 8, 200, "away"),
}
"""What the server is -> what is said."""


@contextlib.asynccontextmanager
async def state(server: Server, name: str) -> AsyncIterator[None]:
    """The server is in this state inside of the block."""
    how = {"gone": "gone", "frozen": "frozen", "reading its log (LOADING)": "slow"}.get(name)
    if how is not None:
        async with away(server, how):
            yield
        return
    client = Store.connect(server.url).client
    for words in SET.get(name, ()):
        await client.execute_command(*words)
    if name == "its disk fails (MISCONF)":
        async with asyncio.timeout(LONG_S):
            while (await client.info("persistence"))["rdb_last_bgsave_status"] != "err":  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
    await client.aclose(close_connection_pool=True)
    yield


SET: dict[str, list[tuple[str, ...]]] = {
    "memory full": [("CONFIG", "SET", "maxmemory", "1")],
    "a replica (READONLY)": [("REPLICAOF", "127.0.0.1", "1")],
    "too few replicas (NOREPLICAS)": [("CONFIG", "SET", "min-replicas-to-write", "1")],
    "its disk fails (MISCONF)": [("CONFIG", "SET", "save", "3600 1"), ("BGSAVE",)],
    "appendonly no": [("CONFIG", "SET", "appendonly", "no")],
    "appendfsync everysec": [("CONFIG", "SET", "appendfsync", "everysec")],
    "maxmemory-policy allkeys-lru": [("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")],
    "maxmemory-policy volatile-lru": [("CONFIG", "SET", "maxmemory-policy", "volatile-lru")],
    "a user without a right": [("ACL", "SETUSER", "default", "-xadd")],
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    one = Server(tmp_path / "truth", durable=True)
    # A snapshot cannot be put in the place of a folder.
    one.more["dbfilename"] = "blocked"
    (tmp_path / "truth" / "blocked" / "it").mkdir(parents=True)
    one.start()
    yield one
    # Told to stop, one that cannot write its snapshot stays.
    one.kill()


async def becomes(ask: Callable[[], Awaitable[str]], word: str) -> None:
    """Until this is what is said: what changed is found within seconds."""
    said = ""
    try:
        async with asyncio.timeout(LONG_S):
            while (said := await ask()) != word:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"it says {said!r}, not {word!r}") from None


@pytest.mark.parametrize("name", STATES)
async def test_everybody_is_told_the_same_of_the_server(
    server: Server, tmp_path: Path, name: str
) -> None:
    told = STATES[name]
    conf = msgspec.structs.replace(
        settings(server.url, tmp_path, redis_timeout_ms=500), accept_weaker=False
    )
    async with web_process.front(conf) as web, web.http(web.ticket()[1]) as http:
        sale = await web.sale(item("pin", {"pin": 10_000}))
        where = f"/api/drops/{sale.drop}"
        assert (await http.post(f"{where}/hold", json={"pool": "pin"})).status_code == 200

        async def readyz() -> str:
            return str((await http.get("/readyz")).json()["server"])

        async def page() -> str:
            return str((await http.get(f"/drops/{sale.drop}")).status_code)

        async def press() -> str:
            async with web.http(web.ticket()[1]) as newcomer:
                said = (await newcomer.post(f"{where}/hold", json={"pool": "pin"})).json()
            return str(said.get("code", "done"))

        await becomes(readyz, "ok")
        async with state(server, name):
            await becomes(readyz, told.readyz)
            await becomes(page, str(told.page))
            await becomes(press, told.press)
            await asyncio.to_thread(doctor_says, conf, told.doctor)
            await asyncio.to_thread(serve_ends, tmp_path / "shop", server, told.serve)


def doctor_says(conf: Settings, words: str) -> None:
    said: list[str] = []
    code = doctor.run(conf, said.append)
    if not words:
        assert code == 0, said
        return
    topic, word = words.split()
    stops = [line for line in said if re.match(rf"stop +{topic} ", line)]
    assert code == 1, said
    assert any(word in line for line in stops), said


def serve_ends(folder: Path, server: Server, code: int) -> None:
    folder.mkdir()
    one = shop(folder, "dropengine.app:build", redis_url=server.url, redis_timeout_ms=500)
    ended = 0
    try:
        one.start()
    except WorkersFailed as fault:
        ended = fault.exit_code
    finally:
        one.stop()
    assert ended == code


NEVER_SOLD_FROM = {"a node of a cluster": (NODE, "cluster", 8), "too old": (OLD, "oldest", 7)}
"""What the server is -> its answer to INFO, a word of what is said, the exit code of the start."""


@pytest.mark.parametrize("name", NEVER_SOLD_FROM)
def test_one_that_cannot_be_sold_from_is_told_by_doctor_and_start(
    tmp_path: Path, name: str
) -> None:
    info, word, code = NEVER_SOLD_FROM[name]
    with old_server(tmp_path, info) as url:
        conf = Settings(
            local_pay=True, data_dir=tmp_path / "data", redis_url=url, port=0, disk_free_mib_min=16
        )
        doctor_says(conf, f"server {word}")
        with pytest.raises(WorkersFailed) as caught:
            shop(tmp_path / "shop", redis_url=url).start()
        assert caught.value.exit_code == code


def test_the_table_of_the_settings_page_is_this_one() -> None:
    text = DOCS.read_text("utf-8")
    for name, told in STATES.items():
        serve = "serves" if told.serve == 0 else f"exit {told.serve}"
        stops = "`stop` " + told.doctor.split()[0] if told.doctor else "nothing stops"
        row = f"| {name} | `{told.readyz}` | {stops} | {serve} | {told.page} | `{told.press}` |"
        assert row in text, row
    for name, (_, _, code) in NEVER_SOLD_FROM.items():
        assert f"| {name} | | `stop` server | exit {code} | | |" in text
