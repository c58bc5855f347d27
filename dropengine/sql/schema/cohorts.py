"""Who is in the cohorts of drops: addresses that makers list, and codes that they give out.

Both are gone when their drop is over. Times are ms since 1970 of the shop's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA

ADDRESSES = Table(
    "cohort_addresses",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("cohort", Text, primary_key=True),
    Column("normal", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("came_ms", BigInteger, nullable=False, server_default="0"),
    Index(None, "normal"),
)
"""`normal`: the keyed hash of the address's normal form, as a person's. `came_ms`: when its owner
was enrolled, 0 while he was not."""

CODES = Table(
    "cohort_codes",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("cohort", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("person", Text, nullable=False, server_default=""),
    Column("used_ms", BigInteger, nullable=False, server_default="0"),
    Index(None, "person"),
)
"""`person`: whose it is since he used it first, '' before, and of one who erased himself `-`."""
