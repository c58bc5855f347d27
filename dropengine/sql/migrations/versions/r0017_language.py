"""Persons have a language: what they chose, or were spoken to in when they signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Of those who are known already it is not."""
    column = sa.Column("language", sa.Text(), nullable=False, server_default="")
    op.add_column("persons", column)
