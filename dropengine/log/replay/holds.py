"""The life of a hold into the truth: granted, claimed, extended, paying, released, expired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import ASKS_AT_EVERY_END, ASKS_FROM_NOW, PAYS_TOGETHER
from dropengine.log.replay.early import count
from dropengine.log.replay.lapse import lapse
from dropengine.log.replay.payments import deadline_told, extended, leave
from dropengine.log.replay.truth import Truth, stand_all
from dropengine.model import DutyRecord, HoldRecord, HoldState, Origin


def grant(truth: Truth, name: str, hold: HoldRecord) -> None:
    """free -> held: a press or an offer."""
    truth.holds[name] = hold
    truth.drop["holds"] = str(int(truth.drop["holds"]) + 1)
    pool, fan = truth.pools[hold.pool], truth.fans[hold.fan]
    pool.free -= hold.qty
    pool.held += hold.qty
    fan.used += hold.qty
    fan.holds.append(name)
    count(truth, hold, hold.qty)
    truth.due[f"h:{name}"] = hold.deadline_ms


def _held(truth: Truth, e: events.Held) -> None:
    hold = HoldRecord(
        fan=e.fan,
        pool=e.pool,
        qty=e.qty,
        price=e.price,
        origin=Origin.PRESS,
        state=HoldState.ACTIVE,
        start_ms=e.at,
        deadline_ms=e.deadline,
        entry="",
        claimed=0,
        extended=0,
        began=0,
        looked=0,
        key=e.key,
        cohort=e.cohort,
    )
    grant(truth, e.hold, hold)
    stand_all(truth, e.fan)


def unoffer(truth: Truth, hold: HoldRecord) -> None:
    """An offer that nobody has claimed yet is about to be claimed or to end."""
    if hold.entry and not hold.claimed:
        truth.pools[hold.pool].offered -= hold.qty


def _until(truth: Truth, name: str, deadline_ms: int) -> HoldRecord:
    hold = truth.holds[name]
    hold.deadline_ms = deadline_ms
    truth.due[f"h:{name}"] = deadline_ms
    return hold


def _claimed(truth: Truth, e: events.Claimed) -> None:
    hold = _until(truth, e.hold, e.deadline)
    unoffer(truth, hold)
    hold.claimed, hold.start_ms = 1, e.at


def _extended(truth: Truth, e: events.Extended) -> None:
    if e.why == "lookup" and truth.schema >= ASKS_FROM_NOW:
        truth.holds[e.hold].looked = truth.due[f"h:{e.hold}"] = e.deadline
        ask_provider(truth, e.hold, e.at)
        return
    hold = _until(truth, e.hold, e.deadline)
    if e.why == "lookup":
        hold.looked = 1
        ask_provider(truth, e.hold, e.at)
    else:
        hold.extended = 1
        extended(truth, hold)


def _paying(truth: Truth, e: events.Paying) -> None:
    hold = _until(truth, e.hold, e.deadline)
    hold.state, hold.began = HoldState.PAYING, 1
    deadline_told(truth, hold, e.deadline)


def ask_provider(truth: Truth, name: str, at_ms: int) -> None:
    """What became of the payment that was begun for a hold is to be found out."""
    hold = truth.holds[name]
    truth.outbox[f"lookup:{name}"] = DutyRecord("lookup", name, "", hold.qty * hold.price, at_ms)


def end(truth: Truth, name: str, state: HoldState, at_ms: int) -> None:
    """held -> free. For an entry that was buying with this hold it is a lapse, unless the drop is
    cancelled. Whoever began to pay is asked for."""
    hold = truth.holds[name]
    pool, fan = truth.pools[hold.pool], truth.fans[hold.fan]
    pool.held -= hold.qty
    pool.free += hold.qty
    count(truth, hold, -hold.qty)
    unoffer(truth, hold)
    fan.used -= hold.qty
    fan.holds.remove(name)
    fan.last = name
    hold.state = state
    if truth.schema >= PAYS_TOGETHER:
        leave(truth, hold, at_ms)
    elif hold.began and truth.schema >= ASKS_AT_EVERY_END:
        ask_provider(truth, name, at_ms)
    del truth.due[f"h:{name}"]
    if state != HoldState.CANCELLED:
        lapse(truth, name, hold)


def _released(truth: Truth, e: events.Released) -> None:
    end(truth, e.hold, HoldState.CANCELLED if e.by == "creator" else HoldState.RELEASED, e.at)
    stand_all(truth, e.fan)


def _expired(truth: Truth, e: events.Expired) -> None:
    end(truth, e.hold, HoldState.EXPIRED, e.at)
    stand_all(truth, e.fan)


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Held: _held,
    events.Claimed: _claimed,
    events.Extended: _extended,
    events.Paying: _paying,
    events.Released: _released,
    events.Expired: _expired,
}
