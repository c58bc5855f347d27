"""By whose link somebody came: the first one's, for good, before he takes part.

Nobody is a friend of himself, and nobody of those who came by him, however long the way round is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from dropengine import events
from dropengine.model import DropId, FanId
from dropengine.people import game_fans
from dropengine.sql.schema.game import CREDITED, GAME_DEVICES, POINTS_BOOK, REFERRALS
from dropengine.sql.schema.ledger import OF_FANS, ROWS

fan_of_code = game_fans.fan_of_code

DEVICES_MOST: Final = 20
"""Browsers of one fan in one drop; more are not kept."""
PENDING_MOST: Final = 20
"""Friends of whom nothing is known but that they came, as a fan is shown them."""


FIRST_AMONG: Final = 8
"""A person may be several guests of before."""


_CHANGE = update(REFERRALS).where(
    REFERRALS.c.drop_id == bindparam("drop"), REFERRALS.c.friend == bindparam("of")
)


class Came(NamedTuple):
    """Whence somebody came: words for his network, his mail domain, and his browser; '' for
    none."""

    network: str
    domain: str
    device: str = ""


class Referral(NamedTuple):
    """`wrong`: why it can never count. `first_ms`: when the friend first took part, `paid_ms`: when
    he first bought; 0: he did not."""

    friend: FanId
    referrer: FanId
    at_ms: int
    wrong: str
    network: str
    domain: str
    device: str
    first_ms: int
    paid_ms: int


def came(
    sql: Connection, drop: DropId, friend: FanId, code: str, whence: Came, now_ms: int
) -> bool:
    """He came by this link. Only the first one counts, and only before he takes part. In one
    transaction that nobody else changes people in."""
    referrer = fan_of_code(sql, drop, code)
    fan = game_fans.enter(sql, drop, friend, now_ms).fan
    if referrer is None or referrer == fan or find(sql, drop, fan) is not None:
        return False
    if _first_ms(sql, drop, fan) or _over(sql, drop):
        return False
    row = {
        "drop_id": drop,
        "friend": fan,
        "referrer": referrer,
        "at_ms": now_ms,
        "wrong": _fault(sql, drop, fan, referrer, whence.device),
        "network": whence.network,
        "domain": whence.domain,
        "device": whence.device,
    }
    sql.execute(insert(REFERRALS).values(row))
    return True


def find(sql: Connection, drop: DropId, friend: FanId) -> Referral | None:
    """By whom he came."""
    row = sql.execute(select(REFERRALS).where(*_here(drop, friend))).first()
    return None if row is None else _referral(row)


def friends_among(sql: Connection, drop: DropId, fans: Iterable[FanId]) -> dict[FanId, Referral]:
    """Those of these who came by somebody's link, and how."""
    names, found = [*dict.fromkeys(fans)], dict[FanId, Referral]()
    for first in range(0, len(names), game_fans.AT_ONCE):
        some = names[first : first + game_fans.AT_ONCE]
        asked = select(REFERRALS).where(REFERRALS.c.drop_id == drop, REFERRALS.c.friend.in_(some))
        found |= {FanId(row.friend): _referral(row) for row in sql.execute(asked)}
    return found


def pending(sql: Connection, drop: DropId, referrer: FanId) -> list[Referral]:
    """Friends who came by his link and are in no row of his book yet, the newest first."""
    known = select(POINTS_BOOK.c.source_id).where(
        *(POINTS_BOOK.c.drop_id == drop, POINTS_BOOK.c.fan == referrer),
        POINTS_BOOK.c.source == "friend",
    )
    asked = select(REFERRALS).where(
        *(REFERRALS.c.drop_id == drop, REFERRALS.c.referrer == referrer, REFERRALS.c.wrong == ""),
        REFERRALS.c.friend.not_in(known),
    )
    newest = asked.order_by(REFERRALS.c.at_ms.desc(), REFERRALS.c.friend).limit(PENDING_MOST)
    return [_referral(row) for row in sql.execute(newest)]


def learn_domain(sql: Connection, drop: DropId, friend: FanId, domain: str) -> None:
    """Who came before he was known is known now."""
    if domain:
        here = (*_here(drop, friend), REFERRALS.c.domain == "")
        sql.execute(update(REFERRALS).where(*here).values(domain=domain))


def plays_with(sql: Connection, drop: DropId, fan: FanId, device: str) -> list[FanId]:
    """He plays with this browser: whom he brought with it never counts. Those that are new."""
    row = {"drop_id": drop, "device": device, "fan": fan}
    mine = (GAME_DEVICES.c.drop_id == drop, GAME_DEVICES.c.fan == fan)
    known = set(sql.execute(select(GAME_DEVICES.c.device).where(*mine)).scalars())
    if not device or device in known or len(known) >= DEVICES_MOST:
        return []
    sql.execute(insert(GAME_DEVICES).values(row))
    brought = (REFERRALS.c.drop_id == drop, REFERRALS.c.referrer == fan, REFERRALS.c.wrong == "")
    here = (*brought, REFERRALS.c.device == device)
    found = [FanId(one) for one in sql.execute(select(REFERRALS.c.friend).where(*here)).scalars()]
    sql.execute(update(REFERRALS).where(*here).values(wrong="device"))
    return found


