"""Whoever began to pay is asked for, however the hold ends: no money is kept in silence.

The provider never calls by itself. At the end of every story nothing is owed any more, and its own
book is that of the orders.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dropengine import outcomes
from dropengine.payments.local import Do
from dropengine.truth import keys
from tests.kit.local_provider import local_pay, until_idle
from tests.kit.manifests import HOLD_MS, LOOKUP_MS, PAY_MS
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale


@pytest.fixture(params=[False, True], ids=["authorised", "captured at once"])
async def silent(
    sale: Sale, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[PaidSale]:
    book, clock = tmp_path / "book", SaleClock(sale)
    async with local_pay(book, clock=clock, silent=True, capture_at_once=request.param) as local:
        yield PaidSale(sale, local, book)


async def quiet(story: PaidSale) -> None:
    """What is owed is done, and what comes of it, until all is done."""
    for _ in range(4):
        await until_idle(story.local)
        await story.work()


async def release(story: PaidSale, hold: str) -> None:
    await story.sale.release("ada", hold)


async def hard_stop(story: PaidSale, _: str) -> None:
    story.sale.now += max(HOLD_MS, PAY_MS)
    await story.sale.settle()
    story.sale.now += LOOKUP_MS
    await story.sale.settle()


async def unpaid(story: PaidSale, hold: str) -> None:
    """The provider's own word of a moment before, when nobody had paid yet."""
    story.sale.now += max(HOLD_MS, PAY_MS)
    await story.sale.settle()
    await story.sale.unpaid(hold)


async def cancel(story: PaidSale, _: str) -> None:
    await story.sale.creator("cancel")
    await story.sale.settle()


async def cancel_paused(story: PaidSale, hold: str) -> None:
    await story.sale.creator("pause")
    await cancel(story, hold)


async def cancel_closing(story: PaidSale, hold: str) -> None:
    await story.sale.creator("close")
    await cancel(story, hold)


async def cancel_frozen(story: PaidSale, hold: str) -> None:
    await story.sale.store.client.hset(keys.one(story.sale.drop, "drop"), "state", "frozen")
    await cancel(story, hold)


End = Callable[[PaidSale, str], Awaitable[None]]
ENDS: list[End] = [release, hard_stop, unpaid, cancel, cancel_paused, cancel_closing]


async def ended(story: PaidSale, hold: str) -> bool:
    return (await story.sale.truth()).holds[hold].state in ("released", "expired", "cancelled")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("do", ["pay", "twice", "delay", "late", "decline", None])
async def test_the_money_of_a_hold_that_ended_is_found_and_judged(
    silent: PaidSale, end: End, do: Do | None
) -> None:
    hold = await silent.begun("ada")
    if do is not None:
        await silent.choose(hold, do)
    await end(silent, hold)
    assert await ended(silent, hold)
    # What will be paid after the deadline cannot be stopped, and is waited for.
    await quiet(silent)
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    await silent.adds_up()


@pytest.mark.parametrize("do", ["pay", "late", None])
async def test_a_frozen_drop_that_is_cancelled_asks_too(silent: PaidSale, do: Do | None) -> None:
    hold = await silent.begun("ada")
    if do is not None:
        await silent.choose(hold, do)
    await cancel_frozen(silent, hold)
    assert await silent.duties() == {"lookup"}
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    assert await silent.duties() == set()
    assert await silent.money() == 0


async def test_a_claimed_offer_that_ends_while_it_is_paid_is_asked_for(silent: PaidSale) -> None:
    await silent.sale.called("ada")
    (hold,) = (await silent.sale.truth()).holds
    await silent.sale.pay("ada", hold)
    await silent.choose(hold, "pay")
    await release(silent, hold)
    await quiet(silent)
    await silent.adds_up()
    assert await silent.money() == 0


async def test_nobody_can_pay_any_more_what_was_given_back(silent: PaidSale) -> None:
    hold = await silent.begun("ada")
    await release(silent, hold)
    assert await silent.duties() == {"lookup"}
    await quiet(silent)
    assert await silent.duties() == set()
    # The payer's page was still open.
    await silent.choose(hold, "pay")
    assert await silent.charges() == {}
    await silent.adds_up()


async def test_a_hold_that_nobody_began_to_pay_leaves_nothing_to_ask(silent: PaidSale) -> None:
    hold = await silent.sale.held("ada")
    await release(silent, hold)
    assert await silent.duties() == set()


async def test_who_asked_while_the_hold_stood_does_not_answer_for_its_end(
    silent: PaidSale,
) -> None:
    """The answer of a slow worker comes after the hold was given back and paid."""
    hold = await silent.begun("ada")
    silent.sale.now += max(HOLD_MS, PAY_MS)
    await silent.sale.settle()
    assert not isinstance(await silent.sale.discharge(f"lookup:{hold}"), outcomes.Discharged)
    await silent.choose(hold, "pay")
    await release(silent, hold)
    await silent.sale.unpaid(hold)
    assert await silent.duties() == {"lookup"}
    await quiet(silent)
    await silent.adds_up()


@pytest.mark.parametrize("do", ["pay", "late", None])
async def test_a_hold_that_other_money_bought_is_asked_for_its_own(
    silent: PaidSale, do: Do | None
) -> None:
    first = await silent.begun("ada")
    await silent.choose(first, "late")
    await unpaid(silent, first)
    second = await silent.begun("ada")
    if do is not None:
        await silent.choose(second, do)
    silent.sale.now += 2_000
    paid = await silent.local.lookup(await silent.intent(first))
    assert isinstance(await silent.told(first, paid), outcomes.Sold)  # type: ignore[arg-type]
    silent.sale.now += 2 * HOLD_MS
    await quiet(silent)
    await silent.adds_up()
    assert (await silent.sale.truth()).orders.keys() == {second}
