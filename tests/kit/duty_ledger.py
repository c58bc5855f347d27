"""The real application with a provider that writes down, in one file for all shops, when each of
its captures began and ended, and in which process."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from starlette.applications import Starlette

from dropengine import app
from dropengine.config import Settings
from dropengine.payments.port import ProviderAnswer, Succeeded, Unknown

FACTORY = "tests.kit.duty_ledger:build"
ANSWER_S = 0.02
"""How long a capture takes there."""


def ledger(data_dir: Path) -> Path:
    """Beside the data directories of the shops."""
    return data_dir.parent / "ledger"


class Attempt(NamedTuple):
    """A duty that a process did at the provider. ended_ms: None where it did not live so long."""

    process: int
    began_ms: int
    ended_ms: int | None


def attempts(path: Path) -> dict[str, list[Attempt]]:
    """Of each duty in the order in which they began."""
    found: dict[str, dict[tuple[int, int], int | None]] = defaultdict(dict)
    for row in path.read_text("ascii").splitlines() if path.exists() else ():
        duty, process, began, ended = row.split()
        found[duty][int(process), int(began)] = int(ended) or None
    return {
        duty: sorted((Attempt(*key, ended) for key, ended in rows.items()), key=lambda a: a[1])
        for duty, rows in found.items()
    }


class _Captures:
    """A provider that takes whatever it is asked for, and tells of nothing."""

    name = "local"
    for_practice = True

    def __init__(self, path: Path) -> None:
        self._path = path

    async def capture(self, _charge: str, _amount: int, key: str) -> ProviderAnswer:
        began = time.time_ns() // 1_000_000
        self._write(key, began, 0)
        await asyncio.sleep(ANSWER_S)
        self._write(key, began, time.time_ns() // 1_000_000)
        return Succeeded()

    async def kept(self, _since_ms: int) -> Unknown:
        return Unknown("it never tells")

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, key: str, began: int, ended: int) -> None:
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{key} {os.getpid()} {began} {ended}\n")


def build(settings: Settings) -> Starlette:
    """One web process of a shop."""
    made = app.build(settings)
    captures: Any = _Captures(ledger(settings.data_dir))
    made.state.runtime.payments.built["local"] = captures
    return made
