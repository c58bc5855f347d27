"""Fans who are known: persons, their devices, passkeys and sign-ins, and who erased himself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "persons",
        _text("id"),
        _bytes("key"),
        _text("normal"),
        _text("address"),
        _number("created_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        sa.UniqueConstraint("normal", name="uq_persons_normal"),
    )
    op.create_table(
        "person_devices",
        _text("id"),
        _text("person"),
        _text("browser"),
        _text("how"),
        _number("since_ms"),
        _number("seen_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_person_devices"),
        sa.ForeignKeyConstraint(
            ["person"], ["persons.id"], name="fk_person_devices_person_persons", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_person_devices_person", "person_devices", ["person"])
    op.create_table(
        "person_passkeys",
        _text("id"),
        _text("person"),
        _text("label"),
        _bytes("public_key"),
        _number("count"),
        _number("created_ms"),
        _number("used_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_person_passkeys"),
        sa.ForeignKeyConstraint(
            ["person"],
            ["persons.id"],
            name="fk_person_passkeys_person_persons",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_person_passkeys_person", "person_passkeys", ["person"])
    op.create_table(
        "person_sign_ins",
        _text("id"),
        _text("browser"),
        _text("token"),
        _text("code"),
        _text("normal"),
        _text("address"),
        _number("tries"),
        _text("back"),
        _number("ends_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_person_sign_ins"),
        sa.UniqueConstraint("token", name="uq_person_sign_ins_token"),
    )
    for column in ("browser", "normal", "ends_ms"):
        op.create_index(f"ix_person_sign_ins_{column}", "person_sign_ins", [column])
    op.create_table(
        "erased_persons",
        _text("normal"),
        _text("drop_id"),
        _text("fan"),
        _number("at_ms"),
        sa.PrimaryKeyConstraint("normal", "drop_id", name="pk_erased_persons"),
    )
