"""The payments port: what is asked of a provider, and what it may answer.

A provider only moves money; who gets a unit is decided by the scripts alone. Every call may come
twice: it carries a key, and no answer means *unknown*, never *failed*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, Protocol

import jinja2
import msgspec
from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.model import (
    AMOUNT_MAX,
    CHARGE_CHARS_MAX,
    ID_CHARS_MAX,
    ID_LETTERS,
    DropId,
    HoldRecord,
    PaymentRecord,
)
from dropengine.wire import DropView

WEBHOOKS = "/api/pay/webhooks/"
"""Where providers reach the shop; what follows is the provider's name."""

Refuse = Callable[[int | None, refusals.Refusal], Response]
"""How the doors answer with a refusal; a status of None is the usual one of that refusal."""


class Line(msgspec.Struct, frozen=True):
    """One row of a bill: so many of one thing at one price, minor units, and what they cost
    together."""

    what: str
    qty: int
    unit_amount: int
    amount: int


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as its page tells it. `amount`: of all lines and the way together, minor units.
    `id`: see `payments/intent_ids`.

    way: how it comes to the fan, None in a drop without ways. deadline_ms: when the first of its
    holds ends (UTC). zone: the IANA zone that times are shown in. back: where the page sends the
    fan afterwards, an address or a path of this shop. language: of the drop, for a page whose
    reader asks for none; '' where its maker named none. word: of the payment, as its fan chose it.
    """

    id: str
    drop: DropId
    payment: str
    title: str
    lines: tuple[Line, ...]
    amount: int
    currency: str
    minor_digits: int
    deadline_ms: int
    zone: str
    back: str
    way: Line | None = None
    language: str = ""
    word: str = ""


def intend(
    intent: str,
    drop: DropView,
    payment: str,
    record: PaymentRecord,
    holds: Iterable[HoldRecord],
    back: str,
) -> Intent:
    """What a fan who pays these holds together is asked for, under the id `intent`."""
    way = next((one for one in drop.ways if one.id == record.way), None)
    off = 0 if way is None else way.off
    return Intent(
        id=intent,
        drop=DropId(drop.id),
        payment=payment,
        title=drop.title,
        lines=tuple(_line(drop, hold, max(0, hold.price - off)) for hold in holds),
        way=None if way is None else Line(way.title, 1, way.amount, way.amount),
        amount=record.amount,
        currency=record.currency,
        minor_digits=drop.minor_digits,
        deadline_ms=record.deadline_ms,
        zone=drop.zone,
        back=back,
        language=drop.language,
        word=record.provider,
    )


def _line(drop: DropView, hold: HoldRecord, unit_amount: int) -> Line:
    item_id, _, node = hold.pool.partition("@")
    what = next((item.title for item in drop.items if item.id == item_id), item_id)
    named = f"{what} ({node})" if node else what
    return Line(named, hold.qty, unit_amount, hold.qty * unit_amount)


class Charged(msgspec.Struct, frozen=True):
    """The intent was paid: `amount` is authorised, or was until a part of it was captured.

    captured: was any of it? taken: how much, 0 before; returned: how much of that went back. fee:
    what the provider keeps for itself, where it tells. also: more charges of the same intent, whose
    payer paid it again. pending: and one more is on its way that cannot be stopped: ask again.
    card: the same for every payment by one card, by which nobody could pay; '' where the provider
    has none.
    """

    charge: str
    amount: int
    currency: str
    captured: bool
    also: tuple[Charged, ...] = ()
    pending: bool = False
    card: str = ""
    fee: int = 0
    taken: int = 0
    returned: int = 0


class Kept(msgspec.Struct, frozen=True):
    """A payment that is authorised or captured, and what it was begun for: an intent under its
    id."""

    intent: str
    drop: DropId
    payment: str
    paid: Charged


class Nothing(msgspec.Struct, frozen=True):
    """Nobody paid, or what was paid went back, and nothing is on its way."""


class Declined(msgspec.Struct, frozen=True):
    """The last attempt was refused by the payer's bank."""


class Unknown(msgspec.Struct, frozen=True):
    """The provider did not answer, or a payment is on its way. Ask again; `why` is for the log."""

    why: str


class Succeeded(msgspec.Struct, frozen=True):
    """It is so, by this call or an earlier one."""


class Failed(msgspec.Struct, frozen=True):
    """The provider decided against it; asking again with the same key may end otherwise, unless it
    is `final`. taken: what of the charge was captured before, where that is why."""

    why: str
    final: bool = False
    taken: int = 0


