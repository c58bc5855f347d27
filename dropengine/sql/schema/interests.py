"""Who wants to be told of what: drops before they open, makers between drops, and which calls a
person wants none of. Times are ms since 1970 of the shop's clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _person() -> Column[str]:
    return Column("person", Text, ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True)


INTERESTS = Table(
    "interests",
    METADATA,
    _person(),
    _key("what"),
    _key("thing"),
    _number("since_ms"),
    _text("told"),
    Index("ix_interests_what_thing_told", "what", "thing", "told"),
)
"""`what`: drop or maker; `thing`: its id. `told`: the last event that he was written of, ''."""

MAKER_BROWSERS = Table(
    "maker_browsers",
    METADATA,
    _key("browser"),
    _key("maker"),
    _text("person"),
    _text("endpoint"),
    _text("p256dh"),
    _text("auth"),
    _text("language"),
    _number("since_ms"),
    _text("told"),
    Index("ix_maker_browsers_maker_told", "maker", "told"),
    Index("ix_maker_browsers_person", "person"),
)
"""Browsers that are called of a maker's new drops. `browser`: the hash of its endpoint. `person`:
who was signed in there; of a guest, `guest:` and his ticket's name."""

TOLD_DROPS = Table("told_drops", METADATA, _key("drop_id"), _number("at_ms"))
"""Of which new drops all that follow their makers were told."""

UNWISHED = Table("unwished_calls", METADATA, _person(), _key("kind"), _key("way"))
"""Calls that a person does not want. `way`: mail or push."""
