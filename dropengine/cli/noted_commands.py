"""What is commanded on the shop's machine stands in the audit trail too, where there is one.

It is written down before it is given, as at the doors. Where SQL is away, or was never there, the
command is given all the same: whoever has the machine must be able to pause a sale.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.people import audit_trail, makers, operators
from dropengine.people.audit_trail import AuditRow
from dropengine.sql import engine
from dropengine.sql.database import Database

HERE = "the shop's machine"
"""Instead of a network."""
REFUSED = "refused"


async def noted(
    settings: Settings,
    command: Callable[[], Awaitable[int]],
    *,
    by: str,
    what: str,
    of: str,
    word: str = "",
    why: str = "",
) -> int:
    """Give a command; its exit code. of: the drop. word: how its log calls whoever commands."""
    if settings.database_url is None and not engine.path(settings).exists():
        return await command()
    now_ms = int(time.time() * 1000)
    row = audit_trail.new_id(now_ms)

    def begun(sql: Connection) -> None:
        maker = makers.whose(sql, of) or ""
        told = AuditRow(row, now_ms, maker, "", "", by, HERE, what, of, why, "")
        audit_trail.write(sql, told)
        if word:
            operators.remember(sql, word, by)

    database = Database(settings)
    try:
        written = await _written(database, begun)
        code = await command()
        outcome = audit_trail.DONE if code == 0 else REFUSED
        if written:
            await _written(database, lambda sql: audit_trail.conclude(sql, row, outcome))
        return code
    finally:
        await database.close()


async def _written(database: Database, work: Callable[[Connection], None]) -> bool:
    try:
        await database.write(work)
    except DatabaseAway as fault:
        print(f"This stands in no audit trail: {fault}", file=sys.stderr)
        return False
    return True
