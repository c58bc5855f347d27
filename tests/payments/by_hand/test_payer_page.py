"""The page that says how to pay by hand, in both languages, without scripts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import httpx2
import msgspec
from starlette.applications import Starlette

from dropengine.doors import page_templates
from dropengine.doors.http_answers import problem
from dropengine.payments.hands import bills
from dropengine.people import bank_accounts, makers
from dropengine.people.bank_accounts import BankAccount
from dropengine.sql.database import Database
from tests.kit.local_provider import an_intent
from tests.kit.maker_by_hand import MakerByHand
from tests.kit.webhook_receiver import Clock, serving

ACCOUNT = BankAccount("Mia Muster", "DE89370400440532013000", "COBADEFFXXX")


@contextlib.asynccontextmanager
async def pages(hand: MakerByHand) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[*hand.routes(page_templates.templates(), problem)])
    async with serving(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False) as http:
        yield http


async def test_it_says_how_much_where_to_under_what_and_until_when(
    hand: MakerByHand, database: Database
) -> None:
    page = await hand.begin(an_intent())
    bill = await database.read(lambda sql: bills.find(sql, "eclipse.p1"))
    assert bill is not None
    async with pages(hand) as http:
        text = (await http.get(page)).text
        assert "has not said yet where to send it" in text
        maker = makers.new("mia", "Mia", "#123456", 1)

        def known(sql: object) -> None:
            makers.make(sql, maker)  # type: ignore[arg-type]
            bank_accounts.keep(sql, maker.id, ACCOUNT, "mia", 1)  # type: ignore[arg-type]

        await database.write(known)
        answer = await http.get(page, headers={"cookie": "zone=America/New_York"})
        text = answer.text
        for said in (bill.reference, ACCOUNT.written, "Mia Muster", "COBADEFFXXX", "€24.00"):
            assert said in text
        assert "America/New_York" in text
        assert "<svg" in text
        assert "Pay by transfer" in text
        assert answer.headers["cache-control"] == "no-store"
        german = (await http.get(page, headers={"accept-language": "de"})).text
        assert "Per Überweisung bezahlen" in german
        assert "24,00" in german


async def test_it_follows_what_becomes_of_the_payment(hand: MakerByHand, clock: Clock) -> None:
    page = await hand.begin(an_intent())
    async with pages(hand) as http:
        await hand.receive("eclipse.p1", 2000, "k1")
        assert "€4.00 is missing still" in (await http.get(page)).text
        clock.pass_ms(10**9)
        assert "The time to pay is over" in (await http.get(page)).text
        await hand.receive("eclipse.p1", 400, "k2")
        assert "Paid. Thank you." in (await http.get(page)).text
        assert (await http.get(f"{page}x")).status_code == 404
        other = await hand.begin(an_intent("p2"))
        await hand.cancel("eclipse.p2")
        assert "This payment is closed" in (await http.get(other)).text


async def test_cash_needs_no_account(hand: MakerByHand) -> None:
    page = await hand.begin(msgspec.structs.replace(an_intent(), word="cash"))
    async with pages(hand) as http:
        text = (await http.get(page)).text
        assert "Pay in cash at pickup" in text
        assert "<svg" not in text.partition("<main>")[2]
