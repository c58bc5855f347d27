"""The desk of one drop: the numbers that operators are shown, and in a worker who looks at them.

The log is read as it grows, once for all who look; what only workers know comes in their rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from dropengine.live import pace
from dropengine.live.room import Room
from dropengine.live.seat import Frame, Seat
from dropengine.log.in_words import terms
from dropengine.log.running import Running
from dropengine.manifest import Manifest
from dropengine.model import DropId, HoldState, Origin
from dropengine.studio_wire import (
    AlarmView,
    Desk,
    EndView,
    FeedView,
    FunnelView,
    HealthView,
    LineView,
    MoneyView,
    NextView,
    UnitsView,
    WorkerView,
    encode,
)
from dropengine.truth import true_time
from dropengine.truth.replies import Ahead, ViewReply
from dropengine.truth.store import Store

NEXT_MOST = 10
OK = "ok"
STRETCH = 4_000
"""So many events are read at once: a log of a million takes its time, and nobody waits for it."""
STRETCHES_A_SECOND = 8


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

    def __init__(self, store: Store, room: Room) -> None:
        self.room = room
        self.lookers: list[Looker] = []
        self._numbers = DeskNumbers(store, room.manifest)

    @property
    def people(self) -> list[str]:
        """Who looks here, each once."""
        self.lookers = [one for one in self.lookers if not one.seat.gone]
        return [*dict.fromkeys(one.by for one in self.lookers)]

    async def read(self) -> None:
        """What happened since. Raises Unavailable: what is known stays so."""
        await self._numbers.read()

    def show(self, health: HealthView, alarms: Sequence[AlarmView], rows: Sequence[Row]) -> None:
        """Send everybody who looks the newest numbers."""
        view = self.room.view
        if view is None:
            return
        shown = Frame(encode(self._numbers.desk(view, health, alarms, rows)))
        for one in self.lookers:
            # Who reads slowly gets the newest next time.
            if not (one.seat.gone or one.seat.fresh or one.seat.wants_tick):
                one.seat.push(shown)


class DeskNumbers:
    """What operators are told of one drop. It is read from the truth; nobody need sit anywhere."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self._store = store
        self._drop = DropId(manifest.id)
        self._running = Running(terms(manifest, store.operators.known))
        self._ahead = Ahead([], [])

    async def read(self) -> None:
        """What happened since. Raises Unavailable: what is known stays so."""
        running = self._running
        for _ in range(STRETCHES_A_SECOND):
            texts = await self._store.stretch(self._drop, running.seq, STRETCH)
            await self._store.operators.told_in(texts)
            running.take(texts)
            if len(texts) < STRETCH:
                break
        self._ahead = await self._store.glances.ahead(self._drop, NEXT_MOST)

    def desk(
        self,
        view: ViewReply,
        health: HealthView,
        alarms: Sequence[AlarmView],
        rows: Sequence[Row],
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
