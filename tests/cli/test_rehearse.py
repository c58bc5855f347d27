"""`dropengine rehearse` at its borders: what is no drop, what sells, what has no place; and of one
that is killed nothing stays."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropengine.cli.main import INTERRUPTED, main
from dropengine.config import Settings
from dropengine.processes import parent_death
from dropengine.processes.server_directory import ServerDirectory
from dropengine.processes.supervisor_process import SupervisorProcess
from tests.kit.ending_processes import Ending
from tests.rehearsal.test_place import UNTIL_GONE

FILE = """\
id = "lamp"
title = "Lamp"
maker = "Lamp makers"
currency = "EUR"
limit = 1
practice = true

[[items]]
id = "lamp"
title = "Lamp"
cap = 10
price = 1200
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A shop with a drop that sells."""
    data = tmp_path_factory.mktemp("shop")
    with SupervisorProcess(Settings(local_pay=True, data_dir=data, port=0, log_level="error")):
        file = data / "lamp.toml"
        file.write_text(FILE, encoding="utf-8")
        reach = ["--data-dir", str(data), "--by", "mia"]
        assert main(["drop", "publish", str(file), *reach]) == 0
        assert main(["drop", "open", "lamp", *reach]) == 0
        yield data


def refused(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main(["rehearse", *more]) != 0
    return capsys.readouterr().err


def test_while_a_drop_sells_it_is_named_and_nothing_begins(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for what in ("lamp", str(shop / "lamp.toml")):
        said = refused(capsys, what, "--data-dir", str(shop))
        assert "lamp sells now" in said
        assert "--beside-live" in said
    assert [*shop.glob("dropengine-rehearsal-*")] == []


def test_what_is_neither_a_drop_nor_a_file_is_said_to_be_none(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "nothing", "--data-dir", str(shop), "--beside-live")
    assert "There is no drop nothing here" in said


def test_a_drop_needs_its_shop_and_a_file_needs_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No shop runs" in refused(capsys, "lamp", "--data-dir", str(tmp_path))
    said = refused(capsys, "lamp.toml", "--data-dir", str(tmp_path))
    assert "lamp.toml" in said


def test_a_report_without_a_place_is_told_before_anything_is_played(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "nowhere" / "report.html"
    said = refused(capsys, "lamp", "--data-dir", str(shop), "--report", str(where))
    assert "No such file or directory" in said


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_however_it_ends_its_processes_and_its_folder_go(
    end: signal.Signals, tmp_path: Path
) -> None:
    data, file = tmp_path / "data", tmp_path / "lamp.toml"
    data.mkdir()
    file.write_text(FILE, encoding="utf-8")
    asked = ["rehearse", str(file), "--data-dir", str(data), "--fans", "10", "--minutes", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dropengine", *asked], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as said:
        # They are at the sale: so the whole shop is there.
        next(line for line in said if "sale:" in line)
        (folder,) = data.iterdir()
        noted = parent_death.noted(ServerDirectory(folder).note)
        assert noted is not None
        server = Ending(noted[0])
        process.send_signal(end)
        code = process.wait()
    assert code == (INTERRUPTED if end is signal.SIGINT else -signal.SIGKILL)
    server.wait(60)
    swept = subprocess.run(["sh", "-c", UNTIL_GONE, "sh", str(folder)], check=False)
    assert swept.returncode == 0
    assert [*data.iterdir()] == []
