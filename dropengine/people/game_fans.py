"""Who plays in a drop: the code of his link, how many points he has, and whether the truth knows.

The truth is told a fan's whole sum, with a number that rises with each change (`Store.point`): so
it may be told twice, or late, and by whoever comes next.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.model import DropId, FanId
from dropengine.people.cohorts import LETTERS
from dropengine.sql.schema.game import CREDITED, GAME_FANS
from dropengine.wire_game import CODE_CHARS

AT_ONCE: Final = 400


_ONE = (GAME_FANS.c.drop_id == bindparam("drop"), GAME_FANS.c.fan == bindparam("of"))
# Made once, for whole crowds.
_POINTS = (
    update(GAME_FANS)
    .where(*_ONE, GAME_FANS.c.points != bindparam("sum"))
    .values(points=bindparam("sum"), at=GAME_FANS.c.at + 1, why=bindparam("because"), untold=1)
)
_TOLD = update(GAME_FANS).where(*_ONE, GAME_FANS.c.at == bindparam("then")).values(untold=0)
_ROW = select(GAME_FANS).where(*_ONE)


class GameFan(NamedTuple):
    """`points`: as of the change `at` of his book, which was the last one for `why`. `name`: on
    the board, '' where he does not stand there."""

    fan: FanId
    code: str
    points: int
    at: int
    why: str
    name: str


def find(sql: Connection, drop: DropId, fan: FanId) -> GameFan | None:
    """As who he is now, where he was a guest before."""
    row = _row(sql, drop, fan)
    if row is not None and row.became:
        row = _row(sql, drop, FanId(row.became))
    if row is None:
        return None
    return GameFan(FanId(row.fan), row.code, row.points, row.at, row.why, row.name)


def enter(sql: Connection, drop: DropId, fan: FanId, now_ms: int) -> GameFan:
    """He plays, and has a link. Harmless to repeat."""
    known = find(sql, drop, fan)
    if known is not None:
        return known
    code = _new_code(sql, drop)
    row = {"drop_id": drop, "fan": fan, "code": code, "since_ms": now_ms}
    sql.execute(insert(GAME_FANS).values(row))
    _begin(sql, drop)
    return GameFan(fan, code, 0, 0, "", "")


def enter_all(sql: Connection, drop: DropId, fans: Iterable[FanId], now_ms: int) -> list[FanId]:
    """All of these play; who they are now, each once. A whole line takes a few statements."""
    wanted = [*dict.fromkeys(fans)]
    # All of the drop: to name thousands in a question costs more than to read them.
    asked = select(GAME_FANS.c.fan, GAME_FANS.c.became, GAME_FANS.c.code)
    known, codes = dict[str, FanId](), set[str]()
    for row in sql.execute(asked.where(GAME_FANS.c.drop_id == drop)):
        known[row.fan] = FanId(row.became or row.fan)
        codes.add(row.code)
    rows = []
    for fan in wanted:
        if fan not in known:
            while (code := _made_up()) in codes:
                pass
            codes.add(code)
            rows.append({"drop_id": drop, "fan": fan, "code": code, "since_ms": now_ms})
    if rows:
        sql.execute(insert(GAME_FANS), rows)
        _begin(sql, drop)
    return [*dict.fromkeys(known.get(fan, fan) for fan in wanted)]


def fan_of_code(sql: Connection, drop: DropId, code: str) -> FanId | None:
    """Whose link it is, as he is now. What strangers write in an address is no code, and may be
    what a database cannot take."""
    said = code.strip().upper()
    if len(said) != CODE_CHARS or not set(said) <= set(LETTERS):
        return None
    here = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.code == said)
    row = sql.execute(select(GAME_FANS.c.fan, GAME_FANS.c.became).where(*here)).first()
    return None if row is None else FanId(row.became or row.fan)


def now_called(sql: Connection, drop: DropId, fans: Iterable[str]) -> dict[str, FanId]:
    """Of these, who plays -> who he is now."""
    found: dict[str, FanId] = {}
    names = [*dict.fromkeys(fans)]
    for first in range(0, len(names), AT_ONCE):
        asked = select(GAME_FANS.c.fan, GAME_FANS.c.became).where(
            GAME_FANS.c.drop_id == drop, GAME_FANS.c.fan.in_(names[first : first + AT_ONCE])
        )
        found |= {row.fan: FanId(row.became or row.fan) for row in sql.execute(asked)}
    return found


def set_points(sql: Connection, drop: DropId, fan: FanId, points: int, why: str) -> bool:
    """What counts for him now; the truth is to be told. False: it was so already."""
    now = {"drop": drop, "of": fan, "sum": points, "because": why}
    return sql.execute(_POINTS, now).rowcount == 1


def set_points_of(sql: Connection, drop: DropId, points: Mapping[FanId, int], why: str) -> None:
    """The same of many."""
    now = [{"drop": drop, "of": fan, "sum": n, "because": why} for fan, n in points.items()]
    if now:
        sql.execute(_POINTS, now)


def tell_again(sql: Connection, drop: DropId, fans: Sequence[FanId]) -> None:
    """They joined anew: their places know nothing of points."""
    for first in range(0, len(fans), AT_ONCE):
        again = update(GAME_FANS).where(
            *(GAME_FANS.c.drop_id == drop, GAME_FANS.c.points > 0),
            GAME_FANS.c.fan.in_(fans[first : first + AT_ONCE]),
        )
        sql.execute(again.values(at=GAME_FANS.c.at + 1, untold=1))


def tell_all_again(sql: Connection, drop: DropId) -> None:
    """The truth was restored, and may have forgotten what it was told last."""
    known = update(GAME_FANS).where(GAME_FANS.c.drop_id == drop, GAME_FANS.c.at > 0)
    sql.execute(known.values(at=GAME_FANS.c.at + 1, untold=1))


def untold(sql: Connection, drop: DropId, most: int) -> list[GameFan]:
    """Of whom the truth may not know the newest."""
    here = (GAME_FANS.c.drop_id == drop, GAME_FANS.c.untold == 1)
    rows = sql.execute(select(GAME_FANS).where(*here).order_by(GAME_FANS.c.fan).limit(most))
    return [GameFan(FanId(r.fan), r.code, r.points, r.at, r.why, r.name) for r in rows]


def told(sql: Connection, drop: DropId, fans: Sequence[GameFan]) -> None:
    """The truth knows them, as they were when it was told; or they have no place, and joining
    tells it."""
    if fans:
        sql.execute(_TOLD, [{"drop": drop, "of": one.fan, "then": one.at} for one in fans])


def becomes(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest is a person now. His link is the person's, and goes on."""
    old, his = _row(sql, drop, guest), _row(sql, drop, person)
    assert old is not None, f"{guest} plays in {drop}"
    if his is None:
        row = {"drop_id": drop, "fan": person, "since_ms": old.since_ms}
        sql.execute(insert(GAME_FANS).values(row | {"code": _new_code(sql, drop)}))
        his = _row(sql, drop, person)
    both = {"name": his.name or old.name, "why": his.why or old.why}
    if at := max(his.at, old.at):
        # The truth has the larger number of the two, and one sum of them.
        both |= {"at": at + 1, "untold": 1}
    sql.execute(update(GAME_FANS).where(*_here(drop, person)).values(both))
    gone = {"became": person, "points": 0, "untold": 0, "name": ""}
    sql.execute(update(GAME_FANS).where(*_here(drop, guest)).values(gone))


def or_nothing(sql: Connection, table: Any, *keys: str) -> Any:
    """Insert what is not there yet. Both engines say it alike, and SQLAlchemy has it once for
    each."""
    made = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(table)
    return made.on_conflict_do_nothing(index_elements=[*keys])


def _new_code(sql: Connection, drop: DropId) -> str:
    while True:
        code = _made_up()
        if fan_of_code(sql, drop, code) is None:
            return code


def _begin(sql: Connection, drop: DropId) -> None:
    """Its log is read from now on, from the first event on."""
    row = {"drop_id": drop, "seq": 0, "until_ms": 0, "over": 0}
    sql.execute(or_nothing(sql, CREDITED, "drop_id"), row)


def _made_up() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_CHARS))


def _row(sql: Connection, drop: DropId, fan: FanId) -> Any:
    return sql.execute(_ROW, {"drop": drop, "of": fan}).first()


def _here(drop: DropId, fan: FanId) -> tuple[Any, Any]:
    return GAME_FANS.c.drop_id == drop, GAME_FANS.c.fan == fan
