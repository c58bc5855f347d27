"""The board of a drop: who has most points, of those who let their names be shown. A name is text
that its fan chose, and goes when he says so."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select, update

from dropengine import plain_text
from dropengine.model import DropId, FanId
from dropengine.sql.schema.game import GAME_FANS
from dropengine.wire_game import NAME_CHARS_MAX

SHOWN_MOST: Final = 20


class Standing(NamedTuple):
    """Ties share a `rank`."""

    rank: int
    name: str
    points: int
    fan: FanId


def fault_in(name: str) -> str:
    """Why a board cannot show it, as the end of a sentence; '' when it can."""
    if not name or len(name) > NAME_CHARS_MAX:
        return f"must be 1 to {NAME_CHARS_MAX} characters"
    return plain_text.unfit(name, paragraphs=False)


def show(sql: Connection, drop: DropId, fan: FanId, name: str) -> None:
    """He stands on it from now on, or, with '', not any more."""
    here = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.fan == fan)
    sql.execute(update(GAME_FANS).where(*here).values(name=name))


def rows(sql: Connection, drop: DropId) -> list[Standing]:
    """The first of it, who has as many points by name."""
    shown = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.name != "", GAME_FANS.c.points > 0)
    order = (GAME_FANS.c.points.desc(), GAME_FANS.c.name, GAME_FANS.c.fan)
    found: list[Standing] = []
    for place, row in enumerate(
        sql.execute(select(GAME_FANS).where(*shown).order_by(*order).limit(SHOWN_MOST)), 1
    ):
        tie = bool(found) and found[-1].points == row.points
        rank = found[-1].rank if tie else place
        found.append(Standing(rank, row.name, row.points, FanId(row.fan)))
    return found


def rank_of(sql: Connection, drop: DropId, points: int) -> int:
    """Where somebody with so many stands."""
    ahead = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.name != "", GAME_FANS.c.points > points)
    return 1 + (sql.execute(select(func.count()).where(*ahead)).scalar() or 0)
