"""What the books have of one fan's reason: the few events that decided, wherever in a long log they
stand, and what the drop did as a whole. The rest of the log is not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine import events
from dropengine.log.why import Course, Own
from dropengine.model import DropId, FanId
from dropengine.sql.schema.ledger import ARRIVALS, COURSES, ENTRIES, OF_FANS, ROWS

MOST: Final = 1_000
"""Events of one name: of who did more the newest are read."""
AT_ONCE: Final = 400

T = TypeVar("T")

_course = msgspec.msgpack.Decoder(Course)


def read(sql: Connection, drop: DropId, fan: FanId) -> tuple[Own, Course] | None:
    """What `why` asks; None where the books do not know the drop yet."""
    asked = sa.select(COURSES.c.course).where(COURSES.c.drop_id == drop)
    course = sql.execute(asked).scalar()
    if course is None:
        return None
    beside, names = dict[int, int](), dict[FanId, None]()
    texts: dict[int, events.AnyEvent] = {}
    new = [fan]
    while new:
        names |= dict.fromkeys(new)
        found = dict(row for name in new for row in _numbers(sql, drop, name))
        beside |= found
        texts |= _events(sql, drop, found)
        adopted = [texts[seq] for seq in found if isinstance(texts[seq], events.Adopted)]
        new = [
            FanId(name)
            for one in adopted
            if isinstance(one, events.Adopted)
            for name in (one.fan, one.guest)
            if name not in names
        ]
    own = [texts[seq] for seq in sorted(texts)]
    left = {seq: other for seq, other in beside.items() if other}
    others = _events(sql, drop, left.values())
    return (
        Own(
            own,
            {seq: others[other] for seq, other in left.items()},
            _arrivals(sql, drop, own),
            _came(sql, drop, names),
        ),
        _course.decode(course),
    )


def events_of(sql: Connection, drop: DropId, fan: FanId) -> list[events.AnyEvent]:
    """What decides about one name, in the order of the log."""
    found = _events(sql, drop, dict(_numbers(sql, drop, fan)))
    return [found[seq] for seq in sorted(found)]


def _numbers(sql: Connection, drop: DropId, fan: FanId) -> Iterator[tuple[int, int]]:
    asked = sa.select(OF_FANS.c.seq, OF_FANS.c.beside).where(
        OF_FANS.c.drop_id == drop, OF_FANS.c.fan == fan
    )
    for row in sql.execute(asked.order_by(OF_FANS.c.seq.desc()).limit(MOST)):
        yield row.seq, row.beside


def _events(sql: Connection, drop: DropId, wanted: Iterable[int]) -> dict[int, events.AnyEvent]:
    found: dict[int, events.AnyEvent] = {}
    for some in _parts([*wanted]):
        asked = sa.select(ROWS.c.seq, ROWS.c.line)
        here = asked.where(ROWS.c.drop_id == drop, ROWS.c.seq.in_(some))
        found |= {row.seq: events.parse(row.line) for row in sql.execute(here)}
    return found


def _arrivals(sql: Connection, drop: DropId, own: Sequence[events.AnyEvent]) -> dict[str, int]:
    """Of entries that joined a list: which arrival chance gave them."""
    listed = [e.entry for e in own if isinstance(e, events.Joined) and not e.n]
    found: dict[str, int] = {}
    for some in _parts(listed):
        asked = sa.select(ENTRIES.c.entry, ENTRIES.c.n)
        here = asked.where(ENTRIES.c.drop_id == drop, ENTRIES.c.entry.in_(some))
        found |= {row.entry: row.n for row in sql.execute(here)}
    return found


def _came(sql: Connection, drop: DropId, names: Iterable[FanId]) -> int:
    asked = sa.select(sa.func.min(ARRIVALS.c.at_ms)).where(
        ARRIVALS.c.drop_id == drop, ARRIVALS.c.fan.in_([*names])
    )
    return int(sql.execute(asked).scalar() or 0)


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
