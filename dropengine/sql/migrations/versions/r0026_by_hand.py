"""Payments by hand: bills, what was received and what is owed back, and where makers are paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hand_bills",
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("intent", name="pk_hand_bills"),
        sa.UniqueConstraint("reference", name="uq_hand_bills_reference"),
    )
    op.create_index("ix_hand_bills_drop_id", "hand_bills", ["drop_id"])
    op.create_table(
        "hand_cancelled",
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("intent", name="pk_hand_cancelled"),
    )
    op.create_table(
        "hand_entries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_hand_entries"),
    )
    op.create_index("ix_hand_entries_intent", "hand_entries", ["intent"])
    op.create_table(
        "hand_charges",
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("nth", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("charge", name="pk_hand_charges"),
        sa.UniqueConstraint("intent", name="uq_hand_charges_intent"),
    )
    op.create_table(
        "hand_ticks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hand_ticks"),
    )
    op.create_index("ix_hand_ticks_charge", "hand_ticks", ["charge"])
    op.create_index("ix_hand_ticks_intent", "hand_ticks", ["intent"])
    op.create_table(
        "hand_places",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("fan", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "maker", name="pk_hand_places"),
    )
    op.create_table(
        "hand_bars",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_hand_bars"),
    )
    op.create_table(
        "hand_accounts",
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["maker"],
            ["makers.id"],
            name="fk_hand_accounts_maker",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("maker", name="pk_hand_accounts"),
    )
