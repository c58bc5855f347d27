"""What the oracle keeps: records that know nothing of counters, sets or flags."""

from __future__ import annotations

from dataclasses import dataclass, field

OPEN_HOLD = ("active", "paying")
OPEN_ENTRY = ("waiting", "offered")
KEPT_ORDER = ("capture_pending", "capture_failed", "done", "charged_back")
BY_HAND = ("by_hand", "cash")


@dataclass
class Hold:
    id: str
    fan: str
    pool: str
    qty: int
    price: int
    origin: str
    start: int
    deadline: int
    key: str
    entry: str = ""
    call: int = 0
    state: str = "active"
    ended_at: int = 0
    claimed: bool = False
    extended: bool = False
    began: bool = False
    looked: int = 0
    """The hard stop, once the provider was asked about a silent payment."""
    begun_by: str = ""
    """The guest who had it when he was adopted."""
    recorded: str = ""
    """Whose it is by its record, which says no other name after its end."""
    networks: tuple[str, ...] = ()
    """Where it counts while it is open."""
    cohort: str = ""
    """The cohort that its units count against, also those of its order."""
    payment: str = ""
    """The one that it is in, or was in last."""

    @property
    def open(self) -> bool:
        return self.state in OPEN_HOLD

    @property
    def until(self) -> int:
        """When it ends by itself, or is asked about."""
        return self.looked or self.deadline

    @property
    def offer(self) -> bool:
        """Given by the line and not taken yet."""
        return self.origin == "line" and not self.claimed


@dataclass
class Order:
    id: str
    fan: str
    pool: str
    qty: int
    amount: int
    serials: list[int]
    charge: str
    state: str
    at: int
    why: str = ""
    card: str = ""
    payment: str = ""
    away: list[int] = field(default_factory=list)
    """Serials that were given back after the handover and did not come back yet."""

    @property
    def kept(self) -> bool:
        return self.state in KEPT_ORDER


@dataclass
class Payment:
    id: str
    fan: str
    holds: list[str]
    way: str
    amount: int
    all: bool
    provider: str
    at: int
    deadline: int = 0
    state: str = "open"
    looked: int = 0
    leaving: bool = False
    more: bool = False
    judged: int = 0
    charge: str = ""
    told: int | None = 0
    """What the provider captured, or is to capture, of the charge that bought something; None once
    it said that it was another amount."""
    sold: list[str] = field(default_factory=list)
    """The orders that it made."""
    kept: int = 0
    way_kept: int = 0
    backs: int = 0

    @property
    def open(self) -> bool:
        return self.state == "open"

    @property
    def by_hand(self) -> bool:
        return self.provider in BY_HAND


@dataclass
class Entry:
    id: str
    fan: str
    n: int
    qty: int
    pools: list[str]
    key: str
    state: str = "waiting"
    lapses: int = 0
    hold: str = ""
    cool: int = 0
    ready: list[int] = field(default_factory=list)
    recorded: str = ""
    networks: tuple[str, ...] = ()
    """Both as of a hold."""
    tickets: int = 0
    """In the list that chance orders; 0: it stands in none."""
    nonce: str = ""
    carried: int = 0
    """Over from an earlier drop: 1 until its fan has confirmed it, then 2."""
    points: int = 0
    book: int = 0
    """Up to which number of its fan's book its points are told."""
    made_good: bool = False
    call: int = 0
    """1: by the boost lane; 2: by the base lane, and it added one to the calls of its pool."""

    @property
    def open(self) -> bool:
        return self.state in OPEN_ENTRY

    @property
    def rank(self) -> int:
        """Where it stands in the boost lanes, the highest first; 0: not there (G2, L15)."""
        return 1022 if self.made_good else self.points


@dataclass
class Duty:
    kind: str
    hold: str
    charge: str
    amount: int
    at: int
    currency: str = ""
    payment: str = ""


@dataclass
class Pool:
    id: str
    item: str
    cap: int
    withheld: int
    calls: int = 0
    """Base calls since the last boost call, at most k - 1, less those that lapsed."""
    removed: list[int] = field(default_factory=lambda: [0, 0])
    """What left the base lane, and what moved in the boost lane, ever."""


@dataclass
class Item:
    id: str
    cap: int
    price: int
    limit: int
    most: int
    given: int = 0
    """The last serial that was given for the first time."""
    returned: set[int] = field(default_factory=set)
