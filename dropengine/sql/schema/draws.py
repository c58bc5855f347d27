"""What a draw needs that nobody may know before its list is sealed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from dropengine.sql.schema.metadata import METADATA

DRAW_SECRETS = Table(
    "draw_secrets",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""`secret`: 32 bytes by chance, made before the drop was published, which only tells their
commitment. `at_ms`: when."""
