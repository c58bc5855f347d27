"""Badges: what a fan was in a drop, kept when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select, tuple_

from dropengine.model import DropId, FanId
from dropengine.people.game_fans import AT_ONCE, or_nothing
from dropengine.sql.schema.game import BADGES

FIRST_FRIEND: Final = "first_friend"
FIVE_FRIENDS: Final = "five_friends"
MISSION: Final = "mission"
SERVED_BY_BOOST: Final = "served_by_boost"
WAITED: Final = "waited"
COLLECTOR: Final = "collector"
KINDS: Final = (FIRST_FRIEND, FIVE_FRIENDS, MISSION, SERVED_BY_BOOST, WAITED, COLLECTOR)


class Badge(NamedTuple):
    """`kind`: of `KINDS`."""

    drop: DropId
    kind: str
    at_ms: int


def award(sql: Connection, drop: DropId, fans: Iterable[str], kind: str, at_ms: int) -> None:
    """They have it from now on. Harmless to repeat: since when stays."""
    rows = [{"drop_id": drop, "fan": fan, "kind": kind, "at_ms": at_ms} for fan in fans]
    if rows:
        sql.execute(or_nothing(sql, BADGES, "drop_id", "fan", "kind"), rows)


def of_fan(sql: Connection, drop: DropId, fan: FanId) -> list[Badge]:
    """In one drop, the first one first."""
    here = (BADGES.c.drop_id == drop, BADGES.c.fan == fan)
    rows = sql.execute(select(BADGES).where(*here).order_by(BADGES.c.at_ms, BADGES.c.kind))
    return [Badge(DropId(row.drop_id), row.kind, row.at_ms) for row in rows]


def of_somebody(sql: Connection, who: Callable[[DropId], Iterable[str]]) -> list[Badge]:
    """In all drops, the newest first. who: whom he may be in a drop."""
    drops = [DropId(drop) for drop in sql.execute(select(BADGES.c.drop_id).distinct()).scalars()]
    him = [(drop, fan) for drop in drops for fan in who(drop)]
    found: list[Badge] = []
    for first in range(0, len(him), AT_ONCE):
        mine = tuple_(BADGES.c.drop_id, BADGES.c.fan).in_(him[first : first + AT_ONCE])
        rows = sql.execute(select(BADGES).where(mine))
        found += [Badge(DropId(row.drop_id), row.kind, row.at_ms) for row in rows]
    return sorted(found, key=lambda one: (-one.at_ms, one.drop, one.kind))


def move(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest is a person now."""
    for one in of_fan(sql, drop, guest):
        award(sql, drop, [person], one.kind, one.at_ms)
    sql.execute(delete(BADGES).where(BADGES.c.drop_id == drop, BADGES.c.fan == guest))
