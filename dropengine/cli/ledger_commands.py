"""`dropengine ledger rebuild`: what the books derive from the logs, made anew from their own
texts."""

from __future__ import annotations

from dropengine.config import Settings
from dropengine.errors import DropEngineError
from dropengine.jobs.ledger import books
from dropengine.sql import engine
from dropengine.sql.migrate import fitting, revision


def rebuild(settings: Settings, drop: str | None) -> int:
    """One drop or all of them, each in one transaction. The shop may run. Raises
    DropEngineError."""
    one = engine.connect(settings)
    try:
        with engine.transaction(one, writes=False) as connection:
            fitting(revision(connection))
            known = sorted(books.cursors(connection))
        if drop is not None and drop not in known:
            raise DropEngineError(f"The books know no drop {drop}.")
        for name in known if drop is None else [drop]:
            with engine.transaction(one, writes=True) as connection:
                count = books.rebuild(connection, name)
            print(f"{name}: made anew from {count} events.")
    finally:
        one.dispose()
    return 0
