"""Letters are about holds and entries; how far logs were read for them; who wants none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column, and make the tables."""
    with op.batch_alter_table("mails") as mails:
        mails.add_column(sa.Column("about", sa.Text(), server_default="", nullable=False))
        mails.create_index("ix_mails_drop_id_about", ["drop_id", "about"])
    op.create_table(
        "mail_followed",
        sa.Column("drop_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("drop_id", name="pk_mail_followed"),
    )
    op.create_table(
        "uncalled_persons",
        sa.Column("person", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["persons.id"],
            name="fk_uncalled_persons_person_persons",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person", name="pk_uncalled_persons"),
    )
