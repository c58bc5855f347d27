"""The duties: what is owed outside is done once, and what is unknown stays in the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from dropengine import events, outcomes, refusals
from dropengine.log.referee import judge
from dropengine.model import AMOUNT_MAX, DropId, DutyRecord
from dropengine.payments.duties import perform, report
from dropengine.payments.local import Do, LocalPay
from dropengine.payments.port import Cancellation, Charged, Failed, Nothing, ProviderAnswer, Unknown
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.local_provider import SECRET, an_intent, local_pay, page_of, until_idle
from tests.kit.manifests import EXTEND_MS, HOLD_MS, LOOKUP_MS, item
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture
async def counter(sale: Sale, tmp_path: Path) -> AsyncIterator[PaidSale]:
    book = tmp_path / "book"
    async with local_pay(book, clock=SaleClock(sale), busy_ms=20) as local:
        yield PaidSale(sale, local, book)


async def tell(
    counter: PaidSale, drop: DropId, payment: str, paid: Charged
) -> outcomes.PaymentOutcome | Unknown | Failed:
    """What somebody heard of."""
    store, providers, intents = counter.sale.store, counter.providers, counter.intents
    return await report(store, providers, counter.local, intents, drop, payment, paid)


async def test_a_sold_unit_is_captured_and_ticked_off_once(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    assert isinstance(await counter.told(hold, paid), outcomes.Paid)
    assert await counter.duties() == {"capture", "cancel"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.order(hold) == "done"
    assert await counter.at_provider(paid.charge) == "captured"
    told = [e.duty for e in await counter.sale.log() if isinstance(e, events.Discharged)]
    assert sorted(told) == ["cancel:p1", "capture:p1"]


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


async def test_a_capture_whose_answer_was_lost_before_a_refund_gives_back_what_is_over(
    counter: PaidSale,
) -> None:
    """The provider took all; the script, which did not hear of it, owes a smaller capture."""
    hold = await counter.begun("ada", qty=2)
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    sale = counter.sale
    await counter.local.capture(paid.charge, paid.amount, f"capture:{paid.charge}:{paid.amount}")
    serials = (await sale.truth()).orders[hold].serials
    assert isinstance(await sale.refund(hold, serials[0]), outcomes.Refunded)
    assert (await sale.store.duties(sale.drop))["capture:p1"].amount == paid.amount // 2
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.money() == paid.amount // 2
    assert await counter.order(hold) == "done"


async def test_a_capture_that_is_lowered_while_it_is_done_is_done_again(counter: PaidSale) -> None:
    hold = await counter.begun("ada", qty=2)
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    sale = counter.sale
    before = (await sale.store.duties(sale.drop))["capture:p1"]
    serials = (await sale.truth()).orders[hold].serials
    await sale.refund(hold, serials[0])
    doing = (sale.store, counter.providers, counter.intents, sale.drop)
    assert await perform(*doing, "capture:p1", before) == ""
    assert "capture" in await counter.duties()
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.money() == paid.amount // 2


async def test_a_provider_that_is_not_set_up_any_more_leaves_its_duties_waiting(
    counter: PaidSale,
) -> None:
    sale, hold = counter.sale, await counter.sale.held("ada")
    await sale.pay("ada", hold, provider="gone")
    await sale.succeeded("p1", "ch_gone")
    doing = (sale.store, counter.providers, counter.intents, sale.drop)
    for duty_id, duty in (await sale.store.duties(sale.drop)).items():
        assert await perform(*doing, duty_id, duty) == "the provider 'gone' is not set up any more"
    assert await counter.duties() == {"capture", "cancel"}


async def test_money_that_came_too_late_goes_back(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "late", LOOKUP_MS)
    await counter.over()
    await counter.work()
    counter.sale.now += LOOKUP_MS
    for fan in ("ben", "cleo", "dan"):
        await counter.sale.held(fan)
    paid = await counter.local.lookup(await counter.intent(hold))
    assert isinstance(paid, Charged)
    outcome = await counter.told(hold, paid)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "late"
    assert await counter.duties() == {"void", "cancel"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.at_provider(paid.charge) == "voided"


async def test_a_second_payment_goes_back_even_if_it_was_captured_meanwhile(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "delay", 10)
    first = await counter.paid(hold)
    assert isinstance(await counter.told(hold, first), outcomes.Paid)
    counter.sale.now += 10
    await until_idle(counter.local)
    (other,) = set(await counter.charges()) - {first.charge}
    second = Charged(other, first.amount, first.currency, captured=False)
    outcome = await counter.told(hold, second)
    assert isinstance(outcome, outcomes.Voided)
    assert outcome.why == "second"
    await counter.local.capture(other, second.amount, "somebody at the provider's desk")
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
    # What was not captured yet is let go: nothing has to be given back.
    assert await counter.duties() == {"refund", "void", "cancel"}
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.at_provider(first.charge) == "refunded"
    assert await counter.at_provider(second.charge) == "voided"
    assert await counter.order(captured) == await counter.order(authorised) == "refunded"


async def test_a_silent_payment_is_found_before_its_unit_is_taken_away(counter: PaidSale) -> None:
    hold = await counter.begun("ada")
    await counter.paid(hold)
    await counter.over()
    assert await counter.duties() == {"cancel"}
    await counter.work()
    await counter.work()
    assert await counter.order(hold) == "done"
    assert await counter.duties() == set()


@pytest.mark.parametrize(("do", "left"), [(None, []), ("decline", [])])
async def test_a_hold_that_nobody_paid_ends_as_soon_as_that_is_known(
    counter: PaidSale, do: Do | None, left: list[str]
) -> None:
    hold = await counter.begun("ada")
    if do is not None:
        await counter.choose(hold, do)
    await counter.over()
    assert await counter.sale.counts() == (2, 1, 0, 0)
    await counter.work()
    # The payer's page is shut, so that this is an answer for good.
    assert await counter.sale.counts() == (3, 0, 0, 0)
    assert await counter.duties() == set(left)


async def test_a_payment_on_its_way_keeps_its_unit_to_the_hard_stop_and_its_duty_beyond(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "delay", HOLD_MS + 2 * LOOKUP_MS)
    # Another of the same payer, which no provider can stop.
    await counter.choose(hold, "late", 2 * LOOKUP_MS)
    await counter.over()
    await counter.work()
    assert await counter.sale.counts() == (2, 1, 0, 0)
    counter.sale.now += LOOKUP_MS
    await counter.sale.settle()
    assert await counter.sale.counts() == (3, 0, 0, 0)
    await counter.work()
    assert await counter.duties() == {"cancel"}
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
    waiting = await counter.duties()
    assert waiting == {"capture", "void", "cancel"}
    locker = sqlite3.connect(counter.book, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await counter.work()
    assert await counter.duties() == waiting
    locker.execute("ROLLBACK")
    locker.close()
    await counter.work()
    # Nobody paid for the hold: it has ended, and its page is still to be shut.
    await counter.work()
    assert await counter.duties() == set()


async def test_a_payment_for_no_hold_of_ours_goes_back_at_once(counter: PaidSale) -> None:
    for payment, capture in (("p998", False), ("p999", True)):
        intent = an_intent(payment, drop=counter.sale.drop)
        await counter.local.act(page_of(await counter.local.begin(intent)), "pay")
        paid = await counter.local.lookup(intent.id)
        assert isinstance(paid, Charged)
        if capture:
            await counter.local.capture(paid.charge, paid.amount, "capture")
            paid = Charged(paid.charge, paid.amount, paid.currency, captured=True)
        drop = counter.sale.drop
        for _ in range(2):
            outcome = await tell(counter, drop, payment, paid)
            assert isinstance(outcome, refusals.NotFound)
        state = await counter.at_provider(paid.charge)
        assert state == ("refunded" if capture else "voided")


async def test_a_payment_for_a_drop_that_does_not_exist_goes_back_too(counter: PaidSale) -> None:
    intent = an_intent("p1", drop="no-such-drop")
    await counter.local.act(page_of(await counter.local.begin(intent)), "pay")
    paid = await counter.local.lookup(intent.id)
    assert isinstance(paid, Charged)
    drop = DropId("no-such-drop")
    await tell(counter, drop, "p1", paid)
    assert await counter.local.lookup(intent.id) == Nothing()


class Absurd(LocalPay):
    """The real provider, which tells of more money than there is."""

    amount = 2**63

    async def cancel(self, intent: str) -> Cancellation:
        found = await super().cancel(intent)
        return structs.replace(found, amount=self.amount) if isinstance(found, Charged) else found


@pytest.mark.parametrize("amount", [2**63, -1, AMOUNT_MAX + 1])
async def test_an_absurd_word_about_money_stops_nothing_and_is_not_forgotten(
    counter: PaidSale, amount: int, caplog: pytest.LogCaptureFixture
) -> None:
    hold, other = await counter.begun("ada"), await counter.begun("ben")
    await counter.paid(hold)
    await counter.over()
    clock = SaleClock(counter.sale)
    absurd = Absurd(counter.book, SECRET, "http://127.0.0.1:9", clock=clock)
    absurd.amount = amount
    honest, counter.local = counter.local, absurd
    for _ in range(2):
        await counter.work()
    await absurd.close()
    assert "out of bounds: amount" in caplog.text
    # The other one is known to be unpaid; this one is asked about until somebody has seen to it.
    truth = await counter.sale.truth()
    assert (truth.holds[hold].state, truth.holds[other].state) == ("paying", "expired")
    assert list(truth.outbox) == ["cancel:p1"]
    counter.local = honest
    await counter.work()
    await counter.work()
    assert await counter.order(hold) == "done"


async def test_what_cannot_be_given_back_now_is_reported_again(counter: PaidSale) -> None:
    paid = Charged("ch_unknown", 2400, "EUR", captured=True)
    drop = counter.sale.drop
    outcome = await tell(counter, drop, "p999", paid)
    assert isinstance(outcome, Failed)
    locker = sqlite3.connect(counter.book, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    outcome = await tell(counter, drop, "p999", paid)
    assert isinstance(outcome, Unknown)
    locker.execute("ROLLBACK")
    locker.close()


def lost(counter: PaidSale, charge: str) -> None:
    """The provider does not know a charge any more."""
    with sqlite3.connect(counter.book) as book:
        book.execute("DELETE FROM charges WHERE id = ?", (charge,))
    book.close()


@pytest.mark.parametrize("captured", [False, True])
async def test_money_of_a_charge_that_the_provider_does_not_know_is_left_to_a_person(
    counter: PaidSale, captured: bool
) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    if captured:
        await counter.work()
    await counter.sale.refund(hold)
    lost(counter, paid.charge)
    sale = counter.sale
    await sale.discharge("cancel:p1")
    ((duty_id, duty),) = (await sale.store.duties(sale.drop)).items()
    for _ in range(2):
        why = await perform(
            sale.store, counter.providers, counter.intents, sale.drop, duty_id, duty
        )
        assert "no_such_charge" in why
    assert await counter.order(hold) == ("refund_pending" if captured else "refunded")
    assert isinstance(await sale.end_duty(duty_id, "given_up"), outcomes.Discharged)
    assert await counter.order(hold) == ("refund_failed" if captured else "refunded")
    verdict = judge([line async for line in sale.store.log(sale.drop)])
    assert verdict.violations == []
    assert (verdict.outbox, verdict.given_up) == (0, paid.amount if captured else 0)


async def test_a_capture_of_a_charge_that_the_provider_does_not_know_has_failed(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    lost(counter, paid.charge)
    await counter.work()
    assert await counter.duties() == set()
    assert await counter.order(hold) == "capture_failed"


async def test_a_payment_that_goes_back_and_is_not_known_is_never_ticked_off_by_itself(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    await counter.told(hold, paid)
    await counter.work()
    await counter.sale.succeeded(hold, "ch_unknown")
    for _ in range(3):
        await counter.work()
    assert await counter.duties() == {"void"}
    await counter.sale.end_duty("void:c2", "by_hand")
    await counter.adds_up()


@pytest.mark.parametrize(
    "choices", [["delay", "pay"], ["delay", "delay", "twice"], ["late", "pay"]]
)
@pytest.mark.parametrize("given_back", [False, True])
async def test_every_payment_of_an_intent_is_found_when_no_webhook_comes(
    counter: PaidSale, choices: list[Do], given_back: bool
) -> None:
    hold = await counter.begun("ada")
    for do in choices:
        await counter.choose(hold, do, 10)
    await counter.sale.extend("ada", hold)
    if given_back:
        await counter.sale.release("ada", hold)
    counter.sale.now += HOLD_MS + EXTEND_MS + 10
    await counter.sale.settle()
    for _ in range(4):
        await counter.work()
    found = sorted((await counter.charges()).values())
    assert len(found) == len(choices)
    assert found == sorted(
        ["voided" if given_back else "captured", *["voided"] * (len(choices) - 1)]
    )
    await counter.adds_up()


async def test_what_is_still_on_its_way_keeps_the_question_though_one_was_judged(
    counter: PaidSale,
) -> None:
    hold = await counter.begun("ada")
    await counter.choose(hold, "late", HOLD_MS)
    await counter.choose(hold, "pay")
    await counter.sale.release("ada", hold)
    for _ in range(3):
        await counter.work()
    assert await counter.duties() == {"cancel"}
    counter.sale.now += 3 * HOLD_MS
    for _ in range(3):
        await counter.work()
    assert set((await counter.charges()).values()) == {"voided"}
    assert len(await counter.charges()) == 2
    await counter.adds_up()


class Unmoved(LocalPay):
    """Like a provider of life, it moves no amount of 0; and nobody is to ask it to."""

    async def capture(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        raise AssertionError(f"{key}: {charge}")

    async def void(self, charge: str, key: str) -> ProviderAnswer:
        raise AssertionError(f"{key}: {charge}")

    async def refund(self, charge: str, amount: int, key: str) -> ProviderAnswer:
        raise AssertionError(f"{key}: {charge}, {amount}")


@pytest.mark.parametrize("end", ["keep", "refund", "cancel", "second"])
async def test_what_costs_nothing_is_sold_and_given_back_without_the_provider(
    make_sale: MakeSale, tmp_path: Path, end: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}, price=0))
    local = Unmoved(tmp_path / "book", SECRET, "http://127.0.0.1:9", clock=SaleClock(sale))
    counter = PaidSale(sale, local, tmp_path / "book")
    hold = await counter.begun("ada")
    paid = await counter.paid(hold)
    assert isinstance(await counter.told(hold, paid), outcomes.Paid)
    match end:
        case "refund":
            await sale.refund(hold)
        case "cancel":
            await sale.creator("cancel")
            await sale.settle()
        case "second":
            await sale.succeeded(hold, "c2", captured=True)
    assert await counter.duties() == set()
    kept = end in ("keep", "second")
    assert await counter.order(hold) == ("done" if kept else "refunded")
    assert await sale.counts() == ((0, 0, 1, 0) if kept else (1, 0, 0, 0))
    assert judge([line async for line in sale.store.log(sale.drop)]).violations == []
    await local.close()


@pytest.mark.parametrize("kind", ["capture", "void", "refund"])
async def test_what_an_older_engine_owed_of_nothing_is_ticked_off(
    make_sale: MakeSale, tmp_path: Path, kind: str
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}, price=0))
    local = Unmoved(tmp_path / "book", SECRET, "http://127.0.0.1:9", clock=SaleClock(sale))
    counter = PaidSale(sale, local, tmp_path / "book")
    hold = await sale.held("ada")
    owed = msgspec.msgpack.encode(DutyRecord(kind, hold, "c1", 0, sale.now))
    server: Any = sale.store.client
    await server.hset(keys.one(sale.drop, "outbox"), f"{kind}:c1", owed)
    assert await counter.duties() == {kind}
    await counter.work()
    assert await counter.duties() == set()
    await local.close()
