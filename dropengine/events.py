"""The vocabulary of a drop's log: what can happen, one struct per event, as the scripts write it.

The log is a Redis stream. What one script wrote together is one entry: a field `e` per event, the
event as JSON text, and the id `<seq of the last>-0`. seq counts 1, 2, 3 without gap; `at` (ms since
1970, UTC) never falls. An exported log is these texts, one per line. Replay, referee and every
report stand on this file alone. `docs/protocol.md` carries it as a table.
"""

from __future__ import annotations

import msgspec

from dropengine.model import snake
from dropengine.randomness import Source


class Event(msgspec.Struct, frozen=True, tag_field="e", tag=snake, forbid_unknown_fields=True):
    """seq: 1, 2, 3 ...; at: ms, UTC, of the script that wrote it."""

    seq: int
    at: int


class PublishedItem(msgspec.Struct, frozen=True):
    id: str
    cap: int
    price: int
    limit: int
    most: int


class PublishedPool(msgspec.Struct, frozen=True):
    """`cap` units stand here; `withheld` of them are not for sale yet."""

    id: str
    item: str
    cap: int
    withheld: int


class PublishedWay(msgspec.Struct, frozen=True):
    """How what was bought comes to its fan. kind: ship, pickup or courier. amount: of a payment.
    off: less of each unit, down to 0. nodes: the pools of which places may be had this way; none
    means all. until_ms: when the pickup window ends, of the true clock; 0: there is none."""

    id: str
    kind: str
    amount: int
    off: int = 0
    nodes: list[str] = []
    until_ms: int = 0


class CallingHours(msgspec.Struct, frozen=True):
    """When the line calls, by the clocks of `zone`: from `from_ms` to `to_ms`, ms since midnight;
    to before from is the next day. offsets: since when (ms, UTC), how many ms these clocks are
    ahead of UTC, the earliest first; the last of them holds on."""

    zone: str
    from_ms: int
    to_ms: int
    offsets: list[tuple[int, int]]


class PublishedCohort(msgspec.Struct, frozen=True):
    """`most`: how many units of each pool, in their order, may count against it before the drop is
    open to all."""

    id: str
    most: list[int]


class CarriedFrom(msgspec.Struct, frozen=True):
    """Whoever waited in vain in the drop `of` stands first in the line of this one. hash: of the
    list of them, which anybody can compute from that drop's log (`log/carried`). share: of each
    pool, how many percent of the cap they may have until it has no free unit."""

    of: str
    hash: str
    share: int


class Rules(msgspec.Struct, frozen=True):
    """What the scripts need of a manifest. Times in ms; `opens_ms` and `closes_ms` 0 mean by hand.

    limit: units per fan over active holds, offers and unrefunded orders. k: every k-th call of a
    line goes to its boost lane. pace, pace_ms: what one fan may begin at once, and one more in each
    of so many ms; 0 is as often as he likes, and so is a drop from before there was a pace. calls:
    None where the line calls at all hours, as every drop did before layout 5. network_most: how
    many unpaid holds and open entries one network may have; 0: as many as its people like, as in
    every drop of before there was such a rule. domain_most: how many persons of one mail domain may
    take part, 0: as many as come. cards: 1 where the limit is one of each card too; 0
    in every drop of before that.

    Where chance gives out the arrivals, which is in every mode but `rush`: window_ms: how long its
    list is open; first_offer_ms: what stands in for offer_ms in the first round; tickets_most: of
    one entry; randomness: where chance comes from.

    points_until: until when entries get points: `seal`, until the list that chance orders is sealed
    (or the drop opens); `close`; '': there are none.

    cohorts: who may begin something before the drop is open to all; none: it is so from its
    opening. public_ms: when it is; 0: by hand.

    carried: whose places are carried over; None in most drops.

    ways: one of them is named by each payment, where there are some. hand_ms: how long a payment
    by hand has, 0: there is none; hand_share: at most so many percent of a pool's units, at least
    one, are in such payments at a time.
    """

    id: str
    mode: str
    currency: str
    opens_ms: int
    closes_ms: int
    limit: int
    k: int
    hold_ms: int
    offer_ms: int
    extend_ms: int
    pay_ms: int
    cool_ms: int
    lookup_ms: int
    practice: int
    items: list[PublishedItem]
    pools: list[PublishedPool]
    pace: int = 0
    pace_ms: int = 0
    calls: CallingHours | None = None
    window_ms: int = 0
    first_offer_ms: int = 0
    tickets_most: int = 0
    randomness: Source | None = None
    network_most: int = 0
    cards: int = 0
    cohorts: list[PublishedCohort] = []
    public_ms: int = 0
    carried: CarriedFrom | None = None
    domain_most: int = 0
    points_until: str = ""
    ways: list[PublishedWay] = []
    hand_ms: int = 0
    hand_share: int = 0


