"""Which pages at Stripe belong to which payments of ours."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from dropengine.sql.schema.metadata import METADATA

SESSIONS = Table(
    "stripe_sessions",
    METADATA,
    Column("intent", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("asked", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("session", Text, nullable=False),
    Column("url", Text, nullable=False),
)
"""`number`: 1, and one more for each page that came to its end before it was paid. `asked`: the
parameters of the call that made it, as JSON, so that it can be repeated. `session`, `url`: Stripe's
answer, '' until it came."""

CANCELLED = Table(
    "stripe_cancelled",
    METADATA,
    Column("intent", Text, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)
"""Intents that nobody may pay any more."""
