"""The words of a sale as types: ids, states, money, the records of the truth, and how a command
can end.

Records and outcomes are msgpack arrays on the way to and from the scripts; their order of fields
is the scripts' order. An expected ending is a value of the union `Outcome`, never an exception.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import ClassVar, Literal, NewType

import msgspec

DropId = NewType("DropId", str)
ItemId = NewType("ItemId", str)
PoolId = NewType("PoolId", str)
FanId = NewType("FanId", str)
HoldId = NewType("HoldId", str)
EntryId = NewType("EntryId", str)
Key = NewType("Key", str)

SCHEMA = 1
"""The number of this layout of the truth. A drop with a higher one is refused."""


class DropState(StrEnum):
    """draft -> scheduled -> live <-> paused -> closing -> settled; see `LEGAL_MOVES`.

    `sold_out` is never stored: it is `live` seen while no pool has a free or a held unit.
    """

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    SOLD_OUT = "sold_out"
    CLOSING = "closing"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    FROZEN = "frozen"


LEGAL_MOVES: dict[DropState, frozenset[DropState]] = {
    DropState.DRAFT: frozenset({DropState.SCHEDULED}),
    DropState.SCHEDULED: frozenset({DropState.LIVE, DropState.CANCELLED, DropState.FROZEN}),
    DropState.LIVE: frozenset(
        {DropState.PAUSED, DropState.CLOSING, DropState.CANCELLED, DropState.FROZEN}
    ),
    DropState.PAUSED: frozenset(
        {DropState.LIVE, DropState.CLOSING, DropState.CANCELLED, DropState.FROZEN}
    ),
    DropState.CLOSING: frozenset({DropState.SETTLED, DropState.CANCELLED, DropState.FROZEN}),
    DropState.SETTLED: frozenset(),
    DropState.CANCELLED: frozenset(),
    DropState.FROZEN: frozenset({DropState.CANCELLED}),
}
"""Which stored state may follow which; `lua/lib/moves.lua` is the table that decides."""


class HoldState(StrEnum):
    """active -> paying -> sold, or released, expired, cancelled."""

    ACTIVE = "active"
    PAYING = "paying"
    SOLD = "sold"
    RELEASED = "released"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


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
    """capture_pending -> done | capture_failed; refund_pending -> refunded from any of them."""

    CAPTURE_PENDING = "capture_pending"
    CAPTURE_FAILED = "capture_failed"
    DONE = "done"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"


class Origin(StrEnum):
    PRESS = "press"
    LINE = "line"


class Lane(IntEnum):
    BASE = 0
    BOOST = 1


POINTS_MAX = 1023
"""The class above points that a make-good enters the boost lane with; earned points stay below
it."""


# --- Records: one msgpack array each, exactly as the scripts store them. ---


class Record(msgspec.Struct, array_like=True):
    """A record of the truth. Mutable on purpose: `replay` folds the log into these."""


class PoolRecord(Record):
    """Units of one pool; cap = free + held + sold + withheld + leased. `price` in minor units."""

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
    """Entries whose fate is not final, oldest first."""
    orders: list[str]
    """Every order ever, refunded ones too, oldest first; an order has the id of its hold."""
    last: str
    """The hold that ended last other than by being sold, or ''."""


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
    """1 once the provider was asked about a silent payment and the deadline is the hard stop."""
    key: str


class OrderRecord(Record):
    fan: str
    pool: str
    qty: int
    amount: int
    serials: list[int]
    charge: str
    state: str
    at_ms: int


class EntryRecord(Record):
    fan: str
    n: int
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


class DutyRecord(Record):
    """Something a script decided that is done outside and then ticked off. `kind`: see `Duty`."""

    kind: str
    hold: str
    charge: str
    amount: int
    at_ms: int


DutyKind = Literal["capture", "void", "refund", "lookup"]


# --- Outcomes. ---

_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")


def snake(name: str) -> str:
    """`AllHeld` -> `all_held`: the one mapping from a class to its word on the wire."""
    return _CAMEL.sub("_", name).lower()


def shout(name: str) -> str:
    """`AllHeld` -> `ALL_HELD`: the same word as the scripts say it."""
    return snake(name).upper()


class Granted(msgspec.Struct, frozen=True, array_like=True, tag=shout):
    """A command that was carried out, now or the first time it came."""


class HoldGranted(Granted, frozen=True):
    """`seq`: the log's length when this was answered. `was`: the fan's `seq` before this command,
    equal to the fan's present one when nothing changed (a repeat)."""

    id: str
    hold: HoldRecord
    seq: int
    was: int


class Held(HoldGranted, frozen=True):
    pass


class Claimed(HoldGranted, frozen=True):
    pass


class Released(HoldGranted, frozen=True):
    pass


class Extended(HoldGranted, frozen=True):
    pass


class Paying(HoldGranted, frozen=True):
    pass


class EntryGranted(Granted, frozen=True):
    id: str
    entry: EntryRecord
    seq: int
    was: int


class Joined(EntryGranted, frozen=True):
    pass


class Left(EntryGranted, frozen=True):
    pass


