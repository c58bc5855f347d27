"""A load test is judged: by locust's exit code, in its report, and by what its users saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dropengine import wire
from dropengine.rehearsal.history import AnyLine, Recorder
from loadtest.verdict import judge
from tests.conftest import MakeSale
from tests.kit.manifests import item
from tests.kit.sale import Sale

ROOT = Path(__file__).parent.parent.parent
NIGHT_S = 12


def night(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A small one, as `make loadtest` plays it."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "loadtest", "--users", "60", "--fans", "40", "--units", "15"),
            *("--seconds", str(NIGHT_S), "--html", str(folder / "report.html"), *more),
        ],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "more",
    [("--mode", "lobby"), ("--processes", "2")],
    ids=["one process, a lobby", "two processes"],
)
def test_a_night_is_judged_with_what_its_users_did(tmp_path: Path, more: tuple[str, ...]) -> None:
    told = night(tmp_path, *more)
    assert told.returncode == 0, told.stderr[-3_000:]
    (verdict,) = [line for line in told.stderr.splitlines() if "The referee: " in line]
    words = verdict.partition("The referee: ")[2].split(", ")
    assert words[2] == "0 oversold"
    assert words[-1] == "0 violations."
    # Most users press, and each press is held against the log.
    assert int(words[3].split()[0]) >= 30
    page = (tmp_path / "report.html").read_text()
    for row in ("hold", "connect", "tick lag", "referee: "):
        assert f'"name": "{row}' in page or f'"{row}' in page


def test_a_night_that_nobody_can_judge_has_failed(tmp_path: Path) -> None:
    told = night(tmp_path, DROP_KEY="no-key-of-this-shop")
    assert told.returncode == 1
    assert "Not judged. " in told.stderr
    assert "/api/studio/drops/loadtest/log answers 40" in told.stderr


@pytest.fixture
async def sold(make_sale: MakeSale) -> Sale:
    sale = await make_sale(item("pin", {"pin": 2}))
    await sale.bought("ana")
    await sale.held("bo")
    await sale.joined("cy")
    return sale


async def log_of(sale: Sale) -> list[bytes]:
    return [line async for line in sale.store.log(sale.drop)]


async def test_an_honest_night_has_no_violation(sold: Sale) -> None:
    report = judge(sold.drop, await log_of(sold), [])
    assert report.violations == []
    assert report.sold == 1


async def test_a_log_that_lost_an_event_is_blamed(sold: Sale) -> None:
    log = await log_of(sold)
    for gone in range(1, len(log) - 1):
        assert judge(sold.drop, log[:gone] + log[gone + 1 :], []).violations_total


async def test_a_unit_that_is_sold_twice_is_blamed(sold: Sale) -> None:
    log = [json.loads(line) for line in await log_of(sold)]
    again = dict(next(event for event in log if event["e"] == "sold"))
    again |= {"seq": len(log) + 1, "at": log[-1]["at"], "charge": "c-again"}
    lines = [json.dumps(event).encode() for event in [*log, again]]
    assert judge(sold.drop, lines, []).violations_total


async def test_a_hold_that_a_user_was_told_of_and_the_log_does_not_have_is_blamed(
    sold: Sale,
) -> None:
    recorder = Recorder()
    operation = recorder.invoke(sold.drop, "di", wire.Hold(id=1, key="k", pool="pin"))
    told = wire.HoldView(
        id="h9",
        key="k",
        pool="pin",
        qty=1,
        price=900,
        origin="press",
        state="active",
        start_ms=1,
        deadline_ms=2,
        claimed=False,
        extended=False,
        checking=False,
    )
    recorder.ok(operation, wire.Done(id=1, seq=3, hold=told))
    lines: list[AnyLine] = recorder.lines()
    (blamed,) = judge(sold.drop, await log_of(sold), lines).violations
    assert blamed.inv == "INV-8"
    assert msgspec.json.encode(blamed)
