"""What a person should know now of the shop and its drops, in sentences, each with what to do.

Everything here is known to this process already: nobody waits for an alarm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final, Protocol

from dropengine.config import Settings
from dropengine.doors.process_table import ProcessTable, Siblings, samples_of
from dropengine.doors.prometheus import Sample
from dropengine.jobs.carrying import Carrying
from dropengine.jobs.clock_watch import ClockWatch
from dropengine.jobs.disk_watch import DiskWatch
from dropengine.jobs.drawing import Drawing
from dropengine.jobs.duties import Duties
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.jobs.trial import Trial
from dropengine.log.in_words import FROZE
from dropengine.studio_wire import AlarmView

LIST: Final = "list"
"""The kind of an alarm about a list that chance cannot order."""
RESTART_S: Final = 600.0
"""A web process that was started again is told of for so long."""
ASIDE: Final = "dropengine_duties_set_aside"
"""Where the process that does the duties tells the others of those it cannot do."""

MAIL_AWAY: Final = "dropengine_mail_away"
"""Where the process that sends letters tells the others that none can be sent."""

DOCTOR = "Whoever runs the machine finds out more with dropengine doctor."
_THEN = {
    "away": "Nothing is lost and nothing is called sold out: presses are asked again by "
    f"themselves. {DOCTOR}",
    "memory": "Give the server more memory: maxmemory_mib, or maxmemory of your own server.",
    "disk": "Make room where the shop keeps its data: sales go on by themselves then.",
    "replica": "Point the shop at the primary.",
    "weaker": "Set appendonly yes and appendfsync always at the server: sales go on by themselves.",
    "taken": "Two shops must not sell from one server. This one ends by itself.",
}
"""What keeps the server from selling -> what to do."""


class Deps(Protocol):
    """What alarms are made of."""

    @property
    def settings(self) -> Settings: ...
    @property
    def trial(self) -> Trial: ...
    @property
    def server_watch(self) -> ServerWatch: ...
    @property
    def disk_watch(self) -> DiskWatch: ...
    @property
    def clock_watch(self) -> ClockWatch: ...
    @property
    def settling(self) -> Settling: ...
    @property
    def duties(self) -> Duties: ...
    @property
    def drawing(self) -> Drawing: ...
    @property
    def carrying(self) -> Carrying: ...


class Alarms:
    """clock: monotonic, s."""

    def __init__(self, deps: Deps, clock: Callable[[], float] = time.monotonic) -> None:
        self._deps = deps
        self._clock = clock
        self._starts: dict[int, tuple[int, float]] = {}
        """Process -> how often it was started, and when that was seen first."""

    def now(self, siblings: Siblings | None) -> list[AlarmView]:
        """All of them, the gravest first. siblings: the other processes of this machine."""
        table = None if siblings is None else siblings.table()
        told = samples_of(siblings)
        return [
            *self._server(),
            *self._frozen(),
            *self._lists(),
            *self._clocks(),
            *self._aside(chain.from_iterable(told.values())),
            *self._weaker(),
            *_mail(chain.from_iterable(told.values())),
            *self._workers(table),
        ]

    def _server(self) -> Iterator[AlarmView]:
        verdict = self._deps.trial.verdict()
        full = self._deps.disk_watch.full
        if full or verdict.server == "disk":
            yield _alarm("disk", "Sales are paused: the disk is nearly full.", _THEN["disk"])
        elif verdict.server != "ok":
            then = _THEN.get(verdict.server, DOCTOR)
            yield _alarm(verdict.server, f"The shop cannot sell now: {verdict.why}.", then)
        percent = self._deps.server_watch.alarm_percent
        if percent and verdict.server != "memory":
            what = f"The server's memory is over {percent} % full; from 90 % nothing new begins."
            yield _alarm("memory", what, _THEN["memory"])

    def _frozen(self) -> Iterator[AlarmView]:
        for drop, why in self._deps.settling.frozen.items():
            command = "reconcile" if why == "restore" else "audit"
            yield AlarmView(
                "frozen",
                drop,
                f"It stopped itself: {FROZE.get(why, why)}. Nothing in it is sold meanwhile.",
                f"Whoever runs the machine looks with dropengine {command} {drop}; then it goes "
                "on, or it is cancelled here.",
            )

    def _lists(self) -> Iterator[AlarmView]:
        """Known where lists are ordered; `Desks` tell the other workers."""
        for drop, why in self._deps.drawing.stuck.items():
            yield AlarmView(
                LIST,
                drop,
                f"Its list cannot be ordered: {why}.",
                "Nobody's place is lost: it waits as it was sealed. Put right what is missing, "
                f"and it goes on by itself; or cancel the drop. {DOCTOR}",
            )

        for drop, why in self._deps.carrying.stuck.items():
            yield AlarmView(
                LIST,
                drop,
                f"The places of the earlier drop are not carried over, so it does not open: {why}.",
                "It goes on by itself when that log is again what it was; else cancel the drop, "
                f"and publish it without them. {DOCTOR}",
            )

    def _clocks(self) -> Iterator[AlarmView]:
        if self._deps.clock_watch.leapt:
            yield _alarm(
                "clock",
                "The server's clock leapt: drops are paused and none opens by the clock.",
                "Put the clock right. Ten seconds later drops may be resumed here. If it is right "
                "as it stands now, say so on the night of each drop: Trust the clock.",
            )

    def _aside(self, numbers: Iterable[Sample]) -> Iterator[AlarmView]:
        found: dict[str, int] = {
            drop: len(ids) for drop, ids in self._deps.duties.set_aside.items()
        }
        for sample in numbers:
            if sample.name == ASIDE:
                drop = dict(sample.labels).get("drop", "")
                found[drop] = max(found.get(drop, 0), int(sample.value))
        for drop, count in found.items():
            things = "One payment" if count == 1 else f"{count} payments"
            yield AlarmView(
                "duty",
                drop,
                f"{things} cannot be settled with the provider.",
                "See to it at the provider, then say so on the page of the drop's payments.",
            )

    def _weaker(self) -> Iterator[AlarmView]:
        facts = self._deps.server_watch.facts
        if facts is not None and not facts.durable and not self._deps.settings.accept_weaker:
            yield _alarm("durability", f"Careful: {facts.promise}.", _THEN["weaker"])

    def _workers(self, table: ProcessTable | None) -> Iterator[AlarmView]:
        now = self._clock()
        for row in [] if table is None else table.processes:
            starts, since = self._starts.get(row.process, (1, now))
            if starts != row.starts:
                starts, since = row.starts, now
            self._starts[row.process] = (starts, since)
            if row.state in ("silent", "ended"):
                what = f"Web process {row.process} does not answer; it is started again."
            elif starts > 1 and now - since < RESTART_S:
                what = f"Web process {row.process} died and was started again ({starts - 1} times)."
            else:
                continue
            yield _alarm("worker", what, f"Its fans came back by themselves. {DOCTOR}")


def _mail(numbers: Iterable[Sample]) -> Iterator[AlarmView]:
    if any(one.name == MAIL_AWAY and one.value for one in numbers):
        yield _alarm(
            "mail",
            "The mail server takes no letters: nobody is called.",
            f"The page Mail says what it answers. Letters that wait are sent when it is back. "
            f"{DOCTOR}",
        )


def _alarm(kind: str, what: str, then: str) -> AlarmView:
    return AlarmView(kind, "", what, then)
