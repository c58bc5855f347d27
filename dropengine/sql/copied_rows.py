"""The rows of a shop's tables as lines of JSON: what one engine wrote, either one can read.

The first line of a table names its columns, each further one is a row; bytes stand in base64. So a
backup neither depends on a program of the server's, nor on which of the two engines it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, LargeBinary, MetaData, Table

from dropengine.sql.schema.claims import CLAIMED, RUNS

NOT_COPIED = frozenset({"alembic_version", CLAIMED.name, RUNS.name})
"""Whose the database is, and of which layout, is not what somebody keeps in it."""
ROWS_AT_ONCE = 1_000

_encode = msgspec.json.Encoder().encode


def tables(connection: Connection) -> list[Table]:
    """Those that are there and are copied, each after the ones that it leans on."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in NOT_COPIED]


def lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """A table as it is now."""
    yield _encode([str(column.name) for column in table.c]) + b"\n"
    asked = sa.select(table).execution_options(yield_per=ROWS_AT_ONCE)
    for row in connection.execute(asked):
        yield _encode(list(row)) + b"\n"


def load(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    """Fill an empty table of the same layout."""
    rows = iter(lines)
    names: list[str] = msgspec.json.decode(next(rows))
    in_base64 = [isinstance(table.c[name].type, LargeBinary) for name in names]
    some: list[dict[str, Any]] = []
    for line in rows:
        values = msgspec.json.decode(line, type=list[Any])
        some.append(
            {
                name: msgspec.convert(value, bytes) if binary else value
                for name, value, binary in zip(names, values, in_base64, strict=True)
            }
        )
        if len(some) == ROWS_AT_ONCE:
            connection.execute(sa.insert(table), some)
            some = []
    if some:
        connection.execute(sa.insert(table), some)
