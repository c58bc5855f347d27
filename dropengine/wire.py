"""Every message between a browser and the engine: one tagged union each way, JSON text frames
tagged by `t`.

The same structs are the bodies of the HTTP doors, the events of the SSE door and the source of
`/openapi.json` and `/asyncapi.json`. Times are ms since 1970 (UTC, the server's clock); money is in
minor units. Text that a person typed is only ever text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_letters, digits
from typing import Annotated, Any, ClassVar, Union, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from dropengine.asked import Asks
from dropengine.model import ID_CHARS_MAX, ID_LETTERS, QTY_MAX
from dropengine.wire_game import GameRulesView

LISTED_MAX = 16
"""Pools of one entry or of one want, holds of one payment, wants of one basket."""

Id = Annotated[
    str, Meta(min_length=1, max_length=ID_CHARS_MAX, pattern=rf"^[{ID_LETTERS}]+(?!\n)$")
]
"""Ids and keys: letters, digits and `_ . : @ -`. In Python `$` alone would let a line
break through at the end, and keys are written into the log as they come."""
Correlation = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Qty = Annotated[int, Meta(ge=1, le=QTY_MAX)]
Ticket = Annotated[str, Meta(min_length=1, max_length=512)]
Pools = Annotated[list[Id], Meta(min_length=1, max_length=LISTED_MAX)]
HoldIds = Annotated[list[Id], Meta(min_length=1, max_length=LISTED_MAX)]
IdOrNone = Annotated[str, Meta(max_length=ID_CHARS_MAX, pattern=rf"^[{ID_LETTERS}]*(?!\n)$")]
"""An id, or '' for none."""


class FromFan(
    msgspec.Struct, frozen=True, tag_field="t", tag=str.lower, forbid_unknown_fields=True
):
    pass


class Hello(FromFan, frozen=True):
    """Who is here, for those without a cookie. Answered by a fresh `snapshot`."""

    ticket: Ticket | None = None


class Command(FromFan, frozen=True):
    """`id` is only correlation on this socket; `key` makes the command safe to repeat. `verb`: its
    tag."""

    verb: ClassVar[str]

    id: Correlation
    key: Id

    def fault(self) -> str:
        """What is wrong with it that its types cannot say, with its path; '' for nothing."""
        return ""


Nonce = Annotated[str, Meta(max_length=32, pattern="^([0-9a-f]{32})?(?!\\n)$")]
"""32 hex digits that a browser made up, or ''."""


class Hold(Command, frozen=True):
    """Press: `qty` units of `pool`; `fewer` accepts less when not all of them are free."""

    verb = "hold"

    pool: Id
    qty: Qty = 1
    fewer: bool = False


class Claim(Command, frozen=True):
    verb = "claim"

    hold: Id


class Release(Command, frozen=True):
    verb = "release"

    hold: Id


class Extend(Command, frozen=True):
    verb = "extend"

    hold: Id


class Pay(Command, frozen=True):
    """Begin one payment for these holds; the answer carries it, with its address.

    `way`: how they come to him, by its id; '' only in a drop that has no ways. `provider`: how he
    pays, one of the drop's `pays`; '': the first of them. `all`: one that cannot be had any more
    when the payment comes, and none is bought."""

    verb = "pay"

    holds: HoldIds
    way: IdOrNone = ""
    provider: IdOrNone = ""
    all: bool = False

    def fault(self) -> str:
        twice = len(set(self.holds)) < len(self.holds)
        return "a hold is named twice - at `$.holds`" if twice else ""


class Unpay(Command, frozen=True):
    """Ask the provider to end an open payment. Its holds are free of it once he has confirmed."""

    verb = "unpay"

    payment: Id


class Want(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`qty` units of the liked best of `pools` that can be had; `fewer` accepts less."""

    pools: Pools
    qty: Qty = 1
    fewer: bool = False


Wants = Annotated[list[Want], Meta(min_length=1, max_length=LISTED_MAX)]


class Basket(Command, frozen=True):
    """Press for several things at once. `all`: hold nothing where one of them cannot be had. What
    is missing does not stand in line by itself."""

    verb = "basket"

    wants: Wants
    all: bool = False

    def fault(self) -> str:
        for i, want in enumerate(self.wants):
            if len(set(want.pools)) < len(want.pools):
                return f"a pool is named twice - at `$.wants[{i}].pools`"
        return ""


