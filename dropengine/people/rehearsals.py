"""Rehearsals that people asked for, and what each came to: who asks writes a row, who rehearses
takes it, tells in it how it goes, and looks in it whether to stop.

One runs at a time in a shop: two would measure each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from dropengine.people import audit_trail
from dropengine.rehearsal_report import Asked, Progress, RehearsalReport
from dropengine.sql.schema.rehearsals import REHEARSALS

KEPT_MAX: Final = 20
"""Of each drop; with one more the oldest goes."""
SILENT_MS_MAX: Final = 30_000
"""Whoever rehearses says so once a second; silent for so long, nobody does."""
GONE: Final = "The process that rehearsed has ended, so there is no report. Start it again."
WAITED: Final = "Nobody took it up: the process that keeps the books does not run."


class State(StrEnum):
    """wanted -> running -> done, stopped or failed; what is wanted may be stopped, too."""

    WANTED = "wanted"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


GOES_ON: Final = (State.WANTED, State.RUNNING)


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """One row. says: why it ended without a report."""

    id: str
    drop: str
    at_ms: int
    by: str
    asked: Asked
    state: State
    beat_ms: int
    stop: bool
    says: str
    progress: Progress | None
    report: RehearsalReport | None

    @property
    def goes_on(self) -> bool:
        return self.state in GOES_ON


class Answer(StrEnum):
    """To who asks for one."""

    BEGINS = "begins"
    REPEATED = "repeated"
    ANOTHER = "another"
    """One goes on already, of whichever drop."""


def ask(sql: Connection, drop: str, asked: Asked, *, by: str, key: str, now_ms: int) -> Answer:
    """Wanted from now on. key: the asker's own; he gets one rehearsal for it, however often he
    asks."""
    if sql.execute(select(REHEARSALS.c.id).where(REHEARSALS.c.key == key)).first() is not None:
        return Answer.REPEATED
    let_go(sql, now_ms)
    if going_on(sql) is not None:
        return Answer.ANOTHER
    _insert(sql, drop, asked, by, now_ms, key=key, state=State.WANTED, report="")
    return Answer.BEGINS


def keep(sql: Connection, report: RehearsalReport, by: str, now_ms: int) -> None:
    """One that was made elsewhere on this machine."""
    text = msgspec.json.encode(report).decode()
    _insert(sql, report.drop, report.asked, by, now_ms, key="", state=State.DONE, report=text)


def _insert(
    sql: Connection,
    drop: str,
    asked: Asked,
    by: str,
    now_ms: int,
    *,
    key: str,
    state: State,
    report: str,
) -> None:
    sql.execute(
        insert(REHEARSALS).values(
            id=audit_trail.new_id(now_ms),
            drop_id=drop,
            at_ms=now_ms,
            by=by,
            key=key,
            asked=msgspec.json.encode(asked).decode(),
            state=state,
            beat_ms=now_ms,
            stop=0,
            progress="",
            says="",
            report=report,
        )
    )
    _forget_oldest(sql, drop)


def _forget_oldest(sql: Connection, drop: str) -> None:
    mine = select(REHEARSALS.c.id).where(REHEARSALS.c.drop_id == drop)
    ids = sql.execute(mine.order_by(REHEARSALS.c.id.desc()).offset(KEPT_MAX)).scalars().all()
    if ids:
        sql.execute(delete(REHEARSALS).where(REHEARSALS.c.id.in_(ids)))


def going_on(sql: Connection) -> Rehearsal | None:
    """The one that runs or is wanted, of whichever drop."""
    found = sql.execute(select(REHEARSALS).where(REHEARSALS.c.state.in_(GOES_ON))).first()
    return None if found is None else _read(found)


def take(sql: Connection, now_ms: int) -> Rehearsal | None:
    """The one that is wanted: it runs from now on, and is the caller's to run."""
    found = sql.execute(select(REHEARSALS).where(REHEARSALS.c.state == State.WANTED)).first()
    if found is None:
        return None
    taken = sql.execute(
        update(REHEARSALS)
        .where(REHEARSALS.c.id == found.id, REHEARSALS.c.state == State.WANTED)
        .values(state=State.RUNNING, beat_ms=now_ms)
    )
    return _read(found) if taken.rowcount else None