class Published(Event, frozen=True):
    """draft -> scheduled. `hash`: SHA-256 of the canonical manifest. `test` 1: clock arguments
    count."""

    by: str
    key: str
    revision: int
    schema: int
    test: int
    hash: str
    rules: Rules


class Lifted(Event, frozen=True):
    """The first script of a newer engine brought the drop from one layout to another: the events
    before it were decided by the rules of the older one."""

    was: int = msgspec.field(name="from")
    schema: int = msgspec.field(name="to")


class ByCreator(Event, frozen=True):
    """`by`: an operator's name, or `clock` when the drop's own times did it (key is then '')."""

    by: str
    key: str
    revision: int


class LobbyOpened(ByCreator, frozen=True):
    """scheduled -> lobby: whoever joins stands in the list that chance will order. `seals`: when it
    is sealed (ms, the drop's own time)."""

    seals: int


class Sealed(ByCreator, frozen=True):
    """lobby -> ordering: the list is fixed. `entries`: how many stand in it."""

    entries: int


class Rooted(Event, frozen=True):
    """Ordering: the Merkle root of the sealed list, 64 hex digits."""

    root: str


class Revealed(Event, frozen=True):
    """Ordering: what the list is ordered by, in hex digits: the secret that was committed to, or
    the signature of the beacon's round."""

    value: str


class Ordered(Event, frozen=True):
    """Ordering: the next part of the order. The first of `ids` has the arrival `n`."""

    n: int
    ids: list[str]


class Carried(Event, frozen=True):
    """Scheduled: of the list of an earlier drop, which has `of` entries, those from `first` to
    `last` were looked at; each that has a place here `joined` just before. `n`: how many have one
    by now. The list is empty where `of` is 0; it is done with where `last` is `of`."""

    first: int
    last: int
    of: int
    n: int


class Opened(ByCreator, frozen=True):
    """scheduled -> live; ordering -> live, where the whole list has its arrivals."""


class Widened(ByCreator, frozen=True):
    """Live or paused: early access is over, the drop is open to all. Nothing else changes."""


class Allotted(Event, frozen=True):
    """Live: the first round is over, the line was called for all that was free at the opening.
    `offers`: how many."""

    offers: int


class Paused(ByCreator, frozen=True):
    """live -> paused. `why`: a reason that fans read, or ''."""

    why: str


class Resumed(ByCreator, frozen=True):
    """paused -> live. `lead`: by how many ms the drop's own time is ahead of the true clock now."""

    lead: int = 0


class Realigned(ByCreator, frozen=True):
    """The drop's own time goes on from where it stands, `lead` ms ahead of the true clock. `why`:
    `outage` (no script ran for a while, which does not count) or `leap` (the clock leapt and is
    right now)."""

    lead: int
    why: str


class Thawed(ByCreator, frozen=True):
    """frozen -> `state`: paused, or what the drop was before. `why`: it was frozen because of
    `books` (they did not add up), `half` (a change was written only by half) or `restore`. `found`:
    records that differed from the log and were rewritten from it. `lost_ms`: how long it was
    frozen, which does not count: its own time goes on from there, `lead` ms ahead of the true
    clock."""

    lead: int
    why: str
    state: str
    found: int
    lost_ms: int


class Added(ByCreator, frozen=True):
    """`qty` withheld units of `pool` become free."""

    pool: str
    qty: int


class Withdrawn(ByCreator, frozen=True):
    """`qty` free units of `pool` become withheld."""

    pool: str
    qty: int


class Exempted(ByCreator, frozen=True):
    """`network` may have as many unpaid holds and open entries as its people like. It is called so
    by a key that is deleted when the drop is over."""

    network: str


