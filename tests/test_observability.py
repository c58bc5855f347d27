"""What watches a shop asks for numbers that it tells: the dashboard and the alerts of the examples,
held against a real shop, and tried by Prometheus' own programs where they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest

from dropengine.creator_commands import Open
from dropengine.doors.metric_families import FAMILIES
from dropengine.doors.prometheus import family_of
from dropengine.model import DropId, DutyRecord
from dropengine.truth import keys
from dropengine.truth.store import Store
from tests.kit.manifests import manifest
from tests.kit.outages import shop_on
from tests.kit.private_server import Server
from tests.kit.prometheus import Prometheus, program, promtool
from tests.kit.web_process import LONG_S

FOLDER = Path(__file__).parent.parent / "examples" / "observability"
ALERTS = (FOLDER / "alerts.yml").read_text()
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())

OF_PROMETHEUS = {"up"}
LABELS_OF_PROMETHEUS = {"instance", "job"}
"""What Prometheus knows itself of whatever it asks."""
QUOTED = re.compile(r'"[^"]*"')
METRIC = re.compile(r"\b(?:dropengine_\w+|up)\b")
LABELS = re.compile(r"(?:\bby|\bwithout|\bon)\s*\(([^)]*)\)|(\w+)\s*(?:=~|!~|!=|=(?!=))")

Labels = dict[str, set[str]]
"""Metric -> the labels that it was told with."""


class Asked(NamedTuple):
    """A question of a panel or of an alert."""

    where: str
    expr: str


def panels(inside: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in inside:
        yield panel
        yield from panels(panel.get("panels", []))


PANELS = [*panels(DASHBOARD["panels"])]
SHOWING = [panel for panel in PANELS if panel["type"] != "row"]


def filled(expr: str) -> str:
    """As Grafana fills a question in."""
    for name, value in (("$__rate_interval", "1m"), ("$__range", "1h"), ("$drop", ".*")):
        expr = expr.replace(name, value)
    assert "$" not in expr, f"a variable that nobody fills in: {expr}"
    return expr


def of_dashboard() -> list[Asked]:
    return [
        Asked(panel["title"], filled(target["expr"]))
        for panel in SHOWING
        for target in panel["targets"]
    ]


def of_alerts() -> list[Asked]:
    """Each alert with its question; `>-` joins the lines below it."""
    each = r"- alert: (\w+)\n +expr: (?:>-\n)?(.*?)\n +(?:for|labels): "
    found = re.findall(each, ALERTS, re.DOTALL)
    return [Asked(name, " ".join(expr.split())) for name, expr in found]


QUESTIONS = [*of_dashboard(), *of_alerts()]


def complaints(asked: Asked, known: Labels) -> Iterator[str]:
    """A sentence for each metric that nobody tells, and each label that it is not told with."""
    bare = QUOTED.sub('""', asked.expr)
    metrics = {name for name in METRIC.findall(bare) if name not in OF_PROMETHEUS}
    yield from (f"{asked.where}: nobody tells {name}" for name in sorted(metrics - known.keys()))
    there = LABELS_OF_PROMETHEUS.union(*(known.get(name, set()) for name in metrics))
    for grouped, matched in LABELS.findall(bare):
        for label in (grouped or matched).replace(" ", "").split(","):
            if label and label not in there:
                yield f"{asked.where}: {asked.expr} has no label {label}"


def told(page: str) -> Labels:
    """Of a page of numbers."""
    found: Labels = defaultdict(set)
    for line in page.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.rpartition(" ")[0].partition("{")
            found[name] |= set(re.findall(r'(\w+)="', labels))
    return dict(found)


class Night(NamedTuple):
    """A shop in which everything is there to be told: `page` is what it tells."""

    url: str
    page: str
    frozen: str


async def published(store: Store) -> None:
    """Two drops, there when the shop starts: it compares their money then."""
    for drop in ("sells", "stops"):
        await store.publish(manifest(drop), by="o1", key="publish")


async def trouble(store: Store) -> str:
    """One drop sells, one stands still, and there is money that nobody can settle; the second."""
    await store.command(DropId("sells"), Open(), revision=1, by="o1", key="open")
    outbox = keys.one(DropId("sells"), "outbox")
    now_ms = int((await store.client.time())[0]) * 1000
    owed = DutyRecord("refund", "h9", "c8", 2400, now_ms)
    for duty, raw in (("refund:c8", msgspec.msgpack.encode(owed)), ("void:c9", b"\xff")):
        await store.client.hset(outbox, duty, raw)
    await store.client.hset(keys.one(DropId("stops"), "drop"), "mark", now_ms)
    return "stops"


@contextlib.asynccontextmanager
async def pressing(url: str) -> AsyncIterator[None]:
    """A fan who is refused again and again, as long as the block lasts."""

    async def press() -> None:
        async with httpx2.AsyncClient(
            base_url=url, headers={"origin": url}, trust_env=False, timeout=LONG_S
        ) as http:
            await http.get("/drops/sells")
            for number in count():
                body = {"hold": "h999", "key": f"press-{number}"}
                await http.post("/api/drops/sells/release", json=body)

    fan = asyncio.create_task(press())
    try:
        yield
    finally:
        fan.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await fan


@pytest.fixture(scope="module")
async def night(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Night]:
    folder = tmp_path_factory.mktemp("night")
    truth = Server(folder / "truth", durable=True).start()
    shop = shop_on(truth, folder, 2)
    store = Store.connect(truth.url)
    try:
        await published(store)
        running = await asyncio.to_thread(shop.start)
        frozen = await trouble(store)
        async with (
            pressing(running.url),
            httpx2.AsyncClient(base_url=running.url, trust_env=False, timeout=LONG_S) as http,
        ):
            missing = {*FAMILIES}
            ends = asyncio.get_running_loop().time() + LONG_S * 2
            while missing:
                assert asyncio.get_running_loop().time() < ends, f"nobody tells {missing}"
                page = (await http.get("/metrics")).text
                missing = FAMILIES.keys() - {family_of(name, FAMILIES) for name in told(page)}
            yield Night(running.url, page, frozen)
    finally:
        await store.close()
        await asyncio.to_thread(shop.stop)
        truth.stop()


async def test_every_number_and_label_that_is_asked_for_is_told(night: Night) -> None:
    known = told(night.page)
    assert [*(line for asked in QUESTIONS for line in complaints(asked, known))] == []


def test_a_number_or_a_label_that_nobody_tells_is_named() -> None:
    """The check itself, seen failing."""
    known: Labels = {"dropengine_seats": {"drop"}}
    fine = Asked("fine", 'sum by (drop, instance) (dropengine_seats{drop=~".*"}) > 2')
    gone = Asked("gone", "max(dropengine_chairs)")
    label = Asked("label", 'sum by (pool) (dropengine_seats{dorp="x"})')
    assert [*complaints(fine, known)] == []
    assert [*complaints(gone, known)] == ["gone: nobody tells dropengine_chairs"]
    assert [one.rpartition(" ")[2] for one in complaints(label, known)] == ["pool", "dorp"]


def test_every_number_is_looked_at() -> None:
    """One that no panel shows and no alert asks for need not be told."""
    bare = QUOTED.sub('""', " ".join(asked.expr for asked in QUESTIONS))
    asked_for = {*METRIC.findall(bare)} - OF_PROMETHEUS
    assert {family_of(name, FAMILIES) for name in asked_for} == FAMILIES.keys()


def test_the_dashboard_is_one_that_others_can_import() -> None:
    assert DASHBOARD["id"] is None
    assert {"uid", "title", "schemaVersion", "time", "templating"} <= DASHBOARD.keys()
    numbers = [panel["id"] for panel in PANELS]
    assert len({*numbers}) == len(numbers)
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    theirs = {"type": "prometheus", "uid": "${datasource}"}
    for panel in SHOWING:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        sources = [panel["datasource"], *(one["datasource"] for one in panel["targets"])]
        assert all(source == theirs for source in sources), panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len({*refs}) == len(refs), panel["title"]
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_panels_fill_the_grid_and_hide_none() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_whom_it_wakes_what_happened_and_what_to_do() -> None:
    each = ALERTS.split("- alert: ")[1:]
    assert len(each) == len(of_alerts()) == len({asked.where for asked in of_alerts()})
    for alert in each:
        name = alert.split()[0]
        assert re.search(r"labels: \{severity: (page|ticket)\}", alert), name
        assert "summary: " in alert, name
        assert "description: " in alert, name
    assert f"{len(each)} alerts" in (FOLDER / "README.md").read_text()


def test_every_alert_is_seen_silent_and_seen_firing() -> None:
    tests = (FOLDER / "alerts_test.yml").read_text()
    for asked in of_alerts():
        assert f"alertname: {asked.where}, exp_alerts: []" in tests, asked.where
        fires = rf"alertname: {asked.where}\n +exp_alerts:\n +- exp_labels: {{severity"
        assert re.search(fires, tests), asked.where


def test_prometheus_reads_configuration_and_alerts_and_they_fire_when_they_should() -> None:
    for words in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ):
        code, said = promtool(*words, folder=FOLDER)
        assert code == 0, said


def test_prometheus_reads_every_question_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": asked.expr}
        for number, asked in enumerate(of_dashboard())
    ]
    # JSON is YAML.
    file = tmp_path / "dashboard.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    code, said = promtool("check", "rules", str(file))
    assert code == 0, said


async def test_prometheus_own_tool_has_no_complaint_of_a_shop(night: Night) -> None:
    assert promtool("check", "metrics", said=night.page) == (0, "")


def empty(prometheus: Prometheus) -> list[str]:
    """Panels to which nothing answers."""
    return [
        asked.where
        for asked in of_dashboard()
        if not prometheus.ask("query", query=asked.expr)["result"]
    ]


def firing(prometheus: Prometheus) -> set[str]:
    alerts = prometheus.ask("alerts")["alerts"]
    return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}


async def test_prometheus_fills_every_panel_and_tells_of_a_drop_that_stands_still(
    night: Night, tmp_path: Path
) -> None:
    program("prometheus")
    text = (FOLDER / "prometheus.yml").read_text()
    own = text.replace("127.0.0.1:8000", night.url.removeprefix("http://")).replace(": 5s", ": 1s")
    file = tmp_path / "prometheus.yml"
    file.write_text(own.replace("alerts.yml", str(FOLDER / "alerts.yml")))
    with Prometheus(file, tmp_path / "data") as prometheus:
        async with asyncio.timeout(LONG_S * 3):
            while await asyncio.to_thread(empty, prometheus):
                pass
            while "DropStandsStill" not in await asyncio.to_thread(firing, prometheus):
                pass
        (group,) = prometheus.ask("rules")["groups"]
        # A rule that was not evaluated yet is `unknown`.
        assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
        (stands,) = (
            one
            for one in prometheus.ask("alerts")["alerts"]
            if one["labels"]["alertname"] == "DropStandsStill"
        )
        assert stands["labels"]["drop"] == night.frozen
        assert night.frozen in stands["annotations"]["summary"]
