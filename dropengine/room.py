"""One drop in one worker: its seats, and how news reach them.

Stock is a state: a seat that misses ticks is not behind, it gets the newest. What is personal is
never merged away: it is read again and sent whole. A slow reader never slows the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

import msgspec

from dropengine import model, wire
from dropengine.batcher import Batcher
from dropengine.config import Settings
from dropengine.manifest import MINOR_DIGITS, Manifest
from dropengine.model import DropId, FanId, HoldId, HoldRecord, Lane
from dropengine.payments import Payments, intend
from dropengine.places import Lines
from dropengine.store import Shown, Store, ViewReply, YouRow
from dropengine.wire import CloseCode

log = logging.getLogger(__name__)

FANS_PER_READ = 256
BACKLOG_BYTES_MAX = 1 << 18
"""Unsent personal frames of one seat beyond which it is closed: it will read the state again."""


class Frame:
    """One message, encoded once. `text`: the JSON. `raw`: the same as one WebSocket text frame."""

    __slots__ = ("raw", "text", "then")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.then: Frame | None = None
        """A second message that `raw` carries after this one."""
        size = len(text)
        if size < 126:
            head = bytes((0x81, size))
        elif size < 65_536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        self.raw = head + text

    def before(self, other: Frame) -> Frame:
        """This message and then the other, to be written at once; `text` is this one's."""
        both = Frame.__new__(Frame)
        both.text, both.raw, both.then = self.text, self.raw + other.raw, other
        return both


def frame(message: wire.ToFanMessage) -> Frame:
    """One message as a frame."""
    return Frame(wire.encode(message))


class Conn(Protocol):
    """The wire under a seat: the socket protocol itself, or a queue for a plain ASGI server or
    SSE."""

    def push(self, frame: Frame) -> None:
        """Hand a frame over. Never waits, never raises; after the end it does nothing."""
        ...

    def unsent(self) -> int:
        """Bytes that the reader has not taken yet."""
        ...

    def end(self, code: int, reason: str, /) -> None:
        """Close it, with a WebSocket close code."""
        ...


class Seat:
    """One open socket in a room. `fan` is None for a watcher."""

    __slots__ = ("behind_at", "conn", "fan", "fresh", "gone", "room", "wants_tick")

    def __init__(self, conn: Conn, room: Room) -> None:
        self.conn = conn
        self.room = room
        self.fan: FanId | None = None
        self.fresh = True
        """Its snapshot has not been sent yet; until then it gets nothing else."""
        self.gone = False
        self.wants_tick = False
        self.behind_at = 0.0

    def push(self, frame: Frame) -> None:
        """Something personal: kept for a slow reader, up to a limit."""
        if self.gone:
            return
        if self.conn.unsent() > BACKLOG_BYTES_MAX:
            self.end(CloseCode.BEHIND, "too far behind")
            return
        self.conn.push(frame)

    def end(self, code: int, reason: str) -> None:
        self.conn.end(code, reason)
        self.room.leave(self)


