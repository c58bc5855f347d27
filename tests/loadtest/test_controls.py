"""A load test that cannot fail proves nothing: on a shop without a guard its referee says so."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.creator_commands import Open
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.processes.supervisor import FACTORY
from dropengine.rehearsal.practice_drops import compressed, shipped
from dropengine.rehearsal.practice_shop import PracticeShop, for_crowd
from tests.kit.rows import rows
from tests.kit.unguarded_shop import GUARD

ROOT = Path(__file__).parent.parent.parent
USERS, COMING_PER_S, NIGHT_S = 80, 8, 16
KINDS = "loadtest/locustfile.py,tests/loadtest/fickle.py"
STOPPED_S, GOING_S = 0.25, 0.5


@dataclass(frozen=True)
class Night:
    """Who comes, what there is to get, and which invariants may be named when the guard is gone."""

    guard: str
    broken: frozenset[str]
    units: int
    people: tuple[str, ...] = ()


NIGHTS = (
    Night("stock", frozenset({"INV-1", "INV-2"}), 6),
    Night("newcomer", frozenset({"INV-11"}), 6, ("Fickle",)),
    Night("settle first", frozenset({"INV-9"}), 20),
    Night("keys", frozenset({"INV-7", "INV-16"}), 60, ("Phone",)),
    Night("moves", frozenset({"INV-14"}), 40, ("Liner", "Quitter")),
)


async def hiccups(shop: PracticeShop) -> None:
    """The server stalls again and again: what meets there is decided in one batch."""
    server = shop.running.server_pid
    assert server is not None
    try:
        while True:
            await asyncio.sleep(GOING_S)
            os.kill(server, signal.SIGSTOP)
            await asyncio.sleep(STOPPED_S)
            os.kill(server, signal.SIGCONT)
    finally:
        os.kill(server, signal.SIGCONT)


def eager(units: int) -> Manifest:
    """Nobody is too fast for it."""
    drop = compressed(shipped("eclipse-pin.toml"), "eager", units)
    return msgspec.structs.replace(drop, closes_ms=0, pace=0, network_most=0)


async def played(night: Night, folder: Path, factory: str) -> tuple[int, str]:
    """Locust's exit code and its report."""
    settings = Settings(
        local_pay=True, data_dir=folder / "shop", port=0, disk_free_mib_min=16, log_level="error"
    )
    shop = PracticeShop(for_crowd(settings, USERS), factory=factory)
    await shop.start()
    store = shop.store()
    try:
        await store.publish(eager(night.units), by="o1", key="publish")
        await store.command(DropId("eager"), Open(), revision=1, by="o1", key="open")
        locust = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "locust", "-f", KINDS, "--headless", "--only-summary"),
            *("--host", shop.url, "--drop", "eager", "-u", f"{USERS}", "-r", f"{COMING_PER_S}"),
            *("-t", f"{NIGHT_S}s", "--html", str(folder / "report.html"), *night.people),
            cwd=ROOT,
            env=os.environ | {"DROPENGINE_DATA_DIR": str(settings.data_dir)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        beside = asyncio.create_task(hiccups(shop))
        code = await locust.wait()
        beside.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beside
    finally:
        await store.close()
        await shop.stop()
    return code, (folder / "report.html").read_text()


@pytest.mark.parametrize("night", rows(NIGHTS, [0, 3, 4]), ids=lambda night: night.guard)
async def test_without_a_guard_the_referee_fails_the_load_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, night: Night
) -> None:
    monkeypatch.setenv(GUARD, night.guard)
    code, report = await played(night, tmp_path, "tests.kit.unguarded_shop:build")
    assert code == 1
    assert night.broken & set(re.findall(r'"referee: (INV-\d+)"', report))


@pytest.mark.parametrize("night", rows(NIGHTS, [3]), ids=lambda night: night.guard)
async def test_with_its_guards_the_same_night_ends_well(tmp_path: Path, night: Night) -> None:
    code, report = await played(night, tmp_path, FACTORY)
    assert code == 0
    assert "events, 0 violations" in report