class Swap(Command, frozen=True):
    """Give up what `hold` holds for as many units of `pool`, of the same price; the deadline
    stays."""

    verb = "swap"

    hold: Id
    pool: Id


class Join(Command, frozen=True):
    """The liked best of `pools` that can be had at once is held; if none can, stand in line for all
    of them. Where chance gives out the arrivals `nonce`, 32 hex digits that the fan's browser made
    up, has its part in it. `ref` is for later."""

    verb = "join"

    pools: Pools
    qty: Qty = 1
    nonce: Nonce = ""

    def fault(self) -> str:
        twice = len(set(self.pools)) < len(self.pools)
        return "a pool is named twice - at `$.pools`" if twice else ""


class Leave(Command, frozen=True):
    verb = "leave"

    entry: Id


class Confirm(Command, frozen=True):
    """The place in line that was carried over from an earlier drop is still wanted."""

    verb = "confirm"

    entry: Id


class Ping(FromFan, frozen=True):
    """`c`: the client's clock, ms, given back untouched."""

    id: Correlation
    c: int | float


FanCommand = Hold | Claim | Release | Extend | Pay | Join | Leave | Confirm | Unpay | Basket | Swap
FromFanMessage = Hello | FanCommand | Ping


class PoolView(msgspec.Struct, frozen=True, omit_defaults=True):
    """`waiting`: entries of this line whose fate is open (both lanes); `buying`: of them, those
    with an offer or a hold. free + held + sold + withheld + leased = cap. `offered`: the part of
    `held` that the line offered and nobody has claimed; the rest is in carts. `next`: in quiet
    hours, while units are free, the arrival whose fan may press for them; left out where it is
    nobody's turn."""

    item: str
    cap: int
    free: int
    held: int
    sold: int
    withheld: int
    leased: int
    waiting: int
    buying: int
    offered: int
    next: int = 0


class Moves(msgspec.Struct, frozen=True):
    """Arrivals of one line whose fate became final, in log order: removals r0, r0 + 1, ... of it.

    A screen that holds (n, place, r): r < r0 means it missed some (ask `GET .../you`); otherwise
    it takes left[r - r0:], place -= how many of those are < n, r = max(r, r0 + len(left)).
    """

    r0: int
    left: list[int]


class BoostMoves(msgspec.Struct, frozen=True):
    """What moved in one boost lane, in log order: moves r0, r0 + 1, ... of it, each (n, rank
    before, rank after), -1 for not in it. Who stands higher has the higher rank, of equal ranks the
    smaller n.

    A screen that holds (n, rank, place, r): r < r0 means it missed some; otherwise it takes
    moves[r - r0:], of others: place -= 1 for each that stood ahead and does no more, += 1 for each
    that did not and does now. A move of its own n: its place comes with its next `you`.
    """

    r0: int
    moves: list[tuple[int, int, int]]


class News(msgspec.Struct, frozen=True, tag_field="t", tag="news"):
    """A word of the maker to everybody. `seq`: where it stands in the log."""

    seq: int
    at: int
    text: str


class ChanceView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules of a list that chance orders. `window_ms`: how long it is open; `first_offer_ms`:
    how long an offer of the first round stands; `tickets_most`: of one entry; `guests`: may who is
    not known enter, and so anybody many times. What it is ordered by: a secret with this
    `commitment`, or the `round` of a beacon's `chain`, which people call `beacon` and which is due
    at `due_ms`; once the list is sealed, the round that counts. `own`: the shop named that chain
    itself. What does not apply is left out."""

    window_ms: int
    first_offer_ms: int
    tickets_most: int
    guests: bool = False
    commitment: str = ""
    chain: str = ""
    round: int = 0
    beacon: str = ""
    due_ms: int = 0
    own: bool = False


class ListView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a list has come that chance orders. `entries`: how many stand in it; `placed`: how
    many of them have their arrivals. `seals_ms`: when it is to be sealed, `sealed_ms`: when it was.
    `root`: its fingerprint, `revealed`: what it is ordered by, both hex digits. `won`: how many
    were called in the first round; `called`: the largest arrival that was called. `behind`: so many
    arrivals are before its own, of places that were carried over. 0 and '' are left out."""

    entries: int = 0
    placed: int = 0
    seals_ms: int = 0
    sealed_ms: int = 0
    root: str = ""
    revealed: str = ""
    won: int = 0
    called: int = 0
    behind: int = 0


