"""What is personal in a room: the fans who are here, and each one's whole state on his screens.

It is never merged away: whoever changed is read again and told whole, however often that happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from dropengine import outcomes, refusals, wire
from dropengine.live import views
from dropengine.live.batcher import Batcher
from dropengine.live.payment_pages import PaymentPages, Question
from dropengine.live.places import Lines
from dropengine.live.seat import Frame, Seat
from dropengine.model import DropId, FanId, HoldRecord
from dropengine.truth.replies import YouRow
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

FANS_PER_READ = 256
ALIVE = ("active", "paying")
"""States of a hold whose units are still set aside."""
PAGE_S_MAX = 0.5
"""The state of who is paying waits so long for the page at which he pays."""
READ_PACE_S = 0.005
"""A crowd that arrives is read in batches: a read begins so long after the one before. The first
of a while begins at once."""


class FanHere:
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


class FanStates:
    """The fans of one room and what they are told of themselves.

    k: of the lane rule. snapshot: sends a seat everything, with this `you`, as soon as the public
    state is known.
    """

    def __init__(
        self,
        store: Store,
        drop: DropId,
        k: int,
        *,
        batcher: Batcher,
        lines: Lines,
        pages: PaymentPages,
        snapshot: Callable[[Seat, bytes], None],
    ) -> None:
        self.fans: dict[FanId, FanHere] = {}
        self._store = store
        self._drop = drop
        self._k = k
        self._batcher = batcher
        self._lines = lines
        self._pages = pages
        self._snapshot = snapshot
        self._wanted: list[FanId] = []
        self._letters: dict[FanId, int] = {}
        """Mail of fans with a command on its way: fan -> seq."""
        batcher.on_landed = self._open_letters
        self._reading: asyncio.Task[None] | None = None
        self._paying: set[asyncio.Task[None]] = set()
        self._read_at = -READ_PACE_S

    def sit(self, seat: Seat, fan: FanId) -> None:
        """This seat is the fan's from now on: his state follows."""
        here = self.fans.get(fan)
        if here is None:
            here = self.fans[fan] = FanHere()
        if seat.fan is None:
            seat.fan = fan
            here.seats.append(seat)
        self.want(fan)

    def leave(self, seat: Seat) -> None:
        """This seat is nobody's; harmless twice."""
        here = self.fans.get(seat.fan) if seat.fan is not None else None
        if here is not None:
            here.seats.remove(seat)
            if not here.seats:
                del self.fans[seat.fan]  # type: ignore[arg-type]
        seat.fan = None

    def forget(self) -> None:
        """The server lost something: what was read of the lost log would look newer than all that
        comes now."""
        for here in self.fans.values():
            here.row, here.seq = None, 0

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
            if fan in self._batcher.flying:
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
    def unread(self) -> bool:
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
                fans = self._next_wanted()
                if fans and not await self._read_and_tell(fans):
                    for fan in fans:
                        self._want_later(fan)
                    return
        finally:
            self._reading = None

    def _next_wanted(self) -> list[FanId]:
        """Those who are read next. They are no longer wanted before they are asked for: a change
        that comes meanwhile makes them wanted again."""
        fans = self._wanted[:FANS_PER_READ]
        self._wanted = self._wanted[FANS_PER_READ:]
        here = [fan for fan in fans if fan in self.fans]
        for fan in here:
            self.fans[fan].wanted = False
        return here

    async def _read_and_tell(self, fans: list[FanId]) -> bool:
        """False when they could not be read now."""
        try:
            reply = await self._store.you(self._drop, fans)
        except Exception as error:  # noqa: BLE001 - the relay's next look asks again
            log.warning("%s: %d fans could not be read: %s", self._drop, len(fans), error)
            return False
        if isinstance(reply, refusals.Frozen | refusals.NotFound):
            return False
        for row in reply.rows:
            questions = self._pages.questions(row.payments, row.holds) if row.payments else []
            if questions:
                # A provider may be slow: nobody else's state waits for it.
                task = asyncio.get_running_loop().create_task(
                    self._deliver_paying(row, reply.seq, questions)
                )
                self._paying.add(task)
                task.add_done_callback(self._paying.discard)
            else:
                self._deliver(row, reply.seq)
        return True

    async def _deliver_paying(self, row: YouRow, seq: int, questions: list[Question]) -> None:
        """With the payment pages if they are there soon; a page that comes later is told then."""
        _, late = await asyncio.wait(questions, timeout=PAGE_S_MAX)
        self._deliver(row, seq)
        if late:
            await asyncio.wait(late)
            if any(not one.cancelled() and one.result() for one in late):
                self.want(FanId(row.fan))

    def _want_later(self, fan: FanId) -> None:
        """He could not be read now: the relay's next look asks again."""
        if fan in self.fans and not self.fans[fan].wanted:
            self.fans[fan].wanted = True
            self._wanted.append(fan)

    def _deliver(self, row: YouRow, seq: int) -> None:
        if row.person:
            self._become(FanId(row.fan), FanId(row.person))
            row.fan, row.person = row.person, ""
        here = self.fans.get(FanId(row.fan))
        if here is None or seq < here.seq:
            return
        if not self._lines.bring_up(row):
            # Trimmed: read it again, from the newest state.
            self.want(FanId(row.fan))
            return
        here.row, here.seq = row, seq
        here.shown = {hold_id: self._pages.text(hold_id, hold) for hold_id, hold in row.holds}
        self._tell(here)

    def _become(self, guest: FanId, person: FanId) -> None:
        """The guest was adopted: who sits here as him sits here as the person from now on."""
        if guest not in self.fans:
            return
        here = self.fans.setdefault(person, FanHere())
        for seat in self.fans.pop(guest).seats:
            seat.fan = person
            here.seats.append(seat)

    def _tell(self, here: FanHere, but: Seat | None = None) -> Frame | None:
        """Send a fan's state to his seats; the seat `but` gets it from the caller."""
        assert here.row is not None
        text = wire.encode(self._you(here.row, here.seq, here.shown))
        sent = Frame(text)
        if but is not None and here.seats == [but] and not but.fresh:
            return sent
        left: Frame | None = None
        for seat in list(here.seats):
            if seat is but and not seat.fresh:
                left = sent
            elif not seat.fresh:
                seat.push(sent)
            else:
                self._snapshot(seat, text)
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

        Only the plain case, holds of a fan with nothing in the line, is applied here; the rest is
        read. What was applied is known to be whole, because the outcome says what it changed from.
        """
        here = self.fans.get(fan)
        if here is None or here.row is None:
            return None
        if isinstance(outcome, refusals.Refusal) or outcome.was == outcome.seq:
            return None
        record, holds = here.row.record, _holds_of(outcome)
        more = bool(here.row.entries) or any(hold.entry for _, hold in holds)
        if not isinstance(outcome, outcomes.Paying):
            # What a command does to a hold may change the payment that it is in.
            more = more or any(hold.payment for _, hold in holds)
        if record.seq < outcome.was or more or isinstance(outcome, outcomes.EntryGranted):
            self.want(fan)
            return None
        if record.seq > outcome.was:
            return None
        for hold_id, hold in holds:
            self._apply(here, hold_id, hold, text)
        if isinstance(outcome, outcomes.Paying | outcomes.Unpaying):
            others = [one for one in here.row.payments if one[0] != outcome.id]
            here.row.payments = [*others, (outcome.id, outcome.payment)]
        record.seq = here.seq = outcome.seq
        return self._tell(here, by)

    def _apply(
        self, here: FanHere, hold_id: str, hold: HoldRecord, text: msgspec.Raw | None
    ) -> None:
        """A hold of this fan is so now."""
        assert here.row is not None
        record = here.row.record
        here.shown[hold_id] = text or self._pages.text(hold_id, hold)
        if hold.state in ALIVE:
            if hold_id not in record.holds:
                record.holds.append(hold_id)
                record.used += hold.qty
        elif hold_id in record.holds:
            record.holds.remove(hold_id)
            record.used -= hold.qty
            here.shown.pop(record.last, None)
            record.last = hold_id

    def you(self, row: YouRow, seq: int) -> wire.You:
        """A fan's records as his screens read them."""
        shown = {hold_id: self._pages.view(hold_id, hold) for hold_id, hold in row.holds}
        return self._you(row, seq, shown)

    def _you(self, row: YouRow, seq: int, shown: Mapping[str, Any]) -> wire.You:
        told = views.told_payments(row.payments) if row.payments else ()
        payments = [self._pages.payment(*one) for one in told]
        return views.you(row, seq, self._k, shown, payments)


def _holds_of(outcome: outcomes.Granted) -> list[tuple[str, HoldRecord]]:
    """The holds that a command of a fan has made or changed."""
    match outcome:
        case outcomes.HoldGranted(id=hold_id, hold=hold):
            return [(hold_id, hold)]
        case outcomes.Paying(holds=holds):
            return holds
        case outcomes.Basketed(had=had):
            return [(hold_id, hold) for _, hold_id, hold in had]
    return []
