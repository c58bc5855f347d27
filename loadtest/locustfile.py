"""A night as locust plays it: `locust -f loadtest --host http://127.0.0.1:8460 --drop eclipse-pin`.

People of every kind come over public doors; at the end the referee judges the drop's log and what
they saw, and its violations are failures of the run: in the report, and in locust's exit code.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import gevent
import msgspec

# First of all: it makes the sockets of whatever comes after it cooperative.
from locust import events
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from dropengine.log.referee import Report
from dropengine.rehearsal import history
from loadtest.shapes import SHAPES, STORM, Night
from loadtest.swarm import Seen
from loadtest.users.buyers import Hunter, LatePayer, Liner, MultiTab, Phone, Quitter, Scalper
from loadtest.users.night import NotServed, night, tell, told_apart
from loadtest.users.watchers import Lurker, Reader

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from locust.env import Environment

HISTORY: Final = "history"
"""The message of a worker that has stopped: what its users did and saw."""
LINES_AT_ONCE: Final = 2_000
STOP_S: Final = 60
SENTENCES_MAX: Final = 20

log = logging.getLogger("loadtest")
gathered: list[bytes] = []
ended: set[str] = set()
swarm: list[subprocess.Popen[bytes]] = []

__all__ = [
    "Hunter",
    "LatePayer",
    "Liner",
    "Lurker",
    "MultiTab",
    "Night",
    "Phone",
    "Quitter",
    "Reader",
    "Scalper",
]


@events.init_command_line_parser.add_listener
def _arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("Drop Engine")
    group.add_argument("--drop", default="eclipse-pin", help="the drop's id")
    group.add_argument("--seed", type=int, default=1, help="the same seed makes the same people")
    group.add_argument("--shape", choices=SHAPES, default="plain", help="how the users come")
    group.add_argument(
        "--fans",
        type=int,
        default=0,
        help="watchers beside locust's users, in a swarm of their own",
    )


@events.init.add_listener
def _begin(environment: Environment, **_: object) -> None:
    # Locust reads every file of a folder, and names the first one in its report.
    environment.locustfile = Path(__file__).name
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        runner.register_message(HISTORY, _gather)
    elif runner is not None:
        runner.register_message(STORM, _storm)


def _storm(**_: object) -> None:
    for tab in list(night.tabs):
        tab.cut()


def _gather(msg: Any, **_: object) -> None:
    gathered.extend(msg.data["lines"])
    if msg.data["last"]:
        ended.add(msg.node_id)


def _hear_all(runner: MasterRunner) -> None:
    """A run that ends by itself ends before its workers do: each stops, and tells what it knows."""
    workers = {one.id for one in runner.clients.ready + runner.clients.running}
    for name in workers - ended:
        runner.server.send_to_client(Message("stop", None, name))
    try:
        with gevent.Timeout(STOP_S):
            while not workers <= ended:
                gevent.sleep(0.05)
    except gevent.Timeout:
        log.error("%d workers did not say what their users did and saw.", len(workers - ended))


@events.test_start.add_listener
def _let_the_swarm_in(environment: Environment, **_: object) -> None:
    options = environment.parsed_options
    gathered.clear()
    ended.clear()
    if isinstance(environment.runner, WorkerRunner) or options is None or not options.fans:
        return
    swarm.append(
        subprocess.Popen(
            [
                *(sys.executable, "-m", "loadtest.swarm", "--host", str(environment.host)),
                *("--drop", options.drop, "--fans", str(options.fans)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    )


@events.test_stop.add_listener
def _end(environment: Environment, **_: object) -> None:
    """A worker sends what it knows; who leads the run judges it."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        lines = told_apart(night.history.lines(), runner.worker_index + 1)
        texts = list(history.write(lines))
        for i in range(0, len(texts), LINES_AT_ONCE):
            some = texts[i : i + LINES_AT_ONCE]
            runner.send_message(HISTORY, {"lines": some, "last": False})
        runner.send_message(HISTORY, {"lines": [], "last": True})
        return
    if isinstance(runner, MasterRunner):
        _hear_all(runner)
    else:
        gathered.extend(history.write(night.history.lines()))
    _tell_of_the_swarm(environment)
    _judge(environment)


def _tell_of_the_swarm(environment: Environment) -> None:
    for one in swarm:
        out, _ = one.communicate(b"\n")
        if one.returncode:
            tell(environment, "watchers", 0, kind="SWARM", fault=NotServed("the swarm has failed"))
            continue
        seen = msgspec.json.decode(out, type=Seen)
        log.info("The swarm: %d of %d watchers, %d frames.", seen.open, seen.wanted, seen.frames)
        for lag_ms in seen.lags_ms:
            tell(environment, "tick lag", lag_ms, kind="SWARM")
        if seen.open < seen.wanted:
            sentence = f"{seen.open} of {seen.wanted} watchers were there at the end: {seen.why}"
            tell(environment, "watchers", 0, kind="SWARM", fault=NotServed(sentence))
    swarm.clear()


def _judge(environment: Environment) -> None:
    """Each violation is a failed request of its own kind, as locust's reports show them."""
    options = environment.parsed_options
    assert options is not None
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as file:
        Path(file.name).write_bytes(b"".join(gathered))
        said = subprocess.run(
            [
                *(sys.executable, "-m", "loadtest.verdict", options.drop, file.name),
                *("--host", str(environment.host)),
            ],
            capture_output=True,
            check=False,
        )
    if said.returncode:
        sentence = said.stderr.decode().strip() or f"the referee ended with {said.returncode}"
        log.error("Not judged. %s", sentence)
        tell(environment, "referee", 0, kind="JUDGE", fault=NotServed(sentence))
        return
    report = msgspec.json.decode(said.stdout, type=Report)
    log.info("%s", one_line(report))
    if not report.violations_total:
        tell(environment, f"referee: {report.events} events, 0 violations", 0, kind="JUDGE")
    for violation in report.violations[:SENTENCES_MAX]:
        sentence = f"{violation.inv} at seq {violation.seq}: {violation.sentence}"
        log.error("%s", sentence)
        tell(environment, f"referee: {violation.inv}", 0, kind="JUDGE", fault=NotServed(sentence))


def one_line(report: Report) -> str:
    """The verdict in a line."""
    return (
        f"The referee: {report.events} events, {report.sold} of {report.cap} sold, "
        f"{report.oversold} oversold, {report.operations} commands of these users "
        f"({report.unknown} unknown), {report.violations_total} violations."
    )
