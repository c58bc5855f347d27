"""The benchmarks tell the truth about what they found: medians, targets, void runs, their files.

No time is asserted here: how fast it is, is for the benchmarks themselves to say.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from dropengine.model import FanId
from loadtest.bench import report
from loadtest.bench.__main__ import BENCHES, main
from loadtest.bench.acts_on_line import PRICE, Line
from loadtest.bench.charts import Bar, bars
from loadtest.bench.figures import (
    Figure,
    Results,
    figure,
    from_json,
    median,
    meets,
    missed,
    percentile,
    ratios,
    to_json,
    void,
)
from loadtest.bench.measured_shop import POOL
from loadtest.bench.scaling import Measured, need, scaling
from loadtest.bench.watchers import Open, Watchers
from tests.conftest import MakeSale
from tests.kit.manifests import item

ROOT = Path(__file__).parent.parent.parent
SMOKE_S_MAX = 120

FOUND: Results = {
    "hold_ws": {
        "cpu_us": figure([50.0, 40.0, 60.0], "<= 55", floor=[10.0], peers={"peer": [200.0]}),
        "worker_us": figure([30.0]),
        "server_us": figure([12.0]),
    },
    "fanout": {
        "us_per_delivery_10000": figure([9.0], floor=[8.0], peers={"peer": [15.0]}),
        "times_c_loop_10000": figure([1.125], "<= 1.3"),
        "tick_bytes": figure([250.0]),
        "server_us_per_look": figure([60.0]),
    },
    "handshake": {
        "worker_us_with_ticket": figure([240.0], "<= 250"),
        "server_us_with_ticket": figure([40.0]),
    },
    "memory": {"kib_with_ticket": figure([15.0], "<= 16")},
}


def with_a_miss() -> Results:
    return FOUND | {"start": {"ready_s": figure([3.0], "<= 2")}}


@pytest.mark.parametrize(
    ("runs", "middle"),
    [([3.0, 1.0, 2.0], 2.0), ([1.0, 2.0], 1.5), ([123456.0], 123500.0), ([], None)],
)
def test_a_figure_is_the_median_of_its_runs(runs: list[float], middle: float | None) -> None:
    assert median(runs) == middle


def test_one_very_slow_run_does_not_move_the_figure() -> None:
    assert figure([10.0, 11.0, 10.5, 10.2, 900.0], "<= 12").met


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [
        (1.3, "<= 1.3", True),
        (1.31, "<= 1.3", False),
        (15_000.0, ">= 15000", True),
        (14_999.0, ">= 15000", False),
        (1.0, "< 1", False),
        (0.99, "< 1", True),
    ],
)
def test_a_target_is_met_exactly_when_its_comparison_holds(
    value: float, target: str, met: bool
) -> None:
    assert meets(value, target) is met


def test_without_a_target_nothing_is_met_or_missed() -> None:
    assert figure([1.0]).met is None


def test_a_peer_that_could_not_be_had_leaves_no_target_behind() -> None:
    assert figure([], "< 1") == Figure(None, None, {}, None, None)


def test_ratios_are_taken_within_one_run() -> None:
    assert ratios([2.0, 30.0], [1.0, 10.0]) == [2.0, 3.0]


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 51.0
    assert percentile(values, 0.99) == 100.0
    assert percentile([7.0], 0.99) == 7.0


def test_speed_that_breaks_a_rule_counts_as_none() -> None:
    voided = void({"per_s": figure([20_000.0], ">= 15000"), "p99_ms": figure([3.0])})
    assert all(f.ours is None and f.met is False and f.target for f in voided.values())
    assert missed({"hold_ws": voided}) == ["hold_ws.per_s", "hold_ws.p99_ms"]


def test_the_json_has_one_shape_for_every_figure() -> None:
    text = to_json(with_a_miss())
    for figures in json.loads(text).values():
        for found in figures.values():
            assert set(found) == {"ours", "floor", "peers", "target", "met"}
    assert from_json(text) == with_a_miss()


def test_other_json_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        from_json(b'{"hold_ws": {"cpu_us": 12}}')


@pytest.mark.parametrize(("results", "code"), [(FOUND, 0), (with_a_miss(), 1)])
def test_check_ends_with_1_when_a_target_is_missed(
    results: Results, code: int, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_bytes(to_json(results))
    assert main(["--from", str(earlier), "--check"]) == code
    assert main(["--from", str(earlier)]) == 0


def test_a_benchmark_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "hold_ws,speed"])
    assert ended.value.code == 2
    assert "no benchmark speed" in capsys.readouterr().err


def test_every_benchmark_has_a_section_on_the_page() -> None:
    assert list(report.SECTIONS) == list(BENCHES)


def test_the_page_tells_each_figure_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    written = {path.name: path.read_text() for path in report.write(with_a_miss(), tmp_path)}
    assert "| `cpu_us` | 50 | 10 | 200 | <= 55 | met |" in written["performance.md"]
    assert "| `ready_s` | 3 | <= 2 | MISSED |" in written["performance.md"]
    for name in written:
        if name.endswith(".svg"):
            assert f"(pictures/{name})" in written["performance.md"]


def test_the_pages_name_no_path_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for path in report.write(FOUND, tmp_path):
        text = path.read_text()
        assert str(ROOT) not in text
        assert str(tmp_path) not in text


def test_a_picture_is_sound_and_says_what_it_shows() -> None:
    drawn = ET.fromstring(  # noqa: S314 - our own text
        bars("CPU < 1 & more", [("ten", [Bar("ours", 2.0, "ours"), Bar("peer", 4.0, "peer")])])
    )
    space = "{http://www.w3.org/2000/svg}"
    assert drawn.findtext(f"{space}title") == "CPU < 1 & more"
    assert drawn.findtext(f"{space}desc") == "ten ours 2; ten peer 4"
    ours, peer = (float(bar.get("width") or 0) for bar in drawn.iter(f"{space}rect"))
    assert peer == pytest.approx(2 * ours, rel=0.01)


def test_twice_the_watchers_need_twice_the_workers() -> None:
    measured = Measured(
        delivery_us=9.0,
        tick_bytes=250.0,
        handshake_us=240.0,
        read_us=40.0,
        socket_kib=15.0,
        press_worker_us=30.0,
        press_server_us=12.0,
        look_us=60.0,
    )
    one, two = need(measured, 100_000, 10), need(measured, 200_000, 10)
    assert one.workers == 13
    assert two.workers == 26
    assert two.gbit == pytest.approx(2 * one.gbit)
    # One core decides a drop, however many workers there are.
    assert two.all_press_s == pytest.approx(2 * one.all_press_s)


def test_there_is_no_model_without_its_figures() -> None:
    assert scaling(FOUND) is not None
    assert scaling({"hold_ws": FOUND["hold_ws"]}) is None


class Sender:
    """A server whose frames are written by hand, in whatever pieces the test likes."""

    def __init__(self) -> None:
        self.streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self.streams = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await writer.drain()
        self.streams.put_nowait((reader, writer))


async def test_an_offer_that_went_back_unread_is_not_bought(make_sale: MakeSale) -> None:
    sale = await make_sale(item("unit", {POOL: 2}, price=PRICE, withheld={POOL: 2}))
    line = Line(sale.store, sale.drop)
    await line.join([FanId("ada"), FanId("ben")])
    await line.add(2)
    await line.leave([FanId("ada")])
    ((fan, hold),) = await line.offers()
    assert fan == "ben"
    await line.buy([(fan, hold)])
    assert await line.offers() == []


@pytest.fixture
async def sender() -> AsyncIterator[tuple[str, Sender]]:
    one = Sender()
    async with await asyncio.start_server(one.serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}", one


async def test_the_readers_count_frames_however_they_are_cut(sender: tuple[str, Sender]) -> None:
    text = b'{"t":"tick","seq":7,"pad":"' + b"x" * 200 + b'"}'
    long = b"\x81\x7e" + len(text).to_bytes(2, "big") + text
    short = b'\x81\x15{"t":"tick","seq":12}'
    ping, goodbye = b"\x89\x02hi", b"\x88\x02\x03\xf5"
    host, server = sender
    async with Watchers() as screens:
        opened = await screens.open(Open(host, "/live", 0, 1))
        assert (opened.open, opened.errors) == (1, {})
        reader, writer = await server.streams.get()
        for piece in (long, long[:50], long[50:] + short, short + ping, goodbye):
            writer.write(piece)
            await writer.drain()
            # An answer means that what came before was read: each piece by itself.
            seen = await screens.seen()
        assert seen.frames == 4
        assert seen.closed == {1013: 1}
        assert (await reader.readexactly(8))[:2] == b"\x8a\x82"
        writer.close()
        await writer.wait_closed()


@pytest.mark.timeout(2 * SMOKE_S_MAX)
@pytest.mark.parametrize("name", ["hold_ws", "start"])
def test_a_quick_run_ends_with_figures(name: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    subprocess.run(
        [sys.executable, "-m", "loadtest.bench", "--quick", "--only", name, "--json", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=SMOKE_S_MAX,
    )
    found: dict[str, Any] = json.loads(out.read_bytes())
    assert set(found) == {name, report.ABOUT}
    assert all(f["ours"] is not None for f in found[name].values()), found