class EarlyView(msgspec.Struct, frozen=True):
    """Of a drop that has cohorts. `lasts`: only they may begin something yet; `public_ms`: when it
    is, or was, open to all, 0: when its maker says so."""

    lasts: bool
    public_ms: int


class CohortView(msgspec.Struct, frozen=True):
    """Who may begin something before a drop is open to all. `title`: what its maker calls them.
    `most`: pool -> the units that may count against it until then. `listed`: who has an address
    that the maker lists; `codes`: who has a code; `bought`, `missed`: who bought in one of these
    drops, or stood in its line and got none."""

    id: str
    title: str
    most: dict[str, int]
    listed: bool
    codes: bool
    bought: tuple[str, ...]
    missed: tuple[str, ...]


class Tick(msgspec.Struct, frozen=True, tag_field="t", tag="tick", omit_defaults=True):
    """The newest public state; the same bytes for every seat of a drop. Missing one is harmless.

    `lines`: the base line of a pool -> its moves since the last tick; `boosts`: the same of its
    boost lane, left out where nothing moved there. `now`: the server's clock.
    `away`: the shop's server does not answer; these are the last numbers known, from `now`. `why`:
    the maker's reason of a pause or a cancellation. `calls_ms`: in quiet hours, when the line calls
    again; else 0. `listed`: of a list that chance orders. `exempt`: networks and mail domains
    that the maker has let in. `early`: left out where there are no cohorts.
    """

    seq: int
    now: int
    state: str
    revision: int
    pools: dict[str, PoolView]
    opens_ms: int = 0
    closes_ms: int = 0
    lines: dict[str, Moves] = {}
    away: bool = False
    why: str = ""
    calls_ms: int = 0
    listed: ListView | None = None
    exempt: list[str] = []
    early: EarlyView | None = None
    boosts: dict[str, BoostMoves] = {}


class ItemView(msgspec.Struct, frozen=True):
    """`price` in minor units of the drop's currency; `limit` per fan (0: the drop's); `most` per
    press."""

    id: str
    title: str
    cap: int
    price: int
    limit: int
    most: int
    about: str = ""
    pools: list[str] = []


class WayView(msgspec.Struct, frozen=True, omit_defaults=True):
    """How what was bought comes to its buyer. `kind`: ship, pickup or courier. `amount`: of each
    payment; `off`: what each unit costs less. `nodes`: the places whose units it takes, `countries`
    where it goes to; none: all. `from_ms`, `until_ms`: when it may be fetched. `cash`: may it be
    paid there."""

    id: str
    kind: str
    title: str
    amount: int = 0
    off: int = 0
    nodes: list[str] = []
    countries: list[str] = []
    from_ms: int = 0
    until_ms: int = 0
    cash: bool = False


