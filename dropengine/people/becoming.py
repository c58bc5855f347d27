"""A guest who plays becomes a person: his link, his friends, points and badges are the person's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, select

from dropengine.model import DropId, FanId
from dropengine.people import badges, game_fans, points_book, referrals
from dropengine.sql.schema.game import CREDITED


def becomes(sql: Connection, drop: DropId, guest: FanId, person: FanId) -> None:
    """In one drop. In one transaction that nobody else changes people in; a repeat is harmless, and
    so is a guest who does not play."""
    known = game_fans.now_called(sql, drop, [guest, person])
    if guest == person or known.get(guest) != guest:
        return
    game_fans.becomes(sql, drop, guest, person)
    referrals.move(sql, drop, guest, person)
    points_book.move(sql, drop, guest, person)
    for device in referrals.give_up_devices(sql, drop, guest):
        points_book.plays_with(sql, drop, person, device)
    badges.move(sql, drop, guest, person)


def everywhere(
    sql: Connection,
    guest: Callable[[DropId], Iterable[str]],
    person: Callable[[DropId], FanId | None],
    domain: str = "",
) -> None:
    """In every drop. guest: whom he may be there; person: whom he is, with an address of this mail
    domain."""
    for drop in sql.execute(select(CREDITED.c.drop_id)).scalars().all():
        fan = person(DropId(drop))
        for old in guest(DropId(drop)):
            if fan is not None:
                becomes(sql, DropId(drop), FanId(old), fan)
        if fan is not None:
            referrals.learn_domain(sql, DropId(drop), fan, domain)
