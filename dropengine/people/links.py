"""One-time links: what lets somebody in who has nothing else to show. Looking at one spends
nothing, for mail programs and chats look at links too.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from dropengine.people import passkeys, tokens
from dropengine.sql.schema.people import LINKS

HOUR_MS = 3_600_000
PAGE = "/studio/links/"
PER_MAKER_MAX = 200
"""Invitations of one maker that wait to be accepted."""


class Kind(StrEnum):
    """`FIRST`: an owner of the shop's first maker. `INVITE`: a role at a maker. `BACK`: new proof
    for an account."""

    FIRST = "first"
    INVITE = "invite"
    BACK = "back"


LIFE_MS = {Kind.FIRST: HOUR_MS, Kind.INVITE: 7 * 24 * HOUR_MS, Kind.BACK: HOUR_MS}


class Link(msgspec.Struct, frozen=True):
    """`maker`, `role`: what it gives. `account`: whom it lets back in. `by`: who made it."""

    id: str
    kind: Kind
    maker: str
    role: str
    account: str
    by: str
    created_ms: int
    ends_ms: int
    spent_ms: int


def make(
    sql: Connection,
    kind: Kind,
    now_ms: int,
    *,
    by: str = "",
    maker: str = "",
    role: str = "",
    account: str = "",
) -> tuple[Link, str]:
    """A new link and the secret that goes into its address."""
    secret = tokens.new()
    ends_ms = now_ms + LIFE_MS[kind]
    link = Link(tokens.new_id(), kind, maker, role, account, by, now_ms, ends_ms, 0)
    sql.execute(delete(LINKS).where(LINKS.c.ends_ms < now_ms))
    row = msgspec.structs.asdict(link) | {"token": tokens.hashed(secret)}
    sql.execute(insert(LINKS).values(row))
    return link, secret


def address(public_url: str, secret: str) -> str:
    """Where a link is opened; on this machine by its name, which passkeys need."""
    return f"{passkeys.by_name(public_url)}{PAGE}{secret}"


def find(sql: Connection, secret: str, now_ms: int) -> Link | None:
    """The link of an address, while it may be spent."""
    good = (
        LINKS.c.token == tokens.hashed(secret),
        LINKS.c.spent_ms == 0,
        LINKS.c.ends_ms > now_ms,
    )
    row = sql.execute(select(LINKS).where(*good)).first()
    return None if row is None else msgspec.convert(row, Link, from_attributes=True)


def spend(sql: Connection, link: str, now_ms: int) -> bool:
    """Use it up; False when somebody else was first."""
    unspent = (LINKS.c.id == link, LINKS.c.spent_ms == 0)
    return sql.execute(update(LINKS).where(*unspent).values(spent_ms=now_ms)).rowcount > 0


def of_maker(sql: Connection, maker: str, now_ms: int) -> list[Link]:
    """Invitations that can be accepted still, the newest first."""
    open_ = (
        LINKS.c.maker == maker,
        LINKS.c.kind == Kind.INVITE,
        LINKS.c.spent_ms == 0,
        LINKS.c.ends_ms > now_ms,
    )
    rows = sql.execute(select(LINKS).where(*open_).order_by(LINKS.c.created_ms.desc(), LINKS.c.id))
    return [msgspec.convert(row, Link, from_attributes=True) for row in rows]


def withdraw(sql: Connection, maker: str, link: str) -> bool:
    """Take an invitation back; False when the maker has none of this id."""
    gone = sql.execute(
        delete(LINKS).where(LINKS.c.id == link, LINKS.c.maker == maker, LINKS.c.kind == Kind.INVITE)
    )
    return gone.rowcount > 0
