"""Rehearsals of drops: what was asked, how far it is, what it came to. No sale rests on it.

Times are ms since 1970 of the shop's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


REHEARSALS = Table(
    "rehearsals",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("drop_id"),
    _number("at_ms"),
    _text("by"),
    _text("key"),
    _text("asked"),
    _text("state"),
    _number("beat_ms"),
    _number("stop"),
    _text("progress"),
    _text("says"),
    _text("report"),
    Index(None, "drop_id", "at_ms"),
    Index(None, "state"),
)
"""`key`: of whoever asked, under which he asks once; '' for none. `asked`, `progress`, `report`:
JSON, '' for none. `state`: wanted, running, done, stopped, failed; `says`: why it ended without a
report. `beat_ms`: when whoever runs it was last heard. `stop`: 1 when somebody asked for its end.
"""
