"""The drop's own events: publishing, phases, stock moved by the creator (INV-1, 7, 13, 15).

Each check gets the books as they were before the event, says what is wrong, then keeps the books
as the event says, so that one mistake does not hide the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from dropengine import events
from dropengine.creator_commands import SHOPS_NAMES
from dropengine.log.layouts import KEEPS_REFUND_KEYS, OPERATORS_ARE_WORDS
from dropengine.log.referee.books import Books, Item, Pool
from dropengine.model import KEPT_MS, OPERATOR, PASSING

PUBLISHED_REVISION = 1
DIGEST = re.compile(r"[0-9a-f]{64}")
CORRECTIONS_MAX = 20
NEVER_MS = 2**53
"""By no clock, but by hand."""
AS_IT_WAS = frozenset({"scheduled", "lobby", "ordering", "closing", "settled", "cancelled"})
"""States in which a drop comes back from being frozen; all others become paused."""


def _published(books: Books, e: events.Published) -> None:
    if books.rules is not None:
        books.blame("INV-15", "the drop was already published")
        return
    books.rules, books.schema, books.hash = e.rules, e.schema, e.hash
    books.state, books.revision = "scheduled", e.revision
    if e.revision != PUBLISHED_REVISION:
        books.blame("INV-15", f"revisions begin with {PUBLISHED_REVISION}, not {e.revision}")
    if e.key or e.schema >= KEEPS_REFUND_KEYS:
        commanded_once(books, e.by, e.key)
    if e.rules.limit < 1 or e.rules.k < 1:
        books.blame("INV-15", f"limit {e.rules.limit} and k {e.rules.k} must be at least 1")
    for item in e.rules.items:
        if item.id in books.items:
            books.blame("INV-13", f"item {item.id} is published twice")
        books.items[item.id] = Item(item.id, item.cap, item.price, item.limit, item.most)
    units = dict.fromkeys(books.items, 0)
    for pool in e.rules.pools:
        if pool.item not in books.items or pool.id in books.pools:
            books.blame("INV-13", f"pool {pool.id} is published twice or belongs to no item")
            continue
        if not 0 <= pool.withheld <= pool.cap:
            books.blame("INV-1", f"pool {pool.id} withholds {pool.withheld} of {pool.cap} units")
        units[pool.item] += pool.cap
        books.pools[pool.id] = Pool(
            pool.id, books.items[pool.item], pool.cap, pool.cap - pool.withheld, pool.withheld
        )
        if e.rules.carried is not None:
            books.pools[pool.id].share = pool.cap * e.rules.carried.share // 100
    _publish_cohorts(books, e.rules)
    for name, item_units in units.items():
        if item_units != books.items[name].cap:
            books.blame(
                "INV-13",
                f"the pools of {name} have {item_units} units, the item {books.items[name].cap}",
            )


def _publish_cohorts(books: Books, rules: events.Rules) -> None:
    """E4: no unit is promised to two cohorts."""
    books.cohorts = [cohort.id for cohort in rules.cohorts]
    books.early = bool(books.cohorts)
    for place, pool in enumerate(books.pools.values()):
        pool.ceilings = {cohort.id: cohort.most[place] for cohort in rules.cohorts}
        pool.counted = dict.fromkeys(pool.ceilings, 0)
        if sum(pool.ceilings.values()) > pool.cap:
            books.blame("INV-6", f"cohorts are to have {pool.ceilings} of {pool.cap} of {pool.id}")


def _lifted(books: Books, e: events.Lifted) -> None:
    if e.was != books.schema or e.schema <= e.was:
        books.blame("INV-15", f"layout {e.was} becomes {e.schema}, the drop was in {books.schema}")
    books.schema = e.schema


def signed(books: Books, e: events.ByCreator, *, clock: bool = False) -> None:
    """A creator's command raises the revision by one and its key is used once (C2). The clock may
    open and close by the rules, and pause when the server's time jumped."""
    if e.revision != books.revision + 1:
        books.blame("INV-15", f"revision {e.revision} follows {books.revision}")
    books.revision = e.revision
    if not e.by or (e.by == "clock" and not clock):
        books.blame("INV-15", f"{e.by!r} may not do this to a drop")
    if e.by != "clock" or e.key:
        commanded_once(books, e.by, e.key)


