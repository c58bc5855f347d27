"""The doors of payment over real HTTP: the webhook, and the test provider's page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import jinja2
import msgspec
import pytest
from starlette.applications import Starlette

from dropengine.doors import pages, webhooks
from dropengine.payments.local import IntentState, LocalPay
from dropengine.payments.port import Charged, sign
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit.paid_sale import PaidSale, SaleClock
from tests.kit.sale import Sale
from tests.kit.webhook_receiver import an_intent, local_pay, page_of, serving, until_idle

FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Deps:
    store: Store
    payments: LocalPay
    templates: jinja2.Environment


class House(PaidSale):
    """The doors of payment, open at `http`, in front of a live sale."""

    def __init__(self, sale: Sale, deps: Deps, book: Path, http: httpx2.AsyncClient) -> None:
        super().__init__(sale, deps.payments, book)
        self.deps = deps
        self.http = http

    async def page(self, hold: str = "h1", title: str = "Eclipse") -> str:
        return await self.local.begin(an_intent(hold, drop=self.sale.drop, title=title))

    def delivery(self, **notice: object) -> tuple[dict[bytes, bytes], bytes]:
        """A webhook as this provider signs it."""
        notice = dict(
            event="ev_1",
            kind="authorized",
            intent=f"{self.sale.drop}.{notice['hold']}",
            drop=self.sale.drop,
            amount=2400,
            currency="EUR",
            captured=False,
            **notice,
        )
        body = msgspec.json.encode(notice)
        return dict(sign(self.local._hook_key, self.sale.now // 1000, body)), body

    async def post(self, headers: dict[bytes, bytes], body: bytes) -> httpx2.Response:
        return await self.http.post("/api/pay/webhooks/local", content=body, headers=headers)


@pytest.fixture
async def house(sale: Sale, tmp_path: Path) -> AsyncIterator[House]:
    templates = pages.environment()
    app = Starlette()
    async with (
        serving(app) as url,
        local_pay(tmp_path / "book", url, SaleClock(sale)) as local,
        httpx2.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        deps = Deps(sale.store, local, templates)
        app.router.routes.extend(webhooks.routes(deps))
        yield House(sale, deps, tmp_path / "book", http)


async def test_a_payment_on_the_page_becomes_an_order_by_way_of_the_public_door(
    house: House,
) -> None:
    hold = await house.begun("ada")
    await house.choose(hold, "pay")
    await until_idle(house.local)
    order = (await house.sale.truth()).orders[hold]
    assert (order.fan, order.amount, order.serials) == ("ada", 2400, [1])
    await house.work()
    assert await house.order(hold) == "done"


async def test_fifty_copies_of_one_webhook_at_once_are_one_order(house: House) -> None:
    hold = await house.begun("ada")
    delivery = house.delivery(hold=hold, charge="ch_1")
    answers = await asyncio.gather(*(house.post(*delivery) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {'{"outcome":"sold"}'}
    assert await house.sale.counts() == (2, 0, 1, 0)


async def test_a_webhook_twice_and_slow_and_late_is_answered_every_time(house: House) -> None:
    twice, slow = await house.begun("ada"), await house.begun("ben")
    await house.choose(twice, "twice")
    await house.choose(slow, "delay", 700)
    await until_idle(house.local)
    house.sale.now += 700
    await until_idle(house.local)
    assert await house.sale.counts() == (1, 0, 2, 0)
    late = await house.begun("cleo")
    await house.choose(late, "late")
    await house.over()
    await house.work()
    assert await house.sale.counts() == (1, 0, 2, 0)
    house.sale.now += 2_000
    await until_idle(house.local)
    assert await house.sale.counts() == (0, 0, 3, 0)
    assert "rescued" in await house.sale.words()


async def test_a_forged_webhook_is_refused_and_changes_nothing(house: House) -> None:
    hold = await house.begun("ada")
    headers, body = house.delivery(hold=hold, charge="ch_1")
    seq = (await house.sale.settle()).seq
    other = body.replace(b"2400", b"0024")
    assert (await house.post(headers, other)).status_code == 400
    assert (await house.post({}, body)).status_code == 400
    answer = await house.http.post(
        "/api/pay/webhooks/local", content=body, headers=[*headers.items(), *headers.items()]
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_message"
    assert (await house.sale.settle()).seq == seq


async def test_a_webhook_over_the_wrong_amount_buys_nothing(house: House) -> None:
    hold = await house.begun("ada")
    paid = await house.paid(hold)
    headers, body = house.delivery(hold=hold, charge=paid.charge)
    wrong = body.replace(b'"amount":2400', b'"amount":1')
    headers = dict(sign(house.local._hook_key, house.sale.now // 1000, wrong))
    assert (await house.post(headers, wrong)).json() == {"outcome": "voided"}
    assert await house.sale.counts() == (2, 1, 0, 0)
    await house.work()
    assert await house.at_provider(paid.charge) == "voided"


async def test_a_webhook_for_no_hold_of_ours_is_given_back_and_answered(house: House) -> None:
    address = await house.page("h999")
    await house.local.act(page_of(address), "pay")
    await until_idle(house.local)
    assert set((await house.charges()).values()) == {"voided"}


async def test_money_that_cannot_be_given_back_yet_keeps_the_webhook_coming(house: House) -> None:
    answer = await house.post(*house.delivery(hold="h999", charge="ch_nobody_knows"))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_a_declined_payment_is_heard_and_changes_nothing(house: House) -> None:
    hold = await house.begun("ada")
    await house.choose(hold, "decline")
    await until_idle(house.local)
    assert await house.sale.counts() == (2, 1, 0, 0)
    assert await house.local.step() > 0


async def test_while_the_store_is_away_a_webhook_waits_and_is_not_lost(house: House) -> None:
    hold = await house.begun("ada")
    near = house.deps.store
    async with connections.client("unix:///nowhere/at/all.sock") as nowhere:
        house.deps.store = Store(nowhere)
        await house.choose(hold, "pay")
        await until_idle(house.local)
        answer = await house.post(*house.delivery(hold=hold, charge="ch_1"))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["code"] == "away"
    house.deps.store = near
    house.sale.now += 1_000
    await until_idle(house.local)
    assert await house.sale.counts() == (2, 0, 1, 0)


async def test_a_webhook_that_is_too_large_is_refused_before_it_is_read(house: House) -> None:
    answer = await house.post({}, b" " * (webhooks.BODY_BYTES_MAX + 1))
    assert answer.status_code == 413


class Reader(HTMLParser):
    """What a browser without scripts makes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.buttons: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.inline: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag == "button":
            self.buttons[values["value"]] = values["name"]
        if tag == "input":
            self.fields[values["name"]] = values["value"]
        if tag == "a":
            self.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        self.text += data


