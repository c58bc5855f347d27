"""What an order has to know: asked between hold and payment, kept field by field, corrected until
the maker closes it; nothing of it stands in truth or log, and no payment waits for it."""

from __future__ import annotations

import html
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from dropengine import outcomes, wire
from dropengine.asked import Asks
from dropengine.model import DropId, FanId
from dropengine.people import answers
from dropengine.people.tickets import pseudonym
from tests.doors.test_orders import buys, words
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, key, settings

server = web_process.server

ALL = Asks(
    name="required",
    address="required",
    phone="optional",
    note="required",
    note_label="Name to engrave",
    note_chars=20,
)
SAID = {
    "name": "Ada Lovelace",
    "lines": "12 St James Square\nFlat 3",
    "postal": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
    "phone": "+44 20 7946 0000",
    "note.1": "For Byron",
}
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
async def web(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path_factory.mktemp("asking"))
    lay(conf)
    async with front(conf) as one:
        yield one


@pytest.fixture
async def without_sql(server: Server, tmp_path: Path) -> AsyncIterator[WebProcess]:
    """Nobody has made its tables, so SQL is away."""
    async with front(settings(server.url, tmp_path)) as one:
        yield one


async def asking(web: WebProcess, asks: Asks | None = ALL) -> Sale:
    return await web.sale(item("pin", {"pin": 20}, most=2), limit=6, asks=asks)


async def holds(web: WebProcess, sale: Sale, fan: FanId, qty: int = 1) -> str:
    pressed = [(fan, wire.Hold(0, key(), "pin", qty))]
    (held,) = await web.runtime.store.press(DropId(sale.drop), pressed)
    assert isinstance(held, outcomes.Held), held
    return str(held.id)


def page_of(sale: Sale, hold: str) -> str:
    return f"/drops/{sale.drop}/holds/{hold}/asked"


def value(page: httpx2.Response, name: str) -> str:
    """What stands in a field of the form."""
    text = page.text
    if area := re.search(rf'<textarea [^>]*name="{re.escape(name)}"[^>]*>([^<]*)</textarea>', text):
        return html.unescape(area[1])
    if name == "country":
        found = re.search(r'<option value="([A-Z]{2})" selected', text)
        return found[1] if found else ""
    found = re.search(rf'<input [^>]*name="{re.escape(name)}" value="([^"]*)"', text)
    assert found, name
    return html.unescape(found[1])


async def test_the_page_before_the_opening_says_what_is_asked(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 20}), opened=False, asks=ALL)
    async with web.http() as http:
        said = words((await http.get(f"/drops/{sale.drop}")).text)
        asked = (await http.get(f"/api/drops/{sale.drop}")).json()["drop"]["asks"]
    assert "your name, your address, a phone number (if you like), for each unit:" in said
    assert "Name to engrave , up to 20 characters" in said
    assert asked["note_label"] == "Name to engrave"


async def test_each_field_is_kept_as_it_is_left_and_stands_there_after_a_reload(
    web: WebProcess,
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        first = await http.get(page_of(sale, hold))
        assert "Before you pay" in words(first.text)
        assert 'id="left"' in first.text
        for name, text in SAID.items():
            kept = await http.post(page_of(sale, hold), data={name: text}, headers=JSON)
            assert kept.status_code == 204, kept.text
            again = await http.get(page_of(sale, hold))
            assert value(again, name) == text
        assert {name: value(again, name) for name in SAID} == SAID


async def test_without_scripts_one_form_keeps_it_all_and_leads_to_the_payment(
    web: WebProcess,
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        paid = await http.post(page_of(sale, hold), data=SAID | {"do": "pay"})
        assert paid.status_code == 303
        assert "/pay/local/" in paid.headers["location"]
        told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, hold))
        assert told.answers[0, "city"] == "London"
        assert told.answers[1, "note"] == "For Byron"


