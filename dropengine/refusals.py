"""Why a command was not carried out: a closed list, each with a sentence for people.

Who runs a drop and who buys from it may get the same refusal; each reads a sentence of his own. The
fans' sentences stand in the catalogue, under the code; a page shows its own language's.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from dropengine.catalogue import ENGLISH
from dropengine.model import DropState, shout, snake


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag=shout):
    """A command that was not carried out, and why. The list is closed.

    `sentence`: for fans, in English, as programs read it. `to_operator`: for those who run the
    drop, where the fans' sentence would not be theirs; '' where it is.
    """

    sentence: ClassVar[str] = ""
    to_operator: ClassVar[str] = ""

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()
        # Only what no fan is ever told has its sentence here.
        if not cls.sentence:
            cls.sentence = ENGLISH(f"refused.{snake(cls.__name__)}")

    @property
    def text(self) -> str:
        """The whole of what a person reads: the sentence, and what may be special this time."""
        return self.sentence

    @property
    def code(self) -> str:
        return snake(type(self).__name__)

    def for_operator(self) -> str:
        """The sentence that somebody reads who runs the drop."""
        return self.to_operator or self.sentence


class NotOpen(Refusal, frozen=True):
    """`why`: what fans may know of it besides, if anything."""

    to_operator: ClassVar[str] = (
        "The drop has not opened yet. It can be opened, an open list sealed, or it cancelled."
    )
    why: str = ""

    @property
    def text(self) -> str:
        return self.why or self.sentence


class Paused(Refusal, frozen=True):
    to_operator: ClassVar[str] = "The drop is paused, not waiting to open. Resume it to go on."


class Closed(Refusal, frozen=True):
    to_operator: ClassVar[str] = (
        "The drop is closed: nothing begins in it any more. Its orders can still be refunded."
    )


class Cancelled(Refusal, frozen=True):
    to_operator: ClassVar[str] = "The drop is cancelled, and that is final."


class NotYourTurn(Refusal, frozen=True): ...


class NotEligible(Refusal, frozen=True):
    """`when_ms`: in early access, when the drop is open to all (ms, UTC; 0: when its maker
    says so); None where there is none."""

    when_ms: int | None = None

    @property
    def why(self) -> str:
        return "" if self.when_ms is None else ENGLISH("early_access.not_yet")

    @property
    def text(self) -> str:
        return self.why or self.sentence


class CohortFull(Refusal, frozen=True):
    """In early access. `room`: units that the fan's cohorts still let him take of the pool;
    `when_ms`: when the drop is open to all (ms, UTC; 0: when its maker says so)."""

    room: int = 0
    when_ms: int = 0


class WrongWord(Refusal, frozen=True):
    pass


class NotRunning(Refusal, frozen=True):
    pass


class CodeUsed(Refusal, frozen=True):
    """A code of early access that somebody else has used."""


class SignIn(Refusal, frozen=True): ...


class Had(msgspec.Struct, frozen=True, array_like=True):
    """Units that count against a fan's limit. `what`: offer, hold or order."""

    hold: str
    pool: str
    qty: int
    what: Literal["offer", "hold", "order"]


class LimitReached(Refusal, frozen=True):
    """`room`: units this fan may still take of the item. Where a guest was to become a person,
    `guest` and `person`: what each of the two has."""

    room: int = 0
    guest: tuple[Had, ...] = ()
    person: tuple[Had, ...] = ()


class NotAdoptable(Refusal, frozen=True):
    """What a guest began cannot become a person's. `why`: it became another's before, it is a
    person's own, or he took over as many guests as one may."""

    why: Literal["anothers", "chain", "too_many"] = "anothers"

    @property
    def text(self) -> str:
        because = ENGLISH(f"not_adoptable.{self.why}")
        return f"{self.sentence} {because}"


class AllHeld(Refusal, frozen=True):
    """`free`: units that could be had at once (fewer than asked); `held`: units that may come
    back."""

    free: int = 0
    held: int = 0


class SoldOut(Refusal, frozen=True): ...


class Paying(Refusal, frozen=True, tag="PAYING_ALREADY"):
    """`payment`: the open one that some of it is in."""

    payment: str = ""


class OtherPrice(Refusal, frozen=True):
    """`price`: of one unit there, minor units."""

    price: int = 0