class DropView(msgspec.Struct, frozen=True):
    """Everything public about a drop: the manifest's words, its rules, and the present state.

    `zone`: the drop's IANA time zone. `minor_digits`: decimals of the currency. `epoch`: the
    server's run id. `hash`: SHA-256 of the canonical manifest. `durable`: every acknowledged sale
    is on disk.
    `lines`: the base line of each pool -> r, how many were removed from it so far. `pace`: what one
    fan may begin at once, and one more in each `pace_ms`; 0: as often as he likes. `network_most`:
    how many unpaid holds and open entries one network may have; 0: as many as its people like.
    `why`: the maker's reason of a pause or a cancellation, or ''. `beat_ms`: who hears no tick and
    no beat for longer does not know the present any more; 0: it is not said how often they come.
    `language`: what its maker writes in, '' where he did not say. `asks`: what an order has to
    know.
    `identity`: who may act: guest, whoever opens the page; verified, who has confirmed an address.
    `calls_from_ms`, `calls_to_ms`: the hours in which the line calls, ms since midnight by the
    clocks of the zone; two equal ones: at all hours. `calls_ms`, `listed`, `exempt` and
    `early`: as in a tick.
    `chance`: the rules of a list that chance orders; None where arrivals are those of time.
    `cohorts`: who may begin something before the drop is open to all. `carried_share`: how many
    percent of each pool those may have together who waited in vain in an earlier drop, and come
    first; 0: nobody was carried over. `game`: what gives points in the line; None: nothing.
    `ways`: how what was bought comes to its buyer; a payment names one where there are any.
    `pays`: what a fan may pay by, the first unless he says another. `hand_ms`: how long a payment
    by hand may take, 0: there is none; `hand_share`: how many percent of a pool may wait for such
    payments.
    """

    id: str
    title: str
    maker: str
    story: str
    state: str
    revision: int
    mode: str
    currency: str
    minor_digits: int
    zone: str
    opens_ms: int
    closes_ms: int
    now: int
    limit: int
    k: int
    hold_ms: int
    offer_ms: int
    extend_ms: int
    cool_ms: int
    practice: bool
    pace: int
    pace_ms: int
    hash: str
    epoch: str
    durable: bool
    items: list[ItemView]
    pools: dict[str, PoolView]
    lines: dict[str, int]
    news: list[News]
    why: str = ""
    beat_ms: int = 0
    language: str = ""
    asks: Asks | None = None
    identity: str = "guest"
    calls_from_ms: int = 0
    calls_to_ms: int = 0
    calls_ms: int = 0
    network_most: int = 0
    domain_most: int = 0
    chance: ChanceView | None = None
    listed: ListView | None = None
    exempt: list[str] = []
    early: EarlyView | None = None
    cohorts: list[CohortView] = []
    carried_share: int = 0
    game: GameRulesView | None = None
    ways: list[WayView] = []
    hand_ms: int = 0
    hand_share: int = 0
    pays: list[str] = []


class HoldView(msgspec.Struct, frozen=True):
    """`origin`: press or line; a line's hold is an offer until `claimed`. `pay`: the payment page
    once paying has begun, or ''; `payment`: the payment that it is in, or was in last. `checking`:
    the deadline passed and the provider is being asked; `asking`: until when at most (ms), else 0.
    An answer may end the hold before."""

    id: str
    key: str
    pool: str
    qty: int
    price: int
    origin: str
    state: str
    start_ms: int
    deadline_ms: int
    claimed: bool
    extended: bool
    checking: bool
    pay: str = ""
    asking: int = 0
    payment: str = ""


class PaymentView(msgspec.Struct, frozen=True):
    """One payment of several holds. `state`: open, paid or ended. `amount`: what is to be paid
    together, the way's part with it. `page`: where it is paid, '' while nobody knows or once it is
    over. `leaving`: its fan asked for its end, which the provider has yet to confirm; `asking`: the
    provider is being asked, until when at most (ms), else 0. `reference`: what a payment by hand is
    told by."""

    id: str
    holds: list[str]
    way: str
    amount: int
    currency: str
    provider: str
    state: str
    deadline_ms: int
    page: str
    all: bool
    leaving: bool
    asking: int = 0
    reference: str = ""


class HadView(msgspec.Struct, frozen=True):
    """`want`: the place of the want in its basket, from 0 on."""

    want: int
    hold: HoldView


