"""What the scripts answer, but for outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from dropengine import model, outcomes
from dropengine.manifest import Manifest, from_canonical
from dropengine.model import FanId
from dropengine.randomness import Source

PointResult = Literal["pointed", "same", "no_entry", "fixed", "over"]
"""What became of a fan's points: he has them; as much was known of his book; he stands in no line,
and they are to be told again when he does; no points are given any more; the drop is over."""


class _Again(msgspec.Struct, frozen=True, array_like=True, tag="AGAIN"):
    pass


class Pressed(msgspec.Struct, frozen=True, array_like=True, tag="PRESSED"):
    now_ms: int
    leads: list[tuple[int, int]]
    outcomes: list[outcomes.PressOutcome]


class OtherKey(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """`key`: what the drop calls networks by; nothing was decided."""

    key: str


class Settled(msgspec.Struct, frozen=True, array_like=True, tag="SETTLED"):
    """`next_ms`: when something is due next, 0 for nothing. `duties`: how many stand in the outbox.
    `froze`: as in `Shown`. `to_carry` 1: places of an earlier drop are to be carried over."""

    now_ms: int
    seq: int
    state: str
    next_ms: int
    duties: int
    froze: str = ""
    to_carry: int = 0


class Doubted(msgspec.Struct, frozen=True, array_like=True, tag="DOUBTED"):
    """`waits`: does the drop wait for a time to open at?"""

    waits: bool


class Pointed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """`results`: what became of each row."""

    seq: int
    results: list[PointResult]


class Rooted(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """The root of the sealed list is told."""

    seq: int


class OtherRoot(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """Another root was told than this one."""

    root: str


class Revealed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """What the list is ordered by is told."""

    seq: int


class OtherValue(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """Another value was revealed than this one."""

    value: str


class NotRooted(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """The root of the list comes first."""


class NotRevealed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """Nothing is revealed by which the list could be ordered."""


class Placed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """`next`: the arrival that is given out next. `entries`: the last that there will be."""

    next: int
    entries: int


class Carried(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """`next`: the place in the list of the earlier drop that is looked at next, of `of`. `n`: how
    many arrivals were given out."""

    next: int
    of: int
    n: int


class OtherList(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """Nothing was written: the rules name the list with this hash, or none, or one of another
    length was told before."""

    hash: str


class NotCarrying(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """It is too late: the drop is in this state."""

    state: str


class OtherOrder(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """`entry` cannot have the arrival that it was to get: nothing was written."""

    entry: str


class NotPlaced(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """The arrival `next` is not given out yet: the drop does not open."""

    next: int


class Started(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """The drop has opened with the list in its order."""

    seq: int


class NotSealed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """Nothing is being ordered, the drop is in this state."""

    state: str


class Sealed(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """A part of the list that chance orders. `sealed_ms`: when it was sealed (true time), 0: not
    yet. `root`, `revealed`: hex digits, '' while they are not told. `placed`: the last arrival that
    was given out for one of `entries`; `carried`: behind which they begin. `next`: where the list
    goes on, 0: that was all. `rows`: in the order of the joins."""

    state: str
    seq: int
    sealed_ms: int
    root: str
    revealed: str
    placed: int
    entries: int
    randomness: Source
    next: int
    rows: list[tuple[str, model.EntryRecord]]
    carried: int = 0


class ListRow(msgspec.Struct, frozen=True, array_like=True):
    """A list that chance orders. `placed`: how many of `entries` have their arrivals. `seals_ms`:
    when it is sealed, 0: that is over, or not planned; `sealed_ms`: when it was (true time).
    `root`, `revealed`: hex digits, '' while they are not told. `won`: how many were called in the
    first round; `called`: the largest arrival that was called. `behind`: how many places that were
    carried over have the arrivals before its own."""

    entries: int = 0
    placed: int = 0
    seals_ms: int = 0
    sealed_ms: int = 0
    root: str = ""
    revealed: str = ""
    won: int = 0
    called: int = 0
    behind: int = 0


class Rewritten(msgspec.Struct, frozen=True, array_like=True, tag="REWRITTEN"):
    """`rows`: how many were put in order."""

    rows: int


class NotFrozen(msgspec.Struct, frozen=True, array_like=True, tag="NOT_FROZEN"):
    """Nothing was written: the drop goes on."""


class BroughtBack(msgspec.Struct, frozen=True, array_like=True, tag="BROUGHT_BACK"):
    """The rows are written."""


class IsThere(msgspec.Struct, frozen=True, array_like=True, tag="IS_THERE"):
    """Nothing was written: the drop, or that entry of its log, is there."""


class RowsOut(msgspec.Struct, frozen=True, array_like=True, tag="TAKEN_OUT"):
    """`rows`: how many of the log were taken out."""

    rows: int


class PartOut(msgspec.Struct, frozen=True, array_like=True, tag="TAKEN_OUT"):
    """`count`: how many things of this part were taken out. `cursor`: of the next one; "0": that
    was the last."""

    count: int
    cursor: str


class Archived(msgspec.Struct, frozen=True, array_like=True, tag="ARCHIVED"):
    """The drop left the server of the truth."""


class NotNow(msgspec.Struct, frozen=True, array_like=True, tag="NOT_NOW"):
    """It goes on, or something of it is owed or due."""


class Different(msgspec.Struct, frozen=True, array_like=True, tag="DIFFERENT"):
    """The log does not have these rows, or not as the books have them: none was taken out."""


class OtherCharges(msgspec.Struct, frozen=True, array_like=True, tag="OTHER_CHARGES"):
    """The drop knows other charges that bought nothing: no hold was taken out."""


class Leased(msgspec.Struct, frozen=True, array_like=True, tag="LEASED"):
    """The job is the asker's for as long as he said."""