class Restricted(ByCreator, frozen=True):
    """`network` may again have no more of them than others."""

    network: str


class Message(ByCreator, frozen=True):
    text: str


class Rescheduled(ByCreator, frozen=True):
    """From now on these are the drop's times, of the true clock: the newest count."""

    opens_ms: int
    closes_ms: int


class Corrected(ByCreator, frozen=True):
    """The maker's words were put right. `hash`: of the canonical manifest that says them; its rules
    are those that were published."""

    hash: str


class Closed(ByCreator, frozen=True):
    """live | paused -> closing."""


class Cancelled(ByCreator, frozen=True):
    """any state before settled -> cancelled; holds end and orders are refunded in the events after
    it. `why`: a reason that fans read, or ''. `froze`: why it had been frozen, or ''. `stood`: if
    it was frozen, where its own time had stopped, in ms; else 0. Older logs have none of them."""

    why: str = ""
    froze: str = ""
    stood: int = 0


class Settled(Event, frozen=True):
    """closing -> settled: nothing is held any more."""


class Calling(Event, frozen=True):
    """Live or paused: calling hours; the line calls until `until` (ms, the drop's own time)."""

    until: int


class Quiet(Event, frozen=True):
    """Live or paused: quiet hours; the line calls nobody until `until` (ms, the drop's own
    time)."""

    until: int


class Frozen(Event, frozen=True):
    """An invariant did not hold. `why` names it."""

    why: str


class Held(Event, frozen=True):
    """A press was granted: `qty` free units of `pool` are held until `deadline` (ms). price: per
    unit. `cohort`: which they count against, or ''. `basket`: the number of the first hold that
    was pressed for together with it; 0: it was alone."""

    fan: str
    key: str
    hold: str
    pool: str
    qty: int
    price: int
    deadline: int
    cohort: str = ""
    basket: int = 0


class Claimed(Event, frozen=True):
    """The fan took the offer `hold`; its deadline is now a hold's. With key '' its entry was merged
    into another of his."""

    fan: str
    key: str
    hold: str
    deadline: int


class Extended(Event, frozen=True):
    """`why`: fan (his one extension) or lookup (a silent payment is asked about from now on; this
    is the hard stop)."""

    fan: str
    key: str
    hold: str
    deadline: int
    why: str


class Paying(Event, frozen=True):
    """The fan pressed pay for the first time on this hold."""

    fan: str
    key: str
    hold: str
    deadline: int


class PaymentBegun(Event, frozen=True):
    """The fan begins one payment for these holds: `paying` follows for each that changes by it.
    `way`: as the rules have it, or ''. `all` 1: all of it or nothing. key '': it was begun before
    there were payments, for one hold."""

    fan: str
    key: str
    payment: str
    holds: list[str]
    way: str
    amount: int
    all: int
    provider: str


class Unpaying(Event, frozen=True):
    """The fan wants to pay this no more: the provider is asked to cancel it."""

    fan: str
    key: str
    payment: str


class Asked(Event, frozen=True):
    """An open payment is silent at its deadline: the provider is asked to cancel it, and all its
    holds that stand do so until `deadline` (ms) at most."""

    fan: str
    payment: str
    deadline: int


class Unpaid(Event, frozen=True):
    """The provider cancelled it, so nobody paid: its holds are active again, and those whose own
    deadline is over `expired`."""

    fan: str
    payment: str


class MoreTime(Event, frozen=True):
    """The maker gives more time for a payment by hand, once: until `deadline` (ms)."""

    fan: str
    payment: str
    deadline: int
    by: str
    key: str


class Swapped(Event, frozen=True):
    """The hold has its units in the pool `to` now, no more in `pool`, where they are free again.
    `cohort`: which they count against now, or ''."""

    fan: str
    key: str
    hold: str
    pool: str
    to: str
    qty: int
    cohort: str = ""


class Released(Event, frozen=True):
    """held -> free. `by`: fan, or creator (the drop was cancelled; the hold ends as cancelled)."""

    fan: str
    key: str
    hold: str
    pool: str
    qty: int
    by: str