class Unpayable(msgspec.Struct, frozen=True):
    """Nobody can pay the intent any more, nothing is on its way, and nothing paid is kept."""


Lookup = Charged | Nothing | Declined | Unknown
ProviderAnswer = Succeeded | Failed | Unknown
Cancellation = Unpayable | Charged | Unknown


_IDS = rf"^[{ID_LETTERS}]*(?!\n)$"
ChargeId = Annotated[str, Meta(max_length=CHARGE_CHARS_MAX, pattern=_IDS)]
"""A provider's id of a payment or a notice: letters of ids, as those of ours."""
Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$")]
_OUR_ID = Meta(min_length=1, max_length=ID_CHARS_MAX, pattern=_IDS)
CARD_CHARS_MAX = 128
INTENT_CHARS_MAX = 2 * ID_CHARS_MAX + 34
"""A drop, a payment, and the digest behind them."""


class Notice(msgspec.Struct, frozen=True):
    """A provider's word about an intent, proven to be its own.

    `event` names it, however often it comes. `charge` is '' when nothing was charged (declined).
    The bounds of fields are checked where a notice is read, not where it is made.
    """

    event: Annotated[str, Meta(max_length=CHARGE_CHARS_MAX)]
    kind: Literal["authorized", "captured", "declined"]
    intent: Annotated[str, Meta(max_length=INTENT_CHARS_MAX)]
    drop: Annotated[DropId, _OUR_ID]
    payment: Annotated[str, _OUR_ID]
    charge: ChargeId
    amount: Amount
    currency: Currency
    captured: bool
    card: Annotated[str, Meta(max_length=CARD_CHARS_MAX, pattern=_IDS)] = ""


class Unproven(msgspec.Struct, frozen=True):
    """Not the provider's word, or not a fresh one: nothing may be done on it.

    signed: the word is the provider's, but says nothing clear or what is out of all bounds.
    """

    why: str
    signed: bool = False


class Ignored(msgspec.Struct, frozen=True):
    """The provider's word, about nothing that a shop has to know."""


class Payments(Protocol):
    """One provider. Amounts in minor units; one that is away answers Unknown, it never raises.

    `begin` alone raises: without an address there is nothing to answer a fan with.
    """

    @property
    def name(self) -> str:
        """Its word in addresses: `/api/pay/webhooks/<name>`, `/pay/<name>/...`."""

    @property
    def for_practice(self) -> bool:
        """Does it move no money, so that only practice drops may be paid there?"""

    async def begin(self, intent: Intent) -> str:
        """The payment page: an address, or a path of this shop. The same intent gives the same one.

        A later deadline of the same intent replaces the one that the page tells. A cancelled intent
        may be asked for once more by somebody who was on his way: its page takes no payment. Raises
        errors.Unavailable when the provider does not answer; errors.Broken when the intent has
        another price than before.
        """

    async def lookup(self, intent: str) -> Lookup:
        """How the payment of an intent stands: of one that was paid, every charge that is kept."""

    async def cancel(self, intent: str) -> Cancellation:
        """Let nobody begin or complete a payment of an intent: asked at its deadline, once its fan
        wants it no more, and once it has ended or bought something.

        Charged: it was paid before this came, with every charge that is kept. They stay as they
        are, to be captured or given back; and no more come, unless one is `pending`: then ask
        again. Unknown: the provider did not answer, or cannot stop a payment that is on its way;
        ask again. Unpayable and Charged are promises, kept also by a `begin` that comes later, and
        for an intent that nobody ever began.
        """

    async def kept(self, since_ms: int) -> Sequence[Kept] | Unknown:
        """Every payment of this shop's that was made since then, by the provider's clock, and is
        kept. One that is still on its way is not among them."""

    async def capture(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        """Take `amount` of what was authorised, and let go of the rest: once. Where another amount
        was captured before it fails and says which (`taken`)."""

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        """Let an authorised charge go. Fails when some of it was captured, and says how much
        (`taken`)."""

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        """Give `amount` of what was captured of a charge back, again and again until nothing of it
        is left; the whole of one that is only authorised is voided."""

    def parse_webhook(
        self, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Notice | Ignored | Unproven:
        """Prove a delivery by its raw headers and raw bytes."""

    def routes(
        self, templates: Mapping[str, jinja2.Environment], refuse: Refuse
    ) -> Sequence[Route]:
        """The doors of its own under `/pay/<name>/`, in each language; none where payers pay at its
        own address."""

    async def run(self) -> None:
        """What it does by itself, until cancelled. One task per process."""

    async def close(self) -> None:
        """Give everything back; the object is done."""
