"""One honest story of payments of several holds: a basket, a swap, parts given back, payments by
hand, and two that nobody paid.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine import events
from dropengine.log.layouts import PAYS_TOGETHER
from tests.kit.handwritten_logs import (
    HOLD_MS,
    LOOKUP_MS,
    PRICE,
    START_MS,
    Log,
    Pen,
    numbered,
    rules,
)

HAND_MS = 86_400_000
AT = START_MS
POST, STALL = 690, 200


def bought(fan: str, payment: str, holds: dict[str, tuple[str, list[int]]], charge: str) -> Log:
    """What a charge of a payment by post buys, captured at once."""
    log: Log = [
        events.Sold(
            seq=0,
            at=AT,
            fan=fan,
            hold=hold,
            intent=hold,
            pool=pool,
            qty=len(serials),
            serials=serials,
            amount=PRICE * len(serials),
            charge=charge,
            capture="done",
            payment=payment,
        )
        for hold, (pool, serials) in holds.items()
    ]
    amount = sum(len(serials) for _, serials in holds.values()) * PRICE + POST
    words: dict[str, Any] = {"amount": amount, "kept": amount, "way": POST, "capture": "done"}
    return [*log, events.Paid(seq=0, at=AT, fan=fan, payment=payment, charge=charge, **words)]


def held(fan: str, hold: str, pool: str, key: str, basket: int = 0, qty: int = 1) -> events.Held:
    words: dict[str, Any] = {"pool": pool, "qty": qty, "price": PRICE, "basket": basket}
    return events.Held(seq=0, at=AT, fan=fan, key=key, hold=hold, deadline=AT + HOLD_MS, **words)


def begun(
    fan: str, payment: str, holds: list[str], amount: int, way: str, provider: str = "local"
) -> events.PaymentBegun:
    words: dict[str, Any] = {"way": way, "amount": amount, "all": 0, "provider": provider}
    return events.PaymentBegun(
        seq=0, at=AT, fan=fan, key=f"pay-{payment}", payment=payment, holds=holds, **words
    )


def paying(fan: str, payment: str, hold: str, deadline: int = AT + HOLD_MS) -> events.Paying:
    return events.Paying(seq=0, at=AT, fan=fan, key=f"pay-{payment}", hold=hold, deadline=deadline)


def story() -> Log:
    """ada's basket is swapped, paid together and given back in parts; ben pays by hand and is
    given more time; cy leaves; dan is asked about."""
    drop = rules({"pin": (8, 0), "cap": (8, 0)}, limit=4)
    ways = [
        events.PublishedWay(id="post", kind="ship", amount=POST),
        events.PublishedWay(id="stall", kind="pickup", amount=0, off=STALL),
    ]
    drop = msgspec.structs.replace(drop, ways=ways, hand_ms=HAND_MS, hand_share=25)
    pen = Pen(drop).opened(PAYS_TOGETHER)
    log = [*pen.log]
    at: dict[str, Any] = {"seq": 0, "at": AT}
    maker: dict[str, Any] = {"by": "o1"}
    log += [held("ada", "h1", "pin", "a", 1, 2), held("ada", "h2", "pin", "a", 1)]
    log += [
        events.Swapped(**at, fan="ada", key="s", hold="h2", pool="pin", to="cap", qty=1),
        begun("ada", "p1", ["h1", "h2"], 3 * PRICE + POST, "post"),
        paying("ada", "p1", "h1"),
        paying("ada", "p1", "h2"),
        *bought("ada", "p1", {"h1": ("pin", [1, 2]), "h2": ("cap", [1])}, "c1"),
    ]
    order: dict[str, Any] = {"fan": "ada", "hold": "h1", "payment": "p1"}
    log += [
        events.Refunded(
            **at,
            **order,
            **maker,
            pool="pin",
            qty=1,
            serials=[2],
            amount=PRICE,
            charge="c1",
            key="r1",
            back="withheld",
            n=1,
        ),
        events.CameBack(
            **at, **maker, fan="ada", hold="h1", pool="pin", qty=1, serials=[2], key="r2"
        ),
        events.Reduced(**at, **order, **maker, n=2, amount=400, key="r3", why="scratched"),
    ]
    log += [
        held("ben", "h3", "cap", "b"),
        begun("ben", "p2", ["h3"], PRICE - STALL, "stall", "by_hand"),
        paying("ben", "p2", "h3", AT + HAND_MS),
        events.MoreTime(**at, **maker, fan="ben", payment="p2", deadline=AT + 2 * HAND_MS, key="m"),
    ]
    log += [
        held("cy", "h4", "cap", "c"),
        begun("cy", "p3", ["h4"], PRICE + POST, "post"),
        paying("cy", "p3", "h4"),
        events.Unpaying(**at, fan="cy", key="u", payment="p3"),
        events.Unpaid(**at, fan="cy", payment="p3"),
    ]
    log += [
        held("dan", "h5", "pin", "d"),
        begun("dan", "p4", ["h5"], PRICE + POST, "post"),
        paying("dan", "p4", "h5"),
        events.ChargedBack(**at, **maker, fan="ada", payment="p1", amount=900, key="x"),
    ]
    due: dict[str, Any] = {"seq": 0, "at": AT + HOLD_MS}
    log += [
        events.Expired(**due, fan="cy", hold="h4", pool="cap", qty=1),
        events.Asked(**due, fan="dan", payment="p4", deadline=AT + HOLD_MS + LOOKUP_MS),
        events.Unpaid(**due, fan="dan", payment="p4"),
        events.Expired(**due, fan="dan", hold="h5", pool="pin", qty=1),
    ]
    return numbered(log)
