"""The payments port: what is asked of a provider, how its word is proven, and the duties.

A provider only moves money; who gets a unit is decided by the scripts alone. Every call may come
twice: it carries a key, and no answer means *unknown*, never *failed*.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from dropengine import outcomes, refusals
from dropengine.model import DropId, DutyRecord, HoldId, HoldRecord
from dropengine.truth.store import Store
from dropengine.wire import DropView

log = logging.getLogger(__name__)

TOLERANCE_S = 300
"""A signed word older or newer than this is not believed: a stolen one is soon worth nothing."""


def intent_id(drop: DropId, hold: HoldId) -> str:
    """One intent per hold, so two tabs that begin paying one hold pay the same thing."""
    return f"{drop}.{hold}"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A hold as a payment page tells it. `amount` = qty x price, minor units.

    deadline_ms: when the hold ends (UTC). zone: the IANA zone that times are shown in. back: where
    the page sends the fan afterwards, an address or a path of this shop.
    """

    id: str
    drop: DropId
    hold: HoldId
    title: str
    what: str
    qty: int
    amount: int
    currency: str
    minor_digits: int
    deadline_ms: int
    zone: str
    back: str


def intend(drop: DropView, hold: HoldId, record: HoldRecord, back: str) -> Intent:
    """What a fan who pressed pay on `hold` is asked for."""
    item_id, _, node = record.pool.partition("@")
    what = next((item.title for item in drop.items if item.id == item_id), item_id)
    return Intent(
        id=intent_id(DropId(drop.id), hold),
        drop=DropId(drop.id),
        hold=hold,
        title=drop.title,
        what=f"{what} ({node})" if node else what,
        qty=record.qty,
        amount=record.qty * record.price,
        currency=drop.currency,
        minor_digits=drop.minor_digits,
        deadline_ms=record.deadline_ms,
        zone=drop.zone,
        back=back,
    )


class Charged(msgspec.Struct, frozen=True):
    """The intent was paid: `amount` is authorised, or captured already."""

    charge: str
    amount: int
    currency: str
    captured: bool


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
    """The provider decided against it; asking again with the same key may end otherwise."""

    why: str


Lookup = Charged | Nothing | Declined | Unknown
ProviderAnswer = Succeeded | Failed | Unknown


class Notice(msgspec.Struct, frozen=True):
    """A provider's word about an intent, proven to be its own.

    `event` names it, however often it comes. `charge` is '' when nothing was charged (declined).
    """

    event: str
    kind: Literal["authorized", "captured", "declined"]
    intent: str
    drop: DropId
    hold: HoldId
    charge: str
    amount: int
    currency: str
    captured: bool


class Unproven(msgspec.Struct, frozen=True):
    """Not the provider's word, or not a fresh one: nothing may be done on it."""

    why: Literal[
        "missing_header", "duplicate_header", "bad_timestamp", "stale", "bad_signature", "bad_body"
    ]


