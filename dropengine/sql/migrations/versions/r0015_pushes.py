"""Browsers are called by web push."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Who is called, what is owed, how far the logs were read for it."""
    op.create_table(
        "push_subscriptions",
        *_keys("browser", "drop_id"),
        *_texts("fan", "endpoint", "p256dh", "auth", "language"),
        *_numbers("quiet", "since_ms"),
        sa.PrimaryKeyConstraint("browser", "drop_id", name="pk_push_subscriptions"),
    )
    op.create_index("ix_push_subscriptions_drop_id_fan", "push_subscriptions", ["drop_id", "fan"])
    op.create_table(
        "pushes",
        *_keys("id"),
        *_texts("browser", "drop_id", "fan", "kind", "about", "title", "body", "language"),
        *_numbers("at_ms", "written_ms", "until_ms"),
        *_texts("state", "said"),
        *_numbers("tries", "next_ms", "ended_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_pushes"),
    )
    op.create_index("ix_pushes_state_next_ms", "pushes", ["state", "next_ms"])
    op.create_index("ix_pushes_drop_id_fan_written_ms", "pushes", ["drop_id", "fan", "written_ms"])
    op.create_index("ix_pushes_drop_id_about", "pushes", ["drop_id", "about"])
    op.create_table(
        "called_drops",
        *_keys("drop_id"),
        *_numbers("seq"),
        sa.PrimaryKeyConstraint("drop_id", name="pk_called_drops"),
    )


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default="") for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in names]
