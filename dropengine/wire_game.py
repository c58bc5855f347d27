"""What a fan is told of the game of the line: his points and where they come from, missions, the
board, badges. Read by his page beside the live channel, which tells how many points he has.

Times are ms since 1970 of the shop's clock; 0 stands for "not".
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

CODE_CHARS = 8
"""Of the code in a fan's link."""
SAID_CHARS_MAX = 80
"""Of what somebody types for a mission."""
NAME_CHARS_MAX = 24
"""Of a name on the board."""


class FriendsView(msgspec.Struct, frozen=True):
    """`worth`: points of each, `most`: of all together. `delay_ms`: how long it takes until one
    counts. `network_most`, `domain_most`: how many from one network and one mail domain count a
    day. `paid`: only who has paid counts; else who is verified and takes part."""

    worth: int
    most: int
    delay_ms: int
    network_most: int
    domain_most: int
    paid: bool


class CollectorsView(msgspec.Struct, frozen=True):
    """Points of each earlier drop of the maker in which somebody bought, and in whose line he got
    none; `most`: of all together."""

    bought: int
    missed: int
    most: int


class MissionRuleView(msgspec.Struct, frozen=True):
    """`kind`: code, answer or tap. `ends_ms`: until when, 0: as long as points count."""

    id: str
    title: str
    kind: str
    worth: int
    ends_ms: int


class GameRulesView(msgspec.Struct, frozen=True):
    """What gives points. `points_until`: seal or close. `most`: what one fan can have."""

    points_until: str
    most: int
    friends: FriendsView | None
    collectors: CollectorsView | None
    missions: list[MissionRuleView]


class PointRow(msgspec.Struct, frozen=True):
    """A row of the fan's book. `why`: friend, mission or collector. `title`: of the mission, or of
    the earlier drop; '' of a friend, who has no name here. `points`: what it is worth. `state`:
    waiting, counted, refused, taken_back or cured (refused first, and counted since its maker said
    so). `reason`: of `points_book.REASONS`, '' where it just counts. `at`: since when; `until`:
    when one that waits will count, 0 where that hangs on somebody."""

    why: str
    title: str
    points: int
    state: str
    reason: str
    at: int
    until: int = 0


class MissionView(msgspec.Struct, frozen=True):
    """`kind`: code, answer or tap. `state`: waiting, running or over. `ends`: until when. `done`:
    the fan has its points."""

    id: str
    title: str
    kind: str
    worth: int
    state: str
    ends: int
    done: bool


class BoardRow(msgspec.Struct, frozen=True):
    """Ties share a `rank`, and the next one is as far behind as there are names before it."""

    rank: int
    name: str
    points: int
    you: bool


class BoardView(msgspec.Struct, frozen=True):
    """Who let his name be shown, most points first. `on`: the fan is one of them, as `name`."""

    on: bool
    name: str
    rows: list[BoardRow]


class BadgeView(msgspec.Struct, frozen=True):
    """`kind`: of `badges.KINDS`. `title`: of the drop."""

    kind: str
    drop: str
    title: str
    at: int


class Game(msgspec.Struct, frozen=True):
    """Everything of one fan; who is nobody yet has an empty `code`, no rows and no points. `link`:
    what he shares, with his `code`; `card`: the picture of it. `points`: what counts for him, also
    before he stands in line. `came`: he came by a friend's link. `boosts_hour`: how often somebody
    was given points in the last hour."""

    link: str
    card: str
    code: str
    rules: GameRulesView
    points: int
    came: bool
    rows: list[PointRow]
    missions: list[MissionView]
    board: BoardView
    badges: list[BadgeView]
    boosts_hour: int


PARTS = (
    GameRulesView,
    FriendsView,
    CollectorsView,
    MissionRuleView,
    Game,
    PointRow,
    MissionView,
    BoardView,
    BoardRow,
    BadgeView,
)
"""What doors tell of a game."""


class Came(msgspec.Struct, frozen=True):
    """`ref`: the code of the link that he came by."""

    ref: Annotated[str, Meta(max_length=64)]


class Said(msgspec.Struct, frozen=True):
    """What somebody says for a mission."""

    mission: Annotated[str, Meta(max_length=64)]
    said: Annotated[str, Meta(max_length=SAID_CHARS_MAX)]


class OnBoard(msgspec.Struct, frozen=True):
    """`name`: how he wants to stand on the board; '' or `off`: not at all."""

    name: str = ""
    off: bool = False