def commanded_once(books: Books, by: str, key: str) -> None:
    """A creator's word is no fan's id: no id has a space in it. INV-15: a log that may be published
    has no names (C9)."""
    if books.schema >= OPERATORS_ARE_WORDS and by not in SHOPS_NAMES and not OPERATOR.fullmatch(by):
        books.blame("INV-15", f"{by!r} is no operator as a log calls one")
    once(books, f"creator {by}", key)


def once(books: Books, who: str, key: str, hold: str = "") -> None:
    """INV-7: a key makes something at most once (C1), as long as it is remembered (C8). hold: what
    it makes now, if that is one."""
    if not key:
        books.blame("INV-7", f"a command of {who} carries no key")
    for name in _all_of(books, who) if key else ():
        if (name, key) in books.keys and not _forgotten(books, books.keys[name, key]):
            books.blame("INV-7", f"key {key} of {name} takes effect a second time")
    books.keys[who, key] = hold


def _all_of(books: Books, who: str) -> list[str]:
    """Under which names a fan's keys are known: his own, and his guests' (A4)."""
    fan = books.fans.get(who)
    return [who] if fan is None else [who, *fan.guests]


def _forgotten(books: Books, made: str) -> bool:
    """May what a key made be forgotten by now?"""
    hold = books.holds.get(made)
    return hold is not None and not hold.alive and hold.deadline + KEPT_MS <= books.at


def _begins_round(books: Books) -> None:
    """D7: it opens with the whole list in its order; the first round begins."""
    if books.state != "ordering":
        books.blame("INV-11", f"a drop whose list is to be ordered opens from {books.state}")
    placed, listed = books.placed - books.carried, len(books.listed)
    if placed != listed:
        books.blame("INV-11", f"it opens with {placed} arrivals given out, {listed} entered")
    books.first = 0


def _opened(books: Books, e: events.Opened) -> None:
    signed(books, e, clock=True)
    assert books.rules is not None
    now = e.at - books.lead
    has_list = books.rules.randomness is not None
    if books.to_carry:
        books.blame("INV-11", "it opens while places of an earlier drop are to be carried over")
    if has_list:
        _begins_round(books)
    elif e.by == "clock" and (e.key or not 0 < books.rules.opens_ms <= now):
        books.blame("INV-15", f"the clock opened at {now}, the rules say {books.rules.opens_ms}")
    # T8: a drop that is opened after its closing time is closed by hand too, but for one that the
    # clock opens and closes in the same go.
    books.closes_ms = books.rules.closes_ms if now < books.rules.closes_ms else 0
    at_once = e.by == "clock" and books.rules.closes_ms <= now and not has_list
    books.opened_at = e.at if at_once else 0
    books.state = "live"
    books.opened_ms = now
    books.plan_calls()


def _turned(books: Books, e: events.Calling | events.Quiet) -> None:
    """L16."""
    word = type(e).__name__.lower()
    if books.calls != isinstance(e, events.Calling):
        books.blame("INV-15", f"it is said to be {word} at {e.at - books.lead}, by its hours not")
    if e.at < books.turns_at:
        books.blame("INV-15", f"{word} before the hours of the line turn at {books.turns_at}")
    books.plan_calls()
    if e.until != books.turns_at:
        books.blame("INV-15", f"{word} until {e.until}, by its hours until {books.turns_at}")


def _paused(books: Books, e: events.Paused) -> None:
    signed(books, e, clock=True)
    if books.state == "paused" and (books.paused_by not in PASSING or e.by in PASSING):
        # C6
        books.blame("INV-15", f"{e.by} pauses what {books.paused_by or 'nobody'} paused")
    books.state, books.paused_by = "paused", e.by


def _resumed(books: Books, e: events.Resumed) -> None:
    signed(books, e)
    if e.by in PASSING and e.by != books.paused_by:
        books.blame("INV-15", f"{e.by} ends the pause of {books.paused_by}")
    _goes_on(books, e)
    books.state = "live"


