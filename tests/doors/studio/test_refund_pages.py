"""Parts of an order given back in the studio, kept back after the handover, and come back."""

from __future__ import annotations

import csv
import io
from typing import Any

from dropengine import events
from dropengine.order_number import number_of
from tests.doors.studio.test_night import told
from tests.doors.studio.test_orders import booked
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.sale import Sale
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


async def three(studio: Studio) -> tuple[Sale, str, str]:
    """A drop, an order of three of it with its serials 1 to 3, and where its orders are."""
    sale = await studio.web.sale(item("pin", {"pin": 60}), limit=5)
    hold = await sale.held("ana", qty=3)
    await sale.pay("ana", hold)
    await sale.succeeded("p1", captured=True)
    await booked(studio, sale)
    return sale, hold, f"/studio/drops/{sale.drop}/orders"


async def given_back(sale: Sale) -> list[Any]:
    log = [events.parse(line) async for line in sale.store.log(sale.drop)]
    kinds = (events.Refunded, events.Reduced, events.CameBack)
    return [event for event in log if isinstance(event, kinds)]


async def test_the_page_says_what_of_an_order_goes_back_and_does_just_that(
    studio: Studio,
) -> None:
    sale, hold, base = await three(studio)
    async with studio.person("ben") as ben:
        whole = await ben.http.get(f"{base}/refund", params={"order": hold})
        assert f"€72.00 of order {number_of(hold)}: the money goes back." in told(whole)
        assert "All of it goes back: #1 #2 #3" in told(whole)
        asked = {"order": hold, "serial": ["2"], "back": "line"}
        page = await ben.http.get(f"{base}/refund", params=asked)
        assert f"€24.00 of order {number_of(hold)}: the money goes back." in told(page)
        assert (
            "1 of 3 go back: #2. 2 stay its fan\N{RIGHT SINGLE QUOTATION MARK}s, for €48.00."
            in told(page)
        )
        assert 'name="serial" value="2"' in page.text
        data = {"key": key(), "why": "torn", **asked}
        for _ in range(2):
            answer = await ben.http.post(f"{base}/refund", data=data)
            assert (answer.status_code, answer.headers["location"]) == (303, base)
        (back,) = await given_back(sale)
        assert (back.serials, back.amount, back.back, back.why) == ([2], 2400, "line", "torn")
        data = {"key": key(), "order": hold, "back": "stay", "amount": "5.50"}
        page = await ben.http.get(f"{base}/refund", params=data)
        assert "its fan keeps all of them, and paid €42.50 then" in told(page)
        assert (await ben.http.post(f"{base}/refund", data=data)).status_code == 303
        assert [event.amount for event in await given_back(sale)] == [2400, 550]
        await booked(studio, sale)
        (row,) = csv.DictReader(io.StringIO((await ben.http.get(f"{base}.csv")).text))
        assert (row["qty"], row["amount"], row["given_back"]) == ("2", "42.50", "29.50")
        await sale.charged_back("p1", 4250)
        await booked(studio, sale)
        for which, there in (("charged back", True), ("refunded", False), ("kept", True)):
            found = told(await ben.http.get(base, params={"shown": which}))
            assert (number_of(hold) in found) is there, which
        shown = told(await ben.http.get(f"{base}/{hold}"))
        assert "The payment was paid: €72.00 of it are kept" in shown
        assert "gave €5.50 back, its units stay" in shown


async def test_what_is_handed_over_is_kept_back_until_it_came_back_in_order(
    studio: Studio,
) -> None:
    sale, hold, base = await three(studio)
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        await ben.http.post(f"{base}/{hold}/handed-over", data={"key": key()})
        page = await ben.http.get(f"{base}/refund", params={"order": hold})
        assert 'value="line"' not in page.text
        assert "The numbers are kept back" in told(page)
        asked = {"order": hold, "serial": ["1", "3"], "back": "line"}
        assert (await ben.http.get(f"{base}/refund", params=asked)).status_code == 400
        answer = await ben.http.post(f"{base}/refund", data={"key": key(), **asked})
        assert answer.status_code == 409
        assert await given_back(sale) == []
        data = {"key": key(), **asked, "back": "withheld"}
        assert (await ben.http.post(f"{base}/refund", data=data)).status_code == 303
        await booked(studio, sale)
        assert "Given back, and not here yet" in told(await cyd.http.get(f"{base}/{hold}"))
        back = f"{base}/{hold}/came-back"
        assert (await cyd.http.post(back, data={"key": key()})).status_code == 403
        assert (await ben.http.post(back, data={"key": key()})).status_code == 400
        data = {"key": key(), "serial": ["3"]}
        for _ in range(2):
            assert (await ben.http.post(back, data=data)).status_code == 303
        assert (await ben.http.post(back, data={"key": key(), "serial": "2"})).status_code == 404
        assert "is refunded." in told(await ben.http.get(base))
        page = await ben.http.get(f"{base}/{hold}")
        assert "1 unit came back in order" in told(page)
        assert 'name="serial" value="1"' in page.text
        assert 'name="serial" value="3"' not in page.text
        assert [type(event).__name__ for event in await given_back(sale)] == [
            "Refunded",
            "CameBack",
        ]


async def test_what_cannot_go_back_is_said_above_what_would(studio: Studio) -> None:
    sale, hold, base = await three(studio)
    async with studio.person("ben") as ben:
        for wrong, sentence in (
            ({"serial": "9"}, "It has not all of these units any more."),
            ({"serial": "one"}, "Choose each of its units by its number."),
            ({"amount": "99999"}, "The amount is more than is left of this order."),
            ({"back": "stay"}, "Say how much goes back"),
        ):
            page = await ben.http.get(f"{base}/refund", params={"order": hold, **wrong})
            assert (page.status_code, sentence in told(page)) == (400, True), wrong
            data = {"key": key(), "order": hold, **wrong}
            answer = await ben.http.post(f"{base}/refund", data=data)
            assert (answer.status_code // 100, sentence in told(answer)) == (4, True), wrong
        assert await given_back(sale) == []
