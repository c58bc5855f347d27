"""The same report for people, for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dropengine.cli import main
from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.log.figures import figures
from dropengine.sql import engine
from tests.kit.books_of import texts_of
from tests.kit.laid_tables import lay
from tests.kit.played_logs import play

LOG = play(5)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    one = engine.connect(settings)
    with engine.transaction(one, writes=True) as connection:
        books.enter(connection, "pin", 0, texts_of(LOG))
    one.dispose()
    return settings


def told(shop: Settings, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main.main(["report", "pin", "--data-dir", str(shop.data_dir), *more]) == 0
    return capsys.readouterr().out


def test_each_form_tells_each_number_with_its_definition(
    shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(told(shop, capsys, "--json"))
    assert (found["drop"], found["seq"]) == ("pin", len(LOG))
    of_log = [one for one in found["figures"] if one["stands_on"] == "log"]
    for one, figure in zip(of_log, figures(LOG), strict=True):
        assert (one["name"], one["values"]) == (figure.name, dict(figure.values))
    rows = list(csv.DictReader(io.StringIO(told(shop, capsys, "--csv"))))
    numbers = {
        (one["name"], of): "" if value is None else str(value)
        for one in found["figures"]
        for of, value in one["values"].items()
    }
    assert {(row["figure"], row["of"]): row["value"] for row in rows} == numbers
    text = told(shop, capsys)
    for one in found["figures"]:
        assert f"{one['name']} ({one['unit']}; " in text
        assert one["says"] in text


def test_a_drop_that_the_books_do_not_know_is_said(
    shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["report", "hat", "--data-dir", str(shop.data_dir)]) == 1
    assert "The books know no drop hat." in capsys.readouterr().err
