"""Missions of a drop: its maker starts and ends them, fans do them once.

A word that is said to everybody is kept as it is, for the maker reads it off; the answer to a
question only as a hash of it. What somebody types is compared without its case and its spaces, and
takes as long whether it is right or not.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple
from unicodedata import normalize

from sqlalchemy import Connection, func, insert, select, update

from dropengine.manifest import Mission
from dropengine.model import DropId, FanId
from dropengine.people import game_fans, points_book
from dropengine.sql.schema.game import MISSIONS, POINTS_BOOK

CODE: Final = "code"
TAP: Final = "tap"
RUNNING: Final = "running"
OVER: Final = "over"
WAITING: Final = "waiting"
SALT_BYTES: Final = 16


class MissionRow(NamedTuple):
    """One that was started. `said`: the word of a code, '' else. `done`: fans who did it."""

    id: str
    state: str
    said: str
    started_ms: int
    ends_ms: int
    done: int


class Told(StrEnum):
    """What became of what somebody typed."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_RUNNING = "not_running"


def plain(said: str) -> str:
    """As it is compared."""
    return "".join(normalize("NFKC", said).casefold().split())


def start(
    sql: Connection, drop: DropId, mission: Mission, said: str, ends_ms: int, now_ms: int
) -> bool:
    """From now on it runs, until `ends_ms` at most (0: as its manifest says). said: what is to be
    typed. False: it runs or is over, points count no more, or a word that must be said is
    missing."""
    needed = mission.kind != TAP
    if _row(sql, drop, mission.id) is not None or (needed and not plain(said)):
        return False
    ended = points_book.ended_ms(sql, drop)
    if ended or (mission.ends_ms and mission.ends_ms <= now_ms):
        return False
    salt = secrets.token_hex(SALT_BYTES)
    row = {
        "drop_id": drop,
        "mission": mission.id,
        "state": RUNNING,
        "said": said.strip() if mission.kind == CODE else "",
        "salt": salt,
        "hash": _hash(salt, said) if needed else "",
        "started_ms": now_ms,
        "ends_ms": min(filter(None, (ends_ms, mission.ends_ms)), default=0),
    }
    sql.execute(insert(MISSIONS).values(row))
    return True


def end(sql: Connection, drop: DropId, mission: str, now_ms: int) -> bool:
    """It is over. False: it did not run."""
    here = (*_here(drop, mission), MISSIONS.c.state == RUNNING)
    ended = update(MISSIONS).where(*here).values(state=OVER, ends_ms=now_ms)
    return sql.execute(ended).rowcount == 1


def of_drop(sql: Connection, drop: DropId, now_ms: int = 0) -> list[MissionRow]:
    """Those that were started. now_ms: what has ended by then is over, and all when points
    count no more."""
    ended = points_book.ended_ms(sql, drop)
    mine = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.source == points_book.MISSION)
    asked = select(POINTS_BOOK.c.source_id, func.count()).where(*mine)
    done = {row[0]: row[1] for row in sql.execute(asked.group_by(POINTS_BOOK.c.source_id))}
    order = (MISSIONS.c.started_ms, MISSIONS.c.mission)
    rows = sql.execute(select(MISSIONS).where(MISSIONS.c.drop_id == drop).order_by(*order))
    return [
        MissionRow(
            id=row.mission,
            state=OVER if ended else _state(row, now_ms),
            said=row.said,
            started_ms=row.started_ms,
            ends_ms=row.ends_ms,
            done=done.get(row.mission, 0),
        )
        for row in rows
    ]


def say(
    sql: Connection, drop: DropId, mission: Mission, fan: FanId, said: str, now_ms: int
) -> Told:
    """A fan types something. Right once more is right, and gives nothing more."""
    row = _row(sql, drop, mission.id)
    runs = row is not None and mission.kind != TAP and _state(row, now_ms) == RUNNING
    if not runs or points_book.ended_ms(sql, drop):
        return Told.NOT_RUNNING
    if not hmac.compare_digest(row.hash, _hash(row.salt, said)):
        return Told.WRONG
    _done(sql, drop, mission, fan, now_ms)
    return Told.RIGHT


def tap(sql: Connection, drop: DropId, mission: Mission, fans: Sequence[FanId], now_ms: int) -> int:
    """The maker ticks it off for these; how many had not done it."""
    row = _row(sql, drop, mission.id)
    if row is None or mission.kind != TAP or _state(row, now_ms) != RUNNING:
        return 0
    theirs = game_fans.enter_all(sql, drop, fans, now_ms)
    return points_book.give_all(sql, drop, theirs, mission.id, mission.worth, now_ms)


def _done(sql: Connection, drop: DropId, mission: Mission, fan: FanId, now_ms: int) -> bool:
    him = game_fans.enter(sql, drop, fan, now_ms).fan
    source = points_book.MISSION
    return points_book.give(sql, drop, him, source, mission.id, mission.worth, now_ms)


def _state(row: Any, now_ms: int) -> str:
    return OVER if row.state == OVER or 0 < row.ends_ms <= now_ms else RUNNING


def _hash(salt: str, said: str) -> str:
    return hashlib.sha256(f"{salt} {plain(said)}".encode()).hexdigest()


def _row(sql: Connection, drop: DropId, mission: str) -> Any:
    return sql.execute(select(MISSIONS).where(*_here(drop, mission))).first()


def _here(drop: DropId, mission: str) -> tuple[Any, Any]:
    return MISSIONS.c.drop_id == drop, MISSIONS.c.mission == mission
