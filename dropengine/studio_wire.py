"""What the studio's live channel says beside the public messages: the operators' numbers, once a
second. Times are ms since 1970 of the true clock, money is in minor units.
"""

from __future__ import annotations

import msgspec


class UnitsView(msgspec.Struct, frozen=True):
    """All units of the drop: `made` = left + offered + carts + sold + withheld. `withheld`: those
    on lease too."""

    made: int
    left: int
    offered: int
    carts: int
    sold: int
    withheld: int


class MoneyView(msgspec.Struct, frozen=True):
    """`kept`: of orders that were not refunded, as they were sold. `owed`: duties that are not done
    yet; `aside`: those that a person has to see to."""

    kept: int
    refunded: int
    owed: int
    aside: int


class NextView(msgspec.Struct, frozen=True):
    """Somebody whom the line calls next. `n`: his number. `boost`: of the boost lane."""

    n: int
    pool: str
    qty: int
    boost: bool


class EndView(msgspec.Struct, frozen=True):
    """A hold or an offer that ends soon. `what`: cart, paying, or offer."""

    hold: str
    pool: str
    qty: int
    what: str
    deadline_ms: int


class LineView(msgspec.Struct, frozen=True):
    """`waiting`: places in all lines. `next`: the first ten of each line. `ends`: the nearest."""

    waiting: int
    offered: int
    next: list[NextView]
    ends: list[EndView]


class PaceView(msgspec.Struct, frozen=True):
    """The last 15 minutes of this drop, in stretches of `each_ms`, the first at `from_ms`.
    `commands`: decided, by all workers. `half_ms`, `most_ms`: within so long half of them, and 99
    of 100, were decided; 0 where there were none."""

    from_ms: int
    each_ms: int
    commands: list[int]
    half_ms: list[float]
    most_ms: list[float]


class FunnelView(msgspec.Struct, frozen=True):
    """`watching`: screens now. `held`, `paying`: holds in carts now, and those of them that are
    being paid. `paid`: orders ever. `lapsed`: holds and offers ever that ended without one."""

    watching: int
    held: int
    paying: int
    paid: int
    lapsed: int


class WorkerView(msgspec.Struct, frozen=True):
    """One web process. `seats`: its open sockets. `settled_s`: since it last settled what is due.
    `late_ms`: by how much its loop came late, on average, in the last second."""

    pid: int
    seats: int
    settled_s: float
    late_ms: float


class HealthView(msgspec.Struct, frozen=True):
    """`server`, `why`: as `/readyz` says them. `memory_percent`: of what it may use; 0 without a
    limit. `durable`: what is acknowledged is on disk."""

    server: str
    why: str
    durable: bool
    memory_percent: int
    workers: list[WorkerView]


class PlacedView(msgspec.Struct, frozen=True):
    """Who stands at the head of the order. `n`: his place. `pools`: in order of preference.
    `state`: waits, again (he missed one turn), offered, taken (an offer, or it is being paid),
    bought, missed (his second turn too), left, or removed."""

    n: int
    entry: str
    pools: list[str]
    qty: int
    state: str


class LaunchView(msgspec.Struct, frozen=True):
    """A list that chance orders. `entries`: in it; of them `persons` have confirmed an address and
    `guests` have not, -1 while that is not known. `seals_ms`: when it is sealed, 0: that is over,
    or not planned; `sealed_ms`: when it was, else 0. `root`: of the sealed list, ''. `waits`: what
    it waits for: '', secret, or round; `round`, `due_ms`: the one of the beacon that orders it, and
    when that is made public; 0 for none. `placed`: how many have their places. `offers`: of the
    first round, and of them `taken`, `lapsed` and `declined`; `over`: nobody is called in it any
    more. `called`: up to which place the line was called ever. `head`: of the order."""

    entries: int
    persons: int
    guests: int
    seals_ms: int
    sealed_ms: int
    root: str
    waits: str
    round: int
    due_ms: int
    placed: int
    offers: int
    taken: int
    lapsed: int
    declined: int
    over: bool
    called: int
    head: list[PlacedView]


class CohortShareView(msgspec.Struct, frozen=True):
    """What one cohort has. `used`: units that count against it in carts, offers and orders; `most`:
    that may, before the drop is open to all. `sold`: of them those of orders."""

    id: str
    title: str
    used: int
    most: int
    sold: int


class GameView(msgspec.Struct, frozen=True):
    """A drop in which points are given. `boosts`, `pointed`: how often the boost lane called
    somebody, and somebody's points changed; `boosts_hour`, `pointed_hour`: in the last hour."""

    boosts: int
    boosts_hour: int
    pointed: int
    pointed_hour: int


class NetworkView(msgspec.Struct, frozen=True):
    """A network that was limited, or is exempt. `open`: its unpaid holds and open entries now;
    `most`: that it may have. `refused`: how often somebody was. `around`: the wider one around
    some. `domain`: it is a mail domain, and `open` are the persons of it who take part."""

    network: str
    open: int
    most: int
    refused: int
    around: bool
    exempt: bool
    domain: bool = False


class AlarmView(msgspec.Struct, frozen=True):
    """Something that a person should know now. `what`: the sentence. `then`: what to do. `drop`: of
    which one, '' for the whole shop."""

    kind: str
    drop: str
    what: str
    then: str


class FeedView(msgspec.Struct, frozen=True):
    """One line of what happened. `seq`: where in the log it begins."""

    seq: int
    at_ms: int
    text: str


class Desk(msgspec.Struct, frozen=True, tag_field="t", tag="desk"):
    """Once a second, as of `now`. `seq`: up to which event the log was read for it. `refused`: code
    -> how often, since the workers started. `feed`: the newest first. `people`: who looks.
    `launch`: of a drop whose arrivals chance gives out. `shares`: units that were sold and not
    refunded, by how they were come by: press, list, line, make-good, carried; empty where there is
    one way. `cohorts`: who may begin something before the others. `carried`: places over from an
    earlier drop, `confirmed`: of those whose fan still wants it. `game`: of a drop in which points
    are given. `networks`: that were limited,
    those that were most often first, and those that are exempt."""

    now: int
    seq: int
    units: UnitsView
    money: MoneyView
    line: LineView
    pace: PaceView
    funnel: FunnelView
    refused: dict[str, int]
    health: HealthView
    alarms: list[AlarmView]
    feed: list[FeedView]
    people: list[str]
    launch: LaunchView | None = None
    shares: dict[str, int] = {}
    cohorts: list[CohortShareView] = []
    carried: int = 0
    confirmed: int = 0
    networks: list[NetworkView] = []
    game: GameView | None = None


PARTS = (
    UnitsView,
    MoneyView,
    NextView,
    EndView,
    LineView,
    PaceView,
    FunnelView,
    WorkerView,
    HealthView,
    AlarmView,
    FeedView,
    LaunchView,
    CohortShareView,
    PlacedView,
    NetworkView,
    GameView,
)
"""What a `Desk` is made of."""

_encoder = msgspec.json.Encoder()


def encode(message: Desk) -> bytes:
    """The text of its frame."""
    return _encoder.encode(message)
