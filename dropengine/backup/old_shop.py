"""Is the shop that a backup was made of gone? Two of it would sell the same units."""

from __future__ import annotations

import asyncio

from dropengine.backup.folder import Contents
from dropengine.config import Settings
from dropengine.errors import BackupFault, ServerTaken
from dropengine.sql import claim, engine
from dropengine.sql.migrate import revision
from dropengine.sql.schema import REVISION
from dropengine.truth.store import Store

LATE_MS = 100
"""So much later it is looked at again: clocks count in steps."""


async def seen_gone(settings: Settings, contents: Contents) -> bool:
    """True: its claim is there, and nobody renews it. False: from here it cannot be seen.

    A claim that seems to live is waited for, once. Raises ServerTaken when it does, and when the
    server or the database is another shop's.
    """
    seen = [
        await _at_server(settings, contents, prefix)
        for prefix in sorted({contents.prefix, settings.redis_prefix or ""})
        if settings.redis_url is not None
    ]
    if settings.database_url is not None:
        seen.append(await _in_database(settings, contents))
    return any(seen)


async def _at_server(settings: Settings, contents: Contents, prefix: str) -> bool:
    assert settings.redis_url is not None
    store = Store.connect(settings.redis_url, prefix or None)
    ours = prefix == (settings.redis_prefix or "")
    try:
        for again in (True, False):
            found = await store.house.claimant()
            if found is None or (found.shop != contents.shop and not ours):
                return False
            if found.shop != contents.shop:
                raise _taken("This server", found.address)
            if not found.left_ms:
                return True
            await _wait(found.left_ms, again, found.address)
    finally:
        await store.close()
    raise AssertionError("it is gone, or it lives")


async def _in_database(settings: Settings, contents: Contents) -> bool:
    for again in (True, False):
        found = await asyncio.to_thread(_claimant, settings)
        if found is None:
            return False
        if found.shop != contents.shop:
            raise _taken("This database", found.address)
        if not found.left_ms:
            return True
        await _wait(found.left_ms, again, found.address)
    raise AssertionError("it is gone, or it lives")


def _claimant(settings: Settings) -> claim.Claimant | None:
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            found = revision(connection)
            if found is None:
                return None
            if found != REVISION:
                raise BackupFault(
                    f"The database is in use, in layout {found}: give an empty one, or bring it to "
                    f"layout {REVISION} with the shop that it belongs to."
                )
            there = claim.claimant(connection)
            if there is None:
                raise BackupFault("The database is in use, nobody can say by whom: give another.")
            return there
    finally:
        one.dispose()


async def _wait(left_ms: int, again: bool, address: str) -> None:
    if not again:
        raise ServerTaken(
            f"The shop of this backup sells still, at {address or '?'}: stop it first."
        )
    await asyncio.sleep((left_ms + LATE_MS) / 1000)


def _taken(what: str, address: str) -> ServerTaken:
    return ServerTaken(
        f"{what} belongs to another shop, last at {address or '?'}: give this one its own."
    )
