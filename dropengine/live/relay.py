"""From the server to a room: a nudge says that something changed, a view says what.

A view arms the nudge in the same script, so nothing is missed and there is no clock in it; the
nudge is only a hint, and a look once a second does without it. A tick is made at most every
`tick_ms`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from dropengine import refusals, wire
from dropengine.errors import Broken, NewerSchema, Unavailable
from dropengine.live import views
from dropengine.live.room import Room
from dropengine.live.seat import frame
from dropengine.model import DropState
from dropengine.truth.replies import ViewReply
from dropengine.truth.store import Store
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

LAGGARDS_S = 0.25
ORDERING_S = 0.25
"""While chance orders its list a drop ticks this often, also where nothing has come of it yet: a
hall that holds its breath is not left with a picture that stands still."""
UNTOLD_MAX = 3
"""So many looks, a whole `view_ms` apart, that found news of which no nudge had told: the nudges do
not come any more."""


class Relay:
    """Keeps one room at the newest state for as long as it is needed.

    epoch: asks the server for its present run id; called when its log went back; raises
    Unavailable. untold: called when news come and nudges do not.
    """

    def __init__(
        self,
        store: Store,
        room: Room,
        epoch: Callable[[], Awaitable[str]],
        untold: Callable[[], None],
    ) -> None:
        self._store = store
        self._room = room
        self._epoch = epoch
        self._untold = untold
        self._untold_looks = 0
        self._nudged = 0
        self._checked_at = -math.inf
        self._checked_seq = -1
        self._ticked_at = -math.inf
        self._spoke_at = -math.inf
        """When all screens last heard that what they show is true."""
        self._moves_at = 0
        self._mail_at = 0
        self._seq = -1
        self._news_seq = 0
        self._leads: list[tuple[int, int]] = []
        self._told: tuple[int, str, int, tuple[int, ...]] | None = None
        self._look: asyncio.Task[ViewReply | None] | None = None
        self._reading_anew = False
        """Moves were missed and the fans in the line are being read: until their places are told,
        no tick shows them the gap, or each of them would ask."""

    async def run(self) -> None:
        """Until cancelled: look after each nudge at tick pace, and once in `view_ms` in any
        case."""
        room, settings = self._room, self._room.settings
        loop = asyncio.get_running_loop()
        laggards = loop.create_task(self._drain())
        looked_at = 0.0
        try:
            while True:
                try:
                    async with asyncio.timeout(self._rest()):
                        await room.wake.wait()
                except TimeoutError:
                    if not room.seats:
                        continue
                while (pause := self._pause(looked_at)) > 0:  # noqa: ASYNC110 - a time, no event
                    await asyncio.sleep(pause)
                room.wake.clear()
                looked_at = time.monotonic()
                await self.look()
                self._check_nudges()
                # A slow look is a sign of load: the next one leaves as much time as this one took.
                looked_at += max(0.0, time.monotonic() - looked_at - settings.tick_ms / 1000)
        finally:
            laggards.cancel()

    def _check_nudges(self) -> None:
        """Each look arms the nudge, so what the next one finds was told; now and then a nudge is
        still on its way, but not again and again."""
        now, room = time.monotonic(), self._room
        if room.nudged != self._nudged:
            self._nudged, self._untold_looks = room.nudged, 0
        elif now - self._checked_at < room.settings.view_ms / 1000:
            return
        elif self._seq > self._checked_seq >= 0:
            self._untold_looks += 1
        self._checked_at, self._checked_seq = now, self._seq
        if self._untold_looks >= UNTOLD_MAX:
            self._untold_looks = 0
            self._untold()

    def _rest(self) -> float:
        """Seconds until the next look that nothing asks for: a beat stands on one."""
        view_s, due = self._room.settings.view_ms / 1000, self._beat_due()
        return min(view_s, due) if self._room.seats and due > 0 else view_s

    def _beat_due(self) -> float:
        """Seconds until the screens have to hear something."""
        beat_s = ORDERING_S if self._is_ordering() else self._room.beat_ms / 1000
        return self._spoke_at + beat_s - time.monotonic()

    def _is_ordering(self) -> bool:
        view = self._room.view
        return view is not None and view.state == DropState.ORDERING

    def _pause(self, since: float) -> float:
        """Seconds until a tick after `since` may be made; not above 0: now."""
        last = max(since, self._ticked_at)
        return last + self._room.settings.tick_ms / 1000 - time.monotonic()

    async def _drain(self) -> None:
        while True:
            await asyncio.sleep(LAGGARDS_S)
            self._room.fan_out.drain()

    async def look(self) -> ViewReply | None:
        """Read the newest state and show it. None when the server is away.

        Callers that come while one is on its way get one that begins after they came.
        """
        before = self._look
        if before is not None:
            await asyncio.wait({before})
        if self._look is None or self._look is before:
            self._look = asyncio.get_running_loop().create_task(self._look_once())
        return await asyncio.shield(self._look)

    async def _look_once(self) -> ViewReply | None:
        room = self._room
        asked_ms = time.time() * 1000
        try:
            reply = await self._store.view(room.drop, self._moves_at, self._mail_at)
            if isinstance(reply, ViewReply) and reply.seq < self._seq:
                room.epoch = await self._epoch()
            if isinstance(reply, ViewReply) and reply.hash != room.hash:
                shown = await self._store.show(room.drop)
                if shown is not None:
                    room.reads(shown)
        except NewerSchema:
            # Whoever comes back may find a worker that knows it; here he is told why not.
            self._end()
            return None
        except (Unavailable, Broken) as error:
            log.warning("%s: %s", room.drop, error)
            room.wake.set()
            if not room.away and room.view is not None and self._pause(-math.inf) <= 0:
                room.away = True
                self._told = None
                self._ticked_at = time.monotonic()
                room.fan_out.everybody(room.away_tick())
            return None
        if isinstance(reply, refusals.Frozen):
            room.wake.set()
            return None
        if isinstance(reply, refusals.NotFound):
            # Whoever comes back is told whether there is such a drop.
            self._end()
            return None
        # Deadlines are the server's; so is the clock that screens are told.
        room.skew_ms = reply.now_ms - (asked_ms + time.time() * 1000) / 2
        self._apply(reply)
        return reply

    def _end(self) -> None:
        """This room shows nothing any more: everybody dials again."""
        self._room.ended = True
        for seat in list(self._room.seats):
            seat.end(CloseCode.RESTART, "")

    def _apply(self, view: ViewReply) -> None:
        room = self._room
        if self._anew(view):
            known = self._seq >= 0
            if view.seq < self._seq:
                log.warning(
                    "%s: the log is shorter than before, everything is read again", room.drop
                )
            self._begin(view)
            room.show(view, None)
            if known:
                room.refresh_everybody()
            room.fan_states.tell_waiting()
            self._tick(view)
            return
        self._seq = view.seq
        if view.leads != self._leads:
            # All times that are still to come are other ones now.
            self._leads = view.leads
            room.fan_states.want_all(room.fans)
        self._mail(view)
        self._moves(view)
        room.away = False
        self._tick(view)
        self._news(view)
        room.fan_states.read_soon()
        if room.lines.more() or self._moves_at < view.moves_end or self._mail_at < view.mail_end:
            room.wake.set()

    def _anew(self, view: ViewReply) -> bool:
        """Does what is known end here? Also of a drop that left for the archive: its moves and
        letters are numbered from the start when it comes back."""
        ends = view.moves_end < self._moves_at or view.mail_end < self._mail_at
        return self._seq < 0 or view.seq < self._seq or ends

    def _begin(self, view: ViewReply) -> None:
        """Start from this view: its counts are known, what was before it is nobody's here."""
        self._seq, self._leads = view.seq, view.leads
        self._moves_at, self._mail_at = view.moves_end, view.mail_end
        self._news_seq = max((seq for seq, _, _ in view.news), default=0)
        self._told = None
        self._room.away = False
        self._start_lines(view)

    def _mail(self, view: ViewReply) -> None:
        room = self._room
        for number, letters in view.mail:
            if number != self._mail_at + 1:
                # Trimmed before it was read: everybody here is read again, in batches.
                room.fan_states.want_all(room.fans)
            self._mail_at = number
            room.fan_states.mail(letters)

    def _moves(self, view: ViewReply) -> None:
        room = self._room
        for number, moves in view.moves:
            missed = number != self._moves_at + 1
            self._moves_at = number
            if missed or not room.lines.take(moves):
                self._start_lines(view)
                self._moves_at = view.moves_end
                room.fan_states.want_all(
                    f for f, here in room.fans.items() if here.row and here.row.entries
                )
                self._reading_anew = True
                break

    def _start_lines(self, view: ViewReply) -> None:
        counts = ((row.id, row.removed_base, row.removed_boost) for row in view.pools)
        self._room.lines.start(counts)

    def _tick(self, view: ViewReply) -> None:
        room = self._room
        # Who may call himself in quiet hours changes without an event where a place has cooled.
        first = tuple(row.next for row in view.pools) if view.calls_ms else ()
        told = (view.seq, views.shown_state(view), view.revision, first)
        due = self._beat_due() <= 0
        again = due and self._is_ordering()
        if told == self._told and not room.lines.more() and not again:
            room.show(view, None)
            if due:
                self._spoke_at = time.monotonic()
                room.fan_out.send(frame(wire.Beat(view.now_ms)))
            return
        if self._pause(-math.inf) > 0:
            # A look out of turn, for one who asked: the screens wait for theirs.
            room.show(view, None)
            room.wake.set()
            return
        self._told = told
        self._reading_anew = self._reading_anew and room.fan_states.unread
        moved = {} if self._reading_anew else room.lines.next_tick()
        boosts = {} if self._reading_anew else room.lines.next_boosts()
        room.show(view, frame(views.tick(room.manifest, view, moved, boosts)))
        # From the last seat's frame on, however many there are; the loop's own clock stands still
        # within a turn.
        self._ticked_at = self._spoke_at = time.monotonic()

    def _news(self, view: ViewReply) -> None:
        for seq, at, text in view.news:
            if seq > self._news_seq:
                self._news_seq = seq
                self._room.fan_out.everybody(frame(wire.News(seq, at, text)))