def _realigned(books: Books, e: events.Realigned) -> None:
    outage = e.why == "outage"
    signed(books, e, clock=True)
    if e.why not in ("outage", "leap") or outage != (e.by == "clock" and not e.key):
        books.blame("INV-15", f"{e.by!r} realigns because of {e.why!r}")
    _goes_on(books, e)


def _goes_on(books: Books, e: events.Resumed | events.Realigned) -> None:
    """T6: the drop's own time goes on from where it stands; an outage alone lowers its lead."""
    if e.lead < books.lead and getattr(e, "why", "") != "outage":
        books.blame("INV-5", f"the lead falls from {books.lead} to {e.lead} without an outage")
    _lead(books, e.lead)


def _lead(books: Books, lead: int) -> None:
    """What is planned means the true clock (T7)."""
    if lead != books.lead:
        books.lead = lead
        books.plan_calls()


def _thawed(books: Books, e: events.Thawed) -> None:
    """T13."""
    signed(books, e)
    books.restored = books.restored or e.why == "restore"
    if e.lead != books.lead - e.lost_ms if e.lost_ms else e.lead < books.lead:
        books.blame(
            "INV-5", f"{e.lost_ms} ms are lost, the lead goes from {books.lead} to {e.lead}"
        )
    if e.why == "half":
        half_written(books)
    elif e.why == "books":
        if books.state != "frozen":
            books.blame("INV-15", f"broken books are thawed in a drop that is {books.state}")
    elif e.why != "restore":
        books.blame("INV-15", f"the drop was frozen because of {e.why!r}")
    was = books.before_frozen if books.state == "frozen" else books.state
    if e.state != (was if was in AS_IT_WAS else "paused"):
        books.blame("INV-15", f"a drop that was {was} comes back {e.state}")
    books.state = e.state
    _lead(books, e.lead)
    if e.state == "paused":
        books.paused_by = e.by


def _rescheduled(books: Books, e: events.Rescheduled) -> None:
    """T14."""
    signed(books, e)
    assert books.rules is not None
    now, waits, enters = e.at - books.lead, books.state == "scheduled", books.state == "lobby"
    opens_ms, closes_ms = books.rules.opens_ms, books.rules.closes_ms
    window_ms = books.rules.window_ms if enters and books.rules.mode != "lobby" else 0
    begins_ms = e.opens_ms + window_ms if e.opens_ms else 0
    for name, was, ms in (
        ("opens", opens_ms and opens_ms + window_ms, begins_ms),
        ("closes", closes_ms, e.closes_ms),
    ):
        if ms != was and 0 < ms <= now:
            books.blame("INV-15", f"at {now} it is said that the drop {name} at {ms}")
    if e.opens_ms != opens_ms and not (waits or enters):
        books.blame("INV-15", f"a drop that is {books.state} is to open at {e.opens_ms}")
    # D9: it was opened by hand, and its seal stands.
    by_hand = enters and not e.opens_ms and books.seals_ms != NEVER_MS
    same = (e.opens_ms, e.closes_ms) == (opens_ms, closes_ms)
    if same and not by_hand:
        books.blame("INV-15", "a drop is rescheduled to the times that it had")
    if (waits or (enters and e.opens_ms != opens_ms)) and 0 < e.closes_ms <= begins_ms:
        books.blame("INV-15", f"it would close at {e.closes_ms} and open at {e.opens_ms}")
    if enters and (e.opens_ms != opens_ms or same):
        # D9: 0 is by hand.
        books.seals_ms = begins_ms or NEVER_MS
    if e.closes_ms != closes_ms and not waits:
        books.closes_ms = e.closes_ms
    public_ms = books.rules.public_ms
    if public_ms and opens_ms and e.opens_ms:
        public_ms += e.opens_ms - opens_ms
    books.rules = msgspec.structs.replace(
        books.rules, opens_ms=e.opens_ms, closes_ms=e.closes_ms, public_ms=public_ms
    )