async def test_what_is_missing_is_said_before_the_payment_and_asked_again_after_it(
    web: WebProcess,
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    some = {**SAID, "city": "", "note.1": ""}
    async with web.http(ticket) as http:
        stays = await http.post(page_of(sale, hold), data=some | {"do": "pay"})
        assert stays.status_code == 400
        assert "2 fields need another look" in words(stays.text)
        on = await http.post(page_of(sale, hold), data=some | {"do": "later"})
        assert on.status_code == 303
        assert "/pay/local/" in on.headers["location"]
        sold = await web.runtime.store.succeeded(
            DropId(sale.drop), "p1", f"paid-{hold}", 2400, "EUR", True
        )
        assert isinstance(sold, outcomes.Paid), sold
        order = await http.get(f"/drops/{sale.drop}/orders/{hold}")
        assert "2 things are still missing" in words(order.text)
        back = await http.post(page_of(sale, hold), data=SAID)
        assert back.headers["location"] == f"/drops/{sale.drop}/orders/{hold}"
        read = words((await http.get(back.headers["location"])).text)
        assert "still missing" not in read
        assert all(text in read for text in ("For Byron", "SW1Y 4JH", "United Kingdom"))


async def test_the_next_order_is_filled_in_with_what_its_fan_said_before(web: WebProcess) -> None:
    one, other = await asking(web), await asking(web)
    made, ticket = web.runtime.tickets.issue(int(time.time()))
    here, there = (pseudonym(made.key, DropId(sale.drop)) for sale in (one, other))
    async with web.http(ticket) as http:
        first = await holds(web, one, here)
        await http.post(page_of(one, first), data=SAID | {"do": "later"})
        second = await http.get(page_of(other, await holds(web, other, there)))
    filled = {name: value(second, name) for name in SAID}
    assert filled == SAID | {"note.1": ""}
    assert filled["name"] == "Ada Lovelace"


async def test_to_anybody_else_it_is_as_one_that_is_not_there(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    heard = set()
    for other in (None, web.ticket()[1], ticket[:-2]):
        async with web.http(other) as http:
            for path in (page_of(sale, hold), page_of(sale, "h999"), "/drops/none/holds/h1/asked"):
                read = await http.get(path)
                said = await http.post(path, data={"name": "Eve"})
                heard |= {(read.status_code, read.text), (said.status_code, said.text)}
    assert len(heard) == 1
    assert {status for status, _ in heard} == {404}
    told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, hold))
    assert told.answers == {}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("name", "x" * 121, "At most 120 characters fit here."),
        ("lines", "a\nb\nc\nd\ne", "At most 4 lines fit here."),
        ("country", "XX", "Choose a country of the list."),
        ("country", "Spain", "Choose a country of the list."),
        ("phone", "1" * 41, "At most 40 characters fit here."),
        ("note.1", "x" * 21, "At most 20 characters fit here."),
    ],
)
async def test_what_does_not_fit_is_named_beside_its_field_and_nothing_typed_is_lost(
    web: WebProcess, name: str, text: str, why: str
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        alone = await http.post(page_of(sale, hold), data={name: text}, headers=JSON)
        assert (alone.status_code, alone.json()["title"]) == (400, why)
        whole = await http.post(page_of(sale, hold), data=SAID | {name: text, "do": "pay"})
        assert whole.status_code == 400
        assert why in words(whole.text)
        assert name == "country" or value(whole, name) == text
        assert value(whole, "city") == "London"


EVIL = [
    "<img src=x onerror=alert(1)>",
    "</textarea><script>x</script>",
    '" autofocus onfocus="x',
    "a\u202eb\u2066c",
    "{{ 7 * 7 }}",
    "&lt;",
]


@pytest.mark.parametrize("evil", EVIL)
async def test_whatever_is_said_is_only_text_on_every_page_of_its_fan(
    web: WebProcess, evil: str
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    said = {**dict.fromkeys(SAID, evil), "country": "GB", "note.1": evil[:20], "phone": evil[:40]}
    said["postal"] = evil[:24]
    async with web.http(ticket) as http:
        assert (await http.post(page_of(sale, order), data=said)).status_code == 303
        pages = [
            await http.get(page_of(sale, order)),
            await http.get(f"/drops/{sale.drop}/orders/{order}"),
        ]
    plain = evil.replace("\u202e", "").replace("\u2066", "")
    for page in pages:
        assert page.text.count("<script") == 1
        assert "<img src=x" not in page.text
        assert 'onfocus="x' not in page.text.replace("&#34;", "'")
        assert not {"\u202e", "\u2066"} & {*page.text}
        assert plain in html.unescape(page.text)


async def test_a_drop_that_asks_nothing_leads_back(web: WebProcess) -> None:
    sale = await asking(web, None)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        answer = await http.get(page_of(sale, hold))
        assert answer.headers["location"] == f"/drops/{sale.drop}"
        order = await buys(web, sale, fan, 2)
        answer = await http.get(page_of(sale, order))
        assert answer.headers["location"] == f"/drops/{sale.drop}/orders/{order}"


async def test_a_hold_that_ended_leads_to_the_page_that_says_how(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    await web.runtime.store.press(DropId(sale.drop), [(fan, wire.Release(0, key(), hold))])
    async with web.http(ticket) as http:
        for answer in (
            await http.get(page_of(sale, hold)),
            await http.post(page_of(sale, hold), data=SAID | {"do": "pay"}),
        ):
            assert answer.headers["location"] == f"/drops/{sale.drop}"


async def test_what_the_maker_closed_is_changed_no_more_and_may_be_opened_again(
    web: WebProcess,
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    database = web.runtime.database
    async with web.http(ticket) as http:
        await http.post(page_of(sale, order), data=SAID)
        await database.write(lambda sql: answers.lock(sql, sale.drop, order, "ben", 1))
        alone = await http.post(page_of(sale, order), data={"city": "Paris"}, headers=JSON)
        assert alone.status_code == 409
        whole = await http.post(page_of(sale, order), data=SAID | {"city": "Paris"})
        assert (whole.status_code, "has closed this" in words(whole.text)) == (409, True)
        assert "has closed this" in words((await http.get(page_of(sale, order))).text)
        told = await database.read(lambda sql: answers.of_order(sql, sale.drop, order))
        assert told.answers[0, "city"] == "London"
        await database.write(lambda sql: answers.unlock(sql, sale.drop, order))
        assert (await http.post(page_of(sale, order), data={"city": "Paris"})).status_code == 303


async def test_while_sql_is_away_it_is_said_and_paying_goes_on(without_sql: WebProcess) -> None:
    web = without_sql
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        page = await http.get(page_of(sale, hold))
        assert page.status_code == 200
        assert "You can pay all the same" in words(page.text)
        alone = await http.post(page_of(sale, hold), data={"city": "Paris"}, headers=JSON)
        assert (alone.status_code, alone.json()["code"]) == (503, "away")
        typed = await http.post(page_of(sale, hold), data=SAID | {"do": "pay"})
        assert (typed.status_code, value(typed, "city")) == (503, "London")
        paid = await http.post(page_of(sale, hold), data=SAID | {"do": "later"})
        assert "/pay/local/" in paid.headers["location"]
        order = await buys(web, sale, fan, 2)
        order_page = await http.get(f"/drops/{sale.drop}/orders/{order}")
        assert order_page.status_code == 200
        assert "cannot be saved for a moment" in words(order_page.text)


async def test_nothing_of_it_stands_in_the_truth_or_in_its_log(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    async with web.http(ticket) as http:
        await http.post(page_of(sale, order), data=SAID)
    client = web.runtime.store.client
    kept = b"".join([line async for line in sale.store.log(sale.drop)])
    async for name in client.scan_iter(match="*"):
        kept += name + bytes(await client.dump(name) or b"")
    for text in ("Lovelace", "SW1Y", "7946", "Byron", "London"):
        assert text.encode() not in kept


async def test_a_page_of_others_says_nothing_for_a_fan(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        async with web.http(ticket, headers=headers) as http:
            assert (await http.post(page_of(sale, hold), data=SAID)).status_code in (400, 403)
    for body, kind in ((b"\xff=1", "application/x-www-form-urlencoded"), (b"{}", "text/plain")):
        async with web.http(ticket) as http:
            answer = await http.post(
                page_of(sale, hold), content=body, headers={"content-type": kind}
            )
            assert answer.status_code == 400
    told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, hold))
    assert told.answers == {}


async def test_german_readers_are_asked_in_german(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket, headers={"accept-language": "de"}) as http:
        page = await http.get(page_of(sale, hold))
    assert page.headers["content-language"] == "de"
    said = words(page.text)
    assert all(text in said for text in ("Bevor du bezahlst", "Postleitzahl", "Österreich"))


async def test_a_part_can_be_said_after_the_payment_without_scripts_too(web: WebProcess) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    hold = await holds(web, sale, fan)
    async with web.http(ticket) as http:
        assert " novalidate>" not in (await http.get(page_of(sale, hold))).text
        order = await buys(web, sale, fan, 2)
        assert " novalidate>" in (await http.get(page_of(sale, order))).text
        some = await http.post(page_of(sale, order), data={**SAID, "city": "", "note.2": ""})
        assert some.status_code == 303
        read = words((await http.get(some.headers["location"])).text)
    assert "2 things are still missing" in read
    assert "For Byron" in read


async def test_what_is_missing_is_asked_again_where_somebody_sees_all_that_is_his(
    web: WebProcess,
) -> None:
    sale = await asking(web)
    fan, ticket = web.ticket(sale.drop)
    order = await buys(web, sale, fan)
    async with web.http(ticket) as http:
        before = await http.get("/you")
        assert f'href="{page_of(sale, order)}"' in before.text
        assert "5 things are still missing" in words(before.text)
        assert (await http.post(page_of(sale, order), data=SAID)).status_code == 303
        assert "still missing" not in words((await http.get("/you")).text)
