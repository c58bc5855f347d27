"""The fixed list of keys of a drop: their names, their order in KEYS, which are truth and which
scratch.

Every script gets all of a drop's keys in this order; `lua/lib/begin.lua` names them. They share
the hash tag `{drop}`, so a drop lives in one cluster slot; what tells two shops at one server apart
stands before it. A key never depends on a fan, a hold or a pool.
"""

from __future__ import annotations

from typing import Final

from dropengine.model import DropId

TRUTH: Final = (
    "drop",  # hash    state, revision, rules, counters
    "pools",  # hash    pool -> PoolRecord
    "items",  # hash    item -> ItemRecord
    "fans",  # hash    fan -> FanRecord
    "holds",  # hash    hold -> HoldRecord
    "orders",  # hash    hold -> OrderRecord
    "entries",  # hash    entry -> EntryRecord
    "due",  # zset    h:<hold> | e:<entry> | open | close -> ms
    "places",  # zset    entry@pool index -> line score; fate not final
    "ready",  # zset    entry@pool index -> line score; may be offered now
    "buying",  # zset    entry@pool index -> line score; has an offer or a hold
    "returned",  # zset    <item>/<serial, 8 digits> -> 0; refunded serials
    "sales",  # zset    hold -> seq of its sale; unrefunded orders
    "charges",  # hash    c<n> -> paid|<payment>|<orders>|<amount> or voided|<payment>|<why>|<entry>
    # of before layout 8: sold|<hold>, rescued|<hold> or voided|<hold>|<why>|<entry>
    "outbox",  # hash    duty -> DutyRecord
    "payments",  # hash    p<n> -> PaymentRecord
)
"""What the log alone must rebuild."""

SCRATCH: Final = (
    "log",  # stream  <last seq>-0 e <event JSON> e <event JSON> ...
    "answers",  # hash    <fan>:<key> -> id and body of a granted command
    "moves",  # stream  <i>-0: line, r, n; removals of every line in log order
    "mail",  # stream  <i>-0: fan, seq; fans whose state changed
    "wake",  # hash    armed, moves, mail: counters of the live channel; now: see `commit`
    "paces",  # hash    fan -> ms: until when what he began has used up his pace
    "charge_ids",  # hash    c<n> -> the provider's id of it; =<provider's id> -> c<n>
    "networks",  # hash    a network -> unpaid holds and open entries; each of these -> its networks
    "crowded",  # hash    a network -> how often somebody was refused because it was full
)
"""The log itself, and what may be trimmed or lost without changing who owns what. Of `charge_ids`
SQL has a copy: see `truth/charge_ids`."""

ALL: Final = TRUTH + SCRATCH


def before(prefix: str | None) -> str:
    """What stands before the hash tag in all names of a shop. prefix: None for none."""
    return f"{prefix}:" if prefix else ""


def of(drop: str, prefix: str | None = None) -> list[str]:
    """All keys of one drop, in the order of KEYS, and the nudge channel last."""
    tag = f"{before(prefix)}{{{drop}}}"
    return [f"{tag}:{name}" for name in ALL] + [nudge(drop, prefix)]


def one(drop: str, name: str, prefix: str | None = None) -> str:
    """One key of a drop by its name in `ALL`."""
    assert name in ALL, name
    return f"{before(prefix)}{{{drop}}}:{name}"


def drop_of(key: str) -> DropId:
    """The drop that a key belongs to."""
    return DropId(key[key.index("{") + 1 : key.index("}")])


def nudge(drop: str, prefix: str | None = None) -> str:
    """The channel that says: read again."""
    return f"{before(prefix)}{{{drop}}}:nudge"
