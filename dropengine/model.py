"""The words of a sale as types: ids, states, money, the records of the truth.

Records are msgpack arrays; the order of their fields here is the only one there is: the scripts
get theirs from it when they are loaded (`truth/record_layouts`).
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import NewType

import msgspec

ID_CHARS_MAX = 64
"""Of every id and key, whoever makes it."""
ID_LETTERS = "A-Za-z0-9_.:@-"
"""What ids and keys are made of: the inside of a character class, which Python, JSON Schema and Lua
read alike. None of these letters means anything in an event's JSON: ids stand there as they
come."""
CHARGE_CHARS_MAX = 128
"""Of a provider's id of a payment or of a notice; it is made of the letters of ids too."""
CHARGE = re.compile(r"c[1-9][0-9]{0,15}")
"""What a drop calls a charge: `c1`, `c2` ... in the order in which it heard of them."""
OPERATOR = re.compile(r"o[0-9a-f]{1,32}")
"""How a log calls whoever commands: a number, or a hash from which nobody reads who he is."""
BY_ID = "="
"""Stands in `charge_ids` before what a provider calls a charge. It is no letter of ids."""
QTY_MAX = 100
"""Units of one press."""
CAP_MAX = 100_000
"""Units of one item."""
PRICE_MAX = 10**9
"""Of one unit, minor units of its currency."""
AMOUNT_MAX = 10**12
"""Of one payment, minor units: ten times the dearest press. From 10^14 on Lua would write an amount
as `1e+14`."""
REVISION_MAX = 2**53 - 1
"""The last whole number that Lua, JSON and JavaScript all keep exactly."""

KEPT_MS = 86_400_000
"""A hold that came to nothing, and what is remembered of the keys that made holds, is kept for so
long after its end, by the drop's own time; then it may be taken out of the truth."""

MOMENT_MS_MIN = 946_684_800_000
MOMENT_MS_MAX = 7_258_118_399_999
"""The years 2000 to 2199 of UTC: a slip in the year is a mistake, not an endless countdown."""

DropId = NewType("DropId", str)
FanId = NewType("FanId", str)
HoldId = NewType("HoldId", str)
Key = NewType("Key", str)
ShopId = NewType("ShopId", str)
"""128 bits, as hex digits: one shop has one for good, wherever it runs."""

COHORTS_MAX = 4
"""Of one drop: each set of them has lines of its own, and the scores of lines end at 2^53."""

SCHEMA = 8
"""The number of this layout of the truth. A drop with a higher one is refused
(`errors.NewerSchema`), one with a lower one is lifted by the first script that meets it
(`lua/lib/lift.lua`)."""


class DropState(StrEnum):
    """draft -> scheduled -> live <-> paused -> closing -> settled; see `LEGAL_MOVES`. Where chance
    gives out the arrivals scheduled -> lobby -> ordering -> live.

    `sold_out` is never stored: it is `live` seen while no pool has a free or a held unit.
    """

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LOBBY = "lobby"
    ORDERING = "ordering"
    LIVE = "live"
    PAUSED = "paused"
    SOLD_OUT = "sold_out"
    CLOSING = "closing"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    FROZEN = "frozen"


LEGAL_MOVES: dict[DropState, frozenset[DropState]] = {
    DropState.DRAFT: frozenset({DropState.SCHEDULED}),
    DropState.SCHEDULED: frozenset(
        {DropState.LOBBY, DropState.LIVE, DropState.CANCELLED, DropState.FROZEN}
    ),
    DropState.LOBBY: frozenset({DropState.ORDERING, DropState.CANCELLED, DropState.FROZEN}),
    DropState.ORDERING: frozenset({DropState.LIVE, DropState.CANCELLED, DropState.FROZEN}),
    DropState.LIVE: frozenset(
        {DropState.PAUSED, DropState.CLOSING, DropState.CANCELLED, DropState.FROZEN}
    ),
    DropState.PAUSED: frozenset(
        {DropState.LIVE, DropState.CLOSING, DropState.CANCELLED, DropState.FROZEN}
    ),
    DropState.CLOSING: frozenset({DropState.SETTLED, DropState.CANCELLED, DropState.FROZEN}),
    DropState.SETTLED: frozenset(),
    DropState.CANCELLED: frozenset(),
    DropState.FROZEN: frozenset(
        {
            DropState.SCHEDULED,
            DropState.LOBBY,
            DropState.ORDERING,
            DropState.PAUSED,
            DropState.CLOSING,
            DropState.SETTLED,
            DropState.CANCELLED,
        }
    ),
}
"""Which stored state may follow which; `lua/lib/change_state.lua` is the table that decides."""


