"""Mails that people are owed, sent ones too. Times are ms since 1970 of the true clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


MAILS = Table(
    "mails",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("kind"),
    _text("whose"),
    _text("drop_id"),
    _text("about"),
    _text("reader"),
    _text("sender"),
    _text("subject"),
    _text("words"),
    _text("language"),
    _text("unsubscribe"),
    _number("urgent"),
    _number("written_ms"),
    _number("until_ms"),
    _text("state"),
    _text("said"),
    _number("tries"),
    _number("next_ms"),
    _number("ended_ms"),
    Index("ix_mails_state_next_ms", "state", "next_ms"),
    Index("ix_mails_whose_written_ms", "whose", "written_ms"),
    Index("ix_mails_drop_id_written_ms", "drop_id", "written_ms"),
    Index("ix_mails_drop_id_about", "drop_id", "about"),
)
"""`id`: what its Message-ID is made of. `whose`: `account:ID`, `person:ID`, or ''. `about`: a hold
or an entry of the drop, or ''. `words`: '' once it has ended, for they
may let somebody in. `state`: queued, sent, deferred, failed, bounced, over.
`said`: the server's last words. `until_ms`: when its moment has passed, 0 for never. `next_ms`:
when it is tried next. `ended_ms`: when it was sent or given up, 0 before."""

FOLLOWED = Table(
    "mail_followed",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    _number("seq"),
)
"""How far each drop's log was read for whom it calls by mail."""

TOLD_ALARMS = Table(
    "told_alarms",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("drop_id", Text, primary_key=True),
    _number("began_ms"),
    _number("seen_ms"),
    _number("told_ms"),
)
"""Alarms that last. `seen_ms`: when it was there last. `told_ms`: when its last letters were
written, 0 before the first."""
