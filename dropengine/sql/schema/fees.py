"""What providers keep for themselves of payments. It is in no log: providers tell it later."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from dropengine.sql.schema.metadata import METADATA

FEES = Table(
    "payment_fees",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("charge", Text, primary_key=True),
    Column("payment", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("fee", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""`charge`: as its provider calls it. `provider`: by its name. `fee`: minor units of the drop's
currency. `at_ms`: when it was told first."""