class Taken(msgspec.Struct, frozen=True, array_like=True, tag="TAKEN"):
    """Another has the job."""


class Anothers(msgspec.Struct, frozen=True, array_like=True, tag="ANOTHERS"):
    """The server is another shop's."""


class NotOurs(msgspec.Struct, frozen=True, array_like=True, tag="NOT_OURS"):
    """The run of the asker was not renewed."""


class Claimed(msgspec.Struct, frozen=True, array_like=True, tag="CLAIMED"):
    """The server is the shop's that asked."""


class AnotherShop(msgspec.Struct, frozen=True, array_like=True, tag="ANOTHER_SHOP"):
    """The server is another shop's, which lives for `ms` yet if nobody renews it; 0: it is gone."""

    shop: str
    address: str
    ms: int


class Replaced(msgspec.Struct, frozen=True, array_like=True, tag="REPLACED"):
    """The shop was restored, and this is another life of it. life: the one that the claim is of."""

    life: str
    address: str


class Occupied(msgspec.Struct, frozen=True, array_like=True, tag="OCCUPIED"):
    """Other runs of the same shop live for `ms` yet."""

    shop: str
    address: str
    ms: int


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="KEPT"):
    """The claim goes on."""


class Lost(msgspec.Struct, frozen=True, array_like=True, tag="LOST"):
    """The server knows no claim of this run."""


class Proved(msgspec.Struct, frozen=True, array_like=True, tag="PROVED"):
    """The server writes down what begins."""


class Admitted(msgspec.Struct, frozen=True, array_like=True, tag="ADMITTED"):
    """For each who was asked about: 0, or in how many ms he is admitted."""

    waits_ms: list[int]


class Exchanged(msgspec.Struct, frozen=True, array_like=True, tag="EXCHANGED"):
    """`drops`: that somebody looks at through any worker. `rows`: of the other workers, JSON."""

    drops: list[str]
    rows: list[str]


class Revoked(msgspec.Struct, frozen=True, array_like=True, tag="REVOKED"):
    """`at`: since when, ms."""

    at: str


class Ahead(msgspec.Struct, frozen=True, array_like=True, tag="AHEAD"):
    """`waiting`: rows of (line, entry, its record) of those who are called next in each line; line
    = pool index x 2 + lane. `ends`: rows of (hold, its record), the nearest first."""

    waiting: list[tuple[int, str, model.EntryRecord]]
    ends: list[tuple[str, model.HoldRecord]]


class PoolRow(msgspec.Struct, frozen=True, array_like=True):
    id: str
    free: int
    held: int
    sold: int
    withheld: int
    leased: int
    waiting: int
    buying: int
    removed_base: int
    removed_boost: int
    offered: int
    """The unclaimed part of `held`."""
    next: int = 0
    """In quiet hours, while units are free: the arrival that may press for them; else 0."""
    counted: list[int] = []
    """Where there is early access: units that count against each cohort."""
    ceilings: list[int] = []
    """While it lasts: how many may."""


class EarlyRow(msgspec.Struct, frozen=True, array_like=True):
    """`lasts`: is the drop not open to all yet? `public_ms`: when it is to be (0: by hand);
    `widened_ms`: since when it is; true time both."""

    lasts: bool
    public_ms: int
    widened_ms: int


class Named(msgspec.Struct, frozen=True, array_like=True, tag=model.shout):
    """So many charges have the ids that were told for them."""

    count: int


