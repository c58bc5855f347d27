"""How a command can end in the scripts: granted, each in its own way, or refused.

Outcomes are msgpack arrays on the way from the scripts; their order of fields is theirs. An
expected ending is a value, never an exception.
"""

from __future__ import annotations

import msgspec

from dropengine.model import EntryRecord, HoldRecord, OrderState, shout
from dropengine.refusals import (
    AllHeld,
    Already,
    BadMessage,
    Cancelled,
    Closed,
    CohortFull,
    DomainFull,
    Exists,
    Frozen,
    HoldExpired,
    InThePast,
    KeyReused,
    LimitReached,
    NetworkFull,
    NotAdoptable,
    NotCarried,
    NotEligible,
    NotFound,
    NotOpen,
    NotYourTurn,
    Paused,
    SoldOut,
    StaleRevision,
    TooFew,
    TooManyRequests,
)


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


class Confirmed(EntryGranted, frozen=True):
    pass


class Changed(Granted, frozen=True):
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
    """The payment buys nothing; a duty gives the money back. `why`: mismatch, limit (of its card),
    second, late, ended. `entry`: the make-good's, or ''."""

    hold: str
    seq: int
    why: str
    entry: str


class Refunded(Granted, frozen=True):
    """The order has ended, by this command or before. `state`: the order's, which says how its
    money stands. `why`: the reason that its fan reads, of whoever ended it first."""

    hold: str
    seq: int
    state: OrderState
    why: str = ""


class Discharged(Granted, frozen=True):
    """A duty is ticked off."""

    duty: str
    seq: int


class Adopted(Granted, frozen=True):
    """What the guest had is the person's, now or since he was adopted first."""

    seq: int


class NothingBegun(Granted, frozen=True):
    """The guest never did anything in this drop: there is nothing to adopt, nothing was written,
    and his id stays a guest's."""


class Enrolled(Granted, frozen=True):
    """The fan is in these cohorts of the drop, now or since before."""

    seq: int
    cohorts: list[str]


class Expired(Granted, frozen=True):
    """Nobody paid: the hold past its deadline has ended."""

    hold: str
    seq: int


PressOutcome = (
    Held
    | Claimed
    | Released
    | Extended
    | Paying
    | Joined
    | Left
    | Confirmed
    | NotOpen
    | Paused
    | Closed
    | Cancelled
    | NotYourTurn
    | NotEligible
    | CohortFull
    | LimitReached
    | AllHeld
    | SoldOut
    | HoldExpired
    | NotFound
    | KeyReused
    | TooManyRequests
    | NetworkFull
    | DomainFull
    | Frozen
)
"""How a fan's command can end in the scripts."""

CreatorOutcome = (
    Changed
    | NotOpen
    | Paused
    | Closed
    | Cancelled
    | Frozen
    | NotFound
    | StaleRevision
    | Already
    | KeyReused
    | TooFew
    | InThePast
    | NotCarried
    | BadMessage
)
"""How a creator's command can end."""

PublishOutcome = Changed | Exists | KeyReused | BadMessage
"""How publishing can end."""

EnrollOutcome = Enrolled | Closed | Cancelled | BadMessage | Frozen | NotFound
"""How it can end that a fan is enrolled in cohorts."""

AdoptOutcome = Adopted | NothingBegun | LimitReached | NotAdoptable | BadMessage | Frozen | NotFound
"""How it can end that a guest becomes a person."""


class Unnamed(msgspec.Struct, frozen=True, array_like=True, tag=shout):
    """Nothing was decided: the provider's ids of earlier charges were lost, and this may be one of
    them. See `payments/lost_ids`."""


PaymentOutcome = Sold | Rescued | Voided | NotFound | BadMessage | Frozen | Unnamed
"""How a payment that succeeded can end."""
UnpaidOutcome = Expired | HoldExpired | NotFound | Frozen
RefundOutcome = Refunded | KeyReused | NotFound | Frozen | BadMessage
DischargeOutcome = Discharged | NotFound | Frozen | BadMessage
EndDutyOutcome = Discharged | NotFound | Frozen | BadMessage | KeyReused