async def read(house: House, address: str, status: int = 200) -> Reader:
    answer = await house.http.get(address)
    assert answer.status_code == status
    return Reader(answer.text)


async def test_the_page_shows_what_is_paid_for_how_much_and_until_when(house: House) -> None:
    page = await read(house, await house.page("h1", title="Eclipse pin"))
    words = " ".join(page.text.split())
    for told in ("Eclipse pin", "Enamel pin", "24.00 EUR", "8 min 0 s left", "No money moves"):
        assert told in words
    # The deadline in the drop's own zone, eight minutes after the start.
    assert re.search(r"09:08:00 CET", words)
    assert page.buttons.keys() == {"pay", "decline", "delay", "late", "twice"}
    assert page.links == [f"/drops/{house.sale.drop}"]


async def test_the_page_works_without_scripts_and_under_the_strictest_policy(
    house: House,
) -> None:
    address = await house.page()
    answer = await house.http.get(address)
    page = Reader(answer.text)
    assert not {"script", "style", "iframe", "img"} & set(page.tags)
    assert page.inline == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "evil",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "{{ 7 * 7 }}",
        "&lt;b&gt;",
    ],
)
async def test_a_creators_text_is_only_ever_text(house: House, evil: str) -> None:
    page = await read(house, await house.page("h1", title=evil))
    assert evil in page.text
    assert page.inline == []
    assert not {"script", "img", "svg", "b"} & set(page.tags)


async def test_who_paid_goes_back_to_the_drop_and_a_reload_pays_nothing(house: House) -> None:
    address = await house.page()
    for _ in range(2):
        answer = await house.http.post(address, content="do=pay&key=1", headers=FORM)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/drops/{house.sale.drop}"
    assert list((await house.charges()).values()) == ["authorized"]
    page = await read(house, address)
    assert "Authorised" in page.text
    assert page.buttons == {}


async def test_every_button_of_the_page_does_what_it_says(house: House) -> None:
    said = {
        "decline": IntentState.DECLINED,
        "delay": IntentState.PROCESSING,
        "late": IntentState.WAITING,
        "twice": IntentState.AUTHORIZED,
        "pay": IntentState.AUTHORIZED,
    }
    for number, (do, standing) in enumerate(said.items(), 1):
        address = await house.page(f"h{number}")
        page = await read(house, address)
        form = {"do": do, **page.fields}
        answer = await house.http.post(address, data=form)
        assert answer.status_code == 303
        if standing != IntentState.AUTHORIZED:
            assert urljoin(address, answer.headers["location"]) == address
        bill = await house.local.bill(page_of(address))
        assert bill is not None
        assert bill.standing == standing, do


