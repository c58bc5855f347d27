"""The life of a hold: granted, claimed, extended, paid for, released, expired (INV-1, 2, 6, 9).

A hold ends once, by its fan, its deadline or the creator. While somebody in line may be called no
press is granted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dropengine import events
from dropengine.log.layouts import ASKS_AT_EVERY_END, ASKS_FROM_NOW, PAYS_TOGETHER
from dropengine.log.referee import early
from dropengine.log.referee.books import Books, Entry, Fan, Hold, Item, Owed, Payment, Pool
from dropengine.log.referee.drop import once
from dropengine.log.referee.lapse import lapse


def filled(books: Books, fan: Fan, pools: list[Pool]) -> bool:
    """Do the fan's orders leave no room in any of these? Nobody could serve an entry of his."""
    return all(books.room_by_orders(fan, pool.item) < 1 for pool in pools)


def within(books: Books, fan: Fan, item: Item, qty: int) -> None:
    """INV-6: `qty` more units must fit the fan's limit and the item's (H3)."""
    room = books.room(fan, item)
    if qty > room:
        books.count["over_limit"] += 1
        books.blame("INV-6", f"{fan.id} gets {qty} of {item.id} with room for {max(room, 0)}")


def in_pace(books: Books, fan: Fan, at: int) -> None:
    """INV-6: nobody begins sooner than the drop's pace allows (C4). What was answered without
    making anything leaves no event, so the rule itself has counted at least what is seen here."""
    assert books.rules is not None
    rules = books.rules
    if rules.pace == 0:
        return
    if fan.begun_till - at > (rules.pace - 1) * rules.pace_ms:
        books.blame("INV-6", f"{fan.id} begins sooner than {rules.pace} at once allow")
    fan.begun_till = max(fan.begun_till, at) + rules.pace_ms


def from_free(books: Books, pool: Pool, qty: int) -> None:
    """INV-2: units are given out of what is free; the caller says where they go."""
    if qty < 1:
        books.blame("INV-1", f"{qty} units of {pool.id} cannot be given")
    elif qty > pool.free:
        books.count["oversold"] += qty - max(pool.free, 0)
        books.blame("INV-2", f"{qty} of {pool.id} are given, {max(pool.free, 0)} are free")
    pool.free -= qty
    if pool.free <= 0:
        # K5
        pool.share = None


def deadline_is(books: Books, given: int, due: int, what: str) -> None:
    """INV-9: deadlines are made by the rules."""
    if given != due:
        books.blame("INV-9", f"the deadline of {what} is {given}, the rules make it {due}")


def grant(books: Books, hold: Hold) -> None:
    """Write a new hold down, of either origin."""
    early.counts(books, hold.fan, hold.pool, hold.qty, hold.cohort)
    hold.count(hold.qty)
    expected = f"h{len(books.holds) + 1}"
    if hold.id != expected:
        books.blame("INV-9", f"hold {hold.id} is granted where {expected} is the next")
    if hold.price != hold.pool.item.price:
        books.blame("INV-10", f"hold {hold.id} costs {hold.price}, not {hold.pool.item.price}")
    from_free(books, hold.pool, hold.qty)
    hold.pool.held += hold.qty
    books.holds[hold.id] = hold
    hold.fan.holds.append(hold)
    books.set_deadline(hold, hold.deadline)
    books.take(hold.fan, hold.pool.item, hold.qty)


def _held(books: Books, e: events.Held) -> None:
    """H1, L4: a press, or a join for which units could be had (L1)."""
    assert books.rules is not None
    together = _in_one_basket(books, e)
    if not together:
        once(books, e.fan, e.key, e.hold)
    pool = books.pool_named(e.pool)
    if pool is None:
        return
    fan = books.fan(e.fan)
    if not together:
        in_pace(books, fan, e.at)
    early.may_begin(books, fan)
    ahead = books.first_ready(pool) if pool.ready else None
    if ahead is not None:
        books.count["overtaken"] += 1
        books.blame(
            "INV-11",
            f"{e.fan} pressed and got {pool.id} while {ahead.id} (arrival {ahead.n}) was ready",
        )
    if e.qty > pool.item.most:
        books.blame("INV-6", f"a press of {e.qty} is above {pool.item.most} of {pool.item.id}")
    within(books, fan, pool.item, e.qty)
    deadline_is(books, e.deadline, e.at + books.rules.hold_ms, f"hold {e.hold}")
    books.count["holds"] += 1
    granted = Hold(e.hold, fan, pool, e.qty, e.price, e.at, e.deadline, cohort=e.cohort)
    grant(books, granted)


