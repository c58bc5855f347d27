"""The contract that every provider keeps, played at the till of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from dropengine.payments.port import (
    Charged,
    Declined,
    Failed,
    Nothing,
    Notice,
    Succeeded,
    Unknown,
    Unpayable,
    Unproven,
)
from dropengine.payments.providers import BUILDERS
from tests.kit.local_provider import an_intent
from tests.kit.manifests import START_MS
from tests.kit.till import TILLS, Till

HOUR_MS = 3_600_000


def taken(paid: Charged, amount: int | None = None, returned: int = 0) -> Charged:
    """The same once so much of it was captured, by default all, and so much of that went back."""
    amount = paid.amount if amount is None else amount
    return bare(msgspec.structs.replace(paid, captured=True, taken=amount, returned=returned))


T = TypeVar("T")


def bare(answer: T) -> T:
    """Without what only some providers tell: a fee, and by which card it was paid."""
    if isinstance(answer, Charged):
        return msgspec.structs.replace(answer, fee=0, card="")
    return answer


@pytest.fixture(params=TILLS)
async def till(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Till]:
    """Every provider, one after the other."""
    async with TILLS[request.param](tmp_path) as one:
        yield one


def test_every_provider_that_can_be_built_has_a_till() -> None:
    assert TILLS.keys() == BUILDERS.keys()


async def test_beginning_twice_gives_the_same_page_and_another_payment_another(till: Till) -> None:
    first = await till.provider.begin(an_intent("p1"))
    assert await till.provider.begin(an_intent("p1")) == first
    assert await till.provider.begin(an_intent("p2")) != first


async def test_an_intent_nobody_paid_or_began_is_nothing(till: Till) -> None:
    await till.provider.begin(an_intent())
    assert await till.provider.lookup("eclipse.p1") == Nothing()
    assert await till.provider.lookup("eclipse.p999") == Nothing()


async def test_lookup_tells_what_was_paid_and_whether_it_was_captured(till: Till) -> None:
    paid = await till.charged(amount=1999)
    assert bare(paid) == Charged(paid.charge, 1999, "EUR", captured=False)
    await till.provider.capture(paid.charge, 1999, "k")
    assert bare(await till.provider.lookup("eclipse.p1")) == taken(paid)


async def test_everything_that_is_kept_can_be_asked_for_and_nothing_else(till: Till) -> None:
    """After a restore nobody knows what else there is."""
    one, two = await till.charged("p1", amount=1999), await till.captured("p2")
    back = await till.charged("p3")
    await till.provider.void(back.charge, "k")
    await till.choose("decline", "p4")
    await till.provider.begin(an_intent("p5"))
    kept = await till.provider.kept(0)
    assert not isinstance(kept, Unknown)
    assert [(one.intent, one.drop, one.payment) for one in kept] == [
        ("eclipse.p1", "eclipse", "p1"),
        ("eclipse.p2", "eclipse", "p2"),
    ]
    assert [bare(one.paid) for one in kept] == [bare(one), taken(two)]
    await till.pass_ms(HOUR_MS)
    late = await till.charged("p6")
    later = await till.provider.kept(START_MS + HOUR_MS)
    assert not isinstance(later, Unknown)
    assert [one.paid for one in later] == [late]


async def test_a_declined_payment_is_told_from_none_and_can_be_made_up_for(till: Till) -> None:
    await till.choose("decline")
    told = Declined() if till.declines else Nothing()
    assert await till.provider.lookup("eclipse.p1") == told
    assert isinstance(await till.charged(), Charged)


async def test_every_call_may_come_twice(till: Till) -> None:
    provider = till.provider
    kept, let_go = await till.charged("p1"), await till.charged("p2")
    for _ in range(2):
        assert await provider.capture(kept.charge, 2400, "capture") == Succeeded()
        assert await provider.void(let_go.charge, "void") == Succeeded()
    for _ in range(2):
        assert await provider.refund(kept.charge, 1400, "part") == Succeeded()
    # Repeating gave nothing back twice: exactly the rest is left.
    assert await provider.refund(kept.charge, 1001, "too-much") == Failed("too_much", final=True)
    assert await provider.refund(kept.charge, 1000, "rest") == Succeeded()
    assert await provider.lookup("eclipse.p1") == Nothing()
    assert await provider.lookup("eclipse.p2") == Nothing()


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
    await till.provider.capture(paid.charge, 2400, "capture")
    assert await till.provider.refund(paid.charge, 1000, "k") == Succeeded()


async def test_what_was_let_go_cannot_be_taken_and_what_was_taken_cannot_be_let_go(
    till: Till,
) -> None:
    let_go, taken = await till.charged("p1"), await till.captured("p2")
    await till.provider.void(let_go.charge, "void")
    assert isinstance(await till.provider.capture(let_go.charge, 2400, "capture"), Failed)
    assert isinstance(await till.provider.void(taken.charge, "void-2"), Failed)


async def test_refunding_what_was_never_captured_lets_it_go(till: Till) -> None:
    paid = await till.charged()
    assert await till.provider.refund(paid.charge, paid.amount, "refund") == Succeeded()
    assert await till.provider.lookup("eclipse.p1") == Nothing()
    assert isinstance(await till.provider.capture(paid.charge, 2400, "capture"), Failed)


async def test_a_charge_that_was_never_made_fails(till: Till) -> None:
    assert isinstance(await till.provider.capture("none", 1, "k1"), Failed)
    assert isinstance(await till.provider.void("none", "k2"), Failed)
    assert isinstance(await till.provider.refund("none", 1, "k3"), Failed)


async def test_a_webhook_says_what_lookup_says(till: Till) -> None:
    paid = await till.charged()
    if not till.tells:
        assert await till.deliveries() == []
        return
    (delivery,) = await till.deliveries()
    notice = till.provider.parse_webhook(*delivery)
    assert isinstance(notice, Notice)
    assert Charged(notice.charge, notice.amount, notice.currency, notice.captured) == bare(paid)


async def test_a_webhook_is_the_providers_word_in_every_byte(till: Till) -> None:
    await till.charged()
    if not till.tells:
        assert isinstance(till.provider.parse_webhook([], b"{}"), Unproven)
        return
    ((headers, body),) = await till.deliveries()
    for at in range(len(body)):
        forged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert isinstance(till.provider.parse_webhook(headers, forged), Unproven)
    assert isinstance(till.provider.parse_webhook([], body), Unproven)


async def test_nobody_can_pay_what_was_cancelled(till: Till) -> None:
    address = await till.provider.begin(an_intent())
    assert await till.provider.cancel("eclipse.p1") == Unpayable()
    await till.act(address, "pay")
    assert await till.provider.lookup("eclipse.p1") == Nothing()
    # Who was on his way to begin finds the same page, and it takes nothing.
    assert await till.provider.begin(an_intent()) == address
    await till.choose("delay")
    await till.pass_ms(HOUR_MS)
    assert await till.provider.lookup("eclipse.p1") == Nothing()
    assert await till.deliveries() == []


async def test_cancelling_one_intent_leaves_the_others_alone(till: Till) -> None:
    await till.provider.begin(an_intent("p1"))
    await till.provider.cancel("eclipse.p1")
    assert isinstance(await till.charged("p11"), Charged)
    assert isinstance(await till.charged("p2"), Charged)


async def test_cancelling_again_and_at_once_is_cancelling(till: Till) -> None:
    await till.provider.begin(an_intent())
    same = [till.provider.cancel("eclipse.p1") for _ in range(20)]
    assert await asyncio.gather(*same) == [Unpayable()] * 20
    await till.pass_ms(HOUR_MS)
    assert await till.provider.cancel("eclipse.p1") == Unpayable()


async def test_what_nobody_began_can_be_cancelled_before_somebody_begins_it(till: Till) -> None:
    assert await till.provider.cancel("eclipse.p999") == Unpayable()
    await till.choose("pay", "p999")
    assert await till.provider.lookup("eclipse.p999") == Nothing()
    assert await till.provider.cancel("eclipse.p999") == Unpayable()


async def test_who_was_declined_cannot_try_again_after_the_end(till: Till) -> None:
    await till.choose("decline")
    assert await till.provider.cancel("eclipse.p1") == Unpayable()
    await till.choose("pay")
    assert await till.provider.lookup("eclipse.p1") == Nothing()


async def test_cancelling_what_was_paid_says_so_until_it_went_back(till: Till) -> None:
    paid = await till.charged()
    for _ in range(2):
        assert await till.provider.cancel("eclipse.p1") == paid
    # It takes nothing away: what was paid is the caller's to give back.
    assert await till.provider.lookup("eclipse.p1") == paid
    assert await till.provider.void(paid.charge, "void") == Succeeded()
    assert await till.provider.cancel("eclipse.p1") == Unpayable()
    await till.choose("pay")
    assert await till.provider.lookup("eclipse.p1") == Nothing()


async def test_what_was_paid_and_cancelled_is_kept_and_cannot_be_paid_again(till: Till) -> None:
    """It bought something: what is cancelled is every payment after it."""
    paid = await till.charged()
    address = await till.provider.begin(an_intent())
    assert await till.provider.cancel("eclipse.p1") == paid
    await till.act(address, "pay")
    await till.choose("delay")
    await till.pass_ms(HOUR_MS)
    assert await till.provider.capture(paid.charge, 2400, "capture") == Succeeded()
    await till.choose("pay")
    assert bare(await till.provider.lookup("eclipse.p1")) == taken(paid)
    assert bare(await till.provider.cancel("eclipse.p1")) == taken(paid)


async def test_cancelling_what_was_captured_says_that_too(till: Till) -> None:
    paid = await till.captured()
    assert bare(await till.provider.cancel("eclipse.p1")) == taken(paid)
    assert await till.provider.refund(paid.charge, paid.amount, "refund") == Succeeded()
    assert await till.provider.cancel("eclipse.p1") == Unpayable()


async def test_a_payment_on_its_way_ends_as_cancelling_said(till: Till) -> None:
    """Unpayable is a promise. A provider that cannot stop it says Unknown until it knows."""
    await till.choose("delay")
    first = await till.provider.cancel("eclipse.p1")
    assert isinstance(first, Unpayable | Unknown)
    await till.pass_ms(HOUR_MS)
    last = await till.provider.cancel("eclipse.p1")
    found = await till.provider.lookup("eclipse.p1")
    assert last == (found if isinstance(found, Charged) else Unpayable())
    assert isinstance(first, Unknown) or last == Unpayable()


async def test_paying_and_cancelling_at_once_leave_a_charge_or_an_end(till: Till) -> None:
    async with till.elsewhere() as elsewhere:
        for number in range(30):
            payment = f"p{number}"
            address = await till.provider.begin(an_intent(payment))
            both = [till.act(address, "pay"), elsewhere.cancel(f"eclipse.{payment}")]
            # Who is asked first is not always who comes first; both orders are played.
            done = await asyncio.gather(*(both if number % 2 else both[::-1]))
            (answer,) = [one for one in done if one is not None]
            found = await till.provider.lookup(f"eclipse.{payment}")
            assert answer == (found if isinstance(found, Charged) else Unpayable())
            assert isinstance(found, Charged | Nothing)


async def test_what_one_process_cancelled_is_cancelled_for_all(till: Till) -> None:
    address = await till.provider.begin(an_intent())
    async with till.elsewhere() as elsewhere:
        assert await elsewhere.cancel("eclipse.p1") == Unpayable()
        assert await elsewhere.cancel("eclipse.p2") == Unpayable()
    await till.act(address, "pay")
    await till.choose("pay", "p2")
    for payment in ("p1", "p2"):
        assert await till.provider.lookup(f"eclipse.{payment}") == Nothing()
        assert await till.provider.cancel(f"eclipse.{payment}") == Unpayable()


async def test_a_part_is_captured_and_the_rest_let_go(till: Till) -> None:
    paid = await till.charged(amount=5000)
    for _ in range(2):
        assert await till.provider.capture(paid.charge, 3000, "capture") == Succeeded()
    # What the payer paid is told as it was: so every word of it is the same word.
    assert bare(await till.provider.lookup("eclipse.p1")) == taken(paid, 3000)
    kept = await till.provider.kept(0)
    assert not isinstance(kept, Unknown)
    assert [bare(one.paid) for one in kept] == [taken(paid, 3000)]
    assert isinstance(await till.provider.refund(paid.charge, 3001, "more"), Failed)
    assert await till.provider.refund(paid.charge, 3000, "all") == Succeeded()
    assert await till.provider.lookup("eclipse.p1") == Nothing()


async def test_a_charge_is_captured_once_and_says_how_much_then(till: Till) -> None:
    paid = await till.charged(amount=5000)
    assert await till.provider.capture(paid.charge, 3000, "one") == Succeeded()
    again = await till.provider.capture(paid.charge, 2000, "two")
    assert isinstance(again, Failed)
    assert again.taken == 3000
    let_go = await till.provider.void(paid.charge, "void")
    assert isinstance(let_go, Failed)
    assert let_go.taken == 3000
    assert await till.provider.capture(paid.charge, 3000, "three") == Succeeded()


async def test_more_than_was_authorised_cannot_be_captured(till: Till) -> None:
    paid = await till.charged(amount=5000)
    assert isinstance(await till.provider.capture(paid.charge, 5001, "capture"), Failed)
    assert await till.provider.lookup("eclipse.p1") == paid


async def test_several_refunds_give_back_what_was_captured_and_no_more(till: Till) -> None:
    paid = await till.captured(amount=3000)
    for number, amount in enumerate((1000, 500)):
        for _ in range(2):
            assert await till.provider.refund(paid.charge, amount, f"part-{number}") == Succeeded()
    assert bare(await till.provider.lookup("eclipse.p1")) == taken(paid, returned=1500)
    assert isinstance(await till.provider.refund(paid.charge, 1501, "too-much"), Failed)
    assert await till.provider.refund(paid.charge, 1500, "rest") == Succeeded()
    assert isinstance(await till.provider.refund(paid.charge, 1, "more"), Failed)
    assert await till.provider.lookup("eclipse.p1") == Nothing()
