"""How a command can end in the scripts: granted, each in its own way, or refused.

Outcomes are msgpack arrays on the way from the scripts; their order of fields is theirs. An
expected ending is a value, never an exception.
"""

from __future__ import annotations

import msgspec

from dropengine import refusals
from dropengine.model import EntryRecord, HoldRecord, OrderState, PaymentRecord, shout
from dropengine.refusals import (
    AllHeld,
    AllOrNothing,
    Already,
    BadMessage,
    Cancelled,
    Closed,
    CohortFull,
    DomainFull,
    Exists,
    Frozen,
    HandFull,
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
    OtherPrice,
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


class PaymentGranted(Granted, frozen=True):
    id: str
    payment: PaymentRecord
    seq: int
    was: int


class Paying(Granted, frozen=True):
    """One payment for these holds is open. `holds`: in its order, with their ids."""

    id: str
    payment: PaymentRecord
    holds: list[tuple[str, HoldRecord]]
    seq: int
    was: int


class Unpaying(PaymentGranted, frozen=True):
    """Its provider is asked to cancel it; or it is over, as the record says."""


class Swapped(HoldGranted, frozen=True):
    pass


class Basketed(Granted, frozen=True):
    """What was had of a basket and what not: rows of (place of the want, counted from 0; hold id,
    hold) and of (place of the want, why not). `number`: the basket's, that of its first hold; 0
    where nothing new was had."""

    number: int
    had: list[tuple[int, str, HoldRecord]]
    missing: list[tuple[int, Missed]]
    seq: int
    was: int


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


class Paid(Granted, frozen=True):
    """The charge bought these holds (or equal ones of the same fan, or units that were left).
    `kept`: what of it is the shop's; the rest goes back."""

    payment: str
    seq: int
    sold: list[str]
    kept: int


class Voided(Granted, frozen=True):
    """The charge buys nothing; a duty gives the money back. `why`: mismatch, limit (of its card),
    second, late, ended. `entry`: the make-good's, or ''."""

    payment: str
    seq: int
    why: str
    entry: str


class Refunded(Granted, frozen=True):
    """Units of the order, or a part of its share, are given back, by this command or before.
    `state`: the order's, which says how its money stands. `why`: the reason that its fan reads, of
    whoever ended it first. `n`: which refund of its payment it was; `amount`: what goes back."""

    hold: str
    seq: int
    state: OrderState
    why: str = ""
    n: int = 0
    amount: int = 0


class CameBack(Granted, frozen=True):
    """Units that were given back after they were handed over are free again."""

    hold: str
    seq: int


class ChargedBack(Granted, frozen=True):
    """The orders of the payment that stood are charged back, now or since before."""

    payment: str
    seq: int


class MoreTime(Granted, frozen=True):
    """The payment may be paid until then, in true time."""

    payment: str
    seq: int
    deadline_ms: int


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


class Unpaid(Granted, frozen=True):
    """Nobody paid, and nobody can any more: the payment has ended."""

    payment: str
    seq: int


Missed = (
    NotOpen
    | Paused
    | Closed
    | Cancelled
    | NotYourTurn
    | NotEligible
    | CohortFull
    | LimitReached
    | AllHeld
    | SoldOut
    | NotFound
    | TooManyRequests
    | NetworkFull
    | DomainFull
    | AllOrNothing
    | Frozen
)
"""Why a want of a basket was not had."""

PressOutcome = (
    Held
    | Claimed
    | Released
    | Extended
    | Paying
    | refusals.Paying
    | Unpaying
    | Basketed
    | Swapped
    | OtherPrice
    | HandFull
    | BadMessage
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


PaymentOutcome = Paid | Voided | NotFound | BadMessage | Frozen | Unnamed
"""How a payment that succeeded can end."""
UnpaidOutcome = Unpaid | HoldExpired | NotFound | Frozen
CameBackOutcome = CameBack | KeyReused | NotFound | Frozen | BadMessage
ChargedBackOutcome = ChargedBack | KeyReused | NotFound | Frozen | BadMessage
MoreTimeOutcome = MoreTime | Already | HoldExpired | KeyReused | NotFound | Frozen | BadMessage
RefundOutcome = Refunded | KeyReused | NotFound | Frozen | BadMessage
DischargeOutcome = Discharged | NotFound | Frozen | BadMessage
EndDutyOutcome = Discharged | NotFound | Frozen | BadMessage | KeyReused
