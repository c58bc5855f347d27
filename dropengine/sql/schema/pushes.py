"""Browsers that are called when their page is closed, and the calls that they are owed. Times are
ms since 1970 of the true clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


SUBSCRIPTIONS = Table(
    "push_subscriptions",
    METADATA,
    _key("browser"),
    _key("drop_id"),
    _text("fan"),
    _text("endpoint"),
    _text("p256dh"),
    _text("auth"),
    _text("language"),
    _number("quiet"),
    _number("since_ms"),
    _text("agent"),
    _text("told"),
    Index("ix_push_subscriptions_drop_id_fan", "drop_id", "fan"),
)
"""`browser`: the hash of its endpoint, which is a secret of who may call it. In each drop it is one
fan's. `p256dh`, `auth`: what a message to it is sealed with. `quiet`: 1, it makes no sound.
`agent`: what it calls itself. `told`: the last event that everybody is called for, ''."""

PUSHES = Table(
    "pushes",
    METADATA,
    _key("id"),
    _text("browser"),
    _text("drop_id"),
    _text("fan"),
    _text("kind"),
    _text("about"),
    _text("title"),
    _text("body"),
    _text("language"),
    _number("at_ms"),
    _number("written_ms"),
    _number("until_ms"),
    _text("state"),
    _text("said"),
    _number("tries"),
    _number("next_ms"),
    _number("ended_ms"),
    Index("ix_pushes_state_next_ms", "state", "next_ms"),
    Index("ix_pushes_drop_id_fan_written_ms", "drop_id", "fan", "written_ms"),
    Index("ix_pushes_drop_id_about", "drop_id", "about"),
)
"""`about`: the hold or entry whose end ends the call, ''. `title`, `body`: what is shown, '' once
it has ended. `at_ms`: what the body speaks of. `state`: queued, sent, deferred, failed, gone, over.
`until_ms`: when its moment has passed, 0 for never."""

CALLED = Table(
    "called_drops",
    METADATA,
    _key("drop_id"),
    _number("seq"),
)
"""How far each drop's log was read for whom it calls; it moves in the transaction of the calls."""
