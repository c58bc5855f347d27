"""Which events decide what a fan got, and what each drop did as a whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the tables; the ledger fills them from the texts that it keeps."""
    op.create_table(
        "ledger_of_fans",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("fan", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("beside", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drop_id", "fan", "seq", name="pk_ledger_of_fans"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_courses",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("course", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("drop_id", name="pk_ledger_courses"),
    )
