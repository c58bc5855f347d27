"""Payments of several orders, which order was bought by which, and what was given back of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the tables; the ledger writes into them what payments do from here on."""
    op.create_table(
        "ledger_payments",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("fan", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("way_kept", sa.BigInteger(), nullable=False),
        sa.Column("takes", sa.BigInteger(), nullable=False),
        sa.Column("paid_ms", sa.BigInteger(), nullable=False),
        sa.Column("charged_back", sa.BigInteger(), nullable=False),
        sa.Column("charged_back_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drop_id", "payment", name="pk_ledger_payments"),
    )
    op.create_table(
        "ledger_shares",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("sold_seq", sa.BigInteger(), nullable=False),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drop_id", "hold", name="pk_ledger_shares"),
    )
    op.create_table(
        "ledger_refunds",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("back", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("duty", sa.BigInteger(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drop_id", "payment", "n", name="pk_ledger_refunds"),
    )
    op.create_index("ix_ledger_shares_drop_id_payment", "ledger_shares", ["drop_id", "payment"])
