"""A rehearsal at a terminal: how it goes, as a table that changes in place, and at the end what it
came to. Where there is no terminal, plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dropengine.rehearsal_report import Progress, Ramp, RehearsalReport
from dropengine.terminal.summary import table

PLAIN_EVERY_S: Final = 5.0
BAR_CELLS: Final = 40


class RehearsalScreen:
    """Shows each state that it is told."""

    def __init__(
        self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(
            file=sys.stderr if stream is None else stream, highlight=False, soft_wrap=True
        )
        self._clock = clock
        self._live: Live | None = None
        self._stage = ""
        self._last_s = float("-inf")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, now: Progress) -> None:
        """How it goes now."""
        if self._live is not None:
            self._live.update(_shown(now), refresh=True)
        elif now.stage != self._stage or self._clock() - self._last_s >= PLAIN_EVERY_S:
            self._stage, self._last_s = now.stage, self._clock()
            self._console.print(Text(in_one_line(now)))


def in_one_line(now: Progress) -> str:
    """Everything that changes, for a log."""
    loads = ", ".join(f"{one.name} {one.cpu:.0%}" for one in now.processes if one.cpu >= 0.02)
    return (
        f"{now.elapsed_s:6.1f} s  {now.stage}: {now.says}; {now.watchers} of {now.wanted} screens, "
        f"{now.commands_per_s:.0f} commands/s, p50 {now.p50_ms:.0f} ms, p99 {now.p99_ms:.0f} ms, "
        f"{now.waiting} in line, {now.errors} errors{'; ' if loads else ''}{loads}"
    )


def _shown(now: Progress) -> Group:
    facts = Table.grid(padding=(0, 3))
    for _ in range(4):
        facts.add_column(justify="right")
    facts.add_row("screens", f"{now.watchers:,} of {now.wanted:,}", "left", f"{now.free:,}")
    facts.add_row("commands/s", f"{now.commands_per_s:,.0f}", "held", f"{now.held:,}")
    facts.add_row("p50", f"{now.p50_ms:,.0f} ms", "sold", f"{now.sold:,}")
    facts.add_row("p99", f"{now.p99_ms:,.0f} ms", "in line", f"{now.waiting:,}")
    facts.add_row("errors", f"{now.errors:,}", "", "")
    loads = Table.grid(padding=(0, 3))
    for one in now.processes:
        memory = f"{one.rss_mib:,} MiB" if one.rss_mib else ""
        loads.add_row(one.name, f"{one.cpu:.0%}", memory)
    return Group(
        Text(f"{now.elapsed_s:6.1f} s  {now.stage}: {now.says}", style="bold"),
        ProgressBar(total=1.0, completed=now.done, width=BAR_CELLS),
        facts,
        Text(""),
        loads,
    )


def of_rehearsal(r: RehearsalReport) -> str:
    """What it came to, for people at a terminal."""
    lines = [f"{r.title} ({r.drop}): {'passed' if r.passed else 'FAILED'}", ""]
    lines += table([["promise", "here"], *([one.says, one.state] for one in r.promises)])
    lines += ["", *(f"  {one}" for one in r.violations)] if r.violations else [""]
    f = r.seen
    sold_out = "never" if f.sold_out_s is None else f"after {f.sold_out_s:.1f} s"
    lines += table(
        [
            ["fans, who got one", f"{f.fans:,}, {f.share:.0%}"],
            ["sold of units", f"{f.sold:,} of {f.units:,}"],
            ["sold out", sold_out],
            ["in line until an offer, half", _seconds(f.waited_median_s)],
            ["waited in vain", f"{f.still_waiting:,}"],
            ["answer p50, p99", f"{f.answer_p50_ms:,.0f} ms, {f.answer_p99_ms:,.0f} ms"],
            ["times were shorter by", f"{r.factor:,.1f}"],
            *_carried(r),
        ]
    )
    lines += ["", *r.launched] if r.launched else []
    lines += ["", r.breaks_first, "", *(f"- {one}" for one in r.advice)]
    if r.changes:
        rows = [[one.name, one.before or "-", one.now or "-"] for one in r.changes]
        lines += ["", *table([["beside the rehearsal before", "before", "now"], *rows])]
    lines += ["", f"Not limited here: {'; '.join(r.lifted)}."]
    if r.cut_short:
        lines.append(r.cut_short)
    return "\n".join(lines)


def _carried(r: RehearsalReport) -> Iterator[list[str]]:
    if r.capacity is not None:
        yield ["presses a second", _height(r.capacity.presses)]
        yield ["watchers", _height(r.capacity.watchers)]


def _height(ramp: Ramp) -> str:
    return f"{'' if ramp.broken else 'at least '}{ramp.held:,.0f}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
