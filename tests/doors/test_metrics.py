"""The numbers of a web process, as Prometheus reads them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import websockets.asyncio.client as sockets
from websockets.typing import Origin, Subprotocol

from dropengine.doors.live_socket import SUBPROTOCOL
from dropengine.doors.metric_families import FAMILIES
from dropengine.doors.prometheus import Adds, Family, Sample, added, text
from dropengine.truth.store import Store
from tests.kit import web_process
from tests.kit.manifests import item, manifest
from tests.kit.outages import shop_on
from tests.kit.private_server import Server
from tests.kit.prometheus import promtool
from tests.kit.web_process import LONG_S, WebProcess, settings

server = web_process.server
web = web_process.web


async def test_the_numbers_add_up_and_can_be_read_by_prometheus(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin@north": 3, "pin@south": 4}, withheld={"pin@south": 1}))
    await sale.held("ada", "pin@north")
    async with web.http() as http, web.watcher(sale.drop), web.fan(sale.drop) as fan:
        done = await fan.ask("hold", pool="pin@south")
        await fan.tick(done["seq"])
        text = (await http.get("/metrics")).text
    units: dict[str, dict[str, int]] = {}
    named: dict[str, float] = {}
    states: list[str] = []
    types: dict[str, str] = {}
    helped: list[str] = []
    for row in text.splitlines():
        if row.startswith("# HELP "):
            helped.append(row.split()[2])
            continue
        if row.startswith("# TYPE "):
            _, _, name, kind = row.split()
            types[name] = kind
            continue
        name, _, value = row.rpartition(" ")
        bare, _, labels = name.partition("{")
        assert bare in types or types[bare.rpartition("_")[0]] == "histogram"
        known = dict(pair.split("=") for pair in labels.rstrip("}").split(",") if pair)
        if known.get("drop", f'"{sale.drop}"') != f'"{sale.drop}"':
            continue
        if bare == "dropengine_units":
            units.setdefault(known["pool"].strip('"'), {})[known["state"].strip('"')] = int(value)
        elif bare == "dropengine_drop_state":
            states += [known["state"].strip('"')] * int(value)
        else:
            named[bare] = float(value)
    assert units == {
        "pin@north": {"free": 2, "held": 1, "sold": 0, "withheld": 0, "leased": 0},
        "pin@south": {"free": 2, "held": 1, "sold": 0, "withheld": 1, "leased": 0},
    }
    assert states == ["live"]
    assert named["dropengine_server_verdicts"] == 1
    assert named["dropengine_seats"] == 2
    assert named["dropengine_fans"] == 1
    assert named["dropengine_log_events_total"] >= done["seq"]
    assert types["dropengine_units"] == "gauge"
    assert helped == list(types)
    # A press was decided, by one call, in a batch of one.
    assert named["dropengine_batch_commands_count"] == named["dropengine_press_seconds_count"] == 1
    assert 0 < named["dropengine_server_seconds_sum"] <= named["dropengine_press_seconds_sum"]
    assert all((kind == "counter") == name.endswith("_total") for name, kind in types.items())
    assert 0 < named["dropengine_memory_used_bytes"] < named["dropengine_memory_max_bytes"]
    assert named["dropengine_memory_max_bytes"] == 512 << 20
    assert named["dropengine_memory_alarm_percent"] == 0


@contextlib.asynccontextmanager
async def seated(url: str, truth: Server, count: int) -> AsyncIterator[str]:
    """So many watchers of a drop, spread over the processes of a shop as the kernel likes."""
    store = Store.connect(truth.url)
    await store.publish(manifest("seen"), by="o1", key="publish")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        for _ in range(count):
            line = sockets.connect(
                f"ws{url.removeprefix('http')}/drops/seen/live",
                origin=Origin(url),
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                proxy=None,
            )
            await stack.enter_async_context(line)
        yield "seen"


async def doors(url: str) -> tuple[dict[str, Any], dict[str, float]]:
    """What one process says of all, by one connection: alive, and the numbers."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=LONG_S) as http:
        alive = (await http.get("/healthz")).json()
        lines = (await http.get("/metrics")).text.splitlines()
    rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return alive, {name: float(value) for name, _, value in rows}


KINDS = {
    name: Family("gauge", "of one", how)
    for name, how in zip(
        "abcde", (Adds.SUM, Adds.MOST, Adds.NEWEST, Adds.EACH, Adds.LEAST), strict=True
    )
}


def test_numbers_of_processes_become_those_of_the_shop() -> None:
    one = [Sample("a", 2), Sample("b", 5), Sample("c", 7, (("drop", "x"),), 40), Sample("e", 1)]
    two = [Sample("a", 3), Sample("b", 4), Sample("c", 6, (("drop", "x"),), 41), Sample("e", 0)]
    alone = [Sample("a", 1, (("drop", "y"),))]
    found = added({1: one, 2: two, 3: alone}, KINDS)
    assert {(s.name, s.labels): s.value for s in found} == {
        ("a", ()): 5,
        ("b", ()): 5,
        ("c", (("drop", "x"),)): 6,
        ("a", (("drop", "y"),)): 1,
        ("e", ()): 0,
    }


