"""The payer's page over real HTTP: readable without scripts, and each button does its word."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import msgspec
import pytest

from dropengine.payments.local import IntentState, payer_page
from dropengine.payments.port import Charged, Unpayable
from tests.kit.local_provider import an_intent, page_of
from tests.kit.payment_doors import PaymentDoors, payment_doors
from tests.kit.sale import Sale

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def doors(sale: Sale, tmp_path: Path) -> AsyncIterator[PaymentDoors]:
    async with payment_doors(sale, tmp_path / "book") as opened:
        yield opened


class Reader(HTMLParser):
    """What a browser without scripts makes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.buttons: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.inline: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        # Those of the language are of every page.
        if tag == "button" and values["name"] != "language":
            self.buttons[values["value"]] = values["name"]
        if tag == "input":
            self.fields[values["name"]] = values["value"]
        if tag == "script":
            self.scripts.append(values.get("src", ""))
        if tag == "a":
            self.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        self.text += data


async def read(doors: PaymentDoors, address: str, status: int = 200) -> Reader:
    answer = await doors.http.get(address)
    assert answer.status_code == status
    return Reader(answer.text)


async def test_the_page_shows_what_is_paid_for_how_much_and_until_when(doors: PaymentDoors) -> None:
    page = await read(doors, await doors.page("p1", title="Eclipse pin"))
    words = " ".join(page.text.split())
    for told in ("Eclipse pin", "Enamel pin", "€24.00", "8 min 0 s left", "No money moves"):
        assert told in words
    # The deadline in the drop's own zone, eight minutes after the start.
    assert re.search(r"09:08:00 CET", words)
    assert page.buttons.keys() == {"pay", "decline", "delay", "late", "twice"}
    assert page.links == [f"/drops/{doors.sale.drop}"]


async def test_the_page_works_without_scripts_and_under_the_strictest_policy(
    doors: PaymentDoors,
) -> None:
    address = await doors.page()
    answer = await doors.http.get(address)
    page = Reader(answer.text)
    assert not {"style", "iframe"} & set(page.tags)
    # The clock: a file of the shop, without which the page says the same once.
    assert page.scripts == ["/static/localpay.js"]
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
async def test_a_creators_text_is_only_ever_text(doors: PaymentDoors, evil: str) -> None:
    page = await read(doors, await doors.page("p1", title=evil))
    assert evil in page.text
    assert page.inline == []
    harmless = await read(doors, await doors.page("p2", title="Eclipse"))
    assert page.tags == harmless.tags
    assert page.scripts == harmless.scripts


async def test_who_paid_goes_back_to_the_drop_and_a_reload_pays_nothing(
    doors: PaymentDoors,
) -> None:
    address = await doors.page()
    for _ in range(2):
        answer = await doors.http.post(address, content="do=pay&key=1", headers=FORM)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/drops/{doors.sale.drop}"
    assert list((await doors.charges()).values()) == ["authorized"]
    page = await read(doors, address)
    assert "Authorised" in page.text
    assert page.buttons == {}


async def test_every_button_of_the_page_does_what_it_says(doors: PaymentDoors) -> None:
    said = {
        "decline": IntentState.DECLINED,
        "delay": IntentState.PROCESSING,
        "late": IntentState.WAITING,
        "twice": IntentState.AUTHORIZED,
        "pay": IntentState.AUTHORIZED,
    }
    for number, (do, standing) in enumerate(said.items(), 1):
        address = await doors.page(f"h{number}")
        page = await read(doors, address)
        form = {"do": do, **page.fields}
        answer = await doors.http.post(address, data=form)
        assert answer.status_code == 303
        if standing != IntentState.AUTHORIZED:
            assert urljoin(address, answer.headers["location"]) == address
        bill = await doors.local.bill(page_of(address))
        assert bill is not None
        assert bill.standing == standing, do


async def test_the_seconds_that_people_type_are_kept(doors: PaymentDoors) -> None:
    address = await doors.page()
    form = {"do": "delay", "delay_s": "7", "late_s": "99", "key": "1"}
    await doors.http.post(address, data=form)
    doors.sale.now += 6_999
    bill = await doors.local.bill(page_of(address))
    assert bill is not None
    assert bill.standing == IntentState.PROCESSING
    doors.sale.now += 1
    bill = await doors.local.bill(page_of(address))
    assert bill is not None
    assert bill.standing == IntentState.AUTHORIZED


async def test_a_page_whose_payment_is_on_its_way_looks_again_by_itself(
    doors: PaymentDoors,
) -> None:
    address = await doors.page()
    assert "http-equiv" not in (await doors.http.get(address)).text
    await doors.local.act(page_of(address), "delay")
    assert '<meta http-equiv="refresh" content="2">' in (await doors.http.get(address)).text


