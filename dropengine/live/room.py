"""One drop in one worker: who is here, its newest state, and the parts that tell the one the other.

The relay feeds it; sockets and doors use it. Nothing here decides about stock.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import msgspec

from dropengine import wire
from dropengine.config import Settings
from dropengine.live import views
from dropengine.live.batcher import Batcher
from dropengine.live.fan_out import FanOut
from dropengine.live.fan_states import FanHere, FanStates
from dropengine.live.measured import Measured
from dropengine.live.paid_by import Hands, by_words
from dropengine.live.payment_pages import PaymentPages
from dropengine.live.places import Lines
from dropengine.live.seat import Conn, Frame, Seat, frame
from dropengine.live.weighing import Losses, Weighing
from dropengine.manifest import Manifest
from dropengine.model import DropId, DropState, FanId
from dropengine.payments.configured import Configured
from dropengine.payments.intent_ids import IntentIds
from dropengine.people.tickets import Ticket
from dropengine.truth.networks import NetworkNames
from dropengine.truth.replies import Shown, ViewReply
from dropengine.truth.store import Store
from dropengine.wire import CloseCode

BEAT_MS_MIN = 1_000
"""Where nothing changes, screens are not told so more often than this."""


OVER = (DropState.SETTLED, DropState.CANCELLED)


class Room:
    """One drop in one worker.

    fan_out: frames to the seats. fan_states: what each fan is told of himself. pages: where holds
    are paid. batcher: the commands on their way. lines: the places that screens know. earlier: who
    knows of earlier draws.
    """

    def __init__(
        self,
        store: Store,
        shown: Shown,
        settings: Settings,
        *,
        epoch: str,
        durable: bool,
        payments: Configured,
        intents: IntentIds,
        refused: Counter[str],
        measured: Measured,
        earlier: Losses | None = None,
        cards: Sequence[str] = (),
        hands: Hands | None = None,
    ) -> None:
        self.drop = DropId(shown.manifest.id)
        self.manifest: Manifest = shown.manifest
        self.hash = shown.hash
        self.cards = [*cards]
        """The providers that a fan may pay at himself, by name, the usual first."""
        self.hands = hands
        """Who keeps that a person has one payment by hand open."""
        self.chance = shown.chance
        """By what its list is ordered, where chance gives out the arrivals."""
        self.epoch = epoch
        self.durable = durable
        self.settings = settings
        self.beat_ms = max(BEAT_MS_MIN, settings.view_ms)
        """A screen hears at least this often that what it shows is true."""
        counts, persons = self.manifest.network_most > 0, self.manifest.domain_most > 0
        self.networks = (
            NetworkNames(networks=counts, domains=persons) if counts or persons else None
        )
        """What they are called here, where the drop counts them."""
        self.batcher = Batcher(
            store,
            self.drop,
            measured,
            batch_max=settings.batch_max,
            queue_max=settings.queue_max,
            names=self.networks,
        )
        self.seats: dict[Seat, None] = {}
        self.view: ViewReply | None = None
        self.lines = Lines([pool.id for item in self.manifest.items for pool in item.pools])
        self.pages = PaymentPages(payments, intents, self.drop, self._public)
        self.fan_states = FanStates(
            store,
            self.drop,
            self.manifest.k,
            batcher=self.batcher,
            lines=self.lines,
            pages=self.pages,
            snapshot=self._snapshot,
        )
        self.fan_out = FanOut(self.seats, settings, self.fan_states.want, self._newest)
        self.refused = refused
        """Code -> how often somebody was refused with it here."""
        self.skew_ms = 0.0
        """The server's clock minus this machine's, within half a round trip."""
        self.away = False
        self.ended = False
        """Nothing will ever change here again."""
        self.wake = asyncio.Event()
        """Set when the relay should look again."""
        self._weighing = self._weighs(earlier)
        self.nudged = 0
        """How often the server told of news."""
        self.used_at = asyncio.get_running_loop().time()
        self._drop_raw: tuple[ViewReply, msgspec.Raw] | None = None
        self._newest_frame: tuple[ViewReply, bool, Frame] | None = None
        self._early: dict[Seat, None] = {}
        """Watchers who came before the first view."""

    def _weighs(self, earlier: Losses | None) -> Weighing | None:
        most = self.manifest.tickets_most
        return None if earlier is None or most < 2 else Weighing(earlier, self.drop, most)

    @property
    def weighing(self) -> Weighing | None:
        """Who counts the tickets of a join, where it needs any now."""
        if self._weighing is None or self.view is None or self.view.state != DropState.LOBBY:
            return None
        return self._weighing

    @property
    def empty(self) -> bool:
        """Nobody sits here, and nobody waits for an answer."""
        return not (self.seats or self.batcher.busy)

    @property
    def fans(self) -> dict[FanId, FanHere]:
        """Who is here under a name."""
        return self.fan_states.fans

    def fan(self, ticket: Ticket | None) -> FanId | None:
        """Who the holder of a ticket is here; None: a watcher, who may not act."""
        return None if ticket is None else ticket.fan(self.drop, self.manifest.identity)

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
            self.fan_states.leave(seat)
        seat.fresh = True
        self._early.pop(seat, None)
        self.fan_out.stand_back(seat)
        if fan is not None:
            self.fan_states.sit(seat, fan)
            return
        if self.view is None:
            self._early[seat] = None
        self._snapshot(seat, None)

    def leave(self, seat: Seat) -> None:
        """The socket is closed or will be; harmless twice."""
        if seat.gone:
            return
        seat.gone = True
        self.seats.pop(seat, None)
        self.fan_out.leave(seat)
        self._early.pop(seat, None)
        self.fan_states.leave(seat)
        self.used_at = asyncio.get_running_loop().time()

    def send_away(self) -> None:
        """Everybody is to come back, to another worker or a moment later."""
        for seat in list(self.seats):
            seat.end(CloseCode.RESTART, "restart")

    def show(self, view: ViewReply, tick: Frame | None) -> None:
        """The newest state, and its frame when it is worth one."""
        self.view = view
        if self.networks is not None and view.state in OVER:
            self.networks.forget()
        early, self._early = self._early, {}
        for seat in early:
            self._snapshot(seat, None)
        if tick is not None:
            self.fan_out.send(tick)

    def refresh_everybody(self) -> None:
        """The server lost something: every seat gets a whole new snapshot."""
        self._drop_raw = None
        self.fan_states.forget()
        for seat in list(self.seats):
            self.greet(seat, seat.fan)

    def know(self, epoch: str, durable: bool) -> None:
        """The server's run id and its promise now: whoever sits here is told of another promise."""
        if (epoch, durable) == (self.epoch, self.durable):
            return
        promise_changed = durable != self.durable
        self.epoch, self.durable = epoch, durable
        self._drop_raw = None
        if promise_changed:
            self.refresh_everybody()

    def reads(self, shown: Shown) -> None:
        """Its maker put words right: everybody is shown them."""
        self.manifest, self.hash = shown.manifest, shown.hash
        self._drop_raw = None
        self.refresh_everybody()

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
            beat_ms=self.beat_ms,
            chance=self.chance,
            pays=by_words(self.cards, self.manifest),
        )

    def _public(self) -> wire.DropView | None:
        return None if self.view is None else self.drop_view()

    def _snapshot(self, seat: Seat, you: bytes | None) -> None:
        """Everything, to one seat. Before the first view there is nothing to send: it is asked
        for."""
        view = self.view
        if view is None:
            self.wake.set()
            return
        # Two views may bear the same millisecond, so the view itself is what is compared.
        if self._drop_raw is None or self._drop_raw[0] is not view:
            self._drop_raw = (view, msgspec.Raw(msgspec.json.encode(self.drop_view())))
        text = b'{"t":"snapshot","seq":%d,"drop":%b,"you":%b}' % (
            view.seq,
            self._drop_raw[1],
            you or b"null",
        )
        seat.fresh = False
        self.fan_out.stand_by(seat)
        seat.push(Frame(text))
        if self.away:
            seat.push(self.away_tick())

    def away_tick(self) -> Frame:
        """The last known numbers, marked as such: a screen must never be silently stale."""
        assert self.view is not None
        return frame(views.tick(self.manifest, self.view, away=True))

    def _newest(self) -> Frame | None:
        """What is known now, for one who missed ticks. The last tick may be older than the snapshot
        that he has, and does not say that the server has gone since."""
        view, made = self.view, self._newest_frame
        if view is None:
            return None
        if made is None or made[0] is not view or made[1] != self.away:
            tick = frame(views.tick(self.manifest, view, away=self.away))
            made = self._newest_frame = (view, self.away, tick)
        return made[2]
