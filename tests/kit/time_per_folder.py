"""A pytest plugin: where the time of a run went, ring by ring, printed above pytest's last line.

The folders of `tests/` are the rings; the files directly inside it are the ring `unit`. The time of
a test is its set-up, its call and its tear-down. What was spent outside of any test (starting,
importing, collecting) stands in a line of its own, so that the table adds up to what one waited.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

UNIT = "unit"


@dataclass
class FolderTime:
    """What one ring did. Seconds are floats of a monotonic clock."""

    tests: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    slowest: str = ""
    slowest_seconds: float = 0.0


class TimePerFolder:
    """Counts while the run goes on."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.rings: dict[str, FolderTime] = {}
        self._of_test: dict[str, float] = {}
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Three reports a test: set-up, call, tear-down."""
        ring = self.rings.setdefault(ring_of(report.nodeid), FolderTime())
        ring.seconds += report.duration
        spent = self._of_test.pop(report.nodeid, 0.0) + report.duration
        if report.when == "setup":
            ring.tests += 1
        ring.skipped += report.skipped
        # A test that fails and then fails again while it tidies up is one failure.
        if report.failed and report.nodeid not in self._failed:
            self._failed.add(report.nodeid)
            ring.failed += 1
        if report.when != "teardown":
            self._of_test[report.nodeid] = spent
        elif spent > ring.slowest_seconds:
            ring.slowest, ring.slowest_seconds = report.nodeid, spent

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table. Pytest prints its own last line after it."""
        if not self.rings:
            return
        terminalreporter.section("time per ring")
        for line in table(self.rings, time.perf_counter() - self.began):
            terminalreporter.write_line(line)


def ring_of(nodeid: str) -> str:
    """`tests/lua/test_press.py::...` is of the ring `lua`, `tests/test_model.py::...` of `unit`."""
    folders = PurePosixPath(nodeid.partition("::")[0]).parts[1:-1]
    return folders[0] if folders else UNIT


def table(rings: dict[str, FolderTime], total_seconds: float) -> Iterable[str]:
    """Lines of the table, the innermost ring first, then what no test accounts for and the sum."""
    yield f"{'ring':<12}{'tests':>7}{'failed':>8}{'skipped':>9}{'seconds':>10}  slowest"
    for name in sorted(rings, key=lambda name: (name != UNIT, name)):
        ring = rings[name]
        slowest = f"{ring.slowest_seconds:.1f} {ring.slowest.rpartition('::')[2]}"
        yield (
            f"{name:<12}{ring.tests:>7}{ring.failed:>8}{ring.skipped:>9}{ring.seconds:>10.1f}"
            f"  {slowest}"
        )
    tests = sum(ring.tests for ring in rings.values())
    outside = max(0.0, total_seconds - sum(ring.seconds for ring in rings.values()))
    yield f"{'around them':<36}{outside:>10.1f}"
    yield f"{'all':<12}{tests:>7}{'':<17}{total_seconds:>10.1f}"


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest when it was started with `-p tests.kit.time_per_folder`."""
    config.pluginmanager.register(TimePerFolder(), "drop-engine-rings")