class Expired(Event, frozen=True):
    """held -> free: the deadline of a press or of a claimed offer is over."""

    fan: str
    hold: str
    pool: str
    qty: int


class Sale(Event, frozen=True):
    """`amount`: its share, minor units: what its units cost by the way of its payment. `capture`:
    pending (a duty follows) or done.

    `intent`: the hold that the payment was begun for; another than `hold` when an equal one was
    paid. `card`: what the drop calls the card that paid, where its provider tells one. `payment`:
    '' before layout 8.
    """

    fan: str
    hold: str
    intent: str
    pool: str
    qty: int
    serials: list[int]
    amount: int
    charge: str
    capture: str
    card: str = ""
    payment: str = ""


class Sold(Sale, frozen=True):
    """held -> sold."""


class Rescued(Sale, frozen=True):
    """free -> sold for a hold that had expired while its payment was on the way. `cohort`: which
    its units count against now, or ''."""

    cohort: str = ""


class Paid(Event, frozen=True):
    """Closes what a charge of `amount` bought, told just before: `kept` of it is the shop's, the
    shares of the orders and `way`, and the rest goes back. `capture`: done; pending (a duty takes
    what is kept, and lets the rest go); void (nothing is kept of what was authorised)."""

    fan: str
    payment: str
    charge: str
    amount: int
    kept: int
    way: int
    capture: str


class Voided(Event, frozen=True):
    """The payment `charge` buys nothing. `how`: void (authorised) or refund (captured): a duty
    follows. `currency`: the money's own; '' before layout 4. `card`: with `limit`, which one had
    bought as much as one person may have."""

    fan: str
    hold: str
    charge: str
    amount: int
    how: str
    why: str
    currency: str = ""
    card: str = ""
    payment: str = ""


class Mismatched(Event, frozen=True):
    """The provider captured another amount of `charge` than it had told: `amount`. Its orders are
    worth that much together and are `capture_failed`: shares are cut from the last to the first,
    what is over goes to the first. What goes back is as much, by a refund."""

    fan: str
    hold: str
    charge: str
    amount: int
    payment: str = ""


class Refunded(Event, frozen=True):
    """`qty` units of an order are given back, with these serials; a duty returns `amount`, of which
    `way` was for the way. With its last unit the order has ended. `back`: line (sold -> free) or
    withheld (sold -> withheld: they were handed over and did not come back yet). `n`: which refund
    of its payment this is. `why`: the maker's reason, for its fan to read, or ''. Before layout 8
    an order was refunded as a whole, to the line."""

    fan: str
    hold: str
    pool: str
    qty: int
    serials: list[int]
    amount: int
    charge: str
    by: str
    key: str
    why: str = ""
    payment: str = ""
    back: str = "line"
    n: int = 0
    way: int = 0


class Reduced(Event, frozen=True):
    """`amount` of an order's share goes back by a duty, and its units stay."""

    fan: str
    hold: str
    payment: str
    n: int
    amount: int
    by: str
    key: str
    why: str


class CameBack(Event, frozen=True):
    """withheld -> free: units that were given back after they were handed over came back in
    order."""

    fan: str
    hold: str
    pool: str
    qty: int
    serials: list[int]
    by: str
    key: str


class ChargedBack(Event, frozen=True):
    """The provider took `amount` of a payment back for its fan: its orders that stand are
    `charged_back` and worth nothing, their units stay sold."""

    fan: str
    payment: str
    amount: int
    by: str
    key: str


class Discharged(Event, frozen=True):
    """The duty `<kind>:<charge, hold or payment>` was done outside. `result`: done or failed;
    by_hand or given_up where a person ended it: then `by`, `key` and `why` tell who and why."""

    fan: str
    duty: str
    kind: str
    hold: str
    charge: str
    amount: int
    result: str
    by: str = ""
    key: str = ""
    why: str = ""
    payment: str = ""


class Joined(Event, frozen=True):
    """`n`: the arrival. `why`: fan, makegood or carried (then key is ''). `lane`: 0 base, 1 boost:
    before layout 7 a make-good stood there alone, and had 1023 `points`; else these are 0.
    In a lobby `n` is 0, and the entry stands in the list with so many `tickets` and this `nonce`.
    `of`: carried over from which entry of the earlier drop."""

    fan: str
    key: str
    entry: str
    n: int
    qty: int
    pools: list[str]
    lane: int
    points: int
    why: str
    tickets: int = 0
    nonce: str = ""
    of: str = ""


