"""The exact reason why a fan has none: what was in his hands last and how he lost it, else how far
the line came, else that nothing of his stands in the log. Exactly one, whatever he did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from dropengine import events
from dropengine.log.why.course import Course, Moment
from dropengine.log.why.reason import GOT_NONE, Code, Help, Reason, Step
from dropengine.model import DropState, Lane

DRAW = "draw"
CHAIN_MAX = 24
"""Events that are told of one fan: his first, and his last ones."""


class Own(Struct, frozen=True):
    """What stands in the log of one fan.

    happened: the events that are `about` him, and those of the guests who became him, in order.
    beside: by the number of one of these, what had left nothing for it (see `Course.take`).
    arrivals: which his entries have, where chance gave them. came_ms: when he first opened the
    drop's page, by the true clock, which no log tells; 0 for unknown.
    """

    happened: Sequence[events.AnyEvent]
    beside: dict[int, events.AnyEvent] = {}
    arrivals: dict[str, int] = {}
    came_ms: int = 0


class _Hold(Struct):
    """What was in his hands, and how it ended."""

    began: events.Held | events.Offered
    claimed: bool = False
    paying: events.Paying | None = None
    ended: events.Event | None = None
    voided: events.Voided | None = None
    back: int = 0


class _Entry(Struct):
    joined: events.Joined
    ended: events.Event | None = None
    confirmed: bool = False

    @property
    def unconfirmed(self) -> bool:
        """Carried over from an earlier drop, and nobody said that he still wants it."""
        return self.joined.why == "carried" and not self.confirmed


class _Had(Struct):
    """All that he had: holds and entries by name."""

    holds: dict[str, _Hold]
    entries: dict[str, _Entry]

    @property
    def open(self) -> list[_Entry]:
        return [entry for entry in self.entries.values() if entry.ended is None]


class _Found(Struct):
    code: Code
    decided: Moment
    figures: dict[str, int] = {}


def why(own: Own, course: Course) -> Reason:
    """Why he got none, or that he did, or may still. Pure: the same log gives the same answer."""
    had = _had(own.happened)
    found = _found(had, own, course)
    chain = _chain(found, own, had, course)
    return Reason(
        code=found.code,
        over=_over(found.code, course),
        at=course.true(found.decided.at) if found.decided.seq else 0,
        seq=course.seq,
        figures={name: number for name, number in found.figures.items() if number},
        chain=chain,
        helps=_helps(found.code, had, course),
    )


def _over(code: Code, course: Course) -> bool:
    ended = course.over or course.state == DropState.CLOSING
    return code is Code.BOUGHT or (ended and code is not Code.HOLDING)


def _had(happened: Iterable[events.AnyEvent]) -> _Had:
    had = _Had({}, {})
    for event in happened:
        match event:
            case events.Held() | events.Offered():
                had.holds[event.hold] = _Hold(event)
            case events.Joined():
                had.entries[event.entry] = _Entry(event)
            case events.Dormant() | events.Left() | events.Removed():
                if event.entry in had.entries:
                    had.entries[event.entry].ended = event
            case events.Confirmed():
                if event.entry in had.entries:
                    had.entries[event.entry].confirmed = True
            case events.Adopted():
                pass
            case _:
                # Of who did very much only the newest is known: not how everything began.
                hold = had.holds.get(getattr(event, "hold", ""))
                if hold is not None:
                    _goes_on(hold, event, had)
    return had


def _goes_on(hold: _Hold, event: events.AnyEvent, had: _Had) -> None:
    match event:
        case events.Claimed():
            hold.claimed = True
        case events.Paying():
            hold.paying = event
        case events.Voided():
            hold.voided = event
        case events.Sold() | events.Rescued():
            hold.ended = event
            # The sale serves the entry that its hold came from; that is said right after it.
            entry = had.entries.get(getattr(hold.began, "entry", ""))
            if entry is not None and entry.ended is None:
                entry.ended = event
        case events.Refunded():
            hold.back += event.qty
            if hold.back >= hold.began.qty:
                hold.ended = event
        case _:
            hold.ended = event


def _found(had: _Had, own: Own, course: Course) -> _Found:
    bought = [one for one in had.holds.values() if isinstance(one.ended, events.Sale)]
    if bought:
        return _Found(Code.BOUGHT, _moment(bought[-1].ended))
    if course.state == DropState.CANCELLED:
        return _Found(Code.CANCELLED, course.ended)
    standing = [one for one in had.holds.values() if one.ended is None]
    if standing:
        until = standing[-1].began.deadline
        return _Found(Code.HOLDING, _moment(standing[-1].began), {"until_ms": course.true(until)})
    goes_on = not course.over and course.state != DropState.CLOSING
    if goes_on and had.open:
        return _Found(Code.WAITING, *_stands(had.open[-1], own, course))
    lost = [one for one in had.holds.values() if one.ended is not None]
    if lost:
        return _lost(max(lost, key=_end), had, course)
    if had.entries:
        return _line(had, own, course)
    figures = {
        "opened_ms": course.true(course.opened.at),
        "gone_ms": course.true(course.gone.at),
        "came_ms": own.came_ms,
        "units": course.units,
    }
    if course.gone.seq:
        figures["span_ms"] = course.gone.at - course.opened.at
    code = Code.NOTHING_YET if goes_on else Code.NEVER_BEGAN
    return _Found(code, Moment(), figures)


def _moment(event: events.Event | None) -> Moment:
    assert event is not None
    return Moment(event.seq, event.at)


def _end(hold: _Hold) -> int:
    assert hold.ended is not None
    return hold.ended.seq


def _lost(hold: _Hold, had: _Had, course: Course) -> _Found:
    """What was in his hands last came to nothing."""
    ended, voided = hold.ended, hold.voided
    assert ended is not None
    figures = {"began_ms": course.true(hold.began.at), "ended_ms": course.true(ended.at)}
    if isinstance(ended, events.Refunded):
        return _Found(Code.REFUNDED, _moment(ended), {**figures, "amount": ended.amount})
    if voided is not None:
        found = _Found(_VOIDED.get(voided.why, Code.PAID_AFTER_END), _moment(voided), figures)
        found.figures["paid_ms"] = course.true(voided.at)
        return found
    entry = had.entries.get(hold.began.entry) if isinstance(hold.began, events.Offered) else None
    if entry is not None and isinstance(entry.ended, events.Dormant):
        first = [one for one in had.holds.values() if one is not hold and _of(one, entry)]
        figures["first_ms"] = course.true(_moment(first[0].ended).at) if first else 0
        return _Found(Code.TURNS_OVER, _moment(entry.ended), figures)
    if isinstance(ended, events.Lapsed):
        return _Found(Code.TURN_MISSED, _moment(ended), figures)
    if isinstance(ended, events.Declined):
        return _Found(Code.TURN_DECLINED, _moment(ended), figures)
    if isinstance(ended, events.Released):
        return _Found(Code.GAVE_BACK, _moment(ended), figures)
    if hold.paying is not None:
        figures["paying_ms"] = course.true(hold.paying.at)
        return _Found(Code.NOT_PAID, _moment(ended), figures)
    return _Found(Code.NOT_BEGUN, _moment(ended), figures)


_VOIDED = {
    "late": Code.PAID_LATE,
    "mismatch": Code.PAID_WRONG,
    "limit": Code.CARD_LIMIT,
}
"""Why a payment bought nothing -> what that is called here; a second one never counts alone."""


def _of(hold: _Hold, entry: _Entry) -> bool:
    return isinstance(hold.began, events.Offered) and hold.began.entry == entry.joined.entry


def _stands(entry: _Entry, own: Own, course: Course) -> tuple[Moment, dict[str, int]]:
    """Where an entry stands, and how far the line has come."""
    joined = entry.joined
    before = _before(entry, course)
    reached = max(course.pools[pool].reached_n for pool in joined.pools)
    figures = {
        "n": joined.n or max(0, own.arrivals.get(joined.entry, 0) - before),
        "of": 0 if joined.n else course.listed,
        "reached": max(0, reached - before),
        "joined_ms": course.true(joined.at),
        "units": sum(course.pools[pool].cap for pool in joined.pools),
    }
    gone = own.beside.get(joined.seq)
    if gone is not None:
        figures["gone_ms"] = course.true(gone.at)
        figures["after_ms"] = joined.at - gone.at
    return Moment(joined.seq, joined.at), figures


def _before(entry: _Entry, course: Course) -> int:
    """How many arrivals stand before number 1 of what he stood in: of a list those who were carried
    over."""
    return 0 if entry.joined.n else course.behind


def _line(had: _Had, own: Own, course: Course) -> _Found:
    """He stood in the line, and never had one in his hands."""
    # Of two that were merged the one that stayed tells how it went.
    entry = next(one for one in reversed(had.entries.values()) if not _merged(one))
    _, figures = _stands(entry, own, course)
    if isinstance(entry.ended, events.Left):
        return _Found(Code.LEFT, _moment(entry.ended), figures)
    free = sum(course.free_at_close.get(pool, 0) for pool in entry.joined.pools)
    if free and course.stopped:
        figures |= {"free": free, course.stopped: 1}
        return _Found(Code.NOT_CALLED, course.closed, figures)
    ended = course.closed if course.closed.seq else course.ended
    if entry.unconfirmed:
        return _Found(Code.NOT_CONFIRMED, ended, figures)
    if entry.joined.lane == Lane.BASE and 0 < figures["n"] < figures["reached"]:
        # Only who may have no more of the units is passed by: in early access, or carried over.
        return _Found(Code.SHARE_USED, ended, figures)
    code = Code.NOT_REACHED if entry.joined.n else Code.NOT_DRAWN
    return _Found(code, ended, figures)


def _merged(entry: _Entry) -> bool:
    return isinstance(entry.ended, events.Removed) and entry.ended.why == "merged"


def _chain(found: _Found, own: Own, had: _Had, course: Course) -> list[Step]:
    """His own events, what stands beside them, and what of the drop's decided."""
    if not had.holds and not had.entries:
        mine: list[events.AnyEvent] = []
    else:
        mine = [*own.happened]
    if len(mine) > CHAIN_MAX:
        mine = [*mine[: CHAIN_MAX // 2], *mine[-CHAIN_MAX // 2 :]]
    steps = {event.seq: _step(event, course, mine=True) for event in mine}
    for event in own.beside.values():
        steps.setdefault(event.seq, _step(event, course, mine=False))
    for name, moment in _drops(found, had, course):
        if moment.seq:
            reached = _reached(course, moment) if name == "offered" else 0
            if reached:
                reached -= min(_before(one, course) for one in had.entries.values())
                if reached <= 0:
                    continue
            word = course.why if name == "cancelled" else ""
            step = Step(moment.seq, course.true(moment.at), name, n=reached, why=word)
            steps.setdefault(moment.seq, step)
    return [steps[seq] for seq in sorted(steps)]


def _reached(course: Course, moment: Moment) -> int:
    return max(pool.reached_n for pool in course.pools.values() if pool.reached == moment)


def _drops(found: _Found, had: _Had, course: Course) -> list[tuple[str, Moment]]:
    """What the drop did that belongs to an answer."""
    told = [("opened", course.opened)]
    if any(not entry.joined.n for entry in had.entries.values()):
        told.append(("sealed", course.sealed))
    if found.code in (
        Code.NOT_DRAWN,
        Code.NOT_REACHED,
        Code.WAITING,
        Code.NOT_CALLED,
        Code.SHARE_USED,
    ):
        pools = {pool for entry in had.entries.values() for pool in entry.joined.pools}
        told.append(("offered", max((course.pools[one].reached for one in pools), key=_seq)))
    if found.code in (Code.NEVER_BEGAN, Code.NOTHING_YET):
        told.append(("gone", course.gone))
    told.append(("closed", course.closed))
    told.append((course.state, course.ended))
    return told


def _seq(moment: Moment) -> int:
    return moment.seq


def _step(event: events.AnyEvent, course: Course, *, mine: bool) -> Step:
    word = getattr(event, "why", "")
    return Step(
        seq=event.seq,
        at=course.true(event.at),
        event=type(event).__struct_config__.tag,  # type: ignore[arg-type]
        mine=mine,
        hold=getattr(event, "hold", ""),
        entry=getattr(event, "entry", ""),
        pool=getattr(event, "pool", ""),
        qty=getattr(event, "qty", 0),
        n=getattr(event, "n", 0),
        until=course.true(getattr(event, "deadline", 0)),
        why=word,
    )


def _helps(code: Code, had: _Had, course: Course) -> list[Help]:
    """What helps now, or the next time."""
    if code not in GOT_NONE and code is not Code.NOTHING_YET:
        return []
    helps = []
    # Who has begun nothing in early access may be in no cohort.
    his = not course.early or bool(had.holds or had.entries)
    if his and course.state == DropState.LOBBY:
        helps.append(Help.ENTER)
    elif his and course.state in (DropState.LIVE, DropState.PAUSED):
        free = any(pool.free for pool in course.pools.values())
        helps.append(Help.PRESS if course.state == DropState.LIVE and free else Help.JOIN)
    if code in (Code.NOT_PAID, Code.NOT_BEGUN, Code.PAID_LATE, Code.PAID_AFTER_END):
        helps.append(Help.PAY_BEFORE)
    if code in (Code.TURN_MISSED, Code.TURNS_OVER):
        helps.append(Help.BE_CALLED)
    if _earns_ticket(had, course):
        helps.append(Help.TICKET)
    wanted = {pool for entry in had.entries.values() for pool in entry.joined.pools}
    if code in (Code.NOT_DRAWN, Code.NOT_REACHED) and len(wanted) < len(course.pools):
        helps.append(Help.MORE_KINDS)
    if not course.practice:
        helps.append(Help.TELL_ME)
    return helps


def _earns_ticket(had: _Had, course: Course) -> bool:
    """A settled draw in whose sealed list he stood, and that never put a unit into his hands,
    counts for him the next time."""
    if course.mode != DRAW or course.practice or course.state != DropState.SETTLED or had.holds:
        return False
    return any(_was_sealed(entry, course) for entry in had.entries.values())


def _was_sealed(entry: _Entry, course: Course) -> bool:
    left = entry.ended is not None and entry.ended.seq < course.opened.seq
    return entry.joined.seq < course.opened.seq and not left
