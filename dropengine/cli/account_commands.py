"""`dropengine account link`: a one-time link, made by whoever runs the shop's machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time

from sqlalchemy import Connection

from dropengine.cli.operators_terms import connect
from dropengine.config import Settings, public_url
from dropengine.errors import DropEngineError, Unavailable
from dropengine.people import links, set_up
from dropengine.people.one_after_another import change
from dropengine.sql.database import Database

Arguments = argparse.Namespace


def run(arguments: Arguments, settings: Settings) -> int:
    """Print the address of a link; the exit code. Raises DropEngineError."""
    name: str | None = arguments.account
    secret = asyncio.run(_made(settings, name))
    if secret is None:
        raise DropEngineError(f"There is no account called {name!r}.")
    who = f"{name} comes back in" if name else "An owner of the shop's first maker comes in"
    print(f"{who} by this link, within an hour and once:")
    print(links.address(asyncio.run(_address(settings)), secret))
    return 0


async def _address(settings: Settings) -> str:
    """Where people reach the shop: the one that runs knows best."""
    with contextlib.suppress(Unavailable):
        store = connect(settings)
        try:
            return await store.house.address() or public_url(settings)
        finally:
            await store.close()
    return public_url(settings)


async def _made(settings: Settings, name: str | None) -> str | None:
    now_ms = int(time.time() * 1000)

    def made(sql: Connection) -> str | None:
        if name is None:
            return set_up.owners_link(sql, now_ms)
        return set_up.link_back(sql, name, now_ms)

    database = Database(settings)
    try:
        return await change(database, made)
    finally:
        await database.close()
