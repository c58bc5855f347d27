"""Who signs in came once, wherever he was counted before."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.doors.persons.one_visit import WAIT_S, OneVisit
from dropengine.sql.schema.ledger import ARRIVALS, DROPS
from tests.kit import persons, web_process
from tests.kit.persons import Browser, Shop, address

server = web_process.server
shop = persons.shop


class Clock:
    """Seconds of a test."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


async def came(shop: Shop, drop: str, *rows: tuple[str, str, int]) -> None:
    """As the workers write it: who, by which channel, when."""

    def written(sql: Connection) -> None:
        told = {"state": "live", "layout": 1, "hash": "", "currency": "EUR", "mode": "rush"}
        told |= {"practice": 0, "rules": "{}", "published_by": "", "published_ms": 1}
        row = told | {"drop_id": drop, "opened_ms": 1, "ended_ms": 0, "last_ms": 1}
        sql.execute(sa.delete(DROPS).where(DROPS.c.drop_id == drop))
        sql.execute(sa.insert(DROPS).values(row))
        for fan, via, at_ms in rows:
            sql.execute(sa.insert(ARRIVALS).values(drop_id=drop, fan=fan, via=via, at_ms=at_ms))

    await shop.web.runtime.database.write(written)


async def counted(shop: Shop, drop: str) -> set[tuple[Any, ...]]:
    asked = sa.select(ARRIVALS.c.fan, ARRIVALS.c.via, ARRIVALS.c.at_ms)
    here = asked.where(ARRIVALS.c.drop_id == drop)
    return await shop.web.runtime.database.read(
        lambda sql: {tuple(row) for row in sql.execute(here)}
    )


async def test_the_first_visit_of_guest_and_person_stays_with_its_channel(shop: Shop) -> None:
    both, alone, later, clock = await shop.sale(), await shop.sale(), await shop.sale(), Clock()
    visits = OneVisit(shop.web.runtime.database, clock=clock)
    async with shop.browser() as hand:
        await hand.get(f"/drops/{both.drop}")
        guest, was = hand.ticket, {sale: hand.fan(sale) for sale in (both, alone, later)}
        await hand.sign_in(address())
        now = {sale: hand.fan(sale) for sale in was}
        await came(shop, both.drop, (was[both], "letter", 5), (now[both], "", 9), ("other", "", 1))
        await came(shop, alone.drop, (was[alone], "poster", 5))
        await came(shop, later.drop, (was[later], "poster", 9), (now[later], "letter", 5))
        visits.became(guest, hand.ticket)
        await visits.round()
        # Another worker may not have written yet whom it saw.
        assert len(await counted(shop, both.drop)) == 3
        clock.s += WAIT_S
        await visits.round()
        assert await counted(shop, both.drop) == {(now[both], "letter", 5), ("other", "", 1)}
        assert await counted(shop, alone.drop) == {(now[alone], "poster", 5)}
        assert await counted(shop, later.drop) == {(now[later], "letter", 5)}
        before = await counted(shop, both.drop)
        await visits.round()
        assert await counted(shop, both.drop) == before


async def test_who_signs_in_at_a_browser_of_a_guest_is_noted(shop: Shop) -> None:
    sale = await shop.sale()

    async def signs_in(hand: Browser) -> None:
        await hand.get(f"/drops/{sale.drop}")
        await hand.sign_in(address())

    waiting = shop.web.runtime.persons.visits._waiting
    async with shop.browser() as hand:
        before = len(waiting)
        await signs_in(hand)
        (_, guest, person) = waiting[-1]
        assert len(waiting) == before + 1
        assert (guest.person, person.key) == (False, hand.ticket.key)
