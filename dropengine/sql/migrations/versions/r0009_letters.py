"""Mails say what they are about and whose they are, and when their moment has passed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table anew: no version that could write into it was ever in use."""
    op.drop_table("mails")
    op.create_table(
        "mails",
        sa.Column("id", sa.Text(), nullable=False),
        *_texts("kind", "whose", "drop_id", "reader", "sender", "subject", "words"),
        *_texts("language", "unsubscribe"),
        *_numbers("urgent", "written_ms", "until_ms"),
        *_texts("state", "said"),
        *_numbers("tries", "next_ms", "ended_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
    )
    op.create_index("ix_mails_state_next_ms", "mails", ["state", "next_ms"])
    op.create_index("ix_mails_whose_written_ms", "mails", ["whose", "written_ms"])
    op.create_index("ix_mails_drop_id_written_ms", "mails", ["drop_id", "written_ms"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default="") for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in names]
