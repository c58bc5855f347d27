"""The book of points: a row for each reason why a fan has some, might have, or has none.

Whether a row counts is decided by rules alone, in the order in which rows are due: so it comes out
the same whoever decides, and however often he was killed over it. A rule that refuses says which it
is; a drop's maker may let a refused row count.

Whoever writes does so in one transaction that nobody else changes people in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from dropengine.manifest import Friends, GameRules
from dropengine.model import POINTS, DropId, FanId
from dropengine.people import badges, game_fans, referrals
from dropengine.people.referrals import Referral
from dropengine.people.taking_part import takes_part
from dropengine.sql.schema.game import CREDITED, POINTS_BOOK

FRIEND: Final = "friend"
MISSION: Final = "mission"
COLLECTOR: Final = "collector"
TAKEN_BACK: Final = "taken_back"
"""Why a fan has other points now: as `Pointing.why` and the event have it."""

WAITING: Final = "waiting"
COUNTED: Final = "counted"
REFUSED: Final = "refused"
CURED: Final = "cured"
COUNTS: Final = (COUNTED, CURED)

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "not_yet": WAITING,
        "unpaid": WAITING,
        "delay": WAITING,
        "self": REFUSED,
        "cycle": REFUSED,
        "device": REFUSED,
        "here_before": REFUSED,
        "gone": REFUSED,
        "most": REFUSED,
        "network": REFUSED,
        "domain": REFUSED,
        "late": REFUSED,
        "refunded": TAKEN_BACK,
    }
)
"""Why a row does not count -> the state that it is in then."""

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
DECIDED_AT_ONCE: Final = 500
SHOWN_MOST: Final = 100
REFUSED_SHOWN_MOST: Final = 20


_IN = POINTS_BOOK.c.drop_id == bindparam("drop")
# Made once: a crowd's friends are thousands of rows, and to make a statement costs more than to run
# it.
_NEW = insert(POINTS_BOOK)
_LAST = select(func.max(POINTS_BOOK.c.n)).where(_IN)
_KNOWN = select(POINTS_BOOK.c.n).where(
    *(_IN, POINTS_BOOK.c.fan == bindparam("of"), POINTS_BOOK.c.source == bindparam("by")),
    POINTS_BOOK.c.source_id == bindparam("which"),
)
_CHANGE = update(POINTS_BOOK).where(_IN, POINTS_BOOK.c.n == bindparam("row"))
_FROM = {
    what: select(func.count()).where(
        *(_IN, POINTS_BOOK.c.source == FRIEND, POINTS_BOOK.c[what] == bindparam("word")),
        POINTS_BOOK.c.counted_ms > bindparam("since_ms"),
        POINTS_BOOK.c.counted_ms <= bindparam("until_ms"),
        # Whom the maker let count takes nobody's place.
        POINTS_BOOK.c.reason.in_(("", "refunded")),
    )
    for what in ("network", "domain")
}


class BookRow(NamedTuple):
    """`n`: its number in the drop."""

    n: int
    fan: FanId
    source: str
    source_id: str
    worth: int
    made_ms: int
    due_ms: int
    state: str
    reason: str
    network: str
    domain: str


class RefusedRow(NamedTuple):
    """As who runs the drop reads it."""

    id: int
    fan: FanId
    source: str
    source_id: str
    worth: int
    reason: str
    at_ms: int


class Tally(NamedTuple):
    """Of one state."""

    rows: int
    points: int


def of_fan(sql: Connection, drop: DropId, fan: FanId) -> list[BookRow]:
    """His rows, the newest first; of very many refused ones the newest."""
    newest = select(POINTS_BOOK).where(POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.fan == fan)
    newest = newest.order_by(POINTS_BOOK.c.n.desc())
    well = newest.where(POINTS_BOOK.c.state != REFUSED).limit(SHOWN_MOST)
    badly = newest.where(POINTS_BOOK.c.state == REFUSED).limit(REFUSED_SHOWN_MOST)
    rows = [_row(row) for asked in (well, badly) for row in sql.execute(asked)]
    return sorted(rows, key=lambda row: -row.n)


def of_source(sql: Connection, drop: DropId, fan: FanId, source: str) -> dict[str, int]:
    """What he was given of one kind -> what it is worth."""
    rows = _rows(sql, *_of(drop, fan, source))
    return {row.source_id: row.worth for row in rows}


def friend(
    sql: Connection,
    drop: DropId,
    rules: Friends,
    one: Referral,
    since_ms: int,
) -> None:
    """Somebody whom a fan brought takes part, or has paid, since then: he counts after the delay,
    unless that can never be. Harmless to repeat."""
    wrong = one.wrong or ("here_before" if 0 < one.first_ms < one.at_ms else "")
    _put(
        sql,
        drop,
        fan=one.referrer,
        source=FRIEND,
        source_id=one.friend,
        worth=rules.worth,
        made_ms=since_ms,
        due_ms=since_ms + rules.delay_ms,
        state=REFUSED if wrong else WAITING,
        reason=wrong or "delay",
        network=one.network,
        domain=one.domain,
    )


def give(
    sql: Connection, drop: DropId, fan: FanId, source: str, source_id: str, worth: int, now_ms: int
) -> bool:
    """A mission was done, or an earlier drop counts: at once. False: he had that, or points count
    no more."""
    if ended_ms(sql, drop):
        return False
    known = {"fan": fan, "source": source, "source_id": source_id, "worth": worth}
    new = _put(sql, drop, **known, made_ms=now_ms, due_ms=now_ms, state=COUNTED, counted_ms=now_ms)
    if new:
        kind = badges.MISSION if source == MISSION else badges.COLLECTOR
        badges.award(sql, drop, [fan], kind, now_ms)
        _sum(sql, drop, fan, source)
    return new


def give_all(
    sql: Connection, drop: DropId, fans: Sequence[FanId], mission: str, worth: int, now_ms: int
) -> int:
    """A mission was done by all of these, who play; how many had not done it. A whole line of them
    takes a few statements."""
    if ended_ms(sql, drop):
        return 0
    done = select(POINTS_BOOK.c.fan).where(
        *(POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.source == MISSION),
        POINTS_BOOK.c.source_id == mission,
    )
    had = set(sql.execute(done).scalars())
    new = [fan for fan in fans if fan not in had]
    last = sql.execute(_LAST, {"drop": drop}).scalar() or 0
    every = {"drop_id": drop, "source": MISSION, "source_id": mission, "worth": worth}
    every |= {"made_ms": now_ms, "due_ms": now_ms, "counted_ms": now_ms, "state": COUNTED}
    rows = [every | {"fan": fan, "n": last + n} for n, fan in enumerate(new, 1)]
    if rows:
        sql.execute(insert(POINTS_BOOK), rows)
    badges.award(sql, drop, new, badges.MISSION, now_ms)
    sums = select(POINTS_BOOK.c.fan, func.sum(POINTS_BOOK.c.worth)).where(
        POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.state.in_(COUNTS)
    )
    # All of the drop: to name thousands in a question costs more than to read them.
    points = {fan: int(sum_) for fan, sum_ in sql.execute(sums.group_by(POINTS_BOOK.c.fan))}
    game_fans.set_points_of(sql, drop, {fan: min(POINTS, points[fan]) for fan in new}, MISSION)
    return len(new)


def due(sql: Connection, drop: DropId, now_ms: int) -> bool:
    """Is there a row to decide?"""
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.state == WAITING)
    asked = select(POINTS_BOOK.c.n).where(*here, POINTS_BOOK.c.due_ms <= now_ms).limit(1)
    return sql.execute(asked).first() is not None


def decide(sql: Connection, drop: DropId, rules: GameRules, now_ms: int) -> int:
    """What is due counts, or is refused; how many rows."""
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.state == WAITING)
    order = (POINTS_BOOK.c.due_ms, POINTS_BOOK.c.n)
    asked = select(POINTS_BOOK).where(*here, POINTS_BOOK.c.due_ms <= now_ms).order_by(*order)
    rows = [_row(row) for row in sql.execute(asked.limit(DECIDED_AT_ONCE))]
    until_ms = ended_ms(sql, drop)
    left: dict[FanId, int] = {}
    now_counts: dict[FanId, int] = {}
    for row in rows:
        assert rules.friends is not None, "only friends are waited for"
        if row.fan not in left:
            left[row.fan] = rules.friends.most - _counted_of(sql, drop, row.fan)
        reason = _refusal(sql, drop, rules.friends, row, left[row.fan])
        if until_ms and row.due_ms >= until_ms:
            reason = "late"
        elif not takes_part(sql, drop, FanId(row.source_id), row.due_ms):
            reason = "gone"
        if reason:
            _change(sql, drop, row.n, state=REFUSED, reason=reason)
            continue
        worth = min(row.worth, left[row.fan])
        left[row.fan] -= worth
        _change(sql, drop, row.n, state=COUNTED, reason="", worth=worth, counted_ms=row.due_ms)
        now_counts[row.fan] = row.due_ms
    for fan, at_ms in now_counts.items():
        _friends_count(sql, drop, fan, at_ms)
    return len(rows)


def ended_ms(sql: Connection, drop: DropId) -> int:
    """When points ended to count, 0: they do count."""
    asked = select(CREDITED.c.until_ms).where(CREDITED.c.drop_id == drop)
    return sql.execute(asked).scalar() or 0


def end(sql: Connection, drop: DropId, rules: GameRules, at_ms: int) -> None:
    """Points count no more: what was not due before never will. Harmless to repeat."""
    while decide(sql, drop, rules, at_ms - 1):
        pass
    first = (CREDITED.c.drop_id == drop, CREDITED.c.until_ms == 0)
    sql.execute(update(CREDITED).where(*first).values(until_ms=at_ms))
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.state == WAITING)
    sql.execute(update(POINTS_BOOK).where(*here).values(state=REFUSED, reason="late"))


def plays_with(sql: Connection, drop: DropId, fan: FanId, device: str) -> None:
    """He plays with this browser: a friend who came with it, and did not count yet, never does."""
    for friend_of_his in referrals.plays_with(sql, drop, fan, device):
        here = (*_of(drop, fan, FRIEND), POINTS_BOOK.c.source_id == friend_of_his)
        waits = update(POINTS_BOOK).where(*here, POINTS_BOOK.c.state == WAITING)
        sql.execute(waits.values(state=REFUSED, reason="device"))


def take_back(sql: Connection, drop: DropId, friend: FanId) -> None:
    """This friend has his money back: he does not count, now or later."""
    here = (
        *(POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.source == FRIEND),
        *(POINTS_BOOK.c.source_id == friend, POINTS_BOOK.c.state.in_((WAITING, *COUNTS))),
    )
    for row in _rows(sql, *here):
        _change(sql, drop, row.n, state=TAKEN_BACK, reason="refunded")
        if row.state == CURED:
            # He took nobody's place, and takes none now.
            _change(sql, drop, row.n, counted_ms=0)
        _sum(sql, drop, row.fan, TAKEN_BACK)


def cure(sql: Connection, drop: DropId, n: int, now_ms: int) -> bool:
    """The maker lets a refused row count. False: there is none, it was not refused, or points count
    no more."""
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.n == n, POINTS_BOOK.c.state == REFUSED)
    found = sql.execute(select(POINTS_BOOK).where(*here)).first()
    if found is None or ended_ms(sql, drop):
        return False
    # Why it had been refused goes on being told.
    _change(sql, drop, n, state=CURED, counted_ms=now_ms)
    if found.source == FRIEND:
        _friends_count(sql, drop, FanId(found.fan), now_ms)
    else:
        _sum(sql, drop, FanId(found.fan), found.source)
    return True


def refused(sql: Connection, drop: DropId, after: int, limit: int) -> list[RefusedRow]:
    """The newest first; of those before the row `after`, 0: from the newest on."""
    here = [POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.state == REFUSED]
    if after:
        here.append(POINTS_BOOK.c.n < after)
    newest = select(POINTS_BOOK).where(*here).order_by(POINTS_BOOK.c.n.desc()).limit(limit)
    return [
        RefusedRow(row.n, row.fan, row.source, row.source_id, row.worth, row.reason, row.made_ms)
        for row in map(_row, sql.execute(newest))
    ]


def tallies(sql: Connection, drop: DropId) -> dict[str, Tally]:
    """State -> how many rows are in it, and what they are worth."""
    counted = select(POINTS_BOOK.c.state, func.count(), func.sum(POINTS_BOOK.c.worth))
    here = counted.where(POINTS_BOOK.c.drop_id == drop).group_by(POINTS_BOOK.c.state)
    return {state: Tally(rows, int(worth)) for state, rows, worth in sql.execute(here)}


def counted_lately(sql: Connection, drop: DropId, now_ms: int) -> int:
    """How many rows began to count in the last hour."""
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.counted_ms > now_ms - HOUR_MS)
    return sql.execute(select(func.count()).where(*here)).scalar() or 0


def move(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest is a person now: his rows are the person's, each reason once, and so is he where he
    is a friend."""
    for row in _rows(sql, POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.fan == guest):
        _moved(sql, drop, row._replace(fan=person))
    theirs = []
    as_friend = (POINTS_BOOK.c.source == FRIEND, POINTS_BOOK.c.source_id == guest)
    for row in _rows(sql, POINTS_BOOK.c.drop_id == drop, *as_friend):
        _moved(sql, drop, row._replace(source_id=person))
        theirs.append(row.fan)
    own = _here_both(drop, person)
    sql.execute(update(POINTS_BOOK).where(*own).values(state=REFUSED, reason="self"))
    for fan in dict.fromkeys([*theirs, person]):
        _sum(sql, drop, fan, TAKEN_BACK if fan != person else FRIEND)


