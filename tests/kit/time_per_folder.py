"""A pytest plugin: where the time of a run went, by folder, printed above pytest's last line.

The files directly inside `tests/` count as a folder `unit`. The time of a test is its set-up, its
call and its tear-down. Files that ran side by side share what one waited: the table adds up to it,
with what was spent outside of any test (starting, importing, collecting) in a line of its own.

Beside it stands what processors worked for it, in the test and in the processes that it has: who
makes the run shorter looks there, for a machine that is busy makes every test wait. The files that
worked most are named. What a shop or a browser that many files share did is each file's own.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

UNIT = "unit"
FILES_NAMED = 20
WORKED = "worked_seconds"
"""What a report carries of `Work`: whoever runs the tests beside sends it along."""


def worked() -> float:
    """Seconds of a processor that this process and those below it have had, whether they go on or
    have ended."""
    return sum(os.times()[:4]) + sum(_of_running(child) for child in _children("self"))


def _of_running(pid: str) -> float:
    """Of a process, of those it has waited for, and of those below it."""
    try:
        # What follows the name, which may have brackets in it: state, parent ... and in ticks the
        # times of its own and of those that it has waited for.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    except OSError:
        return 0.0
    own = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return own + sum(_of_running(child) for child in _children(pid))


def _children(pid: str) -> list[str]:
    """Those that run; none where the system does not tell, or of who ended meanwhile."""
    found: list[str] = []
    # Ended between two of these steps, a process has no folder any more: some systems have it
    # vanish while the folder is read.
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += (task / "children").read_text().split()
    return found


class Work:
    """Notes with each report what was worked since the one before it."""

    def __init__(self) -> None:
        self._so_far = worked()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        before, self._so_far = self._so_far, worked()
        # Who is nobody's child any more takes with him what he worked.
        setattr(report, WORKED, max(0.0, self._so_far - before))
        return report


@dataclass
class FolderTime:
    """What the tests of one folder did. Seconds are floats of a monotonic clock."""

    tests: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    worked_seconds: float = 0.0
    slowest: str = ""
    slowest_seconds: float = 0.0


class TimePerFolder:
    """Counts while the run goes on."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.folders: dict[str, FolderTime] = {}
        self.files: defaultdict[str, float] = defaultdict(float)
        self._of_test: dict[str, float] = {}
        self._begun: set[str] = set()
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Three reports a test: set-up, call, tear-down."""
        one = self.folders.setdefault(folder_of(report.nodeid), FolderTime())
        one.seconds += report.duration
        worked_seconds: float = getattr(report, WORKED, 0.0)
        one.worked_seconds += worked_seconds
        self.files[file_of(report.nodeid)] += worked_seconds
        spent = self._of_test.pop(report.nodeid, 0.0) + report.duration
        # What is tried once more is one test.
        if report.nodeid not in self._begun:
            self._begun.add(report.nodeid)
            one.tests += 1
        one.skipped += report.skipped
        # A test that fails and then fails again while it tidies up is one failure.
        if report.failed and report.nodeid not in self._failed:
            self._failed.add(report.nodeid)
            one.failed += 1
        if report.when != "teardown":
            self._of_test[report.nodeid] = spent
        elif spent > one.slowest_seconds:
            one.slowest, one.slowest_seconds = report.nodeid, spent

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """The table. Pytest prints its own last line after it."""
        if not self.folders:
            return
        terminalreporter.section("time per folder")
        lanes = config.getoption("numprocesses", None) or 1
        for line in table(self.folders, time.perf_counter() - self.began, lanes):
            terminalreporter.write_line(line)
        for file in sorted(self.files, key=self.files.__getitem__, reverse=True)[:FILES_NAMED]:
            terminalreporter.write_line(f"{self.files[file]:>46.1f}  {file}")


def folder_of(nodeid: str) -> str:
    """`tests/lua/test_hold.py::...` is of `lua`, `tests/test_wire.py::...` of `unit`."""
    above = PurePosixPath(file_of(nodeid)).parts[1:-1]
    return above[0] if above else UNIT


def file_of(nodeid: str) -> str:
    """`tests/lua/test_hold.py::...` stands in `tests/lua/test_hold.py`."""
    return nodeid.partition("::")[0]


def table(folders: dict[str, FolderTime], total_seconds: float, lanes: int) -> Iterable[str]:
    """Lines of the table, `unit` first, then what no test accounts for and what one waited.

    lanes: how many tests ran at a time.
    """
    yield (
        f"{'folder':<12}{'tests':>7}{'failed':>8}{'skipped':>9}"
        f"{'seconds':>10}{'worked':>10}  slowest"
    )
    for name in sorted(folders, key=lambda name: (name != UNIT, name)):
        one = folders[name]
        slowest = f"{one.slowest_seconds:.1f} {one.slowest.rpartition('::')[2]}"
        yield (
            f"{name:<12}{one.tests:>7}{one.failed:>8}{one.skipped:>9}{one.seconds:>10.1f}"
            f"{one.worked_seconds:>10.1f}  {slowest}"
        )
    tests = sum(one.tests for one in folders.values())
    in_tests = sum(one.seconds for one in folders.values()) / lanes
    work = sum(one.worked_seconds for one in folders.values())
    outside = max(0.0, total_seconds - in_tests)
    if lanes > 1:
        yield f"{f'{lanes} at a time':<36}{in_tests:>10.1f}"
    yield f"{'around them':<36}{outside:>10.1f}"
    yield f"{'all':<12}{tests:>7}{'':<17}{total_seconds:>10.1f}{work:>10.1f}"


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest when it was started with `-p tests.kit.time_per_folder`."""
    config.pluginmanager.register(Work(), "drop-engine-work")
    config.pluginmanager.register(TimePerFolder(), "drop-engine-time-per-folder")