PASSING = frozenset({"disk", "durability"})
"""Who pauses a drop until something is well again: only such a pause ends by itself. The scripts
have the same in `lua/creator/passes.lua`."""


class HoldState(StrEnum):
    """active -> paying -> sold, or released, expired, cancelled."""

    ACTIVE = "active"
    PAYING = "paying"
    SOLD = "sold"
    RELEASED = "released"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


STANDING = (HoldState.ACTIVE, HoldState.PAYING)
"""A hold in one of these states sets its units aside."""


class EntryState(StrEnum):
    """waiting -> offered -> served; a second lapse makes it dormant; left and removed are final
    too."""

    WAITING = "waiting"
    OFFERED = "offered"
    SERVED = "served"
    DORMANT = "dormant"
    LEFT = "left"
    REMOVED = "removed"


class OrderState(StrEnum):
    """capture_pending -> done | capture_failed, which a done one may still become;
    refund_pending -> refunded | refund_failed from any of them; charged_back where the provider
    took the money back: its units stay sold."""

    CAPTURE_PENDING = "capture_pending"
    CAPTURE_FAILED = "capture_failed"
    DONE = "done"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    CHARGED_BACK = "charged_back"


GIVEN_BACK = (OrderState.REFUND_PENDING, OrderState.REFUNDED, OrderState.REFUND_FAILED)
"""An order in one of these states has ended: its units are others'."""


class PaymentState(StrEnum):
    """open -> paid or ended. `paid`: one charge of it bought something; `ended`: it was cancelled
    at the provider, who says that nobody paid, or its first charge bought nothing."""

    OPEN = "open"
    PAID = "paid"
    ENDED = "ended"


class Origin(StrEnum):
    PRESS = "press"
    LINE = "line"


class Lane(IntEnum):
    BASE = 0
    BOOST = 1


POINTS_MAX = 1023
"""The rank of an entry that stands in the boost lane alone, as make-goods did before layout 7."""
MADE_GOOD = 1022
"""The rank in the boost lane of an entry that was made good: a class above points."""
POINTS = 1000
"""A fan has no more of them in a drop."""


class Record(msgspec.Struct, array_like=True):
    """A record of the truth. Mutable on purpose: `replay` folds the log into these."""


class PoolRecord(Record):
    """Units of one pool; cap = free + held + sold + withheld + leased."""

    index: int
    item: str
    cap: int
    free: int
    held: int
    sold: int
    withheld: int
    leased: int
    lane_count: int
    """Counter c of the lane rule: base calls since the last boost call, at most k - 1."""
    removed: tuple[int, int]
    """r of the base and of the boost line: entries whose fate became final, ever."""
    offered: int = 0
    """The part of `held` that the line offered and nobody has claimed. Layout 1 did not keep it."""
    hand: int = 0
    """Units of open payments by hand."""
    away: int = 0
    """The part of `withheld` that was handed over and given back, and did not come back yet."""
    counted: list[int] = []
    """Where there is early access: units of holds, offers and unrefunded orders that count against
    each cohort, in the manifest's order."""
    ceilings: list[int] = []
    """How many may, of each; none once the drop is open to all."""
    carried: list[int] = []
    """Where places of an earlier drop were carried over: units of the holds, offers and unrefunded
    orders that came of them, and how many may be offered to them; nothing once the last free unit
    of the pool was taken."""


class ItemRecord(Record):
    """`limit` 0 means the drop's limit alone; `serial` is the last number given for the first
    time."""

    index: int
    cap: int
    price: int
    limit: int
    most: int
    serial: int


class FanRecord(Record):
    """What a fan has. `used` counts units in active holds, offers and unrefunded orders."""

    seq: int
    used: int
    makegood: int
    holds: list[str]
    """Active and paying holds, oldest first."""
    entries: list[str]
    """Entries whose fate is open, oldest first; among them the one that ended last without a sale,
    until he joins again."""
    orders: list[str]
    """Every order ever, refunded ones too, oldest first, those of an adopted guest behind those
    that there were; an order has the id of its hold."""
    last: str
    """The hold that ended last other than by being sold, or ''."""
    person: str = ""
    """Of a guest: the person who adopted him and has all that he had."""
    guests: list[str] = []
    """Of a person: the guests whom he adopted, in that order."""
    cohorts: list[str] = []
    """Those of the drop that he is in, in the manifest's order."""


