"""One drop in one worker: its seats, and how news reach them.

Stock is a state: a seat that misses ticks is not behind, it gets the newest. What is personal is
never merged away: it is read again and sent whole. A slow reader never slows the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from socket import SocketType

import msgspec

from dropengine import outcomes, refusals, wire
from dropengine.config import Settings
from dropengine.live import views
from dropengine.live.batcher import Batcher
from dropengine.live.places import Lines
from dropengine.live.seat import Conn, Frame, Seat, frame
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId, HoldId, HoldRecord
from dropengine.payments.port import Payments, intend
from dropengine.truth.replies import Shown, ViewReply, YouRow
from dropengine.truth.store import Store
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

FANS_PER_READ = 256
ALIVE = ("active", "paying")
"""States of a hold whose units are still set aside."""
RIDE_S_MAX = 0.2
"""A tick waits no longer than this for the answer that it is to go out with."""
READ_PACE_S = 0.005
"""A crowd that arrives is read in batches: a read begins so long after the one before. The first
of a while begins at once."""


class Here:
    """A fan who is in the room: his seats and what was last read of him.

    shown: his holds, and the one that ended last, as the JSON that his screens read.
    """

    __slots__ = ("row", "seats", "seq", "shown", "wanted")

    def __init__(self) -> None:
        self.seats: list[Seat] = []
        self.row: YouRow | None = None
        self.shown: dict[str, msgspec.Raw] = {}
        self.seq = 0
        self.wanted = False


class Room:
    """One drop in one worker: its seats, its newest state, the commands on their way.

    The relay feeds it; sockets and doors use it. Nothing here decides about stock.
    """

    def __init__(
        self,
        store: Store,
        shown: Shown,
        settings: Settings,
        *,
        epoch: str,
        durable: bool,
        payments: Payments,
    ) -> None:
        self.drop = DropId(shown.manifest.id)
        self.manifest: Manifest = shown.manifest
        self.hash = shown.hash
        self.epoch = epoch
        self.durable = durable
        self.settings = settings
        self.batcher = Batcher(
            store, self.drop, batch_max=settings.batch_max, queue_max=settings.queue_max
        )
        self.seats: dict[Seat, None] = {}
        self.fans: dict[FanId, Here] = {}
        self.view: ViewReply | None = None
        self.tick: Frame | None = None
        self.lines = Lines([pool.id for item in self.manifest.items for pool in item.pools])
        self.skew_ms = 0.0
        """The server's clock minus this machine's, within half a round trip."""
        self.away = False
        self.ended = False
        """Nothing will ever change here again."""
        self.wake = asyncio.Event()
        """Set when the relay should look again."""
        self.used_at = asyncio.get_running_loop().time()
        self._store = store
        self._payments = payments
        self._pay_pages: dict[str, str] = {}
        self._pages_tell: dict[str, int] = {}
        """Hold -> the deadline that its payment page tells, ms."""
        self._wanted: list[FanId] = []
        self._letters: dict[FanId, int] = {}
        """Mail of fans with a command on its way: fan -> seq."""
        self.batcher.on_landed = self._open_letters
        self._reading: asyncio.Task[None] | None = None
        self._read_at = -READ_PACE_S
        self._drop_raw: tuple[ViewReply, msgspec.Raw] | None = None
        self._direct: dict[Seat, SocketType] = {}
        """Seats whose socket takes the next tick's bytes at once."""
        self._socks: list[SocketType] | None = None
        """Those sockets again, until somebody comes or goes."""
        self._asking: dict[Seat, None] = {}
        """The same with a command on its way: the tick may go out with the answer."""
        self._riding: asyncio.TimerHandle | None = None
        self._early: dict[Seat, None] = {}
        """Watchers who came before the first view."""
        self._laggards: dict[Seat, None] = {}

    def sit(self, conn: Conn, fan: FanId | None) -> Seat:
        """A new seat; its snapshot follows as soon as the state is known."""
        seat = Seat(conn, self)
        self.seats[seat] = None
        self.used_at = asyncio.get_running_loop().time()
        self.greet(seat, fan)
        return seat

    def greet(self, seat: Seat, fan: FanId | None) -> None:
        """Send this seat a fresh snapshot, from now on as this fan."""
        if seat.fan is not None and seat.fan != fan:
            self._unseat(seat)
        seat.fresh = True
        self._early.pop(seat, None)
        self._stand_back(seat)
        if fan is None:
            if self.view is not None:
                self._snapshot(seat, None)
            else:
                self._early[seat] = None
                self.wake.set()
            return
        here = self.fans.get(fan)
        if here is None:
            here = self.fans[fan] = Here()
        if seat.fan is None:
            seat.fan = fan
            here.seats.append(seat)
        self.want(fan)

    def leave(self, seat: Seat) -> None:
        """The socket is closed or will be; harmless twice."""
        if seat.gone:
            return
        seat.gone = True
        self.seats.pop(seat, None)
        self._stand_back(seat)
        self._early.pop(seat, None)
        self._laggards.pop(seat, None)
        self._unseat(seat)
        self.used_at = asyncio.get_running_loop().time()

    def _unseat(self, seat: Seat) -> None:
        here = self.fans.get(seat.fan) if seat.fan is not None else None
        if here is not None:
            here.seats.remove(seat)
            if not here.seats:
                del self.fans[seat.fan]  # type: ignore[arg-type]
        seat.fan = None

    def show(self, view: ViewReply, tick: Frame | None) -> None:
        """The newest state, and its frame when it is worth one."""
        self.view = view
        early, self._early = self._early, {}
        for seat in early:
            self._snapshot(seat, None)
        if tick is None:
            return
        self.tick = tick
        self._write(tick.raw)
        self._let_ride(tick.raw)
        if len(self._direct) + len(self._asking) < len(self.seats):
            for seat in self.seats:
                if seat.sock is None and not seat.fresh:
                    self._offer(seat, tick)

    def _write(self, raw: bytes) -> None:
        """The loop that everything else waits for: one system call a socket, and no object of it is
        touched. Nothing else runs meanwhile, so nobody comes or goes."""
        if self._socks is None:
            self._socks = list(self._direct.values())
        size = len(raw)
        stuck: dict[SocketType, int] = {}
        for sock in self._socks:
            try:
                taken = sock.send(raw)
            except BlockingIOError:
                taken = 0
            except OSError:
                # It is gone; the word of its loss is on the way.
                continue
            if taken < size:
                stuck[sock] = taken
        for seat, sock in list(self._direct.items()) if stuck else ():
            if sock in stuck:
                seat.conn.rest(raw[stuck[sock] :])

    def _stand_by(self, seat: Seat) -> None:
        """From now on the seat gets ticks."""
        if seat.sock is not None and not seat.wants_tick:
            self._direct[seat] = seat.sock
            self._socks = None

    def _stand_back(self, seat: Seat) -> None:
        """No tick for this seat until it is said again; what it was owed is old by then."""
        self._direct.pop(seat, None)
        self._socks = None
        self._asking.pop(seat, None)
        seat.owed = b""

    def asks(self, seat: Seat) -> None:
        """A command of this seat is on its way; `answered` follows soon, whatever becomes of it."""
        if self._direct.pop(seat, None) is not None:
            self._socks = None
            self._asking[seat] = None

    def answered(self, seat: Seat) -> None:
        """Its answer is pushed next, and takes with it what the seat is owed."""
        if seat in self._asking:
            del self._asking[seat]
            self._stand_by(seat)

    def _let_ride(self, raw: bytes) -> None:
        """A tick for those who await an answer: it waits for that, but not longer than for one tick
        more."""
        late = [seat for seat in self._asking if seat.owed]
        for seat in self._asking:
            seat.owed += raw
        for seat in late:
            seat.pay()
        if self._riding is not None:
            self._riding.cancel()
            self._riding = None
        if self._asking:
            self._riding = asyncio.get_running_loop().call_later(RIDE_S_MAX, self._pay_off)

    def _pay_off(self) -> None:
        """Neither an answer nor another tick came."""
        self._riding = None
        for seat in [seat for seat in self._asking if seat.owed]:
            seat.pay()

    def _offer(self, seat: Seat, tick: Frame) -> None:
        """A tick for a seat whose backlog has to be looked at.

        Never for one that writes at once: its transport tells once that it is full, and not again
        before it has told that it drained.
        """
        if seat.conn.unsent() > self.settings.seat_buffer_bytes_max:
            self.full(seat)
            return
        self.drained(seat)
        seat.conn.push(tick)

    def full(self, seat: Seat) -> None:
        """Its reader is too slow: from now on it only wants the newest tick."""
        self._stand_back(seat)
        if not (seat.wants_tick or seat.gone):
            seat.wants_tick = True
            seat.behind_at = asyncio.get_running_loop().time()
            self._laggards[seat] = None

    def drained(self, seat: Seat) -> None:
        """It reads again: the newest tick, and for a fan his whole state, which holds the moves of
        the ticks that it missed."""
        if not seat.wants_tick or seat.gone:
            return
        seat.wants_tick = False
        self._laggards.pop(seat, None)
        if seat.fresh:
            return
        if seat.fan is not None:
            self.want(seat.fan)
        if seat.sock is not None:
            self._stand_by(seat)
            if self.tick is not None:
                seat.push(self.tick)

    def drain(self) -> None:
        """Those who stay behind go; those who read again get the newest tick."""
        now = asyncio.get_running_loop().time()
        for seat in list(self._laggards):
            if now - seat.behind_at > self.settings.seat_behind_ms_max / 1000:
                seat.end(CloseCode.BEHIND, "too far behind")
            elif seat.sock is None and self.tick is not None:
                self._offer(seat, self.tick)

    def everybody(self, sent: Frame) -> None:
        """A frame that is not to be merged away, to every seat."""
        for seat in list(self.seats):
            if not seat.fresh:
                seat.push(sent)

    def refresh_everybody(self) -> None:
        """The server lost something: every seat gets a whole new snapshot."""
        self._drop_raw = None
        for here in self.fans.values():
            # What was read of the lost log would look newer than all that comes now.
            here.row, here.seq = None, 0
        for seat in list(self.seats):
            self.greet(seat, seat.fan)

    def drop_view(self) -> wire.DropView:
        """The whole public drop as it stands in the newest view."""
        assert self.view is not None, "a room shows nothing before its first view"
        return views.drop_view(
            self.manifest,
            self.view,
            self.lines.sent(),
            digest=self.hash,
            epoch=self.epoch,
            durable=self.durable,
        )

    def _snapshot(self, seat: Seat, you: bytes | None) -> None:
        view = self.view
        assert view is not None
        # Two views may bear the same millisecond, so the view itself is what is compared.
        if self._drop_raw is None or self._drop_raw[0] is not view:
            self._drop_raw = (view, msgspec.Raw(msgspec.json.encode(self.drop_view())))
        text = b'{"t":"snapshot","seq":%d,"drop":%b,"you":%b}' % (
            view.seq,
            self._drop_raw[1],
            you or b"null",
        )
        seat.fresh = False
        self._stand_by(seat)
        seat.push(Frame(text))
        if self.away:
            seat.push(self.away_tick())

    def want(self, fan: FanId) -> None:
        """Read this fan's state again soon and send it to his seats."""
        here = self.fans.get(fan)
        if here is None or here.wanted:
            return
        here.wanted = True
        self._wanted.append(fan)
        self.read_soon()

    def want_all(self, fans: Iterable[FanId]) -> None:
        for fan in list(fans):
            self.want(fan)

    def mail(self, letters: Iterable[tuple[FanId, int]]) -> None:
        """(fan, seq): the fan's state changed at `seq`, by somebody's command anywhere."""
        for fan, seq in letters:
            here = self.fans.get(fan)
            if here is None or (here.row is not None and here.row.record.seq >= seq):
                continue
            if fan in self.batcher.flying:
                # The answer that is on its way most likely tells the same, and costs no reading.
                self._letters[fan] = max(seq, self._letters.get(fan, 0))
            else:
                self.want(fan)

    def _open_letters(self) -> None:
        """A batch was answered: whoever is still behind his mail is read."""
        if self._letters:
            letters, self._letters = self._letters, {}
            self.mail(letters.items())

    @property
    def reads(self) -> bool:
        """Are there fans whose state is still to be read and told?"""
        return self._reading is not None or bool(self._wanted)

    def read_soon(self) -> None:
        if self._reading is None and self._wanted:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        """Read the wanted fans in batches, one at a time on its way. A failure keeps them
        wanted."""
        loop = asyncio.get_running_loop()
        try:
            while self._wanted:
                pause = self._read_at + READ_PACE_S - loop.time()
                if pause > 0 and len(self._wanted) < FANS_PER_READ:
                    await asyncio.sleep(pause)
                self._read_at = loop.time()
                fans = self._wanted[:FANS_PER_READ]
                # Cleared before asking: a change that comes meanwhile makes the fan wanted again.
                self._wanted = self._wanted[FANS_PER_READ:]
                for fan in fans:
                    if fan in self.fans:
                        self.fans[fan].wanted = False
                fans = [fan for fan in fans if fan in self.fans]
                if not fans:
                    continue
                try:
                    reply = await self._store.you(self.drop, fans)
                except Exception as error:  # noqa: BLE001 - the relay's next look asks again
                    log.warning("%s: %d fans could not be read: %s", self.drop, len(fans), error)
                    self._want_later(fans)
                    return
                if isinstance(reply, refusals.Frozen | refusals.NotFound):
                    self._want_later(fans)
                    return
                for row in reply.rows:
                    if self.view is not None:
                        await self._pages(row)
                    self._deliver(row, reply.seq)
        finally:
            self._reading = None

    def _want_later(self, fans: Iterable[FanId]) -> None:
        """They could not be read now: the relay's next look asks again."""
        for fan in fans:
            if fan in self.fans and not self.fans[fan].wanted:
                self.fans[fan].wanted = True
                self._wanted.append(fan)

    async def _pages(self, row: YouRow) -> None:
        for hold_id, hold in row.holds:
            if hold.state == "paying":
                await self.pay_page(hold_id, hold)

    async def pay_page(self, hold_id: str, hold: HoldRecord) -> str:
        """Where this hold is paid; '' while the provider does not answer."""
        page = self._pay_pages.get(hold_id, "")
        # The page tells the deadline: more time has to be told there too.
        if self._pages_tell.get(hold_id) != hold.deadline_ms:
            try:
                intent = intend(self.drop_view(), HoldId(hold_id), hold, f"/drops/{self.drop}")
                page = await self._payments.begin(intent)
            except Exception as error:  # noqa: BLE001 - the fan may press pay again
                log.warning("%s: no payment page for %s: %s", self.drop, hold_id, error)
                return page
            self._pay_pages[hold_id] = page
            self._pages_tell[hold_id] = hold.deadline_ms
        return page

    def _deliver(self, row: YouRow, seq: int) -> None:
        here = self.fans.get(FanId(row.fan))
        if here is None or seq < here.seq:
            return
        if not self.lines.bring_up(row):
            # Trimmed: read it again, from the newest state.
            self.want(FanId(row.fan))
            return
        here.row, here.seq = row, seq
        here.shown = {hold_id: self.hold_text(hold_id, hold) for hold_id, hold in row.holds}
        self._tell(here)

    def _tell(self, here: Here, but: Seat | None = None) -> Frame | None:
        """Send a fan's state to his seats; the seat `but` gets it from the caller."""
        assert here.row is not None
        text = wire.encode(views.you(here.row, here.seq, self.manifest.k, here.shown))
        sent = Frame(text)
        if but is not None and here.seats == [but] and not but.fresh:
            return sent
        left: Frame | None = None
        for seat in list(here.seats):
            if seat is but and not seat.fresh:
                left = sent
            elif not seat.fresh:
                seat.push(sent)
            elif self.view is not None:
                self._snapshot(seat, text)
            else:
                self.wake.set()
        return left

    def tell_waiting(self) -> None:
        """The first view has come: those whose state was read before it get their snapshot."""
        for here in self.fans.values():
            if here.row is not None and any(seat.fresh for seat in here.seats):
                self._tell(here)

    def note(
        self,
        fan: FanId,
        outcome: outcomes.PressOutcome,
        by: Seat | None = None,
        text: msgspec.Raw | None = None,
    ) -> Frame | None:
        """A command of a fan was decided through this worker: show it to him without reading again.

        text: the outcome's hold, if the caller has made it. Returns the `you` that the seat `by` is
        to get with its answer, if there is one to give.

        Only the plain case, a hold of a fan with nothing in the line, is applied here; the rest is
        read. What was applied is known to be whole, because the outcome says what it changed from.
        """
        here = self.fans.get(fan)
        if here is None or here.row is None:
            return None
        if not isinstance(outcome, outcomes.HoldGranted):
            if isinstance(outcome, outcomes.EntryGranted) and outcome.was != outcome.seq:
                self.want(fan)
            return None
        if outcome.was == outcome.seq:
            return None
        record = here.row.record
        if record.seq < outcome.was or here.row.entries or outcome.hold.entry:
            self.want(fan)
            return None
        if record.seq > outcome.was:
            return None
        hold_id, hold = outcome.id, outcome.hold
        here.shown[hold_id] = text or self.hold_text(hold_id, hold)
        if hold.state in ALIVE:
            if hold_id not in record.holds:
                record.holds.append(hold_id)
                record.used += hold.qty
        elif hold_id in record.holds:
            record.holds.remove(hold_id)
            record.used -= hold.qty
            here.shown.pop(record.last, None)
            record.last = hold_id
        record.seq = here.seq = outcome.seq
        return self._tell(here, by)

    def you(self, row: YouRow, seq: int) -> wire.You:
        """A fan's records as his screens read them."""
        shown = {hold_id: self.hold_view(hold_id, hold) for hold_id, hold in row.holds}
        return views.you(row, seq, self.manifest.k, shown)

    def hold_view(self, hold_id: str, hold: HoldRecord) -> wire.HoldView:
        """One hold as screens read it."""
        return views.hold_view(hold_id, hold, self._pay_pages.get(hold_id, ""))

    def hold_text(self, hold_id: str, hold: HoldRecord) -> msgspec.Raw:
        """The same as JSON: it goes into the answer, into `you`, and later into another `you`."""
        return msgspec.Raw(wire.encode(self.hold_view(hold_id, hold)))

    def away_tick(self) -> Frame:
        """The last known numbers, marked as such: a screen must never be silently stale."""
        assert self.view is not None
        return frame(views.tick(self.manifest, self.view, away=True))
