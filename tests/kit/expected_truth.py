"""What the server's keys must hold when the oracle is right, each counted from its records."""

from __future__ import annotations

from collections.abc import Callable

from dropengine import events, model, outcomes
from dropengine.log.replay import Truth
from tests.kit.oracle import Bought, Entry, Oracle

LANE_WIDTH = 2**42
CLASS_WIDTH = 128 * LANE_WIDTH
POINTS_WIDTH = 2**32


def truth(oracle: Oracle) -> Truth:
    """The whole of `Store.truth`, from records that know no counter, set or flag."""
    ids = list(oracle.pools)
    return Truth(
        drop=head(oracle),
        news=[(e.seq, e.at, e.text) for e in oracle.log if isinstance(e, events.Message)][-5:],
        leads=oracle.leads,
        pools={p: pool_record(oracle, p) for p in ids},
        items={
            item.id: model.ItemRecord(i, item.cap, item.price, item.limit, item.most, item.given)
            for i, item in enumerate(oracle.items.values())
        },
        fans={fan: fan_record(oracle, fan) for fan in oracle.seen},
        holds={h: oracle.hold_record(hold) for h, hold in oracle.holds.items()},
        orders={
            o.id: model.OrderRecord(
                o.fan,
                o.pool,
                o.qty,
                o.amount,
                list(o.serials),
                o.charge,
                o.state,
                o.at,
                o.why,
                o.payment,
                list(o.away),
            )
            for o in oracle.orders.values()
        },
        payments={p: oracle.payment_record(one) for p, one in oracle.payments.items()},
        entries={e: oracle.entry_record(entry) for e, entry in oracle.entries.items()},
        due={member: when for when, member in oracle.due()},
        places=standing(oracle, lambda entry, pool: entry.open and entry.n > 0),
        ready={
            member: score + class_of(oracle, member) * CLASS_WIDTH
            for member, score in standing(
                oracle, lambda entry, pool: entry.open and oracle.waits(entry, pool)
            ).items()
        },
        buying=standing(oracle, lambda entry, pool: entry.state == "offered"),
        returned={
            f"{item.id}/{serial:08d}": 0
            for item in oracle.items.values()
            for serial in item.returned
        },
        sales={
            e.hold: e.seq
            for e in oracle.log
            if isinstance(e, events.Sale) and oracle.orders[e.hold].kept
        },
        charges={
            charge: ending(oracle, charge, outcome) for charge, outcome in oracle.charges.items()
        },
        outbox={
            name: model.DutyRecord(d.kind, d.hold, d.charge, d.amount, d.at, d.currency, d.payment)
            for name, d in oracle.outbox.items()
        },
    )


def pool_record(oracle: Oracle, pool: str) -> model.PoolRecord:
    it = oracle.pools[pool]
    return model.PoolRecord(
        index=list(oracle.pools).index(pool),
        item=it.item,
        cap=it.cap,
        free=oracle.free(pool),
        held=oracle.held(pool),
        sold=oracle.sold(pool),
        withheld=it.withheld,
        leased=0,
        lane_count=it.calls,
        removed=(it.removed[0], it.removed[1]),
        offered=oracle.offered(pool),
        hand=oracle.by_hand(pool),
        away=oracle.away(pool),
        counted=[oracle.taken_of(pool, cohort) for cohort in oracle.cohorts],
        ceilings=[oracle.ceiling(pool, cohort) for cohort in oracle.cohorts if oracle.early],
        carried=share_of(oracle, pool),
    )


def share_of(oracle: Oracle, pool: str) -> list[int]:
    """What came of carried places, and what may; nothing once that is over."""
    if oracle.rules.carried is None or pool in oracle.taken_up:
        return []
    return [oracle.of_carried(pool), oracle.share(pool)]


