"""The built files of the pages, by their names and by what is in them."""

from __future__ import annotations

from pathlib import Path

from dropengine.doors import static_files


def test_a_checkout_that_was_never_built_serves_pages_without_scripts(tmp_path: Path) -> None:
    door = static_files.Static(static_files.read(tmp_path / "none"))
    assert door.address("fan.js") == "/static/fan.js"


def test_a_built_file_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "fan.js").write_text("1")
    first = static_files.Static(static_files.read(tmp_path)).address("fan.js")
    (tmp_path / "fan.js").write_text("2")
    assert static_files.Static(static_files.read(tmp_path)).address("fan.js") != first
