"""Intents: their price stays, and a cancelled one takes no payment any more."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from dropengine import errors
from dropengine.payments.local import Do, IntentState, LocalPay
from dropengine.payments.port import Charged, Nothing, Succeeded, Unknown, Unpayable
from tests.kit.local_provider import an_intent, chosen, local_pay, page_of, rows, until_idle
from tests.kit.webhook_receiver import Clock, WebhookReceiver


async def test_an_intent_cannot_change_its_price(pay: LocalPay) -> None:
    await pay.begin(an_intent(amount=2400))
    with pytest.raises(errors.Broken):
        await pay.begin(an_intent(amount=2399))
    await chosen(pay, "pay")
    paid = await pay.lookup("eclipse.p1")
    assert isinstance(paid, Charged)
    assert paid.amount == 2400


async def standing(pay: LocalPay, page: str) -> IntentState:
    bill = await pay.bill(page)
    assert bill is not None
    return bill.standing


async def test_cancelling_stops_what_is_on_its_way(
    pay: LocalPay, shop: WebhookReceiver, clock: Clock, path: Path
) -> None:
    page = await chosen(pay, "delay", 1_000)
    assert await pay.cancel("eclipse.p1") == Unpayable()
    assert await pay.lookup("eclipse.p1") == Nothing()
    clock.ms = an_intent().deadline_ms + 1_000
    await until_idle(pay)
    assert await standing(pay, page) == IntentState.CANCELLED
    assert rows(path, "SELECT count(*) FROM charges") == [(0,)]
    assert shop.taken == []


async def test_what_will_be_paid_late_cannot_be_stopped_and_is_unknown_until_it_arrives(
    pay: LocalPay, clock: Clock
) -> None:
    await chosen(pay, "late", 1_000)
    for _ in range(2):
        assert isinstance(await pay.cancel("eclipse.p1"), Unknown)
    clock.ms = an_intent().deadline_ms + 1_000
    paid = await pay.cancel("eclipse.p1")
    assert isinstance(paid, Charged)
    assert await pay.void(paid.charge, "void") == Succeeded()
    assert await pay.cancel("eclipse.p1") == Unpayable()


async def test_cancelling_what_arrived_in_the_same_moment_finds_it_paid(
    pay: LocalPay, clock: Clock
) -> None:
    await chosen(pay, "delay", 1_000)
    clock.pass_ms(1_000)
    assert isinstance(await pay.cancel("eclipse.p1"), Charged)


async def test_cancelling_what_was_paid_stops_a_second_payment(pay: LocalPay, clock: Clock) -> None:
    page = await chosen(pay, "delay", 1_000)
    await pay.act(page, "pay")
    paid = await pay.cancel("eclipse.p1")
    assert isinstance(paid, Charged)
    assert await pay.void(paid.charge, "void") == Succeeded()
    clock.pass_ms(1_000)
    assert await pay.lookup("eclipse.p1") == Nothing()
    # That money went back says more than that the intent ended.
    assert await standing(pay, page) == IntentState.RETURNED


async def test_a_cancelled_intent_takes_no_choice(pay: LocalPay, path: Path) -> None:
    page = await chosen(pay, "decline")
    await pay.cancel("eclipse.p1")
    choices: list[Do] = ["pay", "twice", "delay", "late", "decline"]
    for do in choices:
        bill = await pay.act(page, do)
        assert bill is not None
        assert (bill.standing, bill.charge) == (IntentState.CANCELLED, "")
    assert rows(path, "SELECT count(*) FROM charges") == [(0,)]
    assert rows(path, "SELECT count(*) FROM attempts") == [(1,)]


CANCEL_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
from dropengine.payments.local import LocalPay

async def main():
    pay = LocalPay(Path(sys.argv[1]), b"", "http://127.0.0.1:9", clock=lambda: 1)
    print(await pay.cancel("eclipse.p1"), flush=True)
    os._exit(0)

asyncio.run(main())
"""


async def test_a_cancelling_that_was_answered_outlives_its_process(
    path: Path, clock: Clock
) -> None:
    async with local_pay(path, clock=clock) as pay:
        page = page_of(await pay.begin(an_intent()))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CANCEL_AND_DIE, str(path), stdout=asyncio.subprocess.PIPE
        )
        told, _ = await child.communicate()
        assert told.strip() == b"Unpayable()"
        bill = await pay.act(page, "pay")
        assert bill is not None
        assert bill.standing == IntentState.CANCELLED
    async with local_pay(path, clock=clock) as pay:
        assert await standing(pay, page) == IntentState.CANCELLED
