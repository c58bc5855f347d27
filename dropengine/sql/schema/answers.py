"""What fans said of their orders, and who receives a unit for them. No sale rests on it, and none
of it stands anywhere else: not in the truth, and in no log.

Times are ms since 1970 of the true clock; 0 stands for "not".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str, kind: type[Text | BigInteger] = Text) -> Column[str | int]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


ANSWERS = Table(
    "answers",
    METADATA,
    _key("drop_id"),
    _key("hold"),
    _key("unit", BigInteger),
    _key("field"),
    _text("text"),
    _text("whose"),
    _number("at_ms"),
    Index(None, "whose"),
)
"""A row an answer: two devices that save at once save two fields. `hold`: the order goes by it too.
`unit`: 0 for the order as a whole. `whose`: who said it, as nobody but himself can name him."""

RECEIVED_ANSWERS = Table(
    "received_answers",
    METADATA,
    _key("receiver"),
    _key("field"),
    _text("text"),
)
"""The same of who receives a unit. `receiver`: of `RECEIVERS`."""

REMEMBERED = Table("remembered_answers", METADATA, _key("whose"), _key("field"), _text("text"))
"""What somebody said last, to fill it in where he is asked again."""

ANSWER_LOCKS = Table(
    "answer_locks", METADATA, _key("drop_id"), _key("hold"), _number("at_ms"), _text("by")
)
"""Orders whose answers their fans change no more. One that was unlocked is gone."""

RECEIVERS = Table(
    "receivers",
    METADATA,
    _key("id"),
    _text("drop_id"),
    _text("hold"),
    _number("unit"),
    _number("serial"),
    _text("kind"),
    _text("label"),
    _text("giver"),
    _text("whose"),
    _number("made_ms"),
    _number("revoked_ms"),
    _number("taken_ms"),
    Index(None, "drop_id", "hold"),
    Index(None, "whose"),
)
"""Links for who receives a unit, taken and revoked ones too: nothing of it is forgotten while its
giver is not. `kind`: collects or gift. `label`: whom the giver means, `giver`: who he says he is,
`whose`: the giver, as in `ANSWERS`."""
