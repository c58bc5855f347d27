"""Databases with the tables of this version and nothing in them.

The revisions make them once, then they are copied: only who shows what `migrate` does calls it.
"""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from dropengine.config import Settings
from dropengine.sql import engine
from dropengine.sql.migrate import migrate
from dropengine.sql.schema import METADATA

EMPTIED = ";".join(str(sa.delete(table)) for table in reversed(METADATA.sorted_tables))
"""Takes everything out; no table counts on."""


def lay(settings: Settings) -> None:
    """What `migrate` makes of an empty database."""
    path = engine.path(settings)
    if settings.database_url is not None or path.exists():
        # Somebody may have opened it, who would not see another file.
        migrate(settings)
        return
    path.touch(0o600)
    path.write_bytes(_laid())


@functools.cache
def _laid() -> bytes:
    with TemporaryDirectory(prefix="laid-") as folder:
        settings = Settings(data_dir=Path(folder))
        migrate(settings)
        # Who closes the last connection leaves no journal behind.
        assert [path.name for path in settings.data_dir.iterdir()] == [engine.FILE]
        return engine.path(settings).read_bytes()