def fan_record(oracle: Oracle, fan: str) -> model.FanRecord:
    return model.FanRecord(
        seq=oracle.seen[fan],
        used=oracle.used(fan),
        makegood=int(fan in oracle.madegood),
        holds=[h.id for h in oracle.open_holds(fan)],
        entries=[
            e.id
            for e in oracle.entries.values()
            if e.fan == fan and (e.open or e.id == oracle.ended_entry.get(fan))
        ],
        orders=oracle.bought.get(fan, []),
        last=oracle.ended.get(fan, ""),
        person=oracle.person_of.get(fan, ""),
        guests=oracle.guests.get(fan, []),
        cohorts=oracle.own(fan),
    )


def standing(oracle: Oracle, inside: Callable[[Entry, str], bool]) -> dict[str, int]:
    """entry@pool index -> score, for those entries of a line that are `inside`; with a plus for the
    second place of one, in the boost lane."""
    return {
        f"{entry.id}@{index}{'+' * lane}": score(index, entry, lane)
        for index, pool in enumerate(oracle.pools)
        for entry in oracle.entries.values()
        for lane in ((0, 1) if entry.rank else (0,))
        if pool in entry.pools and inside(entry, pool)
    }


def class_of(oracle: Oracle, member: str) -> int:
    """Of an entry's fan: a bit for each cohort that he is in."""
    mine = oracle.own(oracle.entries[member.split("@", maxsplit=1)[0]].fan)
    return sum(2**i for i, cohort in enumerate(oracle.cohorts) if cohort in mine)


def score(index: int, entry: Entry, lane: int) -> int:
    line, rank = index * 2 + lane, entry.rank * lane
    return line * LANE_WIDTH + (model.POINTS_MAX - rank) * POINTS_WIDTH + entry.n


def ending(oracle: Oracle, charge: str, outcome: Bought) -> str:
    match outcome:
        case outcomes.Voided(payment=payment, why=why, entry=entry):
            word = "voided0" if charge in oracle.of_nothing else "voided"
            return f"{word}|{payment}|{why}|{entry}"
        case outcomes.Paid(payment=payment, sold=sold):
            told = oracle.payments[payment].told
            return f"paid|{payment}|{','.join(sold)}|{'' if told is None else told}"


def head(oracle: Oracle) -> dict[str, str]:
    """The counters of the drop hash."""
    return {
        "schema": str(oracle.schema),
        "lead": str(oracle.lead),
        # A freeze that has no event changes nothing for the log.
        "state": oracle.was if oracle.state == "frozen" else oracle.state,
        "seq": str(oracle.seq),
        "at": str(oracle.log[-1].at),
        "revision": str(oracle.revision),
        "arrivals": str(oracle.arrivals),
        "holds": str(oracle.granted_ever),
        "what": oracle.last_word[0],
        "by": oracle.last_word[1],
        **({} if oracle.why is None else {"why": oracle.why}),
        **({} if oracle.rules.mode == "rush" else of_list(oracle)),
        **({"widened": str(oracle.widened_ms)} if oracle.cohorts else {}),
        **({} if oracle.rules.carried is None else of_carried(oracle)),
        **({"opened": str(oracle.opened_ms)} if oracle.rules.calls and oracle.opened_ms else {}),
    }


def of_carried(oracle: Oracle) -> dict[str, str]:
    """What is kept of places that are carried over."""
    told = {"looked": str(oracle.carry_looked), "carried": str(oracle.carried)}
    return told if oracle.carry_of is None else told | {"of": str(oracle.carry_of)}


def of_list(oracle: Oracle) -> dict[str, str]:
    """What is kept of a list that chance orders."""
    told = {"entered": str(len(oracle.listed()))}
    if oracle.sealed_ms:
        told |= {"sealed": str(oracle.sealed_ms), "placed": str(oracle.placed)}
    if oracle.root:
        told["root"] = oracle.root
    if oracle.value:
        told["revealed"] = oracle.value
    if oracle.first is not None or oracle.first_was:
        told["first"] = "" if oracle.first is None else str(oracle.first)
    if oracle.won is not None:
        told["won"] = str(oracle.won)
    if oracle.called_up:
        told["called"] = str(oracle.called_up)
    return told
