"""Throwaways in a line: whoever deceives moves nobody honest back.

`SYBIL_PEOPLE=10000 pytest -s --timeout=0 tests/simulation/test_sybils.py` plays it at full length.
A crowd in which some refer themselves, one another, or throwaways comes through the real rules of
points, in SQL, into the real line. Then the line calls everybody, one after the other, and once
more with the same people and no points: an honest fan's wait is how many were called before him.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

import msgspec
import pytest
import redis.asyncio as redis
from sqlalchemy import Connection, select

from dropengine import events, wire
from dropengine.config import Settings
from dropengine.jobs.ledger.crediting import Crediting
from dropengine.jobs.ledger.projector import Projector
from dropengine.manifest import Friends, GameRules, Manifest
from dropengine.model import DropId, FanId
from dropengine.people import game_fans, referrals
from dropengine.people.one_after_another import change
from dropengine.people.public_mail import own_domain
from dropengine.people.referrals import Came
from dropengine.sql.database import Database
from dropengine.sql.schema.game import POINTS_BOOK
from dropengine.truth.scripts import Script
from dropengine.truth.store import Store
from tests.kit.cuts import CUTS, mutilated
from tests.kit.laid_tables import lay
from tests.kit.manifests import START_MS, item, manifest
from tests.kit.rows import rows
from tests.kit.sale import Sale
from tests.kit.sybils import Account, crowd
from tests.kit.two_lanes_in_log import TwoLanes

PEOPLE = int(os.environ.get("SYBIL_PEOPLE") or 300)
K = 5
AT_ONCE = 60
BATCH = 250
FRIENDS = Friends(worth=2, most=10, delay_ms=0, network_most=3, domain_most=5)
WITHOUT_RULES = Friends(worth=2, most=1000, delay_ms=0, network_most=100, domain_most=100)


class Line(NamedTuple):
    """How it came out. `waits`: fan -> which call was his. `points`: of each who had some. `rows`:
    of the books, by their states and reasons."""

    waits: dict[str, int]
    points: dict[str, int]
    rows: Counter[str]


def rules(drop: str, friends: Friends) -> Manifest:
    """A unit for everybody, and none of them for sale yet."""
    units = {"pin": PEOPLE}
    text = manifest(drop, item("pin", units, withheld=units), limit=1, k=K)
    game = GameRules(points_until="close", friends=friends, collectors=None, missions=())
    return msgspec.structs.replace(text, identity="verified", game=game)


class Shop:
    """A store and its books."""

    def __init__(self, client: redis.Redis, database: Database) -> None:
        self.client = client
        self.database = database
        self.projector = Projector(Store(client), database)

    async def lines_up(
        self,
        name: str,
        accounts: list[Account],
        friends: Friends,
        *,
        points: bool = True,
        loaded: dict[str, Script] | None = None,
    ) -> Line:
        """All of them come, and are called."""
        store = Store(self.client, loaded)
        sale = Sale(store, name)
        await sale.publish(rules(name, friends))
        await sale.creator("open")
        if points:
            await self._come(sale.drop, accounts)
        for start in range(0, len(accounts), BATCH):
            some = accounts[start : start + BATCH]
            joins = [(one.name, wire.Join(0, sale.key(), ["pin"])) for one in some]
            await sale.batch(*joins)
        told: Counter[str] = Counter()
        if points:
            told = await self._count(store, sale)
        for start in range(0, PEOPLE, AT_ONCE):
            await sale.creator("add", pool="pin", qty=min(AT_ONCE, PEOPLE - start))
        log = await sale.log()
        assert TwoLanes(log).over() == [] or loaded
        offered = [e for e in log if isinstance(e, events.Offered)]
        assert len(offered) == PEOPLE
        waits = {e.fan: call for call, e in enumerate(offered, 1)}
        points_of = {e.fan: e.points for e in log if isinstance(e, events.Pointed)}
        return Line(waits, points_of, told)

    async def _come(self, drop: DropId, accounts: list[Account]) -> None:
        """Everybody looks at the page, and has a link; then each comes by the one that he has."""

        codes: dict[str, str] = {}

        def look(some: list[Account], sql: Connection) -> None:
            for one in some:
                codes[one.name] = game_fans.enter(sql, drop, FanId(one.name), START_MS).code

        def come(some: list[Account], sql: Connection) -> None:
            for one in some:
                if one.ref:
                    whence = Came(one.network, own_domain(one.address))
                    code = codes[one.ref]
                    referrals.came(sql, drop, FanId(one.name), code, whence, START_MS)

        for what in (look, come):
            for start in range(0, len(accounts), BATCH):
                await change(self.database, partial(what, accounts[start : start + BATCH]))

    async def _count(self, store: Store, sale: Sale) -> Counter[str]:
        """The books are written, points are counted and told, until nothing is left to tell."""
        crediting = Crediting(store, self.database, now_ms=lambda: sale.now + PEOPLE)
        seq = -1
        while seq != (seq := (await sale.truth()).seq):
            await self.projector.round()
            await crediting.credit(sale.drop)
        found = await self.database.read(lambda sql: _states(sql, sale.drop))
        return Counter(found)


def _states(sql: Connection, drop: DropId) -> list[str]:
    book = select(POINTS_BOOK.c.state, POINTS_BOOK.c.reason).where(POINTS_BOOK.c.drop_id == drop)
    return [reason or state for state, reason in sql.execute(book)]


@pytest.fixture
async def shop(client: redis.Redis, tmp_path: Path) -> AsyncIterator[Shop]:
    await client.flushall()
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    database = Database(settings)
    yield Shop(client, database)
    await database.close()


@pytest.mark.parametrize("share", rows((0.2, 0.1), (0,)))
async def test_throwaways_move_no_honest_fan_back(shop: Shop, drop: str, share: float) -> None:
    accounts = crowd(Random(7), PEOPLE, share)
    without = await shop.lines_up(f"{drop}-off", accounts, FRIENDS, points=False)
    kept = await shop.lines_up(drop, accounts, FRIENDS)
    lenient = await shop.lines_up(f"{drop}-all", accounts, WITHOUT_RULES)
    honest = [one.name for one in accounts if one.honest]
    false = [one.name for one in accounts if not one.honest]
    worst = K / (K - 1)
    # Nobody alone waits longer than that, so no median does.
    assert _late(kept, without, honest) == []
    assert _late(lenient, without, honest) == []
    ratio = _median(kept, honest) / _median(without, honest)
    gain = _median(without, false) / _median(kept, false)
    ruled, unruled = (sum(line.points.get(fan, 0) for fan in false) for line in (kept, lenient))
    print(f"{PEOPLE} people, {share:.0%} deceive: honest median x {ratio:.3f}, at most {worst:.3f}")
    print(f"who deceives waits 1/{gain:.2f} and has {ruled} points, without rules {unruled}")
    print(f"{dict(kept.rows)}")
    assert ratio <= worst
    assert ruled < unruled


def _late(line: Line, without: Line, fans: list[str]) -> list[str]:
    """Who waits longer than a fan without friends may."""
    latest = {fan: -(-without.waits[fan] * K // (K - 1)) for fan in fans}
    return [fan for fan in fans if line.waits[fan] > latest[fan]]


def _median(line: Line, fans: list[str]) -> float:
    return median(line.waits[fan] for fan in fans)


async def test_without_one_call_in_k_throwaways_would(shop: Shop, drop: str) -> None:
    """The positive control."""
    accounts = crowd(Random(7), PEOPLE, 0.2)
    loaded = mutilated(CUTS["one call in k"])
    without = await shop.lines_up(f"{drop}-off", accounts, FRIENDS, points=False)
    moved = await shop.lines_up(drop, accounts, WITHOUT_RULES, loaded=loaded)
    honest = [one.name for one in accounts if one.honest]
    late = _late(moved, without, honest)
    print(f"{len(late)} of {len(honest)} honest fans wait longer than they may")
    assert len(late) > len(honest) / 10
