"""Orders in the studio: found, read, refunded, handed over, noted, taken along as files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import events
from dropengine.doors.studio.order_files import OrderLine, decimal, spreadsheet
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.spreadsheet import FORMULA
from dropengine.order_number import number_of
from tests.doors.studio.test_night import NASTY, told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.sale import Sale
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


async def booked(studio: Studio, sale: Sale) -> None:
    """The books know all of it."""
    database = studio.web.runtime.database
    after = (await database.read(books.cursors)).get(sale.drop, 0)
    log = [line async for line in sale.store.log(sale.drop, after)]
    if log:
        await database.write(lambda sql: books.enter(sql, sale.drop, after, log))


async def sold(studio: Studio, count: int, **more: Any) -> tuple[Sale, list[str]]:
    """A drop with so many orders in the books."""
    sale = await studio.web.sale(item("pin", {"pin": 60}), **more)
    holds = []
    for number in range(count):
        hold = await sale.held(f"fan{number}")
        await sale.pay(f"fan{number}", hold)
        await sale.succeeded(hold, captured=True)
        holds.append(hold)
    await booked(studio, sale)
    return sale, holds


async def test_an_order_is_found_by_number_and_by_serial(studio: Studio) -> None:
    sale, holds = await sold(studio, 3)
    base = f"/studio/drops/{sale.drop}/orders"
    async with studio.person("cyd") as cyd:
        page = told(await cyd.http.get(base))
        assert "3 orders" in page
        assert all(number_of(hold) in page for hold in holds)
        for asked in (number_of(holds[1]), holds[1], "2", "#2", "No. 2"):
            page = told(await cyd.http.get(base, params={"asked": asked}))
            assert "1 order" in page, asked
            assert number_of(holds[1]) in page
        for asked in ("9", "#77", "1027-1", "nothing", "%", "' or 1=1 --"):
            assert "None like that." in told(await cyd.http.get(base, params={"asked": asked}))
        early = {"until": "2001-01-01T00:00"}
        assert "None like that." in told(await cyd.http.get(base, params=early))
        since = {"since": "2001-01-01T00:00", "shown": "kept"}
        assert "3 orders" in told(await cyd.http.get(base, params=since))
        assert "Refund the chosen" not in page


async def test_many_orders_are_shown_page_by_page(studio: Studio) -> None:
    sale, _ = await sold(studio, 53)
    base = f"/studio/drops/{sale.drop}/orders"
    async with studio.person("ben") as ben:
        first = await ben.http.get(base)
        assert "53 orders , 1 to 50" in told(first) or "53 orders, 1 to 50" in told(first)
        second = told(await ben.http.get(base, params={"after": "50"}))
        assert "51 to 53" in second
        for after in ("-1", "x", "99999999999999999999"):
            assert (await ben.http.get(base, params={"after": after})).status_code == 200


async def test_the_history_of_an_order_is_told_in_words(studio: Studio) -> None:
    sale, (hold,) = await sold(studio, 1)
    async with studio.person("cyd") as cyd:
        page = told(await cyd.http.get(f"/studio/drops/{sale.drop}/orders/{hold}"))
        told_in_order = ("held by a press", "Pay was pressed", "Sold 1")
        places = [page.index(words) for words in told_in_order]
        assert places == sorted(places)
        assert (await cyd.http.get(f"/studio/drops/{sale.drop}/orders/h999")).status_code == 404


async def test_several_are_refunded_with_a_reason_that_their_fans_read(studio: Studio) -> None:
    sale, holds = await sold(studio, 3)
    base = f"/studio/drops/{sale.drop}/orders"
    async with studio.person("ben") as ben:
        asked = await ben.http.get(f"{base}/refund", params={"order": holds[:2]})
        assert "2 orders, €48.00: the money goes back." in told(asked)
        data = {"key": key(), "order": holds[:2], "why": "torn in the mail"}
        for _ in range(2):
            answer = await ben.http.post(f"{base}/refund", data=data)
            assert (answer.status_code, answer.headers["location"]) == (303, base)
        assert "2 orders refunded" in told(await ben.http.get(base))
        log = [events.parse(line) async for line in sale.store.log(sale.drop)]
        back = [event for event in log if isinstance(event, events.Refunded)]
        assert [event.hold for event in back] == holds[:2]
        called = {await sale.store.operators.name(event.by) for event in back}
        assert (called, {event.why for event in back}) == ({"ben"}, {"torn in the mail"})
        # The books are behind: the pages know it all the same, and offer it no second time.
        page = await ben.http.get(f"{base}/refund", params={"order": holds[:2]})
        assert "Refunded already." in told(page)
        data = {"key": key(), "order": [*holds[1:], "h404"], "why": ""}
        answer = await ben.http.post(f"{base}/refund", data=data)
        assert answer.status_code == 409
        assert "2 orders refunded." in told(answer)
        assert "404-9: There is no such thing" in told(answer)
        rows = (await ben.get(f"/drops/{sale.drop}/orders")).json()["rows"]
        assert all(row["state"].startswith("refund") for row in rows)


async def test_what_was_handed_over_can_be_undone_and_leaves_its_rows(studio: Studio) -> None:
    sale, (hold,) = await sold(studio, 1)
    one = f"/studio/drops/{sale.drop}/orders/{hold}"
    async with studio.person("ada") as ada:
        data = {"key": key()}
        for _ in range(2):
            assert (await ada.http.post(f"{one}/handed-over", data=data)).status_code == 303
        assert "by ada" in told(await ada.http.get(one))
        listed = f"/studio/drops/{sale.drop}/orders"
        shown = {"shown": "handed over"}
        assert "1 order" in told(await ada.http.get(listed, params=shown))
        undo = {"key": key(), "undo": "yes"}
        assert (await ada.http.post(f"{one}/handed-over", data=undo)).status_code == 303
        assert "not yet" in told(await ada.http.get(one))
        rows = (await ada.get(f"/makers/{studio.lamps.id}/audit")).json()["rows"]
        mine = [row["what"] for row in rows if row["of"] == f"{sale.drop} {hold}"]
        assert mine == ["take back", "hand over"]


async def test_a_note_is_kept_for_those_who_run_the_drop(studio: Studio) -> None:
    sale, (hold,) = await sold(studio, 1)
    one = f"/studio/drops/{sale.drop}/orders/{hold}"
    async with studio.person("ben") as ben, studio.person("dan") as dan:
        data = {"key": key(), "note": f"Comes on Friday\n{NASTY}"}
        assert (await ben.http.post(f"{one}/note", data=data)).status_code == 303
        page = await ben.http.get(one)
        assert "Comes on Friday" in told(page)
        assert "<img src=x" not in page.text
        assert (
            await ben.http.post(f"{one}/note", data={"key": key(), "note": "x" * 1001})
        ).status_code == 400
        none = f"/studio/drops/{sale.drop}/orders/h404/note"
        assert (await ben.http.post(none, data={"key": key(), "note": "x"})).status_code == 404
        # Another maker's order is none.
        assert (await dan.http.get(one)).status_code == 404
        for path in (f"{one}/note", f"{one}/handed-over"):
            answer = await dan.http.post(path, data={"key": key(), "note": "mine"})
            assert answer.status_code == 404
        for name in ("orders.csv", "orders.ndjson"):
            assert (await dan.http.get(f"/studio/drops/{sale.drop}/{name}")).status_code == 404


async def test_all_orders_are_taken_along_as_csv_and_as_ndjson(studio: Studio) -> None:
    sale, holds = await sold(studio, 2, title="Lamp")
    base = f"/studio/drops/{sale.drop}/orders"
    async with studio.person("ben") as ben:
        data = {"key": key(), "note": "=HYPERLINK(1)"}
        await ben.http.post(f"{base}/{holds[0]}/note", data=data)
        sheet = await ben.http.get(f"{base}.csv")
        assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
        assert sheet.headers["content-disposition"].startswith("attachment;")
        rows = [*csv.DictReader(io.StringIO(sheet.text))]
        assert [row["order"] for row in rows] == holds
        assert rows[0]["amount"] == "24.00"
        assert (rows[0]["payment"], rows[0]["given_back"]) == ("p1", "0.00")
        assert rows[0]["note"] == "'=HYPERLINK(1)"
        lines = [
            json.loads(line) for line in (await ben.http.get(f"{base}.ndjson")).text.splitlines()
        ]
        assert [line["serials"] for line in lines] == [[1], [2]]
        assert lines[0]["note"] == "=HYPERLINK(1)"


def test_money_in_files_is_exact() -> None:
    assert decimal(2400, "EUR") == "24.00"
    assert decimal(5, "EUR") == "0.05"
    assert decimal(2400, "JPY") == "2400"
    assert decimal(2400, "KWD") == "2.400"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_cell_of_the_csv_is_a_formula(text: str) -> None:
    line = OrderLine(
        text,
        text,
        text,
        text,
        text,
        1,
        [1],
        text,
        text,
        text,
        text,
        text,
        text,
        text,
        text,
        text,
        text,
        text,
        text,
    )
    out = spreadsheet([line])
    assert out.count('"') % 2 == 0
    (_, cells) = csv.reader(io.StringIO(out, newline=""))
    assert not any(cell.startswith(FORMULA) for cell in cells)
    assert cells[0].removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("path", ["refund", "h1/handed-over", "h1/note"])
async def test_who_only_looks_changes_no_order(studio: Studio, path: str) -> None:
    sale, _ = await sold(studio, 1)
    async with studio.person("cyd") as cyd:
        answer = await cyd.http.post(
            f"/studio/drops/{sale.drop}/orders/{path}", data={"key": key(), "order": "h1"}
        )
        assert answer.status_code == 403
