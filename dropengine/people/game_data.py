"""What the game knows of a person: he takes it with him, and ends it. And what nobody needs any
more when a drop is over: who knows whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Select, Text, cast, delete, select, update

from dropengine.model import DropId, FanId
from dropengine.people import badges, game_fans, points_book, referrals
from dropengine.sql.schema.game import (
    BADGES,
    CREDITED,
    GAME_DEVICES,
    GAME_FANS,
    MISSIONS,
    POINTS_BOOK,
    REFERRALS,
)

Who = Callable[[DropId], Iterable[str]]
"""Whom somebody may be in a drop."""


def export(sql: Connection, who: Who) -> list[dict[str, object]]:
    """All of it, drop by drop. Who his friends are is theirs."""
    return [
        {
            "drop": drop,
            "code": one.code,
            "points": one.points,
            "on_the_board_as": one.name,
            "came_by_a_link": referrals.find(sql, drop, one.fan) is not None,
            "book": [
                {"why": row.source, "points": row.worth, "state": row.state}
                | {"reason": row.reason, "at_ms": row.made_ms}
                | ({"of": row.source_id} if row.source != points_book.FRIEND else {})
                for row in points_book.of_fan(sql, drop, one.fan)
            ],
            "badges": [
                {"kind": badge.kind, "at_ms": badge.at_ms}
                for badge in badges.of_fan(sql, drop, one.fan)
            ],
        }
        for drop, one in _of(sql, who)
    ]


def erase(sql: Connection, who: Who) -> None:
    """His name, points and badges. Whose friend he was in a drop that is not over is kept until it
    is: whoever erases himself and comes back is nobody's new friend."""
    for drop, one in _of(sql, who):
        for table in (BADGES, POINTS_BOOK):
            here = (table.c.drop_id == drop, table.c.fan == one.fan)
            sql.execute(delete(table).where(*here))
        here = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.fan == one.fan)
        nothing = {"points": 0, "name": "", "why": points_book.TAKEN_BACK}
        told = {"at": GAME_FANS.c.at + 1, "untold": 1} if one.points else {}
        sql.execute(update(GAME_FANS).where(*here).values(nothing | told))


def any_over(sql: Connection) -> bool:
    """Is there somebody's friend or browser, or a mission's word, of a drop that is over?"""
    return any(
        sql.execute(asked.limit(1)).first()
        for asked in (
            select(REFERRALS.c.friend).where(REFERRALS.c.drop_id.in_(_over())),
            select(GAME_DEVICES.c.fan).where(GAME_DEVICES.c.drop_id.in_(_over())),
            select(MISSIONS.c.mission).where(
                MISSIONS.c.drop_id.in_(_over()), MISSIONS.c.hash != ""
            ),
        )
    )


def forget_over(sql: Connection) -> None:
    """Who came by whom, whence, and what was to be typed."""
    for table in (REFERRALS, GAME_DEVICES):
        sql.execute(delete(table).where(table.c.drop_id.in_(_over())))
    friends = update(POINTS_BOOK).where(
        POINTS_BOOK.c.drop_id.in_(_over()), POINTS_BOOK.c.source == points_book.FRIEND
    )
    nobody = {"source_id": cast(POINTS_BOOK.c.n, Text), "network": "", "domain": ""}
    sql.execute(friends.values(nobody))
    words = update(MISSIONS).where(MISSIONS.c.drop_id.in_(_over()))
    sql.execute(words.values(said="", salt="", hash=""))


def _over() -> Select[tuple[str]]:
    return select(CREDITED.c.drop_id).where(CREDITED.c.over == 1)


def _of(sql: Connection, who: Who) -> list[tuple[DropId, game_fans.GameFan]]:
    """Where he plays, and as whom."""
    found = []
    for drop in sql.execute(select(CREDITED.c.drop_id).order_by(CREDITED.c.drop_id)).scalars():
        for fan in who(DropId(drop)):
            one = game_fans.find(sql, DropId(drop), FanId(fan))
            if one is not None and (DropId(drop), one) not in found:
                found.append((DropId(drop), one))
    return found
