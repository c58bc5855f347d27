"""The desk of one drop: the numbers that operators are shown, and in a worker who looks at them.

The log is read as it grows, once for all who look; what only workers know comes in their rows.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from dropengine.live import pace
from dropengine.live.room import Room
from dropengine.live.seat import Frame, Seat
from dropengine.log.in_words import terms
from dropengine.log.launching import TAKEN
from dropengine.log.running import Running
from dropengine.manifest import Manifest
from dropengine.model import DropId, DropState, EntryState, HoldState, Origin
from dropengine.studio_wire import (
    AlarmView,
    CohortShareView,
    Desk,
    EndView,
    FeedView,
    FunnelView,
    GameView,
    HealthView,
    LaunchView,
    LineView,
    MoneyView,
    NetworkView,
    NextView,
    PlacedView,
    UnitsView,
    WorkerView,
    encode,
)
from dropengine.truth import true_time
from dropengine.truth.glances import Crowd, Standing
from dropengine.truth.networks import TIMES_AROUND
from dropengine.truth.replies import Ahead, ViewReply
from dropengine.truth.store import Store

NEXT_MOST = 10
OK = "ok"
STRETCH = 4_000
"""So many events are read at once: a log of a million takes its time, and nobody waits for it."""
STRETCHES_A_SECOND = 8
NETWORKS_MOST = 12
NETWORKS_EACH_S = 3.0


class Kinds(Struct, frozen=True):
    """Who stands in a list that chance orders: persons, who have confirmed an address, and guests;
    -1 while that is not known."""

    persons: int
    guests: int


UNKNOWN = Kinds(-1, -1)


class DropRow(Struct, frozen=True):
    """What one worker knows of one drop."""

    seats: int
    people: list[str]
    refused: dict[str, int]
    pace: dict[int, list[int]]


class Row(Struct, frozen=True):
    """What one worker tells the others. `owed`, `aside`: duties by drop, where he does them.
    `server`, `why`: whether he can sell, as `/readyz` says it. `alarms`: those that he knows."""

    worker: WorkerView
    owed: dict[str, int]
    aside: dict[str, int]
    drops: dict[str, DropRow]
    server: str = OK
    why: str = ""
    alarms: list[AlarmView] = []


class Looker:
    """Somebody who looks. by: his name. still: may he go on looking?"""

    def __init__(self, seat: Seat, by: str, still: Callable[[], Awaitable[bool]]) -> None:
        self.seat = seat
        self.by = by
        self.still = still


class DropDesk:
    """Who looks at a drop through this worker, and what he is shown."""

    def __init__(self, numbers: DeskNumbers, room: Room) -> None:
        self.room = room
        self.lookers: list[Looker] = []
        self._numbers = numbers

    @property
    def people(self) -> list[str]:
        """Who looks here, each once."""
        self.lookers = [one for one in self.lookers if not one.seat.gone]
        return [*dict.fromkeys(one.by for one in self.lookers)]

    async def read(self) -> None:
        """What happened since. Raises Unavailable: what is known stays so."""
        await self._numbers.read()

    def show(
        self,
        health: HealthView,
        alarms: Sequence[AlarmView],
        rows: Sequence[Row],
        kinds: Kinds = UNKNOWN,
    ) -> None:
        """Send everybody who looks the newest numbers."""
        view = self.room.view
        if view is None:
            return
        shown = Frame(encode(self._numbers.desk(view, health, alarms, rows, kinds)))
        for one in self.lookers:
            # Who reads slowly gets the newest next time.
            if not (one.seat.gone or one.seat.fresh or one.seat.wants_tick):
                one.seat.push(shown)


class DeskNumbers:
    """What operators are told of one drop. It is read from the truth; nobody need sit anywhere."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self._manifest = manifest
        self._drop = DropId(manifest.id)
        self._running = Running(terms(manifest, store.operators.known))
        self._ahead = Ahead([], [])
        self._head: list[Standing] = []
        self._counted: list[int] = []
        """Units of each cohort."""
        self._networks: list[NetworkView] = []
        self._networks_at = 0.0
        self._reading = asyncio.Lock()
        """Two who read the log at once would count what happened twice."""

    async def read(self, stretches: int = STRETCHES_A_SECOND) -> None:
        """What happened since, in so many stretches at most. Raises Unavailable: what is known
        stays so."""
        async with self._reading:
            await self._read_log(stretches)
            self._ahead = await self._store.glances.ahead(self._drop, NEXT_MOST)
            if (launch := self._running.launch) is not None:
                self._head = await self._store.glances.places(self._drop, launch.head)
            if self._manifest.cohorts:
                self._counted = await self._store.glances.counted(self._drop)
            await self._read_networks()

    async def _read_log(self, stretches: int) -> None:
        running = self._running
        for _ in range(stretches):
            texts = await self._store.stretch(self._drop, running.seq, STRETCH)
            await self._store.operators.told_in(texts)
            running.take(texts)
            if len(texts) < STRETCH:
                break

    async def _read_networks(self) -> None:
        """Many are limited where many attack: they are read less often than the rest."""
        m = self._manifest
        if (
            m.network_most or m.domain_most
        ) and time.monotonic() - self._networks_at >= NETWORKS_EACH_S:
            crowds = await self._store.glances.crowds(self._drop)
            self._networks = networks_of(crowds, m)
            self._networks_at = time.monotonic()

    @property
    def shares(self) -> dict[str, int]:
        """Units by how they were come by; empty where there is one way."""
        found = self._running.shares
        return {} if found is None else {way: count for way, count in found.units.items() if count}

    @property
    def carried(self) -> tuple[int, int]:
        """Places that are over from an earlier drop, and of them those that are confirmed."""
        return self._running.carried, self._running.counts["confirmed"]

    @property
    def cohorts(self) -> list[CohortShareView]:
        """What each has."""
        found = self._running.shares
        sold = Counter[str]() if found is None else found.cohorts
        return [
            CohortShareView(one.id, one.title, used, sum(one.most), sold[one.id])
            for one, used in zip(self._manifest.cohorts, self._counted, strict=False)
        ]

    def game(self, view: ViewReply) -> GameView | None:
        """What points did, where some are given."""
        if self._manifest.game is None:
            return None
        boosts, pointed = self._running.boosts, self._running.pointed
        # Of the drop's own time, as its log is.
        now = view.now_ms + true_time.present(view.leads)
        return GameView(boosts.ever, boosts.until(now), pointed.ever, pointed.until(now))

    def launch(self, view: ViewReply, kinds: Kinds) -> LaunchView | None:
        """Of a drop whose arrivals chance gives out."""
        found = self._running.launch
        if found is None:
            return None
        sealed_ms = true_time.happened(found.sealed_at, view.leads) if found.sealed_at else 0
        number, due_ms = found.waits_for(found.sealed_at - sealed_ms)
        waits = ""
        if view.state == DropState.ORDERING and not found.revealed:
            waits = "round" if number else "secret"
        answered = found.round_counts()
        entries = found.entries if found.sealed_at else view.entering.entries
        if not self._manifest.guests_may_enter:
            kinds = Kinds(entries, 0)
        return LaunchView(
            entries=entries,
            persons=kinds.persons,
            guests=kinds.guests,
            seals_ms=view.entering.seals_ms,
            sealed_ms=sealed_ms,
            root=found.root,
            waits=waits,
            round=number,
            due_ms=due_ms,
            placed=found.placed,
            offers=sum(answered.values()),
            taken=answered[TAKEN],
            lapsed=answered["lapsed"],
            declined=answered["declined"],
            over=found.over,
            called=max(0, found.called - found.carried),
            head=[_placed(n, one) for n, one in enumerate(self._head, 1)],
        )

    def desk(
        self,
        view: ViewReply,
        health: HealthView,
        alarms: Sequence[AlarmView],
        rows: Sequence[Row],
        kinds: Kinds = UNKNOWN,
    ) -> Desk:
        """All of it, with what workers tell in their rows."""
        drop, running = self._drop, self._running
        mine = [row.drops[drop] for row in rows if drop in row.drops]
        people = [*dict.fromkeys(name for row in mine for name in row.people)]
        watching = sum(row.seats for row in mine)
        owed = sum(row.owed.get(drop, 0) for row in rows)
        aside = sum(row.aside.get(drop, 0) for row in rows)
        return Desk(
            now=view.now_ms,
            seq=running.seq,
            units=units_of(view),
            money=MoneyView(running.sold - running.refunded, running.refunded, owed, aside),
            line=self._line(view),
            pace=pace.together(view.now_ms, [row.pace for row in mine]),
            funnel=self._funnel(view, watching),
            refused=pace.refused(row.refused for row in mine),
            health=health,
            alarms=[*alarms],
            feed=[
                FeedView(line.seq, true_time.happened(line.at_ms, view.leads), line.words)
                for line in running.lines
            ],
            people=people,
            launch=self.launch(view, kinds),
            shares=self.shares,
            cohorts=self.cohorts,
            carried=self.carried[0],
            confirmed=self.carried[1],
            networks=self._networks,
            game=self.game(view),
        )

    def _funnel(self, view: ViewReply, watching: int) -> FunnelView:
        counts = self._running.counts
        return FunnelView(
            watching=watching,
            held=sum(pool.held - pool.offered for pool in view.pools),
            paying=self._running.paying,
            paid=counts["sold"] + counts["rescued"],
            lapsed=counts["expired"] + counts["lapsed"],
        )

    def _line(self, view: ViewReply) -> LineView:
        lead = true_time.present(view.leads)
        pools = [pool.id for pool in view.pools]
        return LineView(
            waiting=sum(pool.waiting for pool in view.pools),
            offered=sum(pool.offered for pool in view.pools),
            next=[
                NextView(entry.n, pools[line // 2], entry.qty, boost=line % 2 == 1)
                for line, _, entry in self._ahead.waiting
            ],
            ends=[
                EndView(
                    name,
                    hold.pool,
                    hold.qty,
                    _what(hold.state, hold.origin, hold.claimed),
                    hold.deadline_ms - lead,
                )
                for name, hold in self._ahead.ends
            ],
        )


def networks_of(crowds: Sequence[Crowd], m: Manifest) -> list[NetworkView]:
    """Those that operators are shown, and all that are exempt. m: says what one may have."""
    most = m.network_most
    limited = [one for one in crowds if not one.exempt][:NETWORKS_MOST]
    return [
        NetworkView(
            one.network,
            one.open,
            m.domain_most if one.domain else most * TIMES_AROUND if one.around else most,
            one.refused,
            one.around,
            one.exempt,
            one.domain,
        )
        for one in [*limited, *(one for one in crowds if one.exempt)]
    ]


def _placed(n: int, one: Standing) -> PlacedView:
    entry = one.record
    state = _FATES.get(EntryState(entry.state), entry.state)
    if entry.state == EntryState.OFFERED and one.hold is not None and one.hold.claimed:
        state = TAKEN
    elif entry.state == EntryState.WAITING and entry.lapses:
        state = "again"
    return PlacedView(n, one.entry, entry.pools, entry.qty, state)


_FATES = {
    EntryState.WAITING: "waits",
    EntryState.SERVED: "bought",
    EntryState.DORMANT: "missed",
}
"""What operators read of a place, where that is another word."""


def _what(state: str, origin: str, claimed: int) -> str:
    if state == HoldState.PAYING:
        return "paying"
    return "offer" if origin == Origin.LINE and not claimed else "cart"


def units_of(view: ViewReply) -> UnitsView:
    """All pools as one; the parts add up."""
    pools = view.pools
    offered = sum(pool.offered for pool in pools)
    parts = {
        "left": sum(pool.free for pool in pools),
        "offered": offered,
        "carts": sum(pool.held for pool in pools) - offered,
        "sold": sum(pool.sold for pool in pools),
        "withheld": sum(pool.withheld + pool.leased for pool in pools),
    }
    return UnitsView(made=sum(parts.values()), **parts)