def _in_one_basket(books: Books, e: events.Held) -> bool:
    """H12: the holds of a basket have one key, one deadline, and the number of the first of them.
    Is this one of the later?"""
    first = books.holds.get(f"h{e.basket}")
    if not e.basket or first is None:
        if e.basket and e.hold != f"h{e.basket}":
            books.blame("INV-9", f"hold {e.hold} is in the basket of h{e.basket}, which is none")
        return False
    if books.keys.get((e.fan, e.key)) != first.id or first.start != e.at:
        books.blame("INV-7", f"hold {e.hold} was not pressed for together with {first.id}")
        return False
    return True


def living(books: Books, name: str, fan: str, what: str) -> Hold | None:
    """The fan's hold if it has not ended; INV-9 when it has (H7)."""
    hold = books.hold_of(name, fan)
    if hold is not None and not hold.alive:
        books.blame("INV-9", f"hold {name} is {what} after it was {hold.state}")
        return None
    return hold


def by_its_fan(books: Books, e: Any) -> None:
    """INV-7: who goes on with what he has does it by a command, and each carries a key (C1)."""
    if not e.key:
        books.blame("INV-7", f"a command of {e.fan} carries no key")


def _claimed(books: Books, e: events.Claimed) -> None:
    """L8; when its entry is merged into another of its fan: A3."""
    assert books.rules is not None
    merged = books.follows and not e.key
    if not merged:
        by_its_fan(books, e)
    hold = living(books, e.hold, e.fan, "claimed")
    if hold is None:
        return
    if not hold.unclaimed:
        books.blame("INV-9", f"hold {e.hold} is no open offer and cannot be claimed")
    due = max(e.at + books.rules.hold_ms, hold.deadline if merged else 0)
    deadline_is(books, e.deadline, due, f"claimed hold {e.hold}")
    hold.claimed, hold.start = True, e.at
    books.count["offers_claimed"] += 1
    books.set_deadline(hold, e.deadline)


def _extended(books: Books, e: events.Extended) -> None:
    """H5 by its fan, H8 when a silent payment is asked about."""
    assert books.rules is not None
    hold = living(books, e.hold, e.fan, "extended")
    if hold is None:
        return
    if e.why == "fan":
        by_its_fan(books, e)
        if hold.extended or hold.unclaimed:
            books.blame("INV-9", f"hold {e.hold} is extended twice or before it was claimed")
        if hold.looked and books.schema >= ASKS_FROM_NOW:
            books.blame("INV-9", f"hold {e.hold} is extended while its payment is asked about")
        hold.extended = True
        deadline = hold.deadline + books.rules.extend_ms
    elif e.why == "lookup":
        if e.key:
            books.blame("INV-15", f"nobody asks about {e.hold} by a command, not under key {e.key}")
        if hold.looked or hold.state != "paying" or hold.deadline > e.at:
            books.blame("INV-9", f"hold {e.hold} is not a silent payment at its deadline")
        if books.schema >= PAYS_TOGETHER:
            books.blame("INV-9", f"hold {e.hold} is asked about, and not its payment")
        hold.looked = True
        hold.own = hold.deadline if books.schema >= ASKS_FROM_NOW else 0
        asking = books.rules.lookup_ms
        deadline = max(hold.deadline + asking, e.at + 1)
        if books.schema >= ASKS_FROM_NOW:
            deadline = e.at + max(asking, 1)
        asked(books, hold)
    else:
        books.blame("INV-15", f"hold {e.hold} is extended because of {e.why!r}")
        deadline = e.deadline
    deadline_is(books, e.deadline, deadline, f"extended hold {e.hold}")
    books.set_deadline(hold, e.deadline)
    payment = books.payments.get(hold.payment)
    if payment is not None and payment.state == "open":
        payment.until = min((one.deadline for one in payment.standing), default=0)


def _paying(books: Books, e: events.Paying) -> None:
    """H6."""
    assert books.rules is not None
    by_its_fan(books, e)
    rules = books.rules
    hold = living(books, e.hold, e.fan, "paid for")
    if hold is None:
        return
    payment = books.payments.get(hold.payment)
    if books.schema >= PAYS_TOGETHER and (payment is None or payment.state != "open"):
        books.blame("INV-10", f"hold {e.hold} is being paid, and no payment was begun for it")
    again = hold.state == "paying" if books.schema >= PAYS_TOGETHER else hold.began
    if again or hold.unclaimed:
        books.blame("INV-9", f"paying for {e.hold} begins twice or before it was claimed")
    end = hold.start + 2 * rules.hold_ms + rules.pay_ms
    deadline = max(hold.deadline, min(e.at + rules.pay_ms, end))
    if payment is not None and payment.provider == "by_hand":
        deadline = e.at + rules.hand_ms
    elif payment is not None and payment.provider == "cash":
        until = next((way.until_ms for way in rules.ways if way.id == payment.way), 0)
        deadline = max(hold.deadline, until + books.lead)
    deadline_is(books, e.deadline, deadline, f"paying hold {e.hold}")
    hold.state, hold.began = "paying", True
    books.set_deadline(hold, e.deadline)
    if payment is not None:
        payment.until = min(payment.until or e.deadline, e.deadline)


