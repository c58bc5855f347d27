"""The rooms of one worker: made when somebody comes, closed when nobody is left."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable

import redis.asyncio as redis

from dropengine import refusals, wire
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.live.measured import SECONDS, Histogram, Measured
from dropengine.live.nudges import Nudges
from dropengine.live.paid_by import Hands
from dropengine.live.relay import Relay
from dropengine.live.room import Room
from dropengine.live.weighing import Losses
from dropengine.model import DropId, FanId
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.people.tickets import Ticket
from dropengine.truth.store import Store
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

ROOMS_MAX = 256
IDLE_S = 30.0
LOST_JITTER_S = 0.5


class Hub:
    """Every drop that somebody looks at through this worker.

    nudges: a client of its own whose reads may last. epoch: the server's run id. durable: whether
    an acknowledged sale is on disk.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        payments: Configured,
        intents: IntentIds,
        nudges: redis.Redis,
        *,
        epoch: str,
        durable: bool,
    ) -> None:
        self.store = store
        self.settings = settings
        self.epoch = epoch
        self.durable = durable
        self.rooms: dict[DropId, Room] = {}
        self.refused: defaultdict[DropId, Counter[str]] = defaultdict(Counter)
        """See `Room.refused`; it outlives the rooms."""
        self.measured: defaultdict[DropId, Measured] = defaultdict(Measured)
        """How fast commands of each drop are decided here; it outlives the rooms."""
        self.loop_lag_s = Histogram(SECONDS)
        """By how much later than it asked a task came round."""
        self.leaving = False
        """This process was told to stop: nobody sits down here any more."""
        self.hands: Hands | None = None
        """Who keeps that a person has one payment by hand open."""
        self._payments = payments
        self._intents = intents
        self._relays: dict[DropId, tuple[Relay, asyncio.Task[None]]] = {}
        self._opening: dict[DropId, asyncio.Task[Room | None]] = {}
        self._nudges = Nudges(nudges, self._look_everywhere, self._hear_house, store.prefix)
        self.on_house: list[Callable[[], None]] = []
        """Called when something of the shop's has changed, or may have while nobody listened."""
        self.earlier: Losses | None = None
        """Who knows of earlier draws."""

    def know(self, epoch: str, durable: bool) -> None:
        """The server's run id and its promise now, for every room. A screen that was told another
        promise is told anew."""
        self.epoch, self.durable = epoch, durable
        for room in self.rooms.values():
            room.know(epoch, durable)

    @property
    def seats(self) -> int:
        """Open sockets in this worker."""
        return sum(len(room.seats) for room in self.rooms.values())

    async def run(self) -> None:
        """Until cancelled: listen to nudges, close rooms that nobody needs."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._nudges.run())
            group.create_task(self._sweep())

    async def room(self, drop: str) -> Room | None:
        """The room of a drop, or None when there is no such drop. Raises Unavailable."""
        drop = DropId(drop)
        room = self.rooms.get(drop)
        if room is not None and not room.ended:
            room.used_at = asyncio.get_running_loop().time()
            return room
        opening = self._opening.get(drop)
        if opening is None:
            opening = asyncio.get_running_loop().create_task(self._open(drop))
            self._opening[drop] = opening
            opening.add_done_callback(lambda _: self._opening.pop(drop, None))
        return await asyncio.shield(opening)

    async def _open(self, drop: DropId) -> Room | None:
        shown = await self.store.show(drop)
        before = self.rooms.get(drop)
        if before is not None:
            # Its drop was gone for a moment; what it knew is worth nothing now.
            await self._close(before)
        if shown is None:
            return None
        await self._make_way()
        room = Room(
            self.store,
            shown,
            self.settings,
            epoch=self.epoch,
            durable=self.durable,
            payments=self._payments,
            intents=self._intents,
            refused=self.refused[drop],
            measured=self.measured[drop],
            earlier=self.earlier,
            cards=self._payments.words(practice=shown.manifest.practice),
            hands=self.hands,
        )
        relay = Relay(self.store, room, self._run_id, self._nudges.renew)
        if await relay.look() is None:
            raise Unavailable(f"{drop} cannot be read now")
        # Others may have come while it looked; from here on nothing is waited for.
        await self._make_way()
        self.rooms[drop] = room
        task = asyncio.get_running_loop().create_task(relay.run(), name=f"relay of {drop}")
        task.add_done_callback(lambda ended: self._relay_ended(room, ended))
        self._relays[drop] = (relay, task)
        await self._nudges.add(room)
        room.wake.set()
        return room

    async def _make_way(self) -> None:
        """Room for one more: of the rooms that nobody sits in the longest unused one closes.

        Raises Unavailable when there is somebody in each of them.
        """
        while len(self.rooms) >= ROOMS_MAX:
            empty = [room for room in self.rooms.values() if room.empty]
            if not empty:
                raise Unavailable(f"{ROOMS_MAX} drops are watched through this worker already")
            await self._close(min(empty, key=lambda room: room.used_at))

    async def _run_id(self) -> str:
        """The server's run id now, for every room that is opened from now on.

        Raises Unavailable.
        """
        try:
            self.epoch = str((await self.store.client.info("server"))["run_id"])
        except (redis.RedisError, OSError) as error:
            raise Unavailable(f"no reply: {error}") from error
        return self.epoch

    def _relay_ended(self, room: Room, task: asyncio.Task[None]) -> None:
        """A relay never ends by itself. If one does, its seats come back to a new one."""
        if task.cancelled():
            return
        log.error("the relay of %s died", room.drop, exc_info=task.exception())
        if self._forget(room):
            self._nudges.forget(room)
        for seat in list(room.seats):
            seat.end(CloseCode.RESTART, "")

    async def fresh(self, room: Room) -> Room:
        """The room of this drop at a state not older than this call; another one, when this one
        was closed meanwhile. Raises Unavailable."""
        if self._over(room):
            anew = await self.room(room.drop)
            if anew is None:
                raise Unavailable(f"{room.drop} is gone")
            return anew
        relay, _ = self._relays[room.drop]
        if await relay.look() is None:
            if self._over(room):
                # Its drop is gone, or not known here any more: asking for it anew says which.
                await self.store.show(room.drop)
            raise Unavailable(f"{room.drop} cannot be read now")
        return room

    def _over(self, room: Room) -> bool:
        return room.ended or self.rooms.get(room.drop) is not room

    async def snapshot(self, drop: str, ticket: Ticket | None) -> wire.Snapshot | None:
        """Everything public, and the state of whoever shows a ticket, not older than this call.

        Raises Unavailable.
        """
        room = await self.room(drop)
        if room is None:
            return None
        room = await self.fresh(room)
        fan = room.fan(ticket)
        you = await self.you(room, fan) if fan is not None else None
        assert room.view is not None
        return wire.Snapshot(room.view.seq, room.drop_view(), you)

    async def you(self, room: Room, fan: FanId) -> wire.You:
        """A fan's whole state, read now. Raises Unavailable."""
        reply = await self.store.you(room.drop, [fan])
        if isinstance(reply, refusals.Frozen | refusals.NotFound):
            raise Unavailable(f"{room.drop} was frozen just now")
        row = reply.rows[0]
        # A page that is not known yet is asked for, and told when it is: state waits for nobody.
        room.pages.questions(row.payments, row.holds)
        return room.fan_states.you(row, reply.seq)

    def _hear_house(self) -> None:
        for told in self.on_house:
            told()

    def _look_everywhere(self) -> None:
        """After a break: every room looks again, spread out so that they do not come at once."""
        self._hear_house()
        loop = asyncio.get_running_loop()
        for room in self.rooms.values():
            loop.call_later(random.uniform(0, LOST_JITTER_S), room.wake.set)

    async def sweep(self, now: float) -> None:
        """Close the rooms that nobody has used for a while. now: s, of the loop's clock."""
        for room in list(self.rooms.values()):
            # Looked at when its turn comes: closing the one before took a while.
            if not room.seats and (room.ended or now - room.used_at > IDLE_S):
                await self._close(room)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(IDLE_S / 2)
            await self.sweep(asyncio.get_running_loop().time())

    def _forget(self, room: Room) -> bool:
        """It is not known here any more; false when it was not, or its name is another's by now."""
        room.ended = True
        if self.rooms.get(room.drop) is not room:
            return False
        del self.rooms[room.drop]
        _, task = self._relays.pop(room.drop)
        task.cancel()
        return True

    async def _close(self, room: Room) -> None:
        """Harmless twice."""
        if self._forget(room):
            # Whoever was about to sit down in it comes back to the next one.
            for seat in list(room.seats):
                seat.end(CloseCode.RESTART, "")
            await self._nudges.remove(room)
            await room.pages.close()

    def leave(self) -> None:
        """Everybody out: come back, to another worker or a moment later. Harmless twice.

        Where commands are under way their answers go first; a server that stops waits a moment
        before it closes the sockets itself.
        """
        self.leaving = True
        for room in list(self.rooms.values()):
            room.batcher.afterwards(room.send_away)

    async def close(self) -> None:
        """Everybody out, and nothing runs here any more."""
        self.leave()
        for room in list(self.rooms.values()):
            with contextlib.suppress(Exception):
                await self._close(room)
