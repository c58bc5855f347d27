"""The referee's word on a load test: the drop's log, and what the users did and saw of it.

A process of its own, since locust's has another kind of input and output:
`python -m loadtest.verdict DROP HISTORY --host URL` prints one JSON report. The log comes from the
creators' API with a key that may read (`DROP_KEY` in the environment), else from the shop of this
machine, as `dropengine drop log` finds it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx2

from dropengine import events
from dropengine.log import referee
from dropengine.log.referee import Report
from dropengine.rehearsal import history

KEY: Final = "DROP_KEY"
ANSWER_S: Final = 60.0


class NoLog(Exception):
    """The log cannot be read: a sentence says why."""


def judge(drop: str, log: Sequence[bytes], lines: Sequence[history.AnyLine]) -> Report:
    """What the referee makes of a log, and of the users' histories beside it."""
    verdict = referee.judge(log)
    others = []
    if verdict.honest:
        # What no script can have written is no order to hold anything against.
        others = history.check(lines, drop, [events.parse(line) for line in log])
    return referee.report([verdict], history.measure(lines), replay=None, others=others)


def log_of(drop: str, host: str, environment: Mapping[str, str]) -> list[bytes]:
    """The lines of a drop's log. Raises NoLog."""
    key = environment.get(KEY)
    if key:
        return _from_the_api(drop, host, key)
    told = subprocess.run(
        [sys.executable, "-m", "dropengine", "drop", "log", drop],
        capture_output=True,
        check=False,
    )
    if told.returncode:
        raise NoLog(
            f"The log of {drop} cannot be read here ({told.stderr.decode().strip()}): run the load "
            f"test where the shop runs, or put an API key that may read into {KEY}."
        )
    return told.stdout.splitlines()


def _from_the_api(drop: str, host: str, key: str) -> list[bytes]:
    where = f"{host.rstrip('/')}/api/studio/drops/{drop}/log"
    try:
        answer = httpx2.get(where, headers={"Authorization": f"Bearer {key}"}, timeout=ANSWER_S)
    except httpx2.HTTPError as fault:
        raise NoLog(f"{where} does not answer: {fault}") from fault
    if answer.status_code != 200:
        raise NoLog(f"{where} answers {answer.status_code}: {answer.text[:200]}")
    return answer.content.splitlines()


def main() -> int:
    """Print the report. 0: it could be judged, whatever came of it; 4: it could not."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.verdict", description=__doc__)
    parser.add_argument("drop")
    parser.add_argument("history", type=Path)
    parser.add_argument("--host", default="")
    asked = parser.parse_args()
    lines = history.read(asked.history.read_bytes().splitlines())
    try:
        log = log_of(asked.drop, asked.host, os.environ)
    except NoLog as fault:
        print(fault, file=sys.stderr)
        return 4
    sys.stdout.buffer.write(judge(asked.drop, log, lines).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
