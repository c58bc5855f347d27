"""Somebody else receives a unit: a link that shows what he may know, that reading does not spend,
that works once, and that its fan takes back."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx2
import pytest

from dropengine.asked import Asks
from dropengine.model import DropId, FanId
from dropengine.order_number import number_of
from dropengine.people import answers, order_notes, receivers
from tests.doors.test_asking import ALL, EVIL
from tests.doors.test_orders import buys, words
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.manifests import item
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import WebProcess, front, key, settings

server = web_process.server

GIFT = {"unit": "1", "kind": "gift", "label": "Anna", "giver": "Ada"}
HERS = {
    "name": "Anna Isabella",
    "lines": "Ockham Park",
    "postal": "GU23",
    "city": "Ockham",
    "country": "GB",
}


@pytest.fixture(scope="module")
async def web(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebProcess]:
    conf = settings(server.url, tmp_path_factory.mktemp("receiving"))
    lay(conf)
    async with front(conf) as one:
        yield one


async def bought(
    web: WebProcess, asks: Asks | None = ALL, qty: int = 1, **more: Any
) -> tuple[Sale, FanId, str, str]:
    sale = await web.sale(item("pin", {"pin": 20}, most=3), limit=3, asks=asks, **more)
    fan, ticket = web.ticket(sale.drop)
    return sale, fan, ticket, await buys(web, sale, fan, qty)


def order_page(sale: Sale, order: str) -> str:
    return f"/drops/{sale.drop}/orders/{order}"


async def link_of(http: httpx2.AsyncClient, sale: Sale, order: str, meant: dict[str, str]) -> str:
    made = await http.post(f"{order_page(sale, order)}/receivers", data=meant)
    assert made.status_code == 303, made.text
    page = (await http.get(order_page(sale, order))).text
    return links(page)[int(meant["unit"])]


def links(page: str) -> dict[int, str]:
    """Unit -> the link that stands on the giver's page."""
    found = re.findall(r'id="link-(\d+)" readonly value="([^"]+)"', page)
    return {int(unit): html.unescape(address) for unit, address in found}


async def test_the_receiver_sees_what_he_may_know_and_confirms_once(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web, qty=2)
    async with web.http(ticket) as giver, web.http() as anna, web.http() as other:
        link = await link_of(giver, sale, order, GIFT | {"unit": "2"})
        # Programs that look into mail read it first, as often as they like.
        for _ in range(3):
            page = await other.get(link)
            assert page.status_code == 200
            said = words(page.text)
            assert all(text in said for text in ("#2", "Pin", "Test drop", "From Ada", "Postal"))
            # Neither whom the giver means nor the number of his order is the reader's business.
            assert "Anna" not in said
            assert number_of(order) not in said
        done = await anna.post(link, data=HERS)
        assert (done.status_code, "Confirmed" in words(done.text)) == (200, True)
        for http in (anna, other):
            assert (await http.post(link, data=HERS | {"name": "Eve"})).status_code == 404
            assert (await http.get(link)).status_code == 404
        seen = words((await giver.get(order_page(sale, order))).text)
        assert "Anna Isabella receives it." in seen
        assert "Ockham" not in seen
    told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, order))
    (one,) = told.receivers
    assert (one.unit, one.serial, one.kind, one.taken) == (2, 2, "gift", True)
    assert one.answers == HERS


async def test_of_two_who_confirm_at_once_one_receives_it(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver:
        link = await link_of(giver, sale, order, GIFT)
    receiver = web.runtime.receivers.read(link.rpartition("/")[2])
    database = web.runtime.database
    taken = [
        await database.write(
            partial(receivers.take, receiver=receiver, said={"name": who}, now_ms=9)
        )
        for who in ("Anna", "Eve")
    ]
    assert taken == [True, False]
    one = await database.read(lambda sql: receivers.find(sql, receiver))
    assert one is not None
    assert one.answers == {"name": "Anna"}


async def test_a_link_that_was_taken_back_is_over_and_stays_written_down(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver, web.http() as anna:
        link = await link_of(giver, sale, order, GIFT)
        assert await link_of(giver, sale, order, GIFT) == link, "asked twice it is one"
        receiver = web.runtime.receivers.read(link.rpartition("/")[2])
        revoke = f"{order_page(sale, order)}/receivers/{receiver}/revoke"
        for _ in range(2):
            assert (await giver.post(revoke)).status_code == 303
        assert (await anna.get(link)).status_code == 404
        assert (await anna.post(link, data=HERS)).status_code == 404
        second = await link_of(giver, sale, order, GIFT | {"kind": "collects"})
        assert second != link
        # Who collects says who he is, and nothing of where he lives.
        page = words((await anna.get(second)).text)
        assert "You collect it" in page
        assert "Postal" not in page
        assert (await anna.post(second, data={"name": "Bo"})).status_code == 200
        assert (await giver.post(revoke.replace(receiver, "0" * 18))).status_code == 409
    told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, order))
    assert [(one.kind, bool(one.revoked_ms), one.taken) for one in told.receivers] == [
        ("gift", True, False),
        ("collects", False, True),
    ]


async def test_another_link_for_a_unit_ends_the_one_before_and_what_was_said_by_it(
    web: WebProcess,
) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver, web.http() as anna:
        link = await link_of(giver, sale, order, GIFT)
        assert (await anna.post(link, data=HERS)).status_code == 200
        await link_of(giver, sale, order, GIFT | {"label": "Bo"})
    told = await web.runtime.database.read(lambda sql: answers.of_order(sql, sale.drop, order))
    assert [(bool(one.revoked_ms), one.answers) for one in told.receivers] == [
        (True, {}),
        (False, {}),
    ]