class MissingView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A want that was not had: as in `refused`, its code and why."""

    want: int
    code: str
    text: str
    free: int | None = None
    held: int | None = None
    room: int | None = None
    retry_ms: int | None = None
    state: str | None = None
    network: str | None = None
    most: int | None = None
    when_ms: int | None = None
    payment: str | None = None
    page: str | None = None


class BasketView(msgspec.Struct, frozen=True):
    """What was had of a basket and what was not, each with why. `n`: its number, 0 where nothing
    new is held."""

    n: int
    had: list[HadView]
    missing: list[MissingView]


class LinePlace(msgspec.Struct, frozen=True):
    """`place`: entries ahead whose fate is open, + 1; exact at removal count `r` of the line.

    `buying`: of those ahead, how many have an offer or a hold. `latest`: the latest turn (calls up
    to yours, lapsed ones not counted). In the boost lane a place is provisional: it may rise.
    """

    pool: str
    place: int
    r: int
    buying: int
    latest: int


class EntryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """`n`: the arrival. `lane`: base or boost. `cool_ms`: not called before this time, 0 = may
    be. Of an entry in a list that chance orders: `tickets`; and while it has no arrival (`n` 0),
    and so no place in any line, its `pools`. `carried`: of one that was carried over from an
    earlier drop `asked` until its fan confirms it, before which it is not called, then
    `confirmed`; else ''. `points`: what its fan has; they give it second places, in the boost
    lanes: `boost`, which are provisional (`latest` 0), at `rank`: as many as points, above all of
    them where a payment came too late."""

    id: str
    key: str
    n: int
    qty: int
    lane: str
    points: int
    state: str
    lapses: int
    cool_ms: int
    hold: str
    lines: list[LinePlace]
    tickets: int = 0
    pools: list[str] = []
    carried: str = ""
    rank: int = 0
    boost: list[LinePlace] = []


class EndedEntry(msgspec.Struct, frozen=True):
    """A place that ended without a sale. `why`: `lapses` (two offers came back), `left` (by the
    fan) or `limit` (his orders leave no room for it). Coming back is a new arrival."""

    id: str
    key: str
    n: int
    qty: int
    pools: list[str]
    why: str


class OrderView(msgspec.Struct, frozen=True):
    """`serials`: the numbers of the units, of `cap` of their item. `state`: see
    `model.OrderState`. `number`: of the order, as a person says it. `why`: the maker's reason of
    its refund, or ''. `payment`: that bought it, or ''."""

    id: str
    pool: str
    qty: int
    amount: int
    serials: list[int]
    state: str
    at: int
    number: str = ""
    why: str = ""
    payment: str = ""


class You(msgspec.Struct, frozen=True, tag_field="t", tag="you"):
    """A fan's whole personal state. Only ever newer: drop a `you` whose `seq` is below the one you
    have.

    `used`: units in holds, offers and unrefunded orders. `ended`: the hold that ended last without
    a sale, and how, so that nobody loses without a reason; `ended_entry`: the same of a place in
    line, until its fan joins again or the drop settles. `cohorts`: of the drop, that he is in; left
    out where he is in none. `payments`: those that are open, and the newest that is over; left out
    where there was none.
    """

    seq: int
    fan: str
    used: int
    holds: list[HoldView]
    entries: list[EntryView]
    orders: list[OrderView]
    ended: HoldView | None = None
    ended_entry: EndedEntry | None = None
    cohorts: list[str] | UnsetType = UNSET
    payments: list[PaymentView] | UnsetType = UNSET


class Snapshot(msgspec.Struct, frozen=True, tag_field="t", tag="snapshot"):
    """The first word on a socket. `you` is null for a watcher without a ticket."""

    seq: int
    drop: DropView
    you: You | None


class Done(msgspec.Struct, frozen=True, tag_field="t", tag="done", omit_defaults=True):
    """Command `id` was carried out; the state it made is at log length >= `seq`.

    `hold`: what a hold, claim, release, extend or swap made, and a join that got units at once;
    `entry`: its id after leave, confirm and any other join; `payment`: of a pay or unpay, `pay`:
    hold id -> its page; `basket`: what a basket had. `refused`: hold id -> the code of its
    refusal.
    """

    id: int
    seq: int
    hold: HoldView | None = None
    entry: str = ""
    pay: dict[str, str] = {}
    refused: dict[str, str] = {}
    payment: PaymentView | None = None
    basket: BasketView | None = None


class Refused(msgspec.Struct, frozen=True, tag_field="t", tag="refused", omit_defaults=True):
    """Command `id` was not carried out. `code`: the closed list; `text`: for people.

    free, held: of the pool, with all_held. room: units left in the limit. retry_ms: when to come
    back. state: how the hold ended, with hold_expired. network, most: with network_full, what the
    network is called in this drop and how much it may have. when_ms: with not_open, from when on,
    where that is known; with not_eligible and cohort_full in early access, when the drop is open to
    all, 0: when its maker says so. room is then what the fan's cohorts still let him take; with
    hand_full, the units of the pool that may wait for payments by hand yet. payment, page: with
    paying, the open payment that one of the holds is in, and where it is paid; with hand_open the
    open payment by hand. when_ms: with hand_barred, until when.
    """

    id: int
    seq: int
    code: str
    text: str
    free: int | None = None
    held: int | None = None
    room: int | None = None
    retry_ms: int | None = None
    state: str | None = None
    network: str | None = None
    most: int | None = None
    when_ms: int | None = None
    payment: str | None = None
    page: str | None = None


class Pong(msgspec.Struct, frozen=True, tag_field="t", tag="pong"):
    """`c`: as sent. `s`: the server's clock, ms."""

    id: int
    c: int | float
    s: int


