"""The game of a line in a rehearsal: its maker runs the missions, and what came of it is judged and
told. What the log alone shows is judged by what pages promise, and with no word of the scripts, of
replay or of the referee's books; what fans were told, by the links that friends really came by."""

from __future__ import annotations

import asyncio
import secrets
import time
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from dropengine import events
from dropengine.config import Settings
from dropengine.log.figures import figures
from dropengine.log.referee import Violation
from dropengine.manifest import Manifest
from dropengine.manifest.game import Mission
from dropengine.model import DropId
from dropengine.people import in_line, missions
from dropengine.people.one_after_another import change
from dropengine.rehearsal.fans import Crowd
from dropengine.rehearsal.fans.person import Fan
from dropengine.rehearsal.operators import insist
from dropengine.sql.database import Database
from dropengine.truth.store import Store

BY: Final = "o1"
BEGIN_S: Final = 0.5
"""So long after the opening the first mission starts, and then one each time."""
TAP_S: Final = 2.0
SETTLE_S_MAX: Final = 20.0
"""Within so long everybody's points are where they belong, once nothing is on its way."""
LOOK_S: Final = 0.5
REFUNDS: Final = 2
SENTENCES_MAX: Final = 5
SHOWN_MOST: Final = 20
"""Of more friends than that a fan need not be told one by one."""


class Host:
    """Runs the missions of a drop on its night, as its maker does by the panel, and gives some
    money back."""

    def __init__(
        self,
        database: Database,
        store: Store,
        drop: Manifest,
        crowd: Crowd,
        say: Callable[[str], None],
    ) -> None:
        self._database = database
        self._say = say
        self._store = store
        self._crowd = crowd
        self._drop = drop
        self._links = crowd.links[drop.id]

    async def play(self) -> None:
        """Each starts, one after the other; whoever stands in line then is ticked off. Friends
        whose orders are refunded count no more."""
        assert self._drop.game is not None
        for one in self._drop.game.missions:
            await asyncio.sleep(BEGIN_S)
            word = "" if one.kind == "tap" else f"The word of {one.id}"
            await change(self._database, partial(self._begin, one, word))
            said = f": {word}" if word else ""
            self._say(f"the mission “{one.title}” starts{said}")
            if word:
                self._links.words[one.id] = word
                self._links.news()
        await asyncio.sleep(TAP_S)
        for one in self._drop.game.missions:
            if one.kind == "tap":
                self._links.done[one.id] += await change(self._database, partial(self._tap, one))
        await asyncio.sleep(BEGIN_S)
        for order in self._orders_of_friends()[:REFUNDS]:
            key = secrets.token_hex(8)
            refund = partial(self._store.refund, DropId(self._drop.id), order, by=BY, key=key)
            await insist(refund)

    def _orders_of_friends(self) -> list[str]:
        """Of those who came by a link, as their pages know it."""
        found = [fan for fan in self._crowd.fans if fan.drop == self._drop.id and _came(fan)]
        return [order.id for fan in found if fan.screen.you for order in fan.screen.you.orders]

    def _begin(self, one: Mission, word: str, sql: Connection) -> None:
        missions.start(sql, DropId(self._drop.id), one, word, one.ends_ms, _now_ms())

    def _tap(self, one: Mission, sql: Connection) -> int:
        drop = DropId(self._drop.id)
        return missions.tap(sql, drop, one, in_line.everybody(sql, drop), _now_ms())


def _came(fan: Fan) -> bool:
    game = None if fan.playing is None else fan.playing.game
    return game is not None and game.came


def _now_ms() -> int:
    return int(time.time() * 1000)


async def settled(crowd: Crowd, drop: Manifest) -> list[str]:
    """What is wrong with what fans were told of their points, once nothing is on its way: nothing,
    or the first sentences of it. Whatever stands in a fan's book is in his place in line, and each
    friend who came by his link is a row of it."""
    players = [fan for fan in crowd.fans if fan.drop == drop.id and fan.playing is not None]
    wrong = dict.fromkeys(players, "unknown")
    deadline = time.monotonic() + SETTLE_S_MAX
    while wrong and time.monotonic() < deadline:
        await asyncio.gather(*(_look(fan) for fan in wrong))
        told = {fan: _wrong(fan, crowd) for fan in wrong}
        wrong = {fan: sentence for fan, sentence in told.items() if sentence}
        if wrong:
            await asyncio.sleep(LOOK_S)
    found = [f"{drop.id}: {fan.browser.name} {sentence}" for fan, sentence in wrong.items()]
    return found[:SENTENCES_MAX]


async def _look(fan: Fan) -> None:
    assert fan.playing is not None
    await fan.playing.look()


def _wrong(fan: Fan, crowd: Crowd) -> str:
    assert fan.playing is not None
    game, you = fan.playing.game, fan.screen.you
    if game is None or you is None:
        return "was told nothing of the game"
    came = sum(row.why == "friend" for row in game.rows)
    brought = crowd.links[fan.drop].brought[game.code]
    if came != brought and brought <= SHOWN_MOST:
        return f"is told of {came} friends, and {brought} came by his link"
    stands = [entry.points for entry in you.entries]
    if stands and game.rules.points_until == "close" and stands != [game.points]:
        return f"is told of {game.points} points, and stands in line with {stands}"
    counted = sum(row.points for row in game.rows if row.state in ("counted", "cured"))
    if counted < game.points or game.points > game.rules.most:
        return f"has {game.points} points, of rows worth {counted}, of {game.rules.most} at most"
    return ""


