"""What fans said of their orders, in the panel, files and API: for who may run the drop, and for
nobody who only looks; closed order by order or all at once, and the trail says by whom."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import Connection

from dropengine.asked import NAME, NOTE, ORDER, Asks
from dropengine.people import answers, receivers
from dropengine.people.receivers import GIFT, Meant
from dropengine.people.roles import Scope
from tests.doors.studio.test_night import told
from tests.doors.studio.test_orders import sold
from tests.doors.test_asking import EVIL
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.sale import Sale
from tests.kit.studio import Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

ASKS = Asks(
    name="required",
    address="required",
    note="required",
    note_label="Name to engrave",
    note_chars=20,
)
SAID = {
    (ORDER, NAME): "Ada Lovelace",
    (ORDER, "lines"): "12 Square\nFlat 3",
    (ORDER, "city"): "London",
    (ORDER, "country"): "GB",
    (1, NOTE): "For Byron",
}
HERS = {NAME: "Anna Isabella", "lines": "Ockham Park", "city": "Ockham", "country": "GB"}
SECRETS = ("Lovelace", "12 Square", "For Byron", "Isabella", "Ockham", "Annabella")
ADDRESSED = {"name", "lines", "postal", "city", "country", "phone", "notes", "receivers"}


async def said(studio: Studio) -> tuple[Sale, list[str]]:
    """Two orders: of the first all was said, and somebody receives it; of the second nothing."""
    sale, holds = await sold(studio, 2, asks=ASKS)
    drop = str(sale.drop)

    def work(sql: Connection) -> None:
        answers.save(sql, drop, holds[0], SAID, "ada", 1)
        made = receivers.make(sql, drop, holds[0], Meant(1, 1, GIFT, "Annabella"), "ada", 2)
        assert made is not None
        receivers.take(sql, made.id, HERS, 3)

    await studio.web.runtime.database.write(work)
    return sale, holds


@pytest.mark.parametrize("name", ["ada", "ben", "cyd", "dan"])
async def test_each_role_reads_what_it_may(studio: Studio, name: str) -> None:
    sale, holds = await said(studio)
    base = f"/studio/drops/{sale.drop}/orders"
    async with studio.person(name) as hand:
        pages = {
            path: await hand.http.get(f"{base}{path}")
            for path in ("", f"/{holds[0]}", ".csv", ".ndjson", "/packing")
        }
        api = await hand.get(f"/drops/{sale.drop}/answers")
    if name == "dan":
        assert {page.status_code for page in pages.values()} | {api.status_code} == {404}
        return
    if name == "cyd":
        assert (pages["/packing"].status_code, api.status_code) == (403, 403)
        for page in pages.values():
            assert not [text for text in SECRETS if text in page.text]
        assert "Complete." in told(pages[f"/{holds[0]}"])
        assert "5 missing" in told(pages[""])
        columns = csv.DictReader(io.StringIO(pages[".csv"].text)).fieldnames
        assert not ADDRESSED & {*(columns or [])}
        return
    for path in (f"/{holds[0]}", ".csv", ".ndjson", "/packing"):
        missing = [text for text in SECRETS if text not in pages[path].text]
        assert missing == [], path
    first, second = csv.DictReader(io.StringIO(pages[".csv"].text))
    assert (first["city"], first["missing"], second["missing"]) == ("London", "0", "5")
    lines = [json.loads(line) for line in pages[".ndjson"].text.splitlines()]
    assert lines[0]["receivers"][0]["name"] == "Anna Isabella"
    assert lines[0]["notes"] == ["For Byron"]
    assert "Still missing: name, street, town, country, #2." in told(pages["/packing"])
    rows = api.json()["rows"]
    assert rows[0]["answers"]["city"] == "London"
    assert rows[1]["missing"] == ["name", "lines", "city", "country", "note.1"]


@pytest.mark.parametrize("scope", [*Scope])
async def test_each_key_reads_what_it_may(studio: Studio, scope: Scope) -> None:
    sale, _ = await said(studio)
    async with studio.program(await studio.api_key(scope)) as program:
        answer = await program.get(f"/drops/{sale.drop}/answers")
        others = [
            await program.get(f"/drops/{sale.drop}{path}")
            for path in ("", "/orders", "/log", "/holds", "/report")
        ]
    assert answer.status_code == (403 if scope is Scope.READ else 200)
    for one in others:
        assert not [text for text in SECRETS if text in one.text]
    async with studio.program(await studio.api_key(scope, studio.pots)) as program:
        assert (await program.get(f"/drops/{sale.drop}/answers")).status_code == 404


async def test_an_order_is_closed_and_opened_and_the_trail_says_by_whom(studio: Studio) -> None:
    sale, holds = await said(studio)
    one = f"/studio/drops/{sale.drop}/orders/{holds[1]}"
    database = studio.web.runtime.database
    async with studio.person("ben") as ben, studio.person("cyd") as cyd, studio.person("ada") as a:
        assert (await cyd.http.post(f"{one}/lock", data={"key": key()})).status_code == 403
        data = {"key": key()}
        for _ in range(2):
            assert (await ben.http.post(f"{one}/lock", data=data)).status_code == 303
        assert "Closed for changes by ben" in told(await ben.http.get(one))
        known = await database.read(lambda sql: answers.of_order(sql, sale.drop, holds[1]))
        assert known.locked_by == "ben"
        undo = {"key": key(), "undo": "yes"}
        assert (await ben.http.post(f"{one}/lock", data=undo)).status_code == 303
        assert "Closed for changes" not in told(await ben.http.get(one))
        none = f"/studio/drops/{sale.drop}/orders/h999/lock"
        assert (await ben.http.post(none, data={"key": key()})).status_code == 404
        rows = (await a.get(f"/makers/{studio.lamps.id}/audit")).json()["rows"]
        mine = [row["what"] for row in rows if row["of"] == f"{sale.drop} {holds[1]}"]
        assert mine == ["unlock answers", "lock answers"]


async def test_all_that_are_complete_are_closed_at_once(studio: Studio) -> None:
    sale, holds = await said(studio)
    async with studio.person("ben") as ben:
        path = f"/studio/drops/{sale.drop}/orders/lock"
        assert (await ben.http.post(path, data={"key": key()})).status_code == 303
    known = await studio.web.runtime.database.read(lambda sql: answers.of_orders(sql, sale.drop))
    # What is missing can still be said.
    assert [bool(known[hold].locked_ms) for hold in holds if hold in known] == [True]


@pytest.mark.parametrize("evil", [*EVIL, '=HYPERLINK("x")', "+1+1", "@SUM(A1)", "-1"])
async def test_what_fans_say_is_only_text_in_panel_and_files(studio: Studio, evil: str) -> None:
    sale, (hold,) = await sold(studio, 1, asks=ASKS)
    every = {where: evil for where, _ in ASKS.asked(1)}
    drop = str(sale.drop)
    await studio.web.runtime.database.write(
        lambda sql: answers.save(sql, drop, hold, every, "ada", 1)
    )
    base = f"/studio/drops/{drop}/orders"
    async with studio.person("ben") as ben:
        for path in ("", f"/{hold}", "/packing"):
            page = (await ben.http.get(f"{base}{path}")).text
            assert "<script>x" not in page
            assert "<img src=x" not in page
        text = (await ben.http.get(f"{base}.csv")).text
    (row,) = csv.DictReader(io.StringIO(text))
    for name in ("name", "city", "notes"):
        assert not row[name].startswith(("=", "+", "-", "@"))
        assert row[name].removeprefix("'") == evil
