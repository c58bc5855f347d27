"""Run the benchmarks, tell, judge.

python -m loadtest.bench --help
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from dropengine.terminal.progress import Progress
from loadtest.bench import fanout, freshness, hold, places, report, settle, sockets
from loadtest.bench.bench import Bench, Work
from loadtest.bench.figures import Figure, Results, from_json, missed, to_json, void
from loadtest.bench.machine import about, open_files_wide

log = logging.getLogger(__name__)

DOCS = Path(__file__).parent.parent.parent / "docs"

BENCHES: dict[str, Work] = {
    "hold_ws": hold.hold_ws,
    "hold_http": hold.hold_http,
    "workers": hold.workers,
    "fanout": fanout.fanout,
    "freshness": freshness.freshness,
    "slow_reader": freshness.slow_reader,
    "places": places.places,
    "handshake": sockets.handshake,
    "memory": sockets.memory,
    "reconnect": sockets.reconnect,
    "settle": settle.settle,
    "start": settle.start,
}


async def run(names: Sequence[str], quick: bool, progress: Progress, results: Results) -> None:
    """Run them one after the other; each replaces its figures in `results`."""
    told = results.setdefault(report.ABOUT, {})
    kept: dict[str, object] = {}
    for name in names:
        bench = Bench(name, progress, quick, {}, [], kept)
        begun = time.monotonic()
        bench.now("begins")
        try:
            await BENCHES[name](bench)
        except Exception as error:
            # One that cannot be made must not keep the others from being made.
            log.exception("%s could not be made", name)
            bench.violations.append(f"{type(error).__name__}: {error}")
            bench.figures.setdefault("made", Figure(None))
        results[name] = void(bench.figures) if bench.violations else bench.figures
        for sentence in bench.violations[:5]:
            bench.say(f"void: {sentence}")
        today = dt.datetime.now(dt.UTC).date()
        size = "one short run, of a small size" if quick else f"{bench.rounds} runs of each"
        told[name] = Figure(f"{size}, {today}")
        bench.say(f"took {time.monotonic() - begun:.0f} s")
        progress.plain(report.plain(results[name]))


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench", description=__doc__)
    parser.add_argument("--only", metavar="A,B", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="one short run of small sizes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--from",
        type=Path,
        metavar="FILE",
        dest="earlier",
        help="begin with the figures of an earlier run; only those of --only are made anew",
    )
    parser.add_argument("--write-docs", action="store_true", help="write the pages and pictures")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    return parser


def _command(names: Sequence[str], quick: bool) -> str:
    """What to type to make these figures again."""
    only = [] if list(names) == list(BENCHES) else ["--only", ",".join(names)]
    words = ["python", "-m", "loadtest.bench", *only, *(["--quick"] if quick else [])]
    return f"`{' '.join(words)}`"


def main(argv: Sequence[str]) -> int:
    """Exit code: 0, 1 when `--check` finds a missed target, 2 for a wrong command."""
    parser = arguments()
    given = parser.parse_args(argv)
    results: Results = {}
    names = list(BENCHES)
    if given.earlier:
        results, names = from_json(given.earlier.read_bytes()), []
    if given.only:
        names = given.only.split(",")
        if unknown := [name for name in names if name not in BENCHES]:
            parser.error(f"there is no benchmark {', '.join(unknown)}; there are {list(BENCHES)}")
    with Progress() as progress:
        if names:
            open_files_wide()
            told = {"command": Figure(_command(names, given.quick))}
            # Whoever makes some figures anew still makes all of them with the first command.
            told |= results.get(report.ABOUT, {})
            told |= {name: Figure(word) for name, word in about().items()}
            results[report.ABOUT] = told
            uvloop.run(run(names, given.quick, progress, results))
        if given.json:
            given.json.write_bytes(to_json(results))
        if given.write_docs:
            for path in report.write(results, DOCS):
                progress.say(f"wrote {path.relative_to(DOCS.parent)}")
        lacking = missed(results)
        if lacking:
            progress.plain("missed: " + ", ".join(lacking))
    return 1 if given.check and lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
