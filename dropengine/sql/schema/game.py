"""The game of the line: who came by whose link, missions, everybody's points, badges.

Nothing of it stands in a log but how many points an entry has. Fans go by who they are in a drop;
times are ms since 1970 of the shop's clock, those of what a log tells of its drop's own; 0 and ''
stand for "not".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str, kind: type[Text | BigInteger] = Text) -> Column[str | int]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


GAME_FANS = Table(
    "game_fans",
    METADATA,
    _key("drop_id"),
    _key("fan"),
    _text("code"),
    _number("since_ms"),
    _text("became"),
    _number("points"),
    _number("at"),
    _text("why"),
    _number("untold"),
    _text("name"),
    Index(None, "drop_id", "code", unique=True),
    Index(None, "drop_id", "untold"),
    Index(None, "drop_id", "points"),
)
"""`code`: of his link. `became`: the person that a guest is now. `points`: what counts, as of the
change `at` of his book, which was the last one for `why`; `untold`: 1 while the truth may not know
it. `name`: on the board, where he wants to stand there."""

REFERRALS = Table(
    "referrals",
    METADATA,
    _key("drop_id"),
    _key("friend"),
    _text("referrer"),
    _number("at_ms"),
    _text("wrong"),
    _text("network"),
    _text("domain"),
    _text("device"),
    _number("first_ms"),
    _number("paid_ms"),
    Index(None, "drop_id", "referrer"),
)
"""By whose link somebody came first. `wrong`: why it can never count. `network`, `domain`,
`device`: whence, by names that nobody can read it from. `first_ms`: when the friend first took
part, `paid_ms`: when he first bought."""

GAME_DEVICES = Table(
    "game_devices",
    METADATA,
    _key("drop_id"),
    _key("device"),
    _key("fan"),
    Index(None, "drop_id", "fan"),
)
"""With which browsers somebody plays in a drop, by names that are other ones in each."""

POINTS_BOOK = Table(
    "points_book",
    METADATA,
    _key("drop_id"),
    _key("n", BigInteger),
    _text("fan"),
    _text("source"),
    _text("source_id"),
    _number("worth"),
    _number("made_ms"),
    _number("due_ms"),
    _text("state"),
    _text("reason"),
    _number("counted_ms"),
    _text("network"),
    _text("domain"),
    Index(None, "drop_id", "fan", "source", "source_id", unique=True),
    Index(None, "drop_id", "state", "due_ms"),
    Index(None, "drop_id", "source", "source_id"),
    Index(None, "drop_id", "counted_ms"),
)
"""`source`: friend, mission, collector; `source_id`: which. `due_ms`: when one that waits counts.
`state`: waiting, counted, refused, taken_back, cured."""

MISSIONS = Table(
    "missions",
    METADATA,
    _key("drop_id"),
    _key("mission"),
    _text("state"),
    _text("said"),
    _text("salt"),
    _text("hash"),
    _number("started_ms"),
    _number("ends_ms"),
)
"""Those that were started. `state`: running, over. `said`: a word that is said to everybody;
`salt`, `hash`: of what is to be typed, as it is compared."""

BADGES = Table(
    "badges",
    METADATA,
    _key("drop_id"),
    _key("fan"),
    _key("kind"),
    _number("at_ms"),
)
"""Kept when the drop is over."""

CREDITED = Table(
    "credited_drops",
    METADATA,
    _key("drop_id"),
    _number("seq"),
    _number("until_ms"),
    _number("over"),
)
"""How far each drop's log was read for points; it moves in the transaction of what that made.
`until_ms`: when points ended to count there; `over`: 1 when nothing more can come of it."""
