"""How the first person comes in and how somebody comes back: links made on the shop's machine."""

from __future__ import annotations

from sqlalchemy import Connection

from dropengine.people import accounts, links
from dropengine.people.links import Kind


def first_link(sql: Connection, now_ms: int) -> str | None:
    """The secret of a link for the shop's first account; None when there is one already."""
    if accounts.count(sql):
        return None
    return links.make(sql, Kind.FIRST, now_ms)[1]


def owners_link(sql: Connection, now_ms: int) -> str:
    """The secret of a link for an owner of the first maker, whoever is there already."""
    return links.make(sql, Kind.FIRST, now_ms)[1]


def link_back(sql: Connection, name: str, now_ms: int) -> str | None:
    """The secret of a link that lets an account back in; None when there is none of this name."""
    account = accounts.by_name(sql, name)
    if account is None:
        return None
    return links.make(sql, Kind.BACK, now_ms, account=account.id)[1]