class Beat(msgspec.Struct, frozen=True, tag_field="t", tag="beat"):
    """Nothing has changed since the last tick, as read at `now`."""

    now: int


ToFanMessage = Snapshot | Tick | Beat | You | Done | Refused | Pong | News


class CloseCode:
    """4000-4499: come back (full jitter, base 1 s, cap 30 s). 4500-4999: do not."""

    RESTART = 1012
    BEHIND = 1013
    NO_TEXT = 1007
    FLOOD = 1008
    TOO_BIG = 1009
    BAD_MESSAGE = 4500
    NO_SUCH_DROP = 4504
    BAD_TICKET = 4501
    BUSY = 4029


_decoder: msgspec.json.Decoder[FromFanMessage] = msgspec.json.Decoder(FromFanMessage)
_encoder = msgspec.json.Encoder()

# To match the patterns of ids costs more than to read the rest of a command. They are not needed
# for a frame of nothing but letters of ids and marks of JSON, with no mark inside a string: without
# those letters each of its strings is a pair of quotes side by side.
_LETTERS = (ascii_letters + digits + "_.:@-").encode()
_MARKS = re.compile(rb'(?:[][{}, ]|"")*')
_Plain = Annotated[str, Meta(min_length=1, max_length=ID_CHARS_MAX)]
_Plains = Annotated[list[_Plain], Meta(min_length=1, max_length=LISTED_MAX)]
_PlainOrNone = Annotated[str, Meta(max_length=ID_CHARS_MAX)]


class _PlainWant(Want, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pools: _Plains


_PLAIN: list[tuple[Any, Any]] = [
    (Id, _Plain),
    (Pools, _Plains),
    (HoldIds, _Plains),
    (IdOrNone, _PlainOrNone),
    (Wants, Annotated[list[_PlainWant], Meta(min_length=1, max_length=LISTED_MAX)]),
]


@lru_cache(maxsize=256)
def _is_plain(marks: bytes) -> bool:
    # The first string with a mark in it would leave a single quote.
    return _MARKS.fullmatch(marks) is not None


def _plain(kind: type[Command]) -> Any:
    """The same message, read without a look at the letters of its ids."""
    fields = [
        (field.name, plain) if field.required else (field.name, plain, field.default)
        for field in msgspec.structs.fields(kind)
        for strict, plain in _PLAIN
        if field.type == strict
    ]
    return msgspec.defstruct(kind.__name__, fields, bases=(kind,), frozen=True, kw_only=True)


_plain_decoder: msgspec.json.Decoder[FromFanMessage] = msgspec.json.Decoder(
    Union[(Hello, Ping, *map(_plain, get_args(FanCommand)))]
)


def parse(frame: bytes) -> FromFanMessage:
    """One frame of a browser -> its message.

    Raises ValueError with a sentence (its path at the tail) for anything else: also for input
    nested too deep and for bytes that are not UTF-8.
    """
    try:
        if _is_plain(frame.translate(None, _LETTERS)):
            return _plain_decoder.decode(frame)
        return _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def is_text(frame: bytes) -> bool:
    """Is it UTF-8, as every text frame must be (RFC 6455, section 8.1)? A message that was read
    is."""
    try:
        frame.decode()
    except UnicodeDecodeError:
        return False
    return True


def encode(message: ToFanMessage | HoldView) -> bytes:
    """One message as the bytes of its text frame, or a hold that goes into several."""
    return _encoder.encode(message)


def done(message_id: int, seq: int, hold: msgspec.Raw) -> bytes:
    """A `Done` whose hold is JSON already."""
    return b'{"t":"done","id":%d,"seq":%d,"hold":%b}' % (message_id, seq, hold)