class HoldRecord(Record):
    fan: str
    pool: str
    qty: int
    price: int
    origin: str
    state: str
    start_ms: int
    deadline_ms: int
    entry: str
    """The entry that an offer came from, or ''."""
    claimed: int
    extended: int
    began: int
    """1 once paying has begun; 2 once a payment was judged after the hold's end: no other is."""
    looked: int
    """0, or once the provider is asked about a silent payment the hard stop, ms: until then it
    stands at most, past its deadline. Up to layout 2: 1, and the deadline is that stop."""
    key: str
    begun_by: str = ""
    """The guest who began it, where it is a person's now who adopted him; else ''."""
    cohort: str = ""
    """The cohort that its units count against, those of its order too, or ''."""
    payment: str = ""
    """The payment that it is in, or was in last, or ''."""


class OrderRecord(Record):
    fan: str
    pool: str
    qty: int
    amount: int
    """Its share of what its payment keeps: what its units cost by the way, less what was given
    back of it; where the provider captured another amount, its part of that one."""
    serials: list[int]
    charge: str
    state: str
    at_ms: int
    why: str = ""
    """The maker's reason of its refund; older records have none."""
    payment: str = ""
    """The payment that bought it; '' before layout 8."""
    away: list[int] = []
    """Serials that were given back as withheld and did not come back yet."""


class PaymentRecord(Record):
    """What a fan pays at once for one or several of his holds. Never forgotten, nor are they."""

    fan: str
    holds: list[str]
    """In the order in which he named them."""
    way: str
    """How it comes to him, or '' in a drop without ways."""
    amount: int
    currency: str
    all: int
    """1: all of it or nothing."""
    provider: str
    state: str
    at_ms: int
    deadline_ms: int
    """The earliest deadline of its holds, as the fan is told it."""
    looked: int
    """0, or once the provider is asked to cancel it: the hard stop, ms."""
    leaving: int
    """1: its fan wants to pay it no more."""
    more: int
    """1: the maker gave more time for it, once."""
    judged: int
    """1 once a charge was judged in time; 2 once one was judged after its end."""
    charge: str
    """The charge that bought something, or ''."""
    kept: int
    """What of that charge is the shop's: the shares of its orders, and the way."""
    way_kept: int
    """The part of `kept` that is the way's."""
    backs: int
    """How many refunds of it there were."""


class EntryRecord(Record):
    fan: str
    n: int
    """The arrival; 0 while chance has not given it one."""
    qty: int
    pools: list[str]
    lane: int
    points: int
    state: str
    lapses: int
    hold: str
    """The offer or hold it is buying with, or ''."""
    ready: list[int]
    """Per pool of `pools`: 1 while it stands in that line's ready set."""
    cool_ms: int
    """Not ready before this time; 0 when it is not cooling."""
    key: str
    tickets: int = 0
    """In a list that chance orders: how many it has there; 0 of one that is in none."""
    nonce: str = ""
    """What its fan's browser chose for the list, as hex digits, or ''."""
    carried: int = 0
    """Of one that was carried over from an earlier drop: 1 until its fan has confirmed it, then
    2."""
    book: int = 0
    """Up to which number of its fan's book of points it knows them."""
    made_good: int = 0
    """1: its fan's payment came too late, and it stands above all points."""
    call: int = 0
    """How it was called that has an offer or a hold: 1 by the boost lane; 2 by the base lane, which
    added one to the calls of its pool; else 0."""

    @property
    def second(self) -> int:
        """Its rank in the boost lane beside its place in the base lane; 0: it has none there."""
        if self.lane:
            return 0
        return MADE_GOOD if self.made_good else self.points

    @property
    def rank(self) -> int:
        """Its rank in the boost lane; 0: it does not stand there."""
        return self.points if self.lane else self.second


class DutyRecord(Record):
    """Something a script decided that is done outside and then ticked off. `kind`: capture, void,
    refund, cancel (a payment, at its provider) or, up to layout 7, lookup."""

    kind: str
    hold: str
    charge: str
    amount: int
    at_ms: int
    currency: str = ""
    """Of money in another one than the drop's; older records have none."""
    payment: str = ""
    """Which it is about; '' before layout 8. `hold` is the first of its holds then."""


_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


def snake(name: str) -> str:
    """`AllHeld` -> `all_held`: the one mapping from a class to its word on the wire."""
    return _CAMEL.sub("_", name).lower()


def shout(name: str) -> str:
    """`AllHeld` -> `ALL_HELD`: the same word as the scripts say it."""
    return snake(name).upper()
