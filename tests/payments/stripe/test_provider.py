"""The provider `stripe` where its answers are lost, late, or refused; and what it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dropengine import errors
from dropengine.payments.port import (
    Charged,
    Declined,
    Failed,
    Line,
    Nothing,
    Succeeded,
    Unknown,
    Unpayable,
)
from tests.kit.fake_stripe import Fault
from tests.kit.local_provider import an_intent, page_of
from tests.kit.till import StripeTill, stripe_till

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
async def till(tmp_path: Path) -> AsyncIterator[StripeTill]:
    async with stripe_till(tmp_path) as one:
        assert isinstance(one, StripeTill)
        yield one


async def test_a_bill_is_asked_for_line_by_line_and_only_authorised(till: StripeTill) -> None:
    pins, post = Line("Red pin", 2, 1200, 2400), Line("Post", 1, 690, 690)
    intent = msgspec.structs.replace(an_intent(amount=3090), lines=(pins,), way=post)
    await till.provider.begin(intent)
    (session,) = till.fake.sessions.values()
    assert (session["amount_total"], session["currency"]) == (3090, "eur")
    assert session["_lines"] == ["Red pin", "Post"]
    assert session["_data"]["capture_method"] == "manual"
    assert session["success_url"] == "https://shop.example/drops/eclipse"


async def test_an_intent_with_another_price_is_refused(till: StripeTill) -> None:
    await till.provider.begin(an_intent())
    with pytest.raises(errors.Broken):
        await till.provider.begin(an_intent(amount=2500))


async def test_a_page_that_ended_before_the_hold_did_is_made_anew(till: StripeTill) -> None:
    first = await till.provider.begin(an_intent())
    await till.pass_ms(HOUR_MS)
    second = await till.provider.begin(an_intent())
    assert first != second
    await till.act(second, "pay")
    assert isinstance(await till.provider.lookup("eclipse.p1"), Charged)
    assert isinstance(await till.provider.cancel("eclipse.p1"), Charged)


async def test_a_page_whose_answer_was_lost_is_found_and_ended(till: StripeTill) -> None:
    till.fake.faults.append("lost")
    with pytest.raises(errors.Unavailable):
        await till.provider.begin(an_intent())
    (session,) = till.fake.sessions
    assert await till.provider.cancel("eclipse.p1") == Unpayable()
    assert till.fake.sessions[session]["status"] == "expired"


async def test_a_page_whose_answer_was_lost_is_the_one_that_is_begun_again(
    till: StripeTill,
) -> None:
    till.fake.faults.append("lost")
    with pytest.raises(errors.Unavailable):
        await till.provider.begin(an_intent())
    page = await till.provider.begin(an_intent())
    assert [*till.fake.sessions] == [page_of(page)]


@pytest.mark.parametrize("fault", ["busy", "slow_down", "broken", "lost"])
async def test_what_stripe_does_not_say_is_unknown(till: StripeTill, fault: Fault) -> None:
    paid = await till.charged()
    calls = (
        till.provider.lookup("eclipse.p1"),
        till.provider.cancel("eclipse.p1"),
        till.provider.kept(0),
        till.provider.capture(paid.charge, 2400, "capture"),
        till.provider.void(paid.charge, "void"),
        till.provider.refund(paid.charge, 2400, "refund"),
    )
    for call in calls:
        # To cancel is to end the page and to look what was paid there: only both together are
        # no answer.
        till.fake.faults.extend([fault] * 2)
        assert isinstance(await call, Unknown)
        till.fake.faults.clear()
    till.fake.faults.extend([fault] * 9)
    with pytest.raises(errors.Unavailable):
        await till.provider.begin(an_intent("p2"))


async def test_money_that_moved_while_the_answer_was_lost_moves_once(till: StripeTill) -> None:
    paid = await till.charged(amount=5000)

    async def lost_at(call: int) -> None:
        # The calls before it are answered: what is retrieved, what is listed.
        till.fake.lost_at = call

    await lost_at(2)
    assert isinstance(await till.provider.capture(paid.charge, 4000, "capture"), Unknown)
    assert await till.provider.capture(paid.charge, 4000, "capture") == Succeeded()
    await lost_at(3)
    assert isinstance(await till.provider.refund(paid.charge, 1500, "refund"), Unknown)
    # Stripe has forgotten the key by then.
    await till.pass_ms(7 * DAY_MS)
    till.fake.forget_keys()
    assert await till.provider.refund(paid.charge, 1500, "refund") == Succeeded()
    found = await till.provider.lookup("eclipse.p1")
    assert isinstance(found, Charged)
    assert (found.taken, found.returned) == (4000, 1500)


async def test_a_bank_that_asks_its_payer_keeps_the_answer_open(till: StripeTill) -> None:
    page = await till.provider.begin(an_intent())
    till.fake.pay(page_of(page), "asks")
    assert isinstance(await till.provider.lookup("eclipse.p1"), Unknown)
    # The page is ended under him, and what he answers then counts no more.
    assert await till.provider.cancel("eclipse.p1") == Unpayable()
    till.fake.answer_bank(page_of(page))
    assert await till.provider.lookup("eclipse.p1") == Nothing()


async def test_a_declined_card_leaves_the_page_open(till: StripeTill) -> None:
    await till.choose("decline")
    assert await till.provider.lookup("eclipse.p1") == Declined()
    await till.choose("pay")
    assert isinstance(await till.provider.lookup("eclipse.p1"), Charged)


async def test_a_refund_that_the_bank_sent_back_is_made_anew(till: StripeTill) -> None:
    paid = await till.captured()
    assert await till.provider.refund(paid.charge, 1000, "part") == Succeeded()
    (refund,) = till.fake.refunds.values()
    refund["status"] = "failed"
    till.fake.payments[paid.charge]["latest_charge"]["amount_refunded"] = 0
    assert await till.provider.refund(paid.charge, 1000, "part") == Succeeded()
    assert len(till.fake.refunds) == 2


async def test_what_a_part_capture_let_go_is_no_money_that_went_back(till: StripeTill) -> None:
    paid = await till.charged(amount=5000)
    await till.provider.capture(paid.charge, 3000, "capture")
    till.fake.let_go_is_told(paid.charge, 2000)
    found = await till.provider.lookup("eclipse.p1")
    assert isinstance(found, Charged)
    assert (found.taken, found.returned) == (3000, 0)
    assert await till.provider.refund(paid.charge, 3000, "all") == Succeeded()
    assert await till.provider.lookup("eclipse.p1") == Nothing()


async def test_a_struck_key_is_no_answer(till: StripeTill) -> None:
    till.fake.key = "sk_test_another"
    assert isinstance(await till.provider.lookup("eclipse.p1"), Nothing)
    with pytest.raises(errors.Unavailable):
        await till.provider.begin(an_intent())


async def test_two_processes_that_begin_at_once_make_one_page(till: StripeTill) -> None:
    async with till.elsewhere() as elsewhere:
        begun = await asyncio.gather(till.provider.begin(an_intent()), elsewhere.begin(an_intent()))
    assert len(set(begun)) == len(till.fake.sessions) == 1


async def test_another_key_for_the_same_capture_takes_nothing_twice(till: StripeTill) -> None:
    paid = await till.captured()
    assert await till.provider.capture(paid.charge, 2400, "another") == Succeeded()
    assert await till.provider.capture(paid.charge, 2300, "less") == Failed("succeeded", taken=2400)


async def test_all_of_many_payments_are_listed(till: StripeTill) -> None:
    for number in range(105):
        await till.charged(f"p{number}")
    kept = await till.provider.kept(0)
    assert not isinstance(kept, Unknown)
    assert [one.payment for one in kept] == [f"p{number}" for number in range(105)]
