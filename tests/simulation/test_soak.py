"""A short soak passes, one on scripts without a guard fails; its clock leaps where it should."""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.kit import unguarded_shop
from tests.kit.manifests import manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.soak.__main__ import arguments, soak
from tests.soak.leaping_proxy import LeapingProxy
from tests.soak.swizzle import FAULTS, Place

HOUR_MS = 3_600_000
SHORT = ["--nights", "1", "--seconds", "4", "--fans", "8"]
CROWDED = ["--nights", "5", "--seconds", "4", "--fans", "30"]
"""Until it breaks, which is soon."""


async def test_a_shop_keeps_its_promises_under_a_swizzle_of_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await soak(arguments([*SHORT, "--seed", "7", "--kept", str(tmp_path)])) == 0
    told = capsys.readouterr().out
    assert told.startswith("SEED=7\n")
    assert "1 nights, 0 violations" in told


async def test_a_shop_without_a_guard_fails_and_leaves_what_there_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(unguarded_shop.GUARD, "stock")
    factory = f"{unguarded_shop.__name__}:build"
    asked = arguments([*CROWDED, "--seed", "8", "--kept", str(tmp_path)])
    assert await soak(asked, factory) == 1
    told = capsys.readouterr().out
    assert "INV-2" in told
    night = told.rpartition("night ")[2].partition(":")[0]
    for kind in ("log", "fans"):
        assert (tmp_path / f"soak-8-{night}.{kind}.jsonl").stat().st_size


async def test_the_clock_leaps_for_whoever_asks_and_for_the_scripts_of_a_test_drop(
    server: Server, store: Store, drop: str
) -> None:
    with TemporaryDirectory(prefix="proxy-") as folder:
        async with LeapingProxy(server.socket, Path(folder) / "proxy.sock") as proxy:
            behind = Store(connections.client(proxy.url))
            sale = Sale(behind, drop, now=0)
            await sale.publish(manifest(drop))
            await sale.creator("open")
            true_ms = await store.time_ms()
            proxy.leap_ms = HOUR_MS
            assert await behind.time_ms() - true_ms >= HOUR_MS
            assert (await sale.settle()).now_ms - true_ms >= HOUR_MS
            proxy.leap_ms = 0
            assert await behind.time_ms() - true_ms < HOUR_MS
            await behind.close()


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_and_the_server_is_there_again(name: str) -> None:
    with TemporaryDirectory(prefix="proxy-") as folder:
        server = Server(durable=True).start()
        async with LeapingProxy(server.socket, Path(folder) / "proxy.sock") as proxy:
            place = Place(server, proxy, Random(1))
            async with FAULTS[name](place):
                pass
            proxy.forget()
            asked = connections.client(proxy.url)
            assert await asked.ping()
            await asked.aclose(close_connection_pool=True)
        server.stop()
