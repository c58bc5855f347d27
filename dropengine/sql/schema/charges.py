"""What providers call the charges that logs number: a copy of what stands beside each drop."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from dropengine.sql.schema.metadata import METADATA

CHARGE_IDS = Table(
    "charge_ids",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("charge", Text, primary_key=True),
    Column("provider_id", Text, nullable=False),
)
"""`charge`: as the log calls it. It is in no log, so nothing can make it anew."""