def _moved(sql: Connection, drop: DropId, row: BookRow) -> None:
    if _known(sql, drop, row.fan, row.source, row.source_id):
        sql.execute(delete(POINTS_BOOK).where(*_here(drop, row.n)))
    else:
        _change(sql, drop, row.n, fan=row.fan, source_id=row.source_id)


def _here_both(drop: DropId, person: FanId) -> tuple[ColumnElement[bool], ...]:
    """Where he is his own friend now."""
    return (
        *(POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.source == FRIEND),
        *(POINTS_BOOK.c.fan == person, POINTS_BOOK.c.source_id == person),
    )


def _friends_count(sql: Connection, drop: DropId, fan: FanId, at_ms: int) -> None:
    """Some more of his friends do from now on."""
    _sum(sql, drop, fan, FRIEND)
    here = (*_of(drop, fan, FRIEND), POINTS_BOOK.c.state.in_(COUNTS))
    friends = sql.execute(select(func.count()).where(*here)).scalar() or 0
    if friends >= 1:
        badges.award(sql, drop, [fan], badges.FIRST_FRIEND, at_ms)
    if friends >= 5:
        badges.award(sql, drop, [fan], badges.FIVE_FRIENDS, at_ms)


def _refusal(sql: Connection, drop: DropId, rules: Friends, row: BookRow, left: int) -> str:
    """Which rule lets it not count; '' for none."""
    if left <= 0:
        return "most"
    for name, word, most in (
        ("network", row.network, rules.network_most),
        ("domain", row.domain, rules.domain_most),
    ):
        if word and _counted_from(sql, drop, name, word, row.due_ms) >= most:
            return name
    return ""


