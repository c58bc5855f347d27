"""Drops that left the server of the truth: what the server said of them last, and what their log
does not tell.

Times are ms since 1970 of the true clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


ARCHIVED = Table(
    "archived_drops",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    _number("seq"),
    _number("listed_ms"),
    _number("archived_ms"),
    _number("back_ms"),
    _number("standing"),
    _bytes("shown"),
    _bytes("view"),
    _bytes("not_told"),
    _bytes("answers"),
)
"""`seq`: the last event. `listed_ms`: where it stands in the shop's index. `back_ms`: when it was
brought back last, 0 before. `standing`: orders that were not refunded. The rest is msgpack:
`shown`, `view` as the truth tells them, `not_told` and `answers` as they are kept there."""

FANS = Table(
    "archived_fans",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("fan", Text, primary_key=True),
    _bytes("you"),
)
"""`you`: the whole state of a fan, msgpack. The fan '' stands for everybody who has no row."""