def asked(books: Books, hold: Hold) -> None:
    """INV-10: what became of the payment that was begun for a hold is to be found out."""
    books.owe_outside("lookup", hold.id, hold.id, "", hold.qty * hold.price)


def back(books: Books, hold: Hold, state: str, pool: str, qty: int) -> None:
    """held -> free: the hold ends with `state` and takes its units out of the fan's limit."""
    if pool != hold.pool.id or qty != hold.qty:
        books.blame(
            "INV-1",
            f"hold {hold.id} gives {qty} of {pool} back, it had {hold.qty} of {hold.pool.id}",
        )
    hold.state = state
    hold.pool.held -= hold.qty
    hold.pool.free += hold.qty
    hold.count(-hold.qty)
    if books.schema >= PAYS_TOGETHER:
        leave(books, hold)
    elif hold.began and books.schema >= ASKS_AT_EVERY_END:
        asked(books, hold)


def ask_to_cancel(books: Books, payment: Payment) -> None:
    """P16: the provider is to let nobody pay it any more, and to say what was paid."""
    first = payment.holds[0].id
    books.owe_outside("cancel", payment.id, first, "", payment.amount, payment.id)


def leave(books: Books, hold: Hold) -> None:
    """P16: a hold of an open payment ended, or was sold by another's: with the last of them it is
    over."""
    payment = books.payments.get(hold.payment)
    if payment is None or payment.state != "open":
        return
    if payment.by_hand:
        hold.pool.hand -= hold.qty
    if not payment.standing:
        payment.state = "ended"
        ask_to_cancel(books, payment)


def attached(hold: Hold) -> Entry | None:
    """The entry that is buying with this hold, if it still is."""
    entry = hold.entry
    if entry is not None and entry.state == "offered" and entry.hold == hold.id:
        return entry
    return None


def return_entry(books: Books, hold: Hold) -> None:
    """A claimed offer ended unsold: `cooled` or `dormant` must follow at once."""
    entry = attached(hold)
    if entry is not None:
        follow = "cooled" if lapse(books, entry, hold.pool) else "dormant"
        books.owed.append(Owed((follow,), entry.id, "INV-11", f"its hold {hold.id} came back"))
    books.take(hold.fan, hold.pool.item, -hold.qty)


def _released(books: Books, e: events.Released) -> None:
    hold = living(books, e.hold, e.fan, "released")
    if hold is None:
        return
    if e.by == "creator":
        if e.key:
            books.blame("INV-15", f"a creator releases {e.hold} under key {e.key}")
        back(books, hold, "cancelled", e.pool, e.qty)
        books.take(hold.fan, hold.pool.item, -hold.qty)
        return
    by_its_fan(books, e)
    if e.by != "fan" or books.state == "cancelled":
        books.blame("INV-15", f"{e.by!r} releases {e.hold} in a drop that is {books.state}")
    if hold.unclaimed:
        books.blame("INV-9", f"hold {e.hold} is an open offer: it is declined, not released")
    books.count["released"] += 1
    back(books, hold, "released", e.pool, e.qty)
    return_entry(books, hold)


def in_time(books: Books, hold: Hold, at: int) -> None:
    """INV-9: nothing ends before its deadline (T2), and how late it ended is remembered."""
    if hold.deadline > at:
        books.blame("INV-9", f"hold {hold.id} ends at {at}, its deadline is {hold.deadline}")
    books.count["late_ms_max"] = max(books.count["late_ms_max"], at - hold.deadline)


def _expired(books: Books, e: events.Expired) -> None:
    """H7; one that is being paid after it was asked about (H8)."""
    hold = living(books, e.hold, e.fan, "expired")
    if hold is None:
        return
    if hold.unclaimed:
        books.blame("INV-9", f"hold {e.hold} is an open offer: it lapses, it does not expire")
    if hold.state == "paying" and not hold.looked:
        books.blame("INV-9", f"hold {e.hold} is being paid and expires before anybody was asked")
    # Once the provider has said that nobody paid there is nothing to wait for.
    if not hold.looked or hold.deadline <= e.at:
        in_time(books, hold, e.at)
    books.count["expired"] += 1
    back(books, hold, "expired", e.pool, e.qty)
    return_entry(books, hold)


CHECKS: dict[type[events.Event], Callable[[Books, Any], None]] = {
    events.Held: _held,
    events.Claimed: _claimed,
    events.Extended: _extended,
    events.Paying: _paying,
    events.Released: _released,
    events.Expired: _expired,
}
