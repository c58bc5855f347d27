"""What payers do, and when it becomes a payment."""

from __future__ import annotations

from pathlib import Path

from dropengine.payments.local import IntentState, LocalPay
from dropengine.payments.local.attempts import fingerprint
from dropengine.payments.port import Charged, Declined, Nothing, Unknown
from tests.kit.local_provider import (
    an_intent,
    chosen,
    local_pay,
    notices,
    page_of,
    rows,
    until_idle,
)
from tests.kit.webhook_receiver import Clock, WebhookReceiver


async def test_who_pays_is_authorised_and_the_shop_hears_it_once(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    await chosen(pay, "pay")
    await until_idle(pay)
    (notice,) = notices(pay, shop)
    assert notice.kind == "authorized"
    assert (notice.intent, notice.drop, notice.payment) == ("eclipse.p1", "eclipse", "p1")
    assert await pay.lookup("eclipse.p1") == Charged(notice.charge, 2400, "EUR", captured=False)
    assert not notice.captured


async def test_the_same_test_card_is_told_by_the_same_fingerprint_and_never_by_its_number(
    pay: LocalPay, shop: WebhookReceiver
) -> None:
    page = await chosen(pay, "decline")
    for number in ("4242 4242 4242 4242", "4242424242424242"):
        await pay.act(page, "delay", after_ms=0, card=number)
    await until_idle(pay)
    _, first, *_ = notices(pay, shop)
    assert first.card.startswith("fp_")
    assert "4242" not in first.card
    paid = await pay.lookup("eclipse.p1")
    assert isinstance(paid, Charged)
    assert paid.card == first.card == fingerprint("4242424242424242") != fingerprint("4000")
    kept = await pay.kept(0)
    assert not isinstance(kept, Unknown)
    assert {one.paid.card for one in kept} == {first.card}


async def test_who_is_declined_may_try_again(pay: LocalPay, shop: WebhookReceiver) -> None:
    page = await chosen(pay, "decline")
    assert await pay.lookup("eclipse.p1") == Declined()
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
    assert isinstance(await pay.lookup("eclipse.p1"), Unknown)
    assert shop.taken == []
    clock.pass_ms(1)
    await until_idle(pay)
    assert isinstance(await pay.lookup("eclipse.p1"), Charged)
    assert len(notices(pay, shop)) == 1


async def test_paying_late_is_nothing_before_the_deadline_that_was_told(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock
) -> None:
    await chosen(pay, "late", 500)
    clock.ms = an_intent().deadline_ms + 499
    await until_idle(pay)
    assert await pay.lookup("eclipse.p1") == Nothing()
    clock.pass_ms(1)
    await until_idle(pay)
    assert isinstance(await pay.lookup("eclipse.p1"), Charged)


async def test_paying_late_goes_by_the_newest_deadline(pay: LocalPay, clock: Clock) -> None:
    address = await pay.begin(an_intent())
    later = an_intent(deadline_ms=an_intent().deadline_ms + 60_000)
    assert await pay.begin(later) == address
    await pay.act(page_of(address), "late", 0)
    clock.ms = later.deadline_ms - 1
    assert await pay.lookup("eclipse.p1") == Nothing()
    clock.pass_ms(1)
    assert isinstance(await pay.lookup("eclipse.p1"), Charged)


async def test_who_waits_for_the_deadline_may_still_pay_now_and_then_pays_twice(
    pay: LocalPay, clock: Clock
) -> None:
    page = await chosen(pay, "late", 0)
    await pay.act(page, "pay")
    first = await pay.lookup("eclipse.p1")
    assert isinstance(first, Charged)
    clock.ms = an_intent().deadline_ms
    await pay.void(first.charge, "void-first")
    second = await pay.lookup("eclipse.p1")
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
    assert isinstance(await pay.lookup("eclipse.p1"), Charged)
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
    paid = await pay.lookup("eclipse.p1")
    assert isinstance(paid, Charged)
    await pay.void(paid.charge, "void-it")
    bill = await pay.act(page, "pay")
    assert bill is not None
    assert bill.standing == IntentState.RETURNED
    assert await pay.lookup("eclipse.p1") == Nothing()


async def test_a_payment_can_be_captured_when_it_is_made(
    path: Path, shop: WebhookReceiver, shop_url: str
) -> None:
    async with local_pay(path, shop_url, capture_at_once=True) as pay:
        await chosen(pay, "pay")
        await until_idle(pay)
        (notice,) = notices(pay, shop)
        assert notice.kind == "captured"
        assert notice.captured
        taken = Charged(notice.charge, 2400, "EUR", captured=True, taken=2400)
        assert await pay.lookup("eclipse.p1") == taken


async def test_a_silent_provider_says_nothing_and_lookup_finds_the_payment(
    path: Path, shop: WebhookReceiver, shop_url: str
) -> None:
    async with local_pay(path, shop_url, silent=True) as pay:
        await chosen(pay, "twice")
        await until_idle(pay)
        assert shop.taken == []
        assert isinstance(await pay.lookup("eclipse.p1"), Charged)
