"""What the creators' doors of drops read and write. Times are ms since 1970, money is in minor
units."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from dropengine.creator_commands import Amount, CameBack, Moment, Refund, Why
from dropengine.doors.studio.studio_messages import Asked
from dropengine.manifest import Manifest
from dropengine.model import CAP_MAX, QTY_MAX
from dropengine.wire import Id

MANIFEST_CHARS_MAX = 60_000


class CheckManifest(Asked, frozen=True):
    """`manifest`: TOML, as in a file."""

    manifest: Annotated[str, Meta(max_length=MANIFEST_CHARS_MAX)]


class Publish(CheckManifest, frozen=True):
    """`id`, `opens_ms`: instead of the manifest's; 0: opened by hand. `next_free`: where the id is
    taken, the same with the next number. `open`: it opens in the same breath, and must not say when
    else."""

    id: Id | None = None
    opens_ms: Moment | None = None
    next_free: bool = False
    open: bool = False
    why: Why = ""


class Checked(msgspec.Struct, frozen=True):
    """A manifest without a mistake. `id`: as it would be published. `hash`: of its canonical
    form."""

    id: str
    hash: str
    manifest: Manifest


class Published(msgspec.Struct, frozen=True):
    """`address`: of its page. `state`: it may have moved on since."""

    id: str
    hash: str
    state: str
    revision: int
    address: str


class Counts(msgspec.Struct, frozen=True):
    """Units of one pool, and how many wait in its line."""

    pool: str
    free: int
    held: int
    sold: int
    withheld: int
    leased: int
    waiting: int
    buying: int
    offered: int


class StudioDropLine(msgspec.Struct, frozen=True):
    """One drop in a creator's list. `why_frozen`: books, half, restore, or ''. `zone`: its own."""

    id: str
    maker: str
    title: str
    state: str
    revision: int
    opens_ms: int
    closes_ms: int
    why_frozen: str
    counts: list[Counts]
    zone: str
    practice: bool


class DropsPage(msgspec.Struct, frozen=True):
    """The newest first. `after`: where the next page goes on; '': there is none."""

    drops: list[StudioDropLine]
    after: str


class DutyView(msgspec.Struct, frozen=True):
    """What is owed outside. `amount`: minor units of `currency`. `since_ms`: since when."""

    id: str
    kind: str
    hold: str
    amount: int
    currency: str
    since_ms: int


class StudioDrop(msgspec.Struct, frozen=True):
    """Everything about a drop but its rows. `now`: the server's clock. `set_aside`: duties that
    cannot be read. `paused_by`: who paused it."""

    id: str
    maker: str
    state: str
    revision: int
    seq: int
    now: int
    opens_ms: int
    closes_ms: int
    why: str
    why_frozen: str
    paused_by: str
    hash: str
    address: str
    manifest: Manifest
    counts: list[Counts]
    duties: list[DutyView]
    set_aside: list[str]


class LogPage(msgspec.Struct, frozen=True):
    """Events as the log has them. `after`: where the next page goes on; 0: there is none."""

    events: list[msgspec.Raw]
    after: int


class HoldRow(msgspec.Struct, frozen=True):
    id: str
    fan: str
    pool: str
    qty: int
    price: int
    origin: str
    state: str
    start_ms: int
    deadline_ms: int
    entry: str


class HoldsPage(msgspec.Struct, frozen=True):
    """`after`: where the next page goes on; 0: there is none."""

    rows: list[HoldRow]
    after: int


class OrderRow(msgspec.Struct, frozen=True):
    """`number`: as a person says it. `charge`: as the log calls it; `provider_id`: as the provider
    does, '' where that is not known."""

    id: str
    number: str
    fan: str
    pool: str
    qty: int
    amount: int
    serials: list[int]
    charge: str
    provider_id: str
    state: str
    at_ms: int


class OrdersPage(msgspec.Struct, frozen=True):
    """`after`: where the next page goes on; 0: there is none."""

    rows: list[OrderRow]
    after: int


class ReceiverRow(msgspec.Struct, frozen=True):
    """Who receives a unit. `unit`: of the order, from 1. `kind`: collects or gift. `label`: whom
    its fan means. `answers`: what the receiver said of himself, by the names of fields. Times in
    ms, 0 for not."""

    unit: int
    serial: int
    kind: str
    label: str
    made_ms: int
    revoked_ms: int
    taken_ms: int
    answers: dict[str, str]


class AnswersRow(msgspec.Struct, frozen=True):
    """One order. `answers`: by the names of fields. `notes`: of its units in their order, empty
    where none was said. `missing`: fields that must be said and are not; of a unit `note.1`."""

    id: str
    number: str
    state: str
    qty: int
    serials: list[int]
    answers: dict[str, str]
    notes: list[str]
    missing: list[str]
    locked_ms: int
    locked_by: str
    receivers: list[ReceiverRow]


class AnswersPage(msgspec.Struct, frozen=True):
    """`after`: where the next page goes on; 0: there is none."""

    rows: list[AnswersRow]
    after: int


class EntryRow(msgspec.Struct, frozen=True):
    """`n`: the arrival."""

    id: str
    fan: str
    n: int
    qty: int
    pools: list[str]
    lane: str
    points: int
    state: str
    lapses: int
    hold: str
    cool_ms: int


class EntriesPage(msgspec.Struct, frozen=True):
    """`after`: where the next page goes on; 0: there is none."""

    rows: list[EntryRow]
    after: int


Units = Annotated[tuple[Annotated[int, Meta(ge=1, le=CAP_MAX)], ...], Meta(max_length=QTY_MAX)]
"""Serials, each once."""


class RefundAsked(Refund, frozen=True):
    """`serials`: of the units that go back, none for all that are left. `amount`: how much of the
    order's share goes back, minor units; None: as much as the units are of it."""

    serials: Units = ()
    amount: Amount | None = None


class CameBackAsked(CameBack, frozen=True):
    """`serials`: of the units that came back, none for all that are out."""

    serials: Units = ()


class Commanded(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command was carried out. `state`, `revision`: the drop's, after a command that is one of
    the drop; `of`: the order or duty that it was about; `why`: what the fan of a refunded order
    reads, the reason of whoever ended it first; `amount`: what goes back; `deadline_ms`: until when
    it may be paid now."""

    seq: int
    revision: int = 0
    state: str = ""
    of: str = ""
    why: str = ""
    amount: int = 0
    deadline_ms: int = 0