def _counted_from(sql: Connection, drop: DropId, what: str, word: str, due_ms: int) -> int:
    """How many friends from there counted in the day before. Taken back ones did."""
    asked = {"drop": drop, "word": word, "since_ms": due_ms - DAY_MS, "until_ms": due_ms}
    return sql.execute(_FROM[what], asked).scalar() or 0


def _counted_of(sql: Connection, drop: DropId, fan: FanId) -> int:
    """Points that his friends gave him by the rules."""
    here = (*_of(drop, fan, FRIEND), POINTS_BOOK.c.state == COUNTED)
    return int(sql.execute(select(func.sum(POINTS_BOOK.c.worth)).where(*here)).scalar() or 0)


def _sum(sql: Connection, drop: DropId, fan: FanId, why: str) -> None:
    """What counts for him now, and why that is another number."""
    here = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.fan == fan)
    asked = select(func.sum(POINTS_BOOK.c.worth)).where(*here, POINTS_BOOK.c.state.in_(COUNTS))
    points = min(POINTS, int(sql.execute(asked).scalar() or 0))
    game_fans.set_points(sql, drop, fan, points, why)


def _put(sql: Connection, drop: DropId, **values: Any) -> bool:
    """A new row; False where this reason has one."""
    if _known(sql, drop, values["fan"], values["source"], values["source_id"]):
        return False
    n = (sql.execute(_LAST, {"drop": drop}).scalar() or 0) + 1
    sql.execute(_NEW, values | {"drop_id": drop, "n": n})
    return True


def _known(sql: Connection, drop: DropId, fan: FanId, source: str, source_id: str) -> bool:
    one = {"drop": drop, "of": fan, "by": source, "which": source_id}
    return sql.execute(_KNOWN, one).first() is not None


def _change(sql: Connection, drop: DropId, n: int, **values: Any) -> None:
    sql.execute(_CHANGE, values | {"drop": drop, "row": n})


def _of(drop: DropId, fan: FanId, source: str) -> tuple[ColumnElement[bool], ...]:
    mine = (POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.fan == fan)
    return (*mine, POINTS_BOOK.c.source == source)


def _here(drop: DropId, n: int) -> tuple[ColumnElement[bool], ...]:
    return POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.n == n


def _rows(sql: Connection, *here: ColumnElement[bool]) -> list[BookRow]:
    return [_row(row) for row in sql.execute(select(POINTS_BOOK).where(*here))]


def _row(row: Any) -> BookRow:
    return BookRow(
        n=row.n,
        fan=FanId(row.fan),
        source=row.source,
        source_id=row.source_id,
        worth=row.worth,
        made_ms=row.made_ms,
        due_ms=row.due_ms,
        state=row.state,
        reason=row.reason,
        network=row.network,
        domain=row.domain,
    )