class HandFull(Refusal, frozen=True):
    """`room`: units of the pool that may still be in payments by hand."""

    room: int = 0


class AllOrNothing(Refusal, frozen=True):
    """It could have been had, but not all that was wanted with it."""


class HandOpen(Refusal, frozen=True):
    """`payment`, `drop`: the payment by hand that this person has open."""

    payment: str = ""
    drop: str = ""


class HandBarred(Refusal, frozen=True):
    """`until_ms`: until when (ms, UTC) this person may not pay by hand."""

    until_ms: int = 0


class HoldExpired(Refusal, frozen=True):
    """`state`: how the hold ended."""

    state: str = "expired"


class NotFound(Refusal, frozen=True):
    to_operator: ClassVar[str] = (
        "There is no such drop, or it has no such pool, order, duty or network."
    )


class StaleRevision(Refusal, frozen=True):
    """`revision`, `state`: the drop's present ones; `what`, `by`: the last creator command."""

    sentence: ClassVar[str] = "Somebody changed the drop before you. Look at it again, then decide."
    revision: int = 0
    state: str = ""
    what: str = ""
    by: str = ""


class KeyReused(Refusal, frozen=True): ...


class BadMessage(Refusal, frozen=True):
    """`why`: what is wrong with it and where."""

    why: str = ""

    @property
    def text(self) -> str:
        return f"{self.sentence} {self.why}".rstrip()

    def for_operator(self) -> str:
        return f"Nothing was changed: {self.why}."


class TooManyRequests(Refusal, frozen=True):
    retry_ms: int = 1000


class NetworkFull(Refusal, frozen=True):
    """`network`: what the fan's network, or the wider one around it, is called in this drop;
    `most`: the unpaid holds and open entries that it may have together."""

    network: str = ""
    most: int = 0


class DomainFull(Refusal, frozen=True):
    """`network`: what the mail domain of the fan's address is called in this drop; `most`: the
    persons of it who may take part."""

    network: str = ""
    most: int = 0


class Frozen(Refusal, frozen=True):
    to_operator: ClassVar[str] = (
        "The drop has stopped itself. `dropengine audit` shows why and lets it go on; else it can "
        "be cancelled."
    )


class Away(Refusal, frozen=True):
    """`why`: what fans may know of it, if anything."""

    retry_ms: int = 1000
    why: str = ""

    @property
    def text(self) -> str:
        return f"{self.sentence} {self.why}".rstrip()


class TooFew(Refusal, frozen=True):
    """What the pool has instead, in units: `free`, `held`, `sold`, `withheld`."""

    sentence: ClassVar[str] = "The pool does not have that many units to move."
    free: int = 0
    held: int = 0
    sold: int = 0
    withheld: int = 0


class InThePast(Refusal, frozen=True):
    """`now_ms`: the true clock's time when it was refused."""

    sentence: ClassVar[str] = "That time has passed. Choose one that is still to come."
    now_ms: int = 0


class NotCarried(Refusal, frozen=True):
    """Of the list of an earlier drop `looked` entries of `of` were looked at; 0: it is not known
    how many there are."""

    sentence: ClassVar[str] = (
        "The places of the earlier drop are still being carried over. It opens when they are."
    )
    looked: int = 0
    of: int = 0


class Already(Refusal, frozen=True):
    """The drop is what the command would make of it. `state`: its present one; `what`, `by`,
    `at_ms`: the last creator's command, who gave it and when (ms, 0 when it lies too far back)."""

    sentence: ClassVar[str] = "It is so already, and nothing was changed."
    state: str = ""
    what: str = ""
    by: str = ""
    at_ms: int = 0


class Exists(Refusal, frozen=True):
    """A drop was published under this id before. `state`: its present one; `same`: with the very
    same rules; a planned opening is one of them."""

    sentence: ClassVar[str] = "A drop is published under this id, and that never changes."
    state: str = ""
    same: bool = False

    def for_operator(self) -> str:
        if self.state == DropState.CANCELLED:
            return "The drop of this id was cancelled, and that is final. Publish under another id."
        if self.same:
            return "These very rules are published under this id already: nothing was changed."
        return "Other rules are published under this id, and they never change. Take another id."
