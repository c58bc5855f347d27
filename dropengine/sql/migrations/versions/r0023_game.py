"""The line is a game: links of fans, missions, points, badges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "game_fans",
        *map(_key, ("drop_id", "fan")),
        _text("code"),
        _number("since_ms"),
        _text("became"),
        *map(_number, ("points", "at")),
        _text("why"),
        _number("untold"),
        _text("name"),
        sa.PrimaryKeyConstraint("drop_id", "fan", name="pk_game_fans"),
    )
    _index("game_fans", "drop_id", "code", unique=True)
    _index("game_fans", "drop_id", "untold")
    _index("game_fans", "drop_id", "points")
    op.create_table(
        "referrals",
        *map(_key, ("drop_id", "friend")),
        _text("referrer"),
        _number("at_ms"),
        *map(_text, ("wrong", "network", "domain", "device")),
        *map(_number, ("first_ms", "paid_ms")),
        sa.PrimaryKeyConstraint("drop_id", "friend", name="pk_referrals"),
    )
    _index("referrals", "drop_id", "referrer")
    op.create_table(
        "game_devices",
        *map(_key, ("drop_id", "device", "fan")),
        sa.PrimaryKeyConstraint("drop_id", "device", "fan", name="pk_game_devices"),
    )
    _index("game_devices", "drop_id", "fan")
    op.create_table(
        "points_book",
        _key("drop_id"),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        *map(_text, ("fan", "source", "source_id")),
        *map(_number, ("worth", "made_ms", "due_ms")),
        *map(_text, ("state", "reason")),
        _number("counted_ms"),
        *map(_text, ("network", "domain")),
        sa.PrimaryKeyConstraint("drop_id", "n", name="pk_points_book"),
    )
    _index("points_book", "drop_id", "fan", "source", "source_id", unique=True)
    _index("points_book", "drop_id", "state", "due_ms")
    _index("points_book", "drop_id", "source", "source_id")
    _index("points_book", "drop_id", "counted_ms")
    op.create_table(
        "missions",
        *map(_key, ("drop_id", "mission")),
        *map(_text, ("state", "said", "salt", "hash")),
        *map(_number, ("started_ms", "ends_ms")),
        sa.PrimaryKeyConstraint("drop_id", "mission", name="pk_missions"),
    )
    op.create_table(
        "badges",
        *map(_key, ("drop_id", "fan", "kind")),
        _number("at_ms"),
        sa.PrimaryKeyConstraint("drop_id", "fan", "kind", name="pk_badges"),
    )
    op.create_table(
        "credited_drops",
        _key("drop_id"),
        *map(_number, ("seq", "until_ms", "over")),
        sa.PrimaryKeyConstraint("drop_id", name="pk_credited_drops"),
    )


def _index(table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, [*columns], unique=unique)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