def beat(sql: Connection, rehearsal: str, progress: Progress | None, now_ms: int) -> bool:
    """Tell how it goes. Whether it goes on: nobody asked for its end, nor gave it up."""
    text = {} if progress is None else {"progress": msgspec.json.encode(progress).decode()}
    told = sql.execute(
        update(REHEARSALS)
        .where(REHEARSALS.c.id == rehearsal, REHEARSALS.c.state == State.RUNNING)
        .values(beat_ms=now_ms, **text)
    )
    asked = select(REHEARSALS.c.stop).where(REHEARSALS.c.id == rehearsal)
    return bool(told.rowcount) and not sql.execute(asked).scalar()


def end(
    sql: Connection, rehearsal: str, state: State, *, says: str, report: RehearsalReport | None
) -> None:
    """It is over."""
    text = "" if report is None else msgspec.json.encode(report).decode()
    sql.execute(
        update(REHEARSALS)
        .where(REHEARSALS.c.id == rehearsal, REHEARSALS.c.state == State.RUNNING)
        .values(state=state, says=says, report=text, progress="")
    )


def stop(sql: Connection, drop: str) -> bool:
    """Ask for the end of what goes on for a drop. Whether there was anything."""
    mine = REHEARSALS.c.drop_id == drop
    waiting = sql.execute(
        update(REHEARSALS)
        .where(mine, REHEARSALS.c.state == State.WANTED)
        .values(state=State.STOPPED, says="")
    )
    running = sql.execute(
        update(REHEARSALS).where(mine, REHEARSALS.c.state == State.RUNNING).values(stop=1)
    )
    return bool(waiting.rowcount or running.rowcount)


def let_go(sql: Connection, now_ms: int) -> None:
    """Those of which nothing was heard for long have ended with their process."""
    for state, says in ((State.RUNNING, GONE), (State.WANTED, WAITED)):
        sql.execute(
            update(REHEARSALS)
            .where(REHEARSALS.c.state == state, REHEARSALS.c.beat_ms < now_ms - SILENT_MS_MAX)
            .values(state=State.FAILED, says=says, progress="")
        )


def as_heard(one: Rehearsal, now_ms: int) -> Rehearsal:
    """The same, as over when nothing was heard of it for long: that is written down by whoever
    takes the next."""
    if not one.goes_on or now_ms - one.beat_ms <= SILENT_MS_MAX:
        return one
    says = GONE if one.state is State.RUNNING else WAITED
    return msgspec.structs.replace(one, state=State.FAILED, says=says, progress=None)


def of_drop(sql: Connection, drop: str) -> list[Rehearsal]:
    """The newest first."""
    mine = select(REHEARSALS).where(REHEARSALS.c.drop_id == drop)
    rows: Sequence[Row[Any]] = sql.execute(mine.order_by(REHEARSALS.c.id.desc())).all()
    return [_read(row) for row in rows]


def last_report(sql: Connection, drop: str) -> RehearsalReport | None:
    """Of the newest rehearsal that came to one."""
    mine = select(REHEARSALS.c.report).where(
        REHEARSALS.c.drop_id == drop, REHEARSALS.c.state == State.DONE
    )
    text = sql.execute(mine.order_by(REHEARSALS.c.id.desc()).limit(1)).scalar()
    return _report(text or "")


def _read(row: Row[Any]) -> Rehearsal:
    return Rehearsal(
        id=row.id,
        drop=row.drop_id,
        at_ms=row.at_ms,
        by=row.by,
        asked=msgspec.json.decode(row.asked, type=Asked),
        state=State(row.state),
        beat_ms=row.beat_ms,
        stop=bool(row.stop),
        says=row.says,
        progress=msgspec.json.decode(row.progress, type=Progress) if row.progress else None,
        report=_report(row.report),
    )


def _report(text: str) -> RehearsalReport | None:
    """None also of one that another version wrote in a form that is not known here."""
    try:
        return msgspec.json.decode(text, type=RehearsalReport) if text else None
    except msgspec.ValidationError:
        return None