class Pointed(Event, frozen=True):
    """A fan's open entry has so many `points`, by his book up to number `book`; they give it a
    second place, in the boost lane, or take it. `why`: friend, mission, collector, taken_back;
    makegood: it stands above all points from now on, which stay as they are."""

    fan: str
    entry: str
    points: int
    book: int
    why: str


class Confirmed(Event, frozen=True):
    """The fan of a carried entry still wants what it is for: from now on it may be called."""

    fan: str
    key: str
    entry: str


class Offered(Event, frozen=True):
    """free -> held: the line called this entry. `call` 0: the base lane, 1: the boost lane of
    `pool`. `key`: of the press by which its fan called himself in quiet hours, `claimed` follows;
    else ''. `cohort`: which its units count against, or ''."""

    fan: str
    entry: str
    n: int
    call: int
    hold: str
    pool: str
    qty: int
    price: int
    deadline: int
    key: str = ""
    cohort: str = ""


class Returned(Event, frozen=True):
    """held -> free; the entry waits again and is not ready before `cool` (ms), or `dormant`
    follows."""

    fan: str
    entry: str
    hold: str
    pool: str
    qty: int
    cool: int


class Declined(Returned, frozen=True):
    """The fan gave an unclaimed offer back."""

    key: str


class Lapsed(Returned, frozen=True):
    """An unclaimed offer's window is over."""


class Cooled(Event, frozen=True):
    """A claimed offer ended unsold just before (released or expired): the entry waits again."""

    fan: str
    entry: str
    cool: int


class Served(Event, frozen=True):
    """The entry's hold was sold just before: its fate is final."""

    fan: str
    entry: str
    n: int


class Dormant(Event, frozen=True):
    """The second offer came back: final."""

    fan: str
    entry: str
    n: int


class Left(Event, frozen=True):
    fan: str
    key: str
    entry: str
    n: int


class Removed(Event, frozen=True):
    """Final. `why`: limit (orders fill it), or merged (its fan stands in line before it, since a
    guest became a person)."""

    fan: str
    entry: str
    n: int
    why: str


class Adopted(Event, frozen=True):
    """`guest` became the person `fan`: the guest's holds and offers that stand, all his orders and
    his entries whose fate is open are the person's. No later event names the guest as its fan."""

    fan: str
    guest: str
    holds: list[str]
    orders: list[str]
    entries: list[str]


class Enrolled(Event, frozen=True):
    """The fan is in these cohorts of the drop from now on, besides those that he was in."""

    fan: str
    cohorts: list[str]


class LimitFreed(Event, frozen=True):
    """Room in the limit makes the fan's entry ready again."""

    fan: str
    entry: str


AnyEvent = (
    Published
    | Lifted
    | LobbyOpened
    | Sealed
    | Rooted
    | Revealed
    | Ordered
    | Carried
    | Opened
    | Widened
    | Allotted
    | Paused
    | Resumed
    | Realigned
    | Thawed
    | Added
    | Withdrawn
    | Rescheduled
    | Corrected
    | Exempted
    | Restricted
    | Message
    | Closed
    | Cancelled
    | Settled
    | Calling
    | Quiet
    | Frozen
    | Held
    | Claimed
    | Extended
    | Paying
    | PaymentBegun
    | Unpaying
    | Asked
    | Unpaid
    | MoreTime
    | Swapped
    | Released
    | Expired
    | Sold
    | Rescued
    | Paid
    | Voided
    | Mismatched
    | Refunded
    | Reduced
    | CameBack
    | ChargedBack
    | Discharged
    | Joined
    | Pointed
    | Confirmed
    | Offered
    | Declined
    | Lapsed
    | Cooled
    | Served
    | Dormant
    | Left
    | Removed
    | Adopted
    | Enrolled
    | LimitFreed
)

_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def parse(line: bytes) -> AnyEvent:
    """One stored text -> its event. Raises msgspec.ValidationError with the path of what is
    wrong."""
    return _decoder.decode(line)


__all__ = ["AnyEvent", "Event", "parse"]
