"""Whole drops, small ones: the shop, the crowd, the creator and the referee together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue

import pytest

from dropengine.cli import main
from dropengine.config import Settings
from dropengine.log import referee
from dropengine.rehearsal import rehearse
from dropengine.rehearsal.practice_shop import Victim
from dropengine.rehearsal.rehearse import Rehearsal

NAMED = [
    "cap",
    "sold",
    "oversold",
    "distinct_serials",
    "fans",
    "holds",
    "expired",
    "offers",
    "offers_claimed",
    "over_limit",
    "overtaken",
    "log_gaps",
    "replay_equal",
    "captured_minus_refunded",
    "orders_total",
    "p50_ms",
    "p99_ms",
    "holds_per_s",
    "violations",
]


def test_a_drop_sells_out_and_everything_adds_up(tmp_path: Path) -> None:
    wanted = Rehearsal(
        fans=60,
        units=12,
        seed=7,
        report=tmp_path / "report.json",
        export=tmp_path / "log.ndjson",
        history=tmp_path / "history.ndjson",
    )
    assert rehearse.run(Settings(), wanted) == 0
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert set(NAMED) <= set(report)
    assert report["sold"] == report["cap"] == report["distinct_serials"] == 12
    assert report["captured_minus_refunded"] == report["orders_total"] == 12 * 2400
    assert report["replay_equal"] is True
    assert report["violations"] == []
    assert report["crowd"]["places_checked"] > 0
    with (tmp_path / "log.ndjson").open("rb") as log:
        assert referee.judge(log, closed=True).honest
    assert (tmp_path / "history.ndjson").stat().st_size > 0


@pytest.mark.parametrize("victim", ["worker", "server", "supervisor"])
def test_nothing_acknowledged_is_lost_when_a_process_is_killed(victim: Victim) -> None:
    # The tests beside this one take the machine: how long a start takes is no matter of right here.
    wanted = Rehearsal(fans=80, units=20, seed=3, kill=victim, back_s=40)
    assert rehearse.run(Settings(web_concurrency=2), wanted) == 0


@pytest.mark.parametrize("seed", [5, 11])
def test_a_hard_evening_with_two_drops_breaks_nothing(tmp_path: Path, seed: int) -> None:
    wanted = Rehearsal(
        fans=120,
        seed=seed,
        mix="hard",
        report=tmp_path / "report.json",
        export=tmp_path / "log.ndjson",
    )
    assert rehearse.run(Settings(), wanted) == 0
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert len(report["drops"]) == 2
    assert len(list(tmp_path.glob("log-hard-mix-*.ndjson"))) == 2


def test_a_file_is_rehearsed_with_the_units_that_it_says(tmp_path: Path) -> None:
    file, report = tmp_path / "three.toml", tmp_path / "report.json"
    file.write_text(
        'id = "three"\ntitle = "Three"\nmaker = "Mia"\ncurrency = "EUR"\nlimit = 1\n'
        '[[items]]\nid = "cup"\ntitle = "Cup"\nprice = 900\ncap = 3\n'
    )
    words = ["demo", str(file), "--headless", "--fans", "8", "--report", str(report)]
    assert main.main(words) == 0
    assert json.loads(report.read_bytes())["cap"] == 3


class Demo:
    """`dropengine demo` as somebody starts it, and what it says."""

    def __init__(self, data_dir: Path, *more: str) -> None:
        command = [sys.executable, "-m", "dropengine", "demo", "--port", "0", *more]
        self.process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(rehearse.__file__).parent.parent.parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._said: Queue[str] = Queue()
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as said:
            for line in said:
                self._said.put(line)

    def says(self, words: str) -> str:
        """The next line with these words."""
        while words not in (line := self._said.get(timeout=60)):
            pass
        return line

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def test_the_demo_prints_its_links_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data", "--fans", "5")
    assert "http://127.0.0.1:" in demo.says("your page")
    assert demo.says("the wall").rstrip().endswith("/wall")
    demo.says("is scheduled")
    assert demo.end(signal.SIGINT) == 0


def test_a_demo_that_was_killed_starts_again(tmp_path: Path) -> None:
    first = Demo(tmp_path / "data", "--fans", "5")
    first.says("is scheduled")
    first.end(signal.SIGKILL)
    again = Demo(tmp_path / "data", "--fans", "5")
    again.says("is scheduled")
    assert again.end(signal.SIGTERM) == 0
