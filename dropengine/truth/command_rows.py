"""Fans' commands as the scripts read them: rows of a batch."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from dropengine.model import FanId
from dropengine.wire import (
    Basket,
    Claim,
    Confirm,
    Extend,
    FanCommand,
    Hold,
    Join,
    Leave,
    Pay,
    Release,
    Swap,
    Unpay,
    Want,
)

BEGINNING = frozenset({"hold", "join", "basket", "swap"})
"""Commands that begin something; the others go on with what was begun."""

Row = tuple[object, ...]


def _pay(fan: FanId, pay: Pay) -> Row:
    return ("pay", fan, pay.key, list(pay.holds), pay.way, (pay.provider, 1 if pay.all else 0))


def _want(want: Want) -> Row:
    return (want.pools, want.qty, 1 if want.fewer else 0)


def _basket(fan: FanId, basket: Basket) -> Row:
    wants = [_want(want) for want in basket.wants]
    return ("basket", fan, basket.key, 1 if basket.all else 0, wants)


def _chance(nonce: str, tickets: int) -> Row:
    """What a join says of the list that chance orders, where it says something."""
    return ((tickets, nonce),) if nonce or tickets > 1 else ()


_ROWS: dict[str, Callable[[FanId, Any], Row]] = {
    Hold.verb: lambda fan, c: ("hold", fan, c.key, c.pool, c.qty, 1 if c.fewer else 0),
    Claim.verb: lambda fan, c: ("claim", fan, c.key, c.hold),
    Release.verb: lambda fan, c: ("release", fan, c.key, c.hold),
    Extend.verb: lambda fan, c: ("extend", fan, c.key, c.hold),
    Pay.verb: _pay,
    Join.verb: lambda fan, c: ("join", fan, c.key, c.qty, c.pools, *_chance(c.nonce, 1)),
    Leave.verb: lambda fan, c: ("leave", fan, c.key, c.entry),
    Confirm.verb: lambda fan, c: ("confirm", fan, c.key, c.entry),
    Unpay.verb: lambda fan, c: ("unpay", fan, c.key, c.payment),
    Basket.verb: _basket,
    Swap.verb: lambda fan, c: ("swap", fan, c.key, c.hold, c.pool),
}


def command_row(fan: FanId, command: FanCommand) -> Row:
    """One fan's command as `press` reads it."""
    return _ROWS[command.verb](fan, command)


def join_row(fan: FanId, join: Join, tickets: int) -> Row:
    """A join into the list of a draw, with so many tickets."""
    return ("join", fan, join.key, join.qty, join.pools, *_chance(join.nonce, tickets))


def packed_texts(words: Sequence[bytes | str]) -> bytes:
    """msgpack that the scripts read as texts of whatever bytes: they know no `bin`."""
    texts = [word.encode() if isinstance(word, str) else word for word in words]
    parts = (struct.pack(">BI", 0xDB, len(text)) + text for text in texts)
    return struct.pack(">BI", 0xDD, len(texts)) + b"".join(parts)
