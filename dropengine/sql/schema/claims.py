"""Whose a database is: the shop that works in it, and which of its runs live."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from dropengine.sql.schema.metadata import METADATA

CLAIMED = Table(
    "claimed",
    METADATA,
    Column("shop", Text, primary_key=True),
    Column("life", Text, nullable=False),
    Column("address", Text, nullable=False),
)
"""One row at most. `life`: which restore of the shop it is, '' before the first; `address`: where
people reach it."""

RUNS = Table(
    "claimed_runs",
    METADATA,
    Column("nonce", Text, primary_key=True),
    Column("renewals", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""`renewals`: how often a run was renewed; `until_ms`: by the database's clock."""