class Done(Granted, frozen=True):
    """A creator's command was carried out."""

    seq: int
    revision: int
    state: str


class Sold(Granted, frozen=True):
    """The payment bought its hold (or an equal one of the same fan)."""

    hold: str
    seq: int


class Rescued(Granted, frozen=True):
    """The payment came after the deadline and a free unit was left for it."""

    hold: str
    seq: int


class Voided(Granted, frozen=True):
    """The payment buys nothing; a duty gives the money back. `entry`: the make-good's, or ''."""

    hold: str
    seq: int
    why: str
    entry: str


class Refunded(Granted, frozen=True):
    hold: str
    seq: int


class Discharged(Granted, frozen=True):
    """A duty is ticked off."""

    duty: str
    seq: int


class Expired(Granted, frozen=True):
    """Nobody paid: the hold past its deadline has ended."""

    hold: str
    seq: int


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag=shout):
    """A command that was not carried out, and why. The list is closed."""

    sentence: ClassVar[str] = ""

    @property
    def code(self) -> str:
        return snake(type(self).__name__)


class NotOpen(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "This drop has not opened yet. Being early earns nothing and costs nothing."
    )


class Paused(Refusal, frozen=True):
    sentence: ClassVar[str] = "The drop is paused. What you hold is safe and can still be paid."


class Closed(Refusal, frozen=True):
    sentence: ClassVar[str] = "The drop is closed. Only what is already held can still be paid."


class Cancelled(Refusal, frozen=True):
    sentence: ClassVar[str] = "The maker cancelled this drop. Every payment goes back."


class NotYourTurn(Refusal, frozen=True):
    sentence: ClassVar[str] = "Units go to the line first, and it is not your turn yet."


class NotEligible(Refusal, frozen=True):
    sentence: ClassVar[str] = "This is not for sale to you in this drop."


class SignIn(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "Open the drop's page first: it gives you the ticket that holds are kept under."
    )


class LimitReached(Refusal, frozen=True):
    """`room`: units this fan may still take of the item."""

    sentence: ClassVar[str] = "That is more than one fan may have of this drop."
    room: int = 0


class AllHeld(Refusal, frozen=True):
    """`free`: units that could be had at once (fewer than asked); `held`: units that may come
    back."""

    sentence: ClassVar[str] = (
        "Every unit is in somebody's cart. Join the line: what comes back goes there."
    )
    free: int = 0
    held: int = 0


class SoldOut(Refusal, frozen=True):
    sentence: ClassVar[str] = "Sold out. Join the line: a refunded unit goes there."


class HoldExpired(Refusal, frozen=True):
    """`state`: how the hold ended."""

    sentence: ClassVar[str] = "This hold has ended and its unit went on to the line."
    state: str = "expired"


class NotFound(Refusal, frozen=True):
    sentence: ClassVar[str] = "There is no such thing here for you."


class StaleRevision(Refusal, frozen=True):
    """`revision`, `state`: the drop's present ones; `what`, `by`: the last creator command."""

    sentence: ClassVar[str] = "Somebody changed the drop before you. Look at it again, then decide."
    revision: int = 0
    state: str = ""
    what: str = ""
    by: str = ""


class KeyReused(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "This key was used for another command. Make a new key for a new command."
    )


class BadMessage(Refusal, frozen=True):
    """`why`: what is wrong with it and where."""

    sentence: ClassVar[str] = "This message cannot be read."
    why: str = ""


class TooManyRequests(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "Too many requests at once. Wait a moment; your place does not depend on it."
    )
    retry_ms: int = 1000


class Frozen(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "The drop is stopped because its books did not add up. Nothing is lost."
    )


class Away(Refusal, frozen=True):
    sentence: ClassVar[str] = (
        "The shop cannot be reached for a moment. Nothing is sold out; ask again."
    )
    retry_ms: int = 1000


class TooFew(Refusal, frozen=True):
    """`least`, `most`: what the creator may still do to this pool, in units."""

    sentence: ClassVar[str] = "The pool does not have that many units to move."
    free: int = 0
    held: int = 0
    sold: int = 0
    withheld: int = 0


PressOutcome = (
    Held
    | Claimed
    | Released
    | Extended
    | Paying
    | Joined
    | Left
    | NotOpen
    | Paused
    | Closed
    | Cancelled
    | NotYourTurn
    | NotEligible
    | LimitReached
    | AllHeld
    | SoldOut
    | HoldExpired
    | NotFound
    | KeyReused
    | Frozen
)
"""How a fan's command can end in the scripts."""

CreatorOutcome = (
    Done
    | NotOpen
    | Paused
    | Closed
    | Cancelled
    | Frozen
    | NotFound
    | StaleRevision
    | KeyReused
    | TooFew
)
"""How a creator's command can end."""

PaymentOutcome = Sold | Rescued | Voided | NotFound | Frozen
"""How a payment that succeeded can end."""
UnpaidOutcome = Expired | HoldExpired | NotFound | Frozen
RefundOutcome = Refunded | NotFound | Frozen
DischargeOutcome = Discharged | NotFound | Frozen
