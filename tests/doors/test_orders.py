"""The page of an order: what was bought, its number, what comes next; for its owner alone."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine import outcomes, wire
from dropengine.model import DropId, FanId
from dropengine.order_number import number_of
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, key, settings

server = web_process.server


@pytest.fixture
async def web(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    async with front(settings(server.url, tmp_path)) as one:
        yield one


async def buys(web: WebProcess, sale: Sale, fan: FanId, qty: int = 1) -> str:
    """Held and paid, without a provider's page; the order."""
    store, drop = web.runtime.store, DropId(sale.drop)
    shown = await store.show(drop)
    assert shown is not None
    pool = shown.manifest.items[0].pools[0].id
    (held,) = await store.press(drop, [(fan, wire.Hold(0, key(), pool, qty))])
    assert isinstance(held, outcomes.Held), held
    (paying,) = await store.press(drop, [(fan, wire.Pay(0, key(), [held.id]))])
    assert isinstance(paying, outcomes.Paying), paying
    amount = qty * shown.manifest.items[0].price
    sold = await store.succeeded(drop, paying.id, f"paid-{held.id}", amount, "EUR", True)
    assert isinstance(sold, outcomes.Paid), sold
    return held.id


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def read(web: WebProcess, address: str, ticket: str | None, status: int = 200) -> str:
    async with web.http(ticket) as http:
        answer = await http.get(address)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in answer.headers
    return answer.text


async def test_the_owner_reads_what_he_bought_and_what_comes_next(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}, most=2), limit=2)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan, 2)
    await sale.creator("message", text="Pick up at the studio on Saturday.")
    said = words(await read(web, f"/drops/{sale.drop}/orders/{order}", ticket))
    for told in (
        f"Order number {number_of(order)}",
        "#1 of 200",
        "#2 of 200",
        "What happens next",
        "How they come to you is said by the maker",
        "Pick up at the studio on Saturday.",
    ):
        assert told in said


async def test_to_anybody_else_an_order_is_as_one_that_is_not_there(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}))
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    path = f"/drops/{sale.drop}/orders/{order}"
    answers = [
        await read(web, path, None, 404),
        await read(web, path, web.ticket()[1], 404),
        await read(web, path, ticket[:-2], 404),
        await read(web, f"/drops/{sale.drop}/orders/h99", ticket, 404),
        await read(web, f"/drops/none/orders/{order}", ticket, 404),
        await read(web, f"/drops/%7Bhouse%7D/orders/{order}", ticket, 404),
    ]
    assert len(set(answers)) == 1
    assert number_of(order) not in answers[0]


async def test_a_refunded_order_stays_as_proof_and_promises_nothing(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}))
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    outcome = await web.runtime.store.refund(DropId(sale.drop), order, by="o1", key=key())
    assert isinstance(outcome, outcomes.Refunded)
    said = words(await read(web, f"/drops/{sale.drop}/orders/{order}", ticket))
    assert "Refunded by the maker" in said
    assert "is yours" not in said


async def test_a_part_that_went_back_is_told_with_its_reason(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}, most=2), limit=2)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan, 2)
    outcome = await web.runtime.store.refund(
        DropId(sale.drop), order, by="o1", key=key(), why="One was bent.", serials=[1]
    )
    assert isinstance(outcome, outcomes.Refunded), outcome
    said = words(await read(web, f"/drops/{sale.drop}/orders/{order}", ticket))
    assert "A part of it went back to you: One was bent." in said
    assert "#2 of 200" in said
    assert "#1 of 200" not in said
    assert "Refunded by the maker" not in said


async def test_what_one_payment_bought_leads_from_order_to_order(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}), item("cup", {"cup": 9}), limit=2)
    fan, ticket = web.ticket(sale.drop)
    store, drop = web.runtime.store, DropId(sale.drop)
    first, second = [
        held.id
        for (held,) in [
            await store.press(drop, [(fan, wire.Hold(0, key(), pool, 1))])
            for pool in ("pin", "cup")
        ]
        if isinstance(held, outcomes.Held)
    ]
    (paying,) = await store.press(drop, [(fan, wire.Pay(0, key(), [first, second]))])
    assert isinstance(paying, outcomes.Paying), paying
    shown = await store.show(drop)
    assert shown is not None
    amount = sum(one.price for one in shown.manifest.items)
    sold = await store.succeeded(drop, paying.id, "paid-both", amount, "EUR", True)
    assert isinstance(sold, outcomes.Paid), sold
    page = await read(web, f"/drops/{drop}/orders/{first}", ticket)
    assert f"Paid together with {number_of(second)}" in words(page)
    assert f'href="/drops/{drop}/orders/{second}"' in page
    taken = await store.charged_back(drop, paying.id, amount, by="o1", key=key())
    assert isinstance(taken, outcomes.ChargedBack), taken
    said = words(await read(web, f"/drops/{drop}/orders/{second}", ticket))
    assert "was taken back by your bank or card" in said
    assert "is yours" in said


@pytest.mark.parametrize("evil", ["<img src=x onerror=alert(1)>", "</li><script>x</script>", "&"])
async def test_what_a_maker_wrote_is_only_text_there(web: WebProcess, evil: str) -> None:
    sale = await web.sale(item("pin", {"pin": 200}), title=evil, maker=evil)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    await sale.creator("message", text=evil)
    page = await read(web, f"/drops/{sale.drop}/orders/{order}", ticket)
    assert html.escape(evil, quote=False) in page.replace("&#34;", '"')
    assert page.count("<script") == 1
    assert "<img src=x" not in page


async def test_an_order_tells_its_number_to_screens(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 200}))
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    async with web.http(ticket) as http:
        you = (await http.get(f"/api/drops/{sale.drop}/you")).json()
    assert [one["number"] for one in you["orders"]] == [number_of(order)]
