"""The payments port: the contract that every provider keeps, proof of its word, and the duties."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import outcomes, refusals
from dropengine.model import DropId, HoldId, HoldRecord
from dropengine.payments import port
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import (
    TOLERANCE_S,
    Charged,
    Declined,
    Failed,
    Nothing,
    Notice,
    Payments,
    Succeeded,
    Unknown,
    Unproven,
    prove,
    sign,
)
from dropengine.wire import DropView, ItemView
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, START_MS
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import (
    Clock,
    Delivery,
    WebhookReceiver,
    an_intent,
    local_pay,
    page_of,
    serving,
    until_idle,
)


class Till:
    """A provider with its payers in hand: what the contract needs of each of them."""

    def __init__(self, provider: Payments, payer: Callable[[str, Do], Awaitable[object]]) -> None:
        self.provider = provider
        self._payer = payer

    async def choose(self, do: Do, hold: str = "h1", amount: int = 2400) -> None:
        address = await self.provider.begin(an_intent(hold, amount=amount))
        await self._payer(page_of(address), do)

    async def charged(self, hold: str = "h1", amount: int = 2400) -> Charged:
        await self.choose("pay", hold, amount)
        paid = await self.provider.lookup(f"eclipse.{hold}")
        assert isinstance(paid, Charged)
        return paid

    async def captured(self, hold: str = "h1", amount: int = 2400) -> Charged:
        paid = await self.charged(hold, amount)
        assert await self.provider.capture(paid.charge, f"capture:{paid.charge}") == Succeeded()
        return paid


class LocalTill(Till):
    def __init__(self, local: LocalPay, shop: WebhookReceiver, clock: Clock) -> None:
        super().__init__(local, local.act)
        self.local = local
        self.shop = shop
        self.clock = clock

    async def deliveries(self) -> list[Delivery]:
        await until_idle(self.local)
        return self.shop.taken


@pytest.fixture(params=["local"])
async def till(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalTill]:
    """Every provider of the house, one after the other."""
    assert request.param == "local"
    shop, clock = WebhookReceiver(), Clock()
    async with serving(shop.app) as url, local_pay(tmp_path / "book", url, clock) as local:
        yield LocalTill(local, shop, clock)


async def test_beginning_twice_gives_the_same_page_and_another_hold_another(till: Till) -> None:
    first = await till.provider.begin(an_intent("h1"))
    assert await till.provider.begin(an_intent("h1")) == first
    assert await till.provider.begin(an_intent("h2")) != first


async def test_an_intent_nobody_paid_or_began_is_nothing(till: Till) -> None:
    await till.provider.begin(an_intent())
    assert await till.provider.lookup("eclipse.h1") == Nothing()
    assert await till.provider.lookup("eclipse.h999") == Nothing()


async def test_lookup_tells_what_was_paid_and_whether_it_was_captured(till: Till) -> None:
    paid = await till.charged(amount=1999)
    assert paid == Charged(paid.charge, 1999, "EUR", captured=False)
    await till.provider.capture(paid.charge, "k")
    assert await till.provider.lookup("eclipse.h1") == Charged(paid.charge, 1999, "EUR", True)


async def test_a_declined_payment_is_told_from_none_and_can_be_made_up_for(till: Till) -> None:
    await till.choose("decline")
    assert await till.provider.lookup("eclipse.h1") == Declined()
    assert isinstance(await till.charged(), Charged)


async def test_every_call_may_come_twice(till: Till) -> None:
    provider = till.provider
    kept, let_go = await till.charged("h1"), await till.charged("h2")
    for _ in range(2):
        assert await provider.capture(kept.charge, "capture") == Succeeded()
        assert await provider.void(let_go.charge, "void") == Succeeded()
    for _ in range(2):
        assert await provider.refund(kept.charge, 1400, "part") == Succeeded()
    # Repeating gave nothing back twice: exactly the rest is left.
    assert await provider.refund(kept.charge, 1001, "too-much") == Failed("too_much")
    assert await provider.refund(kept.charge, 1000, "rest") == Succeeded()
    assert await provider.lookup("eclipse.h1") == Nothing()
    assert await provider.lookup("eclipse.h2") == Nothing()


async def test_many_at_once_do_it_once(till: Till) -> None:
    paid = await till.captured()
    same = [till.provider.refund(paid.charge, 1200, "refund") for _ in range(20)]
    assert await asyncio.gather(*same) == [Succeeded()] * 20
    assert await till.provider.refund(paid.charge, 1200, "rest") == Succeeded()


async def test_a_key_belongs_to_its_first_call(till: Till) -> None:
    paid = await till.captured()
    await till.provider.refund(paid.charge, 100, "k")
    assert await till.provider.refund(paid.charge, 200, "k") == Failed("key_reused")
    assert await till.provider.void(paid.charge, "k") == Failed("key_reused")


async def test_a_failure_is_decided_again(till: Till) -> None:
    paid = await till.charged()
    assert isinstance(await till.provider.refund(paid.charge, 1000, "k"), Failed)
    await till.provider.capture(paid.charge, "capture")
    assert await till.provider.refund(paid.charge, 1000, "k") == Succeeded()


async def test_what_was_let_go_cannot_be_taken_and_what_was_taken_cannot_be_let_go(
    till: Till,
) -> None:
    let_go, taken = await till.charged("h1"), await till.captured("h2")
    await till.provider.void(let_go.charge, "void")
    assert isinstance(await till.provider.capture(let_go.charge, "capture"), Failed)
    assert isinstance(await till.provider.void(taken.charge, "void-2"), Failed)


async def test_refunding_what_was_never_captured_lets_it_go(till: Till) -> None:
    paid = await till.charged()
    assert await till.provider.refund(paid.charge, paid.amount, "refund") == Succeeded()
    assert await till.provider.lookup("eclipse.h1") == Nothing()
    assert isinstance(await till.provider.capture(paid.charge, "capture"), Failed)


async def test_a_charge_that_was_never_made_fails(till: Till) -> None:
    assert isinstance(await till.provider.capture("none", "k1"), Failed)
    assert isinstance(await till.provider.void("none", "k2"), Failed)
    assert isinstance(await till.provider.refund("none", 1, "k3"), Failed)


async def test_a_webhook_says_what_lookup_says(till: LocalTill) -> None:
    paid = await till.charged()
    (delivery,) = await till.deliveries()
    notice = till.provider.parse_webhook(*delivery)
    assert isinstance(notice, Notice)
    assert Charged(notice.charge, notice.amount, notice.currency, notice.captured) == paid


async def test_a_webhook_with_any_bit_changed_is_refused(till: LocalTill) -> None:
    await till.charged()
    ((headers, body),) = await till.deliveries()
    parse = till.provider.parse_webhook
    assert isinstance(parse(headers, body), Notice)
    for at in range(len(body)):
        assert parse(headers, _flip(body, at)) == Unproven("bad_signature")
    for name in (port.TIMESTAMP_HEADER, port.SIGNATURE_HEADER):
        value = dict(headers)[name]
        for at in range(len(value)):
            bad = [(n, _flip(v, at) if n == name else v) for n, v in headers]
            assert isinstance(parse(bad, body), Unproven)
        assert parse([row for row in headers if row[0] != name], body) == Unproven("missing_header")
        assert parse([*headers, (name, value)], body) == Unproven("duplicate_header")
        assert parse([*headers, (name.upper(), b"0")], body) == Unproven("duplicate_header")
    assert parse([], body) == Unproven("missing_header")


async def test_a_webhook_is_believed_for_five_minutes_either_way(till: LocalTill) -> None:
    await till.charged()
    (delivery,) = await till.deliveries()
    start = till.clock.ms
    for seconds, believed in [
        (TOLERANCE_S, True),
        (TOLERANCE_S + 1, False),
        (-TOLERANCE_S, True),
        (-TOLERANCE_S - 1, False),
    ]:
        till.clock.ms = start + seconds * 1000
        notice = till.provider.parse_webhook(*delivery)
        assert isinstance(notice, Notice) == believed, seconds
        assert believed or notice == Unproven("stale")


async def test_a_webhook_signed_by_another_shop_is_refused(till: LocalTill, tmp_path: Path) -> None:
    await till.charged()
    (delivery,) = await till.deliveries()
    other = LocalPay(tmp_path / "other", b"another secret", "http://127.0.0.1:9", clock=Clock())
    assert other.parse_webhook(*delivery) == Unproven("bad_signature")
    await other.close()


def _flip(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@given(st.binary(), st.binary(), st.integers(0, 10**11), st.binary(), st.integers(-600, 600))
def test_only_the_same_bytes_under_the_same_secret_are_proven(
    secret: bytes, body: bytes, at_s: int, other: bytes, skew_s: int
) -> None:
    headers = sign(secret, at_s, body)
    fresh = prove(secret, headers, body, at_s + skew_s)
    assert fresh == (None if abs(skew_s) <= TOLERANCE_S else Unproven("stale"))
    if other != body:
        assert prove(secret, headers, other, at_s) == Unproven("bad_signature")
    if other != secret and other.rstrip(b"\0") != secret.rstrip(b"\0"):
        assert prove(other, headers, body, at_s) == Unproven("bad_signature")


@pytest.mark.parametrize("stamp", [b"", b"-1", b"1e9", b" 1", b"0x1", b"1" * 13, b"\xb2", b"1.5"])
def test_a_timestamp_is_a_few_digits(stamp: bytes) -> None:
    headers = [(port.TIMESTAMP_HEADER, stamp), sign(b"s", 1, b"")[1]]
    assert prove(b"s", headers, b"", 1) == Unproven("bad_timestamp")


def _body(**wrong: str) -> bytes:
    right = Notice("e", "captured", "a.h1", DropId("a"), HoldId("h1"), "c", 1, "EUR", True)
    return msgspec.json.encode(msgspec.structs.asdict(right) | wrong)


def test_the_bodies_below_are_wrong_in_one_thing_only() -> None:
    assert isinstance(msgspec.json.decode(_body(), type=Notice), Notice)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        _body(kind="stolen"),
        _body(drop="b"),
        _body(amount="1"),
    ],
)
async def test_a_proven_body_that_says_nothing_clear_is_refused(
    till: LocalTill, body: bytes
) -> None:
    headers = sign(till.local._hook_key, till.clock.ms // 1000, body)
    assert till.provider.parse_webhook(headers, body) == Unproven("bad_body")


def _view() -> DropView:
    items = [
        ItemView(id=name, title=name.title(), cap=9, price=1500, limit=0, most=3)
        for name in ("pin", "lamp")
    ]
    return DropView(
        id="eclipse",
        title="Eclipse",
        maker="Tests",
        story="",
        state="live",
        revision=1,
        mode="rush",
        currency="JPY",
        minor_digits=0,
        zone="Asia/Tokyo",
        opens_ms=0,
        closes_ms=0,
        now=START_MS,
        limit=3,
        k=5,
        hold_ms=HOLD_MS,
        offer_ms=0,
        extend_ms=0,
        cool_ms=0,
        practice=False,
        hash="",
        epoch="",
        durable=True,
        items=items,
        pools={},
        lines={},
        news=[],
    )


def _record(pool: str, qty: int) -> HoldRecord:
    return HoldRecord(
        fan="ada",
        pool=pool,
        qty=qty,
        price=1500,
        origin="press",
        state="paying",
        start_ms=START_MS,
        deadline_ms=START_MS + HOLD_MS,
        entry="",
        claimed=0,
        extended=0,
        began=1,
        looked=0,
        key="k",
    )


def test_an_intent_says_what_the_hold_says() -> None:
    intent = port.intend(_view(), HoldId("h7"), _record("lamp@north", 2), "/drops/eclipse")
    assert intent.id == "eclipse.h7"
    assert (intent.title, intent.what, intent.qty) == ("Eclipse", "Lamp (north)", 2)
    assert (intent.amount, intent.currency, intent.minor_digits) == (3000, "JPY", 0)
    assert intent.deadline_ms == START_MS + HOLD_MS
    plain = port.intend(_view(), HoldId("h8"), _record("pin", 1), "/drops/eclipse")
    assert plain.what == "Pin"


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    book = tmp_path / "book"
    async with local_pay(book, clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, book)


async def test_a_sold_unit_is_captured_and_ticked_off_once(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    assert isinstance(await counter.told(hold, paid), outcomes.Sold)
    assert await counter.duties() == {"capture"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.order(hold) == "done"
    assert await counter.at_provider(paid.charge) == "captured"
    assert (await counter.sale.words()).count("discharged") == 1


async def test_a_capture_that_is_refused_leaves_the_unit_sold_and_says_so(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    await counter.local.void(paid.charge, "the bank's own will")
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.order(hold) == "capture_failed"
    assert await counter.sale.counts() == (2, 0, 1, 0)


async def test_money_that_came_too_late_goes_back(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.over()
    await counter.work()
    for fan in ("ben", "cleo", "dan"):
        await counter.sale.held(fan)
    paid = await counter.paid(hold)
    outcome = await counter.told(hold, paid)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "late"
    assert await counter.duties() == {"void"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.at_provider(paid.charge) == "voided"


async def test_a_second_payment_goes_back_even_if_it_was_captured_meanwhile(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "delay", 10)
    first = await counter.paid(hold)
    assert isinstance(await counter.told(hold, first), outcomes.Sold)
    counter.sale.now += 10
    await until_idle(counter.local)
    (other,) = set(await counter.charges()) - {first.charge}
    second = Charged(other, first.amount, first.currency, captured=False)
    outcome = await counter.told(hold, second)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "second"
    await counter.local.capture(other, "somebody at the provider's desk")
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.charges() == {first.charge: "captured", other: "refunded"}


async def test_a_refunded_order_gets_its_money_back_captured_or_not(counter: PaidSale) -> None:
    captured, authorised = await counter.begun("ada"), await counter.begun("ben")
    first, second = await counter.paid(captured), await counter.paid(authorised)
    await counter.told(captured, first)
    await counter.work()
    await counter.told(authorised, second)
    for order in (captured, authorised):
        assert isinstance(await counter.sale.refund(order), outcomes.Refunded)
    assert await counter.duties() == {"refund"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.at_provider(first.charge) == "refunded"
    assert await counter.at_provider(second.charge) == "voided"
    assert await counter.order(captured) == await counter.order(authorised) == "refunded"


async def test_a_silent_payment_is_found_before_its_unit_is_taken_away(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.paid(hold)
    await counter.over()
    assert await counter.duties() == {"lookup"}
    await counter.work()
    await counter.work()
    assert await counter.order(hold) == "done"
    assert await counter.duties() == set()


@pytest.mark.parametrize("do", [None, "decline", "late"])
async def test_a_hold_that_nobody_paid_ends_as_soon_as_that_is_known(
    counter: PaidSale, do: Do | None
) -> None:
    hold = await counter.begun("ada")
    if do is not None:
        await counter.choose(hold, do)
    await counter.over()
    assert await counter.sale.counts() == (2, 1, 0, 0)
    await counter.work()
    assert await counter.sale.counts() == (3, 0, 0, 0)
    assert await counter.duties() == set()


async def test_a_payment_on_its_way_keeps_its_unit_to_the_hard_stop_and_its_duty_beyond(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "delay", HOLD_MS + 2 * LOOKUP_MS)
    await counter.over()
    await counter.work()
    assert await counter.sale.counts() == (2, 1, 0, 0)
    counter.sale.now += LOOKUP_MS
    await counter.sale.settle()
    assert await counter.sale.counts() == (3, 0, 0, 0)
    await counter.work()
    assert await counter.duties() == {"lookup"}
    # The money arrives and no webhook tells: the duty still finds it, and a unit is left for it.
    counter.sale.now += LOOKUP_MS
    await counter.work()
    await counter.work()
    assert await counter.sale.counts() == (2, 0, 1, 0)
    assert await counter.duties() == set()


async def test_a_provider_that_is_away_leaves_every_duty_for_later(counter: PaidSale) -> None:
    for fan in ("ada", "ben"):
        hold = await counter.begun(fan)
        await counter.told(hold, await counter.paid(hold))
    await counter.sale.refund(hold)
    await counter.begun("cleo")
    await counter.over()
    waiting = {"capture", "refund", "lookup"}
    assert await counter.duties() == waiting
    locker = sqlite3.connect(counter.book, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await counter.work()
    assert await counter.duties() == waiting
    locker.execute("ROLLBACK")
    locker.close()
    await counter.work()
    assert await counter.duties() == set()


async def test_a_payment_for_no_hold_of_ours_goes_back_at_once(counter: PaidSale) -> None:
    for hold, capture in (("h998", False), ("h999", True)):
        intent = an_intent(hold, drop=counter.sale.drop)
        await counter.local.act(page_of(await counter.local.begin(intent)), "pay")
        paid = await counter.local.lookup(intent.id)
        assert isinstance(paid, Charged)
        if capture:
            await counter.local.capture(paid.charge, "capture")
            paid = Charged(paid.charge, paid.amount, paid.currency, captured=True)
        store, drop = counter.sale.store, counter.sale.drop
        for _ in range(2):
            outcome = await port.report(store, counter.local, drop, HoldId(hold), paid)
            assert isinstance(outcome, refusals.NotFound)
        state = await counter.at_provider(paid.charge)
        assert state == ("refunded" if capture else "voided")


async def test_a_payment_for_a_drop_that_does_not_exist_goes_back_too(counter: PaidSale) -> None:
    intent = an_intent("h1", drop="no-such-drop")
    await counter.local.act(page_of(await counter.local.begin(intent)), "pay")
    paid = await counter.local.lookup(intent.id)
    assert isinstance(paid, Charged)
    drop = DropId("no-such-drop")
    await port.report(counter.sale.store, counter.local, drop, HoldId("h1"), paid)
    assert await counter.local.lookup(intent.id) == Nothing()


async def test_what_cannot_be_given_back_now_is_reported_again(counter: PaidSale) -> None:
    paid = Charged("ch_unknown", 2400, "EUR", captured=True)
    store, drop = counter.sale.store, counter.sale.drop
    outcome = await port.report(store, counter.local, drop, HoldId("h999"), paid)
    assert isinstance(outcome, Failed)
    locker = sqlite3.connect(counter.book, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    outcome = await port.report(store, counter.local, drop, HoldId("h999"), paid)
    assert isinstance(outcome, Unknown)
    locker.execute("ROLLBACK")
    locker.close()