def give_up_devices(sql: Connection, drop: DropId, guest: FanId) -> list[str]:
    """The browsers that he played with are another's now: which ones."""
    his = (GAME_DEVICES.c.drop_id == drop, GAME_DEVICES.c.fan == guest)
    found = [*sql.execute(select(GAME_DEVICES.c.device).where(*his)).scalars()]
    sql.execute(delete(GAME_DEVICES).where(*his))
    return found


def took_part(sql: Connection, drop: DropId, one: Referral, at_ms: int) -> Referral:
    """He pressed or joined for the first time."""
    sql.execute(_CHANGE, {"drop": drop, "of": one.friend, "first_ms": at_ms})
    return one._replace(first_ms=at_ms)


def paid(sql: Connection, drop: DropId, one: Referral, at_ms: int) -> Referral:
    """He bought for the first time."""
    sql.execute(_CHANGE, {"drop": drop, "of": one.friend, "paid_ms": at_ms})
    return one._replace(paid_ms=at_ms)


def move(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """A guest is a person now: whom he brought he brought, and of two links that he came by the
    first one counts."""
    brought = (REFERRALS.c.drop_id == drop, REFERRALS.c.referrer == guest)
    sql.execute(update(REFERRALS).where(*brought).values(referrer=person))
    old, his = find(sql, drop, guest), find(sql, drop, person)
    if old is not None and his is None and 0 < _first_ms(sql, drop, person) < old.at_ms:
        # He was here before, as whom he is now.
        sql.execute(delete(REFERRALS).where(*_here(drop, guest)))
        old = None
    if old is not None and his is not None:
        later = guest if his.at_ms <= old.at_ms else person
        sql.execute(delete(REFERRALS).where(*_here(drop, later)))
        old = old if later == person else None
    if old is not None:
        sql.execute(update(REFERRALS).where(*_here(drop, guest)).values(friend=person))
    # What was right of the two may be wrong of the one.
    for one in _of(sql, drop, person):
        wrong = one.wrong or _fault(sql, drop, one.friend, one.referrer, one.device)
        sql.execute(update(REFERRALS).where(*_here(drop, one.friend)).values(wrong=wrong))


def _of(sql: Connection, drop: DropId, fan: FanId) -> list[Referral]:
    """Where he is one of the two."""
    mine = (REFERRALS.c.friend == fan) | (REFERRALS.c.referrer == fan)
    # Of links that make a circle the last one is wrong.
    order = (REFERRALS.c.at_ms.desc(), REFERRALS.c.friend)
    rows = sql.execute(select(REFERRALS).where(REFERRALS.c.drop_id == drop, mine).order_by(*order))
    return [_referral(row) for row in rows]


def _fault(sql: Connection, drop: DropId, friend: FanId, referrer: FanId, device: str) -> str:
    """Why this can never count."""
    if friend == referrer:
        return "self"
    if _closes(sql, drop, friend, referrer):
        return "cycle"
    theirs = (GAME_DEVICES.c.drop_id == drop, GAME_DEVICES.c.fan == referrer)
    asked = select(GAME_DEVICES.c.fan).where(*theirs, GAME_DEVICES.c.device == device)
    return "device" if device and sql.execute(asked).first() is not None else ""


def _closes(sql: Connection, drop: DropId, friend: FanId, referrer: FanId) -> bool:
    """Did the referrer come by this friend, directly or by others?"""
    brought = (REFERRALS.c.drop_id == drop, REFERRALS.c.referrer == friend)
    if sql.execute(select(func.count()).where(*brought)).scalar() == 0:
        return False
    # All by whom the referrer came, up to the first.
    right = (REFERRALS.c.drop_id == drop, REFERRALS.c.wrong == "")
    above = select(REFERRALS.c.referrer.label("fan")).where(*right, REFERRALS.c.friend == referrer)
    ways = above.cte("ways", recursive=True)
    further = select(REFERRALS.c.referrer).join(ways, REFERRALS.c.friend == ways.c.fan)
    ways = ways.union(further.where(*right))
    met = select(ways.c.fan).where(ways.c.fan == friend).limit(1)
    return sql.execute(met).first() is not None


def _over(sql: Connection, drop: DropId) -> bool:
    over = select(CREDITED.c.over).where(CREDITED.c.drop_id == drop)
    return sql.execute(over).scalar() == 1


def _first_ms(sql: Connection, drop: DropId, fan: FanId) -> int:
    """When he began something first, as far as the books are; 0: he did not. What a guest brought
    along who became him is no beginning of his."""
    seqs = select(OF_FANS.c.seq).where(OF_FANS.c.drop_id == drop, OF_FANS.c.fan == fan)
    first = seqs.order_by(OF_FANS.c.seq).limit(FIRST_AMONG)
    lines = select(ROWS.c.line).where(ROWS.c.drop_id == drop, ROWS.c.seq.in_(first))
    for line in sql.execute(lines.order_by(ROWS.c.seq)).scalars():
        event = events.parse(line)
        if not isinstance(event, events.Adopted):
            return event.at
    return 0


def _referral(row: Any) -> Referral:
    return Referral(
        friend=FanId(row.friend),
        referrer=FanId(row.referrer),
        at_ms=row.at_ms,
        wrong=row.wrong,
        network=row.network,
        domain=row.domain,
        device=row.device,
        first_ms=row.first_ms,
        paid_ms=row.paid_ms,
    )


def _here(drop: DropId, friend: FanId) -> tuple[Any, Any]:
    return REFERRALS.c.drop_id == drop, REFERRALS.c.friend == friend
