"""What is kept of how one person is called, in whatever drops: he is another fan in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection, select

from dropengine.model import DropId, FanId
from dropengine.push import outbox, subscriptions
from dropengine.push.outbox import Told
from dropengine.push.subscriptions import Subscription
from dropengine.sql.schema.pushes import PUSHES, SUBSCRIPTIONS

FansIn = Callable[[DropId], Sequence[FanId]]
"""Whoever he may be in a drop."""


class Browser(Struct, frozen=True):
    """One that calls him in a drop. `told`: the newest call that was due."""

    of: Subscription
    told: Told | None


def subscriptions_of(sql: Connection, fans_in: FansIn) -> list[Subscription]:
    """The browsers that he is called on, drop by drop."""
    return [
        one for drop, fan in _fans(sql, fans_in) for one in subscriptions.of_fan(sql, drop, fan)
    ]


def browsers_of(sql: Connection, fans_in: FansIn) -> list[Browser]:
    """The same, and what became of the last call to each."""
    found: list[Browser] = []
    for drop, fan in [*_fans(sql, fans_in)]:
        told = outbox.newest(sql, drop, fan)
        mine = subscriptions.of_fan(sql, drop, fan)
        found += [Browser(one, told.get(one.browser)) for one in mine]
    return found


def forget(sql: Connection, fans_in: FansIn) -> None:
    """Nothing is known of his browsers and his calls any more."""
    for drop, fan in [*_fans(sql, fans_in)]:
        subscriptions.forget(sql, drop, fan)
        outbox.forget(sql, drop, fan)


def move(sql: Connection, guests: FansIn, person: Callable[[DropId], FanId | None]) -> None:
    """A guest became a person: his browsers and his calls are the person's."""
    for drop, guest in [*_fans(sql, guests)]:
        to = person(drop)
        if to is not None and to != guest:
            subscriptions.move(sql, drop, guest, to)
            outbox.move(sql, drop, guest, to)


def _fans(sql: Connection, fans_in: FansIn) -> Iterator[tuple[DropId, FanId]]:
    """He in each drop in which anybody is or was called."""
    asked = select(SUBSCRIPTIONS.c.drop_id).union(select(PUSHES.c.drop_id))
    for drop in sorted(map(DropId, sql.execute(asked).scalars())):
        for fan in fans_in(drop):
            yield drop, fan