def test_what_a_process_counted_is_told_as_its_own() -> None:
    """In a sum, the end of one process would look as if all had begun to count anew."""
    code = ("code", "limit")
    found = added({1: [Sample("d", 40, (code,))], 2: [Sample("d", 2, (code,))]}, KINDS)
    assert {(s.labels, s.value) for s in found} == {
        ((code, ("process", "1")), 40),
        ((code, ("process", "2")), 2),
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ('say "so"', r'"say \"so\""'),
        ("a\\b", r'"a\\b"'),
        ("two\nlines", r'"two\nlines"'),
        ('\\"\n', r'"\\\"\n"'),
    ],
)
def test_whatever_a_label_says_is_one_value(value: str, written: str) -> None:
    said = text([Sample("a", 1.5, (("drop", value),))], KINDS)
    assert said == f"# HELP a of one\n# TYPE a gauge\na{{drop={written}}} 1.5\n"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3, "3"),
        (0.25, "0.25"),
        (float("inf"), "+Inf"),
        (float("nan"), "NaN"),
        (10**15, str(10**15)),
    ],
)
def test_numbers_are_written_as_prometheus_reads_them(value: float, written: str) -> None:
    assert text([Sample("a", value)], KINDS).splitlines()[-1] == f"a {written}"


def test_prometheus_own_tool_has_no_complaint() -> None:
    said = text([Sample(name, 1, (("drop", 'a "b"'),)) for name in FAMILIES], FAMILIES)
    assert promtool("check", "metrics", said=said) == (0, "")


TOKEN = "a-token-of-more-than-thirty-two-letters"
HERE, ELSEWHERE = None, "https://drops.example"


@pytest.mark.parametrize(
    ("public_url", "token", "headers", "status"),
    [
        (HERE, None, {}, 200),
        ("http://localhost:8000", None, {}, 200),
        ("http://[::1]:8000", None, {}, 200),
        (ELSEWHERE, None, {}, 403),
        (HERE, None, {"x-forwarded-for": "203.0.113.9"}, 403),
        (HERE, None, {"x-forwarded-proto": "https"}, 403),
        (HERE, None, {"forwarded": "for=203.0.113.9"}, 403),
        (HERE, None, {"host": "evil.example"}, 400),
        (ELSEWHERE, TOKEN, {"authorization": f"Bearer {TOKEN}"}, 200),
        (ELSEWHERE, TOKEN, {"authorization": f"bearer {TOKEN}", "host": "10.0.0.7:8000"}, 200),
        (
            ELSEWHERE,
            TOKEN,
            {"authorization": f"Bearer {TOKEN}", "x-forwarded-for": "203.0.113.9"},
            200,
        ),
        (ELSEWHERE, TOKEN, {"authorization": "Bearer another"}, 403),
        (ELSEWHERE, TOKEN, {"authorization": f"Basic {TOKEN}"}, 403),
        (ELSEWHERE, TOKEN, {}, 403),
        (ELSEWHERE, None, {"authorization": "Bearer"}, 403),
        (HERE, TOKEN, {"authorization": "Bearer another"}, 403),
    ],
)
async def test_numbers_are_for_a_token_or_for_who_is_on_the_machine_of_its_shop(
    server: Server,
    tmp_path: Path,
    public_url: str | None,
    token: str | None,
    headers: dict[str, str],
    status: int,
) -> None:
    conf = settings(server.url, tmp_path, public_url=public_url, metrics_token=token)
    async with web_process.front(conf) as web, web.http() as http:
        answer = await http.get("/metrics", headers={"host": "localhost"} | headers)
        assert answer.status_code == status
        assert ("dropengine_seats" in answer.text or "HELP" in answer.text) == (status == 200)


async def test_whichever_process_is_asked_the_numbers_are_those_of_all(tmp_path: Path) -> None:
    truth = Server(tmp_path / "truth", durable=True).start()
    shop = shop_on(truth, tmp_path, 2)
    try:
        running = await asyncio.to_thread(shop.start)
        async with seated(running.url, truth, 24) as drop:
            asked: set[int] = set()
            async with asyncio.timeout(LONG_S):
                while len(asked) < 2:
                    alive, numbers = await doors(running.url)
                    if numbers.get(f'dropengine_seats{{drop="{drop}"}}') == 24:
                        asked.add(alive["pid"])
            rows = alive["shop"]["processes"]
            assert [row["pid"] for row in rows] == list(running.worker_pids)
            assert {row["state"] for row in rows} == {"up"}
            assert alive["shop"]["supervisor"] == running.supervisor_pid
            assert numbers['dropengine_processes{state="up"}'] == 2
            assert numbers['dropengine_process_starts_total{process="1"}'] == 1
            assert numbers['dropengine_server_verdicts{server="ok"}'] == 2
            for process in ("1", "2"):
                assert numbers[f'dropengine_press_seconds_count{{process="{process}"}}'] == 0
    finally:
        await asyncio.to_thread(shop.stop)
        truth.stop()