def _corrected(books: Books, e: events.Corrected) -> None:
    """C7."""
    signed(books, e)
    if not DIGEST.fullmatch(e.hash) or e.hash == books.hash:
        books.blame("INV-15", f"the manifest {books.hash} is corrected to {e.hash!r}")
    books.corrections += 1
    if books.corrections > CORRECTIONS_MAX:
        books.blame("INV-15", f"the manifest is corrected {books.corrections} times")
    books.hash = e.hash


def _closed(books: Books, e: events.Closed) -> None:
    signed(books, e, clock=True)
    assert books.rules is not None
    now = e.at - books.lead
    at_once = books.rules.closes_ms and e.at == books.opened_at
    if e.by == "clock" and (e.key or not (0 < books.closes_ms <= now or at_once)):
        books.blame("INV-15", f"the clock closed at {now}, the rules say {books.rules.closes_ms}")
    books.state = "closing"


def _cancelled(books: Books, e: events.Cancelled) -> None:
    """T9; T13: one that is frozen may still be called off."""
    signed(books, e)
    if e.froze == "half":
        half_written(books)
    elif e.froze not in ("", "books", "restore") or (e.froze == "books") > (
        books.state == "frozen"
    ):
        books.blame("INV-15", f"a drop that is {books.state} was frozen because of {e.froze!r}")
    if not 0 <= e.stood <= (e.at if e.froze else 0):
        books.blame("INV-15", f"at {e.at} the time of a drop is said to have stood at {e.stood}")
    books.state = "cancelled"


def half_written(books: Books) -> None:
    """Nothing in the log told of it until now."""
    books.blame("INV-3", "the engine wrote a change only by half")


def _settled(books: Books, _e: events.Settled) -> None:
    for pool in books.pools.values():
        if pool.held:
            books.blame("INV-15", f"settled while {pool.held} units of {pool.id} are held")
    books.state = "settled"


def _frozen(books: Books, e: events.Frozen) -> None:
    books.blame("INV-1", f"the engine froze the drop: {e.why}")
    books.before_frozen, books.state = books.state, "frozen"


def _message(books: Books, e: events.Message) -> None:
    signed(books, e)


def _added(books: Books, e: events.Added) -> None:
    signed(books, e)
    pool = books.pool_named(e.pool)
    if pool is None:
        return
    # C5, and so is withdrawing
    if not 1 <= e.qty <= pool.withheld:
        books.blame("INV-1", f"adds {e.qty} to {pool.id}, only {pool.withheld} are withheld")
    pool.withheld -= e.qty
    pool.free += e.qty


def _withdrawn(books: Books, e: events.Withdrawn) -> None:
    signed(books, e)
    pool = books.pool_named(e.pool)
    if pool is None:
        return
    if not 1 <= e.qty <= pool.free:
        books.blame("INV-1", f"withdraws {e.qty} of {pool.id}, only {pool.free} are free")
    pool.free -= e.qty
    pool.withheld += e.qty


def _exempted(books: Books, e: events.Exempted | events.Restricted) -> None:
    """N4."""
    signed(books, e)
    assert books.rules is not None
    was, becomes = e.network in books.exempt, isinstance(e, events.Exempted)
    if not (books.rules.network_most or books.rules.domain_most):
        books.blame("INV-15", f"{e.network} is no network that is counted")
    # What stood beside the log when it was restored nobody knows.
    if was == becomes and not books.restored:
        books.blame("INV-15", f"{e.network} is {'' if was else 'not '}exempt already")
    if becomes:
        books.exempt.add(e.network)
    else:
        books.exempt.discard(e.network)


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Published: _published,
    events.Lifted: _lifted,
    events.Opened: _opened,
    events.Paused: _paused,
    events.Resumed: _resumed,
    events.Realigned: _realigned,
    events.Thawed: _thawed,
    events.Rescheduled: _rescheduled,
    events.Corrected: _corrected,
    events.Closed: _closed,
    events.Cancelled: _cancelled,
    events.Settled: _settled,
    events.Calling: _turned,
    events.Quiet: _turned,
    events.Frozen: _frozen,
    events.Exempted: _exempted,
    events.Restricted: _exempted,
    events.Message: _message,
    events.Added: _added,
    events.Withdrawn: _withdrawn,
}
