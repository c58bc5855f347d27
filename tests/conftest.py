"""Fixtures: one private server a session, and for each test a drop of its own under a fresh id."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis.asyncio as redis
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from dropengine.manifest import Item
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import private_server
from tests.kit.databases import database, postgres, sql_settings, synced
from tests.kit.fault_proxy import FaultProxy
from tests.kit.manifests import early, in_mode, manifest, playing
from tests.kit.private_server import Server
from tests.kit.rows import EVERY
from tests.kit.sale import Sale

__all__ = ["database", "postgres", "sql_settings", "synced"]
"""Fixtures that stand elsewhere."""

# A machine may be slow, and that is nobody's mistake.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.load_profile("any machine")

_drops = count(1)

ON_EVERY_KIND = ("lua/*", "stories/*", "truth/test_store_machine.py", "truth/test_server_check.py")
BUT_NOT = ("lua/test_controls.py", "stories/test_two_shops.py" if not EVERY else "")
"""The first tries the checks, whatever the server is. The second starts whole shops; what it is
about stands in the scripts of the house."""
SECOND = [*private_server.IN_WHEELS][1]
IN_PART = ("stories/*", 3)
"""Of a story with many rows each third one is told on the second kind of server, all of them with
`EVERY_ROW`: what they decide stands in the scripts, which run whole on both."""

LONGEST = (
    "browser/*",
    "loadtest/test_load_test.py",
    "simulation/*",
    "truth/test_store_in_trouble.py",
    "truth/test_store_machine.py",
    "truth/test_launch_machine.py",
    "stories/*",
    "processes/*",
    "lua/test_controls.py",
    "rehearsal/*",
    "cli/*",
)
"""What takes longest comes first: where files run side by side, none is alone at the end."""
ONE_AFTER_ANOTHER = "tests/browser/"
"""All of them are one piece for who runs files side by side: one shop, one Chromium, and no two
browsers that wait for each other."""
ALONE = "tests/browser/test_rehearsal.py"
"""But this one, which looks at every row of its shop: nothing that others left goes on in it."""

MakeSale = Callable[..., Awaitable[Sale]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What the scripts do and what the truth keeps is shown on every kind of server."""
    path = metafunc.definition.path.relative_to(Path(__file__).parent)
    left_out = any(one and path.match(one) for one in BUT_NOT)
    wanted = any(path.match(one) for one in ON_EVERY_KIND) and not left_out
    if wanted and "server_kind" in metafunc.fixturenames:
        kinds = [pytest.param(kind, marks=_missing(kind)) for kind in private_server.IN_WHEELS]
        metafunc.parametrize("server_kind", kinds, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the rows that `IN_PART` leaves out, and put `LONGEST` first."""
    items.sort(key=lambda item: _turn(item.path))
    where, each = IN_PART
    told: Counter[str] = Counter()
    left: list[pytest.Item] = []
    for item in items:
        asked = getattr(item, "callspec", None)
        second = asked is not None and asked.params.get("server_kind") == SECOND
        path = item.path.relative_to(Path(__file__).parent)
        if second and not EVERY and path.match(where):
            name = item.nodeid.partition("[")[0]
            if told[name] % each:
                left.append(item)
            told[name] += 1
    if left:
        config.hook.pytest_deselected(items=left)
        gone = {*left}
        items[:] = [item for item in items if item not in gone]


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file is a piece, and the browser's files are one together."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ONE_AFTER_ANOTHER) and not nodeid.startswith(ALONE):
            return ONE_AFTER_ANOTHER
        return nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@functools.cache
def _turn(path: Path) -> int:
    at = path.relative_to(Path(__file__).parent)
    return next((i for i, one in enumerate(LONGEST) if at.match(one)), len(LONGEST))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes may be drawn by chance, the names of tests may not: who runs files side by side
    collects them more than once."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def _missing(kind: str) -> pytest.MarkDecorator | tuple[()]:
    if private_server.binary(kind) is not None:
        return ()
    return pytest.mark.skip(f"no {kind} here; {private_server.REDIS_BY_HAND} may name one")


@pytest.fixture(scope="session")
def server_kind() -> str:
    return "valkey"


@pytest.fixture(scope="session")
def server(server_kind: str) -> Iterator[Server]:
    """A server that forgets: what must survive a death starts its own, durable one."""
    one = Server(kind=server_kind).start()
    yield one
    one.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[redis.Redis]:
    one = connections.client(server.url)
    yield one
    await one.aclose(close_connection_pool=True)


@pytest.fixture
async def store(client: redis.Redis) -> Store:
    return Store(client)


@pytest.fixture
def drop() -> str:
    """A drop id that no other test of this session uses."""
    return f"drop-{next(_drops)}"


@pytest.fixture
def make_sale(store: Store, drop: str) -> MakeSale:
    """Publish a drop of these items and, unless told not to, open it. also: behind its name, where
    a test has more than one."""

    async def make(
        *items: Item,
        opened: bool = True,
        mode: str = "rush",
        tickets_most: int = 1,
        cohorts: dict[str, int] | None = None,
        public_ms: int = 0,
        points_until: str = "",
        also: str = "",
        **rules: int,
    ) -> Sale:
        sale = Sale(store, drop + also)
        text = in_mode(manifest(drop + also, *items, **rules), mode, tickets_most)
        if points_until:
            text = playing(text, "guest", points_until)
        await sale.publish(early(text, public_ms, **cohorts or {}))
        if opened:
            await sale.creator("open")
        return sale

    return make


@pytest.fixture
async def sale(make_sale: MakeSale) -> Sale:
    """A live drop with three pins in one pool; a fan may have three."""
    return await make_sale()


@pytest.fixture
async def proxy(server: Server) -> AsyncIterator[FaultProxy]:
    """In front of the session's server; a client of `proxy.url` meets what the test plans."""
    with TemporaryDirectory(prefix="proxy-") as folder:
        async with FaultProxy(server.socket, Path(folder) / "proxy.sock") as one:
            yield one
