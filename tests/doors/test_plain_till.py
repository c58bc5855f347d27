"""Without scripts: several things are held by one form, and paid together by another."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import msgspec
import pytest

from dropengine import wire
from dropengine.doors.plain_till import command_of
from tests.doors.test_orders import words
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.manifests import HOUR_MS, item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.sale_by_ways import POST, STALL
from tests.kit.web_process import WebProcess, front, key, settings

server = web_process.server


@pytest.fixture(scope="module")
async def web(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path_factory.mktemp("plain"))
    lay(conf)
    async with front(conf) as one:
        yield one


async def selling(web: WebProcess) -> Sale:
    """Three kinds, the last one rare; they come by post, or without it for less."""
    stall = msgspec.structs.replace(STALL, nodes=(), from_ms=0, until_ms=0, cash=False)
    return await web.sale(
        item("a", {"a": 5}, most=3),
        item("b", {"b": 5}, most=3),
        item("c", {"c": 1}, most=3),
        limit=8,
        ways=(POST, stall),
        hand_ms=72 * HOUR_MS,
        hand_share=100,
    )


async def asks(http: httpx2.AsyncClient, sale: Sale, do: str, **fields: str) -> httpx2.Response:
    named = {name.replace("_", "."): text for name, text in fields.items()}
    data = {"do": do, "key": key(), **named}
    return await http.post(f"/drops/{sale.drop}/plain", data=data)


def held(page: httpx2.Response) -> list[str]:
    """What can be paid."""
    return re.findall(r'name="hold\.(h\d+)"', page.text)


async def test_the_page_of_the_drop_leads_there_where_no_script_runs(web: WebProcess) -> None:
    sale = await selling(web)
    async with web.http() as http:
        (bare,) = re.findall(
            r"<noscript>(.*?)</noscript>", (await http.get(f"/drops/{sale.drop}")).text, re.DOTALL
        )
        assert f'href="/drops/{sale.drop}/plain"' in bare
        # Who has no ticket gets one first.
        led = await http.get(f"/drops/{sale.drop}/plain")
        assert (led.status_code, led.headers["location"]) == (303, f"/drops/{sale.drop}")
        assert (await http.get("/drops/none/plain")).status_code == 404


async def test_a_basket_is_held_and_what_is_missing_is_said_with_why(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket) as http:
        page = await asks(http, sale, "basket", qty_a="2", qty_b="0", qty_c="3")
        assert page.status_code == 200
        assert "You hold a part of it" in words(page.text)
        assert "a × 2 : held for you" in words(page.text)
        assert len(held(page)) == 1
        none = await asks(http, sale, "basket", qty_a="1", qty_c="3", all="on")
        assert "You hold none of it" in words(none.text)
        second = await asks(http, sale, "basket", qty_c="2", second_c="b")
        assert "You hold all of it" in words(second.text)
        assert len(held(second)) == 2
        empty = await asks(http, sale, "basket", qty_a="0")
        assert (empty.status_code, "Say how many" in words(empty.text)) == (400, True)


async def test_several_are_paid_by_a_way_and_the_payment_is_given_up(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket) as http:
        page = await asks(http, sale, "basket", qty_a="1", qty_b="2")
        said = words(page.text)
        assert all(text in said for text in ("Post", "At our stall", "By transfer"))
        ticked = dict.fromkeys((f"hold_{one}" for one in held(page)), "on")
        paid = await asks(http, sale, "pay", **ticked, way="post")
        assert paid.status_code == 303, words(paid.text)
        assert "/pay/local/" in paid.headers["location"]
        assert (await http.get(paid.headers["location"])).status_code == 200
        page = await http.get(f"/drops/{sale.drop}/plain")
        assert held(page) == []
        assert paid.headers["location"] in page.text
        (payment,) = re.findall(r'name="payment" value="(p\d+)"', page.text)
        again = await asks(http, sale, "unpay", payment=payment)
        assert again.status_code == 303
        assert (await asks(http, sale, "pay", way="post")).status_code == 400


async def test_a_way_that_is_none_is_refused_and_nothing_is_begun(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket) as http:
        page = await asks(http, sale, "basket", qty_a="1")
        (hold,) = held(page)
        refused = await asks(http, sale, "pay", **{f"hold_{hold}": "on"}, way="none")
        assert refused.status_code == 409
        assert 'role="alert"' in refused.text
        assert held(refused) == [hold]


async def test_a_hold_is_swapped_and_given_back(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket) as http:
        (hold,) = held(await asks(http, sale, "basket", qty_a="1"))
        swapped = await asks(http, sale, "swap", hold=hold, pool="b")
        assert swapped.status_code == 303
        you = (await http.get(f"/api/drops/{sale.drop}/you")).json()
        assert [(one["id"], one["pool"]) for one in you["holds"]] == [(hold, "b")]
        assert (await asks(http, sale, "release", hold=hold)).status_code == 303
        assert held(await http.get(f"/drops/{sale.drop}/plain")) == []


async def test_what_is_no_form_of_ours_does_nothing(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket) as http:
        for fields in ({"qty_a": "many"}, {"qty_a": "-1"}, {"qty_none": "1" * 30}):
            assert (await asks(http, sale, "basket", **fields)).status_code == 400
        assert (await asks(http, sale, "hold", hold="h1")).status_code == 400
    async with web.http(ticket, headers={"sec-fetch-site": "cross-site"}) as http:
        assert (await asks(http, sale, "basket", qty_a="1")).status_code in (400, 403)
    async with web.http(ticket) as http:
        assert held(await http.get(f"/drops/{sale.drop}/plain")) == []


async def test_german_readers_read_german(web: WebProcess) -> None:
    sale = await selling(web)
    _, ticket = web.ticket(sale.drop)
    async with web.http(ticket, headers={"accept-language": "de"}) as http:
        said = words((await http.get(f"/drops/{sale.drop}/plain")).text)
    assert "Ohne JavaScript kaufen" in said
    assert "Alles reservieren" in said


def test_each_button_asks_for_its_command() -> None:
    asked = {"do": "basket", "key": "k", "qty.a": "2", "second.a": "b", "qty.b": "", "all": "on"}
    assert command_of(asked) == wire.Basket(0, "k", [wire.Want(["a", "b"], 2)], all=True)
    paid = {"do": "pay", "key": "k", "hold.h2": "on", "hold.h1": "on", "way": "post"}
    assert command_of(paid) == wire.Pay(0, "k", ["h2", "h1"], "post")
    assert command_of({"do": "pay", "key": "k"}) is None
    with pytest.raises(ValueError, match="twice"):
        command_of({"do": "basket", "key": "k", "qty.a": "1", "second.a": "a"})