class Payments(Protocol):
    """One provider. Amounts in minor units; one that is away answers Unknown, it never raises."""

    @property
    def name(self) -> str:
        """Its word in addresses: `/api/pay/webhooks/<name>`."""

    async def begin(self, intent: Intent) -> str:
        """The payment page: an address, or a path of this shop. The same intent gives the same one.

        A later deadline of the same intent replaces the one that the page tells. Raises errors.Away
        when the provider does not answer; errors.Broken when the intent has another price than
        before.
        """

    async def lookup(self, intent: str) -> Lookup:
        """How the payment of an intent stands."""

    async def capture(self, charge: str, key: str) -> ProviderAnswer:
        """Take what was authorised."""

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        """Let an authorised charge go. Fails when it was captured."""

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        """Give `amount` of a captured charge back; the whole of an authorised one is voided."""

    def parse_webhook(
        self, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> Notice | Unproven:
        """Prove a delivery by its raw headers and raw bytes."""


TIMESTAMP_HEADER = b"drop-pay-timestamp"
SIGNATURE_HEADER = b"drop-pay-signature"
_VERSION = b"v1="


def sign(secret: bytes, at_s: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers that prove `body` at `at_s` (s since 1970): HMAC-SHA256 of `timestamp.body`."""
    return [
        (TIMESTAMP_HEADER, b"%d" % at_s),
        (SIGNATURE_HEADER, _signature(secret, b"%d" % at_s, body)),
    ]


def _signature(secret: bytes, timestamp: bytes, body: bytes) -> bytes:
    mac = hmac.new(secret, timestamp + b"." + body, hashlib.sha256)
    return _VERSION + mac.hexdigest().encode()


def prove(
    secret: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes, now_s: int
) -> Unproven | None:
    """None when `sign` with this secret made these headers for these bytes within TOLERANCE_S.

    A header that comes twice is refused: two readers could each believe another one.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        name = name.lower()
        if name in (TIMESTAMP_HEADER, SIGNATURE_HEADER):
            if name in found:
                return Unproven("duplicate_header")
            found[name] = value
    if len(found) < 2:
        return Unproven("missing_header")
    timestamp = found[TIMESTAMP_HEADER]
    # `isdigit` of bytes is ASCII only; twelve digits last until the year 33658.
    if not timestamp.isdigit() or len(timestamp) > 12:
        return Unproven("bad_timestamp")
    if not hmac.compare_digest(_signature(secret, timestamp, body), found[SIGNATURE_HEADER]):
        return Unproven("bad_signature")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return Unproven("stale")
    return None


async def give_back(
    payments: Payments, charge: str, amount: int, *, captured: bool, key: str
) -> ProviderAnswer:
    """Return money that bought nothing: by void, or by refund once it was captured."""
    if not captured:
        answer = await payments.void(charge, key)
        if not isinstance(answer, Failed):
            return answer
        # What we were told was authorised has been captured since. A provider may bind a key to its
        # first call, so the other way back has its own.
        key = f"{key}:refund"
    return await payments.refund(charge, amount, key)


async def report(
    store: Store, payments: Payments, drop: DropId, hold: HoldId, paid: Charged
) -> outcomes.PaymentOutcome | Unknown | Failed:
    """Tell the scripts of a payment, however it was learned of.

    A payment for a hold that is not ours is given back here, since no script stands behind it;
    Unknown and Failed say that this did not happen yet: report it again. Raises errors.Away.
    """
    outcome = await store.succeeded(
        drop, hold, paid.charge, paid.amount, paid.currency, paid.captured
    )
    if not isinstance(outcome, refusals.NotFound):
        return outcome
    key = f"stray:{paid.charge}"
    answer = await give_back(payments, paid.charge, paid.amount, captured=paid.captured, key=key)
    log.warning("payment %s is for no hold of ours (%s, %s): %s", paid.charge, drop, hold, answer)
    return outcome if isinstance(answer, Succeeded) else answer


async def perform(
    store: Store, payments: Payments, drop: DropId, duty_id: str, duty: DutyRecord
) -> None:
    """Do one duty at the provider, its id as the key, and tick it off.

    What stays unknown, and a refund that failed, stays in the outbox: call again later. Any worker
    may do any duty, also two at once. Raises errors.Away when the store does not answer.
    """
    match duty.kind:
        case "capture":
            answer = await payments.capture(duty.charge, duty_id)
            settled: Sequence[type[ProviderAnswer]] = (Succeeded, Failed)
        case "void":
            answer = await give_back(
                payments, duty.charge, duty.amount, captured=False, key=duty_id
            )
            settled = (Succeeded,)
        case "refund":
            answer = await payments.refund(duty.charge, duty.amount, duty_id)
            settled = (Succeeded,)
        case "lookup":
            await _look(store, payments, drop, duty_id, HoldId(duty.hold))
            return
        case _:
            raise AssertionError(f"{drop}: no duty is called {duty.kind!r}")
    if isinstance(answer, tuple(settled)):
        result: Literal["done", "failed"] = "done" if isinstance(answer, Succeeded) else "failed"
        await store.discharge(drop, duty_id, result)
    if not isinstance(answer, Succeeded):
        log.warning("%s: duty %s: %s", drop, duty_id, answer)


async def _look(store: Store, payments: Payments, drop: DropId, duty_id: str, hold: HoldId) -> None:
    """Find out what became of a silent payment. Until then the unit is kept to its hard stop."""
    match await payments.lookup(intent_id(drop, hold)):
        case Charged() as paid:
            await report(store, payments, drop, hold, paid)
        case Nothing() | Declined():
            await store.unpaid(drop, hold)
        case Unknown() as unknown:
            log.info("%s: the payment of %s is not known yet: %s", drop, hold, unknown.why)
            return
    await store.discharge(drop, duty_id, "done")