def faults(drop: DropId, log: Sequence[bytes]) -> list[Violation]:
    """What of the latest turn was not kept, by the log alone (INV-11)."""
    told = [events.parse(line) for line in log]
    return [
        Violation(inv="INV-11", seq=0, sentence=sentence, drop=drop)
        for sentence in [*_Turns(told).broken()][:SENTENCES_MAX]
    ]


class _Stands:
    """One entry. place: in each of its lines when it was made; calls: how many were made there
    before."""

    def __init__(self, pools: Sequence[str]) -> None:
        self.n = 0
        self.pools = pools
        self.place: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self.open = True
        self.promised = True


class _Turns:
    """The latest turn, as pages say it: called by call ceil(place x k / (k - 1)) of his line,
    lapsed base calls not counted. It is promised to whoever could be called all the time: who never
    held or bought anything else."""

    def __init__(self, told: Sequence[events.AnyEvent]) -> None:
        self._told = told
        self._stands: dict[str, _Stands] = {}
        self._of: defaultdict[str, list[_Stands]] = defaultdict(list)
        """Fan -> his."""
        self._open: defaultdict[str, list[int]] = defaultdict(list)
        """Pool -> the arrivals that stand there, ascending."""
        self._offers: dict[str, list[str]] = {}
        """Pool -> its offers, in order."""
        self._lane: dict[str, int] = {}
        self._lapsed: set[str] = set()
        """Offers of the base lane that came back."""
        self._busy: set[str] = set()
        """Fans who had something beside their place."""
        self._k = 0

    def broken(self) -> Iterator[str]:
        """A sentence each."""
        for event in self._told:
            match event:
                case events.Published():
                    self._k = event.rules.k
                    if event.rules.cohorts:
                        # Whose ceiling is reached waits while others are called.
                        return
                case events.Joined():
                    stands = _Stands(event.pools)
                    stands.promised = event.why == "fan" and event.fan not in self._busy
                    self._stands[event.entry] = stands
                    self._of[event.fan].append(stands)
                    if event.n and not event.lane:
                        self._placed(stands, event.n)
                case events.Ordered():
                    for n, entry in enumerate(event.ids, event.n):
                        self._placed(self._stands[entry], n)
                case events.Held() | events.Rescued():
                    self._occupied(event.fan)
                case events.Adopted():
                    self._occupied(event.guest)
                    self._occupied(event.fan)
                case events.Declined() | events.Lapsed() | events.Released() | events.Expired():
                    if self._lane.get(event.hold) == 0:
                        self._lapsed.add(event.hold)
                case events.Offered():
                    self._offers.setdefault(event.pool, []).append(event.hold)
                    self._lane[event.hold] = event.call
                    stands = self._stands[event.entry]
                    if stands.promised and (why := self._late(event.entry, stands, event.pool)):
                        yield why
                    stands.promised = False
                case events.Served() | events.Left() | events.Dormant() | events.Removed():
                    self._gone(self._stands[event.entry])
                case _:
                    pass
        for entry, stands in self._stands.items():
            for pool in stands.place if stands.open and stands.promised else ():
                if why := self._late(entry, stands, pool, waits=True):
                    yield why

    def _occupied(self, fan: str) -> None:
        self._busy.add(fan)
        for stands in self._of[fan]:
            stands.promised = False

    def _placed(self, one: _Stands, n: int) -> None:
        one.n = n
        for pool in one.pools:
            insort(self._open[pool], n)
            one.place[pool] = bisect_right(self._open[pool], n)
            one.calls[pool] = len(self._offers.get(pool, []))

    def _gone(self, one: _Stands) -> None:
        one.open = False
        for pool in one.place:
            standing = self._open[pool]
            del standing[bisect_right(standing, one.n) - 1]

    def _late(self, entry: str, one: _Stands, pool: str, *, waits: bool = False) -> str:
        made = self._offers.get(pool, [])[one.calls[pool] :]
        calls = sum(hold not in self._lapsed for hold in made) + waits
        latest = -(-one.place[pool] * self._k // (self._k - 1))
        if calls <= latest:
            return ""
        how = "is still to be called" if waits else "was called"
        return (
            f"{entry}, {one.place[pool]} in {pool}, {how} by call {calls}, {latest} at the latest"
        )


def told_of(drop: DropId, log: Sequence[bytes], crowd: Crowd) -> list[str]:
    """What became of the game, in sentences; nothing where there was none."""
    links = crowd.links.get(drop)
    if links is None:
        return []
    found = {one.name: one.values for one in figures(events.parse(line) for line in log)}
    pointed = [line for line in log if b'"e":"pointed"' in line]
    back = sum(b'"why":"taken_back"' in line for line in pointed)
    came, done = sum(links.brought.values()), sum(links.done.values())
    said = (
        f"{drop}: {len(links.codes)} shared their links, {came} friends came by them, missions "
        f"were done {done} times; points changed {len(pointed)} times, {back} of them "
        "back"
    )
    lanes = found.get("served_by_lane")
    if lanes is None:
        return [f"{said}. The boost lane called nobody."]
    later = found["offers_later"]
    boost = (
        f"Of {lanes['']} offers that were paid the boost lane made {lanes['boost']}; it made the "
        f"base lane {later['']} offers later on average, {later['most']} at most"
    )
    return [f"{said}. {boost}."]


async def hosted(
    settings: Settings,
    store: Store,
    drops: Sequence[Manifest],
    crowd: Crowd,
    say: Callable[[str], None],
) -> None:
    """The missions of all of them, at once, in the books of the shop of these settings; who looks
    on is told what is said for them."""
    wanted = [drop for drop in drops if drop.game is not None]
    if not wanted:
        return
    database = Database(settings)
    try:
        await asyncio.gather(*(Host(database, store, drop, crowd, say).play() for drop in wanted))
    finally:
        await database.close()
