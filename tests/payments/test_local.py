"""The local test provider: what its payers do, how its word travels, and what its book survives."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import errors
from dropengine.payments.local import Do, IntentState, LocalPay, book, charges, deliveries
from dropengine.payments.local.book import Tx
from dropengine.payments.port import (
    Charged,
    Declined,
    Failed,
    Nothing,
    Notice,
    ProviderAnswer,
    Succeeded,
    Unknown,
)
from tests.kit.webhook_receiver import (
    Clock,
    WebhookReceiver,
    an_intent,
    local_pay,
    page_of,
    serving,
    until_idle,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "localpay.sqlite"


@pytest.fixture
def shop() -> WebhookReceiver:
    return WebhookReceiver()


@pytest.fixture
async def shop_url(shop: WebhookReceiver) -> AsyncIterator[str]:
    async with serving(shop.app) as url:
        yield url


@pytest.fixture
async def pay(path: Path, shop_url: str, clock: Clock) -> AsyncIterator[LocalPay]:
    async with local_pay(path, shop_url, clock) as provider:
        yield provider


async def chosen(pay: LocalPay, do: Do, after_ms: int | None = None, *, hold: str = "h1") -> str:
    """Begin the payment of a hold and choose; the page."""
    page = page_of(await pay.begin(an_intent(hold)))
    assert await pay.act(page, do, after_ms) is not None
    return page


def notices(pay: LocalPay, shop: WebhookReceiver) -> list[Notice]:
    proven = [pay.parse_webhook(*delivery) for delivery in shop.taken]
    return [notice for notice in proven if isinstance(notice, Notice)]


async def test_who_pays_is_authorised_and_the_shop_hears_it_once(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    await chosen(pay, "pay")
    await until_idle(pay)
    (notice,) = notices(pay, shop)
    assert notice.kind == "authorized"
    assert (notice.intent, notice.drop, notice.hold) == ("eclipse.h1", "eclipse", "h1")
    assert await pay.lookup("eclipse.h1") == Charged(notice.charge, 2400, "EUR", captured=False)
    assert not notice.captured


async def test_who_is_declined_may_try_again(pay: LocalPay, shop: WebhookReceiver) -> None:
    page = await chosen(pay, "decline")
    assert await pay.lookup("eclipse.h1") == Declined()
    bill = await pay.act(page, "pay")
    assert bill is not None
    assert bill.standing == IntentState.AUTHORIZED
    await until_idle(pay)
    assert [notice.kind for notice in notices(pay, shop)] == ["declined", "authorized"]
    assert notices(pay, shop)[0].charge == ""


async def test_a_slow_payment_is_unknown_until_it_arrives(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    await chosen(pay, "delay", 3_000)
    clock.pass_ms(2_999)
    await until_idle(pay)
    assert isinstance(await pay.lookup("eclipse.h1"), Unknown)
    assert shop.taken == []
    clock.pass_ms(1)
    await until_idle(pay)
    assert isinstance(await pay.lookup("eclipse.h1"), Charged)
    assert len(notices(pay, shop)) == 1


async def test_paying_late_is_nothing_before_the_deadline_that_was_told(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    await chosen(pay, "late", 500)
    clock.ms = an_intent().deadline_ms + 499
    await until_idle(pay)
    assert await pay.lookup("eclipse.h1") == Nothing()
    clock.pass_ms(1)
    await until_idle(pay)
    assert isinstance(await pay.lookup("eclipse.h1"), Charged)


async def test_paying_late_goes_by_the_newest_deadline(pay: LocalPay, clock: Clock) -> None:
    address = await pay.begin(an_intent())
    later = an_intent(deadline_ms=an_intent().deadline_ms + 60_000)
    assert await pay.begin(later) == address
    await pay.act(page_of(address), "late", 0)
    clock.ms = later.deadline_ms - 1
    assert await pay.lookup("eclipse.h1") == Nothing()
    clock.pass_ms(1)
    assert isinstance(await pay.lookup("eclipse.h1"), Charged)


async def test_who_waits_for_the_deadline_may_still_pay_now_and_then_pays_twice(
    pay: LocalPay, clock: Clock
) -> None:
    page = await chosen(pay, "late", 0)
    await pay.act(page, "pay")
    first = await pay.lookup("eclipse.h1")
    assert isinstance(first, Charged)
    clock.ms = an_intent().deadline_ms
    await pay.void(first.charge, "void-first")
    second = await pay.lookup("eclipse.h1")
    assert isinstance(second, Charged)
    assert second.charge != first.charge


async def test_the_webhook_comes_twice_when_the_payer_says_so(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    await chosen(pay, "twice")
    await until_idle(pay)
    first, second = notices(pay, shop)
    assert first == second
    assert shop.taken[0].body == shop.taken[1].body


async def test_a_choice_made_twice_with_one_key_is_one_choice(
    pay: LocalPay, clock: Clock, path: Path
) -> None:
    page = page_of(await pay.begin(an_intent()))
    for _ in range(3):
        await pay.act(page, "delay", 10, key="form-1")
    clock.pass_ms(10)
    assert isinstance(await pay.lookup("eclipse.h1"), Charged)
    assert rows(path, "SELECT count(*) FROM charges") == [(1,)]


async def test_another_button_of_the_same_form_is_another_choice(pay: LocalPay) -> None:
    page = page_of(await pay.begin(an_intent()))
    await pay.act(page, "decline", key="form-1")
    bill = await pay.act(page, "pay", key="form-1")
    assert bill is not None
    assert bill.standing == IntentState.AUTHORIZED


async def test_what_was_paid_takes_no_more(pay: LocalPay, path: Path) -> None:
    page = await chosen(pay, "pay")
    for do in ("pay", "twice", "delay", "late", "decline"):
        bill = await pay.act(page, do)
        assert bill is not None
        assert bill.standing == IntentState.AUTHORIZED
    assert rows(path, "SELECT count(*) FROM charges") == [(1,)]


async def test_what_went_back_is_closed(pay: LocalPay) -> None:
    page = await chosen(pay, "pay")
    paid = await pay.lookup("eclipse.h1")
    assert isinstance(paid, Charged)
    await pay.void(paid.charge, "void-it")
    bill = await pay.act(page, "pay")
    assert bill is not None
    assert bill.standing == IntentState.RETURNED
    assert await pay.lookup("eclipse.h1") == Nothing()


async def test_a_payment_can_be_captured_when_it_is_made(
    path: Path, shop: WebhookReceiver, shop_url: str
) -> None:
    async with local_pay(path, shop_url, capture_at_once=True) as pay:
        await chosen(pay, "pay")
        await until_idle(pay)
        (notice,) = notices(pay, shop)
        assert notice.kind == "captured"
        assert notice.captured
        assert await pay.lookup("eclipse.h1") == Charged(notice.charge, 2400, "EUR", captured=True)


async def test_a_page_whose_seal_is_not_ours_does_not_exist(pay: LocalPay) -> None:
    page = await chosen(pay, "decline")
    assert await pay.bill(page) is not None
    for wrong in ("", "eclipse.h1", page[:-1], page + "A", page.replace("h1", "h2"), "é." + page):
        assert await pay.bill(wrong) is None
        assert await pay.act(wrong, "pay") is None
    assert await pay.lookup("eclipse.h1") == Declined()


async def test_a_webhook_comes_again_until_it_is_taken_and_waits_as_long_as_it_is_told(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(503, "7"), (500, "")])
    await chosen(pay, "pay")
    await until_idle(pay)
    assert len(shop.taken) == 1
    clock.pass_ms(6_999)
    await until_idle(pay)
    assert len(shop.taken) == 1
    clock.pass_ms(1)
    await until_idle(pay)
    assert len(shop.taken) == 2
    clock.pass_ms(1_000)
    await until_idle(pay)
    clock.pass_ms(deliveries.KEEP_MS)
    await until_idle(pay)
    assert len(shop.taken) == 3
    # Signed anew each time: all of them are believed at their time.
    assert len({dict(delivery.headers)[b"drop-pay-timestamp"] for delivery in shop.taken}) == 3


async def test_no_wish_of_the_shop_makes_a_webhook_wait_for_ever(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(503, "99999"), (503, "soon"), (503, "9" * 4000)])
    await chosen(pay, "pay")
    for taken in range(1, 5):
        await until_idle(pay)
        assert len(shop.taken) == taken
        clock.pass_ms(deliveries.BACKOFF_MS_MAX)


async def test_the_wait_between_tries_grows_and_stays_bounded(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    shop.answers.extend([(500, "")] * 12)
    await chosen(pay, "pay")
    waits = []
    for _ in range(12):
        await until_idle(pay)
        before, seen = clock.ms, len(shop.taken)
        while len(shop.taken) == seen:
            clock.pass_ms(deliveries.BACKOFF_MS)
            await until_idle(pay)
        waits.append(clock.ms - before)
    assert waits[:3] == [250, 500, 1_000]
    assert waits == sorted(waits)
    assert waits[-1] == deliveries.BACKOFF_MS_MAX


async def test_a_shop_that_does_not_listen_hears_it_later(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, "http://127.0.0.1:1", clock) as pay:
        await chosen(pay, "pay")
        await until_idle(pay)
    clock.pass_ms(deliveries.BACKOFF_MS)
    async with local_pay(path, shop_url, clock) as pay:
        await until_idle(pay)
    assert len(shop.taken) == 1


async def test_a_webhook_that_nobody_takes_for_three_days_is_given_up_but_lookup_still_tells(
    path: Path, clock: Clock
) -> None:
    async with local_pay(path, clock=clock) as pay:
        await chosen(pay, "pay")
        clock.pass_ms(deliveries.KEEP_MS)
        await until_idle(pay)
        assert rows(path, "SELECT count(*) FROM deliveries") == [(0,)]
        assert isinstance(await pay.lookup("eclipse.h1"), Charged)


async def test_a_silent_provider_says_nothing_and_lookup_finds_the_payment(
    path: Path, shop: WebhookReceiver, shop_url: str
) -> None:
    async with local_pay(path, shop_url, silent=True) as pay:
        await chosen(pay, "twice")
        await until_idle(pay)
        assert shop.taken == []
        assert isinstance(await pay.lookup("eclipse.h1"), Charged)


async def test_two_workers_never_bring_the_same_webhook_at_once(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with (
        local_pay(path, shop_url, clock) as one,
        local_pay(path, shop_url, clock) as two,
    ):
        for number in range(1, 61):
            await chosen(one, "pay", hold=f"h{number}")
        await asyncio.gather(until_idle(one), until_idle(two))
        told = [notice.hold for notice in notices(one, shop)]
        assert sorted(told) == sorted({f"h{number}" for number in range(1, 61)})


async def test_a_worker_that_dies_with_a_webhook_in_hand_leaves_it_to_another(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock) as pay:
        await chosen(pay, "pay")
    dying = book.Book(path, clock, busy_ms=1_000)
    assert len(await dying.transact(deliveries.take)) == 1
    await dying.close()
    async with local_pay(path, shop_url, clock) as pay:
        await until_idle(pay)
        assert shop.taken == []
        clock.pass_ms(deliveries.LEASE_MS)
        await until_idle(pay)
        assert len(shop.taken) == 1


async def test_the_task_brings_a_webhook_as_soon_as_somebody_paid(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    running = asyncio.create_task(pay.run())
    async with asyncio.timeout(30):
        for hold in ("h1", "h2"):
            shop.came.clear()
            await chosen(pay, "pay", hold=hold)
            await shop.came.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {notice.hold for notice in notices(pay, shop)} == {"h1", "h2"}


async def test_the_task_outlives_a_book_that_cannot_be_used(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock, busy_ms=1) as pay:
        await chosen(pay, "pay")
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.Unavailable):
            await pay.step()
        running = asyncio.create_task(pay.run())
        locker.execute("ROLLBACK")
        locker.close()
        async with asyncio.timeout(30):
            await shop.came.wait()
        running.cancel()
        await asyncio.wait([running])


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


async def test_the_book_goes_on_where_it_was(
    path: Path, shop: WebhookReceiver, shop_url: str, clock: Clock
) -> None:
    async with local_pay(path, shop_url, clock) as pay:
        address = await pay.begin(an_intent())
        await chosen(pay, "delay", 50, hold="h2")
        await chosen(pay, "pay")
    clock.pass_ms(50)
    async with local_pay(path, shop_url, clock) as pay:
        assert await pay.begin(an_intent()) == address
        await until_idle(pay)
        assert {notice.hold for notice in notices(pay, shop)} == {"h1", "h2"}


async def test_many_workers_open_a_new_book_at_once(path: Path) -> None:
    books = [book.Book(path, Clock(), busy_ms=5_000) for _ in range(12)]
    counts = await asyncio.gather(
        *(one.transact(lambda tx: tx.row("SELECT count(*) FROM intents")) for one in books)
    )
    assert counts == [(0,)] * 12
    for one in books:
        await one.close()


async def test_the_book_is_nobody_elses_business(pay: LocalPay, path: Path) -> None:
    await pay.begin(an_intent())
    for file in path.parent.glob("localpay.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file.name


async def test_a_book_of_a_newer_version_is_refused_with_a_sentence(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {book.SCHEMA + 1}")
    connection.close()
    async with local_pay(path) as pay:
        with pytest.raises(errors.DropEngineError, match="written by a newer version"):
            await pay.begin(an_intent())


async def test_a_book_that_is_busy_makes_every_answer_unknown_and_decides_nothing(
    path: Path,
) -> None:
    async with local_pay(path, busy_ms=1) as pay:
        page = await chosen(pay, "pay")
        paid = await pay.lookup("eclipse.h1")
        assert isinstance(paid, Charged)
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        assert isinstance(await pay.lookup("eclipse.h1"), Unknown)
        assert isinstance(await pay.capture(paid.charge, "k1"), Unknown)
        assert isinstance(await pay.void(paid.charge, "k2"), Unknown)
        assert isinstance(await pay.refund(paid.charge, 1, "k3"), Unknown)
        for call in (pay.begin(an_intent()), pay.bill(page), pay.act(page, "pay")):
            with pytest.raises(errors.Unavailable):
                await call
        locker.execute("ROLLBACK")
        locker.close()
        assert await pay.lookup("eclipse.h1") == paid


async def test_an_intent_cannot_change_its_price(pay: LocalPay) -> None:
    await pay.begin(an_intent(amount=2400))
    with pytest.raises(errors.Broken):
        await pay.begin(an_intent(amount=2399))
    await chosen(pay, "pay")
    paid = await pay.lookup("eclipse.h1")
    assert isinstance(paid, Charged)
    assert paid.amount == 2400


CALLS = st.tuples(
    st.sampled_from(["capture", "void", "refund"]),
    st.sampled_from([0, 1, 30, 70, 100]),
    st.sampled_from(["k1", "k2", "k3", "k4"]),
)


@given(st.lists(CALLS, max_size=12))
def test_money_goes_back_at_most_once_whatever_is_asked_and_repeated(
    calls: list[tuple[str, int, str]],
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(book.LAYOUT)
    tx = Tx(connection, 0)
    tx.sql("INSERT INTO intents VALUES ('i', ?, 100, 'EUR', 0)", msgspec.json.encode(an_intent()))
    tx.sql("INSERT INTO charges VALUES ('c', 'i', 100, 'EUR', 'authorized', 0, 0)")
    done: dict[str, tuple[str, int]] = {}
    taken = given_back = 0
    let_go = False
    for call, some, key in calls:
        amount = some if call == "refund" else 0
        answer: ProviderAnswer = charges.once(tx, key, call, "c", amount)
        if key in done:
            expected = Succeeded() if done[key] == (call, amount) else Failed("key_reused")
            assert answer == expected
            continue
        if answer == Succeeded():
            done[key] = (call, amount)
            if call == "capture":
                assert not let_go
                taken = 100
            elif taken:
                assert call == "refund"
                given_back += amount
            else:
                let_go = True
        state, refunded = connection.execute("SELECT state, refunded FROM charges").fetchone()
        assert refunded == given_back <= taken
        assert (state in ("captured", "refunded")) == (taken == 100)
        assert (state == "refunded") == (given_back == 100)
        assert (state == "voided") == let_go
    connection.close()
