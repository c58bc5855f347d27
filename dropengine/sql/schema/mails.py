"""Mails that people are owed, sent ones too. Times are ms since 1970 of the true clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


MAILS = Table(
    "mails",
    METADATA,
    Column("id", Text, primary_key=True),
    _text("reader"),
    _text("subject"),
    _text("words"),
    _number("written_ms"),
    _text("state"),
    _text("said"),
    _number("tries"),
    _number("next_ms"),
    Index("ix_mails_state_next_ms", "state", "next_ms"),
)
"""`id`: what its Message-ID is made of. `state`: waiting, sent, deferred, failed. `said`: the
server's last words. `next_ms`: when it is tried next."""
