"""Persons and accounts have the zone of their clocks; who cannot be reached may say that he can be;
a browser that is called has a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Of those who are known already nothing of it is."""
    for table, name in (
        ("persons", "zone"),
        ("account_mails", "zone"),
        ("push_subscriptions", "agent"),
    ):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    mended = sa.Column("mended_ms", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("persons", mended)
