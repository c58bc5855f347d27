"""Makers, who belongs to them, and whose a drop is."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from dropengine.errors import ManifestError
from dropengine.manifest import DROP_ID_CHARS_MAX
from dropengine.people import tokens
from dropengine.people.roles import Role
from dropengine.sql.schema.people import ACCOUNTS, MAKERS, MAKERS_DROPS, MEMBERS


class Maker(msgspec.Struct, frozen=True):
    """Whoever sells. `picture`: the name of it, or ''."""

    id: str
    short: str
    name: str
    colour: str
    picture: str
    created_ms: int


class Member(msgspec.Struct, frozen=True):
    """An account at a maker."""

    account: str
    name: str
    role: Role
    since_ms: int


_OLDEST = (MAKERS.c.created_ms, MAKERS.c.id)


def _maker(row: object) -> Maker | None:
    return None if row is None else msgspec.convert(row, Maker, from_attributes=True)


def by_id(sql: Connection, maker: str) -> Maker | None:
    """Whichever has this id."""
    return _maker(sql.execute(select(MAKERS).where(MAKERS.c.id == maker)).first())


def by_short(sql: Connection, short: str) -> Maker | None:
    """Whichever has this short name. None has a NUL in it, which PostgreSQL refuses to be asked
    for."""
    if "\0" in short:
        return None
    return _maker(sql.execute(select(MAKERS).where(MAKERS.c.short == short)).first())


def first(sql: Connection) -> Maker | None:
    """The maker that a shop began with."""
    return _maker(sql.execute(select(MAKERS).order_by(*_OLDEST).limit(1)).first())


def every(sql: Connection) -> list[Maker]:
    """All of the shop, the oldest first."""
    rows = sql.execute(select(MAKERS).order_by(*_OLDEST))
    return [msgspec.convert(row, Maker, from_attributes=True) for row in rows]


def count(sql: Connection) -> int:
    """How many there are."""
    return sql.execute(select(func.count()).select_from(MAKERS)).scalar_one()


def of_account(sql: Connection, account: str) -> list[tuple[Maker, Role]]:
    """Where an account belongs, the oldest maker first."""
    joined = select(MAKERS, MEMBERS.c.role).join(MEMBERS, MEMBERS.c.maker == MAKERS.c.id)
    rows = sql.execute(joined.where(MEMBERS.c.account == account).order_by(*_OLDEST))
    return [(msgspec.convert(row, Maker, from_attributes=True), Role(row.role)) for row in rows]


def make(sql: Connection, maker: Maker) -> bool:
    """A new maker; False when its short name is taken."""
    if by_short(sql, maker.short) is not None:
        return False
    sql.execute(insert(MAKERS).values(msgspec.structs.asdict(maker)))
    return True


def change(sql: Connection, maker: str, **fields: str) -> None:
    """Name, colour or picture. A short name stays: it stands in the ids of drops."""
    if fields:
        sql.execute(update(MAKERS).where(MAKERS.c.id == maker).values(fields))


def members(sql: Connection, maker: str) -> list[Member]:
    """Who belongs to a maker, in the order in which they came."""
    columns = (MEMBERS.c.account, ACCOUNTS.c.name, MEMBERS.c.role, MEMBERS.c.since_ms)
    joined = select(*columns).join(ACCOUNTS, ACCOUNTS.c.id == MEMBERS.c.account)
    rows = sql.execute(
        joined.where(MEMBERS.c.maker == maker).order_by(MEMBERS.c.since_ms, MEMBERS.c.account)
    )
    return [msgspec.convert(row, Member, from_attributes=True) for row in rows]


def role(sql: Connection, maker: str, account: str) -> Role | None:
    """What somebody is at a maker."""
    found = select(MEMBERS.c.role).where(MEMBERS.c.maker == maker, MEMBERS.c.account == account)
    text = sql.execute(found).scalar()
    return None if text is None else Role(text)


def join(sql: Connection, maker: str, account: str, role_: Role, now_ms: int) -> None:
    """Give somebody a role; who has one gets the new one."""
    here = (MEMBERS.c.maker == maker, MEMBERS.c.account == account)
    if not sql.execute(update(MEMBERS).where(*here).values(role=role_)).rowcount:
        row = {"maker": maker, "account": account, "role": role_, "since_ms": now_ms}
        sql.execute(insert(MEMBERS).values(row))


def leave(sql: Connection, maker: str, account: str) -> None:
    """He belongs to it no more."""
    sql.execute(delete(MEMBERS).where(MEMBERS.c.maker == maker, MEMBERS.c.account == account))


def is_last_owner(sql: Connection, maker: str, account: str) -> bool:
    """Would nobody be left who may manage the maker?"""
    owners = [one.account for one in members(sql, maker) if one.role is Role.OWNER]
    return owners == [account]


def whose(sql: Connection, drop: str) -> str | None:
    """The maker of a drop: as it was published here, else the first; None without any maker."""
    found = select(MAKERS_DROPS.c.maker).where(MAKERS_DROPS.c.drop_id == drop)
    named: str | None = sql.execute(found).scalar()
    if named is not None:
        return named
    oldest = first(sql)
    return None if oldest is None else oldest.id


def id_under(maker: Maker, drop: str) -> str:
    """The id of a drop where there is more than one maker: it begins with the short name of its
    own. Raises ManifestError."""
    before = f"{maker.short}-"
    if drop.startswith(before):
        return drop
    if len(before + drop) > DROP_ID_CHARS_MAX:
        most = DROP_ID_CHARS_MAX - len(before)
        raise ManifestError(drop, [f"id: has at most {most} characters behind {before}"])
    return before + drop


def own(sql: Connection, drop: str, maker: str, now_ms: int, *, published: bool = False) -> bool:
    """Note whose a drop will be; False when it is another's. Harmless to repeat. published: is it
    there already? Then it is somebody's, also where nobody noted whose."""
    if published and whose(sql, drop) != maker:
        return False
    found = select(MAKERS_DROPS.c.maker).where(MAKERS_DROPS.c.drop_id == drop)
    named = sql.execute(found).scalar()
    if named is None:
        row = {"drop_id": drop, "maker": maker, "since_ms": now_ms}
        sql.execute(insert(MAKERS_DROPS).values(row))
    return named in (None, maker)


def owners_of(sql: Connection, drops: list[str]) -> dict[str, str]:
    """Drop -> its maker, for a list."""
    found = select(MAKERS_DROPS.c.drop_id, MAKERS_DROPS.c.maker)
    rows = sql.execute(found.where(MAKERS_DROPS.c.drop_id.in_(drops))).all()
    oldest = first(sql)
    known = dict.fromkeys(drops, oldest.id) if oldest is not None else {}
    return known | {row.drop_id: row.maker for row in rows}


def new(short: str, name: str, colour: str, now_ms: int) -> Maker:
    """A maker that is not kept yet."""
    return Maker(tokens.new_id(), short, name, colour, "", now_ms)