BEYOND: Final = 10**12
"""A cursor of `view` beyond every row: only the state is asked for."""


class ViewReply(msgspec.Struct, frozen=True, array_like=True, tag="VIEW"):
    """`now_ms`: true time, as in all replies; `leads`: see `true_time`. `moves`, `mail`: numbered
    rows after the cursor; numbers rise by one, a hole was trimmed. `moves_end`, `mail_end`: the
    number of the newest row."""

    now_ms: int
    seq: int
    state: str
    revision: int
    opens_ms: int
    closes_ms: int
    pools: list[PoolRow]
    moves_end: int
    moves: list[tuple[int, list[tuple[int, ...]]]]
    """Rows of (line, r, arrival); line = pool index x 2 + lane. Of a boost line also the rank there
    before and after, -1 for not there: what came into it, moved in it and left it."""
    mail_end: int
    mail: list[tuple[int, list[tuple[FanId, int]]]]
    """Rows of (fan, seq of the fan's last change)."""
    news: list[tuple[int, int, str]]
    why: str
    """The reason of a pause or a cancellation, as its creator gave it; else ''."""
    leads: list[tuple[int, int]]
    hash: str
    """Of the manifest as it reads now."""
    calls_ms: int = 0
    """In quiet hours: when the line calls again; else 0."""
    entering: ListRow = ListRow()
    exempt: list[str] = []
    """Networks and mail domains that may have as much as their people like."""
    early: EarlyRow | None = None
    """Only of a drop that has cohorts."""


class PlaceRow(msgspec.Struct, array_like=True):
    pool: str
    place: int
    r: int
    buying: int


class YouRow(msgspec.Struct, array_like=True):
    fan: str
    record: model.FanRecord
    holds: list[tuple[str, model.HoldRecord]]
    """Those that are held still, then the one that ended last, if any."""
    entries: list[tuple[str, model.EntryRecord, list[PlaceRow]]]
    """Those whose fate is open."""
    orders: list[tuple[str, model.OrderRecord]]
    ended: list[tuple[str, model.EntryRecord]] = []
    """The place that ended last without a sale, if it is still told."""
    person: str = ""
    """Whose all this is, where `fan` is a guest whom he adopted; else ''."""
    boosts: list[tuple[str, list[PlaceRow]]] = []
    """The second places of entries, in the boost lanes."""
    payments: list[tuple[str, model.PaymentRecord]] = []
    """Those of these holds and orders, the oldest first."""


class YouReply(msgspec.Struct, frozen=True, array_like=True, tag="YOU"):
    now_ms: int
    seq: int
    leads: list[tuple[int, int]]
    rows: list[YouRow]


class Shown(msgspec.Struct, frozen=True):
    """What a maker said of a drop, with the state that the reader asked for.

    paused_by: who paused it, while it is paused; '' also where that was not kept yet. froze: why it
    is frozen (books, half, restore), or ''; also of a drop that froze after it was over. opens_ms,
    closes_ms: the newest times, of the true clock; the manifest has those of the beginning. chance:
    by what its list is ordered; None where arrivals are those of time.
    """

    manifest: Manifest
    hash: str
    state: str
    revision: int
    seq: int
    paused_by: str = ""
    froze: str = ""
    opens_ms: int = 0
    closes_ms: int = 0
    chance: Source | None = None


class _Times(msgspec.Struct, frozen=True):
    """Of the packed rules: the newest."""

    opens_ms: int
    closes_ms: int


_TIMES = msgspec.msgpack.Decoder(_Times)
_CHANCE: msgspec.msgpack.Decoder[Source] = msgspec.msgpack.Decoder(Source)


SHOWN = (
    *("manifest", "hash", "state", "revision", "seq"),
    *("schema", "paused_by", "froze", "rules", "randomness"),
)
"""The fields of a drop's hash that `shown` reads."""


def shown(row: Sequence[Any]) -> Shown:
    """row: what `SHOWN` names, in bytes; paused_by, froze and randomness may be missing."""
    state = row[2].decode()
    paused_by = (row[6] or b"").decode() if state == model.DropState.PAUSED else ""
    froze = (row[7] or b"").decode()
    if state == model.DropState.FROZEN and not froze:
        # An older engine did not keep it, and there was one reason.
        froze = "books"
    times = _TIMES.decode(row[8])
    # What was archived before there were lists does not end with it.
    chance = row[9] if len(row) > 9 else None
    return Shown(
        from_canonical(row[0]),
        row[1].decode(),
        state,
        int(row[3]),
        int(row[4]),
        paused_by,
        froze,
        times.opens_ms,
        times.closes_ms,
        None if chance is None else _CHANCE.decode(chance),
    )
