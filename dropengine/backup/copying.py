"""Makes a backup of a shop that runs: secrets, then SQL, and the truth last.

So SQL never knows more than the truth that is restored with it, and its books are caught up from
the logs. Of each drop one moment is copied, that of its last event then; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec

from dropengine import __version__, data_directory, events
from dropengine.backup.folder import Contents, CopiedDrop, NewFolder
from dropengine.config import Settings, public_url
from dropengine.errors import BackupFault, Unavailable
from dropengine.jobs.ledger import books
from dropengine.model import DropId
from dropengine.payments import providers
from dropengine.people import makers
from dropengine.push import shop_key
from dropengine.sql import copied_rows, engine
from dropengine.sql.migrate import fitting, revision
from dropengine.sql.schema import REVISION
from dropengine.truth.copies import Answers
from dropengine.truth.store import Store

SAID_MS = 30_000
"""A backup that ends in the middle is over after this."""
SAY_S = 10.0
ROWS_AT_ONCE = 64


class _Sql(msgspec.Struct, frozen=True):
    """What SQL said of itself. cursors: drop -> the last event of its books."""

    name: str
    cursors: dict[str, int]


async def back_up(store: Store, settings: Settings, path: Path) -> Contents:
    """Copy the shop into a folder that is made for it; what was copied.

    Raises BackupFault, Unavailable, DatabaseAway: then the folder is empty.
    """
    secret = data_directory.secret(settings)
    folder = NewFolder(path)
    try:
        contents = await _filled(folder, store, settings, secret)
        folder.seal(contents)
    except BaseException:
        folder.discard()
        raise
    return contents


async def _filled(folder: NewFolder, store: Store, settings: Settings, secret: bytes) -> Contents:
    begun_ms = int(time.time() * 1000)
    async with _said(store, str(folder.path)):
        _write_secrets(folder, settings, secret)
        sql = await asyncio.to_thread(_copy_sql, folder, settings)
        drops: dict[str, CopiedDrop] = {}
        schema = 0
        for drop in reversed(await store.drops()):
            drops[drop], layout = await _copy_drop(folder, store, drop, sql)
            schema = max(schema, layout)
        await asyncio.to_thread(_copy_payments, folder, settings)
    return Contents(
        version=__version__,
        shop=data_directory.shop_id(settings),
        name=sql.name,
        address=await store.house.address() or public_url(settings),
        prefix=settings.redis_prefix or "",
        secret=mark_of(secret),
        own_secret=settings.secret_key is None,
        revision=REVISION,
        schema=schema,
        begun_ms=begun_ms,
        drops=drops,
        files=folder.files,
    )


def mark_of(secret: bytes) -> str:
    """By which a secret is told from another, and from which nobody finds it."""
    return hmac.new(secret, b"dropengine backup", hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def _said(store: Store, who: str) -> AsyncIterator[None]:
    """Whoever would take something out of the truth hears that a backup is being made."""
    await store.house.back_up(who, SAID_MS)
    said_at = time.monotonic()

    async def say() -> None:
        nonlocal said_at
        while True:
            await asyncio.sleep(SAY_S)
            begun = time.monotonic()
            with contextlib.suppress(Unavailable):
                await store.house.back_up(who, SAID_MS)
                if begun - said_at >= SAID_MS / 1000:
                    return
                said_at = begun

    saying = asyncio.create_task(say())
    try:
        yield
        if saying.done() or time.monotonic() - said_at >= SAID_MS / 1000:
            raise BackupFault("The server was away for too long. Take another backup.")
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


def _write_secrets(folder: NewFolder, settings: Settings, secret: bytes) -> None:
    folder.write("shop_id", [data_directory.shop_id(settings).encode()])
    if settings.secret_key is None:
        folder.write("secret", [secret])
    if settings.push_key is None:
        # Another one would end every browser's subscription.
        folder.write("push_key", [data_directory.push_key(settings, shop_key.new)])


def _copy_sql(folder: NewFolder, settings: Settings) -> _Sql:
    """Every table at one moment."""
    one = engine.connect(settings)
    try:
        with engine.snapshot(one) as connection:
            fitting(revision(connection))
            first = makers.first(connection)
            for table in copied_rows.tables(connection):
                folder.write(f"sql/{table.name}", copied_rows.lines(connection, table))
            return _Sql(first.name if first else "", books.cursors(connection))
    finally:
        one.dispose()


async def _copy_drop(
    folder: NewFolder, store: Store, drop: DropId, sql: _Sql
) -> tuple[CopiedDrop, int]:
    """A drop at its event `seq`, and its layout.

    The answers are read first, then where the drop stands, then its log up to there: so no answer
    is of a later event, and those that came meanwhile are asked for by the events that tell them.
    """
    # Whoever comes first lifts a drop of an older layout.
    await store.settle(drop)
    since, _ = await store.stands(drop)
    answers = await store.copies.answers(drop)
    seq, schema, not_told = await store.copies.fields(drop)
    log = await _log(store, drop, seq)
    first = events.parse(log[0]).seq if log else seq + 1
    if first > sql.cursors.get(drop, 0) + 1:
        raise BackupFault(f"{drop}: its log went on into SQL meanwhile. Take another backup.")
    answers |= await store.copies.answers_of(drop, log[max(0, since - first + 1) :])
    folder.write(f"drops/{drop}/log", (line + b"\n" for line in log))
    folder.write(f"drops/{drop}/answers", _rows(answers))
    # Of later charges it may have some: whoever restores takes those that the log tells of.
    ids = await store.charge_ids.all(drop)
    folder.write(
        f"drops/{drop}/charges", _rows({name.encode(): of.encode() for name, of in ids.items()})
    )
    folder.write(
        f"drops/{drop}/fields", _rows({name.encode(): text for name, text in not_told.items()})
    )
    return CopiedDrop(seq, first, await store.house.listed_ms(drop)), schema


async def _log(store: Store, drop: DropId, seq: int) -> list[bytes]:
    """What the truth holds of the end of a log without a gap, up to an event of it: what is before
    that was taken out, and stands in SQL."""
    log: list[bytes] = []
    at = 0
    while at < seq and (found := await store.past.rows(drop, at, ROWS_AT_ONCE)):
        for row in found:
            if row.first > at + 1:
                log.clear()
            log += row.texts
            at = row.last
    if log and at < seq:
        raise BackupFault(
            f"{drop}: its log ends before event {seq}: see `dropengine audit {drop}`."
        )
    return log[: len(log) - max(at - seq, 0)]


def _rows(rows: Answers) -> Iterable[bytes]:
    for name, text in rows.items():
        pair = [base64.b64encode(name).decode(), base64.b64encode(text).decode()]
        yield msgspec.json.encode(pair) + b"\n"


def _copy_payments(folder: NewFolder, settings: Settings) -> None:
    """What the test provider keeps in the shop's directory; last, for it stands for somebody
    outside, who never knows less than the shop."""
    with tempfile.TemporaryDirectory() as own:
        for name in providers.keep(settings, Path(own)):
            with (Path(own) / name).open("rb") as file:
                folder.write(f"payments/{name}", iter(lambda: file.read(1 << 20), b""))
