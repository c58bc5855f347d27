"""What people note of orders: that they were handed over, and a note. No sale rests on it.

Times are ms since 1970 of the true clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


HANDOVERS = Table(
    "handovers", METADATA, _key("drop_id"), _key("hold"), _number("at_ms"), _text("by")
)
"""Orders whose units their fans have. One that was undone is gone."""

ORDER_NOTES = Table(
    "order_notes",
    METADATA,
    _key("drop_id"),
    _key("hold"),
    _text("text"),
    _number("at_ms"),
    _text("by"),
)
"""The last note of each order, for those who run the drop."""