class Here:
    """A fan who is in the room: his seats and what was last read of him."""

    __slots__ = ("row", "seats", "seq", "wanted")

    def __init__(self) -> None:
        self.seats: list[Seat] = []
        self.row: YouRow | None = None
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
        self._pay_pages: dict[str, tuple[int, str]] = {}
        """Hold -> the deadline that its payment page tells, and the page's address."""
        self._wanted: list[FanId] = []
        self._reading: asyncio.Task[None] | None = None
        self._drop_raw: tuple[ViewReply, msgspec.Raw] | None = None
        self._laggards: dict[Seat, None] = {}

    # --- Sitting down and leaving. ---

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
        if fan is None:
            if self.view is not None:
                self._snapshot(seat, None)
            else:
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

    # --- What everybody sees. ---

    def show(self, view: ViewReply, tick: Frame | None) -> None:
        """The newest state, and its frame when it is worth one."""
        self.view = view
        for seat in [s for s in self.seats if s.fresh and s.fan is None]:
            self._snapshot(seat, None)
        if tick is None:
            return
        self.tick = tick
        limit = self.settings.seat_buffer_bytes_max
        now = asyncio.get_running_loop().time()
        for seat in self.seats:
            if seat.fresh:
                continue
            if seat.conn.unsent() > limit:
                if not seat.wants_tick:
                    seat.wants_tick = True
                    seat.behind_at = now
                    self._laggards[seat] = None
                continue
            if seat.wants_tick:
                self._caught_up(seat)
            seat.conn.push(tick)

    def _caught_up(self, seat: Seat) -> None:
        """It reads again. The moves of the ticks it missed come to it inside a whole `you`."""
        seat.wants_tick = False
        self._laggards.pop(seat, None)
        if seat.fan is not None:
            self.want(seat.fan)

    def drain(self) -> None:
        """Give those who were behind the newest tick, or the way out."""
        now = asyncio.get_running_loop().time()
        for seat in list(self._laggards):
            if seat.conn.unsent() <= self.settings.seat_buffer_bytes_max:
                self._caught_up(seat)
                if self.tick is not None:
                    seat.conn.push(self.tick)
            elif now - seat.behind_at > self.settings.seat_behind_ms_max / 1000:
                seat.end(CloseCode.BEHIND, "too far behind")

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

    def drop_view(self, now_ms: int | None = None) -> wire.DropView:
        """The whole public drop as it stands in the newest view."""
        view = self.view
        assert view is not None, "a room shows nothing before its first view"
        m = self.manifest
        return wire.DropView(
            id=m.id,
            title=m.title,
            maker=m.maker,
            story=m.story,
            state=shown_state(view),
            revision=view.revision,
            mode=m.mode,
            currency=m.currency,
            minor_digits=MINOR_DIGITS[m.currency],
            zone=m.zone,
            opens_ms=view.opens_ms,
            closes_ms=view.closes_ms,
            now=view.now_ms if now_ms is None else now_ms,
            limit=m.limit,
            k=m.k,
            hold_ms=m.hold_ms,
            offer_ms=m.offer_ms,
            extend_ms=m.extend_ms,
            cool_ms=m.cool_ms,
            practice=m.practice,
            hash=self.hash,
            epoch=self.epoch,
            durable=self.durable,
            items=[
                wire.ItemView(
                    id=item.id,
                    title=item.title,
                    cap=item.cap,
                    price=item.price,
                    limit=item.limit,
                    most=item.most,
                    about=item.about,
                    pools=[pool.id for pool in item.pools],
                )
                for item in m.items
            ],
            pools=self.pool_views(view),
            lines=self.lines.sent(),
            news=[wire.News(seq, at, text) for seq, at, text in view.news],
        )

    def pool_views(self, view: ViewReply) -> dict[str, wire.PoolView]:
        caps = {pool.id: (item.id, pool.cap) for item in self.manifest.items for pool in item.pools}
        return {
            row.id: wire.PoolView(
                *caps[row.id],
                row.free,
                row.held,
                row.sold,
                row.withheld,
                row.leased,
                row.waiting,
                row.buying,
            )
            for row in view.pools
        }

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
        seat.push(Frame(text))
        if self.away:
            seat.push(Frame(away_tick(self)))

    # --- What is personal. ---

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

    def mail(self, fan: str, seq: int) -> None:
        """The fan's state changed at `seq`, by somebody's command anywhere."""
        here = self.fans.get(FanId(fan))
        if here is not None and (here.row is None or here.row.record.seq < seq):
            self.want(FanId(fan))

    def read_soon(self) -> None:
        if self._reading is None and self._wanted:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> None:
        """Read the wanted fans in batches, one at a time on its way. A failure keeps them
        wanted."""
        try:
            while self._wanted:
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
                if isinstance(reply, model.Frozen | model.NotFound):
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
        told_ms, page = self._pay_pages.get(hold_id, (0, ""))
        # The page tells the deadline: more time has to be told there too.
        if told_ms != hold.deadline_ms:
            try:
                intent = intend(self.drop_view(), HoldId(hold_id), hold, f"/drops/{self.drop}")
                page = await self._payments.begin(intent)
            except Exception as error:  # noqa: BLE001 - the fan may press pay again
                log.warning("%s: no payment page for %s: %s", self.drop, hold_id, error)
                return page
            self._pay_pages[hold_id] = (hold.deadline_ms, page)
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
        self._tell(here)

    def _tell(self, here: Here, but: Seat | None = None) -> Frame | None:
        """Send a fan's state to his seats; the seat `but` gets it from the caller."""
        assert here.row is not None
        text = wire.encode(self.you(here.row, here.seq))
        sent = Frame(text)
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

    def note(self, fan: FanId, outcome: model.PressOutcome, by: Seat | None = None) -> Frame | None:
        """A command of a fan was decided through this worker: show it to him without reading again.

        Returns the `you` that the seat `by` is to get with its answer, if there is one to give.

        Only the plain case, a hold of a fan with nothing in the line, is applied here; the rest is
        read. What was applied is known to be whole, because the outcome says what it changed from.
        """
        here = self.fans.get(fan)
        if here is None or not isinstance(outcome, model.HoldGranted | model.EntryGranted):
            return None
        if outcome.was == outcome.seq or here.row is None:
            return None
        row = here.row
        if isinstance(outcome, model.EntryGranted) or row.entries or outcome.hold.entry:
            self.want(fan)
            return None
        record = row.record
        if record.seq != outcome.was:
            if record.seq < outcome.was:
                self.want(fan)
            return None
        hold, alive = outcome.hold, outcome.hold.state in ("active", "paying")
        known = outcome.id in record.holds
        if alive and not known:
            record.holds.append(outcome.id)
            record.used += hold.qty
        elif not alive and known:
            record.holds.remove(outcome.id)
            record.used -= hold.qty
            record.last = outcome.id
        rows = dict(row.holds)
        rows[outcome.id] = hold
        row.holds = [(i, rows[i]) for i in record.holds]
        if record.last in rows:
            row.holds.append((record.last, rows[record.last]))
        record.seq = here.seq = outcome.seq
        return self._tell(here, by)

    def you(self, row: YouRow, seq: int) -> wire.You:
        """A fan's records as his screens read them."""
        held = set(row.record.holds)
        views = {hold_id: self.hold_view(hold_id, hold) for hold_id, hold in row.holds}
        return wire.You(
            seq=seq,
            fan=row.fan,
            used=row.record.used,
            holds=[views[i] for i in row.record.holds],
            entries=[
                wire.EntryView(
                    id=entry_id,
                    key=entry.key,
                    n=entry.n,
                    qty=entry.qty,
                    lane=Lane(entry.lane).name.lower(),
                    points=entry.points,
                    state=entry.state,
                    lapses=entry.lapses,
                    cool_ms=entry.cool_ms,
                    hold=entry.hold,
                    lines=[
                        wire.LinePlace(
                            line.pool,
                            line.place,
                            line.r,
                            line.buying,
                            latest_turn(line.place, self.manifest.k),
                        )
                        for line in lines
                    ],
                )
                for entry_id, entry, lines in row.entries
            ],
            orders=[
                wire.OrderView(
                    id=order_id,
                    pool=order.pool,
                    qty=order.qty,
                    amount=order.amount,
                    serials=order.serials,
                    state=order.state,
                    at=order.at_ms,
                )
                for order_id, order in row.orders
            ],
            ended=next((view for i, view in views.items() if i not in held), None),
        )

    def hold_view(self, hold_id: str, hold: HoldRecord) -> wire.HoldView:
        return wire.HoldView(
            id=hold_id,
            key=hold.key,
            pool=hold.pool,
            qty=hold.qty,
            price=hold.price,
            origin=hold.origin,
            state=hold.state,
            start_ms=hold.start_ms,
            deadline_ms=hold.deadline_ms,
            claimed=bool(hold.claimed),
            extended=bool(hold.extended),
            checking=bool(hold.looked) and hold.state == "paying",
            pay=self._pay_pages.get(hold_id, (0, ""))[1] if hold.state == "paying" else "",
        )


def latest_turn(place: int, k: int) -> int:
    """Calls up to yours, lapsed ones not counted, are at most ceil(place x k / (k - 1))."""
    return -(-place * k // (k - 1)) if k > 1 else place


def shown_state(view: ViewReply) -> str:
    """`live` without a free or a held unit anywhere is what people call sold out."""
    if view.state == "live" and all(row.free == 0 and row.held == 0 for row in view.pools):
        return model.DropState.SOLD_OUT
    return view.state


def away_tick(room: Room) -> bytes:
    """The last known numbers, marked as such: a screen must never be silently stale."""
    view = room.view
    assert view is not None
    return wire.encode(
        wire.Tick(
            seq=view.seq,
            now=view.now_ms,
            state=shown_state(view),
            revision=view.revision,
            pools=room.pool_views(view),
            opens_ms=view.opens_ms,
            closes_ms=view.closes_ms,
            away=True,
        )
    )
