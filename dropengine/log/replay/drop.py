"""The drop's own events into the truth: publishing, phases, stock moved by the creator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dropengine import events
from dropengine.log.layouts import ASKS_FROM_NOW, KEEPS_REASONS
from dropengine.log.replay.hours import calls_at
from dropengine.log.replay.truth import Truth, keep, stand, tell_boost
from dropengine.model import STANDING, DropState, EntryState, ItemRecord, PoolRecord, snake

NEWS_MAX = 5
LEADS_MAX = 64


def _published(truth: Truth, e: events.Published) -> None:
    truth.rules = e.rules
    truth.drop = {
        "schema": str(e.schema),
        "state": DropState.SCHEDULED,
        "test": str(e.test),
        "revision": str(e.revision),
        "arrivals": "0",
        "holds": "0",
        "hash": e.hash,
        "what": "published",
        "by": e.by,
        "lead": "0",
    }
    for i, item in enumerate(e.rules.items):
        truth.items[item.id] = ItemRecord(i, item.cap, item.price, item.limit, item.most, 0)
    for i, pool in enumerate(e.rules.pools):
        truth.pools[pool.id] = PoolRecord(
            i, pool.item, pool.cap, pool.cap - pool.withheld, 0, 0, pool.withheld, 0, 0, (0, 0)
        )
        truth.pools[pool.id].counted = [0] * len(e.rules.cohorts)
        truth.pools[pool.id].ceilings = [cohort.most[i] for cohort in e.rules.cohorts]
        if e.rules.carried is not None:
            truth.pools[pool.id].carried = [0, pool.cap * e.rules.carried.share // 100]
    if e.rules.cohorts:
        truth.drop["widened"] = "0"
    if e.rules.randomness is not None:
        truth.drop["entered"] = "0"
    if e.rules.carried is not None:
        truth.drop |= {"looked": "0", "carried": "0"}
    if e.rules.opens_ms:
        _plan_opening(truth)
    if e.rules.closes_ms:
        truth.due["close"] = e.rules.closes_ms


def _plan_opening(truth: Truth) -> None:
    """When it opens, or its list does; 0 is by hand."""
    rules = truth.rules
    assert rules is not None
    word = "open" if rules.randomness is None else "lobby"
    truth.due.pop(word, None)
    early = rules.window_ms if rules.mode == "lobby" else 0
    if rules.opens_ms:
        truth.due[word] = rules.opens_ms - early + int(truth.drop["lead"])


def _plan_seal(truth: Truth) -> None:
    """When its open list is sealed; 0 is by hand."""
    rules = truth.rules
    assert rules is not None
    truth.due.pop("seal", None)
    window_ms = 0 if rules.mode == "lobby" else rules.window_ms
    if rules.opens_ms:
        truth.due["seal"] = rules.opens_ms + window_ms + int(truth.drop["lead"])


def _lobby_opened(truth: Truth, e: events.LobbyOpened) -> None:
    _commanded(truth, e)
    truth.drop["state"] = DropState.LOBBY
    truth.due.pop("lobby", None)
    truth.due["seal"] = e.seals


def _sealed(truth: Truth, e: events.Sealed) -> None:
    _commanded(truth, e)
    truth.drop["state"] = DropState.ORDERING
    truth.due.pop("seal", None)
    truth.drop["sealed"] = str(e.at - int(truth.drop["lead"]))
    truth.drop["placed"] = truth.drop.get("carried", "0")


def _carried(truth: Truth, e: events.Carried) -> None:
    truth.drop |= {"looked": str(e.last), "of": str(e.of), "carried": str(e.n)}


def _rooted(truth: Truth, e: events.Rooted) -> None:
    truth.drop["root"] = e.root


def _revealed(truth: Truth, e: events.Revealed) -> None:
    truth.drop["revealed"] = e.value


def _ordered(truth: Truth, e: events.Ordered) -> None:
    for n, name in enumerate(e.ids, e.n):
        entry = truth.entries[name]
        entry.n = n
        truth.fans[entry.fan].seq = e.seq
        if entry.state == EntryState.WAITING:
            keep(truth.places, truth, name, entry)
            tell_boost(truth, entry, 0)
            stand(truth, name, entry)
    truth.drop["placed"] = str(e.n + len(e.ids) - 1)


def _allotted(truth: Truth, e: events.Allotted) -> None:
    truth.drop["first"] = ""
    truth.drop["won"] = str(e.offers)


def _plan_calls(truth: Truth, at_ms: int) -> None:
    """What its line does next: it stops calling, or calls again."""
    if truth.rules is None or truth.rules.calls is None or "opened" not in truth.drop:
        return
    lead = int(truth.drop["lead"])
    opened_ms = int(truth.drop["opened"])
    calls, until_ms = calls_at(truth.rules.calls, opened_ms, at_ms - lead)
    _forget_calls(truth)
    truth.due["quiet" if calls else "calls"] = until_ms + lead


def _forget_calls(truth: Truth) -> None:
    truth.due.pop("quiet", None)
    truth.due.pop("calls", None)


def _widened(truth: Truth, e: events.Widened) -> None:
    _commanded(truth, e)
    for pool in truth.pools.values():
        pool.ceilings = []
    truth.due.pop("widen", None)
    truth.drop["widened"] = str(e.at - int(truth.drop["lead"]))


def _calling(truth: Truth, e: events.Calling) -> None:
    _forget_calls(truth)
    truth.due["quiet"] = e.until


def _quiet(truth: Truth, e: events.Quiet) -> None:
    _forget_calls(truth)
    truth.due["calls"] = e.until


def _lifted(truth: Truth, e: events.Lifted) -> None:
    # What the older layout did not keep is counted here from the first event on.
    if truth.schema < ASKS_FROM_NOW <= e.schema:
        for hold in truth.holds.values():
            if hold.state in STANDING and hold.looked:
                hold.looked = hold.deadline_ms
    truth.drop["schema"] = str(e.schema)


def _commanded(truth: Truth, e: events.ByCreator) -> None:
    truth.drop["revision"] = str(e.revision)
    by_clock = e.by == "clock" and not e.key
    truth.drop["what"] = "the clock" if by_clock else snake(type(e).__name__)
    truth.drop["by"] = e.by


def _say_why(truth: Truth, why: str) -> None:
    # Layout 1 kept no reason beside its log.
    if truth.schema >= KEEPS_REASONS:
        truth.drop["why"] = why


def _lead(truth: Truth, e: events.Resumed | events.Realigned | events.Thawed) -> None:
    """What is planned means the true clock: it moves with the lead."""
    moved = e.lead - int(truth.drop["lead"])
    if not moved:
        return
    truth.drop["lead"] = str(e.lead)
    truth.leads = [*truth.leads, (e.at, e.lead)][-LEADS_MAX:]
    for planned in ("open", "close", "lobby", "seal", "widen"):
        if planned in truth.due:
            truth.due[planned] += moved
    if truth.state in (DropState.LIVE, DropState.PAUSED):
        _plan_calls(truth, e.at)


def _opened(truth: Truth, e: events.Opened) -> None:
    assert truth.rules is not None
    truth.due.pop("close", None)
    close = truth.rules.closes_ms + int(truth.drop["lead"])
    if truth.rules.closes_ms and close > e.at:
        # Else it had come and gone before, or `closed` follows at once.
        truth.due["close"] = close
    _commanded(truth, e)
    if truth.state == DropState.ORDERING:
        truth.drop["first"] = "0"
    truth.drop["state"] = DropState.LIVE
    truth.due.pop("open", None)
    if truth.rules.cohorts and truth.rules.public_ms:
        planned = truth.rules.public_ms + int(truth.drop["lead"])
        truth.due["widen"] = max(planned, e.at + 1)
    if truth.rules.calls is not None:
        truth.drop["opened"] = str(e.at - int(truth.drop["lead"]))
        _plan_calls(truth, e.at)


def _paused(truth: Truth, e: events.Paused) -> None:
    _commanded(truth, e)
    truth.drop["state"] = DropState.PAUSED
    _say_why(truth, e.why)


def _realigned(truth: Truth, e: events.Realigned) -> None:
    _commanded(truth, e)
    _lead(truth, e)


def _thawed(truth: Truth, e: events.Thawed) -> None:
    _commanded(truth, e)
    truth.drop["state"] = e.state
    _lead(truth, e)
    if e.state == DropState.PAUSED:
        _say_why(truth, "")


def _resumed(truth: Truth, e: events.Resumed) -> None:
    _commanded(truth, e)
    _lead(truth, e)
    truth.drop["state"] = DropState.LIVE


def _rescheduled(truth: Truth, e: events.Rescheduled) -> None:
    _commanded(truth, e)
    assert truth.rules is not None
    opened_otherwise = e.opens_ms != truth.rules.opens_ms
    # D9: a seal that stood in a list which was opened by hand is by hand from now on.
    nothing_else = (e.opens_ms, e.closes_ms) == (truth.rules.opens_ms, truth.rules.closes_ms)
    if e.closes_ms and e.closes_ms != truth.rules.closes_ms:
        truth.due["close"] = e.closes_ms + int(truth.drop["lead"])
    elif not e.closes_ms:
        truth.due.pop("close", None)
    public_ms, was = truth.rules.public_ms, truth.rules.opens_ms
    if public_ms and was and e.opens_ms:
        # It is open to all as long after its opening as before.
        public_ms += e.opens_ms - was
    truth.rules = msgspec.structs.replace(
        truth.rules, opens_ms=e.opens_ms, closes_ms=e.closes_ms, public_ms=public_ms
    )
    if (opened_otherwise or nothing_else) and truth.state == DropState.LOBBY:
        _plan_seal(truth)
    elif opened_otherwise:
        _plan_opening(truth)


def _corrected(truth: Truth, e: events.Corrected) -> None:
    _commanded(truth, e)
    truth.drop["hash"] = e.hash


def _closed(truth: Truth, e: events.Closed) -> None:
    _commanded(truth, e)
    truth.drop["state"] = DropState.CLOSING
    truth.due.pop("close", None)
    truth.due.pop("widen", None)
    _forget_calls(truth)


def _cancelled(truth: Truth, e: events.Cancelled) -> None:
    # Whoever was done cooling by then is not cooling in the books: the script settled first, unless
    # the drop was frozen and its time stood still.
    for member, due_ms in list(truth.due.items()):
        if member.startswith("e:") and due_ms <= (e.stood or e.at):
            truth.pass_by(member)
    _commanded(truth, e)
    truth.drop["state"] = DropState.CANCELLED
    _say_why(truth, e.why)
    for planned in ("open", "close", "lobby", "seal", "widen"):
        truth.due.pop(planned, None)
    _forget_calls(truth)


def _settled(truth: Truth, _e: events.Settled) -> None:
    truth.drop["state"] = DropState.SETTLED


def _frozen(truth: Truth, _e: events.Frozen) -> None:
    truth.drop["state"] = DropState.FROZEN


def _message(truth: Truth, e: events.Message) -> None:
    _commanded(truth, e)
    truth.news = [*truth.news, (e.seq, e.at, e.text)][-NEWS_MAX:]


def _added(truth: Truth, e: events.Added) -> None:
    _commanded(truth, e)
    pool = truth.pools[e.pool]
    pool.withheld -= e.qty
    pool.free += e.qty


def _withdrawn(truth: Truth, e: events.Withdrawn) -> None:
    _commanded(truth, e)
    pool = truth.pools[e.pool]
    pool.free -= e.qty
    pool.withheld += e.qty


STEPS: dict[type[events.Event], Callable[[Truth, Any], None]] = {
    events.Published: _published,
    events.Lifted: _lifted,
    events.LobbyOpened: _lobby_opened,
    events.Sealed: _sealed,
    events.Rooted: _rooted,
    events.Revealed: _revealed,
    events.Ordered: _ordered,
    events.Carried: _carried,
    events.Opened: _opened,
    events.Allotted: _allotted,
    events.Widened: _widened,
    events.Paused: _paused,
    events.Resumed: _resumed,
    events.Realigned: _realigned,
    events.Thawed: _thawed,
    events.Rescheduled: _rescheduled,
    events.Corrected: _corrected,
    events.Closed: _closed,
    events.Cancelled: _cancelled,
    events.Settled: _settled,
    events.Calling: _calling,
    events.Quiet: _quiet,
    events.Frozen: _frozen,
    events.Exempted: _commanded,
    events.Restricted: _commanded,
    events.Message: _message,
    events.Added: _added,
    events.Withdrawn: _withdrawn,
}
