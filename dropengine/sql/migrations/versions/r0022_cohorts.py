"""Makers list addresses and give out codes for early access to their drops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cohort_addresses",
        *map(_text, ("drop_id", "cohort", "normal", "address")),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("came_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("drop_id", "cohort", "normal", name="pk_cohort_addresses"),
    )
    op.create_index("ix_cohort_addresses_normal", "cohort_addresses", ["normal"])
    op.create_table(
        "cohort_codes",
        *map(_text, ("drop_id", "code", "cohort")),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False, server_default=""),
        sa.Column("used_ms", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("drop_id", "code", name="pk_cohort_codes"),
    )
    op.create_index("ix_cohort_codes_person", "cohort_codes", ["person"])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
