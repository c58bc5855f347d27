"""Fans are reminded of drops and follow makers; what they want no calls of is kept by kind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

KINDS = ("reminder", "ten_before", "offer", "hold_ends", "news")


def upgrade() -> None:
    """Make the tables. Who wanted no letters wants none of every kind."""
    op.create_table(
        "interests",
        _key("person"),
        _key("what"),
        _key("thing"),
        _number("since_ms"),
        _text("told"),
        _of_person("interests"),
        sa.PrimaryKeyConstraint("person", "what", "thing", name="pk_interests"),
    )
    op.create_index("ix_interests_what_thing_told", "interests", ["what", "thing", "told"])
    op.create_table(
        "maker_browsers",
        _key("browser"),
        _key("maker"),
        *map(_text, ("person", "endpoint", "p256dh", "auth", "language")),
        _number("since_ms"),
        _text("told"),
        sa.PrimaryKeyConstraint("browser", "maker", name="pk_maker_browsers"),
    )
    op.create_index("ix_maker_browsers_maker_told", "maker_browsers", ["maker", "told"])
    op.create_index("ix_maker_browsers_person", "maker_browsers", ["person"])
    op.create_table(
        "told_drops",
        _key("drop_id"),
        _number("at_ms"),
        sa.PrimaryKeyConstraint("drop_id", name="pk_told_drops"),
    )
    op.create_table(
        "unwished_calls",
        _key("person"),
        _key("kind"),
        _key("way"),
        _of_person("unwished_calls"),
        sa.PrimaryKeyConstraint("person", "kind", "way", name="pk_unwished_calls"),
    )
    before = sa.table("uncalled_persons", sa.column("person"))
    now = sa.table("unwished_calls", sa.column("person"), sa.column("kind"), sa.column("way"))
    for kind in KINDS:
        rows = sa.select(before.c.person, sa.literal(kind), sa.literal("mail"))
        op.execute(sa.insert(now).from_select(["person", "kind", "way"], rows))
    op.drop_table("uncalled_persons")
    told = sa.Column("told", sa.Text(), nullable=False, server_default="")
    op.add_column("push_subscriptions", told)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_person_persons"
    return sa.ForeignKeyConstraint(["person"], ["persons.id"], name=name, ondelete="CASCADE")
