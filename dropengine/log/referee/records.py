"""What the referee writes down: the records of its own bookkeeping.

They share no code with the scripts nor with `replay`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dropengine.model import MADE_GOOD

BASE, BOOST = 0, 1
BY_HAND = ("by_hand", "cash")
"""Providers who are people."""
Heap = list[tuple[int, int, int, int]]


@dataclass(slots=True)
class Item:
    """`given`: serials out with unrefunded orders. `back`: a heap of those that came back.
    `serial`: the last one given for the first time."""

    id: str
    cap: int
    price: int
    limit: int
    most: int
    serial: int = 0
    given: set[int] = field(default_factory=set)
    back: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Pool:
    """`calls`: base calls since the last boost call, less those that lapsed. `lanes`: for each
    class of fans per lane a heap of those who may be called, cleaned when it is looked at. `ready`:
    how many stand there now. `ceilings`: of each cohort, by name; `counted`: how many units count
    against it."""

    id: str
    item: Item
    cap: int
    free: int
    withheld: int
    held: int = 0
    sold: int = 0
    calls: int = 0
    ready: int = 0
    lanes: dict[int, tuple[Heap, Heap]] = field(default_factory=lambda: {0: ([], [])})
    ceilings: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    share: int | None = None
    """How many units may be offered to those whose places were carried over; None: as many as to
    others."""
    carried: int = 0
    """How many came of their places, and are held, offered or bought."""
    hand: int = 0
    """Units of open payments by hand."""
    away: int = 0
    """Of the withheld ones, those that were handed over and did not come back yet."""

    def conserves(self) -> bool:
        return (
            self.free + self.held + self.sold + self.withheld == self.cap
            and self.free >= 0
            and self.held >= 0
            and self.sold >= 0
            and self.withheld >= 0
        )


@dataclass(slots=True)
class Fan:
    """`used`: units in holds, offers and unrefunded orders; `bought`: in unrefunded orders alone;
    the same per item. `line`: entries whose fate is open. `late`: the hold whose payment came too
    late last. `begun_till`: until when what he began has used up his pace, ms. `guests`: whom he
    adopted."""

    id: str
    used: int = 0
    bought: int = 0
    used_of: dict[str, int] = field(default_factory=dict)
    bought_of: dict[str, int] = field(default_factory=dict)
    line: list[Entry] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    late: Hold | None = None
    madegood: bool = False
    begun_till: int = 0
    guests: list[str] = field(default_factory=list)
    cohorts: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Hold:
    """`state`: active, paying, sold, released, expired or cancelled."""

    id: str
    fan: Fan
    pool: Pool
    qty: int
    price: int
    start: int
    deadline: int
    entry: Entry | None = None
    claimed: bool = False
    extended: bool = False
    looked: bool = False
    began: bool = False
    judged: bool = False
    """A payment was judged after its end: no other of the same intent may be."""
    state: str = "active"
    cohort: str = ""
    """That its units count against, also those of its order."""
    own: int = 0
    """Its fan's deadline, where `deadline` is the hard stop of a question to the provider."""
    payment: str = ""
    """That it is or was in last."""

    @property
    def alive(self) -> bool:
        return self.state in ("active", "paying")

    @property
    def unclaimed(self) -> bool:
        return self.entry is not None and not self.claimed

    def count(self, qty: int) -> None:
        """So many units more, or fewer, count against its cohort."""
        if self.cohort in self.pool.counted:
            self.pool.counted[self.cohort] += qty
        if self.entry is not None and self.entry.carried:
            self.pool.carried += qty

    def equals(self, other: Hold) -> bool:
        """Could a late payment for the one buy the other (P5)?"""
        return self.fan is other.fan and self.pool is other.pool and self.qty == other.qty


@dataclass(slots=True)
class Payment:
    """`state`: open, paid or ended. `judged`: was a charge of it judged already? `backs`: refunds
    so far."""

    id: str
    holds: list[Hold]
    way: str
    amount: int
    all: bool
    provider: str
    state: str = "open"
    until: int = 0
    """The deadline that its fan is told."""
    looked: bool = False
    leaving: bool = False
    more: bool = False
    judged: bool = False
    charge: str = ""
    kept: int = 0
    way_kept: int = 0
    backs: int = 0
    asked: int = 0
    """What of its charge was captured or is to be, when that was said last; -1: told already."""

    @property
    def fan(self) -> Fan:
        return self.holds[0].fan

    @property
    def by_hand(self) -> bool:
        return self.provider in BY_HAND

    @property
    def standing(self) -> list[Hold]:
        """Its holds that can still be paid by it."""
        return [hold for hold in self.holds if hold.alive and hold.payment == self.id]


@dataclass(slots=True)
class Judgement:
    """A charge that buys something, while its script says what. `standing`: the holds of its
    payment that stood; `at`: how many of the payment's holds were passed."""

    charge: str
    payment: Payment
    standing: list[Hold]
    orders: list[Order] = field(default_factory=list)
    at: int = 0
    gave_back: bool = False
    """An offer went back meanwhile: what was to be had is not to be told afterwards."""


@dataclass(slots=True)
class Order:
    """`state`: one of `model.OrderState`."""

    hold: str
    fan: Fan
    pool: Pool
    qty: int
    serials: list[int]
    amount: int
    charge: str
    state: str
    card: str = ""
    payment: str = ""
    away: list[int] = field(default_factory=list)
    """Serials given back after they were handed over, that did not come back yet."""

    @property
    def stands(self) -> bool:
        """Do its units count as sold?"""
        return self.state in ("capture_pending", "capture_failed", "done", "charged_back")


@dataclass(slots=True)
class Entry:
    """`state`: waiting, offered, returning (its hold came back, its fate follows), selling (its
    hold was sold, `served` follows), served, dormant, left, removed. `ready`: per pool of its list.
    """

    id: str
    fan: Fan
    n: int
    qty: int
    pools: list[Pool]
    lane: int
    points: int
    ordinal: int
    state: str = "waiting"
    lapses: int = 0
    hold: str = ""
    cool: int = 0
    ready: list[bool] = field(default_factory=list)
    tickets: int = 0
    nonce: str = ""
    of_class: int = 0
    """The class of its fan, when it was looked at last: in which lines it stands."""
    carried: bool = False
    """Over from an earlier drop; `asked`: and not confirmed."""
    asked: bool = False
    book: int = 0
    """Up to which number of its fan's book its points are told."""
    made_good: bool = False
    added: bool = False
    """The call that it has an offer of added one to the calls of its pool."""
    stood: int = 0
    """Its rank, when it was looked at last."""

    @property
    def rank(self) -> int:
        """In the boost lanes, the highest first; 0: it stands in none."""
        return MADE_GOOD if self.made_good else self.points

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "offered", "returning", "selling")


@dataclass(slots=True)
class Duty:
    kind: str
    hold: str
    charge: str
    amount: int
    payment: str = ""


@dataclass(slots=True)
class Owed:
    """An event that must follow at once: one of `kinds` about `who`, an entry (a fan for a
    make-good, a hold that is claimed). `key`: of the command that it belongs to; of `removed` why.
    """

    kinds: tuple[str, ...]
    who: str
    inv: str
    because: str
    key: str = ""
