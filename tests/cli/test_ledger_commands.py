"""What the books derive is made anew at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropengine.cli import main
from dropengine.config import Settings
from dropengine.jobs.ledger import books
from dropengine.sql import engine
from tests.kit.books_of import books_of, texts_of
from tests.kit.laid_tables import lay
from tests.kit.played_logs import play


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With two drops in its books."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    one = engine.connect(settings)
    for drop in ("cup", "pin"):
        with engine.transaction(one, writes=True) as connection:
            books.enter(connection, drop, 0, texts_of(play(5)))
    one.dispose()
    return settings


def rebuild(shop: Settings, *drops: str) -> int:
    return main.main(["ledger", "rebuild", *drops, "--data-dir", str(shop.data_dir)])


@pytest.mark.parametrize(("asked", "told"), [([], 2), (["pin"], 1)])
def test_one_drop_or_all_are_made_anew(
    shop: Settings, asked: list[str], told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one = engine.connect(shop)
    with engine.transaction(one, writes=True) as connection:
        before = books_of(connection, "pin")
        connection.exec_driver_sql("DELETE FROM ledger_orders")
    assert rebuild(shop, *asked) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == told
    assert f"pin: made anew from {len(before['ledger_rows'])} events." in lines
    with engine.transaction(one, writes=False) as connection:
        assert books_of(connection, "pin") == before
        assert (books_of(connection, "cup")["ledger_orders"] == []) is bool(asked)
    one.dispose()


def test_a_drop_that_the_books_do_not_know_is_said(
    shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebuild(shop, "hat") == 1
    assert "The books know no drop hat." in capsys.readouterr().err


def test_a_shop_without_tables_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert rebuild(Settings(data_dir=tmp_path)) == 14
    assert "not been brought" in capsys.readouterr().err