async def test_what_is_needed_of_the_receiver_is_asked_again(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver, web.http() as anna:
        link = await link_of(giver, sale, order, GIFT)
        for amiss in ({"name": ""}, {"city": ""}, {"country": "XX"}, {"name": "x" * 121}):
            answer = await anna.post(link, data=HERS | amiss)
            assert answer.status_code == 400
            assert "One field needs another look" in words(answer.text)
        assert (await anna.post(link, data={})).status_code == 400
        assert (await anna.post(link, data=HERS)).status_code == 200


async def test_an_order_that_went_back_was_closed_or_handed_over_has_no_receiver(
    web: WebProcess,
) -> None:
    database = web.runtime.database
    for ended in ("refunded", "closed", "handed over"):
        sale, _, ticket, order = await bought(web)
        drop = str(sale.drop)
        async with web.http(ticket) as giver, web.http() as anna:
            link = await link_of(giver, sale, order, GIFT)
            if ended == "refunded":
                await web.runtime.store.refund(DropId(drop), order, by="o1", key=key())
            elif ended == "closed":
                await database.write(partial(answers.lock, drop=drop, hold=order, by="b", now_ms=1))
            else:
                done = partial(order_notes.hand_over, drop=drop, hold=order, by="ben", now_ms=1)
                await database.write(done)
            assert (await anna.get(link)).status_code == 404, ended
            assert (await anna.post(link, data=HERS)).status_code == 404, ended
            made = await giver.post(f"{order_page(sale, order)}/receivers", data=GIFT)
            assert made.status_code in (404, 409), ended


async def test_no_link_is_guessed_and_nobody_makes_one_for_an_order_of_others(
    web: WebProcess,
) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver, web.http(web.ticket()[1]) as eve, web.http() as nobody:
        link = await link_of(giver, sale, order, GIFT)
        token = link.rpartition("/")[2]
        receiver, _, mac = token.partition(".")
        guesses = [receiver, f"{receiver}.", f"{receiver}.{'0' * 32}", f"{receiver}.{mac[:-1]}"]
        guesses += [f"{'0' * 18}.{mac}", f"{token}x", "é" * 9, "%00", "."]
        for guess in guesses:
            assert (await nobody.get(f"/receive/{guess}")).status_code == 404, guess
            assert (await nobody.post(f"/receive/{guess}", data=HERS)).status_code == 404, guess
        for http in (eve, nobody):
            made = await http.post(f"{order_page(sale, order)}/receivers", data=GIFT)
            gone = await http.post(f"{order_page(sale, order)}/receivers/{receiver}/revoke")
            assert (made.status_code, gone.status_code) == (404, 404)
        assert (await nobody.get(link)).status_code == 200


async def test_a_link_of_another_order_is_not_taken_back_by_it(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web)
    his, _, other_ticket, others = await bought(web)
    async with web.http(ticket) as giver, web.http(other_ticket) as other:
        link = await link_of(giver, sale, order, GIFT)
        receiver = web.runtime.receivers.read(link.rpartition("/")[2])
        tried = await other.post(f"{order_page(his, others)}/receivers/{receiver}/revoke")
        assert tried.status_code == 409
        assert (await other.get(link)).status_code == 200


@pytest.mark.parametrize(
    "amiss",
    [
        {"unit": "0"},
        {"unit": "2"},
        {"unit": "-1"},
        {"unit": "9" * 400},
        {"unit": "²"},
        {"kind": "mine"},
        {"kind": ""},
    ],
)
async def test_a_form_that_is_none_of_ours_makes_no_link(
    web: WebProcess, amiss: dict[str, str]
) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver:
        made = await giver.post(f"{order_page(sale, order)}/receivers", data=GIFT | amiss)
    assert made.status_code == 400


async def test_links_for_a_unit_are_counted(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web)
    async with web.http(ticket) as giver:
        path = f"{order_page(sale, order)}/receivers"
        heard = [
            (await giver.post(path, data=GIFT | {"label": f"friend {n}"})).status_code
            for n in range(receivers.PER_UNIT_MAX + 1)
        ]
    assert heard == [303] * receivers.PER_UNIT_MAX + [409]


@pytest.mark.parametrize("evil", EVIL)
async def test_what_giver_and_receiver_say_is_only_text(web: WebProcess, evil: str) -> None:
    sale, _, ticket, order = await bought(
        web, title=evil.replace("\u202e", "").replace("\u2066", "")
    )
    async with web.http(ticket) as giver, web.http() as anna:
        link = await link_of(giver, sale, order, GIFT | {"label": evil, "giver": evil})
        pages = [await anna.get(link)]
        pages.append(await anna.post(link, data=HERS | {"name": evil, "city": ""}))
        pages.append(await anna.post(link, data=HERS | {"name": evil}))
        pages.append(await giver.get(order_page(sale, order)))
    for page in pages:
        assert "<script>x" not in page.text
        assert "<img src=x" not in page.text
        assert not {"\u202e", "\u2066"} & {*page.text}


async def test_a_drop_that_asks_nothing_asks_a_receiver_for_his_name(web: WebProcess) -> None:
    sale, _, ticket, order = await bought(web, None)
    async with web.http(ticket) as giver, web.http() as anna:
        link = await link_of(giver, sale, order, GIFT | {"giver": ""})
        page = words((await anna.get(link)).text)
        assert "From" not in page.split("Sold by", 1)[1][:40]
        assert (await anna.post(link, data={"name": "Anna"})).status_code == 200
