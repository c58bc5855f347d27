"""Why each fan of a log got none: asked of the pure functions as the books do, event by event, and
judged from what replay, which was written apart, makes of the same log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from dropengine import events
from dropengine.log.replay import Truth
from dropengine.log.why import Code, Course, Own, Reason, about, why
from dropengine.model import GIVEN_BACK, STANDING, DropState, EntryState

OPEN = (EntryState.WAITING, EntryState.OFFERED)


class Books:
    """What whoever keeps the books of one drop would hand to `why`."""

    def __init__(self, log: Sequence[events.AnyEvent]) -> None:
        self.course = Course()
        self.happened: dict[str, list[events.AnyEvent]] = defaultdict(list)
        self.beside: dict[int, events.AnyEvent] = {}
        self.arrivals: dict[str, int] = {}
        for event in log:
            beside = self.course.take(event)
            if beside:
                self.beside[event.seq] = log[beside - 1]
            for fan in about(event):
                self.happened[fan].append(event)
            if isinstance(event, events.Ordered):
                self.arrivals |= dict(zip(event.ids, range(event.n, 2**31), strict=False))

    def own(self, fan: str) -> Own:
        """All that is his, whichever of his names he asks by."""
        names, new = {fan}, {fan}
        while new:
            adopted = [
                one
                for name in new
                for one in self.happened.get(name, [])
                if isinstance(one, events.Adopted)
            ]
            new = {name for one in adopted for name in (one.fan, one.guest)} - names
            names |= new
        every = {e.seq: e for name in names for e in self.happened.get(name, [])}
        happened = [every[seq] for seq in sorted(every)]
        beside = {seq: self.beside[seq] for seq in every if seq in self.beside}
        return Own(happened, beside, self.arrivals)

    def why(self, fan: str) -> Reason:
        return why(self.own(fan), self.course)


def judge(reason: Reason, fan: str, truth: Truth, log: Sequence[events.AnyEvent]) -> None:
    """The answer to a fan is what his records say; and only one answer would be."""
    record = truth.fans.get(fan)
    if record is not None and record.person:
        record = truth.fans[record.person]
        fan = truth.fans[fan].person
    names = {fan, *(record.guests if record is not None else [])}
    code = reason.code
    assert (code is Code.BOUGHT) == any(
        order.state not in GIVEN_BACK for order in truth.orders.values() if order.fan in names
    )
    if code is Code.BOUGHT:
        return
    assert (code is Code.CANCELLED) == (truth.state == DropState.CANCELLED)
    if code is Code.CANCELLED:
        return
    holds = {name: hold for name, hold in truth.holds.items() if hold.fan in names}
    standing = [hold for hold in holds.values() if hold.state in STANDING]
    assert (code is Code.HOLDING) == bool(standing)
    entries = {name: entry for name, entry in truth.entries.items() if entry.fan in names}
    waits = [entry for entry in entries.values() if entry.state in OPEN]
    goes_on = truth.state not in (DropState.SETTLED, DropState.CLOSING)
    if standing:
        return
    assert (code is Code.WAITING) == bool(goes_on and waits)
    if code is Code.WAITING:
        return
    assert (code in (Code.NEVER_BEGAN, Code.NOTHING_YET)) == (not holds and not entries)
    if not holds and not entries:
        return
    if not holds:
        _judge_line(reason, entries, truth, log)
        return
    name = max(holds, key=lambda one: _ended(one, log))
    _judge_hold(reason, name, truth, log)


def _ended(hold: str, log: Sequence[events.AnyEvent]) -> int:
    """The last event that gave its units back."""
    back = (events.Released, events.Expired, events.Declined, events.Lapsed, events.Refunded)
    return max(e.seq for e in log if isinstance(e, back) and e.hold == hold)


def _judge_hold(reason: Reason, name: str, truth: Truth, log: Sequence[events.AnyEvent]) -> None:
    hold, code = truth.holds[name], reason.code
    order = truth.orders.get(name)
    voids = [e for e in log if isinstance(e, events.Voided) and e.hold == name]
    entry = truth.entries.get(hold.entry)
    last = max(
        (one for one in truth.holds if hold.entry and truth.holds[one].entry == hold.entry),
        key=lambda one: int(one[1:]),
        default=name,
    )
    if order is not None:
        assert code is Code.REFUNDED
    elif voids:
        paid = {"late": Code.PAID_LATE, "mismatch": Code.PAID_WRONG, "limit": Code.CARD_LIMIT}
        assert code is paid.get(voids[-1].why, Code.PAID_AFTER_END)
    elif entry is not None and entry.state == EntryState.DORMANT and last == name:
        assert code is Code.TURNS_OVER
        assert "first_ms" in reason.figures
    elif hold.entry and not hold.claimed:
        assert code is (Code.TURN_MISSED if hold.state == "expired" else Code.TURN_DECLINED)
    elif hold.state == "released":
        assert code is Code.GAVE_BACK
    else:
        assert hold.state == "expired"
        assert code is (Code.NOT_PAID if hold.began else Code.NOT_BEGUN)


def _judge_line(
    reason: Reason, entries: Iterable[str], truth: Truth, log: Sequence[events.AnyEvent]
) -> None:
    """He only stood in the line: nobody behind him was called for what he wanted, unless he had
    given his place up, or the line stood still."""
    code, figures = reason.code, reason.figures
    fates = {name: truth.entries[name] for name in entries}
    merged = {e.entry for e in log if isinstance(e, events.Removed) and e.why == "merged"}
    kept = [name for name in fates if name not in merged]
    name = max(kept, key=lambda one: _joined(one, log).seq)
    entry, joined = fates[name], _joined(name, log)
    called = [
        e.n for e in log if isinstance(e, events.Offered) and e.call == 0 and e.pool in entry.pools
    ]
    # The numbers of a list begin behind those who were carried over.
    carried = [e.n for e in log if isinstance(e, events.Carried)]
    before = carried[-1] if carried and not joined.n else 0
    assert figures.get("reached", 0) == max(0, max(called, default=0) - before)
    if entry.state == EntryState.LEFT:
        assert code is Code.LEFT
        return
    assert figures["n"] == entry.n - before
    assert (code is Code.NOT_DRAWN) <= (joined.n == 0)
    confirmed = {e.entry for e in log if isinstance(e, events.Confirmed)}
    waits_for_him = joined.why == "carried" and name not in confirmed
    if code is not Code.NOT_CALLED:
        assert (code is Code.NOT_CONFIRMED) == waits_for_him
    if code is Code.SHARE_USED:
        # Only where units are counted against somebody's share may one be passed by.
        assert truth.rules is not None
        assert truth.rules.cohorts or truth.rules.carried
        assert any(n > entry.n for n in called)
    elif not waits_for_him:
        assert code in (Code.NOT_DRAWN, Code.NOT_REACHED, Code.NOT_CALLED)
    if code in (Code.NOT_DRAWN, Code.NOT_REACHED) and entry.lane == 0:
        assert all(n < entry.n for n in called), "somebody behind him was called"
    if code is Code.NOT_CALLED:
        assert figures.get("quiet") or figures.get("paused")
        assert figures["free"] > 0
    if "after_ms" in figures:
        taken = [e for e in log[: joined.seq - 1] if _takes(e) and e.pool in entry.pools]  # type: ignore[union-attr]
        assert joined.at - taken[-1].at == figures["after_ms"] >= 0


def _takes(event: events.AnyEvent) -> bool:
    kinds = (events.Held, events.Offered, events.Rescued, events.Withdrawn)
    return isinstance(event, kinds)


def _joined(entry: str, log: Sequence[events.AnyEvent]) -> events.Joined:
    return next(e for e in log if isinstance(e, events.Joined) and e.entry == entry)
