"""Makes a shop of a backup, where none is yet: its secrets, its people and books, its drops.

The truth is made anew from the logs, and the books are caught up from them. Each drop stands still
until somebody has compared it with what was paid.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Container
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from dropengine import data_directory, events
from dropengine.backup.copying import mark_of
from dropengine.backup.folder import Contents, Folder
from dropengine.config import Settings
from dropengine.errors import BackupFault
from dropengine.jobs.ledger import books
from dropengine.log.replay import Truth
from dropengine.mail import outbox
from dropengine.model import SCHEMA, DropId
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.push import outbox as pushes
from dropengine.sql import charge_ids, claim, copied_rows, engine
from dropengine.sql.migrate import revision, upgrade
from dropengine.sql.schema import REVISION
from dropengine.sql.schema.archive import ARCHIVED
from dropengine.sql.schema.ledger import ROWS
from dropengine.sql.schema.people import CHALLENGES, LINKS, SESSIONS
from dropengine.truth import server_check
from dropengine.truth.charge_ids import Ids
from dropengine.truth.connections import client
from dropengine.truth.copies import Answers
from dropengine.truth.repair import replayed
from dropengine.truth.store import Store

WENT_OUT = frozenset({SESSIONS.name, LINKS.name, CHALLENGES.name})
"""What may have been ended or spent after the backup lets nobody in: everybody signs in anew."""

Tell = Callable[[str], None]
"""Hears a sentence about each drop."""


def fitting(folder: Folder, settings: Settings) -> None:
    """Raises BackupFault, with a sentence, unless this shop can be made of that backup here."""
    contents = folder.contents
    if contents.schema > SCHEMA or contents.revision > REVISION:
        raise BackupFault(
            f"{folder.path} is of a newer version of Drop Engine, {contents.version}: restore it "
            f"with that one."
        )
    if settings.shop_id not in (None, contents.shop):
        raise BackupFault(f"{folder.path} is of another shop than shop_id says: leave that out.")
    given = settings.secret_key
    if given is None and not contents.own_secret:
        raise BackupFault(
            "The secret of that shop was a setting and is in no backup: give it as SECRET_KEY."
        )
    if given is not None and mark_of(given.encode()) != contents.secret:
        raise BackupFault(
            "SECRET_KEY is not the secret of that shop: all passes would end, and nothing that its "
            "payments tell would be believed."
        )
    data_dir = settings.data_dir
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise BackupFault(
            f"{data_dir} has something in it already: name an empty data_dir, or none that is "
            f"there. Nothing is overwritten."
        )


async def restore(folder: Folder, settings: Settings, tell: Tell) -> bool:
    """Make the shop; False: not every drop could be brought back. Raises DropEngineError: then what
    was made so far is no shop yet."""
    contents = folder.contents
    life = secrets.token_hex(16)
    async with _server(settings) as store:
        await _free(store, folder)
        _fill(folder, settings, life)
        await _claim(store, settings, contents, life)
        one = engine.connect(settings, foreign_keys=False)
        try:
            await asyncio.to_thread(_restore_sql, one, folder, life)
            await store.house.restore(folder.digest)
            whole = True
            for drop in contents.drops:
                whole &= await _restore_drop(store, one, folder, DropId(drop), tell)
            await _remember_archived(store, one, contents.drops)
        finally:
            one.dispose()
        await store.house.restore("")
    return whole


@contextlib.asynccontextmanager
async def _server(settings: Settings) -> AsyncIterator[Store]:
    """The server of the truth, the embedded one started for this."""
    embedded = EmbeddedServer(settings) if settings.redis_url is None else None
    if embedded is not None:
        data_directory.data_dir(settings)
    url = await embedded.rise() if embedded is not None else settings.redis_url
    assert url is not None
    store = Store(client(url, timeout_s=None), prefix=settings.redis_prefix)
    try:
        await server_check.check_server_async(
            store.client, settings.accept_weaker, settings.redis_prefix
        )
        yield store
    finally:
        await store.close()
        if embedded is not None:
            embedded.stop()


async def _free(store: Store, folder: Folder) -> None:
    """Raises BackupFault where drops are that this restore did not bring."""
    begun = await store.house.restoring()
    if begun == folder.digest:
        return
    known = [*await store.drops(), *map(DropId, folder.contents.drops)]
    there = [drop for drop in known if (await store.stands(drop))[0]]
    if begun or there:
        what = f"has drops already, {there[0]} among them" if there else "is half restored"
        raise BackupFault(
            f"The server {what}: give it a redis_prefix, or give another server. Nothing is "
            f"overwritten."
        )


def _fill(folder: Folder, settings: Settings, life: str) -> None:
    """The data directory, as the first run of a shop would make it."""
    target = data_directory.data_dir(settings)
    if settings.shop_id is None:
        data_directory.fill(settings, "shop_id", folder.contents.shop)
    if settings.secret_key is None:
        data_directory.fill(settings, "secret", (folder.path / "secret").read_text())
    if settings.push_key is None and "push_key" in folder.contents.files:
        data_directory.fill(settings, "push_key", (folder.path / "push_key").read_text())
    data_directory.fill(settings, "life", life)
    for name in folder.names("payments"):
        copy = target / Path(name).name
        copy.touch(mode=0o600)
        copy.write_bytes((folder.path / "payments" / name).read_bytes())


def _restore_sql(one: Engine, folder: Folder, life: str) -> None:
    """Its tables, in one transaction. A database that is this shop's already knows more than the
    backup, and stays as it is."""
    contents = folder.contents
    with engine.transaction(one, writes=True) as connection:
        found = revision(connection)
        if found is None:
            upgrade(connection, None, contents.revision)
            for table in copied_rows.tables(connection):
                if f"sql/{table.name}" in contents.files and table.name not in WENT_OUT:
                    copied_rows.load(connection, table, folder.lines(f"sql/{table.name}"))
            if contents.revision != REVISION:
                upgrade(connection, contents.revision)
            # What waited then was sent since, or leads to what is not brought back.
            now_ms = time.time_ns() // 1_000_000
            outbox.end(connection, now_ms)
            pushes.end(connection, now_ms)
        claim.begin_life(connection, contents.shop, life, contents.address)


async def _restore_drop(
    store: Store, one: Engine, folder: Folder, drop: DropId, tell: Tell
) -> bool:
    copied = folder.contents.drops[drop]
    log = await asyncio.to_thread(_whole_log, one, folder, drop)
    truth, hole = replayed(log)
    if hole:
        tell(f"{drop} is left out: {hole}. Its log stays in {folder.path}/drops/{drop}/log.")
        return False
    ids = _charges(folder, drop)
    ids = await asyncio.to_thread(_catch_up, one, drop, log, truth, ids)
    not_told = {name.decode(): text for name, text in _rows(folder, f"drops/{drop}/fields").items()}
    _check_hash(drop, truth, log[copied.seq :])
    answers = _rows(folder, f"drops/{drop}/answers")
    await store.copies.bring_back(drop, log, truth, not_told, answers, ids)
    await store.house.enlist(drop, copied.listed_ms)
    more = len(log) - copied.seq
    tell(
        f"{drop}: {len(log)} events"
        + (f", {_counted(more)} out of the database, which knew more" if more else "")
        + f"; it was {truth.state} and waits for `dropengine reconcile`."
    )
    return True


async def _remember_archived(store: Store, one: Engine, restored: Container[str]) -> None:
    """Drops that stand in SQL alone keep their ids."""
    with engine.transaction(one, writes=False) as connection:
        asked = sa.select(ARCHIVED.c.drop_id, ARCHIVED.c.seq, ARCHIVED.c.listed_ms)
        found = [(DropId(row.drop_id), row.seq, row.listed_ms) for row in connection.execute(asked)]
    for drop, seq, listed_ms in found:
        if drop not in restored:
            await store.copies.remember_left(drop, seq)
            await store.house.list_archived(drop, listed_ms)


def _counted(more: int) -> str:
    return "one of them" if more == 1 else f"{more} of them"


def _whole_log(one: Engine, folder: Folder, drop: str) -> list[bytes]:
    """What stands in SQL alone, what the truth had, and what SQL has after that."""
    copied = folder.contents.drops[drop]
    log = list(folder.lines(f"drops/{drop}/log"))
    with engine.transaction(one, writes=False) as connection:
        cursor = books.cursors(connection).get(drop, 0)
        if copied.first > 1:
            found = books.lines(connection, drop)
            log = [line for _, line in zip(range(copied.first - 1), found, strict=False)] + log
        last = min(cursor, len(log))
        if last and _line(connection, drop, last) != log[last - 1]:
            raise BackupFault(
                f"{drop}: the database has another event {last} than the backup: it was restored "
                f"before, or is another shop's. Give an empty one."
            )
        return log + list(books.lines(connection, drop, len(log)))


def _line(connection: Connection, drop: str, seq: int) -> bytes | None:
    asked = sa.select(ROWS.c.line).where(ROWS.c.drop_id == drop, ROWS.c.seq == seq)
    return connection.execute(asked).scalar()


def _check_hash(drop: str, truth: Truth, more: list[bytes]) -> None:
    """The manifest is told by its hash alone, so it must be the one of the backup."""
    if any(isinstance(events.parse(line), events.Corrected) for line in more):
        raise BackupFault(
            f"{drop}: it was corrected ({truth.drop['hash'][:8]}) after the backup, and only the "
            f"database knows: give an empty one, and correct it anew."
        )


def _catch_up(one: Engine, drop: str, log: list[bytes], truth: Truth, ids: Ids) -> Ids:
    """The books of a drop, to the end of its log. ids: of its charges, as the backup has them; as
    they are known now."""
    with engine.transaction(one, writes=True) as connection:
        charge_ids.forget_others(connection, drop, truth.charges)
        charge_ids.copy(connection, drop, {c: of for c, of in ids.items() if c in truth.charges})
        at = books.cursors(connection).get(drop, 0)
        while at < len(log):
            at = books.enter(connection, drop, at, log[at : at + books.STRETCH])
        return charge_ids.known(connection, drop)


def _charges(folder: Folder, drop: str) -> Ids:
    """What the backup says that the provider calls its charges; nothing where they bear the ids."""
    name = f"drops/{drop}/charges"
    if name not in folder.contents.files:
        return {}
    return {charge.decode(): of.decode() for charge, of in _rows(folder, name).items()}


def _rows(folder: Folder, name: str) -> Answers:
    pairs = (msgspec.json.decode(line, type=tuple[str, str]) for line in folder.lines(name))
    return {base64.b64decode(key): base64.b64decode(text) for key, text in pairs}


async def _claim(store: Store, settings: Settings, contents: Contents, life: str) -> None:
    """What the old shop claimed is this life's from now on, and so it sells there no more."""
    await store.house.begin_life(contents.shop, life)
    if settings.redis_url is not None and contents.prefix != (settings.redis_prefix or ""):
        old = Store.connect(settings.redis_url, contents.prefix or None)
        try:
            found = await old.house.claimant()
            if found is not None and found.shop == contents.shop:
                await old.house.begin_life(contents.shop, life)
        finally:
            await old.close()
