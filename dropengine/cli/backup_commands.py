"""`dropengine backup DIR` and `dropengine restore DIR`: a copy of a shop, and a shop of a copy."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from dropengine.backup import old_shop, restoring
from dropengine.backup.copying import back_up
from dropengine.backup.folder import Contents, Folder
from dropengine.cli.operators_terms import REFUSED, connect, keeping, own
from dropengine.config import Settings
from dropengine.errors import BackupFault

MIB = 1 << 20


def backup(settings: Settings, path: Path) -> int:
    """Copy the shop, which goes on; the exit code. Raises DropEngineError."""
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    contents = asyncio.run(_copied(settings, path))
    for drop, copied in contents.drops.items():
        print(f"{drop}: to event {copied.seq}")
    size = sum(file.size for file in contents.files.values())
    print(f"{path} is a backup of {len(contents.files)} files, {size / MIB:,.1f} MiB.")
    if not contents.own_secret:
        print("The secret of this shop is a setting and is not in it: keep that too.")
    return 0


async def _copied(settings: Settings, path: Path) -> Contents:
    store = connect(settings)
    try:
        keeping(settings)
        await own(store, settings)
        return await back_up(store, settings, path)
    finally:
        await store.close()


def restore(settings: Settings, path: Path, name: str | None) -> int:
    """Make a shop of a backup; the exit code. name: of the shop, by somebody who knows that the old
    one is gone. Raises DropEngineError."""
    logging.getLogger("dropengine").addHandler(logging.NullHandler())
    folder = Folder(path)
    contents = folder.contents
    restoring.fitting(folder, settings)
    if not asyncio.run(old_shop.seen_gone(settings, contents)):
        _ask(contents, name)
    try:
        whole = asyncio.run(restoring.restore(folder, settings, print))
    except BaseException:
        where = settings.data_dir
        if where.exists() and any(where.iterdir()):
            print(f"This is no shop yet: remove {where} and begin again.", file=sys.stderr)
        raise
    print(
        "The shop is restored. Nothing is sold, captured or given back until `dropengine serve` "
        "runs and `dropengine reconcile` has compared it with what was paid."
    )
    return 0 if whole else REFUSED


def _ask(contents: Contents, name: str | None) -> None:
    """Somebody must know that the old shop is gone. Raises BackupFault."""
    wanted = contents.name or contents.address
    print(
        f"Whether the old shop is gone cannot be seen from here: look at {contents.address}. If "
        f"it goes on, both sell the same units."
    )
    if name is None and sys.stdin.isatty():
        name = input(f"It is gone for good? Then type its name, {wanted}: ").strip()
    if name is None:
        raise BackupFault(f"If it is gone for good, say so with its name: --shop '{wanted}'.")
    if name != wanted:
        raise BackupFault(f"The shop of this backup is called {wanted}, not {name}.")
