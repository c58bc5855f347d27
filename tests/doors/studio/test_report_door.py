"""How a sale went, by the API: what the command line says, and a spreadsheet that runs nothing."""

from __future__ import annotations

import csv
import io
import json

import pytest
import sqlalchemy as sa

from dropengine.cli import main
from dropengine.doors.studio.report_door import NOT_YET
from dropengine.jobs.ledger import books
from dropengine.jobs.ledger.report import Report
from dropengine.jobs.ledger.spreadsheet import spreadsheet
from dropengine.log.figures.figure import Figure
from dropengine.people.roles import Scope
from dropengine.sql.schema.ledger import ARRIVALS
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


async def sold(studio: Studio, hand: Hand) -> str:
    """A drop of which one unit was sold, and whose log is in the books."""
    drop = await studio.publish(hand)
    await hand.post(f"/drops/{drop}/open", {"revision": 1})
    store = studio.web.runtime.store
    fan, ticket = studio.web.ticket(drop)
    async with studio.web.http(ticket) as http:
        held = await http.post(f"/api/drops/{drop}/hold", json={"pool": "pin", "key": key()})
        hold = held.json()["hold"]["id"]
    await store.succeeded(drop, hold, f"paid-{drop}", 1200, "EUR", True)  # type: ignore[arg-type]
    log = [line async for line in store.log(drop)]  # type: ignore[arg-type]
    came = {"drop_id": drop, "fan": fan, "via": "-letter", "at_ms": 1}

    def entered(sql: sa.Connection) -> None:
        books.enter(sql, drop, 0, log)
        sql.execute(sa.insert(ARRIVALS), [came])

    await studio.web.runtime.database.write(entered)
    return drop


def told(studio: Studio, capsys: pytest.CaptureFixture[str], drop: str, form: str) -> str:
    where = str(studio.web.runtime.settings.data_dir)
    assert main.main(["report", drop, "--data-dir", where, form]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("", "*/*", "json"),
        ("", "text/csv", "csv"),
        ("", "text/csv, application/json;q=0.5", "csv"),
        ("?format=json", "text/csv", "json"),
        ("?format=csv", "application/json", "csv"),
    ],
)
async def test_the_report_is_what_the_command_line_says(
    studio: Studio, capsys: pytest.CaptureFixture[str], query: str, accept: str, form: str
) -> None:
    async with studio.person("cyd") as cyd, studio.person("ben") as ben:
        drop = await sold(studio, ben)
        answer = await cyd.get(f"/drops/{drop}/report{query}", headers={"accept": accept})
        assert answer.status_code == 200, answer.text
        said = told(studio, capsys, drop, f"--{form}")
        if form == "csv":
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
            assert answer.headers["content-disposition"] == f'attachment; filename="{drop}.csv"'
            assert answer.text == said
        else:
            assert answer.json() == json.loads(said)
            figures = {one["name"]: one["values"] for one in answer.json()["figures"]}
            assert figures["units_sold"] == {"": 1, "pin": 1}


async def test_a_program_that_may_read_reads_the_report_and_no_other_form_is_known(
    studio: Studio,
) -> None:
    secret = await studio.api_key(Scope.READ)
    async with studio.program(secret) as program, studio.person("ben") as ben:
        drop = await sold(studio, ben)
        assert (await program.get(f"/drops/{drop}/report")).json()["drop"] == drop
        answer = await program.get(f"/drops/{drop}/report?format=xlsx")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")


async def test_a_drop_that_the_books_have_not_met_says_so(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        answer = await ben.get(f"/drops/{drop}/report")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.json()["title"] == NOT_YET


async def test_no_text_of_a_spreadsheet_is_a_formula(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await sold(studio, ben)
        answer = await ben.get(f"/drops/{drop}/report?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert "'-letter" in {row["of"] for row in rows}
    harmful = ["=1+1", "+1", "-1", "@sum(a1)", "\tx", "\rx"]
    values = dict.fromkeys([*harmful, "letter", "a=b", ""], -3)
    text = spreadsheet(Report("pin", 1, [Figure("f", "units", "log", "What it is.", values)]))
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["of"] for row in read] == [*(f"'{one}" for one in harmful), "letter", "a=b", ""]
    # A number is one, also below zero.
    assert {row["value"] for row in read} == {"-3"}
