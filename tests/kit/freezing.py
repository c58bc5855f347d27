"""Frozen drops: a commit that ended half-way, by a server's user who may not do everything."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from dropengine.truth import connections, keys
from dropengine.truth.store import Store
from tests.kit.private_server import Server
from tests.kit.sale import Sale


async def leave_mark(store: Store, drop: str, now_ms: int) -> None:
    """A commit began at this moment and wrote nothing but its mark: the next script freezes."""
    client: Any = store.client
    head = await client.hmget(keys.one(drop, "drop"), "at", "lead")
    now = max(now_ms + int(head[1] or 0), int(head[0]))
    await client.hset(keys.one(drop, "drop"), "mark", now)


async def freeze(sale: Sale) -> None:
    """A commit wrote only half of itself at this moment, and the next script has seen it."""
    await leave_mark(sale.store, sale.drop, sale.now)
    await sale.store.settle(sale.drop, clock_ms=sale.now)


async def restore(sale: Sale) -> None:
    """Somebody brought the drop back from a backup: it stays frozen until he has looked."""
    client: Any = sale.store.client
    name = keys.one(sale.drop, "drop")
    was = await client.hget(name, "state")
    await client.hset(name, mapping={"state": "frozen", "was": was, "froze": "restore"})


@contextlib.asynccontextmanager
async def weak_store(server: Server, client: Any) -> AsyncIterator[Store]:
    """A worker whose user at the server may do everything, until `forbid`."""
    await client.execute_command("ACL", "SETUSER", "weak", "on", ">pw", "~*", "&*", "+@all")
    one = connections.client(server.url.replace("unix://", "unix://weak:pw@"))
    yield Store(one)
    await one.aclose(close_connection_pool=True)
    await client.execute_command("ACL", "DELUSER", "weak")


async def forbid(client: Any, command: str) -> None:
    """From now on that user may not run one command."""
    await client.execute_command("ACL", "SETUSER", "weak", f"-{command}")
