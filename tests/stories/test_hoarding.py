"""A hundred cookies of one address try to keep an edition that they never pay, through every door.

Three hours of a moved clock, default times. What a press gives away comes back within a quarter of
an hour; only who was refused a unit when he joined gets the longer terms of the line.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest

from dropengine import events, outcomes, wire
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.manifest import Manifest
from dropengine.manifest.defaults import SECONDS
from dropengine.model import FanId
from dropengine.truth.replies import ViewReply, YouReply, YouRow
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale

COOKIES = [f"cookie-{n}" for n in range(100)]
POOLS = {"hill": 120, "port": 80}
STEP_MS = 30_000
RUN_MS = 3 * 3_600_000

PRESS_MS_MAX = 15 * 60_000
"""The hold, its extension, a payment that nobody makes, and the question about it."""
LINE_MS_MAX = 45 * 60_000
"""The window of an offer, and then the same."""

ENDS = (events.Expired, events.Released, events.Declined, events.Lapsed)


def edition(drop: str) -> Manifest:
    """200 units in two pools, two to a fan, with the times of a manifest that names none."""
    times = {f"{name}_ms": bounds.default * 1000 for name, bounds in SECONDS.items()}
    return msgspec.structs.replace(
        manifest(drop, item("pin", POOLS, most=2), limit=2, k=5), **times
    )


@dataclass
class Crowd:
    """The cookies: each keeps what it has for as long as the rules allow, and takes what it can.

    gives_back: how likely it lets a hold go in one step, to take another.
    """

    sale: Sale
    gives_back: float
    dice: random.Random = field(default_factory=lambda: random.Random(9))

    async def act(self) -> None:
        """Everybody at once, in batches as a worker makes them."""
        fans = [FanId(cookie) for cookie in COOKIES]
        reply = await self.sale.store.you(self.sale.drop, fans, clock_ms=self.sale.now)
        assert isinstance(reply, YouReply)
        wanted = [(row.fan, command) for row in reply.rows for command in self.wants(row)]
        for start in range(0, len(wanted), 256):
            await self.sale.batch(*wanted[start : start + 256])

    def wants(self, row: YouRow) -> Iterator[wire.FanCommand]:
        """What one cookie asks for now."""
        key = self.sale.key
        for name, hold in row.holds:
            if hold.state not in ("active", "paying"):
                continue
            if self.dice.random() < self.gives_back:
                yield wire.Release(id=0, key=key(), hold=name)
            elif hold.deadline_ms - self.sale.now > STEP_MS:
                continue
            elif hold.origin == "line" and not hold.claimed:
                yield wire.Claim(id=0, key=key(), hold=name)
            elif not hold.extended:
                yield wire.Extend(id=0, key=key(), hold=name)
            elif not hold.began:
                yield wire.Pay(id=0, key=key(), holds=[name])
        first, second = self.dice.sample(list(POOLS), 2)
        if row.record.used < 2 and self.dice.random() < 0.5:
            yield wire.Hold(id=0, key=key(), pool=first, qty=2, fewer=True)
        if not row.entries:
            yield wire.Join(id=0, key=key(), pools=[first, second], qty=2)


def refused(log: list[events.AnyEvent], limit: int) -> Iterator[str]:
    """Entries that could have had a unit when they joined."""
    free, used, taken = dict(POOLS), dict[str, int](), dict[str, tuple[str, int]]()
    ready = False
    for event in log:
        match event:
            case events.Held() | events.Offered():
                free[event.pool] -= event.qty
                used[event.fan] = used.get(event.fan, 0) + event.qty
                taken[event.hold] = event.pool, event.qty
                ready = False
            case events.Expired() | events.Released() | events.Declined() | events.Lapsed():
                pool, qty = taken[event.hold]
                free[pool] += qty
                used[event.fan] -= qty
                # Until the line was served what came back is not a newcomer's.
                ready = True
            case events.Joined() if not ready:
                had = any(free[pool] for pool in event.pools)
                if had and used.get(event.fan, 0) < limit:
                    yield event.entry
            case _:
                pass


def stretches(log: list[events.AnyEvent], end_ms: int) -> dict[str, int]:
    """By origin: the longest that a hold kept its units without paying for them, ms."""
    begun: dict[str, tuple[str, int]] = {}
    longest = {"press": 0, "line": 0}

    def over(hold: str, at: int) -> None:
        origin, since = begun.pop(hold)
        longest[origin] = max(longest[origin], at - since)

    for event in log:
        match event:
            case events.Held():
                begun[event.hold] = "press", event.at
            case events.Offered():
                begun[event.hold] = "line", event.at
            case events.Sale():
                begun.pop(event.hold)
            case _ if isinstance(event, ENDS):
                over(event.hold, event.at)
            case _:
                pass
    for hold in list(begun):
        over(hold, end_ms)
    return longest


async def adds_up(sale: Sale) -> None:
    """The numbers of one tick."""
    view = await sale.store.view(sale.drop, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    for row in view.pools:
        counts = (row.free, row.held, row.sold, row.withheld, row.leased)
        assert min(*counts, row.offered, row.held - row.offered) >= 0
        assert sum(counts) == POOLS[row.id]


@pytest.mark.parametrize("gives_back", [0.0, 0.05])
async def test_a_hundred_cookies_keep_nothing_longer_than_a_press_may(
    store: Store, drop: str, gives_back: float
) -> None:
    sale = Sale(store, drop)
    await sale.publish(edition(drop))
    await sale.creator("open")
    began = sale.now
    # A hundred joins in one batch, with "I would also take": they get holds, not offers.
    join = wire.Join(id=0, key="rush", pools=list(POOLS), qty=2)
    rush = await sale.batch(*((cookie, join) for cookie in COOKIES))
    assert all(isinstance(answer, outcomes.Held) for answer in rush)
    await sale.joined("before", *POOLS)
    crowd = Crowd(sale, gives_back)
    await crowd.act()
    await sale.joined("after", *POOLS)
    bought: dict[str, int] = {}
    while sale.now < began + RUN_MS:
        sale.now += STEP_MS
        await adds_up(sale)
        for fan in {"before", "after"} - bought.keys():
            for _, entry, _ in (await sale.you(fan)).entries:
                if entry.state == "offered":
                    await sale.succeeded(entry.hold)
                    bought[fan] = sale.now - began
        await crowd.act()

    log = await sale.log()
    ends = next(i for i, event in enumerate(log) if isinstance(event, ENDS))
    first = next(event for event in log[ends:] if isinstance(event, events.Offered))
    assert first.fan == "before", "called at the first lapse"
    assert list(refused(log, limit=2)) == []
    longest = stretches(log, sale.now)
    assert longest["press"] <= PRESS_MS_MAX
    assert longest["line"] <= LINE_MS_MAX
    # What a line of cookies can still do to who comes after them.
    assert bought["before"] <= PRESS_MS_MAX
    assert bought["after"] <= PRESS_MS_MAX + LINE_MS_MAX
    assert judge([line async for line in store.log(sale.drop)]).violations == []
    assert difference(fold(log), await sale.truth()) == []