async def test_programs_pay_by_json_and_are_told_how_it_stands(doors: PaymentDoors) -> None:
    address = await doors.page()
    declined = await doors.http.post(address, json={"do": "decline"})
    assert declined.json()["state"] == "declined"
    paid = await doors.http.post(address, json={"do": "pay", "after_ms": 0, "key": "k"})
    again = await doors.http.post(address, json={"do": "pay", "after_ms": 0, "key": "k"})
    assert paid.status_code == 200
    assert paid.json() == again.json()
    found = await doors.local.lookup(f"{doors.sale.drop}.p1")
    assert isinstance(found, Charged)
    assert paid.json() == {
        "intent": f"{doors.sale.drop}.p1",
        "state": "authorized",
        "charge": found.charge,
        "amount": 2400,
        "currency": "EUR",
        "back": f"/drops/{doors.sale.drop}",
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
async def test_json_that_makes_no_sense_is_refused(doors: PaymentDoors, body: bytes) -> None:
    address = await doors.page()
    headers = {"content-type": "application/json"}
    answer = await doors.http.post(address, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_message"
    assert await doors.charges() == {}


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
async def test_a_form_that_makes_no_sense_is_refused(doors: PaymentDoors, body: bytes) -> None:
    answer = await doors.http.post(await doors.page(), content=body, headers=FORM)
    assert answer.status_code == 400
    assert await doors.charges() == {}


async def test_json_in_disguise_is_no_choice(doors: PaymentDoors) -> None:
    """What a page of strangers may send without being asked for leave."""
    for kind in ("text/plain", "multipart/form-data; boundary=x", ""):
        answer = await doors.http.post(
            await doors.page(), content=b'{"do":"pay"}', headers={"content-type": kind}
        )
        assert answer.status_code == 415
    assert await doors.charges() == {}


async def test_a_choice_that_is_too_large_is_refused(doors: PaymentDoors) -> None:
    answer = await doors.http.post(await doors.page(), content=b"do=pay&key=" + b"k" * 20_000)
    assert answer.status_code == 413


async def test_an_address_that_was_never_given_out_is_no_page(doors: PaymentDoors) -> None:
    address = await doors.page()
    for wrong in (address[:-1], f"/pay/local/{doors.sale.drop}.p1", "/pay/local/%00"):
        page = await read(doors, wrong, 404)
        assert "no such payment" in page.text
        answer = await doors.http.post(wrong, json={"do": "pay"})
        assert answer.status_code == 404
        answer = await doors.http.post(wrong, content="do=pay", headers=FORM)
        assert answer.status_code == 404
    assert await doors.charges() == {}


@pytest.mark.parametrize(
    ("amount", "digits", "currency", "told"),
    [
        (2400, 2, "EUR", "€24.00"),
        (5, 2, "EUR", "€0.05"),
        (0, 2, "EUR", "€0.00"),
        (1999, 3, "KWD", "KWD\u00a01.999"),
        (123456789, 2, "USD", "$1,234,567.89"),
        (2400, 0, "JPY", "¥2,400"),
    ],
)
async def test_money_is_written_as_on_the_page_of_the_drop(
    doors: PaymentDoors, amount: int, digits: int, currency: str, told: str
) -> None:
    terms = an_intent("p1", drop=doors.sale.drop, amount=amount)
    terms = msgspec.structs.replace(terms, currency=currency, minor_digits=digits)
    page = await read(doors, await doors.local.begin(terms))
    assert page.text.count(told) == 3
    assert f"Pay {told}" in page.text


def test_a_deadline_is_told_in_minutes_and_seconds() -> None:
    assert payer_page.left(262_999) == "4 min 22 s"
    assert payer_page.left(59_000) == "59 s"


async def test_a_cancelled_payment_is_told_and_offers_nothing(doors: PaymentDoors) -> None:
    address = await doors.page()
    await doors.local.act(page_of(address), "decline")
    assert await doors.local.cancel(f"{doors.sale.drop}.p1") == Unpayable()
    page = await read(doors, address)
    assert "This payment is closed, and nothing was paid" in " ".join(page.text.split())
    assert page.buttons == {}
    assert page.links == [f"/drops/{doors.sale.drop}"]
    by_form = await doors.http.post(address, content="do=pay&key=1", headers=FORM)
    assert (by_form.status_code, by_form.headers["location"]) == (303, urljoin(address, address))
    by_json = await doors.http.post(address, json={"do": "pay"})
    assert (by_json.status_code, by_json.json()["state"]) == (200, "cancelled")
    assert by_json.json()["charge"] == ""
    assert await doors.charges() == {}