async def test_the_seconds_that_people_type_are_kept(house: House) -> None:
    address = await house.page()
    form = {"do": "delay", "delay_s": "7", "late_s": "99", "key": "1"}
    await house.http.post(address, data=form)
    house.sale.now += 6_999
    bill = await house.local.bill(page_of(address))
    assert bill is not None
    assert bill.standing == IntentState.PROCESSING
    house.sale.now += 1
    bill = await house.local.bill(page_of(address))
    assert bill is not None
    assert bill.standing == IntentState.AUTHORIZED


async def test_a_page_whose_payment_is_on_its_way_looks_again_by_itself(house: House) -> None:
    address = await house.page()
    assert "http-equiv" not in (await house.http.get(address)).text
    await house.local.act(page_of(address), "delay")
    assert '<meta http-equiv="refresh" content="2">' in (await house.http.get(address)).text


async def test_programs_pay_by_json_and_are_told_how_it_stands(house: House) -> None:
    address = await house.page()
    declined = await house.http.post(address, json={"do": "decline"})
    assert declined.json()["state"] == "declined"
    paid = await house.http.post(address, json={"do": "pay", "after_ms": 0, "key": "k"})
    again = await house.http.post(address, json={"do": "pay", "after_ms": 0, "key": "k"})
    assert paid.status_code == 200
    assert paid.json() == again.json()
    found = await house.local.lookup(f"{house.sale.drop}.h1")
    assert isinstance(found, Charged)
    assert paid.json() == {
        "intent": f"{house.sale.drop}.h1",
        "state": "authorized",
        "charge": found.charge,
        "amount": 2400,
        "currency": "EUR",
        "back": f"/drops/{house.sale.drop}",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"do":"steal"}',
        b'{"do":"pay","after_ms":-1}',
        b'{"do":"pay","after_ms":3600001}',
        b'{"do":"pay","after_ms":1.5}',
        b'{"do":"pay","more":1}',
        b'{"do":"pay","key":"' + b"k" * 65 + b'"}',
        b'{"do":' * 500,
        b"[" * 10_000,
        b"\xff",
    ],
)
async def test_json_that_makes_no_sense_is_refused(house: House, body: bytes) -> None:
    address = await house.page()
    headers = {"content-type": "application/json"}
    answer = await house.http.post(address, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_message"
    assert await house.charges() == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"do",
        b"do=steal",
        b"do=delay&delay_s=-1",
        b"do=delay&delay_s=1e3",
        b"do=delay&delay_s=3601",
        b"do=delay&delay_s=%c2%b2",
        b"do=pay&after_ms=x",
        b"do=pay" + b"&a=1" * 20,
        b"do=pay&key=\xff",
    ],
)
async def test_a_form_that_makes_no_sense_is_refused(house: House, body: bytes) -> None:
    answer = await house.http.post(await house.page(), content=body, headers=FORM)
    assert answer.status_code == 400
    assert await house.charges() == {}


async def test_json_in_disguise_is_no_choice(house: House) -> None:
    """What a page of strangers may send without being asked for leave."""
    for kind in ("text/plain", "multipart/form-data; boundary=x", ""):
        answer = await house.http.post(
            await house.page(), content=b'{"do":"pay"}', headers={"content-type": kind}
        )
        assert answer.status_code == 415
    assert await house.charges() == {}


async def test_a_choice_that_is_too_large_is_refused(house: House) -> None:
    answer = await house.http.post(await house.page(), content=b"do=pay&key=" + b"k" * 20_000)
    assert answer.status_code == 413


async def test_an_address_that_was_never_given_out_is_no_page(house: House) -> None:
    address = await house.page()
    for wrong in (address[:-1], f"/pay/local/{house.sale.drop}.h1", "/pay/local/%00"):
        page = await read(house, wrong, 404)
        assert "no such payment" in page.text
        answer = await house.http.post(wrong, json={"do": "pay"})
        assert answer.status_code == 404
        answer = await house.http.post(wrong, content="do=pay", headers=FORM)
        assert answer.status_code == 404
    assert await house.charges() == {}


@pytest.mark.parametrize(
    ("amount", "digits", "told"),
    [(2400, 2, "24.00 EUR"), (5, 2, "0.05 EUR"), (0, 2, "0.00 EUR"), (1999, 3, "1.999 EUR")],
)
def test_money_is_told_without_a_rounding(amount: int, digits: int, told: str) -> None:
    assert webhooks.price(amount, digits, "EUR") == told


def test_money_without_decimals_has_no_point() -> None:
    assert webhooks.price(2400, 0, "JPY") == "2400 JPY"


def test_a_deadline_is_told_in_minutes_and_seconds() -> None:
    assert webhooks.left(262_999) == "4 min 22 s"
    assert webhooks.left(59_000) == "59 s"
